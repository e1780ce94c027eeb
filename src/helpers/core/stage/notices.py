"""What a person must know of a run: what was set aside, lost, not counted, missing, not read.

Counted in the tables that `collect`, `ingest` and `reliability` wrote (`count`), then told in five
lines at most (`lines`), each with where to see more. `make run` ends with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from helpers.core.base import store
from helpers.core.base.french import number, percent, plural
from helpers.core.base.store import quote
from helpers.core.base.workspace import INBOX
from helpers.core.city import remark
from helpers.core.city.city import City
from helpers.core.city.names import (
    DUPLICATE,
    NO_PLACE,
    NO_THEME,
    OUT_OF_PERIOD,
    OUTSIDE,
    REPLACED,
    WHOLE,
)
from helpers.core.city.remark import Remark
from helpers.core.stage import heaps, remark_words, standing
from helpers.core.stage.heaps import Heap
from helpers.core.stage.reasons import title
from helpers.core.stage.receipts import read_receipts

SHOWN = 3  # of the most frequent, by name; the others are summed
OFF = "hors_liste:"
ORDINARY = (DUPLICATE, REPLACED)  # rows that another row of the same record stands for
NOTHING = (
    "Rien à signaler : aucune ligne écartée, aucun fait sans lieu ni sans thème, aucune zone vide, "
    "aucun jour manquant, aucune heure qui revienne trop, aucune colonne ni fichier laissé de côté."
)


@dataclass(frozen=True)
class Counts:
    """The counts of a run that call for a person's eye; all empty or zero where none does."""

    rows: int = 0  # received, all sources
    set_aside: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (source, reason) → n
    doubles: int = 0  # rows in double, or replaced by a later version
    beyond: Mapping[str, int] = field(default_factory=dict)  # source → sound rows out of the period
    facts: int = 0  # in the cube
    no_place: int = 0
    defaulted: int = 0  # at a point that comes back without end: it tells no place
    outside: int = 0  # of all zones of the main division
    unshaped: tuple[str, ...] = ()  # named zones of the main division that no outline came for
    empty_zones: tuple[str, ...] = ()  # zones of the main division without a fact
    unthemed: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (source, category) → n
    missing_days: Mapping[str, int] = field(default_factory=dict)  # source → days, of `days`
    days: Mapping[str, int] = field(default_factory=dict)
    piled: tuple[tuple[str, str, Heap], ...] = ()  # source, category ("" for all), exact hours
    personal: int = 0  # values taken away at the door
    not_named: int = 0  # columns that no contract names
    without_rows: tuple[str, ...] = ()  # sources of which no row came
    remarks: tuple[Remark, ...] = ()  # what is odd in the zones and the sources
    not_read: int = 0  # files delivered that city.yaml names nowhere


def count(city: City, data: Path) -> Counts:
    """Return the counts of the city's run, from the tables under `data` (the city's results)."""
    receipts = read_receipts(data / "raw")
    con = store.connect()
    for name in ("cube", "observations", "zones"):
        store.view(con, name, data / f"{name}.parquet")
    aside = _set_aside(con, city, data)
    days = _days(con, data / "derived" / "reliability" / "days.parquet")
    found = Counts(
        rows=sum(one["rows"] for one in receipts.values()),
        set_aside={key: n for key, n in aside.items() if key[1] not in (*ORDINARY, OUT_OF_PERIOD)},
        beyond={source: n for (source, why), n in aside.items() if why == OUT_OF_PERIOD},
        doubles=sum(n for key, n in aside.items() if key[1] in ORDINARY),
        **_places(con, city),
        unthemed=_unthemed(con),
        missing_days={source: missing for source, (missing, _) in days.items() if missing},
        days={source: whole for source, (_, whole) in days.items()},
        piled=_piled(con, data / "derived" / "reliability" / "pile_ups.parquet"),
        personal=sum(n for one in receipts.values() for n in one["personal"].values()),
        not_named=sum(len(one["columns_not_named"]) for one in receipts.values()),
        without_rows=tuple(name for name, one in receipts.items() if not one["rows"]),
        remarks=_remarks(con, data / "derived" / "ingest" / "remarks.parquet"),
        not_read=_not_read(city),
    )
    con.close()
    return found


def _set_aside(
    con: duckdb.DuckDBPyConnection, city: City, data: Path
) -> dict[tuple[str, str], int]:
    query = "SELECT reason, count(*) FROM read_parquet(?) GROUP BY 1 ORDER BY 1"
    return {
        (source, reason): n
        for source in city.contracts
        for reason, n in con.execute(
            query, [str(data / "quarantined" / f"{source}.parquet")]
        ).fetchall()
    }


