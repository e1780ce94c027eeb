"""What goes with how quiet people feel: small areas, facts, lighting, patrols, reports.

The area model of Fay, R. & Herriot, R. (1979, JASA 74): the log odds of a zone is xβ + u + e, e the
error of its survey, known, u what the features do not tell, of variance σ² by their moment
estimator. Zones are then drawn to what resembles them, the more the fewer answers they have; their
mean squared error is Prasad & Rao's (1990, JASA 85, eq. 5.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from scipy import special, stats

from helpers.core.city.city import City
from helpers.core.city.survey import SurveyRule
from helpers.core.stats.intervals import DIGITS
from helpers.sentiment import answers, index
from helpers.sentiment.answers import Floats, Survey
from helpers.sentiment.features import Feature, beside
from helpers.sentiment.knobs import Knobs

ZONES = pa.schema(
    [
        ("zone", pa.string()), ("value", pa.float64()), ("low", pa.float64()),
        ("high", pa.float64()), ("direct", pa.float64()), ("direct_low", pa.float64()),
        ("direct_high", pa.float64()), ("n", pa.int64()), ("reports", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
LINKS = pa.schema(
    [
        ("feature", pa.string()), ("points", pa.float64()), ("low", pa.float64()),
        ("high", pa.float64()), ("p", pa.float64()), ("established", pa.bool_()),
        ("zones", pa.int64()), ("zones_needed", pa.int64()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip
ROUNDS = 100
ENDS = (("low", "direct_low"), ("value", "direct"), ("high", "direct_high"))
UNTOLD, UNFEATURED = "untold", "feature_unknown"
TOO_FEW_ZONES, NOTHING_OF_ITS_OWN = "too_few_zones", "nothing_of_its_own"


@dataclass(frozen=True)
class Area:
    """The fit: β (p,), its covariance, σ², zones' best predictions and their mean squared error."""

    beta: Floats
    covariance: Floats
    variance: float
    predicted: Floats
    error: Floats


def pooled(told: Survey, waves: int) -> tuple[Floats, Floats, Floats]:
    """Return log odds, their error variance and the answers of each zone, last waves together.

    Shape (zones,); NaN where too little is told. Ages weigh as they do among the zone's adults;
    ages that are not told are taken for the zone's others. The variance is that of the zone's
    number of answers **at the shares of all zones** (generalized variance function, Wolter 2007,
    Introduction to Variance Estimation, ch. 7): one made of the zone's own answers errs with them,
    which draws effects to nothing and makes intervals too narrow.
    """
    n, quiet = (np.nansum(v[-waves:], axis=0) for v in (told.answers, told.quiet))
    adults = told.adults[-1] * (n >= 2)
    weight = adults / np.maximum(adults.sum(axis=1, keepdims=True), 1)
    known = weight.sum(axis=1) > 0
    inverse = (weight**2 / np.maximum(n, 1)).sum(axis=1)  # 1 / answers of the same precision
    value = (weight * quiet / np.maximum(n, 1)).sum(axis=1)
    odds = np.log((value + 0.5 * inverse) / (1 - value + 0.5 * inverse), where=known,
                  out=np.full(len(known), np.nan))  # fmt: skip
    everywhere = (quiet.sum(axis=0) + 0.5) / (n.sum(axis=0) + 1)
    middle = (weight * everywhere).sum(axis=1)
    spread = everywhere * (1 - everywhere)
    variance = (weight**2 * spread / np.maximum(n, 1)).sum(axis=1)
    noise = np.divide(variance, (middle * (1 - middle)) ** 2, where=known,
                      out=np.full(len(known), np.nan))  # fmt: skip
    return odds, noise, n.sum(axis=1)


