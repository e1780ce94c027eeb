"""The one reader of counters: passages by hour of each place, and why an hour is not known.

An hour that a counter does not tell is missing, never zero. Four more traps are told apart: a
counter that sends zeros for longer than its road was ever empty is dead; a class of which one
channel is missing is missing (a part is not the whole); a machine that sends its total, which only
rises, counts no passages of the hour; where the machine changed, what was counted before does not
compare with what is counted after (`era`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base.store import literal, quote
from helpers.core.city import lists
from helpers.core.city.city import City
from helpers.core.city.traffic_rules import TrafficRules
from helpers.core.place_time.calendar import odd_hours
from helpers.core.place_time.occasions import zones_at
from helpers.core.place_time.territory import project

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
HOURS = 24
# Why an hour is not known; OK: it is.
OK, MISSING, DEAD, NOT_LIVED, NO_COUNTER, CHANGED, CUMULATED = range(7)
EMPTY = 40.0  # passages that a run of zeros would have had: more of them, and the counter is dead
# A total that only rises: of a week's hours, each beside the one before, so few fall (one a day,
# where it starts anew at midnight) and so many rise. Traffic falls as often as it rises.
FALLS, RISES, PAIRS = 0.06, 0.5, 100
WEEK = 7


@dataclass(frozen=True)
class Place:
    """A place where one counts: site, name, zone of the main division, metres, kind of road."""

    site: str
    name: str
    zone: str | None
    x: float
    y: float
    road: str


@dataclass(frozen=True)
class Hours:
    """Passages an hour (places, days, 24), local wall clock, NaN where `why` is not `OK`.

    `speed`: mean km/h, NaN where not told. `era` (places, days): days compare within one alone.
    """

    first: dt.date
    places: tuple[Place, ...]
    flow: Floats
    speed: Floats
    why: Ints
    era: Ints

    def day(self, at: dt.date) -> int:
        """Return the position of a day; negative before the first."""
        return (at - self.first).days


def read(
    con: duckdb.DuckDBPyConnection, city: City, rules: TrafficRules, files: dict[str, Path],
    kind: str, closed: Collection[tuple[str, dt.date]] = (),
) -> Hours:  # fmt: skip
    """Return the counts of a class over the city's period; `files`: source → its accepted rows.

    `closed`: sites and days when the road was closed, whose zeros are true. A channel of several
    mobilities counts where all are of one class. The autumn hour lived twice is a mean of both.
    View `zones`.
    """
    start, days = city.about.period.start, (city.about.period.end - city.about.period.start).days
    channels = _channels(con, rules, files, kind)
    told = _of_channels(con, city, rules, files, [name for name, *_ in channels])
    places, flows, speeds, whys, eras = [], [], [], [], []
    for site in sorted({site for _, site, *_ in channels}):
        own = [i for i, one in enumerate(channels) if one[1] == site]
        spans = np.array([_in_service(*channels[i][2:], start, days + 1) for i in own])
        flow, speed, era, why = _added(told[0][own], told[1][own], told[2][own], spans)
        total = np.any([_cumulated(told[0][i]) for i in own], axis=0)
        why = np.where((why == OK) & total[:, None], CUMULATED, why)
        why = np.where((why == OK) & _dead(flow, site, start, closed), DEAD, why)
        places.append(site)
        flows.append(np.where(why == OK, flow, np.nan))
        speeds.append(np.where(why == OK, speed, np.nan))
        whys.append(why)
        eras.append(era)
    shape = (len(places), days + 1, HOURS)
    found = _placed(con, city, rules, files, places)
    skipped = _not_lived(city, days + 1)
    return Hours(
        start, found, np.array(flows).reshape(shape), np.array(speeds).reshape(shape),
        np.where(skipped, NOT_LIVED, np.array(whys, dtype=np.int64).reshape(shape)),
        np.array(eras, dtype=np.int64).reshape(shape[:2]),
    )  # fmt: skip


Channel = tuple[str, str, dt.datetime, dt.datetime | None]


def _channels(
    con: duckdb.DuckDBPyConnection, rules: TrafficRules, files: dict[str, Path], kind: str
) -> list[Channel]:
    """Return id, site, start and end of each channel all of whose mobilities are of the class."""
    about = rules.channels
    names = (about.id, about.site, about.mobility, about.start, about.end)
    rows = con.execute(
        f"SELECT {', '.join(map(quote, names))} FROM read_parquet({literal(files[about.source])}) "
        "ORDER BY ALL"
    ).fetchall()
    found: list[Channel] = []
    for channel, site, mobility, start, end in rows:
        if mobility and set(mobility.split(",")) <= set(rules.classes[kind].mobility):
            found.append((channel, site, start, end))
    return found


def _of_channels(
    con: duckdb.DuckDBPyConnection, city: City, rules: TrafficRules, files: dict[str, Path],
    channels: list[str],
) -> tuple[Floats, Floats, Ints]:  # fmt: skip
    """Return flow, speed (channels, days, 24) and machine (channels, days), −1 and NaN unknown.

    An hour is known where its measures are of an hour at most, fill it, and none is empty.
    """
    about, sites = rules.measures, rules.channels
    zone = city.contracts[about.source].timezone or city.about.timezone
    wall = (f"timezone({literal(city.about.timezone)}, "
            f"timezone({literal(zone)}, {quote(about.start)}))")  # fmt: skip
    speed = f"CAST({quote(about.speed)} AS DOUBLE)" if about.speed else "NULL::DOUBLE"
    period = city.about.period
    rows = con.execute(
        f"WITH step AS (SELECT {quote(sites.id)} AS channel, any_value({quote(sites.step)}) AS s "
        f"FROM read_parquet({literal(files[sites.source])}) GROUP BY 1), "
        f"told AS (SELECT {quote(about.channel)} AS channel, {quote(about.counter)} AS machine, "
        f"{wall} AS wall, CAST({quote(about.count)} AS DOUBLE) AS n, {speed} AS v, coalesce("
        f"date_diff('second', {quote(about.start)}, {quote(about.end)}), s) AS seconds FROM "
        f"read_parquet({literal(files[about.source])}) m "
        f"JOIN step ON step.channel = m.{quote(about.channel)}) "
        "SELECT channel, date_diff('day', ?::DATE, CAST(wall AS DATE)) AS day, hour(wall) AS hour, "
        "CASE WHEN count(n) = count(*) AND sum(seconds) >= 3600 AND max(seconds) <= 3600 "
        "THEN sum(n) * 3600 / sum(seconds) END AS flow, "
        "sum(v * n) / nullif(sum(n) FILTER (v IS NOT NULL), 0) AS speed, "
        "min(machine) AS machine, max(machine) AS last FROM told "
        "WHERE CAST(wall AS DATE) BETWEEN ? AND ? GROUP BY ALL ORDER BY ALL",
        [period.start, period.start, period.end],
    ).fetchnumpy()
    size = (len(channels), (period.end - period.start).days + 1, HOURS)
    flow, fast = np.full(size, np.nan), np.full(size, np.nan)
    machine = np.full(size[:2], -1, dtype=np.int64)
    place = {name: i for i, name in enumerate(channels)}
    at = np.array([place.get(str(name), -1) for name in rows["channel"]], dtype=np.int64)
    kept = np.flatnonzero(at >= 0)
    where = at[kept], np.asarray(rows["day"])[kept], np.asarray(rows["hour"])[kept]
    flow[where] = np.ma.filled(rows["flow"].astype(float), np.nan)[kept]
    fast[where] = np.ma.filled(rows["speed"].astype(float), np.nan)[kept]
    names = np.asarray(np.ma.filled(rows["machine"], ""), dtype=str)
    numbers = np.unique(names, return_inverse=True)[1].reshape(-1)
    machine[where[:2]] = numbers[kept]  # of a day, the last hour's: it is the one that stays
    return flow, fast, machine


def _in_service(
    begun: dt.datetime, ended: dt.datetime | None, start: dt.date, days: int
) -> NDArray[np.bool_]:
    """Return the days on which a channel is in service, from the first whole one on."""
    first = (begun.date() - start).days + (begun.time() > dt.time(3))
    last = days if ended is None else (ended.date() - start).days
    return np.asarray((np.arange(days) >= first) & (np.arange(days) < last))


def _added(
    flow: Floats, speed: Floats, machine: Ints, service: NDArray[np.bool_]
) -> tuple[Floats, Floats, Ints, Ints]:
    """Return flow, speed (days, 24), era (days,) and why (days, 24) of channels that add up."""
    on = service[:, :, None]
    whole = np.where(on, flow, 0.0).sum(axis=0)
    heard = on & np.isfinite(speed) & (flow > 0)
    weight = np.where(heard, flow, 0.0)
    fast = np.divide(
        (np.where(heard, speed, 0.0) * weight).sum(axis=0), weight.sum(axis=0),
        out=np.full(whole.shape, np.nan), where=weight.sum(axis=0) > 0,
    )  # fmt: skip
    why = np.where(np.isfinite(whole), OK, MISSING)
    era, changed = _eras(machine, service)
    why[changed] = CHANGED
    why[~service.any(axis=0)] = NO_COUNTER
    return whole, fast, era, why


def _eras(machine: Ints, service: NDArray[np.bool_]) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the era of each day (days,), and the days on which it begins anew.

    A new one begins where a channel comes or goes, or where another machine counts.
    """
    held = np.where(service, machine, -2)
    for day in range(1, held.shape[1]):  # what a day does not tell is what it was
        unknown = (held[:, day] == -1) & service[:, day - 1]
        held[unknown, day] = held[unknown, day - 1]
    known = (held[:, 1:] != -1) & (held[:, :-1] != -1)
    before = service[:, :-1].any(axis=0)  # the first day of all is no change
    anew = ((held[:, 1:] != held[:, :-1]) & known).any(axis=0) & before
    changed = np.concatenate([[False], anew])
    return np.cumsum(changed), changed


