"""Silence told apart from calm: the days on which a source, or one zone of it, brought nothing.

A day is *low* where it brought at most a share of what was expected. An ordinary day is low with a
small chance q; it is *missing* where its own chance, or the product of those of the run of low days
that it belongs to, falls below a threshold. One day is enough for a feed of fifteen records a day,
often for one of ten; a sparse feed takes as many days as it takes, and `detectable_after_days` says
how many.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import holidays
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import special

from helpers.core.base.store import literal, quote
from helpers.core.city import coverage, moments
from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE, OUTSIDE, WHOLE
from helpers.core.place_time.counts import DATED
from helpers.core.stats.intervals import DIGITS
from helpers.reliability import closures, in_part
from helpers.reliability.knobs import Knobs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PASSES = 3  # the level is found again without the days that were missing
SOURCE_DAYS, ZONE_DAYS = 28, 182  # half-width of the span over which a level is taken
RECENT_DAYS = 28
TRIM = 0.99  # the highest days (riots, festivals) say nothing of how low a day may be
LOWEST = -1e9
DENSE = 20  # records a week: below, an empty week may be chance and is judged by the runs alone
SURE = 1e-6  # smallest overdispersion: Poisson
PUBLIC_HOLIDAY, MINIMUM_HOLIDAYS = 7, 5


@dataclass(frozen=True)
class Panel:
    """Counts a day of some series: `n` has a row a series (source, division, zone), a column a day.

    `share_known` is the share of each day's records that had come in by the last day (same shape).
    """

    series: list[tuple[str, str, str]]
    days: list[dt.date]
    n: Floats
    share_known: Floats


@dataclass(frozen=True)
class Heard:
    """What was expected and what is missing, in the shape of the panel's `n`.

    `low`: the count up to which a day is low. `after`: days of nothing needed to be sure, a row
    each (0 where no number of days would do).
    """

    expected: Floats
    low: Floats
    missing: Bools
    after: NDArray[np.int64]


def threshold(alpha: float) -> float:
    """Return the chance below which a run is missing, for a share `alpha` of days wrongly so.

    A run of at least L low days, each of chance q, covers a share q^L (L (1 − q) + q) of ordinary
    days, at most t (1 − ln t) with t = q^L: solved for t by fixed point.
    """
    found = alpha
    for _ in range(50):
        found = alpha / (1 - np.log(found))
    return float(found)


def span_sums(values: Floats, half: int) -> Floats:
    """Return the sum over the `half` days on both sides of each day, row by row."""
    width = values.shape[1]
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    at = np.arange(width)
    right, left = np.minimum(at + half + 1, width), np.maximum(at - half, 0)
    return np.asarray(total[:, right] - total[:, left])


def _levels(n: Floats, base: Floats, heard: Bools, half: int) -> tuple[Floats, Floats]:
    """Return the count for each unit of `base` around each day, and its cautious value.

    The cautious level is one standard error lower: a level known from few records is uncertain.
    Where less than a quarter of the days of a span were heard, the level is interpolated.
    """
    ones = span_sums(heard.astype(float), half)
    known, weight = span_sums(n * heard, half), span_sums(base * heard, half)
    enough = (ones >= min(2 * half + 1, n.shape[1]) / 4) & (weight > 0)
    found = known / np.where(weight > 0, weight, 1.0)
    at = np.arange(n.shape[1])
    for row in np.flatnonzero(~enough.all(axis=1)):
        good = enough[row] if enough[row].any() else weight[row] > 0
        if good.any():
            found[row] = np.interp(at, at[good], found[row][good])
            known[row] = np.interp(at, at[good], known[row][good])
    return found, found * np.maximum(0.0, 1 - 1 / np.sqrt(np.maximum(known, 1.0)))


def _overdispersion(n: Floats, mean: Floats, heard: Bools) -> Floats:
    """Return a, one a row, in Var = mean + a mean², by moments over all but the highest days."""
    usable = heard & (mean > 0)
    score = np.where(usable, (n - mean) / np.sqrt(np.where(usable, mean, 1.0)), LOWEST)
    at = max(0, int(np.ceil(TRIM * n.shape[1])) - 1)
    highest = np.partition(score, at, axis=1)[:, at : at + 1]
    kept = usable & (score <= highest)
    excess = np.where(kept, (n - mean) ** 2 - mean, 0.0).sum(axis=1)
    weight = np.where(kept, mean**2, 0.0).sum(axis=1)
    return np.asarray(np.maximum(excess / np.where(weight > 0, weight, 1.0), SURE))


def low_chance(mean: Floats, overdispersion: Floats, low: Floats) -> Floats:
    """Return P(N ≤ low) of a negative binomial of that mean, Var = mean + a mean²."""
    size = 1 / overdispersion
    chance = np.asarray(np.exp(-size * np.log1p(mean / size)))
    more = low > 0
    wide = np.broadcast_to(size, mean.shape)[more]
    chance[more] = special.betainc(wide, low[more] + 1, wide / (wide + mean[more]))
    return chance


def _missing(low: Bools, log_chance: Floats, alphas: Floats) -> Bools:
    """Return the low days that chance does not explain, alone or with the run that they are in.

    Half of `alphas` (one a row) goes to days alone, half to runs.
    """
    width = low.shape[1]
    run = np.cumsum(~low, axis=1) + (np.arange(len(low)) * (width + 1))[:, None]
    sums = np.bincount(run[low], weights=log_chance[low], minlength=int(run.max()) + 1)
    alone, runs = _limits(alphas)
    return np.asarray(low & ((log_chance <= alone[:, None]) | (sums[run] <= runs[:, None])))


def _limits(alphas: Floats) -> tuple[Floats, Floats]:
    """Return the logarithms of the chance below which a day, and a run, is missing."""
    return np.log(alphas / 2), np.log([threshold(float(alpha) / 2) for alpha in alphas])


def listen(
    panel: Panel, base: Floats, share: float, alphas: Floats, half: int, masked: Bools
) -> Heard:
    """Return what each series was expected to bring, and the days that are missing.

    `base`: shape of the expected counts, up to a level that is found over `half` days on both
    sides. `alphas`: for each row, the share of days wrongly missing. `masked`: days left out.
    """
    base = base * panel.share_known
    missing = _empty_weeks(panel.n, base, share) | masked
    for spans in (base.shape[1], *[half] * PASSES):
        level, cautious = _levels(panel.n, base, ~missing, spans)
        mean = base * level
        over = _overdispersion(panel.n, mean, ~missing)[:, None]
        low = np.floor(share * mean)
        chance = np.log(np.maximum(low_chance(base * cautious, over, low), 1e-300))
        chance[masked] = 0.0
        is_low = (panel.n <= low) | masked
        missing = _missing(is_low, chance, alphas) | masked
    after = _days_needed(chance[:, -RECENT_DAYS:], ~missing[:, -RECENT_DAYS:], alphas)
    return Heard(mean, low, missing & ~masked, after)


def _days_needed(log_chance: Floats, heard: Bools, alphas: Floats) -> NDArray[np.int64]:
    """Return the days of nothing after which a silence would be told, judging by recent days."""
    alone, runs = _limits(alphas)
    heard = heard | ~heard.any(axis=1, keepdims=True)
    usual = np.where(heard, log_chance, 0.0).sum(axis=1) / heard.sum(axis=1)
    weakest = np.where(heard, log_chance, -np.inf).max(axis=1)
    enough = np.ceil(runs / np.where(usual < -1e-9, usual, -1.0))
    days = np.where(weakest <= alone, 1, np.maximum(enough, 2))
    return np.where(usual < -1e-9, days, 0).astype(np.int64)


def _empty_weeks(n: Floats, base: Floats, share: float) -> Bools:
    """Return the days of weeks far below the usual one: a first guess, robust to long gaps."""
    width = n.shape[1]
    weeks = np.arange(width) // 7
    count = int(weeks[-1]) + 1
    found = np.zeros(n.shape, dtype=bool)
    for row in range(len(n)):
        sums, usual = (np.bincount(weeks, v[row], count) for v in (n, base))
        rate = sums / np.where(usual > 0, usual, 1.0)
        level = float(np.median(rate[sums > 0])) if sums.any() else 0.0
        if level * usual.mean() >= DENSE:
            found[row] = (rate <= share * level)[weeks]
    return found


def day_classes(city: City, days: list[dt.date]) -> NDArray[np.int64]:
    """Return the class of each day: 0 to 6 from Monday, 7 a public holiday (where it has five)."""
    about = city.about.holidays
    years = range(days[0].year, days[-1].year + 1)
    public = holidays.country_holidays(about.country, subdiv=about.subdivision, years=years)
    free = np.array([day in public for day in days])
    weekday = np.array([day.weekday() for day in days])
    return np.where(free & (free.sum() >= MINIMUM_HOLIDAYS), PUBLIC_HOLIDAY, weekday)


def class_factors(n: Floats, classes: NDArray[np.int64], share: float) -> Floats:
    """Return, for each series and day, how many times the mean day its class of day brings."""
    heard = ~_empty_weeks(n, np.ones(n.shape), share)
    base = np.ones(n.shape)
    for one in np.unique(classes):
        here = heard & (classes == one)
        mean = (n * here).sum(axis=1) / np.maximum(here.sum(axis=1), 1)
        whole = (n * heard).sum(axis=1) / np.maximum(heard.sum(axis=1), 1)
        factor = np.where(here.any(axis=1) & (whole > 0), mean / np.where(whole > 0, whole, 1), 1.0)
        base[:, classes == one] = factor[:, None]
    return base


def count_days(
    con: duckdb.DuckDBPyConnection, city: City, known: dict[str, Floats], division: str | None
) -> Panel:
    """Return the records a day of each source, or of each zone of a division. View `observations`.

    Every source whose facts have a day is there, even one that never brought any. `known`: source
    → share of a day's records in hand, by the day's age in days.
    """
    period = city.about.period
    width = (period.end - period.start).days + 1
    zone = quote(f"zone_{division}") if division else literal(WHOLE)
    rows = con.execute(
        f"SELECT source, {zone} AS zone, date_diff('day', DATE '{period.start}', hour) AS at, "
        f"CAST(count(*) AS DOUBLE) AS n FROM observations WHERE {DATED} AND hour >= "
        f"DATE '{period.start}' AND hour < DATE '{period.end}' + 1 AND {zone} NOT IN "
        f"('{NO_PLACE}', '{OUTSIDE}') GROUP BY ALL ORDER BY ALL"
    ).to_arrow_table()
    keys = sorted(set(zip(rows["source"].to_pylist(), rows["zone"].to_pylist(), strict=True)))
    if division is None:
        keys = [(name, WHOLE) for name in dated_sources(city)]
    place = {key: i for i, key in enumerate(keys)}
    n = np.zeros((len(keys), width))
    pairs = zip(rows["source"].to_pylist(), rows["zone"].to_pylist(), strict=True)
    at = np.array([place[key] for key in pairs], dtype=np.int64)
    n[at, rows["at"].to_numpy()] = rows["n"].to_numpy()
    share = np.ones((len(keys), width))
    for i, (source, _) in enumerate(keys):
        if source in known:
            age = np.minimum(np.arange(width)[::-1], len(known[source]) - 1)
            share[i] = known[source][age]
    days = [period.start + dt.timedelta(days=i) for i in range(width)]
    return Panel([(s, division or WHOLE, z) for s, z in keys], days, n, share)


def dated_sources(city: City) -> list[str]:
    """Return the sources whose facts are known to the day at least."""
    rules = {name: contract.observation for name, contract in city.contracts.items()}
    return sorted(
        name
        for name, rule in rules.items()
        if rule is not None and moments.best(rule, city.contracts[name].fields) <= moments.DAY
    )


def find(
    con: duckdb.DuckDBPyConnection,
    city: City,
    knobs: Knobs,
    known: dict[str, Floats] | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Return the days (rows of DAYS) and the series watched (rows of SERIES). View `observations`.

    Days: each day of each source; of zones, only the missing ones, where the source itself is not.
    `reason` is `nothing_received`, `hardly_received`, `not_covered` (by the contract), `closed`
    where the pack says so, `in_part` of a day that was heard. Series: a zone is watched where its
    silence would be told within `silence_max_days`. `silence_alpha` holds for each source, and for
    all the zones of a division together. `known`: what `count_days` takes.
    """
    share, alpha = knobs.silence_share, knobs.silence_alpha
    whole = count_days(con, city, known or {}, None)
    if not whole.series:
        return _days_table([]), _series_table([])
    alphas = np.full(len(whole.series), alpha)
    base = class_factors(whole.n, day_classes(city, whole.days), share)
    gone = _uncovered(city, whole)
    heard = listen(whole, base, share, alphas, SOURCE_DAYS, gone)
    heard.missing[~whole.n.any(axis=1)] = True
    heard = replace(heard, missing=heard.missing | gone)
    days = [_days_of(whole, heard, np.ones(whole.n.shape, dtype=bool), gone)]
    series = _series_of(whole, heard, None)
    of_source = {key[0]: i for i, key in enumerate(whole.series)}
    for division in city.about.divisions:
        panel = count_days(con, city, known or {}, division)
        if not panel.series:
            continue
        rows = np.array([of_source[key[0]] for key in panel.series])
        zones = np.bincount(rows, minlength=len(whole.series))[rows]
        parts = alpha / zones
        # What is not recorded yet is already in what the source was expected to bring.
        panel = replace(panel, share_known=np.ones(panel.n.shape))
        # What thins a whole day out (a strike, a partial import) is no zone's own silence.
        common = np.minimum(heard.expected, whole.n)[rows]
        apart = _uncovered(city, panel) & ~heard.missing[rows]
        found = listen(panel, common, share, parts, ZONE_DAYS, heard.missing[rows] | apart)
        watched = (found.after > 0) & (found.after <= knobs.silence_max_days)
        found = replace(found, missing=(found.missing & watched[:, None]) | apart)
        days.append(_days_of(panel, found, found.missing, apart))
        series += _series_of(panel, found, watched)
    told = in_part.marked(closures.marked(_days_table(days), city), city)
    return told, _series_table(series)


