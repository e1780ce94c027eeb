"""When facts happen: weights of each hour of the period, and the wall clock's missing hour."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from helpers.simulate.settings import Rhythm, Time, TypeOfFact
from helpers.simulate.streams import Floats, Ints, Moments

HOURS = 24


@dataclass(frozen=True)
class Clock:
    """The period's days (local calendar) and the rhythms over them."""

    days: Moments
    time: Time
    timezone: str

    def weights(self, source: str, code: str, kind: TypeOfFact, *, coast: bool) -> Floats:
        """Return the weight of each hour of the period (days × 24, flattened), mean near 1.

        Of what happens: episodes of the record alone are left out.
        """
        hourly = self._rhythm(self.time.rhythms[kind.rhythm])
        daily = self._trend(kind.trend) * self._episodes(source, code, recording=False)
        if coast:
            daily = daily * _mean_one(np.array(self.time.coast_by_month)[self._month()])
        return (hourly * daily[:, None]).ravel()

    def recording(self, source: str, code: str) -> Floats:
        """Return, for each day, how much more of this type the source writes (1: as usual)."""
        return self._episodes(source, code, recording=True)

    def _episodes(self, source: str, code: str, *, recording: bool) -> Floats:
        """Return the product of the factors of either sort of episodes, for each day."""
        daily = np.ones(len(self.days))
        for episode in self.time.episodes:
            concerned = episode.source == source and (
                episode.types is None or code in episode.types
            )
            if concerned and episode.recording == recording:
                last = self.days[-1] if episode.end is None else np.datetime64(episode.end)
                within = (self.days >= np.datetime64(episode.start)) & (self.days <= last)
                daily = np.where(within, daily * episode.factor, daily)
        return daily

    def _rhythm(self, rhythm: Rhythm) -> Floats:
        """Hours before the night's end count with the weekday of the evening before."""
        weekday = (self.days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
        night = np.arange(HOURS) < self.time.night_ends_h
        evening = np.where(night[None, :], weekday[:, None] - 1, weekday[:, None]) % 7
        hours = _mean_one(np.array(rhythm.hours))
        months = _mean_one(np.array(rhythm.months)[self._month()])
        return np.asarray(
            hours[None, :] * _mean_one(np.array(rhythm.weekdays))[evening] * months[:, None]
        )

    def _trend(self, yearly: float) -> Floats:
        years = (np.arange(len(self.days)) - len(self.days) / 2) / 365.25
        return np.asarray((1.0 + yearly) ** years, dtype=np.float64)

    def _month(self) -> Ints:
        return self.days.astype("datetime64[M]").astype(np.int64) % 12

    def missing(self) -> Ints:
        """Return the positions, among the hours of the period, of those the clock leaves out."""
        start = self.days[0].astype("datetime64[h]")
        return np.array(
            [(m.astype("datetime64[h]") - start).astype(np.int64) for m in self._missing_hours()],
            dtype=np.int64,
        )

    def _missing_hours(self) -> list[np.datetime64]:
        """Return the wall hours of the period that the change to summer time leaves out."""
        zone = ZoneInfo(self.timezone)
        found: list[np.datetime64] = []
        for day in self.days:
            midnight = dt.datetime.combine(day.astype(dt.date), dt.time())
            next_day = midnight + dt.timedelta(days=1)
            if (
                next_day.replace(tzinfo=zone).utcoffset()
                == midnight.replace(tzinfo=zone).utcoffset()
            ):
                continue
            for hour in range(HOURS):
                wall = midnight + dt.timedelta(hours=hour)
                there = wall.replace(tzinfo=zone).astimezone(dt.UTC)
                if there.astimezone(zone).replace(tzinfo=None) != wall:
                    found.append(np.datetime64(wall, "m"))
        return found


def build_clock(start: dt.date, end: dt.date, time: Time, timezone: str) -> Clock:
    """Return the clock of the days from `start` to `end`, both included."""
    days = np.arange(np.datetime64(start), np.datetime64(end) + np.timedelta64(1, "D"))
    return Clock(days, time, timezone)


def _mean_one(values: Floats) -> Floats:
    return np.asarray(values / values.mean(), dtype=np.float64)
