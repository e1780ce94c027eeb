"""What contradicts itself: hours of twelve alone, a period nobody admits, facts not covered."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from helpers.core.city import remark
from helpers.core.city.city import City
from helpers.core.stage import remark_words
from helpers.ingest import delivery_remarks, remarks, silent_columns
from tests.fixtures.made_up import FACTS, THEMES, build_made_up, deliver, fact, write_pack
from tests.fixtures.real import Built, build

START = dt.datetime(2024, 3, 1)
YEARLY: dict[str, Any] = {
    **{name: value for name, value in FACTS.items() if name != "refused"},
    "key": ["carre", "nature", "an"],
    "unpivot": {"columns": "20[0-9]{2}", "name": "an", "value": "nombre"},
    "fields": {
        "an": {"type": "year", "required": True},
        "carre": {"type": "enum", "values": list("ABCD"), "required": True},
        "nature": {"type": "enum", "values": ["tapage", "petard", "depot"], "required": True},
        "nombre": {"type": "int", "minimum": 0, "maximum": 100, "required": True},
    },
    "observation": {
        "category": "nature", "started_at": "an", "time_precision": "year", "count": "nombre",
        "origin": {"value": "unknown"}, "declared_zone": {"division": "carres", "field": "carre"},
    },
}  # fmt: skip


def said_of(built: Built) -> dict[str, str]:
    found = [
        *delivery_remarks.remarks(built.city, built.out, built.raw),
        *remarks.remarks(built.city, built.out),
    ]
    return {one.code: remark_words.sentence(one) for one in found}


def hours(*told: int, count: int = 120) -> list[dict[str, str]]:
    """Return facts at these hours, in turn."""
    days = (START + dt.timedelta(days=i % 28, hours=told[i % len(told)]) for i in range(count))
    return [fact(i, debut=day.isoformat()) for i, day in enumerate(days)]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (hours(*range(1, 13)), True),
        (hours(*range(2, 13), 1, count=60), True),
        (hours(*range(24)), False),
        (hours(*range(13)), False),  # midnight is an hour of twenty-four
        (hours(*range(1, 14)), False),
        (hours(6, 7, 8, 9, 10, 11, 12), False),  # a market of mornings
        (hours(*range(1, 13), count=30), False),  # too few to tell
    ],
    ids=["twelve", "sixty", "all", "midnight", "one of afternoon", "mornings", "few"],
)
def test_hours_that_never_pass_noon_are_told(
    rows: list[dict[str, str]], told: bool, tmp_path: Path
) -> None:
    said = said_of(build_made_up(tmp_path, rows))
    assert (remark.TWELVE_HOURS in said) is told
    if told:
        assert f"{len(rows)} heures connues vont de 1 à 12" in said[remark.TWELVE_HOURS]


def test_a_source_without_hours_has_none_to_doubt(tmp_path: Path) -> None:
    facts = copy.deepcopy(FACTS)
    facts["observation"]["time_precision"] = "day"
    said = said_of(build_made_up(tmp_path, hours(*range(1, 13)), facts=facts))
    assert remark.TWELVE_HOURS not in said


def wide(folder: Path, text: str, **contract: Any) -> Built:
    city = write_pack(folder, themes=THEMES, facts=YEARLY | contract)
    deliver(folder, [])
    (folder / "livraison/faits.csv").write_text(text, encoding="utf-8")
    return build(City(city.pack), folder, folder / "out")


@pytest.mark.parametrize(
    ("head", "places"),
    [("2023;2024", []), ("2023;2024 (p)", [4]), ("2022;2023;2024*;2025 prov.", [5, 6]),
     ("2023;Total;2024", [4]), ("2023;24", [4])],
)  # fmt: skip
def test_columns_of_a_wide_file_that_nobody_names_are_told_by_their_places(
    head: str, places: list[int], tmp_path: Path
) -> None:
    """A year written otherwise would else be missing, and only a number of columns say so."""
    cells = ";".join("3" for _ in head.split(";"))
    built = wide(tmp_path, f"carre;nature;{head}\nA;tapage;{cells}\n")
    assert built.receipts["faits"]["files"][0]["wide_left"] == places
    found = [one for one in silent_columns.remarks(built.city, built.receipts)
             if one.code == remark.WIDE_LEFT]  # fmt: skip
    assert [list(one.sizes) for one in found] == ([places] if places else [])
    for one in found:
        said = remark_words.sentence(one)
        assert ", ".join(map(str, places)) in said
        assert "prov" not in said


def test_a_column_that_the_contract_refuses_is_settled(tmp_path: Path) -> None:
    text = "carre;nature;2023;Total;2024\nA;tapage;3;7;4\n"
    built = wide(tmp_path, text, refused={"Total": "la somme des autres"})
    assert built.receipts["faits"]["files"][0]["wide_left"] == []
    assert built.fates["faits"] == {"accepted": 2}


@pytest.mark.parametrize(
    ("cover", "told"),
    [
        ({"categories": ["depot"], "from": "2024-06-01"}, {"depot": 4}),
        ({"until": "2024-05-31"}, {"tapage": 8}),
        ({"division": "carres", "zones": ["A"], "from": "2024-04-01"}, {"depot": 4}),
        ({"division": "carres", "zones": ["B"], "from": "2024-09-01"}, {}),
        ({"categories": ["tapage"], "from": "2024-06-01"}, {}),
        ({"categories": ["depot"], "from": "2024-03-01"}, {}),
    ],
)
def test_facts_of_what_is_said_not_to_be_covered_are_told(
    cover: dict[str, Any], told: dict[str, int], tmp_path: Path
) -> None:
    """The contract and the file say two things: their days stay missing, and somebody knows."""
    rows = [fact(i, nature="depot", debut="2024-03-01T10:00:00") for i in range(4)]
    rows += [fact(10 + i, debut="2024-07-01T10:00:00") for i in range(8)]
    built = build_made_up(tmp_path, rows, facts={**FACTS, "covers": [cover]})
    found = [one for one in remarks.remarks(built.city, built.out)
             if one.code == remark.NOT_COVERED_FACTS]  # fmt: skip
    assert [dict(zip(one.names, one.sizes, strict=True)) for one in found] == [told] * bool(told)
    for one in found:
        assert one.n == sum(told.values())
        assert "`covers`" in remark_words.sentence(one)


MONTHLY: dict[str, Any] = YEARLY | {
    "key": ["carre", "nature", "mois"],
    "unpivot": {"columns": "%Y-%m", "name": "mois", "value": "nombre"},
    "fields": {
        **{name: rule for name, rule in YEARLY["fields"].items() if name not in ("an", "nombre")},
        "mois": {"type": "date", "format": "%Y-%m", "required": True},
        "nombre": {"type": "int", "minimum": 0, "maximum": 1000, "required": True},
    },
    "observation": YEARLY["observation"] | {"started_at": "mois", "time_precision": "month"},
}
BY_MONTH = [31, 24, 29, 35, 22, 40, 38, 41, 27, 33, 26, 30]


@pytest.mark.parametrize(
    ("told", "rising"),
    [
        (BY_MONTH, 0),
        ([sum(BY_MONTH[: i + 1]) for i in range(12)], 4),  # since January
        (sorted(BY_MONTH), 0),  # a theme that grows, and does not double
        ([1, 0, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6], 0),  # too few to tell
    ],
    ids=["months", "cumulated", "growing", "few"],
)
def test_counts_summed_since_january_are_told(told: list[int], rising: int, tmp_path: Path) -> None:
    head = ";".join(f"2024-{month:02}" for month in range(1, 13))
    lines = [f"{zone};tapage;{';'.join(map(str, told))}" for zone in "ABCD"]
    text = f"carre;nature;{head}\n" + "\n".join(lines) + "\n"
    built = wide(tmp_path, text, **MONTHLY)
    found = [one for one in remarks.remarks(built.city, built.out) if one.code == remark.CUMULATED]
    assert [(one.n, one.of) for one in found] == ([(rising, rising)] if rising else [])
    for one in found:
        assert "cumulés depuis janvier" in remark_words.sentence(one)
