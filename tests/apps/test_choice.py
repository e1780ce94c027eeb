"""What a link says: all that is offered, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from helpers.apps.choice import Choice, Offer, apart

FIRST = Choice(7, "", "quartiers", "ville", "direction")
OFFER = Offer(
    {
        "periode": [("Dernier jour", "1"), ("7 derniers jours", "7")],
        "theme": [("Tous les thèmes", ""), ("Bruit", "bruit")],
        "territoire": [("Marseille", "quartiers"), ("Le Panier", "quartiers/1320205")],
        "role": [("Direction", "direction"), ("Analyste", "analyste")],
        "evenement": [("Tous", ""), ("Concert", "e1")],
        "palier": [("Tous", ""), ("Prévention", "prevention")],
        "etat": [("Tous", ""), ("À décider", "a_decider")],
        "action": [("Toutes", ""), ("ACT-001", "ACT-001"), ("ACT-002", "ACT-002")],
    },
    FIRST,
    {"quartiers": {"1320205": "Le Panier"}},
)


def test_every_choice_comes_back_from_its_own_link() -> None:
    for days in (1, 7):
        for theme in ("", "bruit"):
            for zone in ("ville", "1320205"):
                for role, event in (("direction", ""), ("analyste", "e1")):
                    choice = Choice(days, theme, "quartiers", zone, role, event)
                    assert OFFER.read(choice.query()) == (choice, [])


def test_an_action_its_tier_and_its_state_come_back_too_and_others_are_refused() -> None:
    choice = Choice(7, "", "quartiers", "ville", "direction", "", "prevention", "a_decider",
                    "ACT-002")  # fmt: skip
    assert OFFER.read(choice.query()) == (choice, [])
    asked = "palier=aucun&etat=etat-autre&action=ACT-003"
    assert OFFER.read(asked) == (FIRST, ["palier", "etat", "action"])


def test_only_a_page_of_actions_prepares_an_answer_to_each() -> None:
    found = list(OFFER.usual(("theme", "palier", "etat", "action")))
    assert [one.action for one in found] == ["", "", "ACT-001", "ACT-002"]
    assert {(one.tier, one.state) for one in found} == {("", "")}
    assert {one.action for one in OFFER.usual(("theme",))} == {""}


def test_what_is_not_offered_is_refused_by_name_and_the_rest_taken() -> None:
    asked = "periode=nan&theme=bruit&territoire=../etc&role=&evenement=e2&inconnu=1"
    choice, refused = OFFER.read(asked)
    assert choice == Choice(7, "bruit", "quartiers", "ville", "direction")
    assert refused == ["periode", "territoire", "role", "evenement"]


def test_only_a_page_of_events_prepares_an_answer_to_each() -> None:
    assert [one.event for one in OFFER.usual(("evenement",))] == ["", "e1"]
    assert {one.event for one in OFFER.usual(("theme", "periode"))} == {""}


def test_two_of_one_label_are_told_apart() -> None:
    told = apart([("Marché", "a"), ("Marché", "b"), ("Concert", "c"), ("Marché", "d")])
    assert told == [("Marché", "a"), ("Marché (2)", "b"), ("Concert", "c"), ("Marché (3)", "d")]


@given(st.text())
def test_no_text_at_all_breaks_it(query: str) -> None:
    if query.count("&") < 50:
        choice, _ = OFFER.read(query)
        for name, value in choice.values().items():
            assert value in [one for _, one in OFFER.options[name]]
