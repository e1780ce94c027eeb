"""Forms of dates × forms of hours × precision × changes of clock, against Python's own calendar.

One rule for the clock: an hour that the change to summer time skips is an hour later; of an hour
that comes twice, the second is taken (`FOLD`).
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from helpers.core.base import store
from helpers.core.base.store import literal
from helpers.core.city import contract_sql, moments
from helpers.core.city.contract import FieldRule
from helpers.core.city.observation_rule import ObservationRule, TimeParts
from helpers.ingest.observations import existing

ZONES = ("Europe/Paris", "America/Chicago", "Australia/Sydney", "Indian/Reunion", "Asia/Kolkata",
         "America/Santiago")  # fmt: skip
FOLD = 1  # of an hour that comes twice: the second one, in winter time
NUMBER = FieldRule(type="int", minimum=0, maximum=9999)
MONTHS = calendar.month_abbr
# name → what it is in the contract, the rules of its fields, the texts of its fields in a row.
DATES: dict[str, Any] = {
    "parts": ({"year": "y", "month": "m", "day": "d"}, {"y": NUMBER, "m": NUMBER, "d": NUMBER},
              lambda y, m, d: {"y": y, "m": m, "d": d}),
    "iso": ({"date": "d"}, {"d": FieldRule(type="date", format="%Y-%m-%d")},
            lambda y, m, d: {"d": f"{y:04d}-{m:02d}-{d:02d}"}),
    "french": ({"date": "d"}, {"d": FieldRule(type="date", format="%d/%m/%Y")},
               lambda y, m, d: {"d": f"{d}/{m}/{y}"}),
    "words": ({"date": "d"}, {"d": FieldRule(type="date", format="%d %b %Y")},
              lambda y, m, d: {"d": f"{d:02d} {MONTHS[m]} {y}"}),
    "noon": ({"date": "d"}, {"d": FieldRule(type="timestamp", format="%m/%d/%Y %I:%M:%S %p")},
             lambda y, m, d: {"d": f"{m:02d}/{d:02d}/{y} 12:00:00 AM"}),
}  # fmt: skip
CLOCKS: dict[str, Any] = {
    "none": ({}, {}, lambda h, n: {}),
    "hhmm": ({"hhmm": "t"}, {"t": NUMBER}, lambda h, n: {"t": h * 100 + n}),
    "padded": ({"hhmm": "t"}, {"t": NUMBER}, lambda h, n: {"t": f"{h:02d}{n:02d}"}),
    "time": ({"time": "t"}, {"t": FieldRule(type="time")}, lambda h, n: {"t": f"{h}:{n:02d}:59"}),
    "letter": ({"time": "t"}, {"t": FieldRule(type="time")},
               lambda h, n: {"t": f"{h:02d}h{n:02d}"}),
    "hour": ({"hour": "t"}, {"t": NUMBER}, lambda h, n: {"t": h}),
    "two": ({"hour": "t", "minute": "n"}, {"t": NUMBER, "n": NUMBER},
            lambda h, n: {"t": h, "n": n}),
}  # fmt: skip
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2037, 12, 31))
CHANGES = [dt.date(2024, 3, 31), dt.date(2024, 10, 27), dt.date(2024, 3, 10), dt.date(2024, 11, 3),
           dt.date(2024, 4, 7), dt.date(2024, 10, 6), dt.date(2024, 9, 8)]  # fmt: skip


@pytest.fixture(scope="module")
def con() -> Any:
    return store.connect()


def expected(
    day: dt.date, hour: int | None, minute: int | None, zone: str, level: int
) -> tuple[dt.datetime, dt.datetime, dt.datetime]:
    """Return first and last local instants, and the first in UTC, by Python's own calendar."""
    if level == moments.YEAR:
        first, last = dt.datetime(day.year, 1, 1), dt.datetime(day.year, 12, 31, 23)
    elif level == moments.MONTH:
        first = dt.datetime(day.year, day.month, 1)
        length = calendar.monthrange(day.year, day.month)[1]
        last = dt.datetime(day.year, day.month, length, 23)
    elif level == moments.DAY:
        first = dt.datetime.combine(day, dt.time())
        last = first + dt.timedelta(hours=23)
    else:
        first = last = dt.datetime.combine(day, dt.time(hour or 0, minute or 0))
    first, last = lived(first, zone), lived(last, zone)
    utc = first.replace(tzinfo=ZoneInfo(zone), fold=FOLD).astimezone(dt.UTC)
    return first, last, utc.replace(tzinfo=None)


def lived(wall: dt.datetime, zone: str) -> dt.datetime:
    """Return the wall time, an hour later where no clock showed it."""
    there = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC).astimezone(ZoneInfo(zone))
    return wall if there.replace(tzinfo=None) == wall else wall + dt.timedelta(hours=1)


