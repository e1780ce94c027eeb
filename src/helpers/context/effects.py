"""Which features of places go with which themes, and who could change them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import spatial, special, stats

from helpers.context.knobs import Knobs
from helpers.core.city.city import City
from helpers.core.city.surroundings import Surroundings
from helpers.core.place_time.calendar import last_window
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import of_theme, share_heard
from helpers.core.place_time.places import Places
from helpers.core.stats.fixed_effects import within
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.moran import nearest, permutation_p
from helpers.core.stats.spatial_regression import Fit, fit, inflation

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
LEAST_HEARD = 0.01
# How far what features do not tell may be shared, in distances to the nearest zone (median).
REACHES = (1.0, 2.5, 6.0)
# Places compared with one another, or each with itself week by week.
BETWEEN, WITHIN = "between", "within"
# Why a feature has no effect of its own: not known for `reason_n` zones, or only in so many other
# than usual; not to be told apart from `reason_feature`, or from what all zones share in a week.
UNKNOWN, STEADY = "unknown_in_zones", "hardly_varies"
LIKE_FEATURE, LIKE_WEEKS = "like_another_feature", "like_the_weeks"
# Why a theme has no effects at all.
ABSENT, FEW_ZONES, FEW = "no_context", "too_few_zones", "too_few"
NO_FEATURE, UNSTABLE = "no_usable_feature", "not_converged"
EFFECTS = pa.schema(
    [
        ("theme", pa.string()), ("feature", pa.string()), ("design", pa.string()),
        ("step", pa.float64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("p", pa.float64()), ("q", pa.float64()), ("found", pa.bool_()), ("n", pa.int64()),
        ("zones", pa.int64()), ("status", pa.string()), ("reason", pa.string()),
        ("reason_n", pa.int64()), ("reason_feature", pa.string()),
    ]
)  # fmt: skip
CHECKS = pa.schema(
    [
        ("theme", pa.string()), ("n", pa.int64()), ("zones", pa.int64()),
        ("exposure", pa.string()), ("overdispersion", pa.float64()), ("shared", pa.float64()),
        ("reach_m", pa.float64()), ("moran", pa.float64()), ("moran_p", pa.float64()),
        ("left_moran", pa.float64()), ("left_p", pa.float64()), ("alike", pa.bool_()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def zone_counts(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, places: Places, division: str,
    knobs: Knobs,
) -> Floats:  # fmt: skip
    """Return the facts of the theme in each place (n,), of the origins asked for. View `cube`.

    A record that agents started tells where they went: it is left out unless asked for.
    """
    span = last_window(city, knobs.window_days)
    rows = counts(con, ["zone"], theme=theme, origins=knobs.origins, division=division, span=span)
    found = {zone: float(n) for zone, n in rows}
    return np.array([max(0.0, found.get(code, 0.0)) for code in places.codes])


def weekly_counts(
    con: duckdb.DuckDBPyConnection, theme: str, places: Places, division: str, knobs: Knobs
) -> Floats:
    """Return the facts of the theme in each place and full week (n, weeks). View `cube`."""
    rows = counts(
        con, ["zone", "week"], theme=theme, origins=knobs.origins, division=division
    )  # fmt: skip
    zone = {code: i for i, code in enumerate(places.codes)}
    week = {monday: i for i, monday in enumerate(places.weeks)}
    found = np.zeros((len(zone), len(week)))
    for code, monday, n in rows:
        if code in zone and monday in week:
            found[zone[code], week[monday]] = max(0, n)
    return found


def find(
    con: duckdb.DuckDBPyConnection, city: City, rules: Surroundings | None, places: Places | None,
    knobs: Knobs, seed: int,
) -> tuple[pa.Table, pa.Table]:  # fmt: skip
    """Return the effects (one row a theme and feature) and the checks (one row a theme).

    `ratio` is by what facts are multiplied where there is a `step` more, at equal exposure and
    equal other features, with its interval; `q` is adjusted over all effects (Benjamini &
    Hochberg 1995), `found` true where it allows. `moran` is that of the residuals on features
    alone, `left_moran` once what neighbours share is taken out. `design` tells whether zones were
    compared with one another, or (what comes and goes) each with itself. Weeks when a zone was not
    heard are no zero: they lessen its exposure. `seed` is that of the shuffles. Views `cube`,
    `weeks` and `grades_weekly`.
    """
    effects: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    why = _why_not(rules, places, knobs)
    for theme in city.themes:
        if why or rules is None or places is None:
            checks.append({"theme": theme, "n": 0, **why, "status": "abstained"})
            continue
        counted = zone_counts(con, city, theme, places, rules.division, knobs)
        where = theme, rules.division, places.codes
        share = share_heard(con, city, *where, knobs.window_days)
        # A place never heard keeps next to no exposure: it weighs next to nothing.
        heard = np.maximum(share, LEAST_HEARD)
        met = replace(places, exposure=places.exposure * heard)
        more, check = explain(theme, counted, rules, met, knobs, seed)
        if check["status"] == "ok" and places.weekly:
            weekly = weekly_counts(con, theme, places, rules.division, knobs)
            told = of_theme(con, city, *where, places.weeks)
            more += [
                coming_and_going(theme, name, weekly, present, told, rules, knobs)
                for name, present in places.weekly.items()
            ]
        effects += more
        checks.append(check)
    tried = [row for row in effects if row["status"] == "ok"]
    if tried:
        adjusted = stats.false_discovery_control([row["p"] for row in tried], method="bh")
        for row, q in zip(tried, np.round(adjusted, DIGITS).tolist(), strict=True):
            row |= {"q": q, "found": q <= knobs.false_discovery_rate}
    return (
        pa.Table.from_pylist(effects, schema=EFFECTS),
        pa.Table.from_pylist(checks, schema=CHECKS),
    )


def _why_not(rules: Surroundings | None, places: Places | None, knobs: Knobs) -> dict[str, Any]:
    """Return why nothing can be explained, with the zones at hand where they are too few."""
    if rules is None or places is None:
        return {"reason": ABSENT}
    held = len(places.codes)
    return {"reason": FEW_ZONES, "zones": held} if held < knobs.minimum_zones else {}


def explain(
    theme: str, counted: Floats, rules: Surroundings, places: Places, knobs: Knobs, seed: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the effects of the features on one theme's counts (n,), and the check of the fit."""
    total, size = int(counted.sum()), len(counted)
    check: dict[str, Any] = {
        "theme": theme, "n": total, "zones": size, "exposure": rules.exposure.label,
    }  # fmt: skip
    unfit = unusable(places, knobs)
    kept = [name for name in places.features if name not in unfit or unfit[name][1]]
    why = FEW if total < knobs.minimum_count else "" if kept else NO_FEATURE
    if why:
        return [], {**check, "status": "abstained", "reason": why}
    steps = np.array([rules.features[name].step for name in kept])
    columns = np.column_stack([places.features[name] for name in kept])
    design = np.column_stack([np.ones(size), (columns - columns.mean(axis=0)) / steps])
    distances = spatial.distance.squareform(spatial.distance.pdist(places.centres))
    found = fit(counted, design, places.exposure, distances, reaches_of(distances))
    if not found.converged:
        return [], {**check, "status": "abstained", "reason": UNSTABLE}
    check |= _residuals(theme, found, places, knobs, seed) | {"status": "ok", "reason": ""}
    effects = []
    for name in places.features:
        row = {"theme": theme, "feature": name, "design": BETWEEN, "n": total, "zones": size,
               "step": rules.features[name].step, "status": "ok", "reason": ""}  # fmt: skip
        if name in unfit:
            row |= {"status": "abstained", **unfit[name][0]}
        else:
            k = 1 + kept.index(name)
            error = float(np.sqrt(found.covariance[k, k]))
            row |= ratio(float(found.coefficients[k]), error, found.freedom, knobs.confidence)
        effects.append(row)
    return effects, check


