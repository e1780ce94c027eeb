"""Forecasts of a city's themes: counts by zone, slot and horizon, with their whole distribution.

The method of each theme and horizon is the one that `backtest` chose, the dispersion the one that
it measured over its last year. Where a forecast would not hold, a row says why instead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE, Origin
from helpers.core.place_time import slots
from helpers.core.place_time.slots import Slots
from helpers.core.stats import count_scores, rolling
from helpers.core.stats.count_levels import YEAR, Panel, Target, baselines
from helpers.core.stats.count_models import CHALLENGERS, Fitted, challengers
from helpers.core.stats.count_scores import rounded
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.rolling import HORIZONS, LEARNT, USE, Floats

DAY = "day"  # the part that is the sum of the slots
PART_SILENT = "part_silent"  # a zone of the sum is silent, or not covered
SLOT_H = 6
RECENT, STRAYED = 4, 3  # last weeks judged, and how many beyond one end say that a level moved
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
NAMES = tuple(f"q{round(100 * one):02}" for one in QUANTILES)
TEXT, NUMBER, COUNT = pa.string(), pa.float64(), pa.int64()
FORECASTS = pa.schema(
    [("theme", TEXT), ("kind", TEXT), ("horizon", TEXT), ("division", TEXT), ("zone", TEXT),
     ("part", TEXT), ("starts_at", pa.timestamp("us")), ("ends_at", pa.timestamp("us")),
     ("expires_at", pa.timestamp("us")), ("last_known", pa.date32()), ("lag_days", COUNT),
     ("method", TEXT), ("mean", NUMBER), ("alpha", NUMBER), ("usual", NUMBER), ("any", NUMBER),
     *[(name, COUNT) for name in NAMES], ("status", TEXT), ("reason", TEXT), ("use", TEXT)]
)  # fmt: skip
Rows = Iterator[dict[str, Any]]


class Method(Protocol):
    """How themes are read and models learnt: the knobs of `backtest`."""

    origins: tuple[Origin, ...]
    minimum_count: int
    complete_share: float
    training_weeks: int
    training_step_weeks: int


def of_city(
    con: duckdb.DuckDBPyConnection, city: City, in_force: City, method: Method, seed: int
) -> pa.Table:
    """Return FORECASTS over all themes of the city; those not in force, with the reason, once each.

    `alpha`: the variance is mean + alpha × mean², Poisson's at 0. `usual`: what the mean of 52
    weeks would say. A forecast is not to be shown from `expires_at` on. Views `cube`, `zones`,
    `days`, `delays`, `states`, `skill` and `spreads`.
    """
    rows: list[dict[str, Any]] = []
    for theme in city.themes:
        if theme in in_force.themes:
            read = slots.read(
                con, city, theme, method.origins, method.minimum_count, method.complete_share
            )
            rows += _of_theme(con, read, method, seed)
        else:
            rows += _not_in_force(con, city, theme)
    return pa.Table.from_pylist(rows, schema=FORECASTS)


def shown(table: pa.Table, now: dt.datetime) -> list[dict[str, Any]]:
    """Return the rows that may still be shown at a local moment: an expired forecast never is."""
    return [row for row in table.to_pylist() if row["expires_at"] > now]


def morrow(city: City) -> dt.datetime:
    """Return the moment that forecasts are made at: the end of the city's period."""
    return dt.datetime.combine(city.about.period.end + dt.timedelta(days=1), dt.time())


def held(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], float]:
    """Return theme and horizon → how often the city's interval at 80 % held; view `scores`."""
    rows = con.execute(
        "SELECT theme, horizon, covered_80 FROM scores WHERE chosen AND division = ? AND part = ?",
        [WHOLE, DAY],
    ).fetchall()
    return {(theme, horizon): share for theme, horizon, share in rows}


