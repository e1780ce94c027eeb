"""The rules of a contract's fields, as SQL: the value in its type, and the rule that it breaks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from helpers.core.base.store import literal, quote
from helpers.core.city import formats
from helpers.core.city.contract import Contract, FieldRule

# What each part of the format of a moment looks like: as plainly written, and as also accepted.
SHAPES = {
    "%m": "(?:0[1-9]|1[0-2])", "%d": "(?:0[1-9]|[12][0-9]|3[01])", "%H": "(?:[01][0-9]|2[0-3])",
    "%M": "[0-5][0-9]", "%S": "[0-5][0-9]", "%z": "(?:[+-][0-9]{2}:[0-9]{2}|Z)", "%f": "[0-9]{1,6}",
    "%-m": "(?:0?[1-9]|1[0-2])", "%-d": "(?:0?[1-9]|[12][0-9]|3[01])", "%p": "[AaPp][Mm]",
    "%-H": "(?:[01]?[0-9]|2[0-3])", "%I": "(?:0[1-9]|1[0-2])", "%-I": "(?:0?[1-9]|1[0-2])",
    "%j": "(?:[0-2][0-9]{2}|3[0-6][0-9])", "%V": "(?:[0-4][0-9]|5[0-3])", "%u": "[1-7]",
}  # fmt: skip
# What the door writes where the contract does not admit what came: which rule, and a keyed hash.
OFF = "§"
NOT_LISTED, NOT_SHAPED, NOT_READ, NOT_BOUNDED = "liste", "forme", "illisible", "bornes"
INTERCHANGED = "ordre"  # a date that is read with its day and its month one for the other alone
DAY_AND_MONTH = "jour_mois"
# Hours and minutes, with what may follow: seconds, which are not kept.
CLOCK = "^([01]?[0-9]|2[0-4])[:hH]([0-5][0-9])(?::[0-5][0-9](?:[.][0-9]{1,9})?)?$"
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

    `decimal` is the file's decimal sign. A timestamp that carries an offset (`%z`), or the « Z »
    of universal time, becomes the wall time of `timezone`.
    """
    match rule.type:
        case "int":
            # A cast alone would round « 1.5 » to 2.
            return f"TRY_CAST(regexp_extract({said}, '^[+-]?[0-9]+$') AS BIGINT)"
        case "float" | "longitude" | "latitude":
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
            if rule.universal:
                moment = f"timezone('UTC', {moment})"
            told = rule.universal or "%z" in rule.format
            return f"timezone({literal(timezone)}, {moment})" if told else moment
        case "time":  # the minutes since midnight
            hour, minute = (
                f"TRY_CAST(regexp_extract({said}, '{CLOCK}', {i}) AS BIGINT)" for i in (1, 2)
            )
            return f"({hour} * 60 + {minute})"
        case _:
            return said


def _moment(said: str, rule: FieldRule) -> str:
    moment = f"try_strptime({said}, {literal(rule.format)})"
    if ISO.fullmatch(rule.format):
        # A cast reads what is plainly written eight times faster, and to the same value.
        kind = "TIMESTAMPTZ" if "%z" in rule.format else "TIMESTAMP"
        plain = f"TRY_CAST({said} AS {kind})"
        moment = f"CASE WHEN {_matches(said, _shape(rule.format))} THEN {plain} ELSE {moment} END"
    if formats.unparted(rule.format):
        # « 115 » read as %H%M would be 11 h 05: it is a quarter past one to who wrote it.
        moment = f"CASE WHEN {_matches(said, _shape(rule.format))} THEN {moment} END"
    # %Y reads « 1/2/24 » as the year 24: no city's records go back that far.
    return f"CASE WHEN year({moment}) >= 1000 THEN {moment} END"


def _shape(form: str) -> str:
    """Return the expression of a moment plainly written in the format `form`, of any year."""
    return shape(form, "[12][0-9]{3}", "[0-9]{2}")


def shape(form: str, years: str, short_years: str) -> str:
    """Return the expression of a moment in the format `form`, whose year matches `years`.

    `short_years` is what the year looks like where the format has two digits of it (`%y`).
    """
    parts = re.split("(%-?[a-zA-Z])", form)
    told = {**SHAPES, "%Y": f"(?:{years})", "%G": f"(?:{years})", "%y": f"(?:{short_years})"}
    return "".join(told.get(part, re.escape(part)) for part in parts)


