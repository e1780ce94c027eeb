"""The city's wall clock: its offset from UTC, and the hours that it skips or doubles."""

from __future__ import annotations

import datetime as dt
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from helpers.core.place_time import calendar
from helpers.simulate.columns import codes, iso, joined
from helpers.simulate.streams import Bools, Ints, Moments

HOUR = np.timedelta64(1, "h")


def missing_hours(timezone: str) -> Moments:
    """Return the wall hours that the changes to summer time leave out."""
    return np.array(calendar.skipped_hours(timezone), dtype="datetime64[m]")


def existing(moments: Moments, timezone: str) -> Moments:
    """Return wall times with those of a missing hour set one hour later."""
    skipped = np.isin(moments.astype("datetime64[h]"), missing_hours(timezone))
    return np.where(skipped, moments + HOUR, moments)


@cache
def _offsets(timezone: str, first: int, last: int) -> tuple[Moments, Ints]:
    """Return the wall hours from which an offset holds, ascending, and the offsets in hours.

    Of a doubled hour, the first pass (summer time). Offsets of whole hours only.
    """
    zone = ZoneInfo(timezone)
    starts, hours = [], []
    wall, end = dt.datetime(first, 1, 1), dt.datetime(last + 1, 1, 1)
    held: int | None = None
    while wall < end:
        midnight = wall.hour == 0
        now = _offset(wall, zone)
        if now != held:
            starts.append(wall)
            hours.append(now)
            held = now
        plain = midnight and _offset(wall + dt.timedelta(days=1), zone) == now
        wall += dt.timedelta(days=1) if plain else dt.timedelta(hours=1)
    return np.array(starts, dtype="datetime64[m]"), np.array(hours, dtype=np.int64)


def _offset(wall: dt.datetime, zone: ZoneInfo) -> int:
    offset = wall.replace(tzinfo=zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds() / 3600)


def offset_hours(moments: Moments, timezone: str) -> Ints:
    """Return the offset from UTC of wall times, in hours."""
    if not len(moments):
        return np.zeros(0, dtype=np.int64)
    years = np.array([moments.min(), moments.max()]).astype("datetime64[Y]").astype(np.int64) + 1970
    starts, hours = _offsets(timezone, int(years[0]), int(years[1]))
    return np.asarray(hours[np.searchsorted(starts, moments, side="right") - 1])


def zoned(moments: Moments, timezone: str, absent: Bools | None = None) -> pa.Array:
    """Return wall times in ISO 8601 with their offset (`2024-07-01T12:00:00+02:00`)."""
    offset = offset_hours(moments, timezone)
    signs = [f"{h:+03d}:00" for h in range(-12, 15)]
    return joined(iso(moments, absent), codes(signs, offset + 12))


def doubled(moments: Moments, timezone: str) -> Bools:
    """Tell which wall times lie in an hour that the change to winter time doubles."""
    before = offset_hours(moments, timezone)
    after = offset_hours(moments + HOUR, timezone)
    return np.asarray(after < before)
