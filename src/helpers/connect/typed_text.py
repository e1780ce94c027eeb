"""Typed values as text, nothing invented: what a careful publisher would have written in a CSV."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from helpers.core.base import store

EXACT = 2.0**53  # below it a float that is whole is an integer, digit for digit


def is_textual(kind: pa.DataType) -> bool:
    """Tell whether values of this type have a form as text; bytes and durations have none."""
    if pa.types.is_dictionary(kind):
        return is_textual(kind.value_type)
    return not (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_duration(kind)
        or pa.types.is_interval(kind)
    )


def as_text(column: pa.Array) -> pa.Array:
    """Return a column as text.

    Whole numbers without decimals; others with the fewest digits that give the same number back;
    NaN is null; ISO 8601 for days and moments (those of a time zone in UTC, `+00:00`), without
    fractions of a second where there are none; `true` and `false`; lists as JSON.
    """
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return as_text(column.storage)
    if pa.types.is_dictionary(kind):
        return as_text(column.dictionary_decode())
    if pa.types.is_floating(kind):
        return _floats(column.cast(pa.float64()) if kind == pa.float16() else column)
    if pa.types.is_timestamp(kind):
        return _moments(column)
    if pa.types.is_time(kind):
        return _without_empty_fraction(column.cast(pa.string()))
    if pa.types.is_date64(kind):
        return column.cast(pa.date32()).cast(pa.string())
    if pa.types.is_nested(kind):
        return _json(column)
    return column.cast(pa.string())


def _floats(column: pa.Array) -> pa.Array:
    known = pc.if_else(pc.is_nan(column), None, column)
    is_whole = pc.and_(pc.equal(pc.round(known), known), pc.less(pc.abs(known), EXACT))
    whole = pc.if_else(is_whole, known, None).cast(pa.int64()).cast(pa.string())
    return pc.coalesce(whole, known.cast(pa.string()))


def _moments(column: pa.Array) -> pa.Array:
    # An instant is kept in UTC: its text then needs no data base of time zones.
    plain = column.cast(pa.timestamp(column.type.unit))
    text = pc.replace_substring(plain.cast(pa.string()), " ", "T", max_replacements=1)
    text = _without_empty_fraction(text)
    return pc.binary_join_element_wise(text, "+00:00", "") if column.type.tz else text


def _without_empty_fraction(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(text, r"\.0+$", "")


def _json(column: pa.Array) -> pa.Array:
    con = store.connect()
    try:
        con.register("held", pa.table({"cells": column}))
        query = "SELECT CAST(to_json(cells) AS VARCHAR) AS text FROM held"
        return con.execute(query).to_arrow_table()["text"].combine_chunks()
    finally:
        con.close()
