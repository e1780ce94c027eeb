"""Codes that a source stops telling, and tells again: an edition may have left them out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.stats.absences import absences

Floats = NDArray[np.float64]


def rows(codes: list[str], weeks: list[dt.date], n: Floats) -> list[dict[str, Any]]:
    """Return, of each code away between two times when it comes, when it leaves and comes back."""
    whole, found = n.sum(axis=0), list[dict[str, Any]]()
    for code, counts in zip(codes, n, strict=True):
        for first, after in absences(counts.tolist(), (whole - counts).tolist()):
            if first > 0 and after < len(weeks):
                usual = round(float(np.delete(counts, slice(first, after)).mean()), 2)
                told: dict[str, Any] = {"code": code, "other": "", "psi": None, "p": 0.0}
                left = {"week": weeks[first], "kind": "away", "before": usual, "after": 0.0}
                back = {"week": weeks[after], "kind": "back", "before": 0.0, "after": usual}
                found += [{**told, **left, "until": weeks[after]}, {**told, **back}]
    return found


def known(city: City, source: str, row: dict[str, Any]) -> bool:
    """Tell whether the contract says that the category away is not covered then: it is no drift."""
    if row["kind"] not in ("away", "back"):
        return False
    last = row["week"] - dt.timedelta(days=1) if row["kind"] == "back" else row["week"]
    return last in coverage.uncovered(city, source, [row["code"]], WHOLE).everywhere
