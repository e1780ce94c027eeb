"""How good the map of cells is: made-up cities whose rates are known, real ones a year later.

`python -m helpers.hotspots.grades [city …]` prints, for made-up cities, how often a cell that is
said to be apart is not, how many of the busiest are found, and the stability said beside the real
one; for the cities named (their `data/<key>`), the share of the next year's facts that the map
holds, beside as many cells picked by plain counts and by Gi*. Seeds 1 and 2 served to choose the
rule, seed 3 did not.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import false_discovery_control

from helpers.core.base import commands, store
from helpers.core.city.city import City
from helpers.core.place_time.counts import counts
from helpers.core.place_time.territory import cell_size, corners
from helpers.core.stage import params
from helpers.core.stats.hot_cells import OtherYears, chance, neighbours
from helpers.hotspots.cells import hot, near_facts, study_ground
from helpers.hotspots.knobs import Knobs

Floats = NDArray[np.float64]
SEEDS, REPLICATES, SIDE = (1, 2, 3), 40, 66
FACTS = (300, 3000, 30_000)
MUCH = 5  # times the mean: cells that a map should not miss
SMOOTH, LOCAL = 0.6, 0.4  # of the variance of the log rate (shared/simulator.md)
SPREAD = 1.645  # half of the facts in 5 % of the places


def made_up(rng: np.random.Generator, side: int = SIDE) -> Floats:
    """Return the true shares (side²,) of an uneven city, partly smooth and partly not."""
    smooth = ndimage.gaussian_filter(rng.normal(size=(side, side)), 2)
    log = np.sqrt(SMOOTH) * smooth / smooth.std() + np.sqrt(LOCAL) * rng.normal(size=smooth.shape)
    rate = np.exp(SPREAD * log).ravel()
    return np.asarray(rate / rate.sum())


def stability(held: Floats, knobs: Knobs, rng: np.random.Generator) -> float:
    """Return the mean stability that the map tells of its hot cells; NaN if there are none."""
    mine, years = hot(held, knobs), OtherYears(held)
    again = np.mean([hot(years.draw(rng), knobs) for _ in range(knobs.draws)], axis=0)
    return float(again[mine].mean()) if mine.any() else float("nan")


def plain_stability(held: Floats, knobs: Knobs, rng: np.random.Generator) -> float:
    """Return the same by draws around the counts themselves (Poisson), which forget luck."""
    mine = hot(held, knobs)
    again = np.mean([hot(rng.poisson(held).astype(float), knobs) for _ in range(29)], axis=0)
    return float(again[mine].mean()) if mine.any() else float("nan")


def known(facts: int, seed: int, knobs: Knobs, replicates: int = REPLICATES) -> dict[str, Any]:
    """Return the measures over made-up cities of so many facts, with their Monte-Carlo errors.

    `false`: share of hot cells whose true rate is at most `times` the mean; `found`: of the cells
    of at least MUCH times the mean, those hot; `said` and `real` stability, `plain` the naïve one.
    Each value is (mean, error); cities without hot cell tell nothing of stability.
    """
    rng = np.random.default_rng([seed, facts])
    rows: dict[str, list[float]] = {k: [] for k in ("false", "found", "said", "real", "plain")}
    for _ in range(replicates):
        share = made_up(rng)
        held, after = (rng.multinomial(facts, share).astype(float) for _ in range(2))
        mine, times = hot(held, knobs), share * len(share)
        rows["false"].append(float((mine & (times <= knobs.times)).sum() / max(mine.sum(), 1)))
        rows["found"].append(float(mine[times >= MUCH].mean()))
        if mine.any():
            rows["said"].append(stability(held, knobs, rng))
            rows["plain"].append(plain_stability(held, knobs, rng))
            rows["real"].append(float(hot(after, knobs)[mine].mean()))
    return {
        k: (float(np.mean(v)), float(np.std(v) / np.sqrt(len(v)))) if v else (np.nan, np.nan)
        for k, v in rows.items()
    }


@dataclass(frozen=True)
class Years:
    """One theme of a city: its cells' facts in a year and in the next, and their neighbourhoods."""

    theme: str
    held: Floats
    after: Floats
    weights: Any


