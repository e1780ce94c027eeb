"""How good the map of cells is: made-up cities whose rates are known, real ones a year later.

`make grade ROOMS=hotspots` tells, for made-up cities, how often a cell that is said to be apart is
not, how many of the busiest are found, and the stability said beside the real one; for the cities
that were computed (their `data/<key>`), the share of the next year's facts that the map holds,
beside as many cells picked by plain counts and by Gi*.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import false_discovery_control

from helpers.core.base import store
from helpers.core.base.workspace import find_root
from helpers.core.city.city import City
from helpers.core.place_time.counts import counts
from helpers.core.place_time.territory import cell_size, corners
from helpers.core.stage import params
from helpers.core.stats.grading import Line, Trial, seen
from helpers.core.stats.hot_cells import OtherYears, chance, neighbours
from helpers.hotspots.cells import hot, near_facts, study_ground
from helpers.hotspots.knobs import Knobs

Floats = NDArray[np.float64]
SIDE = 66
FACTS = (300, 3000, 30_000)
CITIES = ("marseille", "denver", "stlouis")
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


def known(facts: int, seed: int, knobs: Knobs, replicates: int) -> dict[str, list[float]]:
    """Return the measures over made-up cities of so many facts, one value a city.

    `false`: share of hot cells whose true rate is at most `times` the mean; `found`: of the cells
    of at least MUCH times the mean, those hot; `said` and `real` stability, `plain` the naïve one;
    `top` and `gi`, the shares of the cells so picked (highest counts beyond `times` the mean, Gi*)
    that are false. Cities without hot cell tell nothing of stability.
    """
    rng = np.random.default_rng([seed, facts])
    names = ("false", "found", "said", "real", "plain", "top")
    rows: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(replicates):
        share = made_up(rng)
        held, after = (rng.multinomial(facts, share).astype(float) for _ in range(2))
        mine, times = hot(held, knobs), share * len(share)
        over = held > knobs.times * held.mean()
        rows["false"].append(float((mine & (times <= knobs.times)).sum() / max(mine.sum(), 1)))
        rows["top"].append(float((over & (times <= knobs.times)).sum() / max(over.sum(), 1)))
        rows["found"].append(float(mine[times >= MUCH].mean()))
        if mine.any():
            rows["said"].append(stability(held, knobs, rng))
            rows["plain"].append(plain_stability(held, knobs, rng))
            rows["real"].append(float(hot(after, knobs)[mine].mean()))
    return rows


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


def _made_up(seed: int, tries: int) -> Iterator[Line]:
    knobs: Knobs = params.knobs("hotspots")
    for facts in FACTS:
        told = known(facts, seed, knobs, tries)
        setting = f"{facts} faits"
        yield seen("mailles dites à part, à tort", setting, (None, knobs.false_discovery_rate),
                   told["false"], f"comptes de plus de {knobs.times:g} fois la moyenne",
                   told["top"])  # fmt: skip
        yield seen(f"mailles de {MUCH} fois la moyenne, trouvées", setting, (None, None),
                   told["found"])  # fmt: skip
        if told["said"]:
            gap = np.array(told["said"]) - np.array(told["real"])
            plain = np.array(told["plain"]) - np.array(told["real"])
            yield seen("solidité dite moins vraie", setting, (-0.03, 0.03), gap,
                       "autant de tirages autour des comptes", plain)  # fmt: skip


def _next_year(seed: int, tries: int, key: str) -> Iterator[Line]:
    """Yield what the map of each theme of a real city holds of its next year, all themes together.

    The error is that between themes, which are few.
    """
    del tries
    knobs: Knobs = params.knobs("hotspots")
    root = find_root()
    city, con = City(root / "data/cities" / key), store.connect()
    for name in ("cube", "zones"):
        store.view(con, name, root / "data" / key / f"{name}.parquet")
    found = list(years(con, city, knobs.window_days, knobs.radius_m))
    con.close()
    rng = np.random.default_rng(seed)
    rows = [later(one, knobs, rng) for one in found]
    apart = [row for row in rows if row["hot"]]
    setting = f"{city.about.title}, {len(rows)} thèmes"
    what = "part des faits de l'année suivante, à surface égale"
    ahead = [row["map"] - row["top"] for row in apart]
    yield seen("carte moins plus hauts comptes, à surface égale", setting, (0.0, None), ahead,
               share=False)  # fmt: skip
    yield seen(what, f"{setting}, surface de la carte", (None, None), [r["map"] for r in apart],
               "plus hauts comptes", [r["top"] for r in apart])  # fmt: skip
    context = [row for row in rows if row["gi_hot"]]
    yield seen(f"{what}, Gi* (contexte seulement)", f"{setting}, surface de Gi*", (None, None),
               [r["gi"] for r in context], "plus hauts comptes",
               [r["gi_top"] for r in context])  # fmt: skip
    yield seen("mailles à part sans un fait", setting, (None, 0.0), [r["empty"] for r in rows],
               "Gi*", [r["gi_empty"] for r in rows],
               share=False)  # fmt: skip
    some = [later(thinned(one, 300, rng), knobs, rng) for one in found]
    steady = [row for row in some if row["hot"]]
    yield seen("solidité dite moins celle de l'année suivante, à 300 faits", setting,
               (-0.1, 0.1), [r["said"] - r["real"] for r in steady])  # fmt: skip


TRIALS = (
    Trial("made_up", 20, _made_up),
    *(
        Trial(f"next_year_{key}", 1, partial(_next_year, key=key),
              (f"data/{key}/cube.parquet", f"data/{key}/zones.parquet"), drawn=False)
        for key in CITIES
    ),
)  # fmt: skip
