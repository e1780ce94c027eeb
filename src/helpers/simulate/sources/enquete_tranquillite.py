"""A survey of how quiet people feel, told as counts by wave, quarter and age: never a person.

Whether an adult feels quiet depends on the quarter (facts for each inhabitant, lighting, and what
nothing explains), the age, the year. Whether he answers depends on age **and on what he feels**:
what the answers say is then not what the city feels, which no count of answers can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy import special

from helpers.simulate.columns import codes
from helpers.simulate.settings_sources import Survey
from helpers.simulate.streams import Floats, Ints, stream

NAME = "enquete_tranquillite"
YEAR_DAYS = 365.25


@dataclass(frozen=True)
class Asked:
    """A survey: what is true and what is counted, each of shape (waves, quarters, ages)."""

    share: Floats
    adults: Ints
    invited: Ints
    answers: Ints
    quiet: Ints


def draw_survey(
    rules: Survey, inhabitants: Ints, facts: Floats, lighting: Floats, seed: int,
    kept: Floats | None = None,
) -> Asked:  # fmt: skip
    """Return the survey of quarters (all three arguments of that length).

    `facts` are those expected, up to a factor; `lighting` in percent. `kept` (waves, quarters): the
    share of those who feel quiet that still does, all where not given; what is drawn of the other
    quarters does not depend on it.
    """
    rng = stream(seed, NAME)
    ages, count = list(rules.ages.values()), len(inhabitants)
    around = np.exp(0.15 * rng.standard_normal((count, len(ages))))
    shares = np.array([one.share for one in ages]) * around
    shares = shares / shares.sum(axis=1, keepdims=True)
    adults = np.rint(inhabitants[:, None] * rules.adult_share * shares).astype(np.int64)
    burden = np.log(np.maximum(facts, 1e-9) / np.maximum(inhabitants, 1))
    place = (
        rules.per_doubling * (burden - burden.mean()) / np.log(2)
        + rules.per_ten_points_lit * (lighting - lighting.mean()) / 10
        + rules.place_sd * rng.standard_normal(count)
    )
    age = np.array([one.log_odds for one in ages])
    years = np.array([(w - rules.waves[0]).days / YEAR_DAYS for w in rules.waves])
    log_odds = (
        special.logit(rules.quiet_share) + rules.per_year * years[:, None, None]
        + place[None, :, None] + age[None, None, :]
    )  # fmt: skip
    share = special.expit(log_odds)
    rate = np.array([one.answer_rate for one in ages])
    usual = (adults * rate).sum() * (rules.answers_if_quiet + rules.answers_if_not) / 2
    invited = rng.poisson(np.broadcast_to(adults * rules.answers_a_wave / usual, share.shape))
    quiet = rng.binomial(invited, share)
    told = rng.binomial(quiet, np.minimum(rate * rules.answers_if_quiet, 1))
    other = rng.binomial(invited - quiet, np.minimum(rate * rules.answers_if_not, 1))
    if kept is not None:
        moved = stream(seed, f"{NAME}/shocks").binomial(told, 1 - kept[:, :, None])
        told, other, share = told - moved, other + moved, share * kept[:, :, None]
    everywhere = np.broadcast_to(adults, share.shape)
    return Asked(share, everywhere, invited, told + other, told)


def enquete_tranquillite(asked: Asked, rules: Survey, quarters: tuple[str, ...]) -> pa.Table:
    """Return one row a wave, quarter and age; answers too few to be told are left empty.

    `commentaire` is free text, which the contract refuses.
    """
    wave, place, age = (axis.ravel() for axis in np.indices(asked.answers.shape))
    hidden = (asked.answers < rules.secret_below).ravel()
    return pa.table(
        {
            "vague": codes([w.isoformat() for w in rules.waves], wave),
            "zone_id": codes(quarters, place),
            "tranche_age": codes(list(rules.ages), age),
            "adultes": asked.adults.ravel(),
            "invites": asked.invited.ravel(),
            "reponses": pa.array(asked.answers.ravel(), mask=hidden),
            "tranquilles": pa.array(asked.quiet.ravel(), mask=hidden),
            "commentaire": codes(("", "terrain sans incident"), (wave + place + age) % 2),
        }
    )
