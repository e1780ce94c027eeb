"""The first line of the door: of each field, only what its rule describes is let in.

A code of its list, a text of its short form, a number within its bounds, a moment of its years:
what is written is made from these alone, numbers to their decimals, moments to their precision,
coordinates on a grid. An identifier becomes a keyed hash. Whatever else came is never written; the
place where it stood tells which rule it broke, and its keyed hash, by which it can be counted.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import reduce

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.core.base.store import literal
from helpers.core.city import contract_sql, formats
from helpers.core.city.contract import METRES, Contract, FieldRule
from helpers.core.city.contract_sql import (
    FALSE,
    INTERCHANGED,
    NOT_BOUNDED,
    NOT_LISTED,
    NOT_READ,
    NOT_SHAPED,
    TRUE,
)

INT = "^[+-]?[0-9]{1,18}$"
PLAIN_INT = "^(?:0|-?[1-9][0-9]*)$"
THOUSANDS = r"^[+-]?[0-9]{1,3}(?:[.][0-9]{3})+$"
NUMBER = r"^[+-]?(?:[0-9]{1,15}(?:[.][0-9]{0,40})?|[.][0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?$"
# Formats of fixed width, and where their seconds begin.
FIXED = {"%Y-%m-%dT%H:%M:%S": 17, "%Y-%m-%d %H:%M:%S": 17, "%Y-%m-%dT%H:%M:%SZ": 17,
         "%Y-%m-%dT%H:%M:%S%z": 17, "%d/%m/%Y %H:%M:%S": 17}  # fmt: skip
# Formats that Arrow reads by itself, their signs all counted, and what stands before the hour.
READ_BY_ARROW, SIGNS = {"%Y-%m-%dT%H:%M:%S": "T", "%Y-%m-%d %H:%M:%S": " "}, 19
BEFORE_HOUR = 10


@dataclass(frozen=True)
class Judged:
    """A field as judged.

    `texts` (n,) may be written, null where none may; `off` (n,) is the rule that the text breaks,
    null where it breaks none; None where nothing is off.
    """

    texts: pa.Array
    off: pa.Array | None


def trimmed(rule: FieldRule, texts: pa.Array) -> pa.Array:
    """Return the texts (n,) without blanks around; null where nothing, or written as nothing."""
    bare = pc.utf8_trim_whitespace(texts)
    nothing = pc.is_in(bare, pa.array(["", *rule.null_values], pa.string()))
    return pc.if_else(nothing, None, bare) if pc.any(nothing).as_py() else bare


def judge(
    contract: Contract, name: str, texts: pa.Array, con: duckdb.DuckDBPyConnection, step_m: float
) -> Judged:
    """Judge the texts (n,) of the contract's field `name`, trimmed (`trimmed`).

    `step_m` is the side of the grid of coordinates, in metres; `con` a connection to DuckDB.
    """
    rule = contract.fields[name]
    match rule.type:
        case "id":
            return _among_shapes(rule, texts) if rule.pattern else Judged(texts, None)
        case "str":
            return _among_shapes(rule, texts)
        case "enum":
            return _split(texts, _listed(rule, texts), NOT_LISTED)
        case "bool":
            lower = pc.utf8_lower(texts)
            return _split(lower, pc.is_in(lower, pa.array([*TRUE, *FALSE])), NOT_READ)
        case "int":
            return _integers(rule, texts)
        case "float":
            return _decimals(contract, rule, texts)
        case "time":
            return _times(texts)
        case "longitude" | "latitude":
            return _coordinates(contract, rule, texts, step_m)
        case _:
            return _moments(contract, name, texts, con)


def _split(texts: pa.Array, sound: pa.Array, kind: str) -> Judged:
    """Return the texts that are `sound`, the others, if there is one, being off by rule `kind`."""
    right = pc.or_kleene(pc.is_null(texts), sound)
    if pc.all(right).as_py():
        return Judged(texts, None)
    return Judged(pc.if_else(right, texts, None), pc.if_else(right, None, kind))


def _listed(rule: FieldRule, texts: pa.Array) -> pa.Array:
    """Return whether each text (n,) is a code of the list, or several of them."""
    if rule.separator:
        one = "|".join(re.escape(code) for code in rule.values)
        pattern = f"^(?:{one})(?:{re.escape(rule.separator)}(?:{one}))*$"
        return pc.match_substring_regex(texts, pattern)
    return pc.is_in(texts, pa.array(rule.values, pa.string()))


def _among_shapes(rule: FieldRule, texts: pa.Array) -> Judged:
    return _split(texts, pc.match_substring_regex(texts, f"^(?:{rule.pattern})$"), NOT_SHAPED)


def _within(rule: FieldRule, values: pa.Array) -> pa.Array:
    """Return whether each value (n,) is within the rule's bounds; null where it is null."""
    # Bounds are of 64 bits with a point; more than 2**53 is no number of these, and Arrow stops.
    values = pc.cast(values, pa.float64(), safe=False)
    return pc.and_(pc.greater_equal(values, rule.minimum), pc.less_equal(values, rule.maximum))


