"""What « Événements » says of one: covered only where all is told and nothing is lacking."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.apps import events_words as said
from helpers.apps.assumptions import Assumptions
from helpers.core.base.markup import inline
from helpers.core.city.about import SLOTS
from helpers.events import slot_words, words
from helpers.events.means import Means
from helpers.events.words import Names, by_event, short
from tests.events.conftest import NIGHT, event, order, rules
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
    assert ("<h3>Agents</h3><p class=\"app-figure\"><strong>8 à 15 pour 8 à 24</strong></p>"
            "<p>demandés d&#x27;après les hypothèses : jusqu&#x27;à 9 manquent ; "
            "au plus fort, de 19 h à 23 h ; 6 de 23 h à 2 h</p>") in shown  # fmt: skip
    assert ("<h3>Équipes</h3><p class=\"app-figure\"><strong>3 à 5</strong></p>"
            "<p>de 19 h à 23 h</p>") in shown  # fmt: skip


def test_foreign_names_are_text(names: Names) -> None:  # noqa: F811
    one, other = event(1, orders=()), event(2)
    made = tables(one, other)
    own = said.each(made)[one.id]
    answer, _ = said.answer(own, names)
    shown = inline(answer) + said.tiles(own) + said.to_settle(
        own.rows["clashes"], own.missing, by_event(made, "calendar"), names, {}, alone=True
    )  # fmt: skip
    assert "<b>Port</b>" not in shown
    assert "&lt;b&gt;Port" in shown
    assert "Prévenir" in shown


def test_a_list_s_label_says_day_hour_class_and_place() -> None:
    about = SimpleNamespace(agenda=SimpleNamespace(events=SimpleNamespace(titles={"c": "Concert"})))
    told: Any = Names(SimpleNamespace(about=about), {"A": "Le Panier"})  # type: ignore[arg-type]
    row = {"start_at": dt.datetime(2026, 1, 3, 8, 30), "kind": "c", "zone": "A"}
    assert plain_text(short(row, told)) == "sam. 3 janvier, 8 h 30 · Concert, Le Panier"


def few() -> Any:
    """Return the tables of a concert that asks for 8 to 24 officers, of whom 5 are there."""
    return tables(event(1))


def test_the_tile_gives_the_need_beside_who_can_be_sent() -> None:
    shown = plain_text(said.tiles(said.each(few())["E0001"]))
    assert "<strong>5 pour 8 à 24</strong>" in shown
    assert "<p>demandés d&#x27;après les hypothèses : 3 à 19 manquent ; de 19 h à 0 h</p>" in shown


@pytest.mark.parametrize(
    ("given", "wanted", "told"),
    [((15, 15), (16, 54), "1 à 39 agents manquent"), ((15, 15), (16, 16), "1 agent manque"),
     ((8, 15), (8, 24), "jusqu'à 9 agents manquent"), ((8, 15), (8, 16), "jusqu'à 1 agent manque"),
     ((8, 15), (8, 15), "")],
)  # fmt: skip
def test_what_is_lacking_is_a_range(given: Any, wanted: Any, told: str) -> None:
    assert plain_text(slot_words.lacking(given, wanted, "agent")) == told


def test_a_measure_says_whose_number_is_whose(names: Names) -> None:  # noqa: F811
    """Asked for by the source: 258; the city takes 5,000 people to ask for 40 to 120."""
    one = event(1, measures={"barrieres": "a_faire", "barrieres_nb": 258})
    made = tables(one)
    own = said.each(made)
    told = rules()
    concert = told.classes["concert"]
    first, *others = concert.measures
    named = first.model_copy(update={"entered": "barrieres"})
    changed = concert.model_copy(update={"measures": (named, *others)})
    taken = told.model_copy(update={"classes": told.classes | {"concert": changed}})
    shown = plain_text(said.to_settle(
        [], own["E0001"].missing, by_event(made, "calendar"), names,
        said.ours(own.values(), taken), alone=True,
    ))  # fmt: skip
    assert (
        "barrières (258 selon la source des événements ; 40 à 120 d'après les hypothèses de la "
        "ville)"
    ) in shown
    assert said.ours(own.values(), None) == {}


def test_the_most_demanding_is_by_need_and_never_by_what_is_sent(names: Names) -> None:  # noqa: F811
    """Alike at most, the later one asks for more at least; the first of the day is given less."""
    early = event(1, expected=5000, least=4000, most=6000, zone="A")
    late = event(2, expected=5500, least=5500, most=6000, zone="B", start=NIGHT + dt.timedelta(2),
                 end=NIGHT + dt.timedelta(days=2, hours=3))  # fmt: skip
    made = tables(early, late)
    first, second = (by_event(made, "sizing")[one] for one in ("E0001", "E0002"))
    assert first["wanted_high"] == second["wanted_high"]
    assert first["wanted_low"] < second["wanted_low"]
    assert "5 500 personnes" in plain_text(words.answer(made, names, 42)).partition("exigeant")[2]
    assert "5 500 personnes" not in plain_text(words.needs(made, names)).splitlines()[1]
    ranked = sorted(said.each(made).values(), key=lambda own: words.demanding(own.sizing, own.row))
    assert [own.row["event"] for own in ranked] == ["E0002", "E0001"]


def test_assumptions_agree_with_their_far_end_and_stand_beside_their_controls() -> None:
    box = Assumptions(few(), rules(), SLOTS, 0.95)
    box.asked = "E0001"
    officers, barriers, _ = box.controls
    assert [plain_text(one.shown.value) for one in box.controls] == [
        "2 à 4 agents (réglable de 0 à 16)", "10 à 20 barrières (réglable de 0 à 80)",
        "30 à 60 minutes (réglable de 0 à 180)",
    ]  # fmt: skip
    for ends, shown in (((0, 0), "0 barrière "), ((1, 1), "1 barrière "),
                        ((0, 1), "0 à 1 barrière "), ((0, 2), "0 à 2 barrières ")):  # fmt: skip
        barriers.slider.value = ends
        assert plain_text(barriers.shown.value).startswith(shown)
        assert f"{shown}pour 1 000" in plain_text(box.said.value)
    officers.slider.value = (0.5, 2)
    assert "0,5 à 2 agents pour 1 000" in plain_text(box.said.value)
    officers.slider.value = (0.5, 1.5)
    assert "0,5 à 1,5 agent pour 1 000" in plain_text(box.said.value)


def test_the_far_end_of_a_control_never_changes() -> None:
    """By the key End, the page's control goes to the far end that it was made with."""
    concert, market = event(1), event(2, kind="marche")
    told = rules()
    need = told.classes["concert"].need
    assert need is not None
    small = need.model_copy(update={"officers_per_thousand": (0.0, 0.4)})
    held = told.classes["marche"].model_copy(update={"need": small})
    told = told.model_copy(update={"classes": told.classes | {"marche": held}})
    box = Assumptions(tables(concert, market), told, SLOTS, 0.95)
    changes: list[Any] = []
    for asked in ("E0001", "E0002", "E0001"):
        box.asked = asked
        for one in box.controls:
            one.slider.unobserve_all("max")
            one.slider.observe(changes.append, names="max")
    assert changes == []
    assert [control.slider.max for control in box.controls] == [16, 80, 180]
    box.asked = "E0002"
    assert [control.slider.max for control in box.controls] == [2, 80, 180]
    assert box.controls[0].slider.value == (0.0, 0.4)
