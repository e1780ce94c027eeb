"""Other designs beside the verdict, in a made-up town whose truth is drawn."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from helpers.core.city.city import City
from helpers.impact import beside, beside_words, effects
from helpers.impact.knobs import Knobs
from helpers.impact.known import Action
from helpers.impact.places import grounds
from tests.fixtures.made_up import CITY, write_pack
from tests.impact.test_effects import KNOBS, PERIOD, actions, fill, hush

PAIR = ("bruit", "tapage")
READ = (beside.PLACES, beside.SYNTHETIC, beside.TWICE)


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
    assert len(rows) == len(those) * len(beside.DESIGNS)
    for row in rows:
        if row["design"] in READ:
            assert row["low"] < row["value"] < row["high"] < 0.85
            assert row["value"] == pytest.approx(0.6, abs=0.12)
            assert row["places"] == 30
        if row["design"] == beside.MONTH:
            assert row["low"] < 1 < row["high"]
        if row["design"] == beside.BLOCKS and not row["reason"]:  # one cell a place: not always
            assert row["least"] <= row["value"] <= row["most"]
    whole = of_all(table, beside.PLACES)
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
    assert float(str(of_all(table, beside.PLACES)["chance"])) > 0.05
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
    month = of_all(table, beside.MONTH)
    assert month["value"] == pytest.approx(2, abs=0.15)
    assert float(str(month["low"])) > 1
    whole = of_all(table, beside.PLACES)
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
    assert {row["reason"] for row in own if row["design"] in (*READ, beside.MONTH)} == {
        beside.FEW_PLACES
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
        "scope": effects.ACTION, "key": "A1", "design": beside.PLACES, "value": 0.5, "low": 0.4,
        "high": 0.62, "chance": 0.02, "places": 40, "wrong": 2, "tried": 40, "reason": "",
        "least": None, "most": None,
    }  # fmt: skip
    ring = row | {"design": beside.RING, "value": -7.6, "low": -12.2, "high": 0.4, "wrong": None,
                  "tried": None}  # fmt: skip
    wide = row | {"design": beside.BLOCKS, "least": 0.31, "most": float("inf"), "tried": None}
    rest = set(beside.DESIGNS) - {one["design"] for one in (row, ring, wide)}
    others = [row | {"design": name, "reason": beside.UNREAD} for name in sorted(rest)]
    table = pa.Table.from_pylist([row, ring, wide, *others], schema=beside.BESIDE)
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
