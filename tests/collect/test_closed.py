"""What each kind of field lets in, against a plain Python reading of the same rule."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.collect import closed, receipts
from helpers.core.city import key
from helpers.core.city.contract import Contract
from tests.fixtures.made_up import ABOUT, door

STRINGS = Path(__file__).resolve().parents[3] / "shared/cases/40-person-strings/strings.yaml"
RULES: dict[str, dict[str, Any]] = {
    "identifiant": {"type": "id", "pattern": "[A-Z]{2}[0-9]{4}"},
    "libre": {"type": "id"},
    "nature": {"type": "enum", "values": ["tapage", "dépôt", "12"]},
    "commune": {"type": "enum", "values": ["Nancy", "Mary", "Antony", "Bois-Guillaume"]},
    "plusieurs": {"type": "enum", "values": ["rtm", "bmpm"], "separator": "|"},
    "zone": {"type": "str", "pattern": "132[0-9]{4}"},
    "nombre": {"type": "int", "minimum": -5, "maximum": 1000},
    "part": {"type": "float", "minimum": 0, "maximum": 50, "decimals": 2},
    "rond": {"type": "float", "minimum": 0, "maximum": 50, "decimals": 0},
    "vrai": {"type": "bool"},
    "annee": {"type": "year"},
    "jour": {"type": "date", "format": "%d/%m/%Y"},
    "mois": {"type": "date", "format": "%Y-%m", "month_end": True},
    "debut": {"type": "timestamp", "format": "%Y-%m-%dT%H:%M:%S"},
    "appel": {"type": "timestamp", "format": "%Y-%m-%dT%H:%M:%S%z", "precision": "second"},
    "maj": {"type": "timestamp", "format": "%Y-%m-%dT%H:%M:%S"},
    "mots": {"type": "date", "format": "%d %b %Y"},
    "heure": {"type": "timestamp", "format": "%-m/%-d/%Y %-I:%M:%S %p"},
    "lon": {"type": "longitude", "unit": "degrés", "minimum": 5.0, "maximum": 5.8},
    "lat": {"type": "latitude", "unit": "degrés", "minimum": 43.0, "maximum": 43.6},
}
BASE: dict[str, Any] = {
    "source": "essai", "title": "Essai", "kind": "context", **ABOUT, "file": {"format": "csv"},
    "fields": RULES, "since": 2015, "until": 2030, "revised_at": "maj",
}  # fmt: skip
CONTRACT = Contract(**BASE)


def let_in(name: str, *texts: str) -> list[str | None]:
    """Return what the door writes of each text in the field `name`; nothing of somebody's row."""
    columns = {
        "row_number": pa.array(range(1, len(texts) + 1), pa.int64()),
        "fault": pa.nulls(len(texts), pa.string()),
        name: pa.array(texts, pa.string()),
    }
    written = door().let_in(CONTRACT, CONTRACT.every_edition()[0], pa.table(columns), 1, 0)
    found: list[str | None] = written[name].to_pylist()
    return found


def off(rule: str, text: str) -> str:
    return f"§{rule}:{key.public('essai').hash(text)}"


@pytest.mark.parametrize(
    ("name", "text", "written"),
    [
        # Towns that bear a first name, which the second line takes for somebody: a list holds them.
        *(("commune", one, one) for one in ("Nancy", "Mary", "Antony", "Bois-Guillaume")),
        ("commune", "Gaël", None),
        ("nature", " tapage ", "tapage"), ("nature", "Tapage", off("liste", "Tapage")),
        ("nature", "12", "12"), ("nature", "", None), ("nature", "  ", None),
        ("plusieurs", "rtm|bmpm", "rtm|bmpm"), ("plusieurs", "rtm|x", off("liste", "rtm|x")),
        ("plusieurs", "rtm|", off("liste", "rtm|")),
        ("zone", "1320101", "1320101"), ("zone", "132010", off("forme", "132010")),
        ("nombre", "7", "7"), ("nombre", "007", "7"), ("nombre", "+7", "7"), ("nombre", "-5", "-5"),
        ("nombre", "1001", off("bornes", "1001")), ("nombre", "7.0", off("illisible", "7.0")),
        ("nombre", "0612345678", None), ("nombre", "999999", off("bornes", "999999")),
        ("nombre", "9" * 18, off("bornes", "9" * 18)),
        ("nombre", "-" + "9" * 18, off("bornes", "-" + "9" * 18)),
        ("part", "1.5", "1.5"), ("part", "1,5", off("illisible", "1,5")), ("part", "1e1", "10"),
        ("part", "7.0612345678", "7.06"), ("part", ".5", "0.5"),
        ("part", "nan", off("illisible", "nan")),
        ("part", "50.001", off("bornes", "50.001")),
        ("vrai", "Oui", "oui"), ("vrai", "peut-être", off("illisible", "peut-être")),
        ("annee", "2020", "2020"), ("annee", "20", "20"), ("annee", "1961", off("bornes", "1961")),
        ("jour", "31/12/2020", "31/12/2020"), ("jour", "1/2/2020", "01/02/2020"),
        ("jour", "12/03/2020 Dupont", None), ("mots", "12 Jan 2024", "12 Jan 2024"),
        ("mots", "12 Thermidor 2024", off("illisible", "12 Thermidor 2024")),
        ("maj", "2020-07-01T12:34:56", "2020-07-01T12:34:56"),
        ("debut", "2020-7-1T12:34:56", "2020-07-01T12:34:00"),
        ("appel", "2020-7-1T12:34:56+0200", "2020-07-01T10:34:56+00:00"),
        ("rond", "1.4", "1"), ("rond", "12", "12"), ("vrai", "", None), ("part", "1e999",
                                                                         off("illisible", "1e999")),
        ("jour", "12/03/1961", off("bornes", "12/03/1961")),
        ("jour", "12/03/1961 Dupont", None), ("jour", "12/2020", off("illisible", "12/2020")),
        ("mois", "2020-07", "2020-07"),
        ("debut", "2020-07-01T12:34:56", "2020-07-01T12:34:00"),
        ("debut", "hier", off("illisible", "hier")),
        ("appel", "2020-07-01T12:34:56+02:00", "2020-07-01T12:34:56+02:00"),
        ("heure", "7/1/2020 11:05:59 PM", "7/1/2020 11:05:00 PM"),
        ("lon", "6.5", off("bornes", "6.5")),
        ("lon", "vers la gare", off("illisible", "vers la gare")),
    ],
)  # fmt: skip
def test_what_the_rule_describes_comes_in_and_nothing_else(
    name: str, text: str, written: str | None
) -> None:
    assert let_in(name, text) == [written]


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(5.0, 5.8), st.floats(43.0, 43.6)), min_size=1, max_size=20))
def test_a_place_is_moved_onto_a_grid_of_ten_metres(places: list[tuple[float, float]]) -> None:
    told = [[repr(one) for one in axis] for axis in zip(*places, strict=True)]
    east, north = let_in("lon", *told[0]), let_in("lat", *told[1])
    metres = 111_320
    for (lon, lat), x, y in zip(places, east, north, strict=True):
        assert x is not None
        assert y is not None
        assert abs(float(y) - lat) * metres <= 5.06
        assert abs(float(x) - lon) * metres * 0.7278 <= 5.06  # cosine of 43.3°
    again = let_in("lon", *map(str, east)), let_in("lat", *map(str, north))
    assert again == (east, north), "moved once, it stays"
    for held in let_in("lon", *told[1]):
        assert held is not None, "interchanged, it is let in, for `ingest` to tell"
        assert not held.startswith("§")


