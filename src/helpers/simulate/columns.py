"""Columns of a delivered file, from arrays: codes, moments, degrees, numbered texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.simulate.settings import Weights, as_probabilities
from helpers.simulate.streams import Bools, Floats, Ints, Moments, draw, stream

DEGREES = pa.decimal128(9, 6)


def codes(names: Sequence[str], position: Ints) -> pa.Array:
    """Return the text `names[position]`; a negative position is an empty cell."""
    indices = pa.array(position.astype(np.int32), mask=position < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(names)))


def drawn_codes(weights: Weights, size: int, seed: int, use: str) -> pa.Array:
    """Return `size` texts drawn with the given weights, from the stream of `use`."""
    names, values = list(weights), as_probabilities(list(weights.values()))
    return codes(names, draw(values, size, stream(seed, use)))


def moments(values: Moments, absent: Bools | None = None) -> pa.Array:
    """Return local wall times in ISO 8601, to the second, without offset."""
    text = pc.cast(pa.array(values.astype("datetime64[s]"), mask=absent), pa.string())
    return pc.binary_replace_slice(text, 10, 11, "T")


def degrees(values: Floats) -> pa.Array:
    """Return degrees with six decimals (about 0.1 m); NaN is an empty cell."""
    absent = np.isnan(values)
    rounded = np.round(np.where(absent, 0.0, values), 6)
    return pa.array(rounded, mask=absent).cast(DEGREES, safe=False)


def numbered(prefix: str, numbers: Ints, digits: int = 0, suffix: str = "") -> pa.Array:
    """Return `prefix`, the number (padded with zeros to `digits`), `suffix`."""
    text = pc.cast(pa.array(numbers), pa.string())
    return pc.binary_join_element_wise(prefix, pc.utf8_lpad(text, digits, "0"), suffix, "")


def identifiers(prefix: str, recorded: Moments) -> pa.Array:
    """Return `PREFIX-year-number`, numbered from 1 in the order of the records."""
    years = recorded.astype("datetime64[Y]").astype(np.int64) + 1970
    numbers = numbered("", np.arange(1, len(recorded) + 1), 7)
    return pc.binary_join_element_wise(prefix, pc.cast(pa.array(years), pa.string()), numbers, "-")
