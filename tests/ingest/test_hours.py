"""Hours and days in every form that publishers write: the right instant, or an unknown one."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.contract import load_contract
from tests.fixtures.cases import build_template, case, csv_of, template_contract
from tests.fixtures.real import Built, build

INT = {"type": "int", "minimum": 0, "maximum": 2500}
PLACE = "5.365;43.295"


def contract_of(when: Any, fields: dict[str, Any], **observation: Any) -> dict[str, Any]:
    """Return the template's contract with these fields of time in the place of `debut`."""
    contract = template_contract(
        started_at=when, origin={"value": "unknown"}, **observation
    )  # fmt: skip
    kept = {k: v for k, v in contract["fields"].items() if k not in ("debut", "origine")}
    contract["fields"] = kept | fields
    return contract


def told(
    folder: Path, when: Any, fields: dict[str, Any], rows: list[tuple[object, ...]], **rule: Any
) -> Built:
    """Take in rows of the fields of time alone."""
    columns = ["id", "nature", "longitude", "latitude", *fields]
    lines = [(f"F{i}", "tapage", "5.365", "43.295", *row) for i, row in enumerate(rows)]
    return build_template(folder, csv_of(columns, lines), contract_of(when, fields, **rule))


def spans(built: Built) -> list[tuple[dt.datetime, dt.datetime, str]]:
    """Return the local hours of each observation, first and last, and how well they are known."""
    return built.rows(
        "SELECT hour, hour_end, time_precision FROM observations ORDER BY hour, hour_end DESC"
    )


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


DAY_PARTS = {"an": {"type": "year"}, "mois": {"type": "int", "minimum": 1, "maximum": 12},
             "jour": {"type": "int", "minimum": 1, "maximum": 31}}  # fmt: skip
WHEN = {"year": "an", "month": "mois", "day": "jour"}


# --- The cases -------------------------------------------------------------------------------


def test_an_empty_hour_is_unknown_not_midnight(tmp_path: Path) -> None:
    folder = case("17-missing-hour-becomes-midnight")
    contract = yaml.safe_load((folder / "contracts/faits.yaml").read_text(encoding="utf-8"))
    contract["fields"] |= {
        "Num_Acc": {"type": "id", "required": True},
        "mois": DAY_PARTS["mois"], "jour": DAY_PARTS["jour"],
        "hrmn": {"type": "int", "minimum": 0, "maximum": 2359},
    }  # fmt: skip
    for name in ("longitude", "latitude"):  # a `float` there would escape the grid: refused
        contract["fields"][name]["type"] = name
    rows = (folder / "livraison/faits.csv").read_bytes()
    built = build_template(tmp_path, rows, contract)
    assert built.fates["faits"] == {"accepted": 20}
    found = built.rows(
        "SELECT time_precision, slot, hour(hour), hour(hour_end), CAST(sum(n) AS BIGINT), "
        "bool_and(working_day = CAST(hour AS DATE)) FROM cube GROUP BY ALL ORDER BY 1"
    )
    assert [row[:1] + row[2:] for row in found] == [("day", 0, 23, 10, True),
                                                    ("minute", 10, 10, 10, True)]  # fmt: skip
    assert found[0][1] is None
    assert found[1][1] is not None


