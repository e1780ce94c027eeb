"""Columns of a delivered file, from arrays: codes, moments, degrees, numbered texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.simulate.streams import Bools, Floats, Ints, Moments, draw, stream

DEGREES = pa.decimal128(9, 6)


def codes(names: Sequence[str], position: Ints) -> pa.Array:
    """Return the text `names[position]`; a negative position is an empty cell."""
    indices = pa.array(position.astype(np.int32), mask=position < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(names), pa.string()))


def drawn(weights: dict[str, float], size: int, seed: int, use: str) -> pa.Array:
    """Return `size` texts drawn with the given weights, from the stream of `use`."""
    return codes(list(weights), draw(np.array([*weights.values()]), size, stream(seed, use)))


def joined(*parts: pa.Array | str) -> pa.Array:
    """Return the texts end to end; empty where one of them is."""
    plain = [p if isinstance(p, str) else p.cast(pa.string()) for p in parts]
    return pc.binary_join_element_wise(*plain, "")


def iso(values: Moments, absent: Bools | None = None) -> pa.Array:
    """Return local wall times in ISO 8601, to the second, without offset."""
    text = pc.cast(pa.array(values.astype("datetime64[s]"), mask=absent), pa.string())
    return pc.binary_replace_slice(text, 10, 11, "T")


def french(values: Moments, absent: Bools | None = None, *, seconds: bool = False) -> pa.Array:
    """Return moments as « 31/12/2024 23:59 », with seconds if told."""
    text = iso(values, absent)
    day, month, year = (pc.utf8_slice_codeunits(text, *at) for at in ((8, 10), (5, 7), (0, 4)))
    time = pc.utf8_slice_codeunits(text, 11, 19 if seconds else 16)
    return joined(day, "/", month, "/", year, " ", time)


def degrees(values: Floats) -> pa.Array:
    """Return degrees with six decimals (about 0.1 m); NaN is an empty cell."""
    absent = np.isnan(values)
    rounded = np.round(np.where(absent, 0.0, values), 6)
    return pa.array(rounded, mask=absent).cast(DEGREES, safe=False)


def decimals(values: Floats, places: int, sign: str = ".") -> pa.Array:
    """Return numbers as text with so many decimals and that decimal sign; NaN is empty."""
    absent = np.isnan(values)
    kind = pa.decimal128(18, places)
    exact = pa.array(np.round(np.where(absent, 0.0, values), places), mask=absent)
    text = exact.cast(kind, safe=False).cast(pa.string())
    return text if sign == "." else pc.replace_substring(text, ".", sign)


def numbered(prefix: str, numbers: Ints, digits: int = 0, suffix: str = "") -> pa.Array:
    """Return `prefix`, the number (padded with zeros to `digits`), `suffix`."""
    text = pc.cast(pa.array(numbers), pa.string())
    return joined(prefix, pc.utf8_lpad(text, digits, "0"), suffix)


def either(condition: Bools, yes: pa.Array, no: pa.Array) -> pa.Array:
    """Return, cell by cell, the text of `yes` where the condition holds, else that of `no`."""
    return pc.if_else(pa.array(condition), yes.cast(pa.string()), no.cast(pa.string()))


def put(column: pa.Array, rows: Ints, texts: pa.Array) -> pa.Array:
    """Return the column with `texts` at the 0-based `rows`, ascending."""
    if not len(rows):
        return column
    mask = np.zeros(len(column), dtype=np.bool_)
    mask[rows] = True
    return pc.replace_with_mask(column.cast(pa.string()), pa.array(mask), texts)


def constant(text: str, size: int) -> pa.Array:
    """Return the text `size` times."""
    return codes((text,), np.zeros(size, dtype=np.int64))


def with_comma(numbers: pa.Array) -> pa.Array:
    """Return decimal numbers as text with a decimal comma."""
    return pc.replace_substring(numbers.cast(pa.string()), ".", ",")