@settings(max_examples=200, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    day=st.one_of(DAYS, st.sampled_from(CHANGES)),
    hour=st.one_of(st.integers(0, 23), st.integers(1, 3)),
    minute=st.integers(0, 59),
    date=st.sampled_from(sorted(DATES)),
    clock=st.sampled_from(sorted(CLOCKS)),
    zone=st.sampled_from(ZONES),
    declared=st.sampled_from(moments.PRECISIONS),
    empty=st.sampled_from(["", "", "m", "d", "t", "n"]),
)
@example(dt.date(2024, 3, 31), 2, 30, "iso", "time", "Europe/Paris", "minute", "")
@example(dt.date(2024, 10, 27), 2, 30, "parts", "hhmm", "Europe/Paris", "minute", "")
@example(dt.date(2024, 9, 8), 0, 0, "iso", "none", "America/Santiago", "minute", "")
def test_every_form_tells_the_instant_that_python_tells(
    con: Any, day: dt.date, hour: int, minute: int, date: str, clock: str, zone: str,
    declared: Any, empty: str,
) -> None:  # fmt: skip
    parts, fields, write = DATES[date]
    clocked, more, write_clock = CLOCKS[clock]
    rule = ObservationRule(
        category="c", started_at=TimeParts(**parts, **clocked), time_precision=declared,
        origin={"value": "unknown"},
    )  # fmt: skip
    said = {**write(day.year, day.month, day.day), **write_clock(hour, minute)}
    fields = {**fields, **more}
    level = moments.MINUTE if clocked else moments.DAY
    if clock == "hour" or (empty == "n" and "n" in said):
        level, minute = moments.HOUR, 0
    if empty == "t" and "t" in said:
        level = moments.DAY
    if date == "parts" and empty in ("m", "d"):
        level = moments.MONTH if empty == "d" else moments.YEAR
    if empty in said and not (empty == "d" and date != "parts"):
        said[empty] = None
    level = max(level, moments.PRECISIONS.index(declared))
    texts = ", ".join(
        f"{'NULL' if value is None else literal(str(value))} AS {name}"
        for name, value in said.items()
    )
    typed = ", ".join(
        f"{contract_sql.typed(f's.{name}', one, '.', zone)} AS {name}"
        for name, one in fields.items()
    )
    when = moments.of(rule.started_at, rule, fields)
    first, last = existing(when.first, zone), existing(when.last, zone)
    found = con.execute(
        f"SELECT {first}, {last}, CAST(timezone('UTC', timezone({literal(zone)}, {first})) AS "
        f"TIMESTAMP), {when.level} FROM (SELECT {typed} FROM (SELECT {texts}) s)"
    ).fetchall()
    assert found == [(*expected(day, hour, minute, zone, level), level)]


# --- One column: forms × offsets × precision × what the publisher writes for the unknown ------


def _instant(when: dt.datetime, zone: str) -> dt.datetime:
    return when.replace(tzinfo=ZoneInfo(zone), fold=FOLD)


def _offset(when: dt.datetime, zone: str) -> str:
    told = _instant(when, zone).strftime("%z")
    return f"{told[:3]}:{told[3:]}"


