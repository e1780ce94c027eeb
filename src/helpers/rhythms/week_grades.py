"""What is said of the hours of the week, held against profiles that are known.

`make grade ROOMS=rhythms`. Facts known between two hours, shared out as is likeliest or equally;
nights that move all their hours at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from helpers.core.place_time.calendar import HOURS_OF_WEEK
from helpers.core.stats.grading import Line, Trial, seen
from helpers.rhythms import shared_out, week
from helpers.rhythms.across_weeks import BUSIEST
from helpers.rhythms.week import Floats

CONFIDENCE = 0.95
WEEKS = 52
TENTH = HOURS_OF_WEEK // 10 + 1
LONGEST, EXACT = 12, 0.4  # hours within which a fact is known; share of those known to the hour


def uneven() -> Floats:
    """Return a week's profile (168,): evenings, weekends, and two nights apart."""
    hours = np.arange(HOURS_OF_WEEK)
    truth = np.exp(0.9 * np.sin(2 * np.pi * (hours % 24 - 14) / 24) + 0.3 * (hours >= 120))
    truth[[100, 101, 124, 125]] *= 2
    return np.asarray(truth / truth.sum())


def intervals(rng: np.random.Generator, truth: Floats, facts: int) -> shared_out.Intervals:
    """Return so many facts of that profile, each known within one hour or up to `LONGEST`."""
    happened = rng.choice(HOURS_OF_WEEK, facts, p=truth)
    lengths = np.where(rng.random(facts) < EXACT, 1, rng.integers(2, LONGEST + 1, facts))
    starts = (happened - (rng.random(facts) * lengths).astype(int)) % HOURS_OF_WEEK
    groups, counts = np.unique(np.stack([starts, lengths]), axis=1, return_counts=True)
    return shared_out.Intervals(groups[0], groups[1], counts.astype(float))


def _shared(seed: int, tries: int) -> Iterator[Line]:
    truth = uneven()
    busy, quiet = np.argsort(truth)[-TENTH:], np.argsort(truth)[:TENTH]
    lived = np.full(HOURS_OF_WEEK, float(WEEKS))
    for facts in (10_000, 45_000):
        rng, rate = np.random.default_rng([seed, facts]), truth * facts / WEEKS
        inside: list[float] = []
        plain: list[float] = []
        quietest, flat = [], []
        for _ in range(tries):
            one = intervals(rng, truth, facts)
            equal = week.aoristic(one.starts.tolist(), one.lengths.tolist(),
                                  one.counts.astype(int).tolist())  # fmt: skip
            weights = shared_out.likeliest(one, equal)
            spread = shared_out.loss(shared_out.covariance(one, weights), weights)
            for shares, wide, into in ((weights, spread, inside), (equal, 1.0, plain)):
                _, low, high = week.rates(shares, lived, wide, CONFIDENCE)
                into.append(float(((low <= rate) & (rate <= high))[busy].mean()))
            quietest.append(float(weights[quiet].sum() / facts / truth[quiet].sum()))
            flat.append(float(equal[quiet].sum() / facts / truth[quiet].sum()))
        setting = f"{facts} faits, 60 % connus à douze heures près au plus"
        usual = "partage égal (aoristique)"
        yield seen("dixième des heures le plus chargé, dans son intervalle à 95 %", setting,
                   (0.92, None), inside, usual, plain)  # fmt: skip
        yield seen("dixième le plus calme, dit sur vrai", setting, (0.9, 1.1), quietest, usual,
                   flat)  # fmt: skip


def _busiest(seed: int, tries: int) -> Iterator[Line]:
    truth, facts = uneven(), 50_000
    for shared in (0.0, 0.2, 0.4):
        rng = np.random.default_rng([seed, int(10 * shared)])
        inside, plain = [], []
        for _ in range(tries):
            excess = np.exp(rng.normal(-(shared**2) / 2, shared, (WEEKS, 7)))
            mean = facts / WEEKS * truth * np.repeat(excess, 24, axis=1)
            weeks = rng.poisson(mean).astype(float)
            weights = weeks.sum(axis=0)
            top = week.busiest(weights, np.diag(weights), CONFIDENCE, weeks)
            true = truth[(top.start + np.arange(BUSIEST)) % HOURS_OF_WEEK].sum()
            inside.append(top.low <= true <= top.high)
            total = weights.sum()
            error = stats.norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(
                top.share * (1 - top.share) / total
            )
            plain.append(abs(top.share - true) <= error)
        yield seen("les six heures les plus chargées, dans leur intervalle à 95 %",
                   f"{facts} faits, excès de chaque jour {shared:g}", (0.93, None), inside,
                   "part de faits indépendants", plain)  # fmt: skip


TRIALS = (Trial("shared", 40, _shared), Trial("busiest", 300, _busiest))