def fay_herriot(y: Floats, noise: Floats, design: Floats) -> Area:
    """Return the area model of `y` (m,), of known error variances `noise` (m,), on `design` (m, p).

    σ² solves Σ (y − xβ)² / (σ² + noise) = m − p, 0 where even σ² = 0 explains too much.
    """
    m, p = design.shape

    def fitted(variance: float) -> tuple[Floats, Floats, float]:
        weight = 1 / (variance + noise)
        covariance = np.asarray(np.linalg.inv((design * weight[:, None]).T @ design), np.float64)
        beta = covariance @ (design.T @ (weight * y))
        return beta, covariance, float((weight * (y - design @ beta) ** 2).sum())

    low, high = 0.0, 1.0
    while fitted(high)[2] > m - p:
        high *= 2
    for _ in range(ROUNDS):
        middle = (low + high) / 2
        low, high = (middle, high) if fitted(middle)[2] > m - p else (low, middle)
    variance = 0.0 if fitted(0.0)[2] <= m - p else (low + high) / 2
    beta, covariance, _ = fitted(variance)
    gamma = variance / (variance + noise)
    predicted = gamma * y + (1 - gamma) * (design @ beta)
    spread = np.einsum("ij,jk,ik->i", design, covariance, design)
    of_variance = 2 * m / (1 / (variance + noise)).sum() ** 2
    error = gamma * noise + (1 - gamma) ** 2 * spread
    error += 2 * noise**2 / (variance + noise) ** 3 * of_variance
    return Area(beta, covariance, variance, predicted, error)


def by_zone(
    told: Survey, features: list[Feature], reports: Floats, knobs: Knobs
) -> tuple[pa.Table, pa.Table]:
    """Return the index of each zone (ZONES) and what goes with it (LINKS).

    `points`: of the share, for a step more, at the mean zone. `reports` (zones,): citizens' reports
    for a thousand adults, set beside and used in nothing. `reason` of a zone: `untold` (too few
    answers to be delivered), `feature_unknown`, `too_few_zones`; of a feature: `too_few_zones`
    (fewer than `zones_needed`), `nothing_of_its_own` (the same everywhere, or given by another).
    """
    odds, noise, n = pooled(told, knobs.pooled_waves)
    told_of = np.isfinite(odds)
    apart = _set_apart(features, told_of, knobs.minimum_zones)
    read = [f for f in features if f.name not in apart]
    kept = told_of & np.isfinite([f.values for f in read] or [odds]).all(axis=0)
    least = max(knobs.minimum_zones, len(read) + 2)
    if int(kept.sum()) < least:
        rows = [{"zone": z, "n": int(k), "status": "abstained", "reason": TOO_FEW_ZONES}
                for z, k in zip(told.zones, n, strict=True)]  # fmt: skip
        links = [_abstained(f, TOO_FEW_ZONES, least) for f in features]
        return pa.Table.from_pylist(rows, schema=ZONES), pa.Table.from_pylist(links, schema=LINKS)
    design = np.column_stack([np.ones(kept.sum()), *(_centred(f.values[kept]) for f in read)])
    area = fay_herriot(odds[kept], noise[kept], design)
    zones = _zone_rows(told, area, kept, (odds, noise, n, reports), knobs)
    found = {row["feature"]: row for row in _link_rows(area, read, int(kept.sum()), knobs)}
    links = [
        found.get(f.name) or _abstained(f, apart[f.name], knobs.minimum_zones) for f in features
    ]
    return pa.Table.from_pylist(zones, schema=ZONES), pa.Table.from_pylist(links, schema=LINKS)


def _set_apart(features: list[Feature], told_of: Any, minimum: int) -> dict[str, str]:
    """Return the features that cannot be read, and why; the others stand without them.

    `told_of` (zones,): those with answers. A feature known of too few zones would leave them out;
    one that does not vary, or that those before it give exactly, has no effect of its own.
    """
    apart: dict[str, str] = {}
    known, columns = told_of, [np.ones(len(told_of))]
    for feature in features:
        both = known & np.isfinite(feature.values)
        if int(both.sum()) < minimum:
            apart[feature.name] = TOO_FEW_ZONES
            continue
        values = _centred(feature.values[both])
        spread = float(np.abs(values).max())
        trial = [*(c[both] for c in columns), values / (spread or 1.0)]
        if np.linalg.matrix_rank(np.column_stack(trial)) < len(trial):
            apart[feature.name] = NOTHING_OF_ITS_OWN
            continue
        known = both
        columns.append((feature.values - feature.values[both].mean()) / spread)
    return apart