# form → the field, its finest level, the text of a wall time of a zone, how far it tells it.
COLUMNS: dict[str, Any] = {
    "iso": ("timestamp", "%Y-%m-%dT%H:%M:%S", 0, lambda w, z: f"{w:%Y-%m-%dT%H:%M:%S}"),
    "french": ("timestamp", "%d/%m/%Y %H:%M", 0, lambda w, z: f"{w:%d/%m/%Y %H:%M}"),
    "noon": ("timestamp", "%m/%d/%Y %I:%M:%S %p", 0, lambda w, z: f"{w:%m/%d/%Y %I:%M:%S %p}"),
    "hour": ("timestamp", "%Y-%m-%d %H", 1, lambda w, z: f"{w:%Y-%m-%d %H}"),
    "offset": ("timestamp", "%Y-%m-%dT%H:%M:%S%z", 0,
               lambda w, z: f"{w:%Y-%m-%dT%H:%M:%S}{_offset(w, z)}"),
    "universal": ("timestamp", "%Y-%m-%dT%H:%M:%SZ", 0,
                  lambda w, z: f"{_instant(w, z).astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"),
    "day": ("date", "%Y-%m-%d", 2, lambda w, z: f"{w:%Y-%m-%d}"),
    "dots": ("date", "%d.%m.%Y", 2, lambda w, z: f"{w:%d.%m.%Y}"),
    "month": ("date", "%Y-%m", 3, lambda w, z: f"{w:%Y-%m}"),
    "reversed": ("date", "%m/%Y", 3, lambda w, z: f"{w:%m/%Y}"),
    "year": ("year", "", 4, lambda w, z: f"{w:%Y}"),
}  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    day=st.one_of(DAYS, st.sampled_from([*CHANGES, dt.date(2024, 1, 1), dt.date(2024, 2, 1)])),
    time=st.one_of(st.times(), st.sampled_from([dt.time(), dt.time(12), dt.time(2, 30)])),
    form=st.sampled_from(sorted(COLUMNS)), zone=st.sampled_from(ZONES),
    declared=st.sampled_from(moments.PRECISIONS),
    unknown_hour=st.sampled_from([(), ("00:00",), ("00:00", "12:00")]),
    unknown_day=st.sampled_from([(), ("01",), ("01-01",), ("01", "01-01")]),
)  # fmt: skip
@example(dt.date(2024, 10, 27), dt.time(2, 30), "offset", "Europe/Paris", "minute", (), ())
@example(dt.date(2024, 3, 31), dt.time(2, 30), "iso", "Europe/Paris", "minute", (), ())
@example(dt.date(2024, 1, 1), dt.time(), "iso", "Europe/Paris", "minute", ("00:00",), ("01-01",))
@example(dt.date(2024, 6, 1), dt.time(22), "universal", "Asia/Kolkata", "day", (), ("01",))
def test_every_form_of_one_column_tells_the_instant_that_python_tells(
    con: Any, day: dt.date, time: dt.time, form: str, zone: str, declared: Any,
    unknown_hour: tuple[str, ...], unknown_day: tuple[str, ...],
) -> None:  # fmt: skip
    kind, written, finest, write = COLUMNS[form]
    wall = dt.datetime.combine(day, time.replace(second=0, microsecond=0, fold=0))
    if finest == moments.HOUR:
        wall = wall.replace(minute=0)
    if form in ("offset", "universal"):  # an instant that was: told as the clocks showed it
        wall = lived(wall, zone)
    field = FieldRule(type=kind, **({"format": written} if written else {}))
    rule = ObservationRule(
        category="c", started_at="d", time_precision=declared, origin={"value": "unknown"},
        unknown_hour=unknown_hour, unknown_day=unknown_day,
    )  # fmt: skip
    level = max(finest, moments.PRECISIONS.index(declared))
    if level <= moments.HOUR and f"{wall:%H:%M}" in unknown_hour:
        level = moments.DAY
    if level <= moments.DAY and f"{wall:%m-%d}" in unknown_day:
        level = moments.YEAR
    if level <= moments.DAY and f"{wall:%d}" in unknown_day:
        level = moments.MONTH
    typed = contract_sql.typed("s.d", field, ".", zone)
    when = moments.of(rule.started_at, rule, {"d": field})
    first, last = existing(when.first, zone), existing(when.last, zone)
    found = con.execute(
        f"SELECT {first}, {last}, {when.level} FROM (SELECT {typed} AS d FROM "
        f"(SELECT {literal(write(wall, zone))} AS d) s)"
    ).fetchall()
    right = expected(wall.date(), wall.hour, wall.minute, zone, level)
    assert found == [(*right[:2], level)]


@settings(max_examples=100, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(day=DAYS, said=st.sampled_from([None, "next_day", "same_day", "unknown"]),
       clock=st.sampled_from(["hhmm", "time", "hour"]), zone=st.sampled_from(ZONES))  # fmt: skip
def test_an_hour_24_is_what_the_contract_says_it_is(
    con: Any, day: dt.date, said: Any, clock: str, zone: str
) -> None:
    parts, more, write = DATES["iso"]
    clocked, kinds, write_clock = CLOCKS[clock]
    when = TimeParts(**parts, **clocked, **({"hour_24": said} if said else {}))
    rule = ObservationRule(category="c", started_at=when, origin={"value": "unknown"})
    fields = {**more, **kinds}
    row = {**write(day.year, day.month, day.day), **write_clock(24, 0)}
    told = ", ".join(f"{literal(str(value))} AS {name}" for name, value in row.items())
    typed = ", ".join(
        f"{contract_sql.typed(f's.{name}', one, '.', zone)} AS {name}"
        for name, one in fields.items()
    )
    moment = moments.of(when, rule, fields)
    refused = " OR ".join(f"({test})" for test in moments.unreadable(when).values()) or "FALSE"
    ((first, level, aside),) = con.execute(
        f"SELECT {existing(moment.first, zone)}, {moment.level}, {refused} "
        f"FROM (SELECT {typed} FROM (SELECT {told}) s)"
    ).fetchall()
    assert aside == (said is None)
    if said:
        midnight = dt.datetime.combine(day, dt.time())
        midnight += dt.timedelta(days=said == "next_day")
        assert first == lived(midnight, zone)
        known = moments.HOUR if clock == "hour" else moments.MINUTE
        assert level == (moments.DAY if said == "unknown" else known)