def years(
    con: duckdb.DuckDBPyConnection, city: City, window_days: int, radius_m: float
) -> Iterator[Years]:
    """Yield the themes with facts in both of the last two windows. Views `cube`, `zones`.

    The ground is what the map knew at the end of the first window; of a city without outlines, all
    the cells that are near a fact already known. A period too short for two is cut in half.
    """
    end = city.about.period.end + dt.timedelta(days=1)
    days = min(window_days, (end - city.about.period.start).days // 2)
    middle = end - dt.timedelta(days=days)
    before = middle - dt.timedelta(days=days)
    busy = [cell for cell, n in counts(con, ["cell"], span=(dt.date(1900, 1, 1), middle)) if n > 0]
    size = cell_size(con)
    if size is None:
        return
    cells = study_ground(con, city, size)[0] or busy
    cells = [c for c, near in zip(cells, near_facts(cells, busy, radius_m), strict=True) if near]
    weights = neighbours(corners(cells).astype(float), radius_m)
    for theme in city.themes:
        found = [
            dict(counts(con, ["cell"], theme=theme, span=span))
            for span in ((before, middle), (middle, end))
        ]
        held, after = (np.array([float(one.get(c, 0)) for c in cells]) for one in found)
        if min(held.sum(), after.sum()) > 0:
            yield Years(theme, held, after, weights)


def later(one: Years, knobs: Knobs, rng: np.random.Generator) -> dict[str, Any]:
    """Return what the map of a year holds of the next, beside plain counts and Gi* at equal area.

    `map` and `top`, shares of the next year's facts in the hot cells and in as many of the highest
    counts; `gi` and `gi_top` the same for the cells that Gi* picks; `pai`, the map's share over its
    share of the ground; `empty` and `gi_empty`, cells of each without a fact.
    """
    mine = hot(one.held, knobs)
    around = false_discovery_control(chance(one.held, one.weights)) <= knobs.false_discovery_rate
    order = np.argsort(-one.held, kind="stable")

    def share(cells: Any) -> float:
        return float(one.after[cells].sum() / one.after.sum())

    return {
        "theme": one.theme, "n": int(one.held.sum()), "hot": int(mine.sum()),
        "empty": int((mine & (one.held == 0)).sum()), "map": share(mine),
        "top": share(order[: mine.sum()]), "pai": share(mine) / max(mine.mean(), 1e-12),
        "gi_hot": int(around.sum()), "gi_empty": int((around & (one.held == 0)).sum()),
        "gi": share(around), "gi_top": share(order[: around.sum()]),
        "said": stability(one.held, knobs, rng),
        "real": float(hot(one.after, knobs)[mine].mean()) if mine.any() else float("nan"),
    }  # fmt: skip


def thinned(one: Years, facts: int, rng: np.random.Generator) -> Years:
    """Return as many of the facts of each year, drawn without putting back."""
    both = [
        rng.multivariate_hypergeometric(x.astype(int), min(facts, int(x.sum())), method="marginals")
        for x in (one.held, one.after)
    ]
    return Years(one.theme, both[0].astype(float), both[1].astype(float), one.weights)


def _print(rows: list[dict[str, Any]]) -> None:
    told = [{k: round(v, 3) if isinstance(v, float) else v for k, v in r.items()} for r in rows]
    print(pa.Table.from_pylist(told).to_pandas().to_string(index=False))


def main(keys: list[str]) -> None:
    """Print the measures of made-up cities, then those of the cities named."""
    knobs: Knobs = params.knobs("hotspots")
    if not keys:
        for seed in SEEDS:
            for facts in FACTS:
                told = known(facts, seed, knobs)
                values = "  ".join(f"{k} {m:.3f} ± {e:.3f}" for k, (m, e) in told.items())
                print(f"seed {seed}  n {facts:6d}  {values}")
    for key in keys:
        city, con = City(Path("data/cities") / key), store.connect()
        for name in ("cube", "zones"):
            store.view(con, name, Path("data") / key / f"{name}.parquet")
        found = list(years(con, city, knobs.window_days, knobs.radius_m))
        rows = [later(one, knobs, np.random.default_rng(1)) for one in found]
        print(f"\n{key}")
        _print(rows)
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            some = [later(thinned(one, 300, rng), knobs, rng) for one in found]
            apart = [row for row in some if row["hot"]]
            both = [np.average([r[k] for r in apart], weights=[r["hot"] for r in apart])
                    for k in ("said", "real")]  # fmt: skip
            print(
                f"seed {seed}, 300 facts a theme: stability said {both[0]:.3f}, real {both[1]:.3f}"
            )


if __name__ == "__main__":
    commands.begin()
    main(sys.argv[1:])
