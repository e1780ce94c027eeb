"""One judgement of every zone: alerts, what is worth a look and the map's colours all rest on it.

Over the periods that alerts test, a zone stands out where they say so, and nowhere else. Over
longer ones, where its count lies outside its interval so far that chance would hardly bring one
such count among all that are compared: the interval's own Student quantile tells how far that is
(on the logarithm of counts above, their square root below: neither makes its tail too thin).
Whatever the period, an alert in force stays one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import special

from helpers.core.city.names import WHOLE
from helpers.core.stats.quasi_poisson import Floats
from helpers.situation.knobs import Knobs

Row = dict[str, Any]
ALERT, WATCH, BELOW, USUAL, ABSTAINED = "alert", "watch", "below", "usual", "abstained"
TIERS = (ALERT, WATCH, BELOW, USUAL, ABSTAINED)  # the first that holds is what a zone is shown as
HALF = 0.5  # added to counts before either


@dataclass
class Judgement:
    """The last day's tests (`alerts`) and levels (`levels`), judged: see `rows`.

    `main`: the division whose rows hold the city's own.
    """

    alerts: pa.Table
    levels: pa.Table
    main: str
    knobs: Knobs
    _rows: dict[tuple[int, str], list[Row]] = field(default_factory=dict, init=False)
    _decided: dict[tuple[int, str], list[Row]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        tested = _tested(self.alerts)
        self._tests = tested
        for row in tested:
            self._file(row)
        long = [r for r in self.levels.to_pylist() if r["period_days"] not in self.short]
        for rows in _grouped(long).values():
            for row in _beyond(rows, self.knobs):
                self._file(row)

    def _file(self, row: Row) -> None:
        self._rows.setdefault((row["period_days"], row["division"]), []).append(row)

    @property
    def short(self) -> tuple[int, ...]:
        """The periods that alerts test, in days."""
        return self.knobs.alert_periods_days

    def exact(self, division: str, days: int, theme: str = "") -> list[Row]:
        """Return a row a theme and zone for that very period, with its `tier`; the city's first."""
        rows = self._rows.get((days, division), [])
        if division != self.main:
            whole = [r for r in self._rows.get((days, self.main), []) if r["zone"] == WHOLE]
            rows = whole + [row for row in rows if row["zone"] != WHOLE]
        return [row for row in rows if theme in ("", row["theme"])]

    def rows(self, division: str, days: int, theme: str = "") -> list[Row]:
        """Return the row that decides how each theme and zone is shown over the last `days` days.

        That of the period, but where an alert of any period stands, or, over the periods that
        alerts test, a count worth a look over a shorter one.
        """
        if (days, division) not in self._decided:
            self._decided[days, division] = self._decide(division, days)
        return [row for row in self._decided[days, division] if theme in ("", row["theme"])]

    def _decide(self, division: str, days: int) -> list[Row]:
        decided = {(row["theme"], row["zone"]): row for row in self.exact(division, days)}
        for row in self._tests:
            key = row["theme"], row["zone"]
            near = row["tier"] == WATCH and row["period_days"] <= days in self.short
            if (row["tier"] == ALERT or near) and key in decided:
                home = row["division"] == division or row["zone"] == WHOLE
                if home and order(row) < order(decided[key]):
                    decided[key] = row
        return list(decided.values())

    def standing_out(self, division: str, days: int, theme: str = "") -> list[Row]:
        """Return the alerts, then what is worth a look, each tier the least expected first."""
        rows = [r for r in self.rows(division, days, theme) if r["tier"] in (ALERT, WATCH)]
        return sorted(rows, key=lambda r: (order(r), r["surprise"], r["theme"], r["zone"]))

    def fallen(self, division: str, days: int, theme: str = "") -> list[Row]:
        """Return what is less than usual, the least expected first: the other side of a map."""
        rows = [r for r in self.rows(division, days, theme) if r["tier"] == BELOW]
        return sorted(rows, key=lambda r: (r["surprise"], r["theme"], r["zone"]))

    def unsaid(self, division: str, days: int, zone: str) -> list[Row]:
        """Return the rows of a zone, or of the city, over that very period that say nothing."""
        rows = self.exact(division, days)
        return [r for r in rows if r["zone"] == zone and r["tier"] == ABSTAINED]

    def themes(self, days: int) -> int:
        """Return how many themes have rows over that very period."""
        return len({row["theme"] for row in self.exact(self.main, days)})

    @property
    def tested(self) -> bool:
        """Whether any count could have lit an alert."""
        return any(row["tier"] != ABSTAINED for row in self._tests)

    def compared(self, division: str, days: int, theme: str = "") -> int:
        """Return how many counts were judged."""
        return sum(r["tier"] != ABSTAINED for r in self.exact(division, days, theme))