def hour_columns(folder: Path, **when: Any) -> tuple[Built, dict[str, list[str]]]:
    """Take in the case of hour columns with bounds on its numbers; return reasons → ids too."""
    pack = case("30-hour-columns") / "pack"
    here = folder / "essais"
    (here / "contracts").mkdir(parents=True)
    (here / "livraison").mkdir()
    for name in ("city.yaml", "themes.yaml"):
        (here / name).write_bytes((pack / name).read_bytes())
    contract = yaml.safe_load((pack / "contracts/faits.yaml").read_text(encoding="utf-8"))
    contract["fields"] |= {
        "an": {"type": "int", "required": True, "minimum": 2000, "maximum": 2099},
        "mois": DAY_PARTS["mois"], "jour": DAY_PARTS["jour"],
        "hhmm": {"type": "int", "minimum": -1, "maximum": 9999},
        "lon": {"type": "longitude", "unit": "degrés", "minimum": 5, "maximum": 6},
        "lat": {"type": "latitude", "unit": "degrés", "minimum": 43, "maximum": 44},
    }  # fmt: skip
    contract["observation"]["started_at"] |= when
    text = yaml.safe_dump(contract, allow_unicode=True)
    (here / "contracts/faits.yaml").write_text(text, encoding="utf-8")
    rows = (pack.parent / "faits.csv").read_bytes()
    (here / "livraison/faits.csv").write_bytes(rows)
    built = build(City(here), folder, folder / "out")
    aside = duckdb.sql(
        "SELECT reason, list(id ORDER BY id) FROM "
        f"'{built.out}/quarantined/faits.parquet' GROUP BY 1"
    ).fetchall()
    return built, dict(aside)


def test_hour_columns_are_read_or_set_aside_row_by_row(tmp_path: Path) -> None:
    built, aside = hour_columns(tmp_path)
    assert aside["incoherent:date"] == ["F03"]  # 30 February
    assert aside["heure_impossible:hhmm"] == ["F04", "F17"]  # 25 h 30, −1
    assert aside["heure_24:hhmm"] == ["F06"]
    assert aside["heure_ambigue:hhmm"] == ["F05"]  # 0 h 24, or 24 h?
    known = duckdb.sql(
        "SELECT id, hour, hour_end, time_precision, remark FROM "
        f"'{built.out}/observations.parquet' JOIN '{built.out}/accepted/faits.parquet' "
        "USING (record) ORDER BY id"
    ).fetchall()
    rows = {row[0]: row[1:] for row in known}
    assert rows["F01"] == (at("2024-03-05T14:00"), at("2024-03-05T14:00"), "minute", None)
    assert rows["F02"][:3] == (at("2024-03-05"), at("2024-03-05T23:00"), "day")
    assert rows["F07"][:3] == (at("2024-01-01"), at("2024-12-31T23:00"), "year")
    assert rows["F08"][:3] == (at("2024-03-01"), at("2024-03-31T23:00"), "month")
    assert rows["F14"] == (at("2024-03-31T03:00"), at("2024-03-31T03:00"), "minute",
                           "heure_inexistante:debut")  # fmt: skip
    assert rows["F15"][:3] == (at("2024-10-27T02:00"), at("2024-10-27T02:00"), "minute")


@pytest.mark.parametrize(
    ("meaning", "first", "last", "precision"),
    [
        ("next_day", "2024-03-06T00:00", "2024-03-06T00:00", "minute"),
        ("same_day", "2024-03-05T00:00", "2024-03-05T00:00", "minute"),
        ("unknown", "2024-03-05T00:00", "2024-03-05T23:00", "day"),
    ],
)
def test_2400_is_what_the_publisher_says(
    meaning: str, first: str, last: str, precision: str, tmp_path: Path
) -> None:
    built, aside = hour_columns(tmp_path, hour_24=meaning)
    assert "heure_24:hhmm" not in aside
    assert aside["heure_ambigue:hhmm"] == ["F05"]
    path = f"{built.out}/accepted/faits.parquet"
    found = duckdb.sql(
        f"SELECT hour, hour_end, time_precision FROM '{built.out}/observations.parquet' "
        f"JOIN '{path}' USING (record) WHERE id = 'F06'"
    ).fetchall()
    assert found == [(at(first), at(last), precision)]


