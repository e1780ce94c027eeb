"""Are the measures taken: what the sources say, what they do not, what is due first."""

from __future__ import annotations

import datetime as dt

from helpers.events import checklist
from helpers.events.known import Event
from tests.events.conftest import NIGHT, event, order, rules

RULES = rules()
SOON = NIGHT - dt.timedelta(hours=12)


def rows(*events: Event, now: dt.datetime = SOON) -> dict[str, dict[str, object]]:
    table = checklist.checklist(list(events), RULES, now)
    return {row["measure"]: row for row in table.to_pylist()}


def test_a_state_is_what_the_source_says() -> None:
    for written, told in (("prise", "taken"), ("demandee", "asked"), ("a_faire", "to_do")):
        one = event(1, measures={"barrieres": written, "barrieres_nb": 50})
        assert rows(one)["barrières"]["state"] == told


def test_what_the_source_does_not_say_is_unknown_not_done_nor_to_do() -> None:
    row = rows(event(1, measures={"barrieres": None, "barrieres_nb": None}))["barrières"]
    assert (row["state"], row["reason"], row["late"]) == ("unknown", "source_silent", True)


def test_a_measure_of_which_none_is_wanted_is_not_asked_for() -> None:
    assert "barrières" not in rows(event(1, measures={"barrieres": None, "barrieres_nb": 0}))


def test_an_order_counts_once_signed() -> None:
    assert rows(event(1))["arrêté"]["reason"] == "no_order_signed"
    own = order(event="E0001")
    assert rows(event(1, orders=(own,)))["arrêté"]["state"] == "taken"
    unsigned = order(event="E0001", signed=None)
    later = order(event="E0001", signed=SOON.date() + dt.timedelta(days=1))
    other = order(event="E0001", kind="stationnement")
    for orders in ((unsigned,), (later,), (other,)):
        assert rows(event(1, orders=orders))["arrêté"]["state"] == "to_do"


def test_at_midnight_what_is_signed_on_the_day_that_begins_is_not_signed_yet() -> None:
    midnight = dt.datetime.combine(SOON.date(), dt.time())
    own = order(event="E0001", signed=midnight.date())
    table = checklist.checklist([event(1, orders=(own,))], RULES, midnight)
    assert {r["measure"]: r["state"] for r in table.to_pylist()}["arrêté"] == "to_do"


def test_what_is_missing_comes_first_the_late_before_the_rest() -> None:
    held = event(1, measures={"barrieres": "prise", "barrieres_nb": 5})
    month = NIGHT + dt.timedelta(days=30)
    later = event(2, start=month, end=month + dt.timedelta(hours=2),
                  measures={"barrieres": "a_faire", "barrieres_nb": 5})  # fmt: skip
    table = checklist.checklist([later, held], RULES, SOON).to_pylist()
    told = [(row["event"], row["measure"], row["late"]) for row in table]
    assert told == [
        ("E0001", "arrêté", True), ("E0002", "arrêté", False), ("E0002", "barrières", False),
        ("E0001", "barrières", False),
    ]  # fmt: skip
    assert [row["rank"] for row in table] == [1, 2, 3, 4]
    assert table[0]["due_at"] == NIGHT - dt.timedelta(hours=168)


def test_a_class_without_rules_asks_for_nothing() -> None:
    assert rows(event(1, kind="marche")) == {}
