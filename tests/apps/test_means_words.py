"""What « Moyens » says of a what-if, and of the plan in numbers; of a week given by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.allocation import words as told
from helpers.allocation.tables import Summary
from helpers.allocation.usual_week import Week, hours_of
from helpers.allocation.what_if import Asked, Other
from helpers.apps import means_words as said
from helpers.apps.means_asked import Otherwise
from helpers.core.city.about import Slot
from tests.allocation.test_usual_week import knobs

USUAL = Asked(0, (), 0.5, 2.0, 0.05)
SLOTS = tuple((day, slot) for day in range(7) for slot in ("matin", "soir"))
LASTS = {"matin": Slot(title="matin", start_h=6), "soir": Slot(title="soir", start_h=18)}
NAMES = said.Names(
    {"A": "Le Port", "B": "Le Bourg"},
    {f"{day}_{slot}": f"jour {day}, {slot}" for day, slot in SLOTS},
)
WEEK = Week(("A", "B"), SLOTS, np.full((2, 14), 2, dtype=np.int64), np.ones((2, 14)),
            np.ones(2, dtype=bool), (), (0, 0))  # fmt: skip


def plain(text: str) -> str:
    return text.replace("\u202f", "").replace("\u00a0", " ")


def other(asked: Asked, planned: np.ndarray, *met: tuple[float, float]) -> str:
    found = Other(np.zeros(14, dtype=np.int64), planned, 0.001, met or ((10.0, 10.0),) * 3)
    return plain(said.other(asked, USUAL, "", found, WEEK, WEEK.present, NAMES))


@pytest.mark.parametrize(
    ("ratio", "shown"), [(1.25, "1,25 fois"), (1.5, "1,5 fois"), (3.0, "3 fois")]
)
def test_a_ratio_is_said_as_it_was_chosen(ratio: float, shown: str) -> None:
    assert f"au plus {shown} les heures" in other(replace(USUAL, most_ratio=ratio), WEEK.present)


def test_controls_show_the_digits_that_they_need_and_say_over_what_a_rule_holds() -> None:
    """A rule of the city's may have more digits than the choices offered beside it."""
    hours = np.array([hours_of(LASTS)[slot] for _, slot in SLOTS], dtype=np.int64)
    rules = knobs(minimum_share=0.125, most_ratio=1.75, equity_band=0.015)
    titles = {code: slot.title for code, slot in LASTS.items()}
    box = Otherwise(WEEK, None, hours, rules, NAMES, titles, lambda _: "")
    shown = {one.description: [plain(label) for label, _ in one.options]
             for one in (box.least, box.most, box.band)}  # fmt: skip
    least = shown["Par zone, sur sa semaine entière, au moins"]
    assert "12,5% de ses heures (règle)" in least
    most = shown["Par zone, sur sa semaine entière, au plus"]
    assert most == ["1,25 fois ses heures", "1,5 fois ses heures", "1,75 fois ses heures (règle)",
                    "2 fois ses heures", "3 fois ses heures"]  # fmt: skip
    assert "1,5 point au plus (règle)" in shown["Écart à la part de demande"]


def test_a_minimum_is_said_of_a_zone_s_whole_week() -> None:
    text = other(replace(USUAL, minimum_share=0.75), WEEK.present)
    assert "En gardant à chaque zone au moins 75% de ses heures de la semaine" in text


def test_a_change_that_prints_alike_under_all_hypotheses_is_said_once() -> None:
    alike = ((100.0, 98.81), (200.0, 197.62), (300.0, 296.4))
    assert plain(told.spread(alike)) == " (−1,2% sous toutes les hypothèses)"
    apart = ((100.0, 99.0), (200.0, 204.0), (300.0, 312.0))
    assert plain(told.spread(apart)) == " (+2,0%, de −1,0% à +4,0% selon l'hypothèse)"
    assert plain(told.spread(((5.0, 5.0),) * 3)) == " (+0,0% sous toutes les hypothèses)"


def test_a_what_if_says_where_it_leaves_no_team() -> None:
    planned = WEEK.present.copy()
    planned[0, :5], planned[1, 3] = 0, 0
    text = other(replace(USUAL, minimum_share=0.25), planned)
    assert (
        "**Le plan laisse sans aucune équipe 6 des 28 couples de zone et plage de la semaine** "
        "(plan montré, aucun) : Le Port (5), Le Bourg (1)."
    ) in text
    whole = other(replace(USUAL, minimum_share=0.75), WEEK.present)
    assert "Aucun des 28 couples de zone et plage n'est sans équipe." in whole


def test_why_a_price_may_differ_is_said_where_a_rule_is_loosened() -> None:
    assert "Que coûte chaque règle" in other(replace(USUAL, minimum_share=0.0), WEEK.present)
    assert "Que coûte chaque règle" not in other(replace(USUAL, minimum_share=0.75), WEEK.present)


def test_the_tile_tells_today_from_the_plan_each_with_its_range() -> None:
    found = Summary("", hours=2895, planned=2895, moved=257,
                    met=((1108.6, 1154.0), (1826.1, 1862.1), (2609.0, 2583.4)))  # fmt: skip
    assert (
        "par semaine, 1826 (1109 à 2609) aujourd'hui, 1862 (1154 à 2583) avec le plan ; "
        "de −1,0% à +4,1% selon l'hypothèse"
    ) in plain(said.tiles(found)).replace("&#x27;", "'")
    assert "– " not in plain(said.tiles(replace(found, met=((0.0, 0.0),) * 3)))
