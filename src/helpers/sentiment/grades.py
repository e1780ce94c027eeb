"""What is said of how quiet people feel, held against surveys whose truth is known.

`make grade ROOMS=sentiment`. Adults of sixteen districts and three ages, of whom those who answer
may be like the others, or not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np

from helpers.core.city.names import WHOLE
from helpers.core.stage import params
from helpers.core.stats.grading import Line, Trial, seen
from helpers.sentiment import index
from helpers.sentiment.answers import Floats, Survey
from helpers.sentiment.knobs import Knobs

PLACES, AGES = 16, 3
ADULTS = 700_000
DAYS = [dt.date(2023, 11, 20), dt.date(2024, 11, 18)]
ANSWERS = 0.4  # of those invited


def survey(rng: np.random.Generator, invited: int, leans: float) -> tuple[Survey, Floats]:
    """Return two waves, and their true shares (waves,); answers lean by `leans` (log odds).

    The young answer less, and feel less quiet: what post-stratification is for.
    """
    adults = ADULTS * rng.dirichlet(np.full(PLACES * AGES, 20.0)).reshape(PLACES, AGES)
    odds = rng.normal(0.2, 0.4, (PLACES, 1)) + np.array([-0.5, 0.0, 0.4])
    quiet = 1 / (1 + np.exp(-odds))
    asked = np.round(invited * adults / adults.sum())
    often = ANSWERS * np.array([0.6, 1.0, 1.3])
    if_quiet, if_not = (1 / (1 + np.exp(-(np.log(often / (1 - often)) + side * leans / 2)))
                        for side in (1, -1))  # fmt: skip
    shape = (len(DAYS), PLACES, AGES)
    feel = rng.binomial(np.broadcast_to(asked, shape).astype(int), np.broadcast_to(quiet, shape))
    yes = rng.binomial(feel, np.broadcast_to(if_quiet, shape))
    no = rng.binomial((asked - feel).astype(int), np.broadcast_to(if_not, shape))
    names = [f"{i:02}" for i in range(PLACES)]
    told = Survey(
        DAYS, names, [str(i) for i in range(AGES)], names, np.arange(PLACES),
        np.broadcast_to(adults, shape), np.broadcast_to(asked, shape),
        (yes + no).astype(float), yes.astype(float),
    )  # fmt: skip
    return told, np.full(len(DAYS), float((quiet * adults).sum() / adults.sum()))


def _waves(seed: int, tries: int) -> Iterator[Line]:
    knobs: Knobs = params.knobs("sentiment")
    for leans, setting in ((0.0, "ceux qui répondent sont comme les autres"),
                           (0.4, "ceux qui répondent sont plus tranquilles")):  # fmt: skip
        rng = np.random.default_rng([seed, int(10 * leans)])
        chance, band, raw, moved = [], [], [], []
        for _ in range(tries):
            told, truth = survey(rng, 6000, leans)
            rows = [r for r in index.by_wave(told, knobs).to_pylist() if r["zone"] == WHOLE]
            last = rows[-1]
            chance.append(last["low"] <= truth[-1] <= last["high"])
            band.append(last["shift_low"] <= truth[-1] <= last["shift_high"])
            n, yes = told.answers[-1].sum(), told.quiet[-1].sum()
            error = 1.96 * np.sqrt(yes / n * (1 - yes / n) / n)
            raw.append(abs(yes / n - truth[-1]) <= error)
            moved.append(not last["change_low"] <= 0 <= last["change_high"])
        usual = "part des réponses, sans redressement"
        yield seen("part vraie, dans la bande large", setting, (0.95, None), band, usual, raw)
        yield seen("part vraie, dans l'intervalle du hasard seul", setting,
                   (0.93 if not leans else None, None), chance, usual, raw)  # fmt: skip
        yield seen("évolution dite à tort d'une vague à l'autre", setting, (None, 0.06), moved)


TRIALS = (Trial("waves", 300, _waves),)
