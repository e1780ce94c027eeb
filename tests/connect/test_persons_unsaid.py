"""No connector says what it was told: neither a message, nor a trace, nor a log, nor a print.

Each string that designates a person is put in addresses, headers, bodies, names of columns and
tables, of every connector in turn; whatever was said is then searched for each of them.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import adbc_driver_postgresql.dbapi as adbc
import pytest

from helpers.collect import gate
from helpers.connect import hours, mqtt, open_file
from helpers.connect import http as connect_http
from helpers.connect import pages as connect_pages
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.contract import FileFormat, Format
from tests.fixtures import servers
from tests.fixtures.people import Matcher, People
from tests.fixtures.real import ROOT
from tests.fixtures.servers import Asked, Reply, http
from tests.journeys.people import everywhere

REMOTE: tuple[Format, ...] = ("open311", "opendatasoft", "ckan")
LENGTHS = 63  # bytes of a name in PostgreSQL; a longer one is cut
DAYS = "start_date=2024-01-01&end_date=2024-03-31"
DOCUMENT = """<?xml version="1.0"?>
<p:payload xmlns:p="{0}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type={1}>
<trafficRegulationOrder id={1}><{2}>{0}</{2}></trafficRegulationOrder></p:payload>"""


class Said:
    """What was said, by anything at all, while something was tried."""

    def __init__(self, output: pytest.CaptureFixture[str], log: pytest.LogCaptureFixture) -> None:
        self._output, self._log = output, log
        self._texts: list[str] = []
        self.refusals = 0
        log.set_level(logging.WARNING)  # what is printed where nobody asks for more

    def of(self, attempt: Callable[..., object], *given: Any) -> None:
        """Try; keep what a refusal says. Another error than ours is a fault."""
        try:
            attempt(*given)
        except PhareError as error:
            self.refusals += 1
            self._texts += [str(error), redact.trace(error)]

    def found(self, people: People) -> set[str]:
        """Return the persons in what was said."""
        text = "\n".join([*self._texts, *self._output.readouterr(), self._log.text])
        return Matcher(people.persons).found(text.encode())


@pytest.fixture
def said(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Said:  # fmt: skip
    """What will be said; nobody waits before asking again."""
    monkeypatch.setattr(connect_http, "PATIENCE", connect_http.Patience(sleep=lambda _: None))
    return Said(capfd, caplog)


def bodies(persons: Sequence[str]) -> Iterator[bytes]:
    """Yield bodies of a server: each holds all the persons, none is what was asked for."""
    named = {one: one for one in persons}
    errors = [{"code": 400, "description": one} for one in persons]
    fields = [{"name": one, "type": one, "label": one} for one in persons]
    for told in (
        named, [named], errors, {"error": named, "success": False},
        {"success": True, "result": named},
        {"fields": fields, "metas": named}, {"url": persons[0], "format": persons[1]},
        {"resource": {"url": f"http://127.0.0.1:1/{persons[0]}", "format": persons[2]}},
        {"result": {"url": "/x", "format": "CSV", "hash": persons[0], "size": persons[1]}},
        {"url": "/x", "format": "CSV"},
    ):  # fmt: skip
        yield json.dumps(told, ensure_ascii=False).encode()
    paragraphs = "".join(f"<p>{escape(one)}</p>" for one in persons)
    yield f"<html><body>{paragraphs}</body></html>".encode()
    yield ";".join(persons).encode() + b"\n"


def read(form: Format, url: str) -> None:
    layout = FileFormat(format=form, separator=";")
    permitted = ["id", "nature", "service_request_id"]
    list(connect_pages.pages(layout, url, permitted, source="s", key=["id"]))


@pytest.mark.parametrize("form", REMOTE)
def test_no_site_makes_us_say_a_person(form: Format, people: People, said: Said) -> None:
    """In the address that is read, one by one; in what the server answers, all at once."""
    answer = [Reply()]

    def answers(_: Asked) -> Reply:
        return answer[0]

    with http(answers) as site:
        for body in bodies(people.persons):
            for status in (200, 400, 401, 404, 500):
                answer[0] = Reply(body, status)
                said.of(read, form, f"{site.url}/v2?{DAYS}")
        answered = said.refusals
        for person in people.persons:
            where = quote(person, safe="")
            answer[0] = Reply(b"{}", 302, {"Location": f"ftp://{where}.fr/{where}?q={where}"})
            said.of(read, form, f"{site.url}/{where}?{DAYS}&{where}={where}#{where}")
            answer[0] = Reply(b"{}", 404, {"X-Trace": where, "WWW-Authenticate": where})
            said.of(read, form, f"{site.url}/{where}/{where}?{DAYS}&q={where}")
            said.of(read, form, f"http://{where}@127.0.0.1/{where}?{DAYS}")
    assert answered > 40
    assert said.refusals > 2.9 * len(people.persons)
    assert not said.found(people)


def test_no_database_makes_us_say_a_person(
    people: People, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In names of columns, tables, schemas, in cells that break a view, in the address."""
    names = [one for one in people.persons if len(one.encode()) <= LENGTHS and one.strip() == one]
    with (
        tempfile.TemporaryDirectory() as made,
        servers.postgres(Path(made) / "server", "secret-imaginaire") as port,
    ):
        monkeypatch.setenv("PGPASSWORD", "secret-imaginaire")
        place = f"postgresql://phare@127.0.0.1:{port}/postgres"
        columns = ", ".join(f'"{_twice(one)}" text' for one in names)
        with adbc.connect(place, autocommit=True) as owner, owner.cursor() as cursor:
            cursor.execute("CREATE SCHEMA s")
            cursor.execute(f"CREATE TABLE s.gens (id integer, {columns})")
            cursor.execute("INSERT INTO s.gens (id) VALUES (1)")
            cursor.execute("CREATE TABLE s.lignes (id text)")
            for person in people.persons:
                cursor.execute("INSERT INTO s.lignes VALUES ('" + person.replace("'", "''") + "')")
            for person in names:
                cursor.execute(f'CREATE TABLE s."{_twice(person)}" (x text)')
            cursor.execute("CREATE VIEW s.fautive AS SELECT id::integer AS id FROM s.lignes")

        def look(table: str, url: str = place, permitted: str = "id") -> None:
            layout = FileFormat(format="postgres", table=table)
            list(connect_pages.pages(layout, url, [permitted], source="s", key=["id"]))

        for table in ("s.gens", "s.fautive", "s.absente", "s.lignes"):
            said.of(look, table, place, "absente")
            said.of(look, table)
        of_tables = said.refusals
        for person in people.persons:
            where = quote(person, safe="")
            for url in (
                f"postgresql://phare@127.0.0.1:{port}/{where}",
                f"postgresql://{where}@127.0.0.1:{port}/postgres",
                f"{place}?options={where}", f"{place}?application_name={where}&x={where}",
            ):  # fmt: skip
                said.of(look, "s.absente", url)
    assert of_tables >= 4
    assert said.refusals >= 4 * len(people.persons)
    assert not said.found(people)


