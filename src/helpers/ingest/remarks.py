"""What is odd in the zones, and in what sources say of them: told in the notebook and at the end.

Nothing here is wrong enough to stop a run; each may make the count of a zone wrong.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from helpers.core.base import store
from helpers.core.base.french import number, percent, plural
from helpers.core.base.store import quote
from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE, OUTSIDE
from helpers.core.place_time.partition import listed
from helpers.ingest.divisions import read_zones

MOSTLY = 0.5  # of the placed facts of a source: more outside of all zones, and it is told


def remarks(city: City, out: Path) -> list[str]:
    """Return what is odd, a sentence each, from what `ingest` wrote under `out`."""
    drawn = read_zones(city, out)
    codes = {name: [str(code) for code in one.codes] for name, one in drawn.zones.items()}
    codes |= {
        name: list(city.zone_names(name)) for name in city.about.divisions if name not in codes
    }
    con = store.connect()
    told = [*drawn.told, *_declared(con, city, out, codes), *_outside(con, city, out)]
    con.close()
    return told


def table(told: list[str]) -> pa.Table:
    """Return rank and remark of each sentence, as `make run` reads them again."""
    ranks = pa.array(range(len(told)), pa.int64())
    return pa.table({"rank": ranks, "remark": pa.array(told, pa.string())})


def _declared(
    con: duckdb.DuckDBPyConnection, city: City, out: Path, codes: dict[str, list[str]]
) -> list[str]:
    """Return a sentence for each field that names zones which do not exist, with the facts."""
    told = []
    for source in city.observed_sources():
        rule = city.contracts[source].observation
        for declared in rule.declared_zones if rule else ():
            count = f"CAST({quote(rule.count)} AS BIGINT)" if rule and rule.count else "1"
            said = f"CAST({quote(declared.field)} AS VARCHAR)"
            rows = con.execute(
                f"SELECT {said}, CAST(sum({count}) AS BIGINT) FROM read_parquet(?) "
                f"WHERE {said} IS NOT NULL AND NOT list_contains(?, {said}) "
                "GROUP BY 1 ORDER BY 2 DESC, 1",
                [str(out / "accepted" / f"{source}.parquet"), codes[declared.division]],
            ).fetchall()
            if rows:
                facts = plural(sum(n for _, n in rows), "fait")
                names = listed([name for name, _ in rows])
                told.append(
                    f"source « {source} », champ « {declared.field} » : {facts} d'une zone que le "
                    f"découpage « {declared.division} » n'a pas ({names})"
                    f"{_alike([name for name, _ in rows], codes[declared.division])}"
                )
    return told


def _alike(said: list[str], codes: list[str]) -> str:
    """Return what to look at, where codes said and codes known differ by their writing alone."""
    bare = {_bare(code) for code in codes}
    if any(_bare(one) in bare for one in said):
        return " : mêmes codes écrits autrement (zéro de tête, « .0 », casse) ?"
    return ""


def _bare(code: str) -> str:
    return code.strip().removesuffix(".0").lstrip("0").casefold()


def _outside(con: duckdb.DuckDBPyConnection, city: City, out: Path) -> list[str]:
    """Return a sentence for each source whose placed facts are mostly outside of all zones."""
    column = quote(f"zone_{city.about.main_division}")
    rows = con.execute(
        f"SELECT source, CAST(sum(n) FILTER ({column} = ?) AS BIGINT), CAST(sum(n) AS BIGINT) "
        f"FROM read_parquet(?) WHERE {column} <> ? GROUP BY 1 ORDER BY 1",
        [OUTSIDE, str(out / "cube.parquet"), NO_PLACE],
    ).fetchall()
    return [
        f"source « {source} » : {percent(outside / placed)} des faits placés sont hors territoire "
        f"({number(outside)} sur {number(placed)})"
        for source, outside, placed in rows
        if outside and outside > MOSTLY * placed
    ]
