"""What cannot both be: each sort planted is found with its reason, and nothing where nothing is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
import shapely

from helpers.core.city.event_rules import CLASHES, Point
from helpers.core.place_time.territory import unproject
from helpers.events import clashes
from helpers.events.known import Event, Order
from tests.events.conftest import CRS, NIGHT, X, Y, event, moved, order, rules

CALENDARS = 1000
RULES = rules()


def sorts(events: list[Event], orders: list[Order] | None = None) -> list[str]:
    return [one.clash for one in clashes.find(events, orders or [], RULES, CRS)]


def stop_at(x: float, y: float) -> Point:
    degrees = unproject(np.array([shapely.Point(x, y)], dtype=object), CRS)[0]
    return Point(title="station Centre", longitude=degrees.x, latitude=degrees.y)


def test_two_events_of_one_place_and_time_are_in_each_others_way() -> None:
    assert sorts([event(1), moved(event(2), x=50, hours=1)]) == ["same_place"]
    # One after the other: the second is set up while the first is still being taken down.
    assert sorts([event(1), moved(event(2), x=50, hours=4)]) == ["same_place"]
    assert sorts([event(1), moved(event(2), x=50, hours=7)]) == []
    assert sorts([event(1), moved(event(2), x=700)]) == []


def test_two_crowds_too_near_are_too_many_together() -> None:
    one, other = event(1, expected=15_000), moved(event(2, expected=6_000), x=400)
    assert sorts([one, other]) == ["crowds"]
    assert sorts([one, replace(other, expected=4_000)]) == []


def test_a_crowd_that_nobody_told_is_not_judged_and_is_not_zero() -> None:
    one, unknown = event(1, expected=25_000), moved(event(2, expected=None), x=400)
    assert sorts([one, unknown]) == []
    assert sorts([event(1, expected=None, capacity=100)]) == []


def test_more_people_than_the_place_holds() -> None:
    assert sorts([event(1, expected=5_000, capacity=4_000)]) == ["over_capacity"]
    assert sorts([event(1, expected=4_000, capacity=4_000)]) == []


def test_works_at_the_place_hinder_any_event_and_nearby_a_crowd() -> None:
    works = event(2, kind="chantier", start=NIGHT - dt.timedelta(days=9),
                  end=NIGHT + dt.timedelta(days=9), expected=0)  # fmt: skip
    assert sorts([event(1, expected=60), works]) == ["works"]
    assert sorts([event(1), moved(works, x=120)]) == ["works"]
    assert sorts([event(1, expected=60), moved(works, x=120)]) == []
    assert sorts([works, replace(works, id="E0003")]) == []


def test_the_order_of_another_event_takes_the_place() -> None:
    taken = order(kind="occupation")
    assert sorts([event(1)], [taken]) == ["order"]
    assert sorts([event(1)], [replace(taken, event="E0001")]) == []  # its own
    assert sorts([event(1)], [replace(taken, radius_m=10.0, x=X + 50)]) == []
    assert sorts([event(1)], [replace(taken, end=NIGHT)]) == []


def test_a_closure_that_cuts_the_stop_of_a_crowd() -> None:
    served = RULES.model_copy(update={"stops": (stop_at(X + 600, Y),)})
    cut = order(x=X + 640)
    found = clashes.find([event(1)], [cut], served, CRS)
    assert [(one.clash, one.stop) for one in found] == [("transport", "station Centre")]
    assert clashes.find([event(1, expected=1_000)], [cut], served, CRS) == []
    assert clashes.find([event(1)], [replace(cut, x=X + 900)], served, CRS) == []


def test_each_incompatibility_says_who_must_be_told() -> None:
    found = clashes.find([event(1), event(2)], [order(kind="occupation")], RULES, CRS)
    rows = clashes.table(found, RULES).to_pylist()
    assert {row["clash"] for row in rows} == {"same_place", "order"}
    assert all(row["tell"] == [f"Service {row['clash']}"] for row in rows)


def quiet_calendar(rng: np.random.Generator) -> tuple[list[Event], list[Order]]:
    """Return events far apart, or days apart at one place, each with orders of its own alone."""
    size = int(rng.integers(2, 12))
    events, orders = [], []
    for i in range(size):
        kind = str(rng.choice(["concert", "marche", "chantier"]))
        crowd = None if rng.random() < 0.1 else int(rng.integers(0, 40_000))
        start = NIGHT + dt.timedelta(days=int(i // 4 * 12), hours=float(rng.uniform(0, 4)))
        length = float(rng.uniform(24, 200) if kind == "chantier" else rng.uniform(1, 8))
        one = event(
            i, kind=kind, expected=crowd, x=X + 1500.0 * (i % 4) + float(rng.uniform(-150, 150)),
            start=start, end=start + dt.timedelta(hours=length),
            capacity=None if crowd is None or rng.random() < 0.5 else crowd + 1,
        )  # fmt: skip
        events.append(one)
        for kind_of_order in ("circulation", "occupation"):
            orders.append(order(len(orders), kind=kind_of_order, event=one.id, x=one.x, y=one.y,
                                start=start - dt.timedelta(hours=12), end=one.end))  # fmt: skip
    return events, orders


def test_a_thousand_calendars_without_any_have_none() -> None:
    rng = np.random.default_rng(20260101)
    served = RULES.model_copy(update={"stops": tuple(stop_at(X + 1500 * i, Y) for i in range(4))})
    for number in range(CALENDARS):
        events, orders = quiet_calendar(rng)
        found = clashes.find(events, orders, served, CRS)
        assert found == [], (number, found)


def near_misses(rng: np.random.Generator) -> tuple[list[Event], list[Order]]:
    """Return what comes close to each sort of incompatibility, and is none; a stop is 600 m east.

    At one place, one after the other; crowds near that are few together, or many later; works near
    few people; a crowd as large as its place; orders of one's own, or that end as another begins.
    """
    host = event(0, expected=int(rng.integers(5_000, 12_000)), x=X + float(rng.uniform(-20, 20)))
    gap = dt.timedelta(minutes=float(rng.integers(0, 90)))
    limits, near = RULES.separation, float(rng.uniform(101, 499))
    many, few = limits.joint_crowd, int(rng.integers(1, limits.served_crowd))
    after = host.teardown + gap
    hour = dt.timedelta(hours=1)
    events = [
        replace(host, capacity=host.expected),
        replace(event(1, expected=many, x=host.x + 40), setup=after, start=after + hour,
                end=after + 4 * hour, teardown=after + 5 * hour),
        replace(event(2, expected=few), x=host.x - near),
        replace(event(3, kind="chantier", expected=0), x=host.x + float(rng.uniform(160, 490)),
                y=host.y + 60),
    ]  # fmt: skip
    begins, far = host.start - 12 * hour, limits.blocked_m + 1
    orders = [
        order(1, kind="occupation", event=host.id, x=host.x, start=begins, end=host.end),
        order(2, kind="occupation", event="E9998", x=host.x, start=begins, end=host.start),
        order(3, kind="circulation", event=host.id, x=X + 600, start=begins, end=host.end),
        order(4, kind="circulation", x=X + 600 + far, y=Y, start=begins, end=host.end),
        order(5, kind="circulation", x=X + 600, start=begins, end=host.start),
    ]
    return events, orders


def test_a_thousand_near_misses_are_no_incompatibility() -> None:
    rng = np.random.default_rng(20260102)
    served = RULES.model_copy(update={"stops": (stop_at(X + 600, Y),)})
    for number in range(CALENDARS):
        found = clashes.find(*near_misses(rng), served, CRS)
        assert found == [], (number, [(one.clash, one.event.id) for one in found])


@pytest.mark.parametrize("sort", CLASHES)
def test_what_is_planted_in_a_calendar_without_any_is_all_found(sort: str) -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        events, orders = quiet_calendar(rng)
        host = replace(events[0], kind="concert", expected=9_000, capacity=None)
        events[0] = host
        mid = dt.timedelta(minutes=20)
        own = RULES
        match sort:
            case "same_place":
                events.append(replace(event(900, expected=60), x=host.x, y=host.y,
                                      start=host.start + mid, end=host.end))  # fmt: skip
            case "crowds":
                events.append(replace(event(900, expected=30_000), x=host.x + 300, y=host.y,
                                      start=host.start + mid, end=host.end))  # fmt: skip
            case "over_capacity":
                events[0] = replace(host, capacity=8_999)
            case "works":
                events.append(replace(event(900, kind="chantier", expected=0), x=host.x,
                                      y=host.y + 100, start=host.start, end=host.end))  # fmt: skip
            case "order":
                orders.append(order(900, kind="occupation", x=host.x, start=host.start,
                                    end=host.end))  # fmt: skip
            case _:
                own = RULES.model_copy(update={"stops": (stop_at(host.x, host.y),)})
                orders.append(order(900, x=host.x, start=host.start,
                                    end=host.end))  # fmt: skip
        found = [one.clash for one in clashes.find(events, orders, own, CRS)]
        assert found == [sort]
