"""Eight numbers a role at most, chosen in params.yaml, each with its interval or its reason."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from helpers.trends import criticality, words
from helpers.trends import levels as trends_levels
from helpers.trends.indicators import Board
from helpers.trends.knobs import Knobs
from tests.fixtures.made_up import write_pack
from tests.trends.test_criticality import EQUAL, row

WEEKLY = pa.schema(
    [("theme", pa.string()), ("week", pa.date32()), ("n", pa.int64()), ("final", pa.float64()),
     ("low", pa.float64()), ("high", pa.float64()), ("status", pa.string())]
)  # fmt: skip


@pytest.fixture
def board(tmp_path: Path) -> Board:
    city = write_pack(tmp_path)
    rows = [
        row("bruit", "ville", level=40.0, ratio=1.1),
        row("bruit", "A", label="up", level=30.0), row("bruit", "B", label="up", level=10.0),
        row("bruit", "C"), row("bruit", "D", status="abstained", reason="too_few"),
        row("depots", "ville", level=20.0), row("depots", "A", label="stable", level=2.0),
        row("depots", "B", label="down", level=2.0),
    ]  # fmt: skip
    levels = pa.Table.from_pylist(rows, schema=trends_levels.SCHEMA)
    scores = criticality.score(levels, city, EQUAL)
    week = dt.date(2024, 12, 23)
    weekly = [
        {"theme": "bruit", "week": week, "n": 38, "final": 40.0, "low": 30.0, "high": 52.0,
         "status": "ok"},
        {"theme": "depots", "week": week, "status": "missing"},
    ]  # fmt: skip
    grades = pa.table({"source": ["faits"], "grade": ["B"]})
    return Board(city, levels, scores, pa.Table.from_pylist(weekly, schema=WEEKLY), grades, EQUAL)


def told(board: Board, asked: str) -> dict[str, Any]:
    found: dict[str, Any] = board.told({"essai": [asked]}).to_pylist()[0]
    return found


@pytest.mark.parametrize(
    ("asked", "value", "low", "high"),
    [
        ("level:bruit", 40, 9, 11),
        ("change:bruit", 1.1, 0.9, 1.1),
        ("week:bruit", 40, 30, 52),
        ("rising:bruit", 2, 1, 3),
        ("rising:all", 2, 1, 3),
        ("rising:domaine_public", 0, 0, 0),
        ("critical:delinquance", 3, 1, 3),
    ],
)
def test_each_measure_is_read_from_the_results(
    board: Board, asked: str, value: float, low: float, high: float
) -> None:
    found = told(board, asked)
    assert (found["value"], found["low"], found["high"]) == (value, low, high)
    assert (found["status"], found["reliability"]) == ("ok", "B")
    assert found["n"] > 0


def test_the_most_critical_theme_is_the_city_s(board: Board) -> None:
    for asked, theme, title in (
        ("level:first", "bruit", "Bruit : niveau"),
        ("level:second", "depots", "Dépôts : niveau"),
        ("rising:all", None, "Toute la ville : hausses établies"),
    ):
        found = told(board, asked)
        assert found["theme"] == theme
        assert words.indicator_title(found, board.city) == title


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ("level:bruit", "40 par semaine (9 à 11)"),
        ("change:bruit", "+10,0\u202f% (−10,0\u202f% à +10,0\u202f%)"),
        ("week:bruit", "40 (30 à 52)"),
        ("rising:bruit", "2 sur 3 (1 sans conclusion)"),
        ("critical:delinquance", "3 (1 à 3) sur 3"),
    ],
)
def test_each_value_is_told_with_its_interval(board: Board, asked: str, value: str) -> None:
    assert words.indicator_value(told(board, asked)) == value


@pytest.mark.parametrize(
    ("asked", "code", "reason"),
    [
        ("level:rixes", "no_theme", "thème absent de cette ville, ou pas en service"),
        (
            "level:third",
            "too_few_ranked",
            "2\N{NO-BREAK SPACE}thèmes classés par criticité, pas davantage",
        ),
        ("rising:circulation", "no_theme", "thème absent de cette ville, ou pas en service"),
        ("week:depots", "no_week_heard", "pas de semaine complète entendue"),
    ],
)
def test_what_is_not_there_is_said(board: Board, asked: str, code: str, reason: str) -> None:
    found = told(board, asked)
    assert (found["status"], found["value"], found["reason"]) == ("abstained", None, code)
    assert words.reason(found, 30) == reason


@pytest.mark.parametrize(
    ("reasons", "code", "reason"),
    [
        (("no_past", "no_past"), "no_past", "aucune zone jugée : pas assez de passé pour comparer"),
        (("no_past", "too_few", "too_few"), "too_few", "aucune zone jugée : moins de 30 faits"),
        ((), "no_zone", "aucune zone à comparer"),
        (
            ("recording_unmeasured",),
            "recording_unmeasured",
            "aucune zone jugée : moins de 13 semaines entendues avant ou après "
            "un changement de façon d'enregistrer",
        ),
    ],
)
@pytest.mark.parametrize("measure", ["rising", "critical"])
def test_where_no_zone_is_judged_the_true_reason_is_told(
    tmp_path: Path, measure: str, reasons: tuple[str, ...], code: str, reason: str
) -> None:
    city = write_pack(tmp_path)
    rows = [row("bruit", "ville", status="abstained", reason="no_past")]
    rows += [
        row("bruit", zone, status="abstained", reason=why, ratio=None, level=None)
        for zone, why in zip("ABC", reasons, strict=False)
    ]
    levels = pa.Table.from_pylist(rows, schema=trends_levels.SCHEMA)
    scores = criticality.score(levels, city, EQUAL)
    grades = pa.table({"source": ["faits"], "grade": ["B"]})
    empty = pa.Table.from_pylist([], schema=WEEKLY)
    found = told(Board(city, levels, scores, empty, grades, EQUAL), f"{measure}:bruit")
    assert (found["status"], found["reason"]) == ("abstained", code)
    assert words.reason(found, 30) == reason
    assert reason.removeprefix("aucune zone jugée : ") in words.critical(scores, {}, city, 30)


def test_an_absent_rank_is_named_in_words(board: Board) -> None:
    """No key of params.yaml reaches a reader: neither a rank's nor a missing theme's, bare."""

    def title(asked: str) -> str:
        return words.indicator_title(told(board, asked), board.city)

    assert title("level:third") == "Troisième thème par criticité : niveau"
    assert title("change:third") == "Troisième thème par criticité : évolution"
    assert title("level:rixes") == "Thème « rixes » : niveau"
    board.ranked = []
    assert title("week:first") == "Premier thème par criticité : dernière semaine"
    assert words.reason(told(board, "week:second"), 30) == "aucun thème classé par criticité"


def knobs(**changes: Any) -> Knobs:
    return Knobs.model_validate({**EQUAL.model_dump(), **changes})


def test_a_role_follows_eight_indicators_at_most() -> None:
    nine = tuple(f"level:theme_{i}" for i in range(9))
    assert knobs(indicators={"direction": nine[:8]})
    with pytest.raises(ValidationError, match="plus de 8"):
        knobs(indicators={"direction": nine})
    with pytest.raises(ValidationError, match="deux fois"):
        knobs(indicators={"direction": (nine[0], nine[0])})


@pytest.mark.parametrize(
    "asked", ["levle:bruit", "level:", "bruit", "level:bruit x", "change:all", "week:circulation"]
)
def test_a_misspelt_indicator_is_refused(asked: str) -> None:
    with pytest.raises(ValidationError):
        knobs(indicators={"direction": (asked,)})
