"""Other designs beside the verdict, in a made-up town whose truth is drawn."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from helpers.core.city.city import City
from helpers.impact import beside, beside_words, designs, effects
from helpers.impact.knobs import Knobs
from helpers.impact.known import Action
from helpers.impact.places import grounds
from tests.fixtures.made_up import CITY, write_pack
from tests.impact.test_effects import KNOBS, PERIOD, actions, fill, hush

PAIR = ("bruit", "tapage")
READ = (designs.PLACES, designs.SYNTHETIC, designs.TWICE)


@pytest.fixture
def city(tmp_path: Path) -> City:
    return write_pack(tmp_path, CITY | {"period": PERIOD})


def told(
    con: duckdb.DuckDBPyConnection, city: City, those: list[Action], knobs: Knobs = KNOBS
) -> tuple[pa.Table, pa.Table]:
    found = effects.measure(con, city, those, knobs)
    return beside.measure(con, city, those, found, knobs, seed=1), found


def of_all(table: pa.Table, design: str) -> dict[str, object]:
    return next(row for row in table.to_pylist()
                if row["scope"] == effects.ALL and row["design"] == design)  # fmt: skip


def test_every_design_finds_an_effect_and_none_where_there_is_none(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    those = actions(8)
    fill(memory, those, 40.0, 0.6, came=0.5)
    table, found = told(memory, city, those)
    rows = [row for row in table.to_pylist() if row["scope"] == effects.ACTION]
    assert len(rows) == len(those) * len(designs.DESIGNS)
    for row in rows:
        if row["design"] in READ:
            assert row["low"] < row["value"] < row["high"] < 0.85
            assert row["value"] == pytest.approx(0.6, abs=0.12)
            assert row["places"] == 30
        if row["design"] == designs.MONTH:
            assert row["low"] < 1 < row["high"]
        if row["design"] == designs.BLOCKS and not row["reason"]:  # one cell a place: not always
            assert row["least"] <= row["value"] <= row["most"]
    whole = of_all(table, designs.PLACES)
    assert whole["value"] == pytest.approx(0.6, abs=0.03)
    assert whole["chance"] == pytest.approx(1 / (1 + KNOBS.draws))
    said = beside_words.answer(table, found, KNOBS)
    assert "aucune n'écarte le rapport du verdict" in said
    assert "autant moins de 1 fois sur 100" in said
    assert "rien ne montre qu'un mauvais mois" in said
    fill(memory, those, 40.0, 1.0)
    table, found = told(memory, city, those)
    own = [row for row in table.to_pylist() if row["design"] in READ and row["key"]]
    assert sum(not row["low"] <= 1 <= row["high"] for row in own) <= 0.15 * len(own)
    assert float(str(of_all(table, designs.PLACES)["chance"])) > 0.05
    wrong, tried = (sum(row[name] or 0 for row in own) for name in ("wrong", "tried"))
    assert tried == 30 * len(those)
    assert wrong <= 0.1 * tried


def test_a_bad_month_before_is_told_and_is_in_no_ratio(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    """Areas chosen for a month of twice their facts: it shows, and no design sees an effect."""
    those = actions(8)
    fill(memory, those, 40.0, 1.0)
    for one in those:
        begun = (one.start - dt.timedelta(weeks=KNOBS.gap_weeks), one.start)
        memory.execute("UPDATE cube SET n = 2 * n WHERE zone_carres = ? AND hour >= ? AND hour < ? "
                       "AND cell = ?", [f"Q{one.id[1:]}", *begun,
                       f"CRS3035RES200mN-100E{int(one.x) - 100}"])  # fmt: skip
    table, found = told(memory, city, those)
    month = of_all(table, designs.MONTH)
    assert month["value"] == pytest.approx(2, abs=0.15)
    assert float(str(month["low"])) > 1
    whole = of_all(table, designs.PLACES)
    assert float(str(whole["low"])) < 1 < float(str(whole["high"]))
    assert "compté, il aurait fait voir un faux effet" in beside_words.answer(table, found, KNOBS)


def test_places_are_the_same_whenever_actions_begin(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    """They are chosen by where facts are, far from all actions, by no date."""
    those = actions(6)
    fill(memory, those, 10.0, 0.6)
    later = [replace(one, start=one.start + dt.timedelta(weeks=9)) for one in those]
    one, two = (grounds(memory, city, each, [PAIR], KNOBS)[PAIR] for each in (those, later))
    assert (one.at == two.at).all()
    at, own = one.at[len(those) :], one.at[: len(those)]
    assert len(at) == 30
    apart = np.hypot(*(at[:, None] - one.at[None]).transpose(2, 0, 1))
    assert np.sort(apart, axis=1)[:, 1].min() >= 2 * (KNOBS.zone_m + KNOBS.ring_m)
    assert (one.here.zones[: len(own)].sum(axis=1) > 0).all()


def test_too_few_places_are_said_and_nothing_is_told(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    those = actions(6)
    fill(memory, those, 40.0, 0.6)
    few = KNOBS.model_copy(update={"placebo_places": 11})  # of six actions, no draw either
    table, found = told(memory, city, those, few)
    rows = table.to_pylist()
    own = [row for row in rows if row["scope"] == effects.ACTION]
    assert {row["reason"] for row in own if row["design"] in (*READ, designs.MONTH)} == {
        designs.FEW_PLACES
    }
    assert all(row["value"] is None for row in own)
    assert "trop peu de lieux" in beside_words.one_by_one(table, few)
    assert "aucune n'a pu être tentée" in beside_words.answer(table, found, few)


def test_silence_is_no_fall(city: City, memory: duckdb.DuckDBPyConnection) -> None:
    """Quarters of actions and of places go silent in turn: nothing falls, and few places go."""
    those = actions(6)
    fill(memory, those, 40.0, 1.0)
    hush(memory, [f"Q{i}" for i in range(3)], range(45, 49))
    hush(memory, ["Q20"], range(52, 55))
    table, _ = told(memory, city, those)
    for row in table.to_pylist():
        if row["design"] in READ and row["key"] in ("A0", "A1", "A2"):
            assert row["value"] == pytest.approx(1, abs=0.15)
            assert row["places"] >= 26


def test_a_town_without_actions_says_nothing(city: City, memory: duckdb.DuckDBPyConnection) -> None:
    fill(memory, actions(1), 5.0, 1.0)
    table, found = told(memory, city, [])
    assert table.num_rows == 0
    assert beside_words.answer(table, found, KNOBS) == ""
    assert "rien à relire" in beside_words.one_by_one(table, KNOBS)


def test_a_table_is_french_and_a_disagreement_is_named() -> None:
    row = {
        "scope": effects.ACTION, "key": "A1", "design": designs.PLACES, "value": 0.5, "low": 0.4,
        "high": 0.62, "chance": 0.02, "places": 40, "wrong": 2, "tried": 40, "reason": "",
        "least": None, "most": None,
    }  # fmt: skip
    ring = row | {"design": designs.RING, "value": -7.6, "low": -12.2, "high": 0.4, "wrong": None,
                  "tried": None}  # fmt: skip
    wide = row | {"design": designs.BLOCKS, "least": 0.31, "most": float("inf"), "tried": None}
    rest = set(designs.DESIGNS) - {one["design"] for one in (row, ring, wide)}
    others = [row | {"design": name, "reason": designs.UNREAD} for name in sorted(rest)]
    table = pa.Table.from_pylist([row, ring, wide, *others], schema=designs.BESIDE)
    text = beside_words.one_by_one(table, KNOBS)
    assert "| A1 | 0,50 (de 0,40 à 0,62) | sans réponse |" in text
    assert "| −8 (de −12 à 0) |" in text
    assert "étendue : 0,31 à sans borne" in text
    judged = pa.Table.from_pylist(
        [{"scope": effects.ACTION, "key": "A1", "ratio": 0.8}], schema=effects.EFFECTS
    )
    said = beside_words.answer(table, judged, KNOBS)
    assert "pour A1, l'une au moins écarte le rapport du verdict" in said
    assert "2 fois sur 40 ; le hasard seul en amènerait 2" in said


def reading(design: str, low: float, high: float, **changes: object) -> dict[str, object]:
    """Return a row of BESIDE of an action; 1 in the middle where its interval holds it."""
    base = dict.fromkeys(designs.BESIDE.names) | {"scope": effects.ACTION, "key": "A1"}
    return base | {"design": design, "value": (low + high) / 2, "low": low, "high": high,
                   "reason": "", **changes}  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ((0.6, 0.9), "3\u00a0lectures sur 5 vont dans le même sens, moins de faits qu'attendu ; "
                     "1 voit plus de faits qu'attendu ; 1 laisse le sens ouvert ; 1 sans réponse."),
        ((1.1, 1.9), "1\u00a0lecture sur 5 va dans le même sens, plus de faits qu'attendu ; "
                     "3 voient moins de faits qu'attendu ; 1 laisse le sens ouvert ; "
                     "1 sans réponse."),
        ((0.6, 1.4), "1\u00a0lecture sur 5 laisse le sens ouvert, comme le verdict ; "
                     "3 voient moins de faits qu'attendu ; 1 voit plus de faits qu'attendu ; "
                     "1 sans réponse."),
    ],
)  # fmt: skip
def test_a_line_counts_readings_that_go_the_way_of_the_verdict(
    verdict: tuple[float, float], said: str
) -> None:
    """By the ends of intervals alone; facts turn at 0; the month before is no reading."""
    rows = [
        reading(designs.PLACES, 0.5, 0.99), reading(designs.SYNTHETIC, 0.5, 0.7),
        reading(designs.TWICE, 1.01, 1.5), reading(designs.BLOCKS, 0.8, 1.0),
        reading(designs.SERIES, 0, 0, reason=designs.UNREAD),
        reading(designs.RING, -9, -0.1), reading(designs.MONTH, 0.1, 0.2),
    ]  # fmt: skip
    judged = {"design": effects.ALONE, "low": verdict[0], "high": verdict[1]}
    assert beside_words.line(rows, judged) == f"Lue aussi autrement : {said}"


def test_a_line_without_any_reading_says_so_or_nothing() -> None:
    judged = {"design": effects.ALONE, "low": 0.6, "high": 1.4}
    down = [reading(name, 0.5, 0.9) for name in designs.READINGS[:5]]
    assert beside_words.line([], judged) == ""
    few = [reading(name, 0, 0, reason=designs.FEW_PLACES) for name in designs.DESIGNS]
    assert beside_words.line(few, judged) == beside_words.NO_READING
    assert "aucune des 5 lectures ne laisse le sens ouvert" in beside_words.line(down, judged)
    assert "aucune des 5 lectures ne va dans le même sens" in beside_words.line(
        down, judged | {"low": 1.2, "high": 2.0}
    )


def test_what_opens_has_an_interval_for_every_number() -> None:
    rows = [reading(name, 0.5, 0.9) for name in designs.DESIGNS if name != designs.RING]
    rows[0] |= {"wrong": 2, "tried": 40}
    rows[3] |= {"least": 0.4, "most": float("inf")}
    rows[4] |= {"reason": designs.UNREAD}
    text = beside_words.of_one([*rows, reading(designs.RING, -9.0, 3.0)], KNOBS)
    for line in text.splitlines():
        assert line.count("\u202f%") in (0, 1) or "(de −50,0" in line, line
    assert text.count("−30,0\u202f% (de −50,0\u202f% à −10,0\u202f%)") == 5
    assert "au moins −60,0\u202f%, sans borne au-dessus" in text
    assert "−3 faits (de −9 à +3) | sens non établi |" in text
    assert "| sa seule série | sans réponse |  |" in text
    assert "2 fois sur 40 ; le hasard seul en amènerait 2." in text


def test_the_page_of_actions_does_not_load_what_makes_the_readings() -> None:
    """statsmodels and what it rests on take two seconds: a page that shows rows needs none."""
    code = "import sys, helpers.apps.actions; sys.exit('statsmodels' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
