"""Counters of vehicles and walkers, in the three files of the national schema of mobility counts.

What is planted, and told by `simulation.yaml` alone: daily and weekly profiles, a closure that
moves flow to named roads, what events do to the places around them, gatherings that no event
tells, counters that die (no row, an empty count, zeros) or are replaced.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import holidays
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyproj import Geod
from vacances_scolaires_france import SchoolHolidayDates

from helpers.simulate import columns
from helpers.simulate.settings_counting import Counting
from helpers.simulate.settings_planted import Shock
from helpers.simulate.sources import walls
from helpers.simulate.streams import Floats, Ints, Moments, stream

SITES, CHANNELS, MEASURES = "comptage_site", "comptage_channel", "comptage_measure"
HOURS, SUNDAY = 24, 6
HOUR = np.timedelta64(1, "h")
STEP_S = 3600
SLOWED = 0.35  # of its speed that a road loses at its usual peak (assumed)
SPEED_SD = 1.5  # km/h, from hour to hour (assumed)
SHORT = {"CAR": "VL", "TRUCK": "PL", "PEDESTRIAN": "PI", "BIKE": "VE"}
GROUND = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Held:
    """Events: what they are called (n,), start and end (wall clock), degrees."""

    occasion: np.ndarray[tuple[int], np.dtype[np.str_]]
    start: Moments
    end: Moments
    longitude: Floats
    latitude: Floats


def channel_names(rules: Counting) -> list[tuple[str, str, str]]:
    """Return channel, site and mobility of each channel, in order."""
    return [
        (f"{site}-{SHORT[mobility]}", site, mobility)
        for site, about in rules.sites.items()
        for mobility in about.daily
    ]


def sites(rules: Counting) -> pa.Table:
    """Return the file of sites; their names are free text, and refused at the door."""
    about = rules.sites.values()
    return pa.table(
        {
            "site_id": pa.array(list(rules.sites)),
            "parent_site_id": pa.array([""] * len(rules.sites)),
            "site_name": pa.array([f"Point fictif {name}" for name in rules.sites]),
            "fr_insee_code": pa.array(["13055"] * len(rules.sites)),
            "xlong": columns.degrees(np.array([one.longitude for one in about])),
            "ylat": columns.degrees(np.array([one.latitude for one in about])),
            "external_ids": pa.array([""] * len(rules.sites)),
            "infrastructure_type": pa.array([one.road for one in about]),
        }
    )


def channels(rules: Counting, timezone: str) -> pa.Table:
    """Return the file of channels: what is counted at each site, since when, how often."""
    told = channel_names(rules)
    since = np.full(len(told), np.datetime64(rules.since, "m"))
    return pa.table(
        {
            "channel_id": pa.array([name for name, *_ in told]),
            "site_id": pa.array([site for _, site, _ in told]),
            "mobility_type": pa.array([mobility for *_, mobility in told]),
            "comment": pa.array(["Pose par Personne fictive"] * len(told)),
            "provider_direction_name": pa.array(["Vers Lieu fictif"] * len(told)),
            "data_provider_name": pa.array(["Personne fictive"] * len(told)),
            "counter_type": pa.array(
                ["PASSIVE INFRARED" if m == "PEDESTRIAN" else "INDUCTIVE LOOP" for *_, m in told]
            ),
            "temporality": pa.array(["PERMANENT"] * len(told)),
            "started_at": columns.joined(columns.iso(_universal(since, timezone)), "Z"),
            "ended_at": pa.array([""] * len(told)),
            "time_step": pa.array([STEP_S] * len(told)),
        }
    )


def measures(
    rules: Counting,
    held: Held,
    days: Moments,
    timezone: str,
    seed: int,
    shocks: Sequence[Shock] = (),
) -> Iterator[tuple[int, pa.Table]]:
    """Yield year and rows: an hour of a channel each, in the order of time, in UTC."""
    days = days[days >= np.datetime64(rules.since)]
    if not len(days):
        return
    means, speeds = expected(rules, held, days, seed, shocks)
    told = channel_names(rules)
    counted = stream(seed, f"{MEASURES}/counts").poisson(means)
    state = _dead(rules, days, told)  # (channels, days)
    machine = _machines(rules, days, told)
    wall = days[0].astype("datetime64[h]") + np.arange(len(days) * HOURS).astype("m8[h]")
    utc, position = _lived(wall, timezone)
    year = wall[position].astype("datetime64[Y]").astype(np.int64) + 1970
    for one in np.unique(year).tolist():
        own = np.flatnonzero(year == one)
        at = position[own]
        hour, channel = np.repeat(at, len(told)), np.tile(np.arange(len(told)), len(at))
        how = state[channel, hour // HOURS]
        kept = how != 1
        hour, channel, how = hour[kept], channel[kept], how[kept]
        moment = np.repeat(utc[own], len(told))[kept]
        n = np.where(how == 3, 0, counted[channel, hour])
        empty = how == 2
        speed = np.where(empty | (n == 0), np.nan, speeds[channel, hour])
        yield (
            one,
            pa.table(
                {
                    "channel_id": columns.codes([name for name, *_ in told], channel),
                    "counter_id": columns.codes(
                        [f"CPT{i:04d}" for i in range(2 * len(told))],
                        2 * channel + machine[channel, hour // HOURS],
                    ),
                    "start_datetime": columns.joined(columns.iso(moment), "Z"),
                    "end_datetime": columns.joined(columns.iso(moment + HOUR), "Z"),
                    "count": columns.decimals(np.where(empty, np.nan, n), 0),
                    "average_vehicle_speed": columns.decimals(speed, 1),
                    "license_plate": columns.constant("FICTIVE-000", len(n)),
                }
            ),
        )


def expected(
    rules: Counting, held: Held, days: Moments, seed: int, shocks: Sequence[Shock] = ()
) -> tuple[Floats, Floats]:
    """Return the mean count and the speed (channels, hours of the days), by the wall clock."""
    told = channel_names(rules)
    count = len(days)
    shared = rules.shared_sd * _dragging(count, rules.drag, stream(seed, f"{MEASURES}/shared"))
    week, off = _calendar(days)
    usual = {site: _usual(rules, site, week, off) for site in rules.sites}
    place: dict[str, Floats] = {}
    for site in rules.sites:
        rng = stream(seed, f"{MEASURES}/{site}")
        own = rules.own_sd * _dragging(count, rules.drag, rng)
        hourly = rules.hour_sd * rng.standard_normal((count, HOURS))
        place[site] = usual[site] * np.exp((shared + own)[:, None] + hourly)
    crowd = {site: _around(rules, site, held, days) for site in rules.sites}
    level = {site: _planted(rules, site, days) * _kept(shocks, site, days) for site in rules.sites}
    means, speeds = [], []
    for name, site, mobility in told:
        base = place[site] * rules.sites[site].daily[mobility] * crowd[site] * level[site]
        whole = base * _open(rules, site, days) + _diverted(rules, site, mobility, place, days)
        free = rules.sites[site].speed_kmh
        peak = 1.2 * rules.sites[site].daily[mobility] * usual[site].max()
        rng = stream(seed, f"{MEASURES}/{name}/speed")
        slow = (free or 0.0) * (1 - SLOWED * np.minimum(whole / peak, 1.5) ** 2)
        fast = np.maximum(slow + SPEED_SD * rng.standard_normal(whole.shape), 5.0)
        means.append(whole.ravel())
        speeds.append((fast if free else np.full(whole.shape, np.nan)).ravel())
    return np.array(means), np.array(speeds)


def _calendar(days: Moments) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the day of the week, a public holiday being a Sunday, and whether school is out."""
    dates: list[dt.date] = days.astype("datetime64[D]").tolist()
    public = holidays.country_holidays("FR", years=range(dates[0].year, dates[-1].year + 1))
    school = SchoolHolidayDates()
    week = np.array([SUNDAY if day in public else day.weekday() for day in dates])
    return week, np.array([school.is_holiday_for_zone(day, "B") for day in dates])


