"""Weekly counts of a theme, zone by zone, and how much of each week they can be held against.

The exposure of a week is 1 where all of an ordinary week is in hand. It is 0 where the source was
silent or something exceptional was on, less than 1 while late entries are missing, follows the
season where that can be told, and the changes of recording: counts then compare.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import duckdb
import numpy as np
from scipy import special

from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE, OUTSIDE, WHOLE, Origin
from helpers.core.place_time.calendar import full_weeks
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import covered_weeks, heard_weeks, weeks_of
from helpers.core.stats import quasi_poisson
from helpers.core.stats.quasi_poisson import Bools, Explained, Floats
from helpers.trends import milestones
from helpers.trends.joined import Part, join
from helpers.trends.milestones import Step

YEAR = 52  # weeks over which the season's factors average to one


@dataclass(frozen=True)
class Series:
    """A theme's weeks: `counts` and `exposure` have shape (zones, weeks), the city first.

    `share_in` (weeks,): share of the entries in hand, and `late_error` its relative error.
    `aside` (weeks,): set apart for a milestone. `season` where it could be told.
    """

    mondays: list[dt.date]
    zones: list[str]
    counts: Floats
    exposure: Floats
    share_in: Floats
    late_error: Floats
    aside: Bools
    steps: list[Step]
    season: Explained | None

    def seasonal(self) -> Floats:
        """Return the season's factor of each week (weeks,), 1 where none could be told."""
        return _factor(self.season, len(self.mondays))

    def extra(self, window: int) -> Floats:
        """Return the variance of a log ratio that is not of counts, one a zone (zones,).

        That of the changes of recording, as far as they part the two windows, and of late entries.
        """
        weeks = len(self.mondays)
        before, recent = slice(weeks - 2 * window, weeks - window), slice(weeks - window, weeks)
        heard = np.maximum(self.exposure[:, recent].sum(axis=1), 1e-9)
        late = (self.exposure[:, recent] * self.late_error[recent]).sum(axis=1) / heard
        total = late**2
        for step in self.steps:
            after = np.arange(weeks) >= step.at
            parted = [
                (self.exposure[:, part] * after[part]).sum(axis=1)
                / np.maximum(self.exposure[:, part].sum(axis=1), 1e-9)
                for part in (before, recent)
            ]
            total = total + ((parted[1] - parted[0]) * step.error) ** 2
        return np.asarray(total)


def _factor(season: Explained | None, weeks: int) -> Floats:
    if season is None:
        return np.ones(weeks)
    wave = quasi_poisson.harmonics(weeks)
    factor = np.exp(wave @ season.coefficients[-wave.shape[1] :])
    return np.asarray(factor / factor[-YEAR:].mean())