def _places(con: duckdb.DuckDBPyConnection, city: City) -> dict[str, Any]:
    """Return, of the main division, the facts without place or zone, and the zones without fact."""
    main = city.about.main_division
    rows = con.execute(
        f"SELECT {quote(f'zone_{main}')}, CAST(sum(n) AS BIGINT) FROM cube GROUP BY 1"
    ).fetchall()
    held: Counter[str] = Counter()
    for zone, n in rows:
        held[NO_PLACE if zone is None else zone] += n
    defaulted = con.execute(
        "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM observations "
        "WHERE place_precision = 'default'"
    ).fetchall()[0][0]
    query = "SELECT code FROM zones WHERE division = ? ORDER BY 1"
    drawn = [code for (code,) in con.execute(query, [main]).fetchall()]
    return {
        "facts": sum(held.values()),
        "no_place": held[NO_PLACE],
        "defaulted": defaulted,
        "outside": held[OUTSIDE],
        "unshaped": tuple(code for code in city.zone_names(main) if code not in drawn),
        "empty_zones": tuple(code for code in drawn if not held[code]),
    }


def _unthemed(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    rows = con.execute(
        "SELECT source, category, CAST(sum(n) AS BIGINT) FROM cube WHERE theme = ? "
        "GROUP BY ALL ORDER BY ALL",
        [NO_THEME],
    ).fetchall()
    return {(source, category): n for source, category, n in rows}


def _days(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, tuple[int, int]]:
    """Return source → its missing days, its days; of the whole city."""
    rows = con.execute(
        "SELECT source, count(*) FILTER (status = 'missing'), count(*) FROM read_parquet(?) "
        "WHERE division = ? GROUP BY 1 ORDER BY 1",
        [str(path), WHOLE],
    ).fetchall()
    return {source: (missing, whole) for source, missing, whole in rows}


def _piled(con: duckdb.DuckDBPyConnection, path: Path) -> tuple[tuple[str, str, Heap], ...]:
    """Return the exact hours that come back too often: of categories, or of a source as a whole."""
    rows = con.execute(
        "SELECT source, category, kind, n, rows FROM read_parquet(?) WHERE told "
        "AND list_contains(?, kind) ORDER BY n DESC, source, category, kind",
        [str(path), list(heaps.CLOCKS)],
    ).fetchall()
    own = {(source, kind) for source, category, kind, *_ in rows if category != heaps.WHOLE}
    return tuple(
        (source, category, Heap(kind, n, of))
        for source, category, kind, n, of in rows
        if category != heaps.WHOLE or (source, kind) not in own
    )


def _remarks(con: duckdb.DuckDBPyConnection, path: Path) -> tuple[Remark, ...]:
    rows = store.table(con, "SELECT * FROM read_parquet(?)", [str(path)]).to_pylist()
    return tuple(remark.read(rows))


def _not_read(city: City) -> int:
    """Return how many files of the pack's deliveries no source of city.yaml names."""
    folder = city.pack / INBOX
    names = [name for one in city.about.sources.values() for name in one.names]
    read = {file for name in names for file in folder.glob(name)}
    return sum(file.is_file() and file not in read for file in folder.rglob("*"))


# ---- in words


def lines(city: City, counts: Counts) -> list[str]:
    """Return what the counts tell, in five lines at most; one that says so where it is nothing."""
    reports = f"data/{city.about.name}/reports"
    found = [
        _told(_rows(city, counts), f"{reports}/ingest.html{_codes(city, counts)}"),
        _told(_where(city, counts), f"{reports}/ingest.html"),
        _told(_themes(city, counts), "themes.yaml de la ville"),
        _told(_silent(city, counts), f"{reports}/reliability.html"),
        _told(_door(city, counts), f"{reports}/collect.html"),
    ]
    return [line for line in found if line] or [NOTHING]


def _told(parts: Iterator[str], more: str) -> str:
    said = " ; ".join(parts)
    return f"{said[0].upper()}{said[1:]} → {more}" if said else ""


def _most(counted: Mapping[str, int]) -> str:
    """Return the most frequent by name with their counts, and the sum of the others."""
    ranked = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    told = [f"{name} : {number(n)}" for name, n in ranked[:SHOWN]]
    others = sum(n for _, n in ranked[SHOWN:])
    return ", ".join([*told, f"autres : {number(others)}"] if others else told)


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def _by_code(city: City, counted: Mapping[tuple[str, str], int], said: Mapping[str, str]) -> str:
    """Return `_most` of counts by (source, code), the source named where several have some."""
    several = len({source for source, _ in counted}) > 1
    found: Counter[str] = Counter()
    for (source, code), n in counted.items():
        told = said.get(code, code)
        found[f"{city.contracts[source].title}, {told}" if several else told] += n
    return _most(found)


def _rows(city: City, counts: Counts) -> Iterator[str]:
    total = sum(counts.set_aside.values())
    if total:
        titles = {reason: title(reason) for _, reason in counts.set_aside}
        yield (
            f"{plural(total, 'ligne écartée')} sur {number(counts.rows)} "
            f"({_by_code(city, counts.set_aside, titles)})"
        )
    if counts.beyond:
        told = plural(sum(counts.beyond.values()), "ligne")
        named = {city.contracts[source].title: n for source, n in counts.beyond.items()}
        yield f"{told} hors période, dans aucun résultat ({_most(named)})"
    if counts.doubles:
        yield f"{plural(counts.doubles, 'ligne')} en double, ou d'une version ancienne"


def _codes(city: City, counts: Counts) -> str:
    """Return the command that shows the words off the lists of a source; nothing without any."""
    unlisted = {source: n for (source, why), n in counts.set_aside.items() if why.startswith(OFF)}
    source = max(sorted(unlisted), key=lambda name: unlisted[name], default="")
    return f" ; make codes CITY={city.about.name} SOURCE={source}" if source else ""


def _titled(city: City, one: Remark) -> Remark:
    """Return the remark with the titles of its source and divisions in the place of their codes."""
    divisions = {name: division.title for name, division in city.about.divisions.items()}
    sources = {name: contract.title for name, contract in city.contracts.items()}
    return replace(
        one,
        source=sources.get(one.source, one.source),
        division=divisions.get(one.division, one.division),
        grouping_of=divisions.get(one.grouping_of, one.grouping_of),
    )


def _where(city: City, counts: Counts) -> Iterator[str]:
    if counts.remarks:
        others = len(counts.remarks) - 1
        more = f" (et {plural(others, 'autre remarque')})" if others else ""
        yield remark_words.sentence(_titled(city, counts.remarks[0])).rstrip(".") + more
    of = f"sur {number(counts.facts)}"
    division = city.about.divisions[city.about.main_division].title
    if counts.no_place:
        yield f"{plural(counts.no_place, 'fait')} sans lieu connu {of}"
    if counts.defaulted:
        told = plural(counts.defaulted, "fait")
        yield f"{told} à un point par défaut, qui ne dit pas le lieu, {of}"
    if counts.outside:
        yield f"{plural(counts.outside, 'fait')} hors du découpage « {division} » {of}"
    if counts.unshaped:
        told = plural(len(counts.unshaped), "zone")
        yield f"{told} de « {division} » sans contour reçu ({_named(counts.unshaped)})"
    if counts.empty_zones:
        told = plural(len(counts.empty_zones), "zone")
        yield f"{told} de « {division} » sans aucun fait ({_named(counts.empty_zones)})"


def _themes(city: City, counts: Counts) -> Iterator[str]:
    for theme in city.themes.values():
        if theme.may_double:
            yield f"« {theme.title} » : {standing.doubled_words(theme, city)}"
    total = sum(counts.unthemed.values())
    if total:
        yield (
            f"{plural(total, 'fait')} sur {number(counts.facts)} d'aucun thème : "
            f"{plural(len(counts.unthemed), 'catégorie')} ({_by_code(city, counts.unthemed, {})})"
        )


def _silent(city: City, counts: Counts) -> Iterator[str]:
    ranked = sorted(counts.missing_days.items(), key=lambda one: (-one[1], one[0]))
    for source, missing in ranked[:SHOWN]:
        whole = counts.days[source]
        yield (
            f"{city.contracts[source].title} : {plural(missing, 'jour manquant')} sur "
            f"{number(whole)} ({percent(missing / whole, 1)})"
        )
    if ranked[SHOWN:]:
        told = plural(len(ranked[SHOWN:]), "autre source")
        yield f"{told} : {plural(sum(n for _, n in ranked[SHOWN:]), 'jour manquant')} en tout"
    if counts.piled:
        source, category, heap = counts.piled[0]
        of = f", « {category} »" if category else ""
        others = len(counts.piled) - 1
        more = f" (et {plural(others, 'autre')})" if others else ""
        yield f"{city.contracts[source].title}{of} : {heap.words}, une heure inconnue ?{more}"


def _door(city: City, counts: Counts) -> Iterator[str]:
    if counts.not_read:
        told = plural(counts.not_read, "fichier")
        yield f"{told} de {INBOX}/ que city.yaml ne nomme pas : rien n'en est lu"
    for source in counts.without_rows:
        yield f"aucune ligne reçue de « {city.contracts[source].title} »"
    if counts.not_named:
        told = plural(counts.not_named, "colonne laissée")
        yield f"{told} de côté, que le contrat ne nomme pas"
    if counts.personal:
        yield f"{plural(counts.personal, 'valeur retirée')} : une personne pouvait s'y reconnaître"