def _bounded(texts: pa.Array, values: pa.Array, inside: pa.Array, written: pa.Array) -> Judged:
    """Return what is `written` of the numbers `inside`; `values` is null where none is read."""
    right = pc.or_kleene(pc.is_null(texts), inside)
    if pc.all(pc.fill_null(right, False)).as_py():
        return Judged(written, None)
    why = pc.if_else(pc.is_null(values), NOT_READ, NOT_BOUNDED)
    sound = pc.fill_null(right, False)
    return Judged(pc.if_else(sound, written, None), pc.if_else(sound, None, why))


def _integers(rule: FieldRule, texts: pa.Array) -> Judged:
    read = pc.if_else(pc.match_substring_regex(texts, INT), texts, None)
    values = pc.cast(pc.ascii_ltrim(read, characters="+"), pa.int64())
    plain = pc.match_substring_regex(read, PLAIN_INT)
    written = read
    if not pc.all(plain, skip_nulls=True).as_py():
        written = pc.if_else(plain, read, pc.cast(values, pa.string()))
    return _bounded(texts, values, _within(rule, values), written)


def _dotted(contract: Contract, texts: pa.Array) -> pa.Array:
    """Return the texts of numbers with a dot for decimal sign; null where they are no number."""
    if contract.file.decimal == ",":
        texts = pc.replace_substring(texts, ",", ".")
    return pc.if_else(pc.match_substring_regex(texts, NUMBER), texts, None)


def number(contract: Contract, texts: pa.Array) -> pa.Array:
    """Return the number that each text (n,) of a coordinate is; null where it is none."""
    return _read(_dotted(contract, texts))


def _read(dotted: pa.Array) -> pa.Array:
    values = pc.cast(pc.ascii_ltrim(dotted, characters="+"), pa.float64())
    return pc.if_else(pc.is_finite(values), values, None)


def _decimals(contract: Contract, rule: FieldRule, texts: pa.Array) -> Judged:
    dotted = _dotted(contract, texts)
    if contract.file.decimal == ",":  # « 1.234 » is a thousand and more, or one and less: no number
        dotted = pc.if_else(pc.match_substring_regex(texts, THOUSANDS), None, dotted)
    values = _read(dotted)
    part = rf"(?:[.][0-9]{{1,{rule.decimals}}})?" if rule.decimals else ""
    short = f"^-?[0-9]{{1,15}}{part}$"
    plain = pc.match_substring_regex(dotted, short)
    written = dotted
    if not pc.all(plain, skip_nulls=True).as_py():
        rounded = pc.cast(pc.round(values, rule.decimals), pa.string())
        written = pc.if_else(plain, dotted, rounded)
    if contract.file.decimal == ",":
        written = pc.replace_substring(written, ".", ",")
    return _bounded(texts, values, _within(rule, values), written)


