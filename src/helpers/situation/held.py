"""What each day of a theme can be held against: counts, and how much of an ordinary day is in hand.

The exposure of a day follows what is known to move counts while nothing changes: the calendar
(season, day of the week, holidays), a change of recording as `trends` measured it, entries still to
come. Days on which the source was silent, or that its contract does not cover, are not heard; days
that a milestone makes an exception of, or that `reliability` found extraordinary, are kept aside.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy import special

from helpers.core.base import store
from helpers.core.city import coverage
from helpers.core.city.about import Holidays, Milestone
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time.calendar import PUBLIC_HOLIDAY, SCHOOL_HOLIDAYS, day_kinds
from helpers.core.place_time.counts import DATED, counts
from helpers.core.stats.quasi_poisson import YEAR_WEEKS, Bools, Floats, quasi_poisson

BASE_DAYS = 364  # whole weeks nearest to a year
LATEST = 28  # days that tell nothing of the calendar: they are those to be judged
SEASON_DAYS, SEASON_COUNT = 728, 400  # heard days, facts: below, the calendar is not told
HARMONICS = 2
RECORDED_LEVEL = 0.95  # of the intervals of `trends/recorded`
IN_PART = "in_part"  # the reason of a day received in part, and why nothing is said
TOGETHER = ""  # row 0 of zones that are not covered as the city is: their sum, which nobody is told


@dataclass(frozen=True)
class Step:
    """A change of recording: its day's place, relative error of its ratio, what it is called."""

    at: int
    error: float
    title: str


@dataclass(frozen=True)
class Calendar:
    """By how much the calendar moves each day, `factor` (days,), and how well that is known.

    `moved` (days, regressors) times the coefficients is its logarithm; `covariance` is theirs.
    """

    factor: Floats
    moved: Floats
    covariance: Floats

    def error(self, now: slice, base: slice) -> float:
        """Return the relative variance of what the calendar makes of one span beside another."""
        if not self.moved.shape[1]:
            return 0.0
        apart = self.moved[now].mean(axis=0) - self.moved[base].mean(axis=0)
        return float(apart @ self.covariance @ apart)


@dataclass(frozen=True)
class Held:
    """A theme's days from `first` on, in the city (row 0, or `TOGETHER`) and its zones.

    `counts`: (zones, days). `exposure`, `heard`, `aside`: (days,), alike for all zones.
    `uncovered`: (days,), those of the days not heard that the contract does not cover. `unknown`:
    the place of the first day that compares with today (a change of recording that could not be
    measured parts those before); 0 where all do. `in_part`: a source brought days in part in the
    last year: no day compares with another.
    """

    first: dt.date
    zones: list[str]
    counts: Floats
    exposure: Floats
    calendar: Calendar
    share_in: Floats
    heard: Bools
    aside: Bools
    steps: list[Step]
    unknown: int
    uncovered: Bools
    in_part: bool = False

    def place(self, day: dt.date) -> int:
        """Return the place of a day; negative before the first."""
        return (day - self.first).days


def read(con: duckdb.DuckDBPyConnection, city: City, theme: str, division: str) -> list[Held]:
    """Return the theme's days over the city's period, in the city and the zones of `division`.

    The city's first; beside it the zones that are covered on the same days, then, a group for each
    other coverage, the rest: a zone not covered must not silence the others.

    Views `cube`, `zones`, `days`, `delays`, `extraordinary` (reliability) and `recorded` (trends).
    """
    period, sources = city.about.period, city.themes[theme].sources
    width = (period.end - period.start).days + 1
    listed = con.execute("SELECT code FROM zones WHERE division = ? ORDER BY 1", [division])
    zones = [WHOLE, *(row[0] for row in listed.fetchall())]
    place = {name: i for i, name in enumerate(zones)}
    counted = np.zeros((len(zones), width))
    span = (period.start, period.end + dt.timedelta(days=1))
    for zone, day, n in counts(con, ["zone", "day"], theme=theme, division=division, span=span):
        at = (day - period.start).days
        counted[0, at] += n
        if zone in place:
            counted[place[zone], at] += n
    heard = np.all([_heard(con, city, source, width) for source in sources], axis=0)
    aside = _aside(con, city, theme, width)
    in_part = any(_in_part(con, city, source) for source in sources)
    steps, recorded, unknown = _recorded(con, city, sources, width)
    share_in = _share_in(con, city, theme, heard, width)
    exposure = share_in * recorded
    found = []
    for gone, members in _by_coverage(coverage.of_theme(city, theme, division), zones).items():
        own = counted[[place[zone] for zone in members]]
        if members[0] != WHOLE:
            own, members = np.concatenate([own.sum(axis=0)[None], own]), [TOGETHER, *members]
        covered = np.ones(width, dtype=bool)
        covered[[(day - period.start).days for day in gone]] = False
        told = calendar(
            city.about.holidays, period.start, own[0], exposure * (heard & covered & ~aside)
        )
        found.append(Held(
            period.start, members, own, exposure * told.factor, told, share_in, heard & covered,
            aside, steps, unknown, ~covered, in_part,
        ))  # fmt: skip
    return found


