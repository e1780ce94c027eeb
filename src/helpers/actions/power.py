"""Could the effect asked for be seen at all, with the facts there? Told before approval.

The comparison that `impact` makes of an action alone (`staggered_counts.alone`), put on the last
weeks known on the day of the proposal: the smallest fall that its error would have let see. It
counts the category that the source of actions tells, as `impact` does; where none is told yet, the
whole theme of the register's criterion.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.actions.known import Where
from helpers.core.city.action_rules import aimed
from helpers.core.city.city import City
from helpers.core.place_time.calendar import first_monday, full_weeks
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import of_theme
from helpers.core.stage.near_places import WEEK, Reach, around
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.quasi_poisson import reach as quantile
from helpers.core.stats.staggered_counts import Heard, Spans, alone

Floats = NDArray[np.float64]
NOTHING_ASKED, NO_PLACE, LEFT_OUT, TOO_SHORT, TOO_FEW, SILENT = (
    "nothing_asked", "no_place", "theme_left_out", "too_short", "too_few", "silent"
)  # fmt: skip
POWERS = pa.schema(
    [
        ("action", pa.string()), ("area", pa.string()), ("facts", pa.int64()),
        ("detectable", pa.float64()), ("seen", pa.bool_()), ("reason", pa.string()),
        ("category", pa.string()), ("first", pa.date32()), ("last", pa.date32()),
        ("power", pa.float64()),
    ]
)  # fmt: skip
CIRCLE, ZONE = "circle", "zone"


class Judge(Reach, Protocol):
    """The knobs of the comparison: those of `impact`."""

    @property
    def spans(self) -> Spans: ...
    @property
    def confidence(self) -> float: ...
    @property
    def power(self) -> float: ...
    @property
    def minimum_count(self) -> int: ...
    @property
    def heard_share(self) -> float: ...


def powers(
    con: duckdb.DuckDBPyConnection, city: City, states: pa.Table, where: Mapping[str, Where],
    judge: Judge,
) -> pa.Table:  # fmt: skip
    """Return one row an action, in order: POWERS. Views `cube`, `zones`,
    `weeks` and `grades_weekly`.

    `facts` were counted before, in the action's circle (else its zone), over the weeks that the
    comparison counts before: those heard from the day `first` to the day `last`. `category` of the
    facts, null where the whole theme is counted. `seen`: a fall of the size asked would be seen in
    `judge.power` of cases (`power`); False where it would not, or where facts are too few for the
    action to be judged alone, None where nothing can be computed.
    """
    rows = states.to_pylist()
    at = np.array([[where[r["action"]].x, where[r["action"]].y] for r in rows]).reshape(-1, 2)
    theme_of = {category: theme for category, (theme, _) in aimed(city).items()}
    wanted: list[tuple[str | None, str | None]] = [
        (theme_of.get(row["indicator"]) if row["indicator"] else row["theme"], row["indicator"])
        for row in rows
    ]
    pairs = dict.fromkeys(pair for pair in wanted if pair[0] in city.themes)
    circles = {(theme, category): around(con, city, at, theme, judge, category)
               for theme, category in pairs if theme}  # fmt: skip
    found = []
    for i, (row, pair) in enumerate(zip(rows, wanted, strict=True)):
        told: dict[str, Any] = {"action": row["action"], "reason": "", "category": pair[1],
                                "power": judge.power}  # fmt: skip
        if row["least_effect"] is None:
            told["reason"] = NOTHING_ASKED
        elif pair not in circles:
            told["reason"] = LEFT_OUT
        elif np.isfinite(at[i]).all():
            held = circles[pair]
            parts = held.zones[i], held.controls, held.heard.of(np.array([i]))
            told |= {"area": CIRCLE} | _seen(row, *parts, city, judge)
        else:
            whole = _zone(con, city, pair, where[row["action"]].zone, judge)
            seen = _seen(row, *whole, city, judge) if whole else {"reason": NO_PLACE}
            told |= {"area": ZONE} | seen
        found.append(told)
    return pa.Table.from_pylist(found, schema=POWERS)


def _zone(
    con: duckdb.DuckDBPyConnection, city: City, aim: tuple[str, str | None], zone: str | None,
    judge: Judge,
) -> tuple[Floats, Floats, Heard] | None:  # fmt: skip
    """Return the weekly counts of a zone, of the other zones of its division, what was heard.

    `aim`: the theme counted, and the category where it is one alone.
    """
    theme, category = aim
    found = con.execute(
        "SELECT division FROM zones WHERE code = ? ORDER BY division = ? DESC, 1",
        [zone, city.about.main_division],
    ).fetchone()
    if found is None:
        return None
    mondays = full_weeks(city.about.period.start, city.about.period.end)
    size, monday = len(mondays), first_monday(city.about.period.start)
    rows = counts(
        con, ["zone", "category", "week"], theme=theme, origins=judge.origins, division=found[0],
        span=(monday, monday + size * WEEK), placed=True,
    )  # fmt: skip
    names = sorted({name for name, *_ in rows if name} | {str(zone)})
    table = np.zeros((len(names), size))
    for name, one, week, n in rows:
        if name and category in (None, one):
            table[names.index(name), (week - monday) // WEEK] += n
    own = names.index(str(zone))
    heard = of_theme(con, city, theme, found[0], names, mondays)
    others = np.arange(len(names)) != own
    return table[own], table[others], Heard(heard[[own]], heard[others])


def _seen(
    row: dict[str, Any], own: Floats, controls: Floats, heard: Heard, city: City, judge: Judge
) -> dict[str, Any]:
    spans, known = judge.spans, _weeks_known(row["proposed_on"], city)
    start = known - spans.after
    if start - spans.gap - spans.before < 0:
        return {"reason": TOO_SHORT}
    after, before = (weeks[heard.areas[0, weeks]] for weeks in spans.around(start))
    least = (judge.heard_share * size for size in (spans.after, spans.before))
    if any(len(kept) < n for kept, n in zip((after, before), least, strict=True)):
        return {"reason": SILENT}
    facts = int(own[before].sum())
    monday = first_monday(city.about.period.start)
    first, last = (monday + int(spans.around(start)[1][end]) * WEEK for end in (0, -1))
    told: dict[str, Any] = {
        "facts": facts, "first": first, "last": last + dt.timedelta(days=6),
    }  # fmt: skip
    try:
        until = Heard(heard.areas[:, :known], heard.controls[:, :known])
        error = alone(own[:known], start, controls[:, :known], spans, until)
    except ValueError:
        return {**told, "reason": TOO_FEW, "seen": False}
    if facts < judge.minimum_count:
        return {**told, "reason": TOO_FEW, "seen": False}
    freedom = np.array(error.freedom)
    far = quantile(judge.confidence, freedom) + quantile(2 * judge.power - 1, freedom)
    smallest = round(1 - float(np.exp(-float(far) * error.error)), DIGITS)
    return {**told, "detectable": smallest, "seen": smallest <= row["least_effect"], "reason": ""}


def _weeks_known(day: dt.date, city: City) -> int:
    period = city.about.period
    known = (day - first_monday(period.start)) // WEEK
    return min(max(known, 0), len(full_weeks(period.start, period.end)))