def _usual(rules: Counting, site: str, week: Ints, off: NDArray[np.bool_]) -> Floats:
    """Return the share of a mean day's passages that each hour brings, (days, 24)."""
    about = rules.profiles[rules.sites[site].profile]
    hours = np.array(about.hours) / np.sum(about.hours)
    weekdays = np.array(about.weekdays) / np.mean(about.weekdays)
    daily = weekdays[week] * np.where(off, about.holidays, 1.0)
    return np.asarray(daily[:, None] * hours[None, :])


def _dragging(count: int, drag: float, rng: np.random.Generator) -> Floats:
    """Return days (count,) of unit variance, each alike the one before by `drag`."""
    noise = rng.standard_normal(count)
    found = noise.copy()
    for day in range(1, count):
        found[day] = drag * found[day - 1] + np.sqrt(1 - drag**2) * noise[day]
    return np.asarray(found)


def _within(days: Moments, start: dt.date, end: dt.date) -> Ints:
    return np.flatnonzero((days >= np.datetime64(start)) & (days <= np.datetime64(end)))


def _open(rules: Counting, site: str, days: Moments) -> Floats:
    """Return the share of its flow that a road keeps, (days, 1)."""
    found = np.ones((len(days), 1))
    for one in rules.closed:
        if one.site == site:
            found[_within(days, one.start, one.end)] = one.kept
    return found