def _coordinates(contract: Contract, rule: FieldRule, texts: pa.Array, step_m: float) -> Judged:
    """Judge coordinates: moved onto the grid; those of the other axis are let in too.

    Longitude and latitude may be written one for the other: `ingest` tells it.
    """
    step = step_m / METRES[rule.unit]
    if rule.type == "longitude" and rule.unit == "degrés":
        step /= math.cos(math.radians(_middle_latitude(contract)))
    values = number(contract, texts)
    steps = pc.round(pc.divide(values, step))
    moved = pc.round(pc.multiply(steps, step), 6 if rule.unit == "degrés" else 1)
    own = _within(rule, values)
    # Of a place near the bounds, the nearest point of the grid may lie beyond.
    kept_in = pc.min_element_wise(pc.max_element_wise(moved, rule.minimum), rule.maximum)
    # Points of a grid come again and again: each is written once.
    points = pc.if_else(own, kept_in, moved).dictionary_encode()
    written = points.dictionary.cast(pa.string()).take(points.indices)
    if contract.file.decimal == ",":
        written = pc.replace_substring(written, ".", ",")
    axes = [one for one in contract.fields.values() if one.type in ("longitude", "latitude")]
    somewhere = reduce(pc.or_, [_within(one, values) for one in axes])
    return _bounded(texts, values, somewhere, written)


def _middle_latitude(contract: Contract) -> float:
    told = next((one for one in contract.fields.values() if one.type == "latitude"), None)
    if told is None or told.minimum is None or told.maximum is None:
        return 0.0
    return (told.minimum + told.maximum) / 2


def years(contract: Contract) -> tuple[str, str]:
    """Return the expressions of the contract's years: of four digits, and of two."""
    span = range(contract.since, contract.until + 1)
    short = sorted({f"{year % 100:02d}" for year in span})
    return "|".join(map(str, span)), "|".join(short)


def _moments(
    contract: Contract, name: str, texts: pa.Array, con: duckdb.DuckDBPyConnection
) -> Judged:
    rule, (long, short) = contract.fields[name], years(contract)
    if rule.type == "year":
        return _years(contract, rule, texts)
    plain = _plain(contract, rule.format, texts)
    if plain is None:
        form = contract_sql.shape(rule.format, long, short)
        plain = pc.match_substring_regex(texts, f"^(?:{form})$")
    # Which of two versions of a record is the later one is told by the second.
    cut = rule.type == "timestamp" and rule.precision == "minute" and name != contract.revised_at
    kept = pc.if_else(plain, texts, None)
    if cut and "%S" in rule.format:
        kept = _to_the_minute(rule.format, kept)
    if pc.all(plain, skip_nulls=True).as_py() is not False:
        return Judged(kept, None)
    odd = _read_moments(contract, rule, pc.unique(texts.filter(pc.invert(plain))), con, cut=cut)
    position = pc.index_in(texts, odd["said"].combine_chunks())
    written, off = (pc.take(odd[c].combine_chunks(), position) for c in ("written", "off"))
    return Judged(pc.coalesce(kept, written), off)


def _plain(contract: Contract, form: str, texts: pa.Array) -> pa.Array | None:
    """Return whether each text (n,) is a moment plainly written in `form`, of the years told.

    None where that is not to be told so: an expression then tells, at three times the cost.
    """
    if form not in READ_BY_ARROW:
        return None
    plain = pc.equal(pc.binary_length(texts), SIGNS)
    told = pa.concat_arrays([texts.filter(plain)])
    try:
        bounds = pc.min_max(pc.cast(told, pa.timestamp("s")))
    except pa.ArrowInvalid:  # whose message, which quotes a text, is not kept
        return None
    if not len(told):
        return plain
    _, ends, held = told.buffers()
    first = np.frombuffer(ends, np.int32)[0]
    between = np.frombuffer(held, np.uint8)[first + BEFORE_HOUR : first + SIGNS * len(told) : SIGNS]
    least, most = (bounds[end].as_py().year for end in ("min", "max"))
    known = contract.since <= least and most <= contract.until
    return plain if known and (between == ord(READ_BY_ARROW[form])).all() else None


