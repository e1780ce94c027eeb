"""A few numbers a role: what each reader follows, chosen in params.yaml, eight at most.

An indicator is `measure:target`. Measures: `level` (facts a week), `change` (against the period
before), `week` (the last full week, with the entries still to come), `rising` (zones established
as rising), `critical` (zones whose criticality is high). Targets: a theme; for the two last ones
also an axis or `all`; `first`, `second`, `third`: the city's most critical themes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.city.theme import AXES
from helpers.trends import criticality
from helpers.trends.knobs import Knobs
from helpers.trends.levels import REMARK

ALL = "all"
PLACES = ("first", "second", "third")
ABSENT = "no_theme"  # not of this city, or not in force
NO_RANK = "too_few_ranked"  # `n` tells how many are
NO_WEEK, NO_ZONE = "no_week_heard", "no_zone"  # no full week heard; no zone to compare
SCHEMA = pa.schema(
    [
        ("role", pa.string()), ("position", pa.int64()), ("measure", pa.string()),
        ("target", pa.string()), ("theme", pa.string()), ("value", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("n", pa.int64()), ("step", pa.string()),
        ("reliability", pa.string()), ("status", pa.string()), ("reason", pa.string()),
        ("remarks", pa.list_(REMARK)),
    ]
)  # fmt: skip
Row = dict[str, Any]


class Board:
    """The tables that indicators are read from, and the grade of each source."""

    def __init__(
        self,
        city: City,
        levels: pa.Table,
        scores: pa.Table,
        weekly: pa.Table,
        grades: pa.Table,
        knobs: Knobs,
    ) -> None:
        self.city = city
        self.grades = {row["source"]: row["grade"] for row in grades.to_pylist()}
        self.false_discovery_rate = knobs.false_discovery_rate
        self.measures: dict[str, Callable[[list[str]], Row]] = {
            "level": self._level, "change": self._change, "week": self._week,
            "rising": self._rising, "critical": self._critical,
        }  # fmt: skip
        self.levels, self.scores, self.weeks = (t.to_pylist() for t in (levels, scores, weekly))
        whole = [r for r in self.scores if r["zone"] == WHOLE and r["status"] == "ok"]
        self.ranked = [r["theme"] for r in sorted(whole, key=lambda r: (-r["score"], r["theme"]))]

    def told(self, roles: Mapping[str, Sequence[str]]) -> pa.Table:
        """Return the indicators of each role, in the order chosen: SCHEMA."""
        rows = [
            {"role": role, "position": i + 1, **self._one(*asked.split(":", 1))}
            for role, chosen in roles.items()
            for i, asked in enumerate(chosen)
        ]
        return pa.Table.from_pylist(rows, schema=SCHEMA)

    def _one(self, measure: str, target: str) -> Row:
        themes = self._themes(target)
        alone = themes[0] if themes and not _is_group(target) else None
        row: Row = {"measure": measure, "target": target, "theme": alone}
        if not themes:
            if target in PLACES:
                return {**row, "n": len(self.ranked), "status": "abstained", "reason": NO_RANK}
            return {**row, "status": "abstained", "reason": ABSENT}
        sources = {source for theme in themes for source in self.city.themes[theme].sources}
        grade = max((self.grades.get(source, "D") for source in sources), default="D")
        found = self.measures[measure](themes)
        return {**row, "reliability": grade, "status": "ok", "reason": "", **found}

    def _themes(self, target: str) -> list[str]:
        if target in PLACES:
            place = PLACES.index(target)
            return self.ranked[place : place + 1]
        if _is_group(target):
            return [n for n, t in self.city.themes.items() if target in (ALL, t.axis)]
        return [target] if target in self.city.themes else []

    def _whole(self, theme: str) -> Row:
        return next(r for r in self.levels if r["theme"] == theme and r["zone"] == WHOLE)

    def _level(self, themes: list[str]) -> Row:
        row = self._whole(themes[0])
        if row["status"] != "ok":
            return _why(row)
        names = {"value": "level", "low": "level_low", "high": "level_high", "n": "recent",
                 "step": "step"}  # fmt: skip
        return {k: row[v] for k, v in names.items()}

    def _change(self, themes: list[str]) -> Row:
        row = self._whole(themes[0])
        if row["status"] != "ok":
            return _why(row)
        if row["ratio"] is None:
            return {"status": "abstained", "reason": criticality.NO_RATIO}
        names = {"value": "ratio", "low": "low", "high": "high", "n": "recent"}
        return {k: row[v] for k, v in names.items()}

    def _week(self, themes: list[str]) -> Row:
        rows = [r for r in self.weeks if r["theme"] == themes[0]]
        if not rows or rows[-1]["status"] != "ok":
            return {"status": "abstained", "reason": NO_WEEK}
        names = {"value": "final", "low": "low", "high": "high", "n": "n"}
        return {k: rows[-1][v] for k, v in names.items()}

    def _rising(self, themes: list[str]) -> Row:
        rows = [r for r in self.levels if r["theme"] in themes and r["zone"] != WHOLE]
        judged = [r for r in rows if r["status"] == "ok"]
        if not judged:
            return none_judged(rows)
        # Some of those said to rise do not; any of those of which nothing is established may.
        up = sum(r["label"] == "up" for r in judged)
        unclear = sum(r["label"] == "unclear" for r in judged)
        least = math.floor(up * (1 - self.false_discovery_rate))
        return {"value": up, "low": least, "high": up + unclear, "n": len(judged)}

    def _critical(self, themes: list[str]) -> Row:
        rows = [r for r in self.scores if r["theme"] in themes and r["zone"] != WHOLE]
        judged = [r for r in rows if r["status"] == "ok"]
        if not judged:
            return none_judged(rows)
        top = criticality.LEVELS[-1]
        names = {"value": "level", "low": "level_low", "high": "level_high"}
        told = {k: sum(r[v] == top for r in judged) for k, v in names.items()}
        return {**told, "n": len(judged)}


def none_judged(rows: Sequence[Mapping[str, Any]]) -> Row:
    """Return the abstention of zones none of which is judged: the reason of most of them.

    Of equal ones, the first in the alphabet of codes.
    """
    told = Counter(row["reason"] for row in rows)
    reason = min(told, key=lambda code: (-told[code], code)) if told else NO_ZONE
    remarks = next((row.get("remarks") for row in rows if row["reason"] == reason), None)
    return {"status": "abstained", "reason": reason, "remarks": remarks or [], "n": len(rows)}


def _is_group(target: str) -> bool:
    return target == ALL or target in AXES


def _why(row: Row) -> Row:
    """Return the abstention of the level that an indicator is read from."""
    return {k: row[k] for k in ("status", "reason", "remarks")}
