"""The rules of a contract's fields, as SQL: the value in its type, what it breaks, what vouches."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from helpers.core.base.store import literal, quote
from helpers.core.city.contract import Contract, FieldRule, TimeParts

# Digits enough to be a telephone or a social security number: no unbounded number vouches for them.
LONG_NUMBER = 9
NUMBER = r"^[+-]?[0-9]{1,15}([.,][0-9]{1,40})?([eE][+-]?[0-9]{1,3})?$"
# What each part of the format of a date plainly looks like.
SHAPES = {
    "%Y": "[12][0-9]{3}", "%m": "(0[1-9]|1[0-2])", "%d": "(0[1-9]|[12][0-9]|3[01])",
    "%y": "[0-9]{2}", "%H": "([01][0-9]|2[0-3])", "%M": "[0-5][0-9]", "%S": "[0-5][0-9]",
    "%z": "[+-][0-9]{2}:[0-9]{2}",
}  # fmt: skip
ISO = re.compile(r"%Y-%m-%d([T ]%H:%M(:%S(%z)?)?)?")
TRUE, FALSE = ("1", "true", "vrai", "oui", "o", "t"), ("0", "false", "faux", "non", "n", "f")


def text(name: str, rule: FieldRule) -> str:
    """Return the SQL of the field's trimmed text; NULL where empty or written as such."""
    found = f"nullif(trim({quote(name)}), '')"
    for empty in rule.null_values:
        found = f"nullif({found}, {literal(empty)})"
    return found


def typed(said: str, rule: FieldRule, decimal: str, timezone: str) -> str:
    """Return the SQL of the value of the text `said` in the field's type; NULL if unreadable.

    `decimal` is the file's decimal sign. A timestamp that carries an offset (`%z`) becomes the
    wall time of `timezone`.
    """
    match rule.type:
        case "int":
            # A cast alone would round « 1.5 » to 2.
            return f"TRY_CAST(regexp_extract({said}, '^[+-]?[0-9]+$') AS BIGINT)"
        case "float":
            dotted = f"replace({said}, ',', '.')" if decimal == "," else said
            number = f"TRY_CAST({dotted} AS DOUBLE)"
            return f"CASE WHEN isfinite({number}) THEN {number} END"
        case "bool":
            yes, no = (_among(f"lower({said})", codes) for codes in (TRUE, FALSE))
            return f"CASE WHEN {yes} THEN TRUE WHEN {no} THEN FALSE END"
        case "year":
            digits = f"TRY_CAST(regexp_extract({said}, '^([0-9]{{2}}|[0-9]{{4}})$') AS BIGINT)"
            # Two digits: 1970 to 2069, as POSIX's %y nearly does.
            century = f"CASE WHEN {digits} < 70 THEN 2000 WHEN {digits} < 100 THEN 1900 ELSE 0 END"
            return f"({digits} + {century})"
        case "date":
            day = f"TRY_CAST({_moment(said, rule)} AS DATE)"
            return f"last_day({day})" if rule.month_end else day
        case "timestamp":
            moment = _moment(said, rule)
            return f"timezone({literal(timezone)}, {moment})" if "%z" in rule.format else moment
        case _:
            return said


def _moment(said: str, rule: FieldRule) -> str:
    shape = _shape(rule.format)
    moment = f"try_strptime({said}, {literal(rule.format)})"
    if ISO.fullmatch(rule.format):
        # A cast reads what is plainly written eight times faster, and to the same value.
        kind = "TIMESTAMPTZ" if "%z" in rule.format else "TIMESTAMP"
        plain = f"TRY_CAST({said} AS {kind})"
        moment = f"CASE WHEN {_matches(said, shape)} THEN {plain} ELSE {moment} END"
    # %Y reads « 1/2/24 » as the year 24: no city's records go back that far.
    return f"CASE WHEN year({moment}) >= 1000 THEN {moment} END"


def _shape(form: str) -> str:
    """Return the expression of a date plainly written in the format `form`."""
    parts = re.split("(%[a-zA-Z])", form)
    return "".join(SHAPES.get(part, re.escape(part)) for part in parts)