def broken(name: str, rule: FieldRule, said: str, value: str, *, lenient: bool = False) -> str:
    """Return the SQL of the reason code of the first rule that the field breaks, or NULL.

    `said` is the SQL of its text as the door wrote it, `value` that of its value in its type. Of a
    text that the door did not admit, the door has told which rule it breaks. `lenient`: a field
    that cannot be read, or is out of its bounds, is empty.
    """
    codes = {
        NOT_LISTED: rule.reason or f"hors_liste:{name}",
        NOT_SHAPED: rule.reason or f"hors_forme:{name}",
        NOT_BOUNDED: beyond(name, rule),
        NOT_READ: f"illisible:{name}",
        INTERCHANGED: f"{DAY_AND_MONTH}:{name}",
    }
    cases = [(f"{said} IS NULL", f"manquant:{name}")] if rule.required else []
    if lenient:
        del codes[NOT_READ], codes[NOT_BOUNDED], codes[INTERCHANGED]
    cases += [(f"starts_with({said}, '{OFF}{kind}')", code) for kind, code in codes.items()]
    if rule.type not in ("str", "enum", "id") and not lenient:
        cases.append((f"{said} IS NOT NULL AND {value} IS NULL", codes[NOT_READ]))
    if rule.type in ("longitude", "latitude") and not lenient:
        # The door lets in those that may be interchanged.
        cases.append((f"NOT ({within(rule, value)})", codes[NOT_BOUNDED]))
    return f"CASE {' '.join(f'WHEN {test} THEN {literal(code)}' for test, code in cases)} END"


def within(rule: FieldRule, value: str) -> str:
    """Return the SQL test that a value lies in the bounds of its field."""
    return f"{value} BETWEEN {rule.minimum} AND {rule.maximum}"


def beyond(name: str, rule: FieldRule) -> str:
    """Return the reason code of a value of the field `name` that is out of its bounds."""
    return rule.reason or f"hors_bornes:{name}"


@dataclass(frozen=True)
class Frame:
    """Where the city is, in a source's own coordinates: least and most of each axis.

    A point no further from it than its own size is near: it may be just outside.
    """

    west: float
    south: float
    east: float
    north: float

    def holds(self, x: str, y: str, *, near: bool = False) -> str:
        """Return the SQL test that a point is in the city, or in it or `near`."""
        wide = 1.0 if near else 0.0
        across, along = wide * (self.east - self.west), wide * (self.north - self.south)
        return (
            f"{x} BETWEEN {self.west - across} AND {self.east + across} "
            f"AND {y} BETWEEN {self.south - along} AND {self.north + along}"
        )


def swapped(contract: Contract, value: Callable[[str], str], frame: Frame | None = None) -> str:
    """Return the SQL of the reason code where longitude and latitude are each other's, or NULL.

    `value` gives the SQL of a field's value in its type. The contract's bounds tell, which may be
    as wide as the globe; so does `frame`, where the city is.
    """
    rule = contract.observation
    if rule is None or rule.longitude is None or rule.latitude is None:
        return "NULL"
    east, north = contract.fields[rule.longitude], contract.fields[rule.latitude]
    lon, lat = value(rule.longitude), value(rule.latitude)

    def inside(x: str, y: str) -> str:
        return (
            f"{x} BETWEEN {east.minimum} AND {east.maximum} "
            f"AND {y} BETWEEN {north.minimum} AND {north.maximum}"
        )

    swap = f"NOT ({inside(lon, lat)}) AND {inside(lat, lon)}"
    if frame is not None:
        off = f"NOT ({frame.holds(lon, lat, near=True)}) AND {frame.holds(lat, lon)}"
        swap = f"({swap}) OR ({off})"
    return f"CASE WHEN {swap} THEN {literal(f'interverties:{rule.longitude}')} END"


def _among(value: str, codes: tuple[str, ...]) -> str:
    return f"{value} IN ({', '.join(literal(code) for code in codes)})"


def _matches(value: str, pattern: str) -> str:
    return f"regexp_full_match({value}, {literal(pattern)})"
