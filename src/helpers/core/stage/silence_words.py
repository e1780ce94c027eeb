"""Which weeks of a window a source was not heard in, as a sentence beside what was counted."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from helpers.core.base.french import number, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.place_time.calendar import full_weeks, last_days
from helpers.core.place_time.heard import heard_weeks
from helpers.core.place_time.places import zone_names

LISTED = 3  # zones named; the others are counted


def unheard(con: duckdb.DuckDBPyConnection, city: City, days: int, done: str) -> str:
    """Return, as Markdown put after an answer, where silence was in the last days; or nothing.

    `done` tells what was made of it, as a sentence. Of the sources of the city's themes, by zone of
    the main division. Views `weeks`, `grades_weekly` and `zones`.
    """
    lines = list(_lines(con, city, days))
    return "\n".join([f"\n\n**Silences.** {done}", "", *lines]) if lines else ""


def _lines(con: duckdb.DuckDBPyConnection, city: City, days: int) -> Iterator[str]:
    mondays = full_weeks(*last_days(city, days))
    names = zone_names(con, city)
    codes = sorted(names)
    for source in city.themed_sources():
        lost = ~heard_weeks(con, source, city.about.main_division, codes, mondays)
        if not lost.any():
            continue
        every = int(lost.all(axis=0).sum())
        more = lost.sum(axis=1) - every
        worst = [i for i in sorted(range(len(codes)), key=lambda i: (-more[i], codes[i]))
                 if more[i]]  # fmt: skip
        held = [f"{plain(names[codes[i]])} ({plural(int(more[i]), 'semaine')})"
                for i in worst[:LISTED]]  # fmt: skip
        rest = worst[LISTED:]
        if rest:
            held.append(f"{plural(len(rest), 'autre zone')} "
                        f"({plural(int(more[rest[0]]), 'semaine')} au plus)")  # fmt: skip
        whole = [f"{plural(every, 'semaine')} dans toute la ville"] if every else []
        title = plain(city.contracts[source].title)
        yield (f"- « {title} », non entendue, sur {number(len(mondays))} semaines : "
               f"{', '.join([*whole, *held])}.")  # fmt: skip