def _uncovered(city: City, panel: Panel) -> Bools:
    """Return the days that the contract does not cover, of each series, in the panel's shape.

    Nor does it those that the publisher writes for a day that it does not know (`unknown_day`): no
    fact is ever dated there.
    """
    found = np.zeros(panel.n.shape, dtype=bool)
    at = {day: i for i, day in enumerate(panel.days)}
    for row, (source, division, zone) in enumerate(panel.series):
        if city.contracts[source].covers:
            gone = coverage.uncovered(city, source, None, division)
            found[row, [at[day] for day in gone.of(zone)]] = True
        rule = city.contracts[source].observation
        codes = rule.unknown_day if rule else ()
        if codes:
            unknown = [f"{day:%d}" in codes or f"{day:%m-%d}" in codes for day in panel.days]
            found[row] |= np.array(unknown)
    return found


def _days_of(panel: Panel, heard: Heard, chosen: Bools, gone: Bools) -> dict[str, Any]:
    row, day = np.nonzero(chosen)
    names = [np.array([key[i] for key in panel.series], dtype=object)[row] for i in range(3)]
    n, missing = panel.n[row, day], heard.missing[row, day]
    return {
        "source": names[0], "division": names[1], "zone": names[2],
        "day": np.array(panel.days, dtype="datetime64[D]")[day],
        "n": n.astype(np.int64),
        "expected": np.round(heard.expected[row, day], 3),
        "low": heard.low[row, day].astype(np.int64),
        "status": np.where(missing, "missing", "ok"),
        "reason": np.select(
            [gone[row, day], missing & (n == 0), missing],
            [coverage.NOT_COVERED, "nothing_received", "hardly_received"], "",
        ),
    }  # fmt: skip


