"""The divisions of a city: read from their accepted sources, and written ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import shapely

from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.base.french import number, plural
from helpers.core.base.store import quote
from helpers.core.city.about import Division
from helpers.core.city.city import City
from helpers.core.city.names import DUPLICATE, REPLACED
from helpers.core.city.remark import WITHOUT_NAME, WITHOUT_ZONE, Remark
from helpers.core.place_time.partition import check_reserved, listed, partition
from helpers.core.place_time.territory import Zones


@dataclass
class Drawn:
    """The zones of each drawn division, and what was found odd in them."""

    zones: dict[str, Zones] = field(default_factory=dict)
    told: list[Remark] = field(default_factory=list)


def read_zones(city: City, out: Path) -> Drawn:
    """Return the zones of each drawn division, from the accepted division sources in `out`.

    PhareError where the rows of a source do not make a division (`partition`), or where its
    contract set one of them aside: its facts would be said to be outside of the city.
    """
    con = store.connect()
    found = Drawn()
    for name, division in city.about.divisions.items():
        if division.source:
            here = f"découpage « {name} », source « {division.source} »"
            _check_set_aside(con, out, division.source, here)
            rows, named = _division_rows(con, division, out), city.zone_names(name)
            whole = partition(rows["code"], rows["geometry"], city.about.crs, here)
            found.zones[name] = Zones(
                np.asarray(whole.codes, dtype=object),
                np.asarray([named.get(code, code) for code in whole.codes], dtype=object),
                whole.shapes,
            )
            told = [*whole.told, *_unnamed(whole.codes, named, here)]
            found.told += [replace(t, division=name, source=division.source) for t in told]
        elif not division.grouping_of:
            check_reserved(list(city.zone_names(name)), f"découpage « {name} », city.yaml")
    for name, division in city.about.divisions.items():
        if division.grouping_of:
            here = f"découpage « {name} », qui groupe « {division.grouping_of} »"
            children = found.zones[division.grouping_of]
            groups = _groups(con, city, division, out, here)
            check_reserved(list(groups.values()), here)
            titles = city.zone_names(name)
            found.zones[name] = children.grouped([groups[code] for code in children.codes], titles)
            odd = _unnamed(sorted(set(groups.values())), titles, here)
            parent = division.grouping_of
            found.told += [replace(t, division=name, grouping_of=parent) for t in odd]
    con.close()
    return found


def _check_set_aside(con: duckdb.DuckDBPyConnection, out: Path, source: str, here: str) -> None:
    """Raise PhareError where the contract set rows aside: each is a zone without its facts."""
    rows = con.execute(
        "SELECT reason, count(*) FROM read_parquet(?) WHERE reason NOT IN (?, ?) "
        "GROUP BY 1 ORDER BY 1",
        [str(out / "quarantined" / f"{source}.parquet"), DUPLICATE, REPLACED],
    ).fetchall()
    if not rows:
        return
    kept = con.execute(
        "SELECT count(*) FROM read_parquet(?)", [str(out / "accepted" / f"{source}.parquet")]
    ).fetchall()[0][0]
    lost = sum(n for _, n in rows)
    reasons = ", ".join(f"{reason} : {number(n)}" for reason, n in rows)
    left = "aucune zone acceptée, " if not kept else ""
    raise PhareError(
        f"{left}{plural(lost, 'zone écartée')} sur {number(lost + kept)} par le contrat "
        f"({reasons}) : leurs faits seraient dits hors territoire",
        here,
        f"corriger le fichier (zéros de tête perdus, « .0 » en trop, encodage des accents ?) ou la "
        f"règle de ce champ dans contracts/{source}.yaml",
    )


def _division_rows(
    con: duckdb.DuckDBPyConnection, division: Division, out: Path
) -> dict[str, list[Any]]:
    path = out / "accepted" / f"{division.source}.parquet"
    rows: dict[str, list[Any]] = store.table(
        con,
        f"SELECT CAST({quote(division.code)} AS VARCHAR) AS code, geometry "
        "FROM read_parquet(?) ORDER BY 1, 2",
        [str(path)],
    ).to_pydict()
    return rows


def _unnamed(codes: list[str], named: dict[str, str], here: str) -> list[Remark]:
    """Return remarks on the codes that the pack's list of names lacks, and on those too many.

    PhareError where no code is in a list that is there: codes of two kinds.
    """
    if not named:
        return []
    lacking = [code for code in codes if code not in named]
    absent = [code for code in named if code not in set(codes)]
    if len(lacking) == len(codes):
        raise PhareError(
            f"aucune zone du fichier ({listed(codes)}) n'est dans la liste de noms de la ville "
            f"({listed(list(named))})",
            here,
            "écrire les mêmes codes des deux côtés (zéros de tête, « .0 », type du champ `code`)",
        )
    odd = ((WITHOUT_NAME, lacking), (WITHOUT_ZONE, absent))
    return [Remark(code, names=tuple(names)) for code, names in odd if names]


def _groups(
    con: duckdb.DuckDBPyConnection, city: City, division: Division, out: Path, here: str
) -> dict[str, str]:
    """Return code of a zone → code of its group; PhareError where it has none, or several."""
    parent = city.about.divisions[division.grouping_of or ""]
    rows = con.execute(
        f"SELECT DISTINCT CAST({quote(parent.code)} AS VARCHAR), "
        f"CAST({quote(division.group_by or '')} AS VARCHAR) FROM read_parquet(?) ORDER BY ALL",
        [str(out / "accepted" / f"{parent.source}.parquet")],
    ).fetchall()
    groups = dict(rows)
    alone = sorted(code for code, group in rows if not group)
    twice = sorted({code for code, group in rows if group != groups[code]})
    for wrong, what in ((alone, "zones sans groupe"), (twice, "zones dans plusieurs groupes")):
        if wrong:
            raise PhareError(
                f"{what} : {listed(wrong)}",
                here,
                f"corriger la colonne « {division.group_by} » du fichier livré",
            )
    return groups


def write_zones(city: City, zones: dict[str, Zones], tolerance_m: float, path: Path) -> None:
    """Write division, code, name, area_km2 and `geometry` (WKB, degrees, simplified to draw)."""
    parts: dict[str, list[Any]] = {c: [] for c in ("division", "code", "name", "area_km2")}
    shapes: list[bytes | None] = []
    for name in city.about.divisions:
        if name in zones:
            z = zones[name]
            codes, names, areas = list(z.codes), list(z.names), list(z.area_km2())
            shapes += list(shapely.to_wkb(z.drawable(city.about.crs, tolerance_m)))
        else:
            named = city.zone_names(name)
            codes, names = list(named), list(named.values())
            areas, blank = [None] * len(codes), [None] * len(codes)
            shapes += blank
        for column, values in zip(parts, ([name] * len(codes), codes, names, areas), strict=True):
            parts[column] += values
    con = store.connect()
    con.register("zones", pa.table({**parts, "geometry": pa.array(shapes, pa.binary())}))
    store.write(con, "SELECT * FROM zones", path, order_by=["division", "code"])
