"""What « Aujourd'hui » says, for one thing that stands out, for several, for none."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.apps import today_words
from helpers.apps.choice import Choice
from helpers.apps.tiles import sparkline, tiles
from helpers.core.base.markup import to_html
from helpers.core.stage import params
from tests.fixtures.real import ROOT
from tests.journeys.people.trap import READ

CITY: Any = SimpleNamespace(
    themes={
        "bruit": SimpleNamespace(title="Bruit", sheet=None),
        "rixes": SimpleNamespace(title="Rixes <b>*y*</b>", sheet="violences_espace_public"),
    }
)
NAMES = {f"Z{i}": f"Quartier {i}" for i in range(9)}
CHOICE = Choice(7, "", "quartiers", "ville", "direction")


def row(zone: str, tier: str, theme: str = "bruit", days: int = 7) -> dict[str, Any]:
    return {"theme": theme, "zone": zone, "period_days": days, "division": "quartiers", "n": 12,
            "expected": 3.2, "low": 0.0, "high": 7.0, "tier": tier, "aside_n": 0, "remarks": [],
            "status": "ok", "reason": "", "surprise": 0.001}  # fmt: skip


def sentence(found: list[dict[str, Any]], choice: Choice = CHOICE) -> str:
    since = {today_words.key(one): dt.date(2025, 12, 27) for one in found}
    return today_words.of_the_day(found, choice, CITY, NAMES, since).replace("\u00a0", " ")


def test_the_sentence_says_what_where_since_when_and_how_many_more() -> None:
    assert sentence([]) == "**Rien ne sort de l'ordinaire** sur les 7 derniers jours."
    one = sentence([row("Z1", "alert")])
    assert one == (
        "Alerte : **Bruit, Quartier 1** : 12 faits sur les 7 derniers jours (3 attendus, de 0 à "
        "7), depuis le 27 décembre."
    )
    several = [row("Z1", "alert"), row("Z2", "alert"), *(row(f"Z{i}", "watch") for i in (3, 4))]
    assert sentence(several).endswith(" ; et 1 autre alerte, 2 comptes à regarder.")
    watch = [row("Z1", "watch", days=1), row("Z2", "watch")]
    assert sentence(watch).startswith("Aucune alerte ; à regarder : **Bruit, Quartier 1** : 12 ")
    assert sentence(watch).endswith(" ; et 1 autre.")


def test_the_sentence_of_a_zone_names_it_once() -> None:
    there = dataclasses.replace(CHOICE, zone="Z1")
    assert sentence([row("Z1", "alert")], there).count("Quartier 1") == 1
    assert sentence([], there).startswith("Quartier 1 : **rien ne sort de l'ordinaire**")


@pytest.mark.parametrize("elsewhere", [False, True])
def test_tiles_say_that_they_are_of_the_whole_city_where_the_page_is_not(elsewhere: bool) -> None:
    """A level of the city beside a quarter's alert would be read as the quarter's."""
    level = {"role": "direction", "measure": "level", "target": "bruit", "theme": "bruit",
             "value": 941.0, "low": 930.0, "high": 952.0, "n": 941, "step": "week",
             "reliability": "B", "status": "ok", "reason": "", "remarks": []}  # fmt: skip
    page = tiles([level], {}, {"bruit": "stable"}, CITY, params.knobs("trends", ROOT), str, (),
                 elsewhere)  # fmt: skip
    assert ("<h3>Toute la ville : Bruit</h3>" in page) == elsewhere
    assert ("<h3>Bruit</h3>" in page) != elsewhere


def test_a_tile_says_what_a_high_criticality_is() -> None:
    knobs = params.knobs("trends", ROOT)
    high = {"role": "direction", "measure": "critical", "target": "all", "theme": None,
            "value": 67.0, "low": 55.0, "high": 85.0, "n": 949, "step": "week",
            "reliability": "B", "status": "ok", "reason": "", "remarks": []}  # fmt: skip
    page = tiles([high], {}, {}, CITY, knobs, str, (), False)
    assert "criticités fortes" in page
    assert f"forte : {knobs.criticality_thresholds[1]:.0f} points et plus" in page
    assert "faits par semaine × gravité × évolution" in page


@pytest.mark.parametrize("many", [1, 3, 4, 8])
def test_lists_say_how_many_they_leave_out(many: int) -> None:
    found = [row(f"Z{i}", "alert") for i in range(many)]
    page = today_words.cards(found, 0, "", CITY, NAMES, {}, {}, {})
    assert page.count('<article class="app-card">') == many
    hidden = page.partition("<details>")[2]
    assert hidden.count('<article class="app-card">') == max(many - today_words.LISTED, 0)
    if many > today_words.LISTED:
        rest = many - today_words.LISTED
        assert f"et {rest}\u00a0autre{'s' if rest > 1 else ''}</summary>" in page


def test_a_card_leads_to_its_sheet_and_runs_nothing() -> None:
    known = {today_words.key(row("Z1", "alert", "rixes")): READ}
    page = today_words.cards([row("Z1", "alert", "rixes")], 2, "situation.ipynb?a=1&b=2", CITY,
                             NAMES, {}, known, {"Z1": READ})  # fmt: skip
    assert 'href="#fiche-violences_espace_public"' in page
    assert "<b>" not in page
    assert page.count("&lt;b&gt;") >= 1
    assert "2\u00a0autres alertes" in page
    told = to_html(sentence([row("Z1", "alert", "rixes")]))
    assert "<b>" not in told
    assert "<em>" not in told


def test_one_count_outside_its_interval_is_said_to_be_chance() -> None:
    said = today_words.alone(row("Z1", "usual")).replace("\u00a0", " ")
    assert said == (
        "12 faits, comme d'habitude (on en attendait entre 0 et 7 ; parmi tant de comptes, le "
        "hasard suffit à en sortir d'autant)"
    )
    mute = row("Z1", "abstained") | {"status": "missing", "reason": "silent", "n": None}
    assert today_words.alone(mute) == "abstention (source muette)"


def test_a_sparkline_is_broken_where_nothing_was_heard() -> None:
    drawn = sparkline([4.0, 5.0, None, 6.0, 7.0])
    (path,) = re.findall(' d="([^"]*)"', drawn)
    assert path.count("M") == 2
    assert path.count("L") == 2
    assert sparkline([None, 3.0]) == ""
