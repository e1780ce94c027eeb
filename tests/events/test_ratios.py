"""In a town whose truth is known: what events add, by ring; what is foretold; who abstains."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import shapely

from helpers.core.city.about import SLOTS
from helpers.core.city.event_rules import Route
from helpers.core.place_time.territory import unproject
from helpers.events import excess, ratios, similar
from helpers.events.around import CONTROL, ROUTE, WHOLE, places
from helpers.events.history import AFTER, BEFORE, BESIDE, DURING, LASTS, LATE, history, why_few
from helpers.events.known import Event
from helpers.events.ratios import Found
from tests.events.conftest import CRS, WEIGHTS, Town, X, Y, event


@pytest.fixture(scope="module")
def found(town: Town) -> Found:
    return ratios.find(town.past, town.rules)


def test_the_truth_of_each_ring_is_within_its_interval(town: Town, found: Found) -> None:
    """Over twelve such towns and eight rings and phases, 90 of 96 intervals at 95 % held it."""
    assert len(town.past.past.events) >= 150
    for ring, truth in WEIGHTS.items():
        for phase in (DURING, AFTER):
            told = found["concert", WHOLE, ring, phase].told
            assert told is not None
            value, low, high = told.whole.within(0.99)
            assert low <= truth <= high, (ring, phase)
            assert value == pytest.approx(truth, rel=0.25)


def test_hours_when_an_event_adds_nothing_show_nothing(found: Found) -> None:
    for ring in WEIGHTS:
        for phase in (BEFORE, LATE):
            told = found["concert", WHOLE, ring, phase].told
            assert told is not None
            _, low, high = told.whole.within(0.99)
            assert low <= 1 <= high, (ring, phase)


def test_places_alike_are_pooled_and_another_has_the_mean(town: Town, found: Found) -> None:
    told = found["concert", WHOLE, "rings", "event"].told
    assert told is not None
    assert told.at == (0, 1, 2)
    assert told.pooled is not None
    for place in told.at:
        assert told.here(place).value == pytest.approx(told.whole.value, abs=0.15)
    elsewhere = told.here(None)
    assert elsewhere.error >= told.pooled.mean_error


def test_a_class_with_too_few_past_events_abstains(town: Town, found: Found) -> None:
    rows = ratios.table(found, {"chantier": LASTS}, town.knobs).to_pylist()
    market = [row for row in rows if row["kind"] == "marche"]
    assert {(row["status"], row["reason"]) for row in market} == {("abstained", "too_few_events")}
    assert all(row["ratio"] is None for row in market)
    works = [row for row in rows if row["kind"] == "chantier"]
    assert {row["reason"] for row in works} == {"lasts_long"}


def test_a_class_with_too_few_facts_abstains(town: Town) -> None:
    few = replace(town.past, knobs=town.knobs.model_copy(update={"minimum_count": 10**6}))
    one = ratios.estimate(few, few.of_kind("concert"), ["ring_300"], [DURING])
    assert (one.told, one.reason) == (None, "too_few_facts")


def test_events_beside_one_another_teach_nothing(town: Town) -> None:
    doubled = [*town.events, *(replace(e, id=f"{e.id}b") for e in town.events)]
    past = history(doubled, town.facts, town.past.hourly.where, town.past.days, town.knobs)
    assert not past.past.events
    assert why_few(past, "concert", doubled) == BESIDE


def test_a_day_of_reference_has_no_event_around(town: Town) -> None:
    for row in range(0, len(town.past.past.events), 10):
        place = town.past.past.place[row]
        days = town.past.past.references[row]
        assert town.past.quiet[place][days].all()
        assert (town.past.days.weekday[days] == town.past.days.weekday[
            town.past.past.day[row]]).all()  # fmt: skip
        assert town.past.past.day[row] not in days


def test_the_control_holds_no_cell_of_any_ring(town: Town) -> None:
    where = town.past.hourly.where
    rings = np.isin(where.area, [where.areas.index(name) for name in WEIGHTS])
    control = where.area == where.areas.index(CONTROL)
    assert control.any(axis=1).all()
    assert not (rings.any(axis=0) & control.any(axis=0)).any()


def test_a_route_is_an_area_of_its_own_beyond_the_rings(town: Town) -> None:
    line = unproject(np.array([shapely.LineString([(X, Y), (X, Y + 2000)])], dtype=object), CRS)[0]
    route = Route(title="avenue", kind="concert", points=tuple(line.coords), width_m=150)
    rules = town.rules.model_copy(update={"routes": (route,)})
    where = places(town.events, town.facts, rules, town.knobs, CRS)
    here = int(np.flatnonzero((where.at == (X, Y)).all(axis=1))[0])
    along = where.area[here] == where.areas.index(ROUTE)
    assert along.any()
    assert (np.abs(town.facts.centres[along, 0] - X) <= 150).all()
    assert (town.facts.centres[along, 1] > Y + 600).all()


# --- What is foretold ------------------------------------------------------------------------


def coming(town: Town) -> Event:
    last = town.facts.first + dt.timedelta(hours=town.facts.hours)
    day = last + dt.timedelta(days=(4 - last.weekday()) % 7)  # a Friday to come
    start = day.replace(hour=20)
    return event(9000, start=start, end=start + dt.timedelta(hours=3), status="autorise")


def test_the_excess_to_come_is_that_of_the_truth(town: Town, found: Found) -> None:
    until = town.facts.hours // 24
    outlook = excess.outlook(town.past, found, coming(town), until)
    assert outlook.reason == ""
    level = 0.02 * float(np.exp(0.4 + 0.2**2 / 2))
    away = np.hypot(*(town.facts.centres - (X, Y)).T)
    cells = {"ring_300": (away <= 300).sum(), "ring_700": ((away > 300) & (away <= 700)).sum()}
    truth = sum(level * 6 * n * (WEIGHTS[ring] - 1) for ring, n in cells.items())
    table = excess.summary({"E": outlook}, 0.95).to_pylist()[0]
    assert table["low"] <= truth <= table["high"]
    assert table["excess"] == pytest.approx(truth, rel=0.5)
    assert table["peak_at"].hour >= 20 or table["peak_at"].hour <= 1


def test_the_excess_is_shared_out_by_zone_and_slot(town: Town, found: Found) -> None:
    until = town.facts.hours // 24
    outlook = excess.outlook(town.past, found, coming(town), until)
    rows = excess.by_slot({"E": outlook}, SLOTS, 0.95).to_pylist()
    assert {row["zone"] for row in rows} == {"A", "B"}
    assert {row["slot"] for row in rows} == {"apres_midi", "soir", "nuit", "matin"}
    whole = excess.summary({"E": outlook}, 0.95).to_pylist()[0]
    assert sum(row["excess"] for row in rows) == pytest.approx(whole["excess"], abs=1e-4)
    assert sum(row["usual"] for row in rows) == pytest.approx(whole["usual"], abs=1e-4)
    assert all(row["low"] <= row["excess"] <= row["high"] for row in rows)
    night = {row["day"] for row in rows if row["slot"] == "nuit"}
    assert len(night) == 1  # a night is of its eve


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: replace(one, kind="marche"), "too_few_events"),
        (lambda one: replace(one, x=float("nan"), y=float("nan")), "no_place"),
        (lambda one: replace(one, end=one.start + dt.timedelta(hours=40)), "lasts_long"),
    ],
)
def test_what_cannot_be_foretold_says_why(
    town: Town, found: Found, change: Callable[[Event], Event], reason: str
) -> None:
    one = change(coming(town))
    outlook = excess.outlook(town.past, found, one, town.facts.hours // 24)
    assert (outlook.hours, outlook.reason) == ([], reason)
    row = excess.summary({"E": outlook}, 0.95).to_pylist()[0]
    assert (row["status"], row["reason"], row["expected"]) == ("abstained", reason, None)


# --- The most similar ------------------------------------------------------------------------


def test_the_most_similar_share_the_crowd_then_the_place(town: Town) -> None:
    one = event(1, start=dt.datetime(2025, 1, 3, 20), end=dt.datetime(2025, 1, 3, 23))
    assert similar.distance(one, replace(one, seen=5000)) == 0
    larger = similar.distance(one, replace(one, seen=20_000))
    elsewhere = similar.distance(one, replace(one, x=X + 900))
    unknown = similar.distance(one, replace(one, expected=None, seen=None))
    assert elsewhere < unknown <= larger + 0.01
    rows = similar.similar(town.past, [coming(town)], 5).to_pylist()
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert all(row["same_place"] and row["n"] is not None for row in rows)