def moved(con: duckdb.DuckDBPyConnection) -> dict[str, bool]:
    """Return theme → whether more came than was foretold, where the last weeks say one and all.

    `STRAYED` of the last `RECENT` weeks of the city lie beyond the same end of their interval at
    80 %: by chance, less than once in a hundred. View `origins`.
    """
    rows = con.execute(
        "SELECT theme, observed > high, observed < low FROM origins "
        "WHERE horizon = 'week' AND status = 'ok' "
        "QUALIFY row_number() OVER (PARTITION BY theme ORDER BY origin DESC) <= ? "
        "ORDER BY theme, origin",
        [RECENT],
    ).fetchall()
    found = {}
    for theme in dict.fromkeys(theme for theme, *_ in rows):
        above, below = (sum(row[i] for row in rows if row[0] == theme) for i in (1, 2))
        if max(above, below) >= STRAYED:
            found[theme] = above > below
    return found


def _not_in_force(con: duckdb.DuckDBPyConnection, city: City, theme: str) -> Rows:
    """Yield a row a horizon with the reason for which a theme is not in service. View `states`."""
    states = {row["theme"]: row for row in store.records(con, "SELECT * FROM states")}
    state = states[theme]
    why = next((one["reason"] for one in state["reasons"] if one["reason"] != "held"), "sample")
    for horizon in HORIZONS:
        part = slots.SLOTS[0] if horizon == "slot" else DAY
        starts, ends = span(morrow(city), horizon, part)
        yield {"theme": theme, "horizon": horizon, "division": WHOLE, "zone": WHOLE, "part": part,
               "starts_at": starts, "ends_at": ends, "expires_at": ends, "status": "abstained",
               "reason": why, "use": USE}  # fmt: skip


def span(start: dt.datetime, horizon: str, part: str) -> tuple[dt.datetime, dt.datetime]:
    """Return when a horizon's target begins and ends, for a slot of its days or for all of them."""
    after = start + dt.timedelta(days=HORIZONS[horizon])
    if part not in slots.SLOTS:
        return start, after
    place = slots.SLOTS.index(part)
    begins = start + dt.timedelta(hours=SLOT_H * place)
    return begins, after - dt.timedelta(hours=SLOT_H * (len(slots.SLOTS) - 1 - place))


def _of_theme(con: duckdb.DuckDBPyConnection, read: Slots, method: Method, seed: int) -> Rows:
    judged = {
        (row["horizon"], row["division"]): row
        for row in store.records(con, "SELECT * FROM skill WHERE theme = ?", [read.theme])
    }
    spreads = {
        (row["horizon"], row["division"], row["part"]): (row["phi"], row["alpha"])
        for row in store.records(con, "SELECT * FROM spreads WHERE theme = ?", [read.theme])
    }
    found = Forecaster(read, method, seed)
    for horizon in HORIZONS:
        for division, (zones, sums) in read.sums().items():
            told = judged.get((horizon, division)) or judged.get((horizon, read.division))
            if told is None:
                continue
            for part, parts in _parts(read, horizon).items():
                head = _head(read, horizon, division, part)
                if told["method"] is None or told["status"] != "ok":
                    yield from _silent(head, zones, told["reason"], told["method"])
                    continue
                mean, usual = found.mean(horizon, told["method"], told["city_method"], parts)
                kind = DAY if part == DAY else "slots"
                yield from _rows(
                    head | {"method": told["method"]}, read, zones, sums, mean, usual,
                    spreads[horizon, division, kind],
                )  # fmt: skip