class Weeks:
    """Reads the weekly series of a city's themes.

    Views `cube`, `zones`, `weeks`, `grades_weekly` and `nowcast`. `length`: weeks of a window
    compared; `confidence` that of the nowcast's intervals; `origins` the records counted (all).
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        city: City,
        length: int,
        confidence: float,
        origins: Collection[Origin] | None = None,
    ) -> None:
        self.con, self.city, self.length, self.origins = con, city, length, origins
        self.reach = float(special.ndtri((1 + confidence) / 2))
        period = city.about.period
        self.mondays = full_weeks(period.start, period.end)
        self.place = {monday: i for i, monday in enumerate(self.mondays)}
        self._steps: dict[str, list[Step]] = {}
        self._read: dict[tuple[str, str], Series | None] = {}

    def of(self, theme: str, division: str) -> Series | None:
        """Return the theme's series, read once; None where no fact is known by the day."""
        key = theme, division
        if key not in self._read:
            dated = has_weeks(self.con, theme)
            self._read[key] = self._series(theme, division) if dated else None
        return self._read[key]

    def _series(self, theme: str, division: str) -> Series:
        zones = [WHOLE, *zones_of(self.con, division)]
        parts = [
            Part(
                self._counts(theme, source, division, zones), self._heard(source, division, zones),
                *self._late(source), self.steps(source),
            )
            for source in self.city.themes[theme].sources
        ]  # fmt: skip
        joined = join(parts)
        heard = joined.heard * covered_weeks(self.city, theme, division, zones, self.mondays)
        marks = milestones.concerning(self.city, theme)
        aside = milestones.exceptional(marks, self.mondays)
        plain = heard * ~aside * joined.share_in * joined.recorded
        counted = np.sum([part.counts for part in parts], axis=0)
        season = quasi_poisson.season(counted[0], plain[0], self.length)
        exposure = plain * _factor(season, len(self.mondays))
        return Series(
            self.mondays, zones, counted, exposure, joined.share_in[0], joined.late_error, aside,
            joined.steps, season,
        )  # fmt: skip

    def steps(self, source: str) -> list[Step]:
        """Return what the changes of recording did to the source, measured once."""
        if source not in self._steps:
            marks = [m for m in self.city.about.milestones if source in m.sources]
            recorded = np.zeros(len(self.mondays))
            for monday, n in counts(self.con, ["week"], source=source):
                if monday in self.place:
                    recorded[self.place[monday]] = n
            heard = self._heard(source, "", [WHOLE])[0] * self._late(source)[0]
            heard = heard * ~milestones.exceptional(marks, self.mondays)
            self._steps[source] = milestones.steps(marks, self.mondays, recorded, heard)
        return self._steps[source]

    def _heard(self, source: str, division: str, zones: list[str]) -> Floats:
        """Return 1 where no day of the week is missing, 0 elsewhere; shape (zones, weeks)."""
        heard = heard_weeks(self.con, source, division, zones, self.mondays)
        return np.asarray(heard, dtype=np.float64)

    def _late(self, source: str) -> tuple[Floats, Floats]:
        """Return the share of each week's entries in hand, and its relative error."""
        share, error = np.ones(len(self.mondays)), np.zeros(len(self.mondays))
        rows = self.con.execute(
            "SELECT week, share_in, value, low, high FROM nowcast "
            "WHERE source = ? AND division = ? AND status = 'ok'",
            [source, WHOLE],
        ).fetchall()
        for monday, known, value, low, high in rows:
            if monday in self.place and value > 0 and known > 0:
                share[self.place[monday]] = known
                error[self.place[monday]] = (high - low) / (2 * self.reach * value)
        return share, error

    def _counts(self, theme: str, source: str, division: str, zones: list[str]) -> Floats:
        by_zone = counts(
            self.con, ["zone", "week"], theme=theme, source=source, origins=self.origins,
            division=division,
        )  # fmt: skip
        row_of = {name: i for i, name in enumerate(zones)}
        found = np.zeros((len(zones), len(self.mondays)))
        for place, monday, n in by_zone:
            if monday in self.place:
                found[0, self.place[monday]] += n
                if place in row_of:
                    found[row_of[place], self.place[monday]] += n
        return found


def has_weeks(con: duckdb.DuckDBPyConnection, theme: str) -> bool:
    """Tell whether some facts of the theme are dated better than to the month."""
    return bool(counts(con, ["year"], theme=theme))


def zones_of(con: duckdb.DuckDBPyConnection, division: str) -> list[str]:
    """Return the codes of the division's zones. View `zones`."""
    rows = con.execute("SELECT code FROM zones WHERE division = ? ORDER BY 1", [division])
    return [row[0] for row in rows.fetchall() if row[0] not in (OUTSIDE, NO_PLACE)]


def counted_weeks(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, division: str | None = None
) -> dict[str, list[tuple[dt.date, int | None]]]:
    """Return zone → (Monday, count) of each full week; None where a source did not tell.

    `ville` is the whole city, placed or not; then the zones of `division`, if given, that have
    at least one fact. Views `cube` and `weeks`.
    """
    by_zone: dict[str, dict[dt.date, int]] = {WHOLE: {}}
    for *place, week, n in counts(
        con, ["zone", "week"] if division else ["week"], theme=theme, division=division
    ):
        for key in {WHOLE, *filter(None, place)}:
            found = by_zone.setdefault(key, {})
            found[week] = found.get(week, 0) + n
    told = con.execute(
        "SELECT week FROM weeks WHERE list_contains(?, source) AND status = 'missing'",
        [list(city.themes[theme].sources)],
    ).fetchall()
    silent = {row[0] for row in told}
    gone = coverage.of_theme(city, theme, division or city.about.main_division)
    apart = {
        place: silent | weeks_of(gone.city if place == WHOLE else gone.of(place))
        for place in by_zone
    }
    mondays = full_weeks(city.about.period.start, city.about.period.end)
    return {
        place: [(m, None if m in apart[place] else found.get(m, 0)) for m in mondays]
        for place, found in by_zone.items()
    }