def _by_coverage(gone: coverage.Uncovered, zones: list[str]) -> dict[coverage.Days, list[str]]:
    """Return the zones by the days on which they cannot be told; the city's first."""
    groups: dict[coverage.Days, list[str]] = {}
    for zone in zones:
        groups.setdefault(gone.city if zone == WHOLE else gone.of(zone), []).append(zone)
    return groups


def _heard(con: duckdb.DuckDBPyConnection, city: City, source: str, width: int) -> Bools:
    """Return the days on which the source was in: from its first record on, but for silences."""
    start, heard = city.about.period.start, np.ones(width, dtype=bool)
    began = con.execute(
        f"SELECT min(CAST(hour AS DATE)) FROM cube WHERE source = ? AND {DATED} AND hour >= ?",
        [source, start],
    ).fetchall()[0][0]
    heard[: width if began is None else (began - start).days] = False
    silent = con.execute(
        "SELECT day FROM days WHERE source = ? AND division = ? AND status = 'missing'",
        [source, WHOLE],
    )
    for (day,) in silent.fetchall():
        if 0 <= (day - start).days < width:
            heard[(day - start).days] = False
    return heard


def _in_part(con: duckdb.DuckDBPyConnection, city: City, source: str) -> bool:
    """Tell whether the source brought days in part in the last year."""
    since = city.about.period.end - dt.timedelta(days=BASE_DAYS)
    found = con.execute(
        "SELECT count(*) FROM days WHERE source = ? AND reason = ? AND day > ?",
        [source, IN_PART, since],
    )
    return bool(found.fetchall()[0][0])


def _aside(con: duckdb.DuckDBPyConnection, city: City, theme: str, width: int) -> Bools:
    """Return the days that are no ordinary ones: told by a milestone that ends, or found so."""
    start, found = city.about.period.start, np.zeros(width, dtype=bool)
    for one in city.about.milestones:
        if one.end and _touches(one, city, theme):
            found[max((one.start - start).days, 0) : max((one.end - start).days + 1, 0)] = True
    days = con.execute("SELECT day FROM extraordinary WHERE theme = ? AND zone = ?", [theme, WHOLE])
    for (day,) in days.fetchall():
        found[(day - start).days] = True
    return found


def _touches(one: Milestone, city: City, theme: str) -> bool:
    everywhere = not one.sources and not one.themes
    its = not set(city.themes[theme].sources).isdisjoint(one.sources)
    return everywhere or its or theme in one.themes


def _recorded(
    con: duckdb.DuckDBPyConnection, city: City, sources: Sequence[str], width: int
) -> tuple[list[Step], Floats, int]:
    """Return the changes of recording, the share of today's records of each day, and `unknown`.

    Of several sources, one that is recorded anew parts the sum in two that do not compare: by how
    much it moves each zone hangs on what it brings there.
    """
    listed = ", ".join(map(store.literal, sources))
    rows = store.records(
        con, f"SELECT * FROM recorded WHERE source IN ({listed}) ORDER BY start, source, milestone"
    )
    recorded, steps, unknown = np.ones(width), [], 0
    reach = float(special.ndtri((1 + RECORDED_LEVEL) / 2))
    for row in rows:
        at = min(max((row["start"] - city.about.period.start).days, 0), width)
        if row["status"] != "ok" or len(sources) > 1:
            unknown = max(unknown, at)
            continue
        recorded[:at] /= row["ratio"]
        error = float(np.log(row["high"] / row["low"])) / (2 * reach)
        steps.append(Step(at, error, row["milestone"]))
    return steps, recorded, unknown