def broken(name: str, rule: FieldRule, said: str, value: str) -> str:
    """Return the SQL of the reason code of the first rule that the field breaks, or NULL.

    `said` is the SQL of its text, `value` that of its value in its type.
    """
    cases = []
    if rule.required:
        cases.append((f"{said} IS NULL", f"manquant:{name}"))
    if rule.type == "enum":
        cases.append((f"NOT ({_among(said, rule.values)})", rule.reason or f"hors_liste:{name}"))
    elif rule.type != "str":
        cases.append((f"{said} IS NOT NULL AND {value} IS NULL", f"illisible:{name}"))
    if rule.pattern:
        cases.append((f"NOT {_matches(said, rule.pattern)}", rule.reason or f"hors_forme:{name}"))
    for bound, sign in ((rule.minimum, "<"), (rule.maximum, ">")):
        if bound is not None:
            cases.append((f"{value} {sign} {bound}", rule.reason or f"hors_bornes:{name}"))
    if not cases:
        return "NULL"
    return f"CASE {' '.join(f'WHEN {test} THEN {literal(code)}' for test, code in cases)} END"


def doubtful(rule: FieldRule, texts: pa.Array) -> pa.Array:
    """Tell which texts the contract alone does not describe: somebody may be named in them.

    A code of its list, a text of its pattern, a date plainly written, a short or bounded number
    vouch for themselves. Null where the text is.
    """
    match rule.type:
        case "enum":
            sound = pc.is_in(texts, pa.array(rule.values, pa.string()))
        case "str" if not rule.pattern:
            sound = pc.is_null(texts)
        case "str":
            sound = pc.match_substring_regex(texts, f"^(?:{rule.pattern})$")
        case "int" | "float":
            sound = _plain_number(rule, texts)
        case _:
            sound = pc.match_substring_regex(texts, f"^{_shape(rule.format)}$")
    return pc.and_(pc.is_valid(texts), pc.invert(sound))


def _plain_number(rule: FieldRule, texts: pa.Array) -> pa.Array:
    plain = pc.if_else(pc.match_substring_regex(texts, NUMBER), texts, None)
    if rule.maximum is None:
        return pc.fill_null(pc.less(pc.utf8_length(plain), LONG_NUMBER), False)
    values = pc.cast(pc.replace_substring(plain, ",", "."), pa.float64())
    low = -float("inf") if rule.minimum is None else rule.minimum
    inside = pc.and_(pc.greater_equal(values, low), pc.less_equal(values, rule.maximum))
    return pc.fill_null(inside, False)


def swapped(contract: Contract, value: Callable[[str], str]) -> str:
    """Return the SQL of the reason code where longitude and latitude are each other's, or NULL.

    `value` gives the SQL of a field's value in its type.
    """
    rule = contract.observation
    if rule is None or rule.longitude is None or rule.latitude is None:
        return "NULL"
    east, north = contract.fields[rule.longitude], contract.fields[rule.latitude]
    if None in (east.minimum, east.maximum, north.minimum, north.maximum):
        return "NULL"
    lon, lat = value(rule.longitude), value(rule.latitude)

    def inside(x: str, y: str) -> str:
        return (
            f"{x} BETWEEN {east.minimum} AND {east.maximum} "
            f"AND {y} BETWEEN {north.minimum} AND {north.maximum}"
        )

    swap = f"NOT ({inside(lon, lat)}) AND {inside(lat, lon)}"
    return f"CASE WHEN {swap} THEN {literal(f'interverties:{rule.longitude}')} END"


def _among(value: str, codes: tuple[str, ...]) -> str:
    return f"{value} IN ({', '.join(literal(code) for code in codes)})"


def _matches(value: str, pattern: str) -> str:
    return f"regexp_full_match({value}, {literal(pattern)})"


def moment(when: str | TimeParts) -> str:
    """Return the SQL of the moment told by a column, or by several."""
    if isinstance(when, str):
        return f"CAST({quote(when)} AS TIMESTAMP)"
    month = quote(when.month) if when.month else "1"
    day = quote(when.day) if when.day else "1"
    hhmm = f"coalesce({quote(when.hhmm)}, 0)" if when.hhmm else "0"
    return (
        f"TRY(make_timestamp({quote(when.year)}, {month}, {day}, {hhmm} // 100, {hhmm} % 100, 0.0))"
    )
