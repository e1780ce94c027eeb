"""What forecasts hold of what they say, over the year that judges. `make grade ROOMS=backtest`.

Nothing is drawn: the cities that were computed have been forecast for a year, week after week.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq

from helpers.core.base.workspace import find_root
from helpers.core.stats.count_levels import LAST
from helpers.core.stats.grading import Line, Trial, seen
from helpers.core.stats.rolling import HORIZONS

SCORES = "data/marseille/derived/backtest/scores.parquet"
CITY = "Marseille simulée"
WORDS = {"slot": "prochaine tranche", "day": "lendemain", "week": "7 jours", "month": "28 jours"}


def _year(seed: int, tries: int) -> Iterator[Line]:
    """Yield coverage and CRPS by horizon; the error is that between themes."""
    del seed, tries
    rows = pq.read_table(find_root() / SCORES).to_pylist()
    for horizon in HORIZONS:
        mine = [r for r in rows if r["horizon"] == horizon and r["chosen"]]
        for division in sorted({r["division"] for r in mine}):
            here = [r for r in mine if r["division"] == division]
            setting = f"{CITY}, {WORDS[horizon]}, {division}"
            yield seen("compte à venir, dans son intervalle à 80 %", setting, (0.77, 0.83),
                       [r["covered_80"] for r in here])  # fmt: skip
        last = {(r["theme"], r["division"], r["part"]): r["crps"] for r in rows
                if r["horizon"] == horizon and r["method"] == LAST}  # fmt: skip
        both = [(r["crps"], last[key]) for r in mine
                if (key := (r["theme"], r["division"], r["part"])) in last]  # fmt: skip
        if both:
            ratio = [own / max(other, 1e-9) for own, other in both]
            yield seen("CRPS, sur celui du dernier compte connu", f"{CITY}, {WORDS[horizon]}",
                       (None, 1.0), ratio, "dernier compte connu", np.ones(len(ratio)))  # fmt: skip


TRIALS = (Trial("year", 1, _year, (SCORES,), drawn=False),)
