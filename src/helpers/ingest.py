"""From raw rows to observations and the cube: nothing dropped, nothing invented.

For each source, rows in = accepted + quarantined + duplicates; each quarantined row carries the
first rule that it broke. After this module nobody sees a raw row: all read the cube.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import shapely

from helpers import store
from helpers.city import NO_PLACE, OUTSIDE, City, Division
from helpers.contract import Contract, FieldRule, ObservationRule
from helpers.errors import PhareError
from helpers.observation import moment, observe
from helpers.store import literal, quote
from helpers.territory import Zones
from helpers.words import number, plural

NO_THEME = "sans_theme"


def typed(name: str, rule: FieldRule, decimal: str) -> str:
    """Return the SQL of the field's value in its type; NULL where empty or unreadable."""
    text = _text(name, rule)
    match rule.type:
        case "int":
            # A cast alone would round « 1.5 » to 2.
            return f"TRY_CAST(regexp_extract({text}, '^[+-]?[0-9]+$') AS BIGINT)"
        case "float":
            dotted = f"replace({text}, ',', '.')" if decimal == "," else text
            return f"TRY_CAST({dotted} AS DOUBLE)"
        case "date":
            return f"TRY_CAST(try_strptime({text}, {literal(rule.format)}) AS DATE)"
        case "timestamp":
            return f"try_strptime({text}, {literal(rule.format)})"
        case _:
            return text


def _text(name: str, rule: FieldRule) -> str:
    text = f"nullif(trim({quote(name)}), '')"
    for empty in rule.null_values:
        text = f"nullif({text}, {literal(empty)})"
    return text


def broken_rule(name: str, rule: FieldRule, decimal: str) -> str:
    """Return the SQL of the reason code of the first rule broken by the field, or NULL."""
    text, value = _text(name, rule), typed(name, rule, decimal)
    cases = []
    if rule.required:
        cases.append((f"{text} IS NULL", f"manquant:{name}"))
    if rule.type not in ("str", "enum"):
        cases.append((f"{text} IS NOT NULL AND {value} IS NULL", f"illisible:{name}"))
    if rule.type == "enum":
        listed = ", ".join(literal(v) for v in rule.values)
        cases.append((f"{text} NOT IN ({listed})", rule.reason or f"hors_liste:{name}"))
    for bound, sign in ((rule.minimum, "<"), (rule.maximum, ">")):
        if bound is not None:
            cases.append((f"{value} {sign} {bound}", rule.reason or f"hors_bornes:{name}"))
    if not cases:
        return "NULL"
    whens = " ".join(f"WHEN {test} THEN {literal(code)}" for test, code in cases)
    return f"CASE {whens} END"


def sort_rows(con: duckdb.DuckDBPyConnection, contract: Contract, raw: Path) -> None:
    """Make table `sorted`: the typed fields of each raw row, its `row_number` and its `fate`.

    `fate` is NULL for an accepted row, `duplicate` where an earlier row has the same key, else
    the reason code of the first broken rule.
    """
    store.view(con, "raw", raw)
    names = set(con.execute("SELECT * FROM raw LIMIT 0").to_arrow_table().column_names)
    absent = [f"CAST(NULL AS VARCHAR) AS {quote(n)}" for n in contract.fields if n not in names]
    con.execute(f"CREATE OR REPLACE TEMP VIEW whole AS SELECT {', '.join(['*', *absent])} FROM raw")
    decimal = contract.file.decimal
    values = [f"{typed(n, r, decimal)} AS {quote(n)}" for n, r in contract.fields.items()]
    reasons = [broken_rule(n, r, decimal) for n, r in contract.fields.items()]
    shape = ["geometry"] if contract.kind == "division" else []
    con.execute(
        "CREATE OR REPLACE TABLE judged AS SELECT row_number, "
        f"{', '.join([*values, *shape])}, coalesce({', '.join([*reasons, 'NULL'])}) AS reason "
        "FROM whole"
    )
    if contract.observation:
        for check in _time_checks(contract.observation):
            con.execute(check)
    key = ", ".join(quote(n) for n in (contract.key or tuple(contract.fields)))
    # Rows that say nothing of their key are not each other's doubles.
    known = f"coalesce({', '.join(f'CAST({quote(n)} AS VARCHAR)' for n in contract.key)}) IS NULL"
    alone = f"{known}, CASE WHEN {known} THEN row_number END, " if contract.key else ""
    con.execute(
        "CREATE OR REPLACE TABLE sorted AS SELECT * EXCLUDE (reason), CASE "
        "WHEN reason IS NOT NULL THEN reason WHEN row_number() OVER "
        f"(PARTITION BY reason IS NULL, {alone}{key} ORDER BY row_number) > 1 THEN 'duplicate' END "
        "AS fate FROM judged"
    )


