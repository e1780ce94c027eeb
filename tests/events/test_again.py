"""Other assumptions, the same sizing: what the tables hold comes back, never above what exists."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.core.city.about import SLOTS
from helpers.events import plan, sizing
from helpers.events.again import again, assumed
from helpers.events.excess import Hour, Outlook
from helpers.events.known import calendar
from helpers.events.means import Means
from helpers.events.plan import Tables
from tests.events.conftest import NIGHT, event, rules
from tests.events.test_sizing import means

RANGE = st.tuples(st.floats(0, 40), st.floats(0, 40)).map(lambda two: (min(two), max(two)))
EVENTS = [
    *(event(i, start=NIGHT + dt.timedelta(hours=i), end=NIGHT + dt.timedelta(hours=i + 2),
            expected=900 * i + 100, least=None, most=None) for i in range(5)),
    event(7, expected=None, least=None, most=None), event(8, kind="marche"),
]  # fmt: skip
HOURS = [
    Hour(NIGHT + dt.timedelta(hours=i), "during", "A", 7.3, ("rings", "event"), 1.7, 0.31, 9.0)
    for i in range(4)
]
OUTLOOKS = {one.id: Outlook(HOURS if one.id in ("E0002", "E0007") else []) for one in EVENTS}


def made(have: Means) -> Tables:
    """Return the tables that the stage would write of the events."""
    sized = sizing.size(EVENTS, OUTLOOKS, have, rules(), {}, {}, SLOTS, 0.95)
    empty = {name: schema.empty_table() for name, schema in plan.SCHEMAS.items()}
    own = {"calendar": calendar(EVENTS, NIGHT.date()), "sizing": sized.sizing,
           "shifts": sized.shifts, "means": have.table()}  # fmt: skip
    return empty | own


@pytest.mark.parametrize("have", [means(3, barriers=60), means(100), Means({}, None)])
def test_under_the_city_s_own_assumptions_it_is_what_the_tables_hold(have: Means) -> None:
    told = made(have)
    found = again(told, rules(), SLOTS, 0.95)
    assert found.sizing.to_pylist() == told["sizing"].to_pylist()
    assert found.shifts.to_pylist() == told["shifts"].to_pylist()
    assert {row["led_by"] for row in found.sizing.to_pylist()} >= {"crowd", "facts"}


@given(RANGE, RANGE, RANGE)
def test_whatever_is_assumed_nothing_is_above_what_exists(
    officers: Any, barriers: Any, minutes: Any
) -> None:
    other = assumed(rules(), "concert", officers, barriers, minutes)
    found = again(TOLD, other, SLOTS, 0.95)
    sent: dict[Any, int] = {}
    for row in found.shifts.to_pylist():
        key = row["day"], row["slot"]
        sent[key] = sent.get(key, 0) + row["officers_high"]
    assert all(n <= 4 for n in sent.values())  # half of the eight who are there
    held = [row["barriers_high"] for row in found.sizing.to_pylist() if row["status"] == "ok"]
    assert sum(held) <= 60  # all of one night


TOLD = made(means(4, barriers=60))


def test_another_need_of_a_thousand_people_is_counted_by_hand() -> None:
    """4,000 to 6,000 people: 1 to 3 officers and 5 to 7 barriers a thousand."""
    one = [event(1)]
    sized = sizing.size(
        one, {"E0001": Outlook([])}, means(100), rules(), {}, {}, SLOTS, 0.95
    )  # fmt: skip
    told = {"calendar": calendar(one, NIGHT.date()), "shifts": sized.shifts,
            "means": means(100).table()}  # fmt: skip
    other = assumed(rules(), "concert", (1, 3), (5, 7), (30, 60))
    (row,) = again(told, other, SLOTS, 0.95).sizing.to_pylist()
    assert (row["officers_low"], row["officers_high"]) == (4, 18)
    assert (row["barriers_low"], row["barriers_high"]) == (20, 42)
