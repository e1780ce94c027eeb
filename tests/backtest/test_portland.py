"""Portland's calls of 2012 to 2017: places named, and a year of weeks, against published tables."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import shapefile
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from helpers.core.stats import count_scores, rolling
from helpers.core.stats.count_levels import LAST, RECENT, YEAR, Panel, Target
from helpers.core.stats.count_models import CHALLENGERS, MEAN
from helpers.core.stats.places_named import named

Floats = NDArray[np.float64]
MILE, KM = 5280.0, 1000 / 0.3048  # feet
AREA = 147.70  # square miles
TRAINED = np.datetime64("2017-03-01")
ENDS = ("2017-03-08", "2017-03-15", "2017-04-01", "2017-05-01", "2017-06-01")
YEARS_5, YEARS_1 = 5 * 365 + 1, 365
# file, cell in feet, area flagged in square miles, weights by age, PAI, PEI of three months.
ROWS = {
    "vehicles_5y": ("vehicle_theft", 250, 0.25, ("count", YEARS_5),
                    (33.4, 65.5, 47.5, 44.4, 41.7), 0.356),
    "vehicles_1y": ("vehicle_theft", 250, 0.25, ("count", YEARS_1),
                    (20.9, 41.8, 34.1, 30.6, 28.8), 0.246),
    "vehicles_ewma_365": ("vehicle_theft", 250, 0.25, ("half", 365),
                          (25.1, 44.0, 34.8, 32.8, 32.4), 0.277),
    "vehicles_ewma_180": ("vehicle_theft", 600, 0.75, ("half", 180),
                          (16.7, 19.0, 15.9, 13.4, 12.7), 0.388),
    "burglary_ewma_180": ("burglary", 600, 0.75, ("half", 180), (9.9, 4.8, 4.2, 6.8, 6.6), 0.129),
}  # fmt: skip
COUNTS = {"vehicle_theft": (71, 135, 273, 543, 805), "burglary": (20, 41, 93, 175, 268)}


@pytest.fixture(scope="module")
def portland(shared: Path) -> Path:
    folder = shared / "portland"
    if not folder.is_dir():
        pytest.skip(f"NO REAL DATA: {folder} is absent, no forecast is checked against Portland")
    return folder


def read(folder: Path, name: str) -> tuple[NDArray[np.datetime64], Floats, Floats]:
    with (folder / f"{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    days = np.array([row["occ_date"] for row in rows], dtype="datetime64[D]")
    return days, *(np.array([float(row[c]) for row in rows]) for c in ("x_coordina", "y_coordina"))


def bounds(folder: Path) -> tuple[float, float, float, float]:
    reader = shapefile.Reader(str(folder / "Portland_Police_Districts"))
    whole = shapely.union_all([shape(one.__geo_interface__).buffer(0) for one in reader.shapes()])
    assert whole.area / MILE**2 == pytest.approx(AREA, abs=0.01)
    return whole.bounds


@pytest.mark.parametrize("row", ROWS)
def test_places_named_hold_what_the_table_says(portland: Path, row: str) -> None:
    """Within half a point, or what twenty draws of ties leave: with one year most cells tie."""
    name, side, flagged, (kind, days_), pai, pei = ROWS[row]
    days, x, y = read(portland, name)
    west, south, east, north = bounds(portland)
    columns, rows = (int(np.ceil(d / side)) for d in (east - west, north - south))
    cell = ((x - west) // side * rows + (y - south) // side).astype(int)
    age = (TRAINED - days).astype(int).astype(float)
    past = age > 0
    weight = np.where(age <= days_, 1.0, 0.0) if kind == "count" else 0.5 ** (age / days_)
    score = np.bincount(cell[past], weight[past], columns * rows)
    k = int(flagged * MILE**2 / side**2)
    area = np.full(len(score), (side / MILE) ** 2 * 1.0)
    found, spread = [], []
    for end, count in zip(ENDS, COUNTS[name], strict=True):
        ahead = (days >= TRAINED) & (days < np.datetime64(end))
        assert ahead.sum() == count
        came = np.bincount(cell[ahead], minlength=len(score)).astype(float)
        drawn = []
        for seed in range(20):
            # Ties broken at random: a place's rank is its score.
            order = np.lexsort((np.random.default_rng(seed).random(len(score)), score))
            rank = np.argsort(order).astype(float) + 1
            one = named(rank, came, area, k * area[0])
            drawn.append((one.hit_rate / (k * area[0] / AREA), one.efficiency))
        mean = named(score, came, area, k * area[0])
        found.append((*np.mean(drawn, axis=0), mean.hit_rate / (k * area[0] / AREA)))
        spread.append(np.std(drawn, axis=0)[0])
    told = np.array(found)
    # Two means of twenty draws differ by as much, 99 times in 100.
    ties = np.maximum(0.5, 2.6 * np.sqrt(2 / 20) * np.array(spread))
    assert (np.abs(told[:, 0] - pai) <= ties).all(), told[:, 0]
    assert (np.abs(told[:, 2] - pai) <= ties).all(), told[:, 2]
    assert told[-1, 1] == pytest.approx(pei, abs=0.005 + 0.3 * ties[-1] / 30)


WEEKLY = {  # CRPS, hit rate at 5 % of the cells, KS of the PIT; of Poisson forecasts
    LAST: (0.1873, 0.117, 0.053),
    YEAR: (0.1314, 0.147, 0.020),
    RECENT: (0.1309, 0.155, 0.023),
}


def test_a_year_of_weeks_on_cells_of_a_kilometre(portland: Path) -> None:
    days, x, y = read(portland, "vehicle_theft")
    west, south, *_ = bounds(portland)
    squares = (x - west) // KM * 1000 + (y - south) // KM
    cells, cell = np.unique(squares, return_inverse=True)
    assert len(cells) == 333
    monday = np.datetime64("2017-05-29")  # weeks from Monday to Sunday, the last one whole
    ago = ((monday - days).astype(int) - 1) // 7
    steps = int((monday - days.min()).astype(int)) // 7
    counts = np.zeros((steps, 1, len(cells)))
    held = (ago >= 0) & (ago < steps)
    np.add.at(counts, (steps - 1 - ago[held], 0, cell[held]), 1)
    season = 2 * np.pi * np.arange(steps + 52) / 52.1775
    weeks = Panel(counts, np.ones((steps, len(cells)), dtype=bool), np.zeros(steps, dtype=int),
                  season, 1)  # fmt: skip
    target = Target(0, 1)
    at = rolling.origins(steps, target, 1, 0)
    assert at.tolist() == list(range(steps - 52, steps))
    means: dict[str, list[Floats]] = {}
    came = []
    for quarter in np.split(at, 4):  # models are fitted four times a year
        fitted = rolling.learnt(weeks, int(quarter[0]), target, 1000, 1, 1)
        found = rolling.block(weeks, quarter, target, fitted)
        came.append(found.came)
        for name, mean in found.means.items():
            means.setdefault(name, []).append(mean)
    observed = np.concatenate(came)
    told = {name: judged(np.concatenate(mean), observed) for name, mean in means.items()}
    for name, row in WEEKLY.items():
        assert told[name][0] == pytest.approx(row[0], abs=2e-4), name
        assert told[name][1] == pytest.approx(row[1], abs=0.005), name
        assert told[name][2] == pytest.approx(row[2], abs=0.004), name
    crps, hit_rate, ks = told[MEAN]
    assert crps <= 0.1298
    assert ks <= 0.010
    assert hit_rate > told[YEAR][1]
    for name in CHALLENGERS:
        assert told[name][0] <= 0.1303
        assert told[name][2] <= 0.010
        assert told[name][0] > 0.95 * told[YEAR][0], "a gain of more is a leak: hunt it"


def judged(mean: Floats, observed: Floats) -> tuple[float, float, float]:
    """Return CRPS, hit rate at 5 % of the cells and KS of Poisson forecasts."""
    m, y, none = mean.ravel(), observed.ravel(), np.zeros(mean.size)
    ones = np.ones(mean.shape[2])
    pairs = zip(mean[:, 0], observed[:, 0], strict=True)
    hits = sum(named(a, b, ones, 0.05 * len(ones)).hits for a, b in pairs)
    transformed = count_scores.pit(y, m, none, np.random.default_rng(1))
    return (float(count_scores.crps(y, m, none).mean()), hits / float(y.sum()),
            count_scores.from_uniform(transformed))  # fmt: skip