class Forecaster:
    """A theme's means from its last complete day, each model learnt once, where it is asked for."""

    def __init__(self, read: Slots, method: Method, seed: int) -> None:
        known = read.known
        self.read, self.method, self.seed = read, method, seed
        self.panel = Panel(read.counts[:known], read.heard[:known], read.weekday[:known],
                           read.season, 7)  # fmt: skip
        self.at = np.array([known])
        self.fits: dict[int, Fitted | None] = {}

    def mean(self, horizon: str, name: str, city_name: str, parts: slice) -> tuple[Floats, Floats]:
        """Return the means of a method, and of 52 weeks' mean, over parts of a day (places,).

        The method's are scaled to the city's mean, unless that is their sum.
        """
        target = Target(self.read.lead, HORIZONS[horizon])
        simple = baselines(self.panel, self.at, target)
        found = simple if name not in CHALLENGERS else self._learnt(horizon, target)
        mean = found[name][0]
        if city_name != rolling.BOTTOM_UP:
            told = slice(0, 1) if horizon == "slot" else slice(0, mean.shape[0])
            whole = baselines(rolling.city_of(self.panel), self.at, target)[city_name][0, told]
            mean = mean * whole.sum() / max(mean[told].sum(), 1e-9)
        return mean[parts].sum(axis=0), simple[YEAR][0, parts].sum(axis=0)

    def _learnt(self, horizon: str, target: Target) -> dict[str, Floats]:
        length = LEARNT[horizon]
        if length not in self.fits:
            self.fits[length] = rolling.learnt(
                self.panel, self.panel.steps, Target(self.read.lead, length),
                self.method.training_weeks, self.method.training_step_weeks, self.seed,
            )  # fmt: skip
        fitted = self.fits[length]
        if fitted is None:
            raise ValueError("a model was chosen that cannot be learnt from more data")
        return challengers(fitted, self.panel, self.at, target)


def _parts(read: Slots, horizon: str) -> dict[str, slice]:
    """Return the parts that a horizon is told by: slots whose hour is known, then the day."""
    clocked = [part for part in read.parts if part in slots.SLOTS]
    told = {part: slice(i, i + 1) for i, part in enumerate(clocked)}
    if horizon == "slot":
        return dict(list(told.items())[:1]) or {slots.SLOTS[0]: slice(0, 0)}
    return told | {DAY: slice(0, len(read.parts))}


def _head(read: Slots, horizon: str, division: str, part: str) -> dict[str, Any]:
    start = dt.datetime.combine(read.after, dt.time())
    starts, ends = span(start, horizon, part)
    return {"theme": read.theme, "kind": read.kind, "horizon": horizon, "division": division,
            "part": part, "starts_at": starts, "ends_at": ends, "expires_at": ends,
            "last_known": read.first + dt.timedelta(days=read.known - 1),
            "lag_days": read.lag_days, "use": USE}  # fmt: skip


def _silent(head: Mapping[str, Any], zones: list[str], why: str, method: str | None) -> Rows:
    for zone in zones:
        yield {**head, "zone": zone, "method": method, "status": "abstained", "reason": why}


def _rows(
    head: Mapping[str, Any], read: Slots, zones: list[str], sums: Floats, mean: Floats,
    usual: Floats, spread: tuple[float, float],
) -> Rows:  # fmt: skip
    """Yield a row a zone; a place that is silent now abstains, and so do its sums."""
    why = _not_heard(read)
    means, beside = sums @ mean, sums @ usual
    alpha = np.round(rolling.alpha_of(means, spread), DIGITS)
    at = count_scores.quantiles(means, alpha, QUANTILES)
    some = 1 - np.exp(count_scores.log_chance(np.zeros(len(means)), means, alpha))
    for i, zone in enumerate(zones):
        held = np.flatnonzero(sums[i])
        reasons = [why[place] for place in held if why[place]]
        if reasons:
            reason = reasons[0] if len(held) == len(reasons) else PART_SILENT
            yield {**head, "zone": zone, "status": "abstained", "reason": reason}
            continue
        yield {
            **head, "zone": zone, "mean": rounded(means[i]), "alpha": float(alpha[i]),
            "usual": rounded(beside[i]), "any": rounded(some[i]),
            **{name: int(at[j, i]) for j, name in enumerate(NAMES)}, "status": "ok", "reason": "",
        }  # fmt: skip


def _not_heard(read: Slots) -> list[str]:
    """Return why each place is silent between its last complete day and the period's end."""
    days = read.why[read.known - 1 :]
    return [next((str(one) for one in place if one), "") for place in days.T]