def test_contract_of_hours_called_hhmm_is_refused_with_what_to_write(tmp_path: Path) -> None:
    folder = case("31-hours-and-editions")
    path = tmp_path / "accidents.yaml"
    path.write_bytes((folder / "pack/contracts/accidents.yaml").read_bytes())
    text = path.read_text(encoding="utf-8")
    # The texts of this contract describe too many: they are another matter.
    closed = yaml.safe_load(text)
    closed["fields"]["quartier"] = {"type": "enum", "values": ["el Raval"], "column": "Nom_barri"}
    closed["fields"]["numero"] = {"type": "id", "column": "Numero_expedient", "required": True}
    closed["fields"]["marque"] = {"type": "id"}
    path.write_text(yaml.safe_dump(closed, allow_unicode=True), encoding="utf-8")
    with pytest.raises(PhareError, match="hour: heure"):
        load_contract(path)
    closed["observation"]["started_at"] = {"year": "annee", "month": "mois", "day": "jour",
                                           "hour": "heure"}  # fmt: skip
    path.write_text(yaml.safe_dump(closed, allow_unicode=True), encoding="utf-8")
    load_contract(path)


# --- Neighbours ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "fields", "rows", "expected"),
    [
        ({**WHEN, "hour": "h"}, {**DAY_PARTS, "h": INT},
         [(2024, 3, 5, 9), (2024, 3, 6, 0), (2024, 3, 7, "")],
         [("2024-03-05T09", "2024-03-05T09", "hour"), ("2024-03-06T00", "2024-03-06T00", "hour"),
          ("2024-03-07T00", "2024-03-07T23", "day")]),
        ({**WHEN, "hour": "h", "minute": "m"}, {**DAY_PARTS, "h": INT, "m": INT},
         [(2024, 3, 5, 9, 41), (2024, 3, 6, 9, ""), (2024, 3, 7, "", 41)],
         [("2024-03-05T09", "2024-03-05T09", "minute"), ("2024-03-06T09", "2024-03-06T09", "hour"),
          ("2024-03-07T00", "2024-03-07T23", "day")]),
        ({"date": "d", "time": "t"},
         {"d": {"type": "date", "format": "%d/%m/%Y"}, "t": {"type": "time"}},
         [("05/03/2024", "9:41"), ("06/03/2024", "23:59:59"), ("07/03/2024", ""),
          ("08/03/2024", "14h05")],
         [("2024-03-05T09", "2024-03-05T09", "minute"),
          ("2024-03-06T23", "2024-03-06T23", "minute"), ("2024-03-07T00", "2024-03-07T23", "day"),
          ("2024-03-08T14", "2024-03-08T14", "minute")]),
        ({"date": "d", "hhmm": "t"},
         {"d": {"type": "timestamp", "format": "%m/%d/%Y %I:%M:%S %p"}, "t": INT},
         [("03/05/2024 12:00:00 AM", "0941"), ("03/06/2024 12:00:00 AM", 5),
          ("03/07/2024 12:00:00 AM", "")],
         [("2024-03-05T09", "2024-03-05T09", "minute"),
          ("2024-03-06T00", "2024-03-06T00", "minute"), ("2024-03-07T00", "2024-03-07T23", "day")]),
        ({"year": "an", "month": "mois"}, {k: DAY_PARTS[k] for k in ("an", "mois")},
         [(2024, 2), (2024, "")],
         [("2024-01-01T00", "2024-12-31T23", "year"), ("2024-02-01T00", "2024-02-29T23", "month")]),
        ("d", {"d": {"type": "date", "format": "%Y-%m-%d"}}, [("2024-03-05",)],
         [("2024-03-05T00", "2024-03-05T23", "day")]),
        ("d", {"d": {"type": "date", "format": "%Y-%m"}}, [("2024-02",)],
         [("2024-02-01T00", "2024-02-29T23", "month")]),
        ("d", {"d": {"type": "timestamp", "format": "%Y-%m-%d %H"}}, [("2024-03-05 09",)],
         [("2024-03-05T09", "2024-03-05T09", "hour")]),
        ("d", {"d": {"type": "year"}}, [("2024",)], [("2024-01-01T00", "2024-12-31T23", "year")]),
    ],
    ids=["hour", "hour-minute", "date-time", "date-hhmm", "month", "date", "year-month",
         "date-hour", "year"],
)  # fmt: skip
def test_every_form_gives_its_hours_and_no_more_than_it_knows(
    when: Any,
    fields: dict[str, Any],
    rows: list[tuple[object, ...]],
    expected: list[tuple[str, str, str]],
    tmp_path: Path,
) -> None:
    built = told(tmp_path, when, fields, rows)
    assert built.fates["faits"] == {"accepted": len(rows)}
    assert spans(built) == [(at(first), at(last), known) for first, last, known in expected]
    slots = dict(
        built.rows("SELECT time_precision, bool_or(slot IS NOT NULL) FROM cube GROUP BY 1")
    )
    assert slots == {one: one in ("minute", "hour") for one in slots}