def test_an_identifier_is_hashed_and_stays_what_it_was_among_its_like() -> None:
    one, other, again, none = let_in("identifiant", "AB1234", "AB1235", " AB1234 ", "")
    assert one == again != other
    assert none is None
    assert re.fullmatch("[0-9a-f]{20}", one or "")
    assert let_in("identifiant", "Dupont Jean") == [None], "personal: the row keeps nothing of it"
    assert let_in("identifiant", "ab12") == [off("forme", "ab12")]


def test_another_key_gives_other_hashes() -> None:
    assert key.public("essai").hash("AB1234") != key.public("ailleurs").hash("AB1234")


def test_of_a_row_that_names_somebody_only_codes_numbers_and_moments_are_kept() -> None:
    row = {"identifiant": "AB1234", "nature": "Nadia Benhaddou", "zone": "1320101", "nombre": "3",
           "debut": "2020-07-01T12:00:00", "lon": "5.4", "lat": "43.3",
           "plusieurs": "inconnu"}  # fmt: skip
    columns = {"row_number": pa.array([1], pa.int64()), "fault": pa.nulls(1, pa.string())}
    table = pa.table(columns | {name: pa.array([text]) for name, text in row.items()})
    written = door().let_in(CONTRACT, CONTRACT.every_edition()[0], table, 1, 0).to_pylist()[0]
    assert written["fault"] == f"{receipts.PERSON}:nom:nature"
    kept = {name: written[name] for name in row if written[name] is not None}
    assert kept == {"zone": "1320101", "nombre": "3", "debut": "2020-07-01T12:00:00"}


def person_strings() -> list[str]:
    if not STRINGS.is_file():
        return []
    told = yaml.safe_load(STRINGS.read_text(encoding="utf-8"))["persons"]
    return [text for texts in told.values() for text in texts]


@pytest.mark.parametrize("name", RULES)
def test_no_person_string_gets_through_any_kind_of_field(name: str) -> None:
    texts = person_strings()
    if not texts:
        pytest.skip("NO SHARED CASES: no person string is tried on the door")
    written = let_in(name, *texts)
    for text, kept in zip(texts, written, strict=True):
        assert kept is None or re.fullmatch("(§[a-z]+:)?[0-9a-f]{20}", kept), (name, text, kept)


@given(texts=st.lists(st.text(max_size=30), min_size=1, max_size=8), name=st.sampled_from([*RULES]))
def test_any_text_becomes_a_value_of_the_rule_or_a_hash(texts: list[str], name: str) -> None:
    con = duckdb.connect()
    rule = CONTRACT.fields[name]
    judged = closed.judge(
        CONTRACT, name, closed.trimmed(rule, pa.array(texts, pa.string())), con, 10
    )
    for text, kept in zip(texts, judged.texts.to_pylist(), strict=True):
        if kept is None or name == "libre":
            continue
        match rule.type:
            case "enum":
                assert set(kept.split(rule.separator or None)) <= set(rule.values)
            case "str" | "id":
                assert re.fullmatch(rule.pattern, kept)
            case "int" | "float" | "longitude" | "latitude":
                assert float(kept) == pytest.approx(float(text), abs=0.006)
            case "bool":
                assert kept in {"1", "0", "true", "false", "vrai", "faux", "oui", "non", *"onft"}
            case "year":
                assert 2015 <= (int(kept) + 2000 if len(kept) == 2 else int(kept)) <= 2030
            case _:
                assert re.search("20[123][0-9]", kept)


def test_the_years_of_a_contract_bound_its_moments() -> None:
    long, short = closed.years(CONTRACT)
    assert {int(year) for year in long.split("|")} == set(range(2015, 2031))
    assert {int(year) for year in short.split("|")} == set(range(15, 31))
    assert dt.date(2015, 1, 1).strftime("%y") in short.split("|")
