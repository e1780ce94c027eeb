"""A year's backtest of zones × 4 slots × themes: seconds, one core.

Counts are drawn: Poisson levels by zone, a week's shape, five years of days. Prints the seconds of
the whole year's backtest (all methods, all horizons, a choice of method on the year before), how
they are spent, and their ratio to the two or three fits that it holds. Beside it, on the first
theme and one horizon of the four, a week: plain LightGBM and statsforecast, where they are
installed (benchmarks/requirements-forecast.txt), their seconds and their mean CRPS.

`OPENBLAS_NUM_THREADS=1 python -m benchmarks.forecast [--size full]`; full is 111 zones and 12
themes, what a city of 900,000 has.
"""

from __future__ import annotations

import datetime as dt
import time

import numpy as np

from benchmarks.parts import forecast_peers
from benchmarks.parts.measure import Size, at_hand, parser, show_ratio
from helpers.backtest import rolled, scores
from helpers.backtest.knobs import Knobs
from helpers.core.place_time.slots import SLOTS, UNPLACED, Slots
from helpers.core.stats import rolling
from helpers.core.stats.count_levels import Target
from helpers.core.stats.count_scores import crps

NEEDS = "requirements-forecast.txt"
PEERS = {"lightgbm": forecast_peers.lightgbm, "statsforecast": forecast_peers.statsforecast}
SHAPES: dict[Size, tuple[int, int]] = {"tiny": (6, 1), "small": (111, 2), "full": (111, 12)}
DAYS = 5 * 365
KNOBS = Knobs(
    origins=("citizen",), minimum_count=30, complete_share=0.98, training_weeks=104,
    training_step_weeks=4, named_share=0.05, confidence=0.95,
)  # fmt: skip


def theme(zones: int, seed: int) -> Slots:
    """Return a theme's made-up counts."""
    rng = np.random.default_rng(seed)
    level = rng.gamma(0.5, 0.6, zones + 1) * rng.uniform(0.2, 2)
    shape = np.array([0.6, 1.2, 1.4, 0.8])
    week = np.where(np.arange(DAYS) % 7 >= 5, 1.4, 0.85)
    mean = level[None, None] * shape[None, :, None] * week[:, None, None]
    names = (*(f"z{i:03}" for i in range(zones)), UNPLACED)
    return Slots(
        "theme", "zones", "demand", dt.date(2021, 1, 1), rng.poisson(mean).astype(float), SLOTS,
        names, np.full((DAYS, zones + 1), ""), 4, {},
    )  # fmt: skip


def beside(held: Slots, seconds: float) -> None:
    """Compare with the peers, a week ahead: our `seconds` are those of the whole, all horizons."""
    week = next(one for one in rolled.roll(held, KNOBS, 1) if one.horizon == "week")
    slots = range(len(SLOTS))
    ours = crps(week.judged.came[:, slots], week.judged.means[week.method][:, slots], 0).mean()
    for name, peer in PEERS.items():
        if at_hand(name, NEEDS):
            began = time.perf_counter()
            came, mean = peer(rolled.panel(held), week.judged, week.lead)
            spent = time.perf_counter() - began
            show_ratio(f"toute l'épreuve d'un thème / {name}, une semaine", seconds, spent)
            show_ratio(f"CRPS d'une semaine, nous / {name}", ours, crps(came, mean, 0).mean())


def main() -> None:
    """Backtest each theme in turn; print the seconds."""
    size: Size = parser(__doc__).parse_args().size
    zones, themes = SHAPES[size]
    forecasts, fits, rolls, judged = 0, 0.0, 0.0, 0.0
    for seed in range(themes):
        held = theme(zones, seed)
        began = time.perf_counter()
        days, target = rolled.panel(held), Target(held.lead, 7)
        first = int(rolling.origins(days.steps, target, 7, 0).min())
        rolling.learnt(days, first, target, KNOBS.training_weeks, KNOBS.training_step_weeks, 1)
        fits += time.perf_counter() - began
        began = time.perf_counter()
        found = list(rolled.roll(held, KNOBS, 1))
        rolls += time.perf_counter() - began
        began = time.perf_counter()
        area = np.ones(zones)
        for one in found:
            told = list(scores.scores(held, one, 1))
            forecasts += sum(row["forecasts"] for row in told)
            for rows in (scores.skill(held, one, KNOBS), scores.places(held, one, area, KNOBS)):
                list(rows)
        judged += time.perf_counter() - began
    whole = rolls + judged
    print(
        f"{themes} thèmes × {zones} zones × 4 tranches, 52 origines × 3 ans : {whole:.1f} s "
        f"(prévoir {rolls:.1f}, juger {judged:.1f}), {forecasts:,} prévisions jugées"
    )
    show_ratio("toute l'épreuve / un ajustement par thème", whole, fits)
    show_ratio("limite de 5 minutes / toute l'épreuve", 300.0, whole)
    beside(theme(zones, 0), whole / themes)


if __name__ == "__main__":
    main()