def coming_and_going(
    theme: str, name: str, counts: Floats, present: Floats, heard: Bools, rules: Surroundings,
    knobs: Knobs,
) -> dict[str, Any]:  # fmt: skip
    """Return the effect of what comes and goes, each zone compared with itself (`within`)."""
    moved = int((np.ptp(present, axis=1) > 0).sum()) if present.size else 0
    row: dict[str, Any] = {
        "theme": theme, "feature": name, "design": WITHIN, "step": rules.features[name].step,
        "n": int(counts.sum()), "zones": moved, "status": "ok", "reason": "",
    }  # fmt: skip
    if moved < knobs.minimum_varied:
        return row | {"status": "abstained", "reason": STEADY, "reason_n": moved}
    found = within(counts, present, heard)
    if found is None:
        return row | {"status": "abstained", "reason": LIKE_WEEKS}
    value, error = (row["step"] * part for part in found)
    return row | ratio(value, error, moved - 1, knobs.confidence)


def reaches_of(distances: Floats) -> tuple[float, ...]:
    """Return the reaches tried: multiples of the median distance to the nearest zone."""
    away = distances + np.diag(np.full(len(distances), np.inf))
    near = float(np.median(away.min(axis=1)))
    return tuple(near * times for times in REACHES)


def ratio(value: float, error: float, freedom: int, confidence: float) -> dict[str, float]:
    """Return the ratio of a coefficient on the log scale, its interval and p-value (Student)."""
    reach = float(special.stdtrit(freedom, (1 + confidence) / 2)) * error
    p = 2 * float(special.stdtr(freedom, -abs(value) / error))
    told = {"ratio": np.exp(value), "low": np.exp(value - reach), "high": np.exp(value + reach)}
    return {k: round(float(v), DIGITS) for k, v in {**told, "p": p}.items()}