def _twice(name: str) -> str:
    return name.replace('"', '""')


def test_no_publication_makes_us_say_a_person(people: People, said: Said, tmp_path: Path) -> None:
    """DATEX II: in texts, attributes, names of elements, entities, and names of files."""
    city = City(ROOT / "data/cities/marseille")
    contract, door = city.contracts["arrete"], gate.Gate(city.key(tmp_path), 10)
    for number, person in enumerate(people.persons):
        text, attribute = escape(person), quoteattr(person)
        element = "".join(one for one in person if one.isalpha()) or "x"
        whole = DOCUMENT.format(text, attribute, element)
        documents = [
            whole, whole[:-9],
            f"<!DOCTYPE x [<!ENTITY {element} {attribute}>]><x>&{element};</x>",
            f"<{element}>{text}</{element}>", f"<x>&{element};</x>", person,
        ]  # fmt: skip
        name = person.replace("/", "_").encode()[:120].decode(errors="ignore")
        for index, document in enumerate(documents):
            path = tmp_path / str(number) / f"{index} {name}.xml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(document, encoding="utf-8", errors="replace")
            said.of(gate.take_in, door, contract, [path], tmp_path / "raw")
    assert said.refusals == 6 * len(people.persons)
    assert not said.found(people)


def test_no_layer_makes_us_say_a_person(people: People, said: Said, tmp_path: Path) -> None:
    """GDAL prints by itself, past Python, in the threads where the door reads."""
    geopackage, shapefile = tmp_path / "a.gpkg", tmp_path / "b.shp"
    for path, form in ((geopackage, "gpkg"), (shapefile, "shp")):
        everywhere.write(path, form, [everywhere.fact(0)], people.persons[:2])
    layouts = (FileFormat(format="gpkg", layer=everywhere.LAYER), FileFormat(format="shp"))
    for person in people.persons:
        with closing(sqlite3.connect(geopackage)) as con:
            con.execute(
                "UPDATE gpkg_spatial_ref_sys SET srs_name = ?, organization = ?, definition = ?",
                (person, person, person),
            )
            con.commit()
        shapefile.with_suffix(".prj").write_text(f'GEOGCS["{person}",DATUM["{person}', "utf-8")
        for layout, path in zip(layouts, (geopackage, shapefile), strict=True):
            said.of(_read_as_the_door_does, layout, path)
    assert said.refusals == len(people.persons)  # of the shapefile: the other one can be read
    assert not said.found(people)


def _read_as_the_door_does(layout: FileFormat, path: Path) -> None:
    reading = open_file(layout, path, ["nature"])
    with ThreadPoolExecutor(1) as reader:
        assert sum(one.num_rows for one in reader.submit(list, reading.batches).result()) == 1


def test_no_broker_and_no_list_of_cameras_makes_us_say_a_person(
    people: People, said: Said, tmp_path: Path
) -> None:
    lists = tmp_path / "cameras.csv"
    for person in people.persons:
        where = quote(person, safe="")
        for url in (
            f"mqtt://{where}@127.0.0.1/{where}", f"http://127.0.0.1/{where}", f"{person}://{person}",
            f"mqtt://{where}:{where}@127.0.0.1/ville",
        ):  # fmt: skip
            said.of(mqtt.broker, url, "essai", "vsi")
        for text in (
            f"{person};zone\n1;2\n",
            f"token;zone_id;detecte\n{person};{person};{person}\n",
        ):
            lists.write_text(text, encoding="utf-8", errors="replace")
            said.of(hours.read_cameras, lists)
    assert said.refusals > 4 * len(people.persons)
    assert not said.found(people)


def test_what_is_said_is_searched(people: People, said: Said) -> None:
    """Else the above would prove nothing: what is said of a person, in each way, is found."""

    def fail() -> None:
        logging.getLogger("x").warning("vu : %s", people.persons[1])
        print(people.persons[2])
        raise PhareError("faute", people.persons[0], "rien")

    said.of(fail)
    assert said.found(people) >= {*people.persons[:3]}
