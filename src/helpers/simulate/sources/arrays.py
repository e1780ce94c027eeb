"""Rows held as a dataclass of arrays of one length: taken, joined, split by year."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from helpers.simulate.streams import Bools, Ints, Moments

Rows = TypeVar("Rows")


def take(rows: Rows, order: Ints | Bools) -> Rows:
    """Return the rows in `order` (positions), or where `order` is true."""
    return _each(rows, lambda values: _taken(values, order))


def _taken(values: Any, order: Ints | Bools) -> Any:
    return values[order] if isinstance(values, np.ndarray) else take(values, order)


def _each(rows: Rows, change: Any) -> Rows:
    made: Rows = type(rows)(*(change(getattr(rows, f.name)) for f in fields(rows)))  # type: ignore[arg-type]
    return made


def concat(first: Rows, second: Rows) -> Rows:
    """Return the rows of `first`, then those of `second`."""
    made: Rows = type(first)(
        *(_joined(getattr(first, f.name), getattr(second, f.name)) for f in fields(first))  # type: ignore[arg-type]
    )
    return made


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    return concat(first, second)


def year_of(moments: Moments) -> Ints:
    """Return the calendar years of moments."""
    return np.asarray(moments.astype("datetime64[Y]").astype(np.int64) + 1970)
