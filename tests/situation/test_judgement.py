"""One judgement: alerts stay alerts whatever the period, and chance brings what it is said to."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from helpers.core.stage import params
from helpers.situation import alerts, expected, judgement, levels
from helpers.situation.judgement import ABSTAINED, ALERT, BELOW, USUAL, WATCH, Judgement
from helpers.situation.knobs import Knobs
from tests.fixtures.real import ROOT

KNOBS: Knobs = params.knobs("situation", ROOT)
MAIN, OTHER = "quartiers", "arrondissements"


def of_a_test(zone: str, days: int, n: int, division: str = MAIN, **told: Any) -> dict[str, Any]:
    row = {
        "theme": "bruit", "period_days": days, "division": division, "zone": zone, "n": n,
        "expected": 2.0, "low": 0.0, "high": 5.0, "references": 12, "dispersion": 0.0, "p": 0.5,
        "q": 1.0, "alert": False, "watch": False, "limit": 0.001, "status": "ok", "reason": "",
    }  # fmt: skip
    return row | told


def level(zone: str, n: int, division: str = MAIN, **told: Any) -> dict[str, Any]:
    row = {
        "theme": "bruit", "period_days": 28, "division": division, "zone": zone, "n": n,
        "expected": 20.0, "low": 12.0, "high": 29.0, "references": 50, "aside_days": 0,
        "aside_n": 0, "level": "usual", "remarks": [], "status": "ok", "reason": "",
    }  # fmt: skip
    return row | told


def judged(of_alerts: list[dict[str, Any]], of_levels: list[dict[str, Any]]) -> Judgement:
    return Judgement(
        pa.Table.from_pylist(of_alerts, alerts.SCHEMA),
        pa.Table.from_pylist(of_levels, levels.SCHEMA), MAIN, KNOBS,
    )  # fmt: skip


def tiers(found: Judgement, days: int, division: str = MAIN) -> dict[str, str]:
    return {row["zone"]: row["tier"] for row in found.rows(division, days)}


def test_an_alert_in_force_is_one_whatever_the_period() -> None:
    zones = {"ville": {}, "A": {"alert": True}, "B": {"watch": True}, "C": {}}
    found = judged(
        [of_a_test(zone, 1, 9 if told else 2, **told) for zone, told in zones.items()]
        + [of_a_test(zone, 7, 2) for zone in zones],
        [level(zone, 20) for zone in zones],
    )
    for days in (1, 7, 28):
        assert tiers(found, days)["A"] == ALERT
        assert found.standing_out(MAIN, days)[0]["zone"] == "A"
        assert tiers(found, days)["C"] == USUAL
    # What is worth a look over a day is, over the week that holds it; over a month it is not told.
    assert [tiers(found, days)["B"] for days in (1, 7, 28)] == [WATCH, WATCH, USUAL]
    assert {row["zone"]: row["tier"] for row in found.exact(MAIN, 7)}["A"] == USUAL


def test_a_count_outside_its_interval_alone_does_not_stand_out() -> None:
    """What was coloured before: above the interval of one comparison, among a hundred of them."""
    zones = [f"Z{i:03}" for i in range(111)]
    rows = [level(zone, 20) for zone in zones]
    rows[3] |= {"n": 31, "level": "above"}
    rows[5] |= {"n": 90, "level": "above"}
    rows[6] |= {"n": 0, "level": "below"}
    rows[7] |= {"n": None, "low": None, "high": None, "status": "missing", "reason": levels.SILENT}
    found = tiers(judged([], rows), 28)
    assert [found[zones[i]] for i in (3, 5, 6, 7)] == [USUAL, WATCH, BELOW, ABSTAINED]


def test_the_city_is_judged_once_beside_the_zones_of_any_division() -> None:
    found = judged(
        [],
        [level("ville", 20), level("A", 20), level("ville", 20, OTHER), level("1", 20, OTHER)],
    )
    assert [row["zone"] for row in found.exact(OTHER, 28)] == ["ville", "1"]
    assert found.compared(OTHER, 28) == 2


@pytest.mark.parametrize("references", [8, 50])
@pytest.mark.parametrize("mean", [3.0, 40.0])
def test_chance_alone_brings_what_the_page_says(mean: float, references: int) -> None:
    """Of counts that nothing moves, about `watch_false_a_day` stand out, whatever their size."""
    rng = np.random.default_rng(20260101)
    zones, days, seen = 400, 60, 0
    for _ in range(days):
        drawn = rng.poisson(mean, (zones, references + 1)).astype(float)
        told = expected.by_references(drawn[:, 1:], np.ones(references), 1.0, KNOBS.confidence)
        rows = [
            level(f"Z{i}", int(drawn[i, 0]), references=references, expected=float(told.value[i]),
                  low=float(told.low[i]), high=float(told.high[i]))
            for i in range(zones)
        ]  # fmt: skip
        seen += len(judged([], rows).standing_out(MAIN, 28))
    assert seen / days <= 1.5 * KNOBS.watch_false_a_day


def test_since_when_is_the_day_of_the_step() -> None:
    first = dt.date(2025, 12, 4)
    days = [first + dt.timedelta(days=i) for i in range(28)]
    counts = [1, 0, 2, 1] * 5 + [4, 5, 3, 6, 4, 5, 4, 6]
    assert judgement.since(list(zip(days, counts, strict=True)), 1.0, 4.6) == days[20]
    last = [*([0] * 27), 5]
    assert judgement.since(list(zip(days, last, strict=True)), 0.0, 5.0) == days[27]
