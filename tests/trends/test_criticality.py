"""Scores by hand, levels and their ends, ranks that hold together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from helpers.trends import criticality, levels
from helpers.trends.criticality import Weights
from tests.fixtures.made_up import write_pack

EQUAL = Weights(1, 1, 1, (5, 20), 0.95)


def row(theme: str, zone: str, **changes: Any) -> dict[str, Any]:
    usual = {
        "theme": theme, "division": "carres", "zone": zone, "step": "semaine", "recent": 520,
        "before": 520, "level": 10.0, "level_low": 9.0, "level_high": 11.0, "ratio": 1.0,
        "low": 0.9, "high": 1.1, "p": 1.0, "detectable": 1.2, "spread": 0.05, "error": 0.07,
        "freedom": 24, "label": "unclear", "remark": "", "status": "ok", "reason": "",
    }  # fmt: skip
    return {**usual, **changes}


def scored(tmp_path: Path, rows: list[dict[str, Any]], weights: Weights = EQUAL) -> dict[str, Any]:
    table = criticality.score(
        pa.Table.from_pylist(rows, schema=levels.SCHEMA), write_pack(tmp_path), weights
    )
    return {f"{r['theme']}/{r['zone']}": r for r in table.to_pylist()}


def test_the_score_is_the_published_product(tmp_path: Path) -> None:
    """Severity 2 for noise, 1 for dumping: 10 × 2 × 1.5; squared weights square each part."""
    rows = [row("bruit", "A", ratio=1.5), row("depots", "B", ratio=0.5)]
    found = scored(tmp_path, rows)
    assert found["bruit/A"]["score"] == pytest.approx(30)
    assert found["depots/B"]["score"] == pytest.approx(5)
    assert (found["bruit/A"]["level"], found["bruit/A"]["severity"]) == ("forte", 2)
    other = scored(tmp_path, rows, Weights(2, 0, 1, (5, 20), 0.95))
    assert other["bruit/A"]["score"] == pytest.approx(150)


def test_a_year_is_told_in_weeks(tmp_path: Path) -> None:
    found = scored(tmp_path, [row("bruit", "A", step="an", level=521.775)])
    assert found["bruit/A"]["per_week"] == pytest.approx(10)


def test_what_trends_abstains_from_has_no_score(tmp_path: Path) -> None:
    gone = row("bruit", "B", status="abstained", reason="moins de 30 faits", ratio=None, level=None)
    new = row("bruit", "C", ratio=None)
    found = scored(tmp_path, [row("bruit", "A"), gone, new])
    for zone, reason in (("B", "moins de 30 faits"), ("C", "aucun fait")):
        one = found[f"bruit/{zone}"]
        assert (one["status"], one["score"], one["rank"]) == ("abstained", None, None)
        assert reason in one["reason"]
    assert found["bruit/A"]["ranked"] == 1


def test_the_interval_is_that_of_the_two_counts(tmp_path: Path) -> None:
    """Score n²/m for equal weights: drawn counts stay within the interval as often as said."""
    rng = np.random.default_rng(3)
    runs, inside = 400, 0
    for _ in range(runs):
        recent, before = rng.poisson(400), rng.poisson(400)
        one = row("depots", "A", level=recent / 52, ratio=recent / before, freedom=0,
                  spread=recent**-0.5, error=(1 / recent + 1 / before) ** 0.5)  # fmt: skip
        found = scored(tmp_path, [one])["depots/A"]
        inside += found["low"] <= 400 / 52 <= found["high"]
    assert 0.92 <= inside / runs <= 0.98


def test_the_ends_of_the_interval_have_levels_of_their_own(tmp_path: Path) -> None:
    found = scored(tmp_path, [row("bruit", "A", level=10.0, ratio=0.95, spread=0.2, error=0.25)])
    one = found["bruit/A"]
    assert (one["level_low"], one["level"], one["level_high"]) == ("moyenne", "moyenne", "forte")
    assert one["low"] < 20 < one["high"]