def _diverted(
    rules: Counting, site: str, mobility: str, place: dict[str, Floats], days: Moments
) -> Floats:
    """Return what closed roads send to this one, (days, 24)."""
    found = np.zeros((len(days), HOURS))
    for one in rules.closed:
        daily = rules.sites[one.site].daily.get(mobility)
        if site in one.moved and daily:
            own = _within(days, one.start, one.end)
            gone = place[one.site][own] * daily * (1 - one.kept)
            found[own] += one.moved[site] * gone
    return found


def _kept(shocks: Sequence[Shock], site: str, days: Moments) -> Floats:
    """Return the share of its passages that a site keeps after grave facts, (days, 1)."""
    found = np.ones((len(days), 1))
    for one in shocks:
        if site in one.sites:
            found[one.over(days)] *= one.passages
    return found


def _planted(rules: Counting, site: str, days: Moments) -> Floats:
    """Return the factor of gatherings, other machines and lasting changes, (days, 24)."""
    found = np.ones(len(days) * HOURS)
    zero = days[0].astype("datetime64[h]")
    for one in rules.gatherings:
        first = int((np.datetime64(one.start, "h") - zero).astype(np.int64))
        if one.site == site:
            found[max(first, 0) : max(first + one.hours, 0)] *= one.times
    whole = found.reshape(-1, HOURS)
    for other in rules.changed:
        if other.site == site:
            whole[days >= np.datetime64(other.start)] *= other.factor
    return whole


def _around(rules: Counting, site: str, held: Held, days: Moments) -> Floats:
    """Return the factor of the events around a site, (days, 24)."""
    about, found = rules.sites[site], np.ones(len(days) * HOURS)
    zero = days[0].astype("datetime64[m]")
    count = len(held.longitude)
    here = np.full(count, about.longitude), np.full(count, about.latitude)
    away = np.asarray(GROUND.inv(*here, held.longitude, held.latitude)[2])
    for surge in rules.surges:
        near = (held.occasion == surge.occasion) & (away <= surge.reach_m)
        for i in np.flatnonzero(near & (about.profile == surge.profile)).tolist():
            start, end = (
                (moment[i].astype("datetime64[m]") - zero).astype(np.int64) // 60
                for moment in (held.start, held.end)
            )
            for first, last, factor in (
                (start - surge.span_h, start, surge.before), (start, end, surge.during),
                (end, end + surge.span_h, surge.after),
            ):  # fmt: skip
                found[max(int(first), 0) : max(int(last), 0)] *= factor
    return found.reshape(-1, HOURS)


def _dead(rules: Counting, days: Moments, told: list[tuple[str, str, str]]) -> Ints:
    """Return what each channel sends on each day: 0 counts, 1 no row, 2 an empty count, 3 zeros."""
    found = np.zeros((len(told), len(days)), dtype=np.int64)
    for one in rules.dead:
        sent = ("no_row", "empty", "zero").index(one.how) + 1
        for i, (_, site, _) in enumerate(told):
            if site == one.site:
                found[i, _within(days, one.start, one.end)] = sent
    return found


def _machines(rules: Counting, days: Moments, told: list[tuple[str, str, str]]) -> Ints:
    found = np.zeros((len(told), len(days)), dtype=np.int64)
    for one in (change for change in rules.changed if change.machine):
        for i, (_, site, _) in enumerate(told):
            if site == one.site:
                found[i, days >= np.datetime64(one.start)] = 1
    return found


def _universal(moments: Moments, timezone: str) -> Moments:
    offset = walls.offset_hours(moments, timezone).astype("timedelta64[h]")
    return np.asarray(moments.astype("datetime64[s]") - offset)


def _lived(wall: Moments, timezone: str) -> tuple[Moments, Ints]:
    """Return the hours lived, in UTC, and the position of each one's wall hour.

    The autumn hour lived twice is told twice.
    """
    real = np.flatnonzero(~np.isin(wall, walls.missing_hours(timezone).astype("datetime64[h]")))
    utc = _universal(wall[real].astype("datetime64[m]"), timezone).astype("datetime64[h]")
    every = np.arange(utc[0], utc[-1] + HOUR)
    position = real[np.searchsorted(utc, every, side="right") - 1]
    return every.astype("datetime64[s]"), position
