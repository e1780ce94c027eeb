"""A few numbers a role: what each reader follows, chosen in params.yaml, eight at most.

An indicator is `measure:target`. Measures: `level` (facts a week), `change` (against the period
before), `week` (the last full week, with the entries still to come), `rising` (zones established
as rising), `critical` (zones whose criticality is high). Targets: a theme; for the two last ones
also an axis or `all`; `first`, `second`, `third`: the city's most critical themes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from helpers.core.base.french import change, number, plural
from helpers.core.city.city import AXES, City
from helpers.core.city.names import WHOLE
from helpers.trends import criticality

GROUPS: Mapping[str, str] = {**AXES, "all": "Toute la ville"}
PLACES = {"first": "Premier", "second": "Deuxième", "third": "Troisième"}
TITLES = {
    "level": "niveau",
    "change": "évolution",
    "week": "dernière semaine",
    "rising": "hausses établies",
    "critical": "criticités fortes",
}
ABSENT = "thème absent de cette ville, ou pas en service"
SCHEMA = pa.schema(
    [
        ("role", pa.string()), ("position", pa.int64()), ("measure", pa.string()),
        ("target", pa.string()), ("title", pa.string()), ("value", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("n", pa.int64()), ("text", pa.string()),
        ("reliability", pa.string()), ("status", pa.string()), ("reason", pa.string()),
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
        false_discovery_rate: float,
    ) -> None:
        self.city = city
        self.grades = {row["source"]: row["grade"] for row in grades.to_pylist()}
        self.false_discovery_rate = false_discovery_rate
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
        title = f"{self._name(target, themes)} : {TITLES[measure]}"
        row: Row = {"measure": measure, "target": target, "title": title}
        if not themes:
            reason = self._too_few() if target in PLACES else ABSENT
            return {**row, "status": "abstained", "reason": reason}
        grade = max((self.grades.get(self.city.themes[t].source, "D") for t in themes), default="D")
        found = self.measures[measure](themes)
        return {**row, "reliability": grade, "status": "ok", "reason": "", **found}

    def _name(self, target: str, themes: list[str]) -> str:
        if target in GROUPS:
            return GROUPS[target]
        if themes:
            return self.city.themes[themes[0]].title
        if target in PLACES:
            return f"{PLACES[target]} thème par criticité"
        return f"Thème « {target} »"

    def _too_few(self) -> str:
        if not self.ranked:
            return "aucun thème classé par criticité"
        return f"{plural(len(self.ranked), 'thème classé')} par criticité, pas davantage"

    def _themes(self, target: str) -> list[str]:
        if target in PLACES:
            place = list(PLACES).index(target)
            return self.ranked[place : place + 1]
        if target in GROUPS:
            return [n for n, t in self.city.themes.items() if target in ("all", t.axis)]
        return [target] if target in self.city.themes else []

    def _whole(self, theme: str) -> Row:
        return next(r for r in self.levels if r["theme"] == theme and r["zone"] == WHOLE)

    def _level(self, themes: list[str]) -> Row:
        row = self._whole(themes[0])
        if row["status"] != "ok":
            return {"status": "abstained", "reason": row["reason"]}
        value, low, high = row["level"], row["level_low"], row["level_high"]
        text = f"{number(value)} par {row['step']} ({number(low)} à {number(high)})"
        return {"value": value, "low": low, "high": high, "n": row["recent"], "text": text}

    def _change(self, themes: list[str]) -> Row:
        row = self._whole(themes[0])
        if row["status"] != "ok" or row["ratio"] is None:
            return {"status": "abstained", "reason": row["reason"] or criticality.NO_RATIO}
        value, low, high = row["ratio"], row["low"], row["high"]
        text = f"{change(value)} ({change(low)} à {change(high)})"
        return {"value": value, "low": low, "high": high, "n": row["recent"], "text": text}

    def _week(self, themes: list[str]) -> Row:
        rows = [r for r in self.weeks if r["theme"] == themes[0]]
        if not rows or rows[-1]["status"] != "ok":
            return {"status": "abstained", "reason": "pas de semaine complète entendue"}
        row = rows[-1]
        text = f"{number(row['final'])} ({number(row['low'])} à {number(row['high'])})"
        names = {"value": "final", "low": "low", "high": "high", "n": "n"}
        return {**{k: row[v] for k, v in names.items()}, "text": text}

    def _rising(self, themes: list[str]) -> Row:
        rows = [r for r in self.levels if r["theme"] in themes and r["zone"] != WHOLE]
        judged = [r for r in rows if r["status"] == "ok"]
        if not judged:
            return {"status": "abstained", "reason": "aucune zone n'a assez de faits"}
        # Some of those said to rise do not; any of those of which nothing is established may.
        up = sum(r["label"] == "up" for r in judged)
        unclear = sum(r["label"] == "unclear" for r in judged)
        least = math.floor(up * (1 - self.false_discovery_rate))
        text = f"{number(up)} sur {number(len(judged))} ({number(unclear)} sans conclusion)"
        return {"value": up, "low": least, "high": up + unclear, "n": len(judged), "text": text}

    def _critical(self, themes: list[str]) -> Row:
        rows = [r for r in self.scores if r["theme"] in themes and r["zone"] != WHOLE]
        judged = [r for r in rows if r["status"] == "ok"]
        if not judged:
            return {"status": "abstained", "reason": "aucune zone n'a assez de faits signalés"}
        top = criticality.LEVELS[-1]
        names = ("level_low", "level", "level_high")
        low, told, high = (sum(r[name] == top for r in judged) for name in names)
        text = f"{number(told)} ({number(low)} à {number(high)}) sur {number(len(judged))}"
        return {"value": told, "low": low, "high": high, "n": len(judged), "text": text}
