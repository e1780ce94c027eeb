"""A made-up city that is delivered persons everywhere one may stand.

In each kind of field, as names of columns, of JSON keys, of sheets, of layers and of files, in
every format of file that the door reads.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import sqlite3
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
import xlsxwriter
import yaml
from pyogrio.raw import write as write_layer

from helpers.connect import datex, datex_written
from tests.fixtures.made_up import ABOUT, SQUARES, middle, squares
from tests.fixtures.people import People

NAME = "porte"
FORMS = ("csv", "json", "jsonl", "xlsx", "geojson", "gpkg", "parquet", "shp")
ORDERS, MARK = "datex", "@@"  # a source of its own form: orders in XML
PACKED = ("zip", "gz", "zst")  # as whose bytes a table comes, whatever its name says
DBASE = 20  # columns for names of persons in a .dbf, whose rows have all their cells in full
SHEET = LAYER = "lignes"
FACTS = 600
TRIED = ("cle", "ref", "nature", "motifs", "forme", "entier", "reel", "vrai", "an", "jour", "debut",
         "lon", "lat", "carre")  # fmt: skip

FIELDS: dict[str, Any] = {
    "cle": {"type": "id", "required": True},
    "ref": {"type": "id", "pattern": "REF[0-9]{8}"},
    "nature": {"type": "enum", "required": True, "values": ["tapage", "depot", "autre"]},
    "lieu": {"type": "enum", "list": "lieux"},
    "motifs": {"type": "enum", "values": ["bruit", "bris", "feu"], "separator": "|"},
    "forme": {"type": "str", "pattern": "Z[0-9]{2}"},
    "entier": {"type": "int", "minimum": 0, "maximum": 900},
    "reel": {"type": "float", "minimum": 0, "maximum": 90, "decimals": 2},
    "vrai": {"type": "bool"},
    "an": {"type": "year"},
    "jour": {"type": "date", "format": "%Y-%m-%d"},
    "debut": {"type": "timestamp", "required": True, "format": "%Y-%m-%dT%H:%M:%S"},
    "lon": {"type": "longitude", "unit": "degrés", "minimum": 5.0, "maximum": 5.8},
    "lat": {"type": "latitude", "unit": "degrés", "minimum": 43.0, "maximum": 43.6},
    "carre": {"type": "enum", "values": [*SQUARES]},
    "qui": {"type": "enum", "required": True, "values": ["habitant", "patrouille"]},
}
OF_ORDERS: dict[str, Any] = {
    "id": {"type": "id", "required": True},
    "number": {"type": "id"},
    "kind": {"type": "enum", "values": ["noEntry", "parkingProhibited"]},
    "speed": {"type": "int", "minimum": 0, "maximum": 130},
    "start": {"type": "timestamp", "format": "%Y-%m-%dT%H:%M:%S%z"},
}


def fact(number: int, **changes: str) -> dict[str, str]:
    """Return a row that keeps to the contract; facts are spread over two years."""
    lon, lat = middle("ABCD"[number % 4])
    when = dt.datetime(2024, 1, 1, 8) + dt.timedelta(hours=29 * (number % FACTS))
    row = {
        "cle": f"F{number}", "ref": f"REF{number:08}", "nature": ("tapage", "depot")[number % 2],
        "lieu": "", "motifs": "bruit|feu", "forme": "Z07", "entier": "7", "reel": "1.5",
        "vrai": "oui", "an": "2024", "jour": "2024-05-06", "debut": f"{when:%Y-%m-%dT%H:%M:%S}",
        "lon": f"{lon:.6f}", "lat": f"{lat:.6f}", "carre": "A",
        "qui": ("habitant", "patrouille")[number % 3 == 0],
    }  # fmt: skip
    return row | changes


def rows(people: People, tried: Sequence[str] = TRIED) -> list[dict[str, str]]:
    """Return facts; each person in each field `tried` alone, then in all; clean places."""
    found = [fact(i) for i in range(FACTS)]
    found += [
        fact(len(found) + i, **{name: person})
        for i, (person, name) in enumerate((p, n) for p in people.persons for n in tried)
    ]
    found += [{**dict.fromkeys(FIELDS, p), "debut": "2024-03-01T10:00:00"} for p in people.persons]
    found += [{**dict.fromkeys(FIELDS, p), "cle": p} for p in people.persons]
    return found + [fact(90_000 + i, lieu=one) for i, one in enumerate(people.clean)]


def _contract(source: str, **more: Any) -> dict[str, Any]:
    return {"source": source, "title": f"Source {source}", "kind": "context", **ABOUT,
            "file": {"format": source}, "timezone": "Europe/Paris", "key": ["cle"],
            "fields": FIELDS, **more}  # fmt: skip


def write_pack(pack: Path, people: People) -> None:
    """Write the pack: one source a format, those of `csv` facts; the clean strings are a list."""
    sources = {form: {"file": f"{form}_*.{form}"} for form in FORMS}
    city = {
        "name": NAME, "title": "Ville d'essai", "language": "fr", "timezone": "Europe/Paris",
        "crs": "EPSG:3035", "simulated": False, "main_division": "carres",
        "period": {"start": "2024-01-01", "end": "2025-12-31"},
        "divisions": {
            "carres": {"title": "Carrés", "source": "carres", "code": "code",
                       "zones": {code: f"Carré {code}" for code in SQUARES}},
        },
        "sources": {"carres": {"file": "carres.geojson"}, **sources,
                    ORDERS: {"file": f"{ORDERS}_*.xml"}},
        "holidays": {"country": "FR"},
    }  # fmt: skip
    themes = {
        kind: {"title": kind.capitalize(), "axis": "delinquance", "source": "csv",
               "categories": [kind], "severity": 2}
        for kind in ("tapage", "depot")
    }  # fmt: skip
    observed = {
        "category": "nature", "started_at": "debut", "longitude": "lon", "latitude": "lat",
        "declared_zone": {"division": "carres", "field": "carre"},
        "origin": {"field": "qui", "citizen": ["habitant"], "agent": ["patrouille"]},
    }  # fmt: skip
    division = {
        **_contract("carres", kind="division", key=["code"]),
        "file": {"format": "geojson"},
        "fields": {"code": {"type": "enum", "required": True, "values": [*SQUARES]}},
    }
    written = {
        "city": city, "themes": {"themes": themes}, "contracts/carres": division,
        **{f"contracts/{form}": _contract(form) for form in FORMS},
        "contracts/csv": _contract("csv", kind="observations", observation=observed),
        "contracts/xlsx": _contract("xlsx", file={"format": "xlsx", "sheet": SHEET}),
        "contracts/gpkg": _contract("gpkg", file={"format": "gpkg", "layer": LAYER}),
        f"contracts/{ORDERS}": _contract(ORDERS, key=["id"], fields=OF_ORDERS),
    }  # fmt: skip
    for name, content in written.items():
        path = pack / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
        path.write_text(text, encoding="utf-8")
    (pack / "lists").mkdir()
    with (pack / "lists/lieux.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("code", "nom"), *((one, one) for one in people.clean)])


def file_names(people: People, form: str) -> list[str]:
    """Return names of files that each name a person; a stroke has no place in one."""
    return [f"{form}_{person}.{form}" for person in people.persons if "/" not in person]


def deliver(folder: Path, people: People) -> None:
    """Write the deliveries: all the rows, and a file a person whose name is in its own."""
    folder.mkdir(parents=True)
    zones = squares()
    for feature, person in zip(zones["features"], people.persons, strict=False):
        feature["properties"] |= {person: person}
    (folder / "carres.geojson").write_text(json.dumps(zones, ensure_ascii=False), "utf-8")
    (folder / f"{ORDERS}_2024.xml").write_bytes(orders(people.persons))
    told, short = rows(people), rows(people, ())
    for form in FORMS:
        write(
            folder / f"{form}_2024.{form}", form, short if form == "shp" else told, people.persons
        )
        names = file_names(people, form)
        for i, name in enumerate(names if form == "csv" else names[::20]):
            write(folder / name, form, [fact(95_000 + i)], people.persons[i : i + 1])
    pack(folder, people)


def pack(folder: Path, people: People) -> None:
    """Write tables of CSV packed, inside of which names name persons."""
    path = folder / "csv_pack.csv"
    write(path, "csv", [dict.fromkeys(FIELDS, p) | {"cle": p} for p in people.persons], ())
    content = path.read_bytes()
    path.unlink()
    for number, how in enumerate(PACKED):
        person = people.persons[number].replace("/", " ")
        held = io.BytesIO()
        if how == "zip":
            with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.comment = person.encode()
                archive.writestr(f"{person}.csv", content)
        elif how == "gz":
            with gzip.GzipFile(f"{person}.csv", "wb", fileobj=held) as file:
                file.write(content)
        else:
            held.write(pa.compress(content, codec="zstd", asbytes=True))
        (folder / f"csv_{person}_{how}.csv").write_bytes(held.getvalue())


def orders(persons: Sequence[str]) -> bytes:
    """Return a publication of orders (DATEX II), each of which says a person wherever it may."""
    span = datex.Span("2024-05-06T08:00:00+02:00", "2024-05-07T08:00:00+02:00")
    rules = (datex.Regulation("noEntry", "", (span,)),
             datex.Regulation("speedLimitation", MARK, (span,)))  # fmt: skip
    sound = datex.Order("1", "1", "made", span, rules[:1])
    model = datex.Order(MARK, MARK, MARK, replace(span, end=MARK), rules)
    whole = datex_written.write([sound, model], span.start, MARK, MARK).decode()
    start = whole.rindex("<trafficRegulationOrder")
    end = whole.rindex("</trafficRegulationsFrom")
    each = whole[start:end].replace(">noEntry<", f">{MARK}<")
    told = [escape(person, {'"': "&quot;"}) for person in persons]
    every = "".join(each.replace(MARK, person) for person in told)
    return f"{whole[:start]}{every}{whole[end:]}".replace(MARK, told[0]).encode()


def write(path: Path, form: str, told: list[dict[str, str]], names: Sequence[str]) -> None:
    """Write rows in a format, with one column more for each of `names`, which holds it too."""
    columns = [*FIELDS, *names]
    whole = [{**row, **{name: name for name in names}} for row in told[:20]] + told[20:]
    match form:
        case "csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns, restval="")
                writer.writeheader()
                writer.writerows(whole)
        case "json":
            path.write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
        case "jsonl":
            lines = (json.dumps(row, ensure_ascii=True) + "\n" for row in whole)
            path.write_text("".join(lines), encoding="utf-8")
        case "geojson":
            features = [{"type": "Feature", "geometry": None, "properties": r} for r in whole]
            about = {"name": names[0], "persons": [*names], "type": "FeatureCollection"}
            text = json.dumps({**about, "features": features})
            path.write_text(text, encoding="utf-8")
        case "parquet":
            about = {f"{number} {name}": name for number, name in enumerate(names)}
            pq.write_table(_table(whole, columns).replace_schema_metadata(about), path)
        case "xlsx":
            _workbook(path, whole, columns, names)
        case "gpkg":
            _geopackage(path, whole, columns, names)
        case "shp":
            _shapefile(path, whole, columns[: len(FIELDS) + DBASE])


def _table(whole: list[dict[str, str]], columns: Sequence[str]) -> pa.Table:
    return pa.table({c: pa.array([row.get(c) for row in whole], pa.string()) for c in columns})


def sheet_names(names: Sequence[str]) -> list[str]:
    """Return the names that a sheet may bear: short, without some signs, once in any case."""
    short = (n for n in names if len(n.encode("utf-16-le")) < 64)
    may = (n for n in short if not set("[]:*?/\\") & {*n} and n.strip("'") == n)
    return [*{name.casefold(): name for name in may}.values()]


def _workbook(
    path: Path, whole: list[dict[str, str]], columns: Sequence[str], names: Sequence[str]
) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet(SHEET)
        for number, row in enumerate([dict(zip(columns, columns, strict=True)), *whole]):
            for index, column in enumerate(columns):
                if row.get(column):
                    sheet.write_string(number, index, row[column])
            if number < len(names):  # an aside on a cell that is read
                sheet.write_comment(number, 0, names[number], {"author": names[number]})
        for name in sheet_names(names):
            book.add_worksheet(name)
        aside = book.add_worksheet()
        aside.hide()
        for number, name in enumerate(names):
            aside.write_string(number, 0, name)
            book.define_name(f"nom_{number}", f'="{name.replace(chr(34), "")[:200]}"')
        book.set_properties({"author": names[0], "keywords": "; ".join(names), "title": names[-1]})


def _geopackage(
    path: Path, whole: list[dict[str, str]], columns: Sequence[str], names: Sequence[str]
) -> None:
    once = [*{c.casefold(): c for c in reversed(columns)}.values()][::-1]  # SQLite folds case
    table = _table(whole, once)
    fields = [table[c].to_numpy(zero_copy_only=False) for c in once]
    points = shapely.to_wkb([shapely.Point(*middle("A"))] * len(whole))
    write_layer(
        path, points, fields, once, layer=LAYER, driver="GPKG", geometry_type="Point",
        crs="EPSG:4326",
    )  # fmt: skip
    with sqlite3.connect(path) as con:
        for name in {name.casefold(): name for name in names}.values():
            con.execute(f'CREATE TABLE "{name.replace(chr(34), chr(34) * 2)}" (fid INTEGER)')
            con.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, ?, ?)",
                (name, "attributes", name),
            )
        con.execute("CREATE TABLE remarks (said TEXT)")
        con.executemany("INSERT INTO remarks VALUES (?)", [(name,) for name in names])
    con.close()
    assert len(pyogrio.list_layers(path)) > len(names) / 2


def _shapefile(path: Path, whole: list[dict[str, str]], columns: Sequence[str]) -> None:
    """Write a .shp and what lies beside it; its columns have names of ten bytes."""
    short = [c.encode()[:10].decode(errors="ignore") for c in columns]
    once = [*dict(zip(short, columns, strict=True)).values()]
    table = _table(whole, once)
    points = shapely.to_wkb([shapely.Point(*middle("A"))] * len(whole))
    fields = [table[c].to_numpy(zero_copy_only=False) for c in once]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of names cut short
        write_layer(
            path, points, fields, once, driver="ESRI Shapefile", geometry_type="Point",
            crs="EPSG:4326", encoding="UTF-8", layer_options={"RESIZE": "YES"},
        )  # fmt: skip


def broken(folder: Path, form: str, people: People) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield files that cannot be read by their contract, each with what changes in the contract.

    A required column is absent; the header is a row of persons; the sheet or the layer has another
    name; the file is no such file at all.
    """
    folder.mkdir(exist_ok=True)
    absent = folder / f"absent.{form}"
    write(absent, form, [fact(i) for i in range(30)], people.persons)
    more = {"fields": {**FIELDS, "autre": {"type": "id", "required": True}}}
    yield absent, more
    garbage = folder / f"{people.persons[0]}.{form}"
    garbage.write_text("\n".join([";".join(people.persons)] * 3), encoding="utf-8")
    yield garbage, {}
    twice = folder / f"{people.persons[1]}.{form}"
    twice.write_text(",".join([*people.persons, *people.persons]) + "\n", encoding="utf-8")
    yield twice, {}
    if form in ("xlsx", "gpkg"):
        key = "sheet" if form == "xlsx" else "layer"
        yield absent, {"file": {"format": form, key: "autre"}}
        yield absent, {"file": {"format": form}, **more}
    if form in ("json", "geojson"):
        whole = folder / f"{people.persons[2]}.{form}"
        whole.write_text(json.dumps({p: [p] for p in people.persons}), encoding="utf-8")
        yield whole, {}
        yield whole, {"file": {"format": form, "records": "a.b"}}
