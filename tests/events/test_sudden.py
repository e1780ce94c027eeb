"""An accident now: counted by hand, after the events of the same hours, never above what exists."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.core.city.about import SLOTS
from helpers.core.city.event_rules import EventRules, Sudden
from helpers.events import plan, sizing, sudden, sudden_words
from helpers.events.excess import Outlook
from helpers.events.known import Event, calendar
from helpers.events.means import Means
from helpers.events.plan import Tables
from helpers.events.words import Names
from tests.events.conftest import NIGHT, event, rules
from tests.events.test_sizing import ZONES, means

CRASH: dict[str, Any] = {
    "title": "Accident <b>grave</b>", "officers": (4, 8), "barriers": (6, 20), "closures": (1, 2),
    "lasts_h": (1, 3), "shared_out": 0.75, "tell": ("Marins-pompiers", "Voirie"),
}  # fmt: skip
NAMES = Names(SimpleNamespace(), {"N": "Nord", "S": "Sud [ici](x)"})  # type: ignore[arg-type]


def crash(**changes: Any) -> Sudden:
    return Sudden(**(CRASH | changes))


def made(have: Means, *events: Event) -> Tables:
    """Return the tables that the stage would write of the events."""
    told = {one.id: Outlook([]) for one in events}
    sized = sizing.size(events, told, have, rules(), {}, {}, SLOTS, 0.95)
    empty = {name: schema.empty_table() for name, schema in plan.SCHEMAS.items()}
    own = {"calendar": calendar(list(events), NIGHT.date()), "sizing": sized.sizing,
           "shifts": sized.shifts, "means": have.table()}  # fmt: skip
    return empty | own


def respond(
    told: Tables, rule: Sudden, at: dt.datetime = NIGHT, own: EventRules | None = None
) -> sudden.Response:
    return sudden.respond(told, own or rules(), SLOTS, 0.95, {}, rule, at, "N")


def test_an_accident_alone_is_counted_by_hand() -> None:
    """Six officers in each of two sectors: 9 of 12 may be away, one stays in each."""
    found = respond(made(means(6)), crash())
    row = found.sizing
    assert (row["officers_low"], row["officers_high"], row["officers_short"]) == (4, 8, 0)
    assert (row["barriers_low"], row["barriers_high"]) == (6, 20)
    assert (row["closures_low"], row["closures_high"]) == (1, 2)
    assert (row["from_at"], row["to_at"]) == (NIGHT, NIGHT + dt.timedelta(hours=3))
    # The sector where it happens gives first; then the other.
    assert found.left == [sudden.Left("N", 5, 1), sudden.Left("S", 3, 3)]
    assert found.at_events == 0
    few = respond(made(means(2)), crash()).sizing  # one in each must stay
    assert (few["officers_high"], few["officers_short"]) == (2, 2)


def test_events_of_the_same_hours_keep_their_least_and_others_are_not_counted() -> None:
    """A concert asks for 8 to 24, 40 to 120 barriers; of 24 officers, 18 may be away: 10 left."""
    told = made(means(12, barriers=45), event(1))
    found = respond(told, crash(officers=(11, 15)))
    assert found.at_events == 8
    assert (found.sizing["officers_high"], found.sizing["officers_short"]) == (10, 1)
    assert (found.sizing["barriers_low"], found.sizing["barriers_high"]) == (5, 5)
    later = respond(told, crash(officers=(11, 15)), NIGHT + dt.timedelta(days=1))
    assert (later.at_events, later.sizing["officers_high"]) == (0, 15)
    assert later.sizing["barriers_high"] == 20
    # Its last hour alone is shared with the concert, whose officers come at 19 h.
    before = respond(told, crash(lasts_h=(1, 4)), NIGHT - dt.timedelta(hours=4, minutes=30))
    assert before.at_events == 8
    assert respond(told, crash(), NIGHT - dt.timedelta(hours=4)).at_events == 0


TOLD = made(means(5, barriers=60), *(event(i, expected=700 * i, least=None, most=None,
            start=NIGHT + dt.timedelta(hours=i), end=NIGHT + dt.timedelta(hours=i + 2))
            for i in range(1, 5)))  # fmt: skip
RANGE = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda two: (min(two), max(two)))


@given(RANGE, RANGE, st.integers(-6, 30), st.floats(0.5, 24))
def test_whatever_happens_when_nothing_is_above_what_exists(
    officers: Any, barriers: Any, hours: int, lasts: float
) -> None:
    rule = crash(officers=officers, barriers=barriers, lasts_h=(0.5, lasts))
    found = respond(TOLD, rule, NIGHT + dt.timedelta(hours=hours))
    held = found.sizing
    # Ten are there; three quarters may be away, of whom some are at events already.
    assert held["officers_high"] <= 7
    if len(found.shifts) == 1:  # of several, the fullest of each may not be the same
        assert held["officers_high"] + found.at_events <= 7 or held["officers_high"] == 0
    assert held["officers_low"] <= held["officers_high"] <= officers[1]
    assert held["barriers_high"] <= min(60, barriers[1])
    for one in found.left:
        assert one.stays >= 1
        assert one.sent + one.stays <= 5
    assert {one.zone for one in found.left} <= set(ZONES)


def test_unknown_means_are_said_unknown_and_never_none() -> None:
    row = respond(made(Means({}, None)), crash()).sizing
    assert (row["officers_high"], row["officers_short"], row["reason"]) == (
        8,
        None,
        "means_unknown",
    )


def test_it_is_told_in_two_breaths_with_who_must_be_told() -> None:
    told = made(means(12, barriers=45), event(1))
    rule = crash(officers=(11, 14))
    text = sudden_words.response(respond(told, rule), rule, NIGHT, "N", NAMES)
    said = text.replace("\xa0", " ").replace("\u202f", " ")
    assert "Nord, vendredi 14 juin 2024 à 20 h, pour 1 à 3 heures : 10 agents de 20 h" in said
    assert "**1 à 4 agents manquent**" in said
    assert "5 barrières, au lieu de 6 à 20 d'après les hypothèses" in said
    assert "1 à 2 fermetures de voie" in said
    assert "Les événements des mêmes heures gardent leur minimum, 8 agents." in said
    assert "Viendraient 7 (Nord), 3 (" in said
    assert "; il y resterait 1 agent au moins." in said
    assert said.endswith("**Prévenir : Marins-pompiers, Voirie**.")
    assert "<b>" not in said
    assert "[ici](x)" not in said


@pytest.mark.parametrize("hours", [(0, 0), (1, 25), (3, 1)])
def test_what_lasts_no_time_or_days_is_refused(hours: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="lasts_h"):
        crash(lasts_h=hours)
