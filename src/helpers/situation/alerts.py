"""Alerts, and what is worth a look: counts that chance alone would hardly bring, in two tiers.

Each zone's last day and last week are held against the same days of the weeks before, as the
calendar, changes of recording and entries still to come move them (`held`). Given the sum of all
these counts, the last one is binomial if counts are Poisson, beta-binomial if they are negative
binomial: the test is then exact whatever the level (Przyborowski & Wilenski 1940, Biometrika 31,
for two Poisson counts). How much counts vary beyond chance is learnt from a year of the very same
comparisons. All tests of a day are judged together (Benjamini & Hochberg 1995): on a day when
nothing has changed, the chance of one alert or more is at most the rate.

So sure a tier sees little: the second one lists what would be there by chance at most so many
times a day, on average, knowing which tails counts so small can reach at all (Tarone 1990,
Biometrics 46).
"""

from __future__ import annotations

import datetime as dt
from itertools import product
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from scipy import special
from scipy.optimize import nnls
from scipy.stats import false_discovery_control, nbinom

from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time.calendar import last_days
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.quasi_poisson import Floats
from helpers.situation import gatherings, held
from helpers.situation.held import IN_PART, Held
from helpers.situation.knobs import Knobs
from helpers.situation.levels import dated_themes, divisions

SILENT, TOO_FEW_WEEKS = "silent", "too_few_weeks"  # why nothing is said
CHANCE = 0.05  # of a count above its interval, as of one below: one comparison alone
SURELY = 2.0  # standard errors beyond which a series varies more than the others
LOOK = 0.2  # p-values above which nothing is ever worth a look
MINIMUM_WEEKS = 8  # of references: fewer do not tell how counts vary
P_DIGITS = 9  # of a p-value: the last bits may depend on the processor
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("period_days", pa.int64()), ("division", pa.string()),
        ("zone", pa.string()), ("n", pa.int64()), ("expected", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("references", pa.int64()),
        ("dispersion", pa.float64()), ("p", pa.float64()),
        ("q", pa.float64()), ("alert", pa.bool_()), ("watch", pa.bool_()),
        ("limit", pa.float64()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip


def windows(daily: Floats, days: int, weeks: int) -> Floats:
    """Return the sums of the last `days` days, then of the same days 1, 2, … `weeks` weeks before.

    `daily` (series, days) ends today, NaN where the source was missing; the result has shape
    (series, weeks + 1), NaN where any day is missing or before the first.
    """
    held = np.full((len(daily), weeks * 7 + days), np.nan)
    known = min(held.shape[1], daily.shape[1])
    held[:, held.shape[1] - known :] = daily[:, daily.shape[1] - known :]
    last = held.shape[1]
    sums = [held[:, last - 7 * w - days : last - 7 * w].sum(axis=1) for w in range(weeks + 1)]
    return np.stack(sums, axis=1)


def dispersion(sums: Floats, exposure: Floats, references: int) -> Floats:
    """Return α of each series (series,), variance = μ + α μ², of the counts `sums` (series, weeks).

    The latest week comes first; `exposure`: (weeks,). Each week is compared with the `references`
    weeks before it, as the test will do. What varies beyond chance has two shapes, told apart by
    zones small and large: a share of the mean, where one event brings several records (φ μ), and of
    its square, where levels move (α μ²). Both are moments over all series and weeks, with one
    standard error (between weeks) more: a tail known too thin would cry wolf. A series that surely
    varies more than the others has its own. Counts that vary no more than chance give 0.
    """
    excess, linear, square = _beyond_chance(sums, exposure, references)
    of_all = np.stack([linear.sum(axis=0), square.sum(axis=0)], axis=1)  # (series, 2)
    seen = of_all[:, 1] > 0
    if not seen.any():
        return np.zeros(len(sums))
    # That of moments of Poisson counts: their fourth grows as μ + 2 μ².
    weight = seen / np.maximum(of_all @ [1.0, 2.0], 1e-9)
    shapes = [0, 1] if seen.sum() > 1 else [1]
    design = of_all[:, shapes] * np.sqrt(weight)[:, None]
    found = np.zeros(2)
    found[shapes] = nnls(design, excess.sum(axis=0) * np.sqrt(weight))[0]
    left = excess - linear * found[0] - square * found[1]  # (weeks, series)
    score = np.einsum("ws,s,sk->wk", left, weight, of_all[:, shapes])
    known = np.linalg.pinv(design.T @ design)
    spread = known @ (score.T @ score) @ known
    error = np.sqrt(np.einsum("sk,kl,sl->s", of_all[:, shapes], spread, of_all[:, shapes]))
    own = np.sqrt((left**2).sum(axis=0))
    apart = left.sum(axis=0) > SURELY * own
    total = of_all @ found + np.where(apart, left.sum(axis=0) + own, error)
    alpha = np.divide(total, of_all[:, 1], out=np.full(len(sums), np.nan), where=seen)
    alpha = np.where(seen, alpha, np.nanmedian(alpha))
    return np.asarray(np.round(np.maximum(alpha, 0.0), DIGITS))


def _beyond_chance(
    sums: Floats, exposure: Floats, references: int
) -> tuple[Floats, Floats, Floats]:
    """Return how far each week strays beyond chance, and what φ = 2 and α = 1 would bring.

    All of shape (weeks, series), 0 where the week or its references were not heard.
    """
    weeks = sums.shape[1] - references
    excess, linear, square = (np.zeros((max(weeks, 0), len(sums))) for _ in range(3))
    wider = 1 + 1 / references
    for week in range(weeks):
        past = slice(week + 1, week + 1 + references)
        n, total = sums[:, week], sums[:, past].sum(axis=1)
        sound = np.isfinite(n) & np.isfinite(total)
        share = exposure[week] / exposure[past].sum()
        mean = total[sound] * share
        linear[week, sound] = mean * (1 + share)
        excess[week, sound] = (n[sound] - mean) ** 2 - mean * (1 + share)
        square[week, sound] = np.maximum(mean**2 - mean * share, 0) * wider
    return excess, linear, square


def tails(total: int, share: float, references: int, alpha: float) -> Floats:
    """Return the chance of k facts or more, k = 0 to `total`, among `total` of all the weeks.

    `share`: what the last week would have of them. Beta-binomial, as concentrated as that of
    `references` + 1 equal weeks of dispersion α; binomial where α is 0. Shape (total + 1,).
    """
    k = np.arange(total + 1, dtype=float)
    if alpha == 0:
        return np.asarray(special.bdtrc(k - 1, total, share))
    both = (references + 1) / alpha
    a, b = share * both, (1 - share) * both
    log_pmf = (
        special.gammaln(total + 1) - special.gammaln(k + 1) - special.gammaln(total - k + 1)
        + special.betaln(k + a, total - k + b) - special.betaln(a, b)
    )  # fmt: skip
    return np.asarray(np.minimum(np.cumsum(np.exp(log_pmf)[::-1])[::-1], 1.0))


def left_alone(past: int, share: float, references: int, alpha: float) -> tuple[float, float]:
    """Return the least and the greatest count that `tails` does not find rare (`CHANCE`).

    Beside `past` facts of the weeks before. n or more among n + `past` is as likely as n or more of
    the week's facts before the (`past` + 1)th of the others: negative binomial, or, where shares
    vary, beta negative binomial. So no count that an alert tells lies within its own interval.
    """
    if alpha == 0:
        low = nbinom.ppf(CHANCE, past, 1 - share) if past else 0.0
        return float(low), float(nbinom.ppf(1 - CHANCE, past + 1, 1 - share))
    both = (references + 1) / alpha
    a, b = share * both, (1 - share) * both

    def up_to(r: int, chance: float) -> float:
        size, reached = 64 + 4 * int(r * a / b), np.zeros(1)
        while reached[-1] < chance:
            size *= 2
            k = np.arange(size, dtype=float)
            reached = np.cumsum(np.exp(
                special.gammaln(r + k) - special.gammaln(k + 1) - special.gammaln(r)
                + special.betaln(a + k, b + r) - special.betaln(a, b)
            ))  # fmt: skip
        return float(np.argmax(reached >= chance))

    return up_to(past, CHANCE) if past else 0.0, up_to(past + 1, 1 - CHANCE)


def test(sums: Floats, exposure: Floats, references: int) -> list[dict[str, Any]]:
    """Return n, expected, references, dispersion, p, reach of each series of `sums` (`windows`).

    The first column is judged by the weeks that were heard among the `references` after it;
    `exposure`: (weeks,). `reach` holds all the p-values that the count could have, falling.
    """
    alpha = dispersion(sums[:, 1:], exposure[1:], references)
    if not len(sums):
        return []
    heard = np.isfinite(sums[0, 1 : references + 1])  # a source is silent everywhere at once
    weeks = int(heard.sum())
    row: dict[str, Any] = {"references": weeks, "status": "ok", "reason": ""}
    if not np.isfinite(sums[0, 0]):
        row |= {"status": "missing", "reason": SILENT}
        return [row | {"dispersion": float(one)} for one in alpha]
    if weeks < MINIMUM_WEEKS:
        row |= {"status": "abstained", "reason": TOO_FEW_WEEKS}
        pairs = zip(sums[:, 0], alpha, strict=True)
        return [row | {"n": int(n), "dispersion": float(one)} for n, one in pairs]
    past, held_by = sums[:, 1 : references + 1][:, heard], exposure[1 : references + 1][heard]
    share = float(exposure[0] / (exposure[0] + held_by.sum()))
    rows = []
    for i, n in enumerate(sums[:, 0].astype(int).tolist()):
        before, own = int(past[i].sum()), float(alpha[i])
        reach = tails(n + before, share, weeks, own)
        low, high = left_alone(before, share, weeks, own)
        rows.append(row | {
            "n": n, "dispersion": own,
            "expected": round(before * share / (1 - share), DIGITS), "low": low, "high": high,
            "p": float(reach[n]), "reach": reach,
        })  # fmt: skip
    return rows


def unsaid(row: dict[str, Any], why: str) -> dict[str, Any]:
    """Return a row of `test` that says nothing, its count kept."""
    kept: dict[str, Any] = {k: row[k] for k in ("n", "references", "dispersion") if k in row}
    return row if row["status"] != "ok" else {**kept, "status": "abstained", "reason": why}


def judge(rows: list[dict[str, Any]], rate: float, budget: float) -> list[dict[str, Any]]:
    """Return the rows with `q` (adjusted p), `alert`, `watch` and `limit`, all judged together.

    `watch`: no alert, but p is at most `limit`, which nothing but chance passes `budget` times.
    """
    p = np.array([row.get("p", np.nan) for row in rows], dtype=float)
    tested = np.flatnonzero(np.isfinite(p))
    q = np.full(len(rows), np.nan)
    q[tested] = false_discovery_control(p[tested])
    limit = round(watched([row["reach"] for row in rows if "reach" in row], budget), P_DIGITS)
    return [
        {
            **{name: value for name, value in row.items() if name != "reach"},
            "p": None if np.isnan(p[i]) else round(float(p[i]), P_DIGITS),
            "q": None if np.isnan(q[i]) else round(float(q[i]), DIGITS),
            "alert": bool(q[i] <= rate),
            "watch": bool(np.round(p[i], P_DIGITS) <= limit and not q[i] <= rate),
            "limit": limit,
        }
        for i, row in enumerate(rows)
    ]


def watched(reach: list[Floats], budget: float) -> float:
    """Return the greatest p-value that tests pass by chance `budget` times in all, on average.

    `reach`: the p-values that each test can have. A test passes a limit as often as the greatest of
    its own that is no greater: 0 for those that cannot go so low.
    """
    values = np.concatenate([one[one <= LOOK] for one in reach]) if reach else np.zeros(0)
    # Each p-value brings its test what it adds to the one just below it, which it goes with.
    steps = [np.append(-np.diff(own), own[-1:]) for own in (one[one <= LOOK] for one in reach)]
    added = np.concatenate(steps) if reach else np.zeros(0)
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(added[order])
    fit = values[order][: int(np.searchsorted(passed, budget, side="right"))]
    if len(fit) < len(order):  # equal p-values pass together, or not at all
        fit = fit[fit < values[order][len(fit)]]
    return float(fit[-1]) if len(fit) else 0.0


def windows_of(series: Held, days: int, weeks: int) -> tuple[Floats, Floats]:
    """Return the counts and exposures of `windows`, NaN counts where the source was missing.

    Weeks that hold a day kept aside are no reference; the last one is judged as it is.
    """
    heard = np.where(series.heard, 1.0, np.nan)
    heard[: series.unknown] = np.nan
    whole = windows(series.counts * heard, days, weeks)
    ordinary = windows(series.counts * np.where(series.aside, np.nan, heard), days, weeks)
    exposure = windows(series.exposure[None], days, weeks)[0]
    whole[:, 1:] = ordinary[:, 1:]
    return whole, np.where(np.isfinite(exposure), exposure, 1.0)


def find(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return the rows of SCHEMA, judged (`tests`). Views: those of `held.read`."""
    return together(tests(con, city, knobs), [], knobs)[0]


def together(
    rows: list[dict[str, Any]], gathered: list[dict[str, Any]], knobs: Knobs
) -> tuple[pa.Table, pa.Table]:
    """Return both sorts of tests judged as one day's, in one budget: SCHEMA, and GATHERINGS."""
    judged = judge([*rows, *gathered], knobs.false_alert_rate, knobs.watch_false_a_day)
    own, others = judged[: len(rows)], judged[len(rows) :]
    return pa.Table.from_pylist(own, schema=SCHEMA), gatherings.table(others)


def tests(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> list[dict[str, Any]]:
    """Return the tests of each theme, period, and the city and each zone of its divisions.

    Rows of SCHEMA before judgement, with `reach`.

    The city and the zones of each division learn their dispersion apart. Views: those of
    `held.read`.
    """
    rows: list[dict[str, Any]] = []
    references, main = knobs.alert_reference_weeks, city.about.main_division
    listed = [main, *(name for name in divisions(city) if name != main)]
    for theme, division in product(dated_themes(con, city), listed):
        groups = held.read(con, city, theme, division)
        for series, days in product(groups, knobs.alert_periods_days):
            sums, exposure = windows_of(series, days, _memory(knobs))
            base = {"theme": theme, "period_days": days, "division": division}
            whole = division == main and series.zones[0] == WHOLE
            for part in (slice(0, 1), slice(1, None)) if whole else (slice(1, None),):
                judged = test(sums[part], exposure, references)
                if series.in_part:
                    judged = [unsaid(row, IN_PART) for row in judged]
                named = zip(series.zones[part], judged, strict=True)
                rows += [{**base, "zone": zone, **row} for zone, row in named]
    return rows


def _memory(knobs: Knobs) -> int:
    """Return how many weeks before the last are looked at."""
    return knobs.alert_memory_weeks + knobs.alert_reference_weeks


def _days(knobs: Knobs) -> int:
    """Return how many days all windows take."""
    return _memory(knobs) * 7 + max(knobs.alert_periods_days)


def lit(table: pa.Table) -> list[dict[str, Any]]:
    """Return the alerts, the surest first."""
    rows: list[dict[str, Any]] = [row for row in table.to_pylist() if row["alert"]]
    return sorted(rows, key=lambda r: (r["q"], r["p"], r["theme"], r["period_days"], r["zone"]))


def to_watch(table: pa.Table) -> list[dict[str, Any]]:
    """Return what is worth a look, the least to be expected first: a place and theme once."""
    rows = sorted(
        (row for row in table.to_pylist() if row["watch"]),
        key=lambda r: (r["p"], r["theme"], r["period_days"], r["zone"]),
    )
    told = {(row["theme"], row["zone"]) for row in lit(table)}
    found = []
    for row in rows:
        if (row["theme"], row["zone"]) not in told:
            told.add((row["theme"], row["zone"]))
            found.append(row)
    return found


def power(table: pa.Table, knobs: Knobs, times: float, a_day: float = 1.0) -> tuple[float, float]:
    """Return how often a zone's week is seen that is `times` its own: by alerts, by either tier.

    The zone brings `a_day` facts a day; tests and dispersion are those of the table. Alerts are
    taken at their first step, as if nothing else happened that day.
    """
    ok = [row for row in table.to_pylist() if row["status"] == "ok"]
    if not ok:
        return 0.0, 0.0
    alpha, weeks = _usual_dispersion(ok, 7 * a_day), knobs.alert_reference_weeks
    mean, past = 7 * a_day * times, round(7 * a_day * weeks)
    seen = []
    for limit in (knobs.false_alert_rate / len(ok), max(row["limit"] for row in ok)):
        n = np.arange(1, int(mean + 20 * np.sqrt(mean + alpha * mean**2)) + 40)
        p = np.array([tails(past + int(k), 1 / (weeks + 1), weeks, alpha)[k] for k in n])
        least = int(n[np.round(p, P_DIGITS) <= limit][0])
        size = 1 / max(alpha, 1e-9)
        seen.append(round(float(nbinom.sf(least - 1, size, size / (size + mean))), 4))
    return seen[0], seen[1]


def _usual_dispersion(ok: list[dict[str, Any]], mean: float) -> float:
    """Return the median dispersion of the quarter of the zones whose week is nearest `mean`."""
    zones = [r for r in ok if r["zone"] != WHOLE and r["period_days"] == 7 and r["expected"] > 0]
    zones.sort(key=lambda r: (abs(float(np.log(r["expected"] / mean))), r["dispersion"]))
    near = [r["dispersion"] for r in zones[: -(-len(zones) // 4)]]
    return float(np.median(near)) if near else 0.0


def span(city: City, knobs: Knobs) -> tuple[dt.date, dt.date]:
    """Return the first and the last day that the alerts rest on."""
    return last_days(city, _days(knobs))