def _dead(
    flow: Floats, site: str, start: dt.date, closed: Collection[tuple[str, dt.date]]
) -> NDArray[np.bool_]:
    """Return the hours (days, 24) of runs of zeros that would have brought `EMPTY` passages.

    As the median of the same hour of the week, zeros apart, has it. Closed days are no run.
    """
    days = len(flow)
    weekday = (start.weekday() + np.arange(days)) % 7
    usual = np.zeros_like(flow)
    for day in np.unique(weekday):
        own = flow[weekday == day]
        told = np.where(own > 0, own, np.nan)
        some = np.isfinite(told).any(axis=0)
        usual[weekday == day] = np.where(some, np.nanmedian(np.where(some, told, 0.0), axis=0), 0.0)
    shut = [(day - start).days for place, day in closed if place == site]
    zero = flow == 0
    zero[[day for day in shut if 0 <= day < days]] = False
    line = zero.ravel()
    run = np.cumsum(np.concatenate([[False], line[1:] != line[:-1]]))
    brought = np.bincount(run, np.where(line, usual.ravel(), 0.0))
    return np.asarray((line & (brought[run] >= EMPTY)).reshape(flow.shape))


def _cumulated(flow: Floats) -> NDArray[np.bool_]:
    """Return the days (days,) of weeks in which a channel (days, 24) tells a total that rises."""
    found = np.zeros(len(flow), dtype=bool)
    for first in range(0, len(flow), WEEK):
        week = slice(max(min(first, len(flow) - WEEK), 0), first + WEEK)
        steps = np.diff(flow[week].ravel())
        steps = steps[np.isfinite(steps)]
        if len(steps) >= PAIRS:
            found[week] |= (steps < 0).mean() <= FALLS and (steps > 0).mean() >= RISES
    return found


