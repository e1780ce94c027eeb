"""How quiet people feel: a survey brought to who lives there, and how wrong it may be.

Post-stratified shares (Holt, D. & Smith, T. 1979, Post stratification, JRSS A 142): within an age
and a place the answers stand for all its adults. They need not: those who did not answer may feel
otherwise. Three intervals tell it: that of chance; that of non-respondents up to a stated number
of points apart; that of nothing supposed (Manski, C. 1989, Anatomy of the selection problem,
Journal of Human Resources 24).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import special

from helpers.core.city.names import WHOLE
from helpers.core.stats.intervals import DIGITS
from helpers.sentiment.answers import Floats, Survey
from helpers.sentiment.knobs import Knobs

NO_SURVEY, TOO_FEW_ANSWERS = "no_survey", "too_few_answers"
TINY = 1e-12  # variance of a place where nobody lives
WAVES = pa.schema(
    [
        ("wave", pa.date32()), ("zone", pa.string()), ("value", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("shift_low", pa.float64()),
        ("shift_high", pa.float64()), ("worst_low", pa.float64()), ("worst_high", pa.float64()),
        ("n", pa.int64()), ("invited", pa.int64()), ("answered", pa.float64()),
        ("change", pa.float64()), ("change_low", pa.float64()), ("change_high", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Shares:
    """Post-stratified shares of places: value, variance, answers, invited, and share of the adults
    that answered; all of shape (waves, places)."""

    value: Floats
    variance: Floats
    n: Floats
    invited: Floats
    answered: Floats
    adults: Floats


def post_stratified(survey: Survey) -> Shares:
    """Return the shares of the survey's groups, then of the whole (the last place).

    A stratum is an age in a group; zones whose answers are not told are taken for the others of
    their stratum, and count as silent: nothing is known of them. A stratum with fewer than two
    answers is taken for its whole group.
    """
    told = np.isfinite(survey.answers)
    member = (survey.group[:, None] == np.arange(len(survey.groups))).astype(float)

    def by_group(values: Floats) -> Floats:
        return np.asarray(np.einsum("wzs,zg->wgs", values, member))

    adults = by_group(survey.adults)
    n, quiet = (by_group(np.where(told, v, 0.0)) for v in (survey.answers, survey.quiet))
    answered = np.minimum(n / np.maximum(by_group(survey.invited), 1), 1)
    thin = n < 2
    n, quiet = (np.where(thin, v.sum(axis=2, keepdims=True), v) for v in (n, quiet))
    share, inside = quiet / np.maximum(n, 1), (quiet + 0.5) / (n + 1)
    variance = inside * (1 - inside) / np.maximum(n - 1, 1)
    weight = adults / np.maximum(adults.sum(axis=2, keepdims=True), 1)
    groups = Shares(
        (weight * share).sum(axis=2), (weight**2 * variance).sum(axis=2),
        by_group(np.where(told, survey.answers, 0.0)).sum(axis=2),
        by_group(survey.invited).sum(axis=2),
        (weight * answered).sum(axis=2), adults.sum(axis=2),
    )  # fmt: skip
    return _with_whole(groups)


def _with_whole(groups: Shares) -> Shares:
    """Return the places with the whole, their mean by adults, added last.

    Places where nothing is told are taken for the others, not for zero; they count as silent.
    """

    def added(values: Floats, factor: Floats) -> Floats:
        return np.concatenate([values, (values * factor).sum(axis=1, keepdims=True)], axis=1)

    def weight(adults: Floats) -> Floats:
        return np.asarray(adults / np.maximum(adults.sum(axis=1, keepdims=True), 1))

    ones, told = np.ones_like(groups.adults), weight(groups.adults * (groups.n > 0))
    return Shares(
        added(groups.value, told), added(groups.variance, told**2), added(groups.n, ones),
        added(groups.invited, ones), added(groups.answered, weight(groups.adults)),
        added(groups.adults, ones),
    )  # fmt: skip


def interval(value: Floats, variance: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return the interval of shares: Wilson's, for the answers that would be as precise.

    Korn, E. & Graubard, B. (1998, Survey Methodology 24): a sample of effective size n, here
    value × (1 − value) / variance. Where all answer alike the share is taken half an answer away
    from the end, as its variance was, for n not to be nothing.
    """
    z2 = float(special.ndtri((1 + confidence) / 2)) ** 2
    variance = np.maximum(variance, TINY)
    edge = np.sqrt(variance / 2)  # half an answer in n: the variance there is about 0.5 / n²
    inside = np.clip(value, edge, 1 - edge)
    n = inside * (1 - inside) / variance
    middle = (value + z2 / (2 * n)) / (1 + z2 / n)
    reach = np.sqrt(z2 * (value * (1 - value) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)


def by_wave(survey: Survey, knobs: Knobs) -> pa.Table:
    """Return the index of the city (`WHOLE`) and of each group, wave after wave: WAVES.

    `reason`: `too_few_answers` (fewer than `minimum_answers`). `change` is the difference with the
    wave before; it supposes that who answers has not changed.
    """
    found = post_stratified(survey)
    low, high = interval(found.value, found.variance, knobs.confidence)
    silent = 1 - found.answered
    reach = float(special.ndtri((1 + knobs.confidence) / 2))
    change = np.diff(found.value, axis=0)
    error = reach * np.sqrt(found.variance[1:] + found.variance[:-1])
    columns = {
        "value": found.value, "low": low, "high": high,
        "shift_low": np.maximum(low - knobs.nonresponse_shift * silent, 0),
        "shift_high": np.minimum(high + knobs.nonresponse_shift * silent, 1),
        "worst_low": low * found.answered, "worst_high": high * found.answered + silent,
        "answered": found.answered,
    }  # fmt: skip
    moves = {"change": change, "change_low": change - error, "change_high": change + error}
    rows = []
    for place, name in enumerate((*survey.groups, WHOLE)):
        for i, wave in enumerate(survey.waves):
            n = int(found.n[i, place])
            row: dict[str, Any] = {
                "wave": wave, "zone": name, "n": n, "invited": int(found.invited[i, place]),
            }  # fmt: skip
            if n < knobs.minimum_answers:
                rows.append({**row, "status": "abstained", "reason": TOO_FEW_ANSWERS})
                continue
            row |= {k: round(float(v[i, place]), DIGITS) for k, v in columns.items()}
            if i and found.n[i - 1, place] >= knobs.minimum_answers:
                row |= {k: round(float(v[i - 1, place]), DIGITS) for k, v in moves.items()}
            rows.append({**row, "status": "ok", "reason": ""})
    return pa.Table.from_pylist(rows, schema=WAVES)


def no_survey() -> pa.Table:
    """Return WAVES for a city that holds no survey."""
    row = {"zone": WHOLE, "status": "abstained", "reason": NO_SURVEY}
    return pa.Table.from_pylist([row], schema=WAVES)