def _residuals(theme: str, found: Fit, places: Places, knobs: Knobs, seed: int) -> dict[str, Any]:
    weights = nearest(places.centres, knobs.neighbours)
    key = hashlib.sha256(f"context/{theme}".encode()).digest()[:8]
    rng = np.random.default_rng([seed, int.from_bytes(key, "big")])
    moran, p = permutation_p(found.whole, weights, knobs.permutations, rng)
    left, left_p = permutation_p(found.own_part, weights, knobs.permutations, rng)
    told = {
        "overdispersion": float(np.expm1(found.own + found.shared)),
        "shared": found.shared / max(found.own + found.shared, 1e-12),
        "moran": moran, "moran_p": p, "left_moran": left, "left_p": left_p,
    }  # fmt: skip
    rounded: dict[str, Any] = {k: round(v, DIGITS) for k, v in told.items()}
    reach = None if np.isnan(found.reach) else round(found.reach)
    return {**rounded, "reach_m": reach, "alike": left_p <= knobs.spatial_alpha}


def unusable(places: Places, knobs: Knobs) -> dict[str, tuple[dict[str, Any], bool]]:
    """Return, for each feature without an effect of its own, why, and whether the fit keeps it.

    A feature that others nearly determine stays in the fit: the others are read at equal values of
    it. One that is not known everywhere, hardly varies, or that others determine exactly, leaves.
    """
    found: dict[str, tuple[dict[str, Any], bool]] = {}
    for name, values in places.features.items():
        if np.isnan(values).any():
            unknown = int(np.isnan(values).sum())
            found[name] = ({"reason": UNKNOWN, "reason_n": unknown}, False)
            continue
        varied = len(values) - int(np.unique(values, return_counts=True)[1].max())
        if varied < knobs.minimum_varied:
            found[name] = ({"reason": STEADY, "reason_n": varied}, False)
    names = [name for name in places.features if name not in found]
    if len(names) < 2:
        return found
    columns = np.column_stack([places.features[name] for name in names])
    factors = inflation(columns)
    alike = np.abs(np.corrcoef(columns.T)) - 2 * np.eye(len(names))
    for j, name in enumerate(names):
        if factors[j] > knobs.inflation_max:
            other = names[int(alike[j].argmax())]
            first = bool(np.isfinite(factors[j])) or _is_new(columns, j)
            found[name] = ({"reason": LIKE_FEATURE, "reason_feature": other}, first)
    return found


def _is_new(columns: Floats, j: int) -> bool:
    """Tell whether a column is not determined by those before it."""
    return j == 0 or bool(np.isfinite(inflation(columns[:, : j + 1])[j]))


def sources_of(rules: Surroundings | None) -> list[str]:
    """Return the files of results that the features come from."""
    return [f"accepted/{name}.parquet" for name in rules.sources()] if rules else []