DAYS = pa.schema(
    [
        ("source", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("day", pa.date32()), ("n", pa.int64()), ("expected", pa.float64()), ("low", pa.int64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
SERIES = pa.schema(
    [
        ("source", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("mean_a_day", pa.float64()), ("detectable_after_days", pa.int64()),
        ("watched", pa.bool_()),
    ]
)  # fmt: skip


def _days_table(parts: list[dict[str, Any]]) -> pa.Table:
    tables = [
        pa.table({field.name: pa.array(part[field.name], field.type) for field in DAYS})
        for part in parts
    ]
    return pa.concat_tables(tables) if tables else DAYS.empty_table()


def _series_of(panel: Panel, heard: Heard, watched: Bools | None) -> list[dict[str, Any]]:
    held = ~heard.missing
    means = (panel.n * held).sum(axis=1) / np.maximum(held.sum(axis=1), 1)
    return [
        {
            "source": key[0], "division": key[1], "zone": key[2],
            "mean_a_day": round(float(means[i]), DIGITS),
            "detectable_after_days": int(heard.after[i]) or None,
            "watched": bool(watched is None or watched[i]),
        }
        for i, key in enumerate(panel.series)
    ]  # fmt: skip


def _series_table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SERIES)


def silent_days(days: pa.Table) -> dict[str, set[dt.date]]:
    """Return source → the days on which the whole of it was missing, from the days of `find`.

    Whatever the reason, these days hold no count.
    """
    found: dict[str, set[dt.date]] = {}
    gone = days.filter((pc.field("division") == WHOLE) & (pc.field("status") == "missing"))
    for source, day in zip(gone["source"].to_pylist(), gone["day"].to_pylist(), strict=True):
        found.setdefault(source, set()).add(day)
    return found
