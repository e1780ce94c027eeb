"""What is on today, as the pack's sources tell it; silence about it is said, not filled."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
import shapely

from helpers.core.base import store
from helpers.core.city.about import Agenda
from helpers.core.city.city import City
from helpers.situation import agenda, words
from tests.fixtures.made_up import write_pack

DAY = dt.date(2024, 6, 15)
RULES = {
    "events": {
        "source": "fetes", "id": "id", "kind": "titre", "start": "debut", "end": "fin",
        "longitude": "lon", "latitude": "lat", "size": "jauge", "status": "statut",
        "held": ["autorise"],
    },
    "closures": {
        "source": "arretes", "id": "id", "kind": "quoi", "start": "debut", "end": "fin",
        "longitude": "lon", "latitude": "lat", "radius_m": "rayon", "event": "fete",
    },
    "warnings": {
        "source": "meteo", "moment": "ts", "level": "niveau", "levels": ["rouge", "orange"],
    },
}  # fmt: skip
COLUMNS = {
    "fetes": "id, titre, debut, fin, lon, lat, jauge, statut",
    "arretes": "id, quoi, debut, fin, lon, lat, rayon, fete",
    "meteo": "ts, niveau",
}
FETES = [  # id, titre, debut, fin, lon, lat, jauge, statut
    ("E1", "Fête", "2024-06-14 20:00", "2024-06-16 02:00", 5.365, 43.294, 300, "autorise"),
    ("E2", "Concert", "2024-06-15 20:00", "2024-06-15 23:00", 5.3775, 43.294, 5000, "autorise"),
    ("E3", "Refusé", "2024-06-15 20:00", "2024-06-15 23:00", 5.3775, 43.294, 9000, "refuse"),
    ("E4", "La veille", "2024-06-14 20:00", "2024-06-14 23:59", 5.3775, 43.294, 9000, "autorise"),
    ("E5", "Sans lieu", "2024-06-15 08:00", "2024-06-15 09:00", None, None, None, "autorise"),
]  # fmt: skip
ARRETES = [  # id, quoi, debut, fin, lon, lat, rayon, fete
    ("A1", "circulation", "2024-06-15 18:00", "2024-06-16 01:00", 5.3775, 43.294, 100, "E2"),
    ("A2", "stationnement", "2024-06-01 08:00", "2024-06-15 00:30", 5.365, 43.294, None, None),
    ("A3", "circulation", "2024-06-16 00:00", "2024-06-16 12:00", 5.365, 43.294, 50, None),
]
METEO = [
    ("2024-06-15 06:00", "jaune"),
    ("2024-06-15 15:00", "orange"),
    ("2024-06-16 06:00", "rouge"),
]


class Stub:
    """What `agenda` asks of a run: a city, a connection, files."""

    def __init__(self, folder: Path, rules: dict[str, Any]) -> None:
        self.city: City = write_pack(folder)
        self.city.about.__dict__["agenda"] = Agenda(**rules)
        # Events and closures come in the order of what they tell, identifiers last.
        self.city.__dict__["contracts"] = {
            name: SimpleNamespace(fields={
                column: SimpleNamespace(type="id" if column in ("id", "fete") else "code")
                for column in columns.split(", ")
            }) for name, columns in COLUMNS.items()
        }  # fmt: skip
        self.con = store.connect()
        self.folder = folder / "data"
        (self.folder / "accepted").mkdir(parents=True)

    def read(self, name: str) -> Path:
        return self.folder / name

    def fill(self) -> Stub:
        con = duckdb.connect()
        tables = {"fetes": FETES, "arretes": ARRETES, "meteo": METEO}
        for name, rows in tables.items():
            columns = COLUMNS[name]
            marks = ", ".join("?" for _ in rows[0])
            listed = columns.split(", ")
            values = ", ".join(f"({marks})" for _ in rows)
            typed = ", ".join(
                f"CAST({c} AS TIMESTAMP) AS {c}" if c in ("debut", "fin", "ts") else c
                for c in listed
            )
            con.execute(
                f"COPY (SELECT {typed} FROM (VALUES {values}) t({columns})) "
                f"TO '{self.folder}/accepted/{name}.parquet'",
                [value for row in rows for value in row],
            )
        squares = self.con.execute
        squares("CREATE TABLE zones (division VARCHAR, code VARCHAR, name VARCHAR, geometry BLOB)")
        for code, west in (("A", 5.36), ("B", 5.3725)):
            squares(
                "INSERT INTO zones VALUES ('carres', ?, ?, ?)",
                [code, f"Carré {code}", square(west)],
            )
        return self


def square(west: float) -> bytes:
    """Return the shape of a square of the made-up city, as the zones' table holds it."""
    return bytes(shapely.to_wkb(shapely.box(west, 43.29, west + 0.0125, 43.299)))


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    return Stub(tmp_path, RULES).fill()


def test_events_of_the_day_are_those_held_that_last_into_it(stub: Stub) -> None:
    today = agenda.of_day(stub, DAY)  # type: ignore[arg-type]
    assert [(row["id"], row["zone"]) for row in today.events] == [
        ("E2", "B"),
        ("E1", "A"),
        ("E5", None),
    ]


def test_closures_of_the_day_name_their_event(stub: Stub) -> None:
    today = agenda.of_day(stub, DAY)  # type: ignore[arg-type]
    assert [(row["id"], row["event"]) for row in today.closures] == [
        ("A2", None),
        ("A1", "Concert"),
    ]


def test_the_highest_warning_of_the_day_alone_is_told(stub: Stub) -> None:
    assert agenda.of_day(stub, DAY).warnings == [{"level": "orange"}]  # type: ignore[arg-type]
    before = agenda.of_day(stub, DAY - dt.timedelta(days=3))  # type: ignore[arg-type]
    assert before.warnings == []


def test_tables_give_the_day_back_and_words_tell_it(stub: Stub) -> None:
    today = agenda.of_day(stub, DAY)  # type: ignore[arg-type]
    for order in ("ascending", "descending"):  # kept in the order of their columns, or another
        kept = {
            name: table.sort_by([(column, order) for column in table.column_names])
            for name, table in today.tables().items()
        }
        assert agenda.of_tables(DAY, kept) == today
    said = words.day(stub.city, today, {"A": "Carré A", "B": "Carré B"})
    assert "Vigilance météo : orange" in said
    assert "Concert (Carré B, 5 000 personnes attendues)" in said.replace("\u202f", " ")
    assert "Carré B : circulation interdite, 100 m alentour, jusqu'au 16 juin 2024 à 1 h" in said


def test_a_city_that_declares_nothing_says_so(tmp_path: Path) -> None:
    bare = Stub(tmp_path, {})
    today = agenda.of_day(bare, DAY)  # type: ignore[arg-type]
    assert (today.events, today.closures, today.warnings) == ([], [], [])
    said = words.day(bare.city, today, {})
    assert said.count("aucune source déclarée") == 2
