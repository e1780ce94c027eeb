"""Extraordinary days: a theme's days far beyond any ordinary one (a riot, a festival, a hail).

Kept out of levels and references, or told beside them, by whoever compares. Written as
`derived/reliability/extraordinary.parquet`, ordered by day, theme, zone (rows of EXTRAORDINARY):

- `day` (date32, local), `theme` (string), `zone` (string): `ville` (`names.WHOLE`), the whole city;
- `n` (int64): records of the day; `expected` (float64): those of an ordinary day at that time;
- `high` (int64): the greatest count that is still ordinary; `p` (float64): P(N ≥ n) of such a day;
- `first` (bool): the first of a month, on which records of unknown day are often put.

Ordinary is a negative binomial around what the 28 days on both sides brought, by class of day; its
tail is fitted without the days found, which are found again (three passes).
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from helpers.core.base.store import literal
from helpers.core.city.city import City
from helpers.core.city.names import NO_THEME, WHOLE
from helpers.core.place_time.counts import DATED
from helpers.reliability import in_part, silence
from helpers.reliability.silence import Bools, Floats, Panel

EXTRAORDINARY = pa.schema(
    [
        ("day", pa.date32()), ("theme", pa.string()), ("zone", pa.string()), ("n", pa.int64()),
        ("expected", pa.float64()), ("high", pa.int64()), ("p", pa.float64()),
        ("first", pa.bool_()),
    ]
)  # fmt: skip
FALSE = 0.01  # chance that a theme without extraordinary day shows one, over its whole period
FEWEST = 10  # records: fewer are no event, however rare
PASSES = 3
HALF = 28  # days on both sides, over which the level is taken


def beyond(
    n: Floats, base: Floats, heard: Bools, false: float = FALSE
) -> tuple[Bools, Floats, Floats, Floats]:
    """Return which days are extraordinary, what was expected, the ordinary most, and P(N ≥ n).

    All of shape (series, days). `base`: shape of the expected counts, up to a level; `heard`: the
    days on which the source was not missing. `false` is shared by the days (Bonferroni).
    """
    limit = false / max(n.shape[1], 1)
    found = np.zeros(n.shape, dtype=bool)
    for _ in range(PASSES):
        kept = heard & ~found
        mean = np.maximum(base * _level_without_itself(n, base, kept), 1e-9)
        over = _spread(n, mean, kept)[:, None]
        size = np.broadcast_to(1 / over, mean.shape)
        chance = np.asarray(stats.nbinom.sf(n - 1, size, size / (size + mean)))
        found = heard & (n >= FEWEST) & (chance < limit)
    high = np.maximum(stats.nbinom.isf(limit, size, size / (size + mean)), FEWEST - 1)
    return found, mean, np.asarray(high), chance


def _level_without_itself(n: Floats, base: Floats, kept: Bools) -> Floats:
    """Return the level around each day that the day itself does not raise, shape of `n`."""
    counts, weights = (
        silence.span_sums(v * kept, HALF) - np.where(kept, v, 0.0) for v in (n, base)
    )
    whole = (n * kept).sum(axis=1) / np.maximum((base * kept).sum(axis=1), 1e-9)
    # Half a record in hand: a series that was empty until then expects little, never nothing.
    return np.asarray((counts + 0.5) / (weights + 0.5 / np.maximum(whole, 1e-9)[:, None]))


def _spread(n: Floats, mean: Floats, kept: Bools) -> Floats:
    """Return a, one a row, in Var = mean + a mean², by moments over the days kept."""
    excess = np.where(kept, (n - mean) ** 2 - mean, 0.0).sum(axis=1)
    weight = np.where(kept, mean**2, 0.0).sum(axis=1)
    return np.asarray(np.maximum(excess / np.maximum(weight, 1e-9), silence.SURE))


def count_days(con: duckdb.DuckDBPyConnection, city: City, days: pa.Table) -> tuple[Panel, Bools]:
    """Return the records a day of each dated theme, and when all its sources were heard whole.

    `days`: rows of `silence.DAYS`. View `observations`.
    """
    period = city.about.period
    dated = set(silence.dated_sources(city))
    themes = sorted(name for name, one in city.themes.items() if dated.issuperset(one.sources))
    width = (period.end - period.start).days + 1
    rows = con.execute(
        f"SELECT theme, date_diff('day', DATE '{period.start}', hour) AS at, count(*) AS n "
        f"FROM observations WHERE {DATED} AND theme <> {literal(NO_THEME)} AND hour >= "
        f"DATE '{period.start}' AND hour < DATE '{period.end}' + 1 GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    n, heard = np.zeros((len(themes), width)), np.ones((len(themes), width), dtype=bool)
    place = {name: i for i, name in enumerate(themes)}
    for theme, at, count in rows:
        if theme in place:
            n[place[theme], at] = count
    gone = silence.silent_days(days)
    for name, i in place.items():
        for source in city.themes[name].sources:
            for day in gone.get(source, set()) | in_part.days(days, source):
                heard[i, (day - period.start).days] = False
    dates = np.arange(width).astype("timedelta64[D]") + np.datetime64(period.start, "D")
    series = [(" ".join(city.themes[name].sources), WHOLE, name) for name in themes]
    return Panel(series, dates.tolist(), n, np.ones(n.shape)), heard


def find(con: duckdb.DuckDBPyConnection, city: City, days: pa.Table) -> pa.Table:
    """Return the extraordinary days of each theme in the whole city (rows of EXTRAORDINARY).

    `days`: rows of `silence.DAYS`. View `observations`.
    """
    panel, heard = count_days(con, city, days)
    if not panel.series:
        return EXTRAORDINARY.empty_table()
    base = _base(panel.n, silence.day_classes(city, panel.days), heard)
    found, mean, high, chance = beyond(panel.n, base, heard)
    rows: list[dict[str, Any]] = [
        {
            "day": panel.days[j], "theme": panel.series[i][2], "zone": WHOLE,
            "n": int(panel.n[i, j]), "expected": round(float(mean[i, j]), 2),
            "high": int(high[i, j]), "p": float(f"{chance[i, j]:.3g}"),
            "first": panel.days[j].day == 1,
        }
        for i, j in zip(*np.nonzero(found), strict=True)
    ]  # fmt: skip
    rows.sort(key=lambda row: (row["day"], row["theme"]))
    return pa.Table.from_pylist(rows, schema=EXTRAORDINARY)


def _base(n: Floats, classes: NDArray[np.int64], heard: Bools) -> Floats:
    """Return how many times the usual day each class of day brings, by medians: no riot moves it.

    Of series too sparse for their medians to tell, every day is alike.
    """
    base = np.ones(n.shape)
    for i in range(len(n)):
        whole = float(np.median(n[i][heard[i]])) if heard[i].any() else 0.0
        for one in np.unique(classes):
            here = heard[i] & (classes == one)
            if whole >= FEWEST and here.any():
                base[i, classes == one] = max(float(np.median(n[i][here])) / whole, 0.1)
    return base
