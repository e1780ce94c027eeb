"""What goes beside a question's count."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.core.stage.run import Run
from helpers.core.stats.intervals import rate_ratio
from helpers.portfolio import asked, beside


def test_days_are_compared_in_the_hours_and_out_of_them(run: Run) -> None:
    """A ratio of daily means, by plain Python; weekends are those of the calendar."""
    about = asked.ask(run, "petards_nuit")
    rows = beside.contrast(about, run, run.knobs)
    assert [row["where"] for row in rows] == ["in", "out", "own"]
    inside, out, own = rows
    assert own["ratio"] == pytest.approx(inside["ratio"] / out["ratio"], abs=1e-5)
    assert own["low"] < min(own["ratio"], inside["low"] / out["ratio"])
    plain = about.facts.execute(
        "SELECT isodow(hour) >= 6, sum(n) FROM cube WHERE hour < '2024-12-30' GROUP BY 1"
    ).fetchall()
    by_kind = dict(plain)
    # Public holidays (23 weekdays and weekends in two years) are apart: the ratio is close to
    assert inside["ratio"] == pytest.approx(by_kind[True] / by_kind[False] * 5 / 2, rel=0.05)


def test_the_ratio_of_two_ratios_covers_the_truth() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(400):
        rows = []
        for true in (1.3, 1.1):
            a, b = rng.poisson(4 * true, 300), rng.poisson(4, 200)
            value, low, high = rate_ratio(a, b, 0.95)
            rows.append({"ratio": value, "low": low, "high": high})
        found = beside._against(*rows)
        inside += found["low"] <= 1.3 / 1.1 <= found["high"]
    assert 0.93 <= inside / 400 <= 0.98
