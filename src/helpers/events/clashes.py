"""Events that cannot both be: in space, time, capacity, by an order, by works, for transport."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import hypot, isfinite

import numpy as np
import pyarrow as pa

from helpers.core.city.event_rules import Clash, EventRules
from helpers.core.place_time.territory import project
from helpers.events.known import Event, Order

CLASHES = pa.schema(
    [
        ("clash", pa.string()), ("event", pa.string()), ("other", pa.string()),
        ("order", pa.string()), ("stop", pa.string()), ("from_at", pa.timestamp("us")),
        ("to_at", pa.timestamp("us")), ("distance_m", pa.int64()), ("crowd", pa.int64()),
        ("limit", pa.int64()), ("tell", pa.list_(pa.string())),
    ]
)  # fmt: skip
Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Found:
    """One incompatibility: of which sort, between what, when; crowd and limit where it has them."""

    clash: Clash
    event: Event
    span: Span
    other: Event | None = None
    order: Order | None = None
    stop: str | None = None
    distance: float | None = None
    crowd: int | None = None
    limit: int | None = None


def common(one: Span, other: Span) -> Span | None:
    """Return the time that two spans share, None where they share none."""
    start, end = max(one[0], other[0]), min(one[1], other[1])
    return (start, end) if start < end else None


def find(
    events: Sequence[Event], orders: Sequence[Order], rules: EventRules, crs: str
) -> list[Found]:
    """Return all that cannot be as planned, in the order of time.

    An event without a place, or whose crowd nobody told, is only judged by what is known of it.
    """
    stops = _stops(rules, crs)
    found = [one for event in events for one in _alone(event)]
    placed = [event for event in events if isfinite(event.x)]
    for one, other in combinations(placed, 2):
        found += _pair(one, other, rules)
    for event in placed:
        found += _ordered(event, orders, {e.id: e for e in events}, rules)
        found += _served(event, placed, orders, stops, rules)
    # By the places of events and orders in what was given: their identifiers are hashes.
    ids = [*(event.id for event in events), *(order.id for order in orders)]
    place = {name: i for i, name in enumerate(ids)}
    return sorted(
        found,
        key=lambda c: (c.span, c.clash, place[c.event.id], place[c.other.id] if c.other else -1,
                       c.stop or "", place.get(c.order.id, -1) if c.order else -1),
    )  # fmt: skip


def _alone(event: Event) -> Iterator[Found]:
    """An event larger than its place."""
    most = event.expected if event.most is None else event.most
    if (
        event.capacity is not None
        and event.expected is not None
        and event.expected > event.capacity
    ):
        yield Found("over_capacity", event, (event.start, event.end), crowd=most,
                    limit=event.capacity)  # fmt: skip


def _away(one: Event | Order, other: Event | Order) -> float:
    return hypot(one.x - other.x, one.y - other.y)


def _works(event: Event, rules: EventRules) -> bool:
    held = rules.classes.get(event.kind)
    return held is not None and held.works


def _pair(one: Event, other: Event, rules: EventRules) -> Iterator[Found]:
    """Two events in each other's way: one of them works, one place, or crowds too near."""
    apart, limits = _away(one, other), rules.separation
    occupied = common((one.setup, one.teardown), (other.setup, other.teardown))
    if occupied is None or apart > max(limits.near_m, limits.works_m):
        return
    digging = [event for event in (one, other) if _works(event, rules)]
    if len(digging) == 2:
        return  # two works are coordinated elsewhere
    together = common((one.start, one.end), (other.start, other.end))
    if digging:
        event = other if digging[0] is one else one
        on_it = together is not None and apart <= limits.same_place_m
        crowded = apart <= limits.works_m and (event.expected or 0) >= limits.works_crowd
        if on_it or crowded:
            yield Found("works", event, occupied, digging[0], distance=apart, crowd=event.expected)
        return
    if apart <= limits.same_place_m:  # taken from the setup to the teardown
        yield Found("same_place", one, together or occupied, other, distance=apart)
    elif together and apart <= limits.near_m and None not in (one.expected, other.expected):
        crowd = (one.expected or 0) + (other.expected or 0)
        if crowd >= limits.joint_crowd and min(one.expected or 0, other.expected or 0) > 0:
            yield Found("crowds", one, together, other, distance=apart, crowd=crowd,
                        limit=limits.joint_crowd)  # fmt: skip


def _ordered(
    event: Event, orders: Sequence[Order], events: dict[str, Event], rules: EventRules
) -> Iterator[Found]:
    """Another event's order that takes the place of this one."""
    if _works(event, rules):
        return
    for order in orders:
        if order.kind not in rules.blocking_orders or order.event in (None, event.id):
            continue
        shared = common((order.start, order.end), (event.start, event.end))
        owner = events.get(order.event or "")
        held = owner is not None and common((owner.start, owner.end), (event.start, event.end))
        if shared and _away(event, order) <= order.radius_m and not held:
            yield Found("order", event, shared, owner, order, distance=_away(event, order))


def _served(
    event: Event, events: Sequence[Event], orders: Sequence[Order],
    stops: Sequence[tuple[str, float, float]], rules: EventRules,
) -> Iterator[Found]:  # fmt: skip
    """A crowd whose stop is cut by another's closure, or by works."""
    limits = rules.separation
    if (event.expected or 0) < limits.served_crowd:
        return
    for title, x, y in stops:
        if hypot(event.x - x, event.y - y) > limits.served_m:
            continue
        for order in orders:
            reach = max(order.radius_m, limits.blocked_m)
            shared = common((order.start, order.end), (event.start, event.end))
            closing = order.kind in rules.closing_orders and order.event != event.id
            if closing and shared and hypot(order.x - x, order.y - y) <= reach:
                owner = next((e for e in events if e.id == order.event), None)
                yield Found("transport", event, shared, owner, order, title, crowd=event.expected)


def _stops(rules: EventRules, crs: str) -> list[tuple[str, float, float]]:
    degrees = np.array([[s.longitude, s.latitude] for s in rules.stops], dtype=float)
    longitude, latitude = degrees.reshape(-1, 2).T
    x, y = project(longitude, latitude, crs)
    return [(s.title, float(a), float(b)) for s, a, b in zip(rules.stops, x, y, strict=True)]


def table(found: Sequence[Found], rules: EventRules) -> pa.Table:
    """Return one row an incompatibility (schema `CLASHES`), and who must be told."""
    rows = [
        {
            "clash": one.clash, "event": one.event.id, "from_at": one.span[0],
            "to_at": one.span[1], "other": one.other.id if one.other else None,
            "order": one.order.id if one.order else None, "stop": one.stop, "crowd": one.crowd,
            "limit": one.limit, "tell": list(rules.tell[one.clash]),
            "distance_m": None if one.distance is None else round(one.distance),
        }
        for one in found
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CLASHES)