def test_codes_of_an_unknown_hour_are_declared(tmp_path: Path) -> None:
    hour = {"type": "int", "minimum": 0, "maximum": 23, "null_values": ["25", "99", "-1"]}
    rows = [(2024, 3, day, h) for day, h in ((1, 25), (2, 99), (3, -1), (4, 13))]
    built = told(tmp_path, {**WHEN, "hour": "h"}, {**DAY_PARTS, "h": hour}, rows)
    assert [known for *_, known in spans(built)] == ["day", "day", "day", "hour"]


def test_a_code_that_is_not_declared_sets_its_row_aside(tmp_path: Path) -> None:
    rows = [(2024, 3, 1, 25), (2024, 3, 2, 99), (2024, 3, 3, 24), (2024, 3, 4, 13)]
    built = told(tmp_path, {**WHEN, "hour": "h"}, {**DAY_PARTS, "h": INT}, rows)
    assert built.fates["faits"] == {"accepted": 1, "heure_24:h": 1, "heure_impossible:h": 2}


def test_minutes_after_midnight_are_digits_where_others_are(tmp_path: Path) -> None:
    """« 24 » is 0 h 24 in a column that writes 0 h 05 as « 5 »."""
    built = told(tmp_path, {**WHEN, "hhmm": "h"}, {**DAY_PARTS, "h": INT},
                 [(2024, 3, 1, 24), (2024, 3, 2, 5), (2024, 3, 3, 1412)])  # fmt: skip
    assert built.fates["faits"] == {"accepted": 3}
    assert [first.hour for first, *_ in spans(built)] == [0, 0, 14]


@pytest.mark.parametrize(
    ("key", "hours", "right"),
    [
        ("hhmm", [0, 9, 14, 23, 9], "hour: h"),
        ("hhmm", [14, 14, "", 0], "hour: h"),
        ("hour", [930, 1405, 2359, 5], "hhmm: h"),
        ("hour", [0, 100, 200, 2300], "hhmm: h"),
    ],
)
def test_hours_in_another_form_than_told_stop_with_what_to_write(
    key: str, hours: list[object], right: str, tmp_path: Path
) -> None:
    rows = [(2024, 3, 1 + i, hour) for i, hour in enumerate(hours)]
    with pytest.raises(PhareError) as told_of:
        told(tmp_path, {**WHEN, key: "h"}, {**DAY_PARTS, "h": INT}, rows)
    assert right in told_of.value.todo


def test_an_end_known_by_its_day_ends_with_that_day(tmp_path: Path) -> None:
    fields = {"d": {"type": "timestamp", "format": "%Y-%m-%d %H:%M"},
              "f": {"type": "date", "format": "%Y-%m-%d"}}  # fmt: skip
    rows = [("2024-03-05 14:10", "2024-03-05"), ("2024-03-06 14:10", "2024-03-08"),
            ("2024-03-07 14:10", "2024-03-06")]  # fmt: skip
    built = told(tmp_path, "d", fields, rows, ended_at="f")
    assert built.fates["faits"] == {"accepted": 2, "incoherent:fin_avant_debut": 1}
    assert [last for _, last, _ in spans(built)] == [at("2024-03-05T23"), at("2024-03-08T23")]


