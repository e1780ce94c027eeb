"""The map of cells, graded: known truth, stability beside the real one, the next year's facts."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.core.stage import params
from helpers.hotspots import grades
from tests.fixtures.real import ROOT, Built


def test_what_is_said_is_true_and_stability_is_that_of_another_year() -> None:
    """Uneven cities of known rates: seed 3, which did not serve to choose the rule."""
    knobs = params.knobs("hotspots", ROOT)
    for facts, found in ((300, 0.0), (30_000, 0.9)):
        drawn = grades.known(facts, 3, knobs, replicates=20)
        told = {name: float(np.mean(values)) for name, values in drawn.items()}
        assert told["false"] <= knobs.false_discovery_rate < told["top"]
        assert told["found"] >= found
        gap = abs(told["said"] - told["real"])
        errors = [np.std(drawn[name]) / len(drawn[name]) ** 0.5 for name in ("said", "real")]
        assert gap <= 3 * np.hypot(*errors)
        assert told["plain"] - told["real"] > gap, "tirer autour des comptes flatte"


def test_of_denvers_next_months_the_map_holds_as_much_as_the_highest_counts(denver: Built) -> None:
    """At equal area; Gi* holds less, and colours cells where nothing happened."""
    knobs = params.knobs("hotspots", ROOT)
    con = denver.connect()
    years = list(grades.years(con, denver.city, knobs.window_days, knobs.radius_m))
    rows = [grades.later(one, knobs, np.random.default_rng(1)) for one in years]
    con.close()
    assert len(rows) >= 6
    for row in rows:
        assert row["map"] >= row["top"] - 1e-12
        assert row["empty"] == 0
    assert sum(row["gi_empty"] for row in rows) > 100
    n = [row["n"] for row in rows]
    gi, top = (np.average([row[k] for row in rows], weights=n) for k in ("gi", "gi_top"))
    assert gi == pytest.approx(0.32, abs=0.06)
    assert gi < top