def _time_checks(rule: ObservationRule) -> list[str]:
    """Return the SQL that sets aside rows without a moment, or that end before they begin."""
    began = moment(rule.started_at)
    tests = {"incoherent:date": f"{began} IS NULL"}
    if rule.ended_at:
        tests["incoherent:fin_avant_debut"] = f"{quote(rule.ended_at)} < {began}"
    return [
        f"UPDATE judged SET reason = {literal(reason)} WHERE reason IS NULL AND {test}"
        for reason, test in tests.items()
    ]


def write_fates(con: duckdb.DuckDBPyConnection, source: str, out: Path) -> dict[str, int]:
    """Write accepted and set-aside rows of table `sorted`; return the count of each fate."""
    store.write(
        con,
        "SELECT * EXCLUDE (fate) FROM sorted WHERE fate IS NULL",
        out / "accepted" / f"{source}.parquet",
        order_by=["row_number"],
    )
    store.write(
        con,
        "SELECT raw.*, fate AS reason FROM raw JOIN sorted USING (row_number) "
        "WHERE fate IS NOT NULL",
        out / "quarantined" / f"{source}.parquet",
        order_by=["row_number"],
    )
    rows = con.execute(
        "SELECT coalesce(fate, 'accepted'), count(*) FROM sorted GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return dict(rows)


def read_zones(city: City, out: Path) -> dict[str, Zones]:
    """Return the zones of each drawn division, from the accepted division sources in `out`."""
    con = store.connect()
    zones: dict[str, Zones] = {}
    for name, division in city.about.divisions.items():
        if division.source:
            rows = _division_rows(con, division, out)
            zones[name] = Zones.read(rows["code"], rows["name"], rows["geometry"], city.about.crs)
    for name, division in city.about.divisions.items():
        if division.grouping_of:
            parent = city.about.divisions[division.grouping_of]
            group = quote(division.group_by or "")
            found = con.execute(
                f"SELECT CAST({group} AS VARCHAR) FROM read_parquet(?) "
                f"ORDER BY CAST({quote(parent.code)} AS VARCHAR)",
                [str(out / "accepted" / f"{parent.source}.parquet")],
            ).fetchall()
            children = zones[division.grouping_of]
            zones[name] = children.grouped([row[0] for row in found], division.zones)
    return zones


def _division_rows(
    con: duckdb.DuckDBPyConnection, division: Division, out: Path
) -> dict[str, list[Any]]:
    path = out / "accepted" / f"{division.source}.parquet"
    rows: dict[str, list[Any]] = store.table(
        con,
        f"SELECT CAST({quote(division.code)} AS VARCHAR) AS code, "
        f"{quote(division.name)} AS name, geometry FROM read_parquet(?) ORDER BY 1",
        [str(path)],
    ).to_pydict()
    return rows


def themes_table(city: City) -> pa.Table:
    """Return source, category, theme, severity of each category that a theme counts."""
    rows = [
        (theme.source, category, name, theme.severity)
        for name, theme in city.themes.items()
        for category in dict.fromkeys(theme.categories)
    ]
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    types = (pa.string(), pa.string(), pa.string(), pa.int64())
    names = ("source", "category", "theme", "severity")
    return pa.table({n: pa.array(c, t) for n, c, t in zip(names, columns, types, strict=True)})


def write_zones(city: City, zones: dict[str, Zones], tolerance_m: float, path: Path) -> None:
    """Write division, code, name, area_km2 and `geometry` (WKB, degrees, simplified to draw)."""
    parts: dict[str, list[Any]] = {c: [] for c in ("division", "code", "name", "area_km2")}
    shapes: list[bytes | None] = []
    for name, division in city.about.divisions.items():
        if name in zones:
            z = zones[name]
            codes, names, areas = list(z.codes), list(z.names), list(z.area_km2())
            shapes += list(shapely.to_wkb(z.drawable(city.about.crs, tolerance_m)))
        else:
            codes, names = list(division.zones), list(division.zones.values())
            areas, blank = [None] * len(codes), [None] * len(codes)
            shapes += blank
        for column, values in zip(parts, ([name] * len(codes), codes, names, areas), strict=True):
            parts[column] += values
    con = store.connect()
    con.register("zones", pa.table({**parts, "geometry": pa.array(shapes, pa.binary())}))
    store.write(con, "SELECT * FROM zones", path, order_by=["division", "code"])


def ingest(
    city: City, raw: Path, out: Path, cell_size_m: int, map_tolerance_m: float
) -> dict[str, dict[str, int]]:
    """Sort, place and count every source of the city; return the count of each fate a source.

    Writes under `out`: accepted/, quarantined/, observations.parquet, cube.parquet, zones.parquet.
    """
    con = store.connect()
    fates: dict[str, dict[str, int]] = {}
    ordered = sorted(city.contracts.values(), key=lambda c: c.kind != "division")
    zones: dict[str, Zones] | None = None
    con.register("themes", themes_table(city))
    parts: list[str] = []
    for contract in ordered:
        if contract.kind != "division" and zones is None:
            zones = read_zones(city, out)
        sort_rows(con, contract, raw / f"{contract.source}.parquet")
        fates[contract.source] = write_fates(con, contract.source, out)
        if contract.kind == "observations":
            observe(con, city, contract, zones or {}, cell_size_m)
            part = f"observed_{contract.source}"
            con.execute(f"CREATE TABLE {quote(part)} AS SELECT * FROM observed")
            parts.append(f"SELECT * FROM {quote(part)}")
    if not parts:
        raise PhareError(
            "aucune source d'observations", f"{city.pack.name}/city.yaml", "en déclarer une"
        )
    _write_cube(con, city, " UNION ALL ".join(parts), out)
    write_zones(city, zones or {}, map_tolerance_m, out / "zones.parquet")
    con.close()
    return fates


def _write_cube(con: duckdb.DuckDBPyConnection, city: City, query: str, out: Path) -> None:
    con.execute(
        f"CREATE TABLE observations AS SELECT coalesce(theme, '{NO_THEME}') AS theme, severity, "
        f"o.* FROM ({query}) o LEFT JOIN themes USING (source, category)"
    )
    store.write(con, "SELECT * FROM observations", out / "observations.parquet")
    zones = ", ".join(quote(f"zone_{name}") for name in city.about.divisions)
    store.write(
        con,
        f"SELECT theme, source, category, cell, {zones}, hour, hour_end, time_precision, origin, "
        "CAST(sum(n) AS BIGINT) AS n FROM observations GROUP BY ALL",
        out / "cube.parquet",
    )


def outs(out: Path) -> list[Path]:
    """Return the files that `ingest` wrote under `out`, ordered."""
    folders = [out / "accepted", out / "quarantined"]
    tables = [out / f"{name}.parquet" for name in ("observations", "cube", "zones")]
    return [*(path for folder in folders for path in sorted(folder.iterdir())), *tables]


def totals(city: City, cube: Path) -> dict[str, dict[str, int]]:
    """Return, for each division, the facts in its zones, outside of them, and without place.

    `cell` is the grid: facts in a cell, and without place.
    """
    con = store.connect()
    store.view(con, "cube", cube)
    found: dict[str, dict[str, int]] = {}
    columns = {"cell": "cell", **{name: f"zone_{name}" for name in city.about.divisions}}
    for name, column in columns.items():
        zone = quote(column)
        rows = con.execute(
            f"SELECT CASE WHEN {zone} IS NULL OR {zone} = '{NO_PLACE}' THEN '{NO_PLACE}' "
            f"WHEN {zone} = '{OUTSIDE}' THEN '{OUTSIDE}' ELSE 'inside' END, "
            "CAST(sum(n) AS BIGINT) FROM cube GROUP BY 1"
        ).fetchall()
        found[name] = {"inside": 0, OUTSIDE: 0, NO_PLACE: 0, **dict(rows)}
    con.close()
    return found


def fates_as_markdown(city: City, fates: dict[str, dict[str, int]]) -> str:
    """Return a Markdown table of what became of the rows of each source."""
    lines = [
        "| source | reçues | acceptées | doublons | écartées, par motif |",
        "|---|---|---|---|---|",
    ]
    for name, fate in fates.items():
        reasons = {k: v for k, v in fate.items() if k not in ("accepted", "duplicate")}
        listed = ", ".join(f"{reason} : {number(n)}" for reason, n in reasons.items()) or "aucune"
        lines.append(
            f"| {city.contracts[name].title} | {number(sum(fate.values()))} | "
            f"{number(fate.get('accepted', 0))} | {number(fate.get('duplicate', 0))} | {listed} |"
        )
    return "\n".join(lines)


def totals_as_markdown(city: City, found: dict[str, dict[str, int]]) -> str:
    """Return a Markdown table of `totals`."""
    lines = [
        "| découpage | dans une zone | hors territoire | sans lieu | total |",
        "|---|---|---|---|---|",
    ]
    for name, row in found.items():
        title = "Mailles" if name == "cell" else city.about.divisions[name].title
        cells = [number(row[key]) for key in ("inside", OUTSIDE, NO_PLACE)]
        lines.append(f"| {title} | {' | '.join(cells)} | {number(sum(row.values()))} |")
    return "\n".join(lines)


def in_words(fates: dict[str, dict[str, int]], found: dict[str, dict[str, int]]) -> str:
    """Return the answer: rows in and their fates, and whether all divisions agree."""
    rows = sum(sum(fate.values()) for fate in fates.values())
    accepted = sum(fate.get("accepted", 0) for fate in fates.values())
    doubles = sum(fate.get("duplicate", 0) for fate in fates.values())
    sums = {sum(row.values()) for row in found.values()}
    agree = "sont égaux" if len(sums) == 1 else "**diffèrent : c'est une erreur**"
    return (
        f"{plural(rows, 'ligne reçue')} = {number(accepted)} acceptées + "
        f"{number(rows - accepted - doubles)} écartées + {number(doubles)} en double. "
        f"Les totaux des {len(found)} découpages {agree} ({number(max(sums))} faits)."
    )