def order(row: Mapping[str, Any]) -> int:
    """Return the place of a row's tier: the gravest first."""
    return TIERS.index(row["tier"])


def worst(rows: Iterable[Row]) -> dict[str, Row]:
    """Return zone → the row that it is shown by: the gravest, then the least expected."""
    found: dict[str, Row] = {}
    for row in sorted(rows, key=lambda r: (order(r), r["surprise"], r["theme"])):
        found.setdefault(row["zone"], row)
    return found


def _tested(table: pa.Table) -> list[Row]:
    """Return the rows of `alerts` with `tier` and `surprise` (their p; 1 where none)."""
    found = []
    for row in table.to_pylist():
        tier = ABSTAINED if row["status"] != "ok" else USUAL
        tier = ALERT if row["alert"] else WATCH if row["watch"] else tier
        surprise = 1.0 if row["p"] is None else row["p"]
        found.append(row | {"tier": tier, "surprise": surprise, "remarks": [], "aside_n": 0})
    return found


def _grouped(rows: list[Row]) -> dict[tuple[int, str], list[Row]]:
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["period_days"], row["division"]), []).append(row)
    return groups


def _beyond(rows: list[Row], knobs: Knobs) -> list[Row]:
    """Return rows of `levels` of one period and division with `tier` and `surprise`.

    Either side has the budget of the list « worth a look », shared by all that are compared.
    """
    ok = [row for row in rows if row["status"] == "ok"]
    limit = knobs.watch_false_a_day / max(len(ok), 1)
    p = iter(surprises(ok, knobs.confidence).tolist())
    found = []
    for row in rows:
        if row["status"] != "ok":
            found.append(row | {"tier": ABSTAINED, "surprise": 1.0})
            continue
        more, less = next(p)
        tier = WATCH if more <= limit else BELOW if less <= limit else USUAL
        found.append(row | {"tier": tier, "surprise": min(more, less)})
    return found


def surprises(rows: Sequence[Mapping[str, Any]], confidence: float) -> Floats:
    """Return about what chance has of a count so great, and so small, as those of rows of `levels`.

    Shape (rows, 2). 1 for what lies within its interval.
    """
    if not rows:
        return np.ones((0, 2))
    columns = ("n", "aside_n", "expected", "low", "high", "references")
    n, aside, mean, low, high, k = np.array([[r[c] for c in columns] for r in rows], float).T
    n, freedom = n - aside, np.maximum(k - 1, 1)
    edge = special.stdtrit(freedom, (1 + confidence) / 2)

    def tail(end: Floats, outside: Any, scale: Callable[[Floats], Floats]) -> Floats:
        reach, apart = (np.abs(scale(one + HALF) - scale(mean + HALF)) for one in (end, n))
        t = np.divide(apart, reach, out=np.full_like(apart, 1.0), where=reach > 0) * edge
        return np.where(outside, special.stdtr(freedom, -t), 1.0)

    return np.stack([tail(high, n > high, np.log), tail(low, n < low, np.sqrt)], axis=1)


def since(daily: Sequence[tuple[dt.date, int]], usual: float, now: float) -> dt.date:
    """Return the day from which a count that stands out has most likely been at its new level.

    `daily`: the days looked back over, the last one last; `usual` and `now`: facts a day before
    and since. The stretch up to today that best tells one level from the other, counts being
    Poisson's (Lucas 1985, Technometrics 27, §2; Page 1954, Biometrika 41).
    """
    before, after = max(usual, 1e-3), max(now, usual + 1e-3)
    between = (after - before) / np.log(after / before)
    n = np.array([count for _, count in daily], dtype=float)
    excess = np.cumsum((n - between)[::-1])[::-1]
    return daily[int(np.argmax(excess))][0]
