"""Moments told by one column or by several, as SQL: the first instant, the last, how well known.

What a row leaves empty is unknown, never zero: without an hour a fact happened at any hour of its
day, without a day on any day of its month. A row whose hour cannot be is set aside, and told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from helpers.core.base.store import literal, quote
from helpers.core.city import formats
from helpers.core.city.observation_rule import ObservationRule, TimeParts, TimePrecision

if TYPE_CHECKING:
    from helpers.core.city.contract import FieldRule

PRECISIONS: tuple[TimePrecision, ...] = get_args(TimePrecision)
MINUTE, HOUR, DAY, MONTH, YEAR = range(len(PRECISIONS))  # levels, from the finest
# From its first hour, the last one of a span known to that level only.
SPANS = {DAY: "INTERVAL 23 HOUR", MONTH: "INTERVAL 1 MONTH - INTERVAL 1 HOUR",
         YEAR: "INTERVAL 1 YEAR - INTERVAL 1 HOUR"}  # fmt: skip
FULL_DAY = 24 * 60  # minutes
LAST_HOUR = 24
IMPOSSIBLE, DAY_END, DOUBTFUL = "heure_impossible", "heure_24", "heure_ambigue"
# What the format of a moment must have to tell more than the year, the month, the day, the hour.
WHOLE_DAY = (*formats.OF_YEAR, formats.DAY_OF_WEEK)
TELLING = {
    MONTH: (*formats.MONTHS, *WHOLE_DAY),
    DAY: (*formats.DAYS, *WHOLE_DAY),
    HOUR: formats.HOURS,
    MINUTE: formats.MINUTES,
}


@dataclass(frozen=True)
class Moment:
    """The SQL of a moment: `first` instant (NULL where it cannot be read), `level` of PRECISIONS.

    `first` is that of the day, month or year where `level` says no more.
    """

    first: str
    level: str

    @property
    def last(self) -> str:
        """The SQL of the last hour, or of the instant where it is known."""
        whens = " ".join(f"WHEN {n} THEN {self.first} + {span}" for n, span in SPANS.items())
        return f"CASE {self.level} {whens} ELSE {self.first} END"

    @property
    def dated(self) -> str:
        """The SQL of the first instant where the day at least is known, else NULL."""
        return f"CASE WHEN {self.level} <= {DAY} THEN {self.first} END"


def in_city(when: str, level: str, zone: str, city: str) -> str:
    """Return the SQL of a wall time of `zone` as the clocks of the city's zone told it.

    A moment known by its day at best is a day of the city, whoever wrote it.
    """
    if zone == city:
        return when
    moved = f"timezone({literal(city)}, timezone({literal(zone)}, {when}))"
    return f"CASE WHEN {level} <= {HOUR} THEN {moved} ELSE {when} END"


def finest(rule: FieldRule) -> int:
    """Return the level to which a moment of the field may be known, by its type and format."""
    if rule.type == "year":
        return YEAR
    known = YEAR
    for level in (MONTH, DAY, HOUR, MINUTE):
        if not any(part in TELLING[level] for part in formats.parts(rule.format)):
            return known
        known = level
    return DAY if rule.type == "date" else known


def best(rule: ObservationRule, fields: Mapping[str, FieldRule]) -> int:
    """Return the level to which the beginning of a fact may be known, in the best of rows."""
    declared, when = PRECISIONS.index(rule.time_precision), rule.started_at
    if isinstance(when, str):
        return max(declared, finest(fields[when]))
    if when.time or when.hhmm or when.hour:
        return max(declared, MINUTE if when.time or when.hhmm or when.minute else HOUR)
    if when.date:
        return max(declared, DAY, finest(fields[when.date]))
    return max(declared, DAY if when.day else MONTH if when.month else YEAR)


def of(when: str | TimeParts, rule: ObservationRule, fields: Mapping[str, FieldRule]) -> Moment:
    """Return the moment told by a column, or by several, of a row of typed fields."""
    if isinstance(when, str):
        first = f"CAST({quote(when)} AS TIMESTAMP)"
        if fields[when].type == "year":
            first = f"TRY(make_timestamp({quote(when)}, 1, 1, 0, 0, 0.0))"
        found = Moment(first, str(finest(fields[when])))
    else:
        found = _of_parts(when, fields)
    coarsest = PRECISIONS.index(rule.time_precision)
    level = f"greatest({found.level}, {coarsest})" if coarsest else found.level
    level = _unless(rule.unknown_hour, "%H:%M", found.first, level, (HOUR, DAY))
    days = [code for code in rule.unknown_day if "-" in code]
    level = _unless(days, "%m-%d", found.first, level, (DAY, YEAR))
    days = [code for code in rule.unknown_day if "-" not in code]
    level = _unless(days, "%d", found.first, level, (DAY, MONTH))
    whens = " ".join(f"WHEN {n} THEN date_trunc('{PRECISIONS[n]}', {found.first})" for n in SPANS)
    return Moment(f"CASE {level} {whens} ELSE {found.first} END", level)


def _unless(
    codes: Sequence[str], form: str, first: str, level: str, levels: tuple[int, int]
) -> str:
    """Return the SQL of the level: the second of `levels`, if up to the first, where a code is met.

    A code is what the publisher writes for what it does not know, in the format `form`.
    """
    if not codes:
        return level
    listed, (up_to, unknown) = ", ".join(map(literal, codes)), levels
    met = f"{level} <= {up_to} AND strftime({first}, '{form}') IN ({listed})"
    return f"CASE WHEN {met} THEN {unknown} ELSE {level} END"


def _of_parts(parts: TimeParts, fields: Mapping[str, FieldRule]) -> Moment:
    if parts.date:
        day = f"date_trunc('day', CAST({quote(parts.date)} AS TIMESTAMP))"
        known = finest(fields[parts.date])
        unknown = f"CASE WHEN {known} > {DAY} THEN {known}"
    else:
        month, number = _whole(parts.month), _whole(parts.day)
        of_month = f"CASE WHEN {month} IS NULL THEN 1 ELSE coalesce({number}, 1) END"
        numbers = f"{_whole(parts.year)}, coalesce({month}, 1), {of_month}"
        day = f"TRY(make_timestamp({numbers}, 0, 0, 0.0))"
        unknown = f"CASE WHEN {month} IS NULL THEN {YEAR} WHEN {number} IS NULL THEN {MONTH}"
    minutes, missing = _clock(parts)
    level = f"{unknown} WHEN {minutes} IS NULL THEN {DAY} WHEN {missing} THEN {HOUR} ELSE 0 END"
    return Moment(f"{day} + to_minutes(coalesce({minutes}, 0))", level)


def _whole(name: str | None) -> str:
    return f"TRY_CAST({quote(name)} AS BIGINT)" if name else "NULL"


def _told(parts: TimeParts) -> tuple[str, str]:
    """Return the SQL of the hour and of the minute as a row tells them, NULL where it does not."""
    if parts.time:
        return f"({quote(parts.time)} // 60)", f"({quote(parts.time)} % 60)"
    if parts.hhmm:
        return f"({_whole(parts.hhmm)} // 100)", f"({_whole(parts.hhmm)} % 100)"
    return _whole(parts.hour), _whole(parts.minute)


def _clock(parts: TimeParts) -> tuple[str, str]:
    """Return the SQL of the minutes since midnight (NULL: unknown), and whether minutes lack."""
    hour, minute = _told(parts)
    whole = f"({hour} * 60 + coalesce({minute}, 0))"
    instead = {"same_day": "0", "unknown": "NULL"}.get(parts.hour_24 or "")
    if instead:
        whole = f"CASE WHEN {hour} = {LAST_HOUR} THEN {instead} ELSE {whole} END"
    return whole, f"{minute} IS NULL"


def unreadable(when: str | TimeParts) -> dict[str, str]:
    """Return reason code → SQL test of the rows whose hour cannot be, or is not told how to read.

    A row without an hour is none of them.
    """
    if isinstance(when, str) or not (clock := when.time or when.hhmm or when.hour):
        return {}
    hour, minute = _told(when)
    beyond = f"{hour} = {LAST_HOUR} AND coalesce({minute}, 0) > 0"
    value = _whole(when.hhmm) if when.hhmm else hour
    tests = {
        f"{IMPOSSIBLE}:{clock}": f"{value} < 0 OR {hour} > {LAST_HOUR} OR {beyond}"
        + (f" OR {minute} > 59" if when.hhmm else "")
    }
    if when.minute:
        tests[f"{IMPOSSIBLE}:{when.minute}"] = (
            f"{hour} IS NOT NULL AND NOT ({minute} BETWEEN 0 AND 59)"
        )
    if when.hour_24 is None:
        tests[f"{DAY_END}:{clock}"] = f"{hour} = {LAST_HOUR}"
    return tests


def fault(rule: ObservationRule, fields: Mapping[str, FieldRule]) -> str | None:
    """Return why the contract's moments could not be read, with what to write, or None."""
    for key, when in (("started_at", rule.started_at), ("ended_at", rule.ended_at)):
        if isinstance(when, str):
            if when in fields and fields[when].type not in ("date", "timestamp", "year"):
                return f"`{key}` est un champ date, timestamp ou year, ou des parties ({{year: …}})"
        elif when is not None:
            told = _fault_of_parts(when, fields)
            if told:
                return f"`{key}` : {told}"
    return None


def _fault_of_parts(parts: TimeParts, fields: Mapping[str, FieldRule]) -> str | None:
    kinds = {name: fields[name] for name in parts.fields if name in fields}
    for part, types in (("date", ("date", "timestamp")), ("time", ("time",))):
        name = getattr(parts, part)
        if name in kinds and kinds[name].type not in types:
            return f"`{part}: {name}` est un champ {' ou '.join(types)}"
    for part in ("year", "month", "day", "hhmm", "hour", "minute"):
        name = getattr(parts, part)
        if name in kinds and not _numeric(kinds[name], part):
            return f"`{part}: {name}` est un champ int, ou une liste de codes en chiffres"
    if parts.hhmm in kinds:
        most = kinds[parts.hhmm].maximum
        if most is not None and most <= LAST_HOUR:
            return (
                f"« {parts.hhmm} » ne dépasse pas {most:g} : ce sont des heures, pas des `hhmm` "
                f"(930 pour 9 h 30) ; écrire `hour: {parts.hhmm}`"
            )
    return None


def _numeric(rule: FieldRule, part: str) -> bool:
    codes = bool(rule.values or rule.list) and all(code.isdecimal() for code in rule.values)
    return rule.type == "int" or (part == "year" and rule.type == "year") or codes
