"""Published statistics and partners' indicators: counts a year or a month, never a fact."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from helpers.simulate.columns import codes, decimals, joined, numbered
from helpers.simulate.settings_sources import Partners, RecordedCrime
from helpers.simulate.streams import Ints, Moments, stream

CITY = "13055"
BY_HOUSING = "Cambriolages de logement"


def ssmsi_commune(districts: tuple[str, ...], rules: RecordedCrime, seed: int) -> pa.Table:
    """Return the recorded crime of the city and its districts: one row a place, year, indicator.

    Counts of a district are Poisson; the city's are their sums: the two never add. A count below
    the threshold, positive, in one of the two previous years or this one, is not published
    (`ndiff`, `NA`); what the department's mean would say stands beside it, and is a trap.
    """
    rng = stream(seed, "ssmsi_commune")
    names, years = list(rules.indicators), list(rules.years)
    weight = np.exp(0.35 * rng.standard_normal(len(districts)))
    weight /= weight.sum()
    level = np.array([one.yearly for one in rules.indicators.values()])
    drift = 1 + rules.yearly_change * np.arange(len(years))
    mean = level[:, None, None] * weight[None, :, None] * drift[None, None, :]
    parts = rng.poisson(mean)
    counts = np.concatenate([parts, parts.sum(axis=1, keepdims=True)], axis=1)
    pop = np.rint(np.append(weight, 1.0) * rules.inhabitants).astype(np.int64)
    shape = counts.shape
    kind, place, year = (axis.ravel() for axis in np.indices(shape))
    number = counts.ravel()
    hidden = ((counts > 0) & (counts < rules.secret_below)).ravel()
    housing = np.rint(pop / 1.9).astype(np.int64)
    by_housing = np.array([name == BY_HOUSING for name in names])[kind]
    rate = number / np.where(by_housing, housing[place], pop[place]) * 1000
    beside = rng.poisson(mean.mean(axis=(1, 2))[kind] + 1)
    columns = {
        "CODGEO_2025": codes((*districts, CITY), place),
        "annee": np.array(years)[year],
        "indicateur": codes(names, kind),
        "unite_de_compte": codes([one.unit for one in rules.indicators.values()], kind),
        "nombre": _or_na(pa.array(number).cast(pa.string()), hidden),
        "taux_pour_mille": _or_na(decimals(rate, 7, ","), hidden),
        "est_diffuse": codes(("diff", "ndiff"), hidden.astype(np.int64)),
        "insee_pop": pop[place],
        "insee_pop_millesime": np.array(years)[year],
        "insee_log": housing[place],
        "insee_log_millesime": np.array(years)[year],
        "complement_info_nombre": _or_na(pa.array(beside).cast(pa.string()), ~hidden),
        "complement_info_taux": _or_na(decimals(beside / pop[place] * 1000, 7, ","), ~hidden),
    }
    return pa.table(columns).take(np.lexsort((kind, year, place)))


def _or_na(values: pa.Array, absent: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> pa.Array:
    return pa.array(np.where(absent, "NA", values.to_numpy(zero_copy_only=False)), pa.string())


def partenaire_agrege(
    districts: tuple[str, ...], days: Moments, rules: Partners, seed: int
) -> tuple[pa.Table, Ints]:
    """Return the partners' monthly indicators by district, and the 0-based rows below their k.

    A partner should not send what rests on fewer than k cases; some slip through (a stated share
    of the months with few cases), and the door must refuse them.
    """
    rng = stream(seed, "partenaire_agrege")
    months = np.unique(days.astype("datetime64[M]"))
    names = list(rules.indicators)
    size = (len(names), len(districts), len(months))
    which, place, month = (axis.ravel() for axis in np.indices(size))
    level = np.array([one.monthly for one in rules.indicators.values()])
    weight = np.exp(0.4 * rng.standard_normal((len(names), len(districts))))
    mean = (level[:, None] * weight)[:, :, None] * np.ones(size)
    cases = rng.poisson(mean).ravel()
    threshold = np.array([one.k for one in rules.indicators.values()])[which]
    below = cases < threshold
    sent = ~below | (rng.random(len(cases)) < rules.below_k_share)
    kept = np.flatnonzero(sent)
    quality = rng.choice(4, len(cases), p=[0.5, 0.3, 0.15, 0.05])
    about = list(rules.indicators.values())
    agreement = numbered("CV-2021-", np.arange(len(names)) + 1, 2)
    table = pa.table(
        {
            "partenaire": codes([one.partner for one in about], which),
            "convention_id": agreement.take(pa.array(which)),
            "zone_id": codes(districts, place),
            "periode": pa.array(months.astype(str)).take(pa.array(month)),
            "indicateur": codes(names, which),
            "valeur": joined(pa.array(cases).cast(pa.string()), ",0"),
            "n_sous_jacent": cases,
            "k_applique": threshold,
            "qualite": codes("ABCD", quality),
        }
    ).take(kept)
    return table, np.flatnonzero(below[kept]).astype(np.int64)
