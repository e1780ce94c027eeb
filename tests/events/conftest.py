"""Rules and events given by hand, and a town of known truth: what an event adds is drawn."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from helpers.core.city.event_rules import EventRules
from helpers.core.stage import params
from helpers.events.around import Facts, places
from helpers.events.history import Days, History, history
from helpers.events.knobs import Knobs
from helpers.events.known import Event, Order
from tests.fixtures.real import ROOT

CRS = "EPSG:3035"
X, Y = 3_950_000.0, 2_250_000.0  # metres, near the middle of the town
NIGHT = dt.datetime(2024, 6, 14, 20)
WEIGHTS = {"ring_300": 1.8, "ring_700": 1.3}  # the truth, while an event lasts and 3 h after
YEARS = 4
CELL = 200


def rules(**changes: Any) -> EventRules:
    """Return rules of three classes: concerts, markets and works."""
    whole: dict[str, Any] = {
        "fields": dict.fromkeys(
            ("setup", "teardown", "least", "most", "seen", "capacity", "outcome"), "x"
        ),
        "signed": "x", "dropped": ("refuse",),
        "states": {"to_do": "a_faire", "asked": "demandee", "taken": "prise"},
        "themes": ("bruit",), "minutes_per_fact": (30, 60), "crew": 3, "shared_out": 0.5,
        "least_left": 1, "blocking_orders": ("occupation",), "closing_orders": ("circulation",),
        "separation": {
            "same_place_m": 100, "near_m": 500, "joint_crowd": 20_000, "works_m": 150,
            "works_crowd": 2_000, "served_m": 800, "served_crowd": 5_000, "blocked_m": 150,
        },
        "tell": {name: (f"Service {name}",) for name in (
            "same_place", "crowds", "over_capacity", "order", "works", "transport")},
        "classes": {
            "concert": {
                "measures": (
                    {"title": "barrières", "owner": "Régie", "due_h": 24, "field": "barrieres",
                     "field_count": "barrieres_nb"},
                    {"title": "arrêté", "owner": "Réglementation", "due_h": 168,
                     "order": "circulation"},
                ),
                "need": {"officers_per_thousand": (2, 4), "barriers_per_thousand": (10, 20),
                         "closures": (0, 2), "before_h": 1, "after_h": 1},
            },
            "marche": {},
            "chantier": {"works": True},
        },
    }  # fmt: skip
    return EventRules(**(whole | changes))


def event(number: int = 1, **changes: Any) -> Event:
    """Return a concert of 5,000 people in the middle of the town, 20 h to 23 h."""
    usual: dict[str, Any] = {
        "id": f"E{number:04d}", "kind": "concert", "zone": "A", "longitude": 5.37,
        "latitude": 43.29, "x": X, "y": Y, "start": NIGHT, "end": NIGHT + dt.timedelta(hours=3),
        "expected": 5000, "least": 4000, "most": 6000, "seen": None, "capacity": None,
        "outcome": None, "status": "autorise", "allowed": True,
        "measures": {"barrieres": "prise", "barrieres_nb": 50}, "orders": (),
    }  # fmt: skip
    told = usual | changes
    told.setdefault("setup", told["start"] - dt.timedelta(hours=2))
    told.setdefault("teardown", told["end"] + dt.timedelta(hours=2))
    return Event(**told)


def order(number: int = 1, **changes: Any) -> Order:
    """Return an order of closure in force around the concert, of another event."""
    usual: dict[str, Any] = {
        "id": f"A{number:04d}", "kind": "circulation", "event": "E9999",
        "start": NIGHT - dt.timedelta(hours=12), "end": NIGHT + dt.timedelta(hours=3),
        "x": X, "y": Y, "radius_m": 100.0, "signed": dt.date(2024, 6, 1),
    }  # fmt: skip
    return Order(**(usual | changes))


@dataclass(frozen=True)
class Town:
    """A town, its concerts at three places, and what was counted."""

    facts: Facts
    events: list[Event]
    rules: EventRules
    knobs: Knobs
    past: History


def knobs(**changes: Any) -> Knobs:
    """Return the knobs of `params.yaml`, some changed."""
    whole: Knobs = params.knobs("events", ROOT)
    return whole.model_copy(update=changes)


@pytest.fixture(scope="session")
def town() -> Town:
    """Four years of a town of 6 km; a shock that all of it shares each day; busy week-ends."""
    rng = np.random.default_rng(3)
    side = np.arange(-15, 15) * CELL + CELL / 2
    centres = np.array([(X + e, Y + n) for e in side for n in side])
    days = 365 * YEARS
    first = dt.datetime(2021, 1, 1)
    weekday = (first.weekday() + np.arange(days)) % 7
    level = np.exp(rng.normal(0, 0.2, days) + 0.4 * (weekday >= 4))
    spots = [(X, Y), (X - 2000, Y + 1400), (X + 2200, Y - 1600)]
    held = []
    for number, day in enumerate(np.flatnonzero((weekday >= 4) & (rng.random(days) < 0.35))):
        start = first + dt.timedelta(days=int(day), hours=20)
        x, y = spots[number % 3]
        held.append(event(number, start=start, end=start + dt.timedelta(hours=3), x=x, y=y,
                          seen=5000, status="tenu"))  # fmt: skip
    hourly = np.repeat(level, 24)[:, None] * np.full((1, len(centres)), 0.02)
    for one in held:
        at = int((one.start - first).total_seconds() // 3600)
        away = np.hypot(*(centres - (one.x, one.y)).T)
        hourly[at : at + 6, away <= 300] *= WEIGHTS["ring_300"]
        hourly[at : at + 6, (away > 300) & (away <= 700)] *= WEIGHTS["ring_700"]
    n = rng.poisson(hourly)
    hour, cell = np.nonzero(n)
    facts = Facts(
        [f"c{i}" for i in range(len(centres))], centres, ["A", "B"], ("bruit",), cell,
        (centres[cell, 0] > X).astype(np.int64), np.zeros(len(cell), dtype=np.int64), hour,
        n[hour, cell].astype(np.int64), first, days * 24,
    )  # fmt: skip
    own, how = rules(), knobs(retex_days=365)
    heard = np.ones(days, dtype=np.bool_)
    kinds = Days(weekday.astype(np.int64), np.zeros(days, dtype=np.bool_), heard)
    spotted = places(held, facts, own, how, CRS)
    return Town(facts, held, own, how, history(held, facts, spotted, kinds, how))


def moved(one: Event, **by: float) -> Event:
    """Return an event some metres (`x`, `y`) or hours away."""
    shift = dt.timedelta(hours=by.get("hours", 0.0))
    times = {name: getattr(one, name) + shift for name in ("start", "end", "setup", "teardown")}
    return replace(one, x=one.x + by.get("x", 0.0), y=one.y + by.get("y", 0.0), **times)