def _abstained(feature: Feature, reason: str, least: int) -> dict[str, Any]:
    needed = least if reason == TOO_FEW_ZONES else None
    return {"feature": feature.name, "zones_needed": needed, "status": "abstained",
            "reason": reason}  # fmt: skip


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean())


def _zone_rows(
    told: Survey,
    area: Area,
    kept: Any,
    measured: tuple[Floats, Floats, Floats, Floats],
    knobs: Knobs,
) -> list[dict[str, Any]]:
    """Return ZONES: `value` leans on the features, `direct` on the zone's answers alone."""
    odds, noise, n, reports = measured
    z = float(special.ndtri((1 + knobs.confidence) / 2))

    def around(middle: Floats, variance: Floats) -> Floats:
        return np.asarray(special.expit(middle + np.outer([-z, 0, z], np.sqrt(variance))))

    ends, alone = around(area.predicted, area.error), around(odds, noise)
    place = np.cumsum(kept) - 1
    rows = []
    for i, zone in enumerate(told.zones):
        row: dict[str, Any] = {"zone": zone, "n": int(n[i]), "reports": _told(reports[i])}
        if not kept[i]:
            reason = UNFEATURED if np.isfinite(odds[i]) else UNTOLD
            rows.append({**row, "status": "abstained", "reason": reason})
            continue
        for end, of_model, of_answers in zip(ENDS, ends, alone, strict=True):
            row |= {end[0]: _told(of_model[place[i]]), end[1]: _told(of_answers[i])}
        rows.append({**row, "status": "ok", "reason": ""})
    return rows


def _link_rows(
    area: Area, features: list[Feature], zones: int, knobs: Knobs
) -> list[dict[str, Any]]:
    freedom = zones - len(area.beta)
    error = np.sqrt(np.diag(area.covariance))[1:]
    beta = area.beta[1:]
    p = 2 * stats.t.sf(np.abs(beta / error), freedom)
    established = stats.false_discovery_control(p) <= knobs.false_discovery_rate
    reach = stats.t.ppf((1 + knobs.confidence) / 2, freedom) * error
    middle = special.expit(area.beta[0])

    def points(log_odds: Floats) -> Floats:
        return np.asarray(special.expit(area.beta[0] + log_odds) - middle)

    low, value, high = (points(b) for b in (beta - reach, beta, beta + reach))
    return [
        {"feature": f.name, "points": _told(value[i]), "low": _told(low[i]),
         "high": _told(high[i]), "p": _told(p[i]), "established": bool(established[i]),
         "zones": zones, "status": "ok", "reason": ""}
        for i, f in enumerate(features)
    ]  # fmt: skip


def measure(
    con: duckdb.DuckDBPyConnection, city: City, rule: SurveyRule | None, knobs: Knobs
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return the index (`index.WAVES`), ZONES and LINKS; abstentions where there is no survey.

    Views `cube`, and those of `survey.sources`.
    """
    if rule is None:
        return index.no_survey(), ZONES.empty_table(), LINKS.empty_table()
    told = answers.read(con, rule)
    features, reports = beside(con, city, rule, told, knobs.pooled_waves)
    return index.by_wave(told, knobs), *by_zone(told, features, reports, knobs)


def resemblance(zones: pa.Table, confidence: float) -> tuple[float, float, float, int] | None:
    """Return Spearman's correlation of reports and index over zones, its interval, and n.

    Of the zones' answers alone: an index that leans on facts would resemble reports by making.
    Interval of Bonett & Wright (2000, Psychometrika 65). None below ten zones.
    """
    rows = [r for r in zones.to_pylist() if r["status"] == "ok" and r["reports"] is not None]
    if len(rows) < 10:
        return None
    found = stats.spearmanr([r["reports"] for r in rows], [r["direct"] for r in rows])
    rho = float(np.clip(found.statistic, -0.999, 0.999))
    error = np.sqrt((1 + rho**2 / 2) / (len(rows) - 3))
    reach = float(special.ndtri((1 + confidence) / 2)) * error
    low, high = (float(np.tanh(np.arctanh(rho) + d)) for d in (-reach, reach))
    return round(rho, DIGITS), round(low, DIGITS), round(high, DIGITS), len(rows)


def _told(value: Any) -> float | None:
    return round(float(value), DIGITS) if np.isfinite(value) else None