def _years(contract: Contract, rule: FieldRule, texts: pa.Array) -> Judged:
    long, short = years(contract)
    sound = pc.match_substring_regex(texts, f"^(?:{long}|{short})$")
    read = pc.match_substring_regex(texts, "^(?:[0-9]{2}|[0-9]{4})$")
    return _bounded(texts, pc.if_else(read, texts, None), sound, texts)


def _times(texts: pa.Array) -> Judged:
    """Judge hours of the day; what is written is « HH:MM »."""
    named = contract_sql.CLOCK.replace("(", "(?P<h>", 1).replace(":hH](", ":hH](?P<m>", 1)
    told = pc.extract_regex(texts, named)
    hour, minute = (pc.struct_field(told, part) for part in ("h", "m"))
    written = pc.binary_join_element_wise(pc.utf8_lpad(hour, 2, "0"), minute, ":")
    judged = _split(texts, pc.is_valid(told), NOT_READ)
    return Judged(written, judged.off)


def _read_moments(
    contract: Contract,
    rule: FieldRule,
    odd: pa.Array,
    con: duckdb.DuckDBPyConnection,
    *,
    cut: bool,
) -> pa.Table:
    """Read moments not plainly written (« 1/2/2024 », « 3 Jan 2024 »): said, written, off.

    What is written is made again from what was read; a moment that carried its offset is in UTC.
    """
    con = con.cursor()  # of the moment: fields are judged side by side
    con.register("odd", pa.table({"said": odd}))
    other = formats.interchanged(rule.format)
    turned = rule.model_copy(update={"format": other or rule.format})
    in_turn = contract_sql.typed("said", turned, contract.file.decimal, "UTC")
    years = f"BETWEEN {contract.since} AND {contract.until}"
    value = contract_sql.typed("said", rule, contract.file.decimal, "UTC")
    whole = f"date_trunc('minute', {value})" if cut else value
    form = literal(rule.format.replace("%z", "+00:00"))
    told = con.execute(
        f"SELECT said, CASE WHEN {value} IS NULL AND year({in_turn}) {years} THEN '{INTERCHANGED}' "
        f"WHEN {value} IS NULL THEN '{NOT_READ}' WHEN year({value}) NOT {years} "
        f"THEN '{NOT_BOUNDED}' END AS off, "
        f"CASE WHEN off IS NULL THEN strftime({whole}, {form}) END AS written FROM odd"
    ).to_arrow_table()
    con.unregister("odd")
    return told


def _to_the_minute(form: str, texts: pa.Array) -> pa.Array:
    """Return moments (n,), plainly written in the format `form`, whose seconds are 00."""
    if form in FIXED:  # always at the same place: written over, ten times as fast
        valid, ends, held = pa.concat_arrays([texts]).buffers()
        signs = np.frombuffer(held or b"", np.uint8).copy()
        starts = np.frombuffer(ends, np.int32, len(texts))[texts.is_valid().to_numpy(False)]
        signs[starts + FIXED[form]] = signs[starts + FIXED[form] + 1] = ord("0")
        return pa.StringArray.from_buffers(len(texts), ends, pa.py_buffer(signs), valid)
    parts = re.split("(%S(?:[.]%f)?)", form, maxsplit=1)
    before = contract_sql.shape(parts[0], "[0-9]{4}", "[0-9]{2}")
    found = f"^({before})[0-9]{{2}}(?:[.][0-9]+)?"
    # Group 1, then 00; a format that has a fraction of the second reads nothing without one.
    return pc.replace_substring_regex(texts, found, r"\100.0" if "%f" in parts[1] else r"\100")
