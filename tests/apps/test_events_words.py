"""What « Événements » says of one: covered only where all is told and nothing is lacking."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.apps import events_words as said
from helpers.core.base.markup import inline
from helpers.events.means import Means
from helpers.events.words import Names, by_event, short
from tests.events.conftest import event, order
from tests.events.test_words import names, plain_text, tables  # noqa: F401

DONE = {"barrieres": "prise", "barrieres_nb": 50}
SIGNED = (order(event="E0001"),)


def of(one: Any, *others: Any) -> said.Own:
    return said.each(tables(one, *others))[one.id]


def verdict(one: Any, *others: Any) -> tuple[str, str]:
    told, level = said.covered(of(one, *others))
    return plain_text(told), level


def test_covered_is_said_where_all_is_taken_and_nothing_lacks() -> None:
    small = event(1, expected=400, least=400, most=400, orders=SIGNED, measures=DONE)
    told, level = verdict(small)
    assert told.startswith("**couvert d'après les sources**, les 2 mesures attendues sont prises")
    assert level == "usual"


@pytest.mark.parametrize(
    ("changes", "why", "level"),
    [
        ({"orders": ()}, "1 des 2 mesures attendues n'est pas dite prise, en retard", "alert"),
        ({"measures": {}, "orders": ()}, "2 des 2 mesures attendues ne sont pas dites prises",
         "alert"),
        ({"expected": 5000, "least": 4000, "most": 6000}, "les moyens ne suffisent pas", "alert"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_first(changes: dict[str, Any], why: str, level: str) -> None:
    whole = {"expected": 400, "least": 400, "most": 400, "orders": SIGNED, "measures": DONE}
    told, found = verdict(event(1, **(whole | changes)))
    assert told.startswith("**pas entièrement couvert**, ")
    assert why in told
    assert found == level


def test_an_incompatibility_is_of_both_events() -> None:
    one, other = (
        event(i, expected=100, least=100, most=100, measures=DONE, orders=(order(event=own),))
        for i, own in ((1, "E0001"), (2, "E0002"))
    )  # fmt: skip
    for own, beside in ((one, other), (other, one)):
        told, level = verdict(own, beside)
        assert "1 incompatibilité" in told
        assert level == "watch"


def test_what_nobody_told_is_neither_covered_nor_lacking() -> None:
    unknown = event(1, expected=None, least=None, most=None, orders=SIGNED, measures=DONE)
    told, level = verdict(unknown)
    assert told.startswith("**on ne peut dire s'il est couvert**")
    assert level == "usual"
    bare, _ = verdict(event(1, kind="marche", expected=400, least=400, most=400))
    assert "couvert d'après" not in bare


def test_the_tiles_give_the_most_officers_to_their_own_hours() -> None:
    """Fifteen may go in the evening and six at night: the peak is not of the whole time."""
    have = {(d, s, "N"): n for d in range(7) for s, n in (("soir", 30), ("nuit", 12))}
    late = event(1, end=dt.datetime(2024, 6, 15, 1))
    made = tables(late, means=Means(have, 50, ["N"]))
    shown = plain_text(said.tiles(said.each(made)["E0001"]))
    assert ("<h3>Agents</h3><p class=\"app-figure\"><strong>8 à 15</strong></p>"
            "<p>au plus fort, de 19 h à 23 h ; 6 de 23 h à 2 h</p>") in shown  # fmt: skip
    assert ("<h3>Équipes</h3><p class=\"app-figure\"><strong>3 à 5</strong></p>"
            "<p>de 19 h à 23 h</p>") in shown  # fmt: skip


def test_foreign_names_are_text(names: Names) -> None:  # noqa: F811
    one, other = event(1, orders=()), event(2)
    made = tables(one, other)
    own = said.each(made)[one.id]
    answer, _ = said.answer(own, names)
    shown = inline(answer) + said.tiles(own) + said.to_settle(
        own.rows["clashes"], own.missing, by_event(made, "calendar"), names, alone=True
    )  # fmt: skip
    assert "<b>Port</b>" not in shown
    assert "&lt;b&gt;Port" in shown
    assert "Prévenir" in shown


def test_a_list_s_label_says_day_hour_class_and_place() -> None:
    about = SimpleNamespace(agenda=SimpleNamespace(events=SimpleNamespace(titles={"c": "Concert"})))
    told: Any = Names(SimpleNamespace(about=about), {"A": "Le Panier"})  # type: ignore[arg-type]
    row = {"start_at": dt.datetime(2026, 1, 3, 8, 30), "kind": "c", "zone": "A"}
    assert plain_text(short(row, told)) == "sam. 3 janvier, 8 h 30 · Concert, Le Panier"
