"""Scores by hand, levels and their ends, ranks that hold together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from helpers.core.stage import params
from helpers.trends import criticality, grades, levels
from helpers.trends.knobs import CriticalityWeights, Knobs
from tests.fixtures.made_up import write_pack
from tests.fixtures.real import ROOT

KNOBS: Knobs = params.knobs("trends", ROOT)
EQUAL = KNOBS.model_copy(
    update={"criticality_weights": CriticalityWeights(count=1, severity=1, trend=1),
            "criticality_thresholds": (5, 20), "confidence": 0.95}
)  # fmt: skip


def row(theme: str, zone: str, **changes: Any) -> dict[str, Any]:
    usual = {
        "theme": theme, "division": "carres", "zone": zone, "step": "week", "recent": 520,
        "before": 520, "level": 10.0, "level_low": 9.0, "level_high": 11.0, "ratio": 1.0,
        "low": 0.9, "high": 1.1, "p": 1.0, "detectable": 1.2, "spread": 0.05, "error": 0.07,
        "freedom": 24, "label": "unclear", "remarks": [], "status": "ok", "reason": "",
    }  # fmt: skip
    return {**usual, **changes}


def scored(tmp_path: Path, rows: list[dict[str, Any]], knobs: Knobs = EQUAL) -> dict[str, Any]:
    table = criticality.score(
        pa.Table.from_pylist(rows, schema=levels.SCHEMA), write_pack(tmp_path), knobs
    )
    return {f"{r['theme']}/{r['zone']}": r for r in table.to_pylist()}


def test_the_score_is_the_published_product(tmp_path: Path) -> None:
    """Severity 2 for noise, 1 for dumping: 10 × 2 × 1.5; squared weights square each part."""
    rows = [row("bruit", "A", ratio=1.5), row("depots", "B", ratio=0.5)]
    found = scored(tmp_path, rows)
    assert found["bruit/A"]["score"] == pytest.approx(30)
    assert found["depots/B"]["score"] == pytest.approx(5)
    assert (found["bruit/A"]["level"], found["bruit/A"]["severity"]) == ("high", 2)
    squared = CriticalityWeights(count=2, severity=0, trend=1)
    other = scored(tmp_path, rows, EQUAL.model_copy(update={"criticality_weights": squared}))
    assert other["bruit/A"]["score"] == pytest.approx(150)


def test_a_year_is_told_in_weeks(tmp_path: Path) -> None:
    found = scored(tmp_path, [row("bruit", "A", step="year", level=521.775)])
    assert found["bruit/A"]["per_week"] == pytest.approx(10)


def test_what_trends_abstains_from_has_no_score(tmp_path: Path) -> None:
    gone = row("bruit", "B", status="abstained", reason="too_few", ratio=None, level=None)
    new = row("bruit", "C", ratio=None)
    found = scored(tmp_path, [row("bruit", "A"), gone, new])
    for zone, reason in (("B", "too_few"), ("C", "no_ratio")):
        one = found[f"bruit/{zone}"]
        assert (one["status"], one["score"], one["rank"]) == ("abstained", None, None)
        assert one["reason"] == reason
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
    assert (one["level_low"], one["level"], one["level_high"]) == ("middle", "middle", "high")
    assert one["low"] < 20 < one["high"]


def test_the_last_year_weighs_once_where_chance_explains_the_changes(tmp_path: Path) -> None:
    """Three zones whose counts moved by chance: the level is that of both years, the ratio 1."""
    rows = [
        row("bruit", zone, recent=n, before=m, level=n / 52, ratio=n / m, freedom=0,
            spread=n**-0.5, error=(1 / n + 1 / m) ** 0.5)
        for zone, n, m in (("A", 106, 94), ("B", 95, 105), ("C", 100, 100))
    ]  # fmt: skip
    found = scored(tmp_path, rows)
    for zone in "ABC":
        assert found[f"bruit/{zone}"]["ratio"] == pytest.approx(1, abs=0.01)
        assert found[f"bruit/{zone}"]["per_week"] == pytest.approx(100 / 52, rel=0.01)


def test_the_truly_heaviest_are_found() -> None:
    """Small runs of `grades`; its command's own are in docs/methodes/trends.md."""
    own, twice, _ = grades.heaviest_found(33, 20, 0.0).mean(axis=0)
    assert own >= 0.93
    assert own > twice
    own, twice, both = grades.heaviest_found(34, 20, 0.1).mean(axis=0)
    assert own >= max(twice, both) - 0.01