def test_start_and_end_each_in_two_columns(tmp_path: Path) -> None:
    day, clock = {"type": "date", "format": "%m/%d/%Y"}, {"type": "time"}
    fields = {"d1": day, "t1": clock, "d2": day, "t2": clock}
    rows = [("03/05/2024", "22:15:00", "03/06/2024", "06:30:00"),
            ("03/07/2024", "22:15:00", "03/08/2024", "")]  # fmt: skip
    built = told(tmp_path, {"date": "d1", "time": "t1"}, fields, rows,
                 ended_at={"date": "d2", "time": "t2"})  # fmt: skip
    assert spans(built) == [
        (at("2024-03-05T22"), at("2024-03-06T06"), "minute"),
        (at("2024-03-07T22"), at("2024-03-08T23"), "minute"),
    ]


# --- Hours and days that the publisher writes for what it does not know -------------------------


def test_midnight_that_means_unknown_leaves_slots(tmp_path: Path) -> None:
    rows = (case("08-midnight-means-unknown-hour") / "livraison/faits.csv").read_bytes()
    built = build_template(tmp_path, rows, template_contract(unknown_hour=["00:00"]))
    found = built.rows(
        "SELECT time_precision, CAST(sum(n) AS BIGINT), count(slot) = 0, "
        "bool_and(CAST(hour AS DATE) = working_day) FROM cube GROUP BY 1 ORDER BY 1"
    )
    assert found == [("day", 20, True, True), ("minute", 30, False, True)]


def test_the_first_of_january_may_mean_the_year_alone(tmp_path: Path) -> None:
    fields = {"d": {"type": "timestamp", "format": "%Y-%m-%d %H:%M"}}
    rows = [("2024-01-01 00:00",), ("2024-02-01 00:00",), ("2024-02-03 12:00",),
            ("2024-02-04 12:01",)]  # fmt: skip
    built = told(tmp_path, "d", fields, rows, unknown_hour=["00:00", "12:00"],
                 unknown_day=["01-01", "01"])  # fmt: skip
    assert spans(built) == [
        (at("2024-01-01T00"), at("2024-12-31T23"), "year"),
        (at("2024-02-01T00"), at("2024-02-29T23"), "month"),
        (at("2024-02-03T00"), at("2024-02-03T23"), "day"),
        (at("2024-02-04T12"), at("2024-02-04T12"), "minute"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"started_at": {"year": "an", "month": "mois", "day": "jour", "hhmm": "h", "hour": "h"}},
        {"started_at": {"year": "an", "month": "mois", "hour": "h"}},
        {"started_at": {"year": "an", "month": "mois", "day": "jour", "minute": "h"}},
        {"started_at": {"year": "an", "day": "jour"}},
        {"started_at": {"date": "h"}},
        {"started_at": {"year": "an", "month": "mois", "day": "jour", "time": "h"}},
        {"started_at": "h"},
        {"unknown_hour": ["24:00"]},
        {"unknown_hour": [0]},
        {"unknown_day": ["32"]},
        {"unknown_day": ["1"]},
    ],
)
def test_a_moment_that_says_two_things_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    contract = contract_of({**WHEN, "hhmm": "h"}, {**DAY_PARTS, "h": INT})
    path = tmp_path / "faits.yaml"
    path.write_text(yaml.safe_dump(contract, allow_unicode=True), encoding="utf-8")
    load_contract(path)
    wrong = copy.deepcopy(contract)
    wrong["observation"] |= change
    path.write_text(yaml.safe_dump(wrong, allow_unicode=True), encoding="utf-8")
    with pytest.raises(PhareError):
        load_contract(path)
