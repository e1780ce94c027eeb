"""What « Aujourd'hui » says, for one thing that stands out, for several, for none."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.apps import today_words
from helpers.apps.beside import Beside
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


def sentence(
    found: list[dict[str, Any]], choice: Choice = CHOICE, low: list[dict[str, Any]] | None = None,
    mute: Sequence[dict[str, Any]] = (),
) -> str:  # fmt: skip
    since = {today_words.key(one): dt.date(2025, 12, 27) for one in found}
    said = today_words.of_the_day(found, low or [], choice, CITY, NAMES, since, mute, 2)
    return said.replace("\u00a0", " ")


def beside(label: str, *, doubted: bool = False, corrected: bool = False) -> Any:
    """Return what tiles are read beside: one theme, that label, no drawing."""
    found = object.__new__(Beside)
    found.weekly, found.whole = {}, {"bruit": {"label": label}}
    found.doubted, found.corrected = {"bruit": "?"} if doubted else {}, set()
    if corrected:
        found.corrected.add("bruit")
    return found


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


def test_where_nothing_can_be_compared_nothing_is_said_to_be_ordinary() -> None:
    mute = [row("ville", "abstained", theme) | {"status": "missing", "reason": why}
            for theme, why in (("bruit", "silent"), ("rixes", "in_part"))]  # fmt: skip
    all_mute = sentence([], mute=mute)
    assert all_mute == (
        "**Rien ne peut être comparé** sur les 7 derniers jours : surtout des jours ne sont reçus "
        "qu'à demi, et rien ne dit lesquels."
    )
    assert "ordinaire" not in all_mute
    half = sentence([], mute=mute[:1])
    assert half == (
        "**Rien ne sort de l'ordinaire** sur les 7 derniers jours ; sans réponse : Bruit "
        "(source muette)."
    )
    page = today_words.cards([], 0, "", CITY, NAMES, {}, {}, {}, tested=False)
    assert "Aucune alerte possible" in page
    assert "en vigueur" not in page


def test_the_sentence_tells_both_sides_of_the_map() -> None:
    """Blue zones and « nothing stands out » contradict each other."""
    low = [row(f"Z{i}", "below", days=28) for i in (5, 6)]
    quiet = sentence([], dataclasses.replace(CHOICE, days=28), low)
    assert quiet == (
        "**Rien au-dessus de l'ordinaire** sur les 28 derniers jours ; moins que d'habitude : "
        "Bruit, Quartier 5 et 1 autre compte."
    )
    assert sentence([row("Z1", "alert")], low=low[:1]).endswith(
        ", depuis le 27 décembre ; moins que d'habitude : Bruit, Quartier 5."
    )


def of_theme(found: list[dict[str, Any]], low: list[dict[str, Any]]) -> str:
    whole = row("ville", "usual") | {"n": 5}
    said = today_words.of_theme(whole, found, low, CHOICE, NAMES, {}, "fiabilité B", " À savoir.")
    return said.replace("\u00a0", " ")


def test_a_theme_tells_the_zones_above_and_those_below() -> None:
    head = "5 faits, comme d'habitude (on en attendait entre 0 et 7) ; "
    low = [row(f"Z{i}", "below") for i in range(4)]
    assert of_theme([], []) == f"{head}aucune zone ne ressort. À savoir. Fiabilité B."
    assert of_theme([], low) == (
        f"{head}aucune zone n'en a plus que d'habitude ; moins que d'habitude dans 4 zones : "
        "Quartier 0, Quartier 1, Quartier 2 et 1 autre. À savoir. Fiabilité B."
    )
    assert of_theme([row("Z8", "watch")], low[:1]) == (
        f"{head}Quartier 8 (à regarder) ; moins que d'habitude dans 1 zone : Quartier 0. "
        "À savoir. Fiabilité B."
    )


def test_an_interval_that_holds_anything_is_said_to() -> None:
    wide = row("Z1", "usual") | {"n": 9000, "expected": 9800.0, "low": 1869.0, "high": 18630.0}
    assert "sans que l'on puisse dire si c'est l'habitude (" in today_words.alone(wide)
    assert "comme d'habitude" in today_words.alone(row("Z1", "usual") | {"n": 5})


def test_alerts_that_no_link_shows_have_none() -> None:
    told = today_words.cards([], 1, "", CITY, NAMES, {}, {}, {}, tested=True)
    assert "1\u00a0autre alerte, hors de ce choix" in told
    assert "<a " not in told


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
    rising = {"role": "secteur", "measure": "rising", "target": "circulation", "theme": None,
              "value": 1.0, "low": 0.0, "high": 532.0, "n": 549, "step": None,
              "reliability": "B", "status": "ok", "reason": "", "remarks": []}  # fmt: skip
    page = tiles([level, rising, rising | {"target": "all"}], beside("stable"), CITY,
                 params.knobs("trends", ROOT), str, elsewhere=elsewhere)  # fmt: skip
    titles = re.findall("<h3>(.*?)</h3>", page)
    assert titles[2].startswith("Toute la ville : ")
    assert titles[2].count("Toute la ville") == 1
    own = ["Bruit", "Circulation : hausses établies"]
    of_city = ["Toute la ville : Bruit", "Toute la ville, Circulation : hausses établies"]
    assert titles[:2] == (of_city if elsewhere else own)


def test_a_tile_says_what_only_seems_so_and_what_is_an_estimate() -> None:
    change = {"role": "analyste", "measure": "change", "target": "bruit", "theme": "bruit",
              "value": 0.7, "low": 0.52, "high": 0.93, "n": 941, "step": None,
              "reliability": "B", "status": "ok", "reason": "", "remarks": []}  # fmt: skip
    week = change | {"measure": "week", "value": 794.0, "low": 739.0, "high": 852.0}
    knobs = params.knobs("trends", ROOT)
    page = tiles([week, change], beside("down", doubted=True), CITY, knobs, str, elsewhere=False)
    assert "en baisse en apparence</span>" in page
    assert "<strong>794</strong> la dernière semaine entière, estimé (739 à 852)" in page
    sure = tiles([week | {"low": 794.0, "high": 794.0}], beside("down"), CITY, knobs, str,
                 elsewhere=False)  # fmt: skip
    assert "en baisse</span>" in sure
    assert "estimé" not in sure


def test_a_tile_says_what_a_high_criticality_is() -> None:
    knobs = params.knobs("trends", ROOT)
    high = {"role": "direction", "measure": "critical", "target": "all", "theme": None,
            "value": 67.0, "low": 55.0, "high": 85.0, "n": 949, "step": "week",
            "reliability": "B", "status": "ok", "reason": "", "remarks": []}  # fmt: skip
    page = tiles([high], beside("stable"), CITY, knobs, str, elsewhere=False)
    assert "criticités fortes" in page
    assert f"forte : {knobs.criticality_thresholds[1]:.0f} points et plus" in page
    assert "faits par semaine × gravité × évolution" in page


@pytest.mark.parametrize("many", [1, 3, 4, 8])
def test_lists_say_how_many_they_leave_out(many: int) -> None:
    found = [row(f"Z{i}", "alert") for i in range(many)]
    page = today_words.cards(found, 0, "", CITY, NAMES, {}, {}, {}, tested=True)
    assert page.count('<article class="app-card">') == many
    hidden = page.partition("<details>")[2]
    assert hidden.count('<article class="app-card">') == max(many - today_words.LISTED, 0)
    if many > today_words.LISTED:
        rest = many - today_words.LISTED
        assert f"et {rest}\u00a0autre{'s' if rest > 1 else ''}</summary>" in page


def test_a_card_leads_to_its_sheet_and_runs_nothing() -> None:
    known = {today_words.key(row("Z1", "alert", "rixes")): READ}
    page = today_words.cards([row("Z1", "alert", "rixes")], 2, "situation.ipynb?a=1&b=2", CITY,
                             NAMES, {}, known, {"Z1": READ}, tested=True)  # fmt: skip
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
        "12 faits ; on en attendait entre 0 et 7 : plus, d'un écart que le hasard amène parmi "
        "tant de comptes"
    )
    mute = row("Z1", "abstained") | {"status": "missing", "reason": "silent", "n": None}
    assert today_words.alone(mute) == "abstention (source muette)"


def test_a_sparkline_is_broken_where_nothing_was_heard() -> None:
    drawn = sparkline([4.0, 5.0, None, 6.0, 7.0])
    (path,) = re.findall(' d="([^"]*)"', drawn)
    assert path.count("M") == 2
    assert path.count("L") == 2
    assert sparkline([None, 3.0]) == ""