def _share_in(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, heard: Bools, width: int
) -> Floats:
    """Return the share of each day's entries in hand; 1 where the source does not tell.

    Of several sources, each counts as far as it makes the theme on the last days `heard`.
    """
    start, sources = city.about.period.start, city.themes[theme].sources
    each = [_share_of(con, source, width) for source in sources]
    if len(each) == 1:
        return each[0]
    brought = []
    for source, share in zip(sources, each, strict=True):
        n = np.zeros(width)
        for day, count in counts(con, ["day"], theme=theme, source=source):
            if 0 <= (day - start).days < width:
                n[(day - start).days] = count
        brought.append((n * heard)[-BASE_DAYS:].sum() / max((share * heard)[-BASE_DAYS:].sum(), 1))
    whole = sum(brought)
    weights = [one / whole if whole else 1 / len(brought) for one in brought]
    return np.asarray(sum(w * share for w, share in zip(weights, each, strict=True)))


def _share_of(con: duckdb.DuckDBPyConnection, source: str, width: int) -> Floats:
    share = np.ones(width)
    rows = con.execute("SELECT days, in_hand FROM delays WHERE source = ?", [source]).fetchall()
    for days, known in rows:
        if days < width and known > 0:
            share[width - 1 - days] = known
    return share


def calendar(about: Holidays, start: dt.date, n: Floats, exposure: Floats) -> Calendar:
    """Return by how much the calendar raises or lowers each day, from `start`, of counts (days,).

    Quasi-Poisson regression: a level a year, the season, the day of the week, public and school
    holidays. 1 everywhere where too little was heard, or where nothing settles.
    """
    width = len(n)
    nothing = Calendar(np.ones(width), np.ones((width, 0)), np.ones((0, 0)))
    kept = np.where(np.arange(width) < width - LATEST, exposure, 0.0)
    if (kept > 0).sum() < SEASON_DAYS or n[kept > 0].sum() < SEASON_COUNT:
        return nothing
    year = (width - 1 - np.arange(width)) // BASE_DAYS
    levels = [one for one in np.unique(year) if n[(kept > 0) & (year == one)].sum() > 0]
    kept = np.where(np.isin(year, levels), kept, 0.0)
    moved = _regressors(about.country, about.subdivision, about.school_zone, start, width)
    # What never varies where it was heard cannot be told.
    moved = moved[:, np.ptp(moved[kept > 0], axis=0) > 0]
    design = np.concatenate([(year[:, None] == np.array(levels)).astype(float), moved], axis=1)
    try:
        fit = quasi_poisson(n, design, kept)
    except (ValueError, np.linalg.LinAlgError):
        return nothing
    own = slice(len(levels), None)
    factor = np.asarray(np.exp(moved @ fit.coefficients[own]))
    return Calendar(factor, moved, fit.covariance[own, own])


@cache
def _regressors(
    country: str, subdivision: str | None, school_zone: str | None, start: dt.date, width: int
) -> Floats:
    """Return season, day of the week, public holidays and school holidays: (days, regressors)."""
    days = np.arange(width)
    angle = 2 * np.pi * days[:, None] * np.arange(1, HARMONICS + 1) / (YEAR_WEEKS * 7)
    weekday: NDArray[np.int64] = (days + start.weekday()) % 7
    about = Holidays(country=country, subdivision=subdivision, school_zone=school_zone)
    kinds = day_kinds(about, start, start + dt.timedelta(days=width - 1))
    named = [kinds[start + dt.timedelta(days=int(i))] for i in days]
    apart = np.array([[k == PUBLIC_HOLIDAY, k == SCHOOL_HOLIDAYS] for k in named], dtype=float)
    weekdays = (weekday[:, None] == np.arange(1, 7)).astype(float)
    return np.concatenate([np.cos(angle), np.sin(angle), weekdays, apart], axis=1)