def _not_lived(city: City, days: int) -> NDArray[np.bool_]:
    start = city.about.period.start
    found = np.zeros((days, HOURS), dtype=bool)
    listed = [start + dt.timedelta(days=i) for i in range(days)]
    for hour, length in odd_hours(city.about.timezone, listed).items():
        if length == 0:
            found[(hour.date() - start).days, hour.hour] = True
    return found


def _placed(
    con: duckdb.DuckDBPyConnection, city: City, rules: TrafficRules, files: dict[str, Path],
    listed: list[str],
) -> tuple[Place, ...]:  # fmt: skip
    """Return the places of sites and classes; one whose site no row tells has no zone."""
    about, names = rules.sites, lists.read(city.pack, rules.sites.names)
    columns = (about.id, about.longitude, about.latitude, about.road)
    rows = con.execute(
        f"SELECT {', '.join(map(quote, columns))} "
        f"FROM read_parquet({literal(files[about.source])}) ORDER BY ALL"
    ).fetchall()
    at = {row[0]: row[1:] for row in rows}
    degrees = np.array([at.get(site, (None,) * 3)[:2] for site in listed], dtype=float)
    longitude, latitude = degrees.reshape(-1, 2).T
    zones = zones_at(con, city, longitude, latitude)
    metres = zip(*project(longitude, latitude, city.about.crs), strict=True)
    return tuple(
        Place(site, names.get(site, site), zone, float(x), float(y),
              str(at[site][2] or "") if site in at else "")
        for site, zone, (x, y) in zip(listed, zones, metres, strict=True)
    )  # fmt: skip
