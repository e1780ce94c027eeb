"""What a pack plants for reports to find: local rises, addresses, holidays, years unlike the rest.

All of it truly happens; `planted.json` of the truth tells it, and no stage reads it.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from vacances_scolaires_france import SchoolHolidayDates

from helpers.simulate.rhythm import HOURS
from helpers.simulate.settings_planted import Address, LocalEpisode
from helpers.simulate.streams import Bools, Floats, Ints, Moments, draw, stream

if TYPE_CHECKING:
    from helpers.simulate.base import Kind
    from helpers.simulate.intensity import Ground

YEAR_DAYS = 365.25
MIDDLE = np.timedelta64(182, "D")


def yearly_sway(days: Moments, sd: float, code: str, seed: int) -> Floats:
    """Return the factor of each day by which a kind's level sways from year to year.

    Its logarithm is Gaussian in the middle of each year (standard deviation `sd`), a line between.
    """
    years = days.astype("datetime64[Y]")
    middles = np.arange(years[0] - 1, years[-1] + 2).astype("datetime64[D]") + MIDDLE
    levels = sd * stream(seed, f"sway/{code}").standard_normal(len(middles))
    at = np.interp(days.astype(np.float64), middles.astype(np.float64), levels)
    return np.asarray(np.exp(at), dtype=np.float64)


def holiday_factor(days: Moments, factor: float) -> Floats:
    """Return `factor` on the school holidays of zone B, 1 on other days."""
    school = _school()
    dates: list[dt.date] = days.astype("datetime64[D]").tolist()
    closed = np.array([school.is_holiday_for_zone(day, "B") for day in dates])
    return np.where(closed, factor, 1.0)


@cache
def _school() -> SchoolHolidayDates:
    # Read once: a tenth of a second, and each of seventeen kinds of facts asks.
    return SchoolHolidayDates()


def draw_local(
    kind: Kind, rules: tuple[LocalEpisode, ...], ground: Ground, days: Moments,
    hours: tuple[int, int], scale: float, rng: np.random.Generator,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Return place (among the built cells) and hour of what local episodes add between two hours.

    `hours` and the hours returned count from the period's start.
    """
    places, found = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for rule in rules:
        if kind.code not in rule.kinds:
            continue
        excess = np.repeat(_level(rule, days) - 1.0, HOURS)[slice(*hours)]
        here = _within(rule, ground)
        for on_coast, weights in ((False, kind.inland), (True, kind.coast)):
            own = np.flatnonzero(here & (ground.coast == on_coast))
            more = weights[slice(*hours)] * excess
            place = np.repeat(own, rng.poisson(kind.place[own] * more.sum() * scale))
            places.append(place)
            if len(place):
                found.append(hours[0] + draw(more, len(place), rng))
    return np.concatenate(places), np.concatenate(found)


def _level(rule: LocalEpisode, days: Moments) -> Floats:
    """Return the factor of the episode on each day, 1 outside it."""
    start = np.datetime64(rule.start)
    last = days[-1] if rule.end is None else np.datetime64(rule.end)
    since = (days - start).astype("timedelta64[D]").astype(np.float64) / YEAR_DAYS
    level = rule.factor * (1 + rule.yearly) ** since
    return np.where((days >= start) & (days <= last), level, 1.0)


def _within(rule: LocalEpisode, ground: Ground) -> Bools:
    """Return the built cells of the episode's quarters, or districts: a code begins theirs."""
    codes = ground.territory.quarters.code
    own = np.array([code.startswith(rule.places) for code in codes])
    return np.asarray(own[ground.territory.quarter[ground.cells]])


def draw_address(
    kind: Kind, rule: Address, days: Moments, hours: tuple[int, int], scale: float,
    rng: np.random.Generator,
) -> Ints:  # fmt: skip
    """Return the hours of the incidents at one address between two hours of the period."""
    start, last = (
        (np.datetime64(day) - days[0]).astype("timedelta64[D]").astype(np.int64)
        for day in (rule.start, rule.end)
    )
    low, high = np.clip([start * HOURS, (last + 1) * HOURS], *hours)
    if low >= high:
        return np.zeros(0, dtype=np.int64)
    size = rng.poisson(rule.yearly * scale * (high - low) / HOURS / YEAR_DAYS)
    drawn = draw(kind.inland[low:high], size, rng)
    return np.asarray(low + drawn, dtype=np.int64)
