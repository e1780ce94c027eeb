"""What a link says: all that is offered, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from helpers.apps.choice import Choice, Offer

FIRST = Choice(7, "", "quartiers", "ville", "direction")
OFFER = Offer(
    {
        "periode": [("Dernier jour", "1"), ("7 derniers jours", "7")],
        "theme": [("Tous les thèmes", ""), ("Bruit", "bruit")],
        "territoire": [("Marseille", "quartiers"), ("Le Panier", "quartiers/1320205")],
        "role": [("Direction", "direction"), ("Analyste", "analyste")],
    },
    FIRST,
    {"quartiers": {"1320205": "Le Panier"}},
)


def test_every_choice_comes_back_from_its_own_link() -> None:
    for days in (1, 7):
        for theme in ("", "bruit"):
            for zone in ("ville", "1320205"):
                for role in ("direction", "analyste"):
                    choice = Choice(days, theme, "quartiers", zone, role)
                    assert OFFER.read(choice.query()) == (choice, [])


def test_what_is_not_offered_is_refused_by_name_and_the_rest_taken() -> None:
    choice, refused = OFFER.read("periode=nan&theme=bruit&territoire=../etc&role=&inconnu=1")
    assert choice == Choice(7, "bruit", "quartiers", "ville", "direction")
    assert refused == ["periode", "territoire", "role"]


@given(st.text())
def test_no_text_at_all_breaks_it(query: str) -> None:
    if query.count("&") < 50:
        choice, _ = OFFER.read(query)
        for name, value in choice.values().items():
            assert value in [one for _, one in OFFER.options[name]]
