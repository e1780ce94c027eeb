"""What pages answer of the choice that is made, and of no other: words, tables, files kept."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import numpy as np
import pytest
import shapely

from helpers.apps import beside, where_when
from helpers.apps.choice import Choice
from helpers.apps.today import Today
from helpers.apps.trends import Trends
from helpers.apps.where_when import WhereWhen
from helpers.core.base.markup import plain
from helpers.core.stage import params
from tests.fixtures.real import ROOT

FADES = "la source n'a apporté que 31 %"
CITY: Any = SimpleNamespace(
    themes={
        name: SimpleNamespace(title=name.capitalize(), parts={})
        for name in ("bruit", "rixes", "vols")
    },
    about=SimpleNamespace(
        main_division="quartiers",
        divisions={"quartiers": SimpleNamespace(title="Quartiers")},
        period=SimpleNamespace(start=dt.date(2023, 1, 1), end=dt.date(2025, 12, 31)),
    ),
)
NAMES = {"Z1": "Noailles", "Z2": "Belsunce"}
PLACE: Any = SimpleNamespace(
    names=lambda division: NAMES if division == "quartiers" else {"A1": "1er"}
)


def choice(theme: str = "", zone: str = "ville", days: int = 28) -> Choice:
    return Choice(days, theme, "arrondissements" if zone == "A1" else "quartiers", zone, "")


def spaced(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


# --- Tendances -------------------------------------------------------------------------------


def level(theme: str, zone: str, label: str, ratio: float = 0.7) -> dict[str, Any]:
    return {"theme": theme, "zone": zone, "division": "quartiers", "label": label, "ratio": ratio,
            "low": ratio - 0.1, "high": ratio + 0.1, "p": 0.001, "status": "ok", "reason": "",
            "detectable": 1.5, "detectable_fall": 0.6, "remarks": [], "step": "week",
            "level": 9.0}  # fmt: skip


@pytest.fixture
def trends(monkeypatch: pytest.MonkeyPatch) -> Any:
    page = cast(Any, object.__new__(Trends))
    page.city, page.place, page.knobs = CITY, PLACE, params.knobs("trends", ROOT)
    page.rows = [
        level("bruit", "ville", "up", 1.4), level("rixes", "ville", "down"),
        level("vols", "ville", "unclear", 1.0), level("bruit", "Z1", "stable", 1.0),
        level("rixes", "Z1", "down"), level("vols", "Z1", "unclear", 1.0),
    ]  # fmt: skip
    page.doubted = page.caveats = {"rixes": FADES, "vols": FADES}
    monkeypatch.setattr("helpers.trends.words.span", lambda *_: "52 semaines")
    page.levels = None
    return page


def test_all_themes_of_a_zone_are_its_own(trends: Any) -> None:
    assert spaced(trends._answer(choice())) == (
        "En 52 semaines : **Bruit** en hausse, **Rixes (en apparence)** en baisse ; "
        "1 thème sans rien d'établi."
    )
    assert spaced(trends._answer(choice(zone="Z1"))) == (
        "En 52 semaines, **Noailles** : aucune hausse établie, **Rixes (en apparence)** en "
        "baisse ; 1 thème sans changement, 1 thème sans rien d'établi."
    )
    elsewhere = trends._answer(choice(zone="A1"))
    assert "**1er** : l'évolution n'est jugée que pour la ville et ses quartiers." in elsewhere
    assert "en hausse" not in elsewhere


def test_what_only_seems_so_is_said_to_in_the_table_and_in_the_file(trends: Any) -> None:
    table = trends._zones(choice(), "ville", "toute la ville")
    assert "<h2>Toute la ville : 1 évolution établie de zones</h2>" in spaced(table)
    assert "<td>en baisse en apparence</td>" in table
    kept = {str(one[0]): one for one in trends._kept(choice())}
    assert kept["Rixes"][1] == "en baisse en apparence"
    assert kept["Rixes"][-1] == FADES
    assert kept["Bruit"][1] == "en hausse"
    assert kept["Bruit"][-1] is None
    # « nothing established, seemingly » would say two things at once.
    assert kept["Vols"][1] == "rien d'établi (compte peut-être incomplet)"


def test_the_table_and_the_file_of_a_zone_are_its_own(trends: Any) -> None:
    there = choice(zone="Z1")
    table = trends._zones(there, "Z1", "Noailles")
    assert "<h2>Noailles : 1 évolution établie</h2>" in spaced(table)
    assert [str(one[0]) for one in trends._kept(there)] == ["Bruit", "Rixes", "Vols"]
    assert trends._kept(there)[0][1] == "stable"
    none = trends._zones(choice("vols", "Z1"), "Z1", "Noailles")
    assert "<h2>Noailles : aucune évolution établie</h2>" in none


def test_chance_among_many_zones_is_told(trends: Any) -> None:
    told = spaced(trends._chance(choice()))
    assert told.startswith("Zones : 3 évolutions comparées, et sur tant le hasard seul")
    rate = 100 * trends.knobs.false_discovery_rate
    assert f"{rate:.0f} sur 100 au plus soient fausses" in told


# --- Où et quand -----------------------------------------------------------------------------


def week(total: int, *, thin: bool) -> Any:
    ones = np.ones(168)
    return SimpleNamespace(weights=ones * 5.5, lived=ones, thin=np.full(168, thin), total=total)


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Any:
    page = cast(Any, object.__new__(WhereWhen))
    page.city, page.place = CITY, PLACE
    page.knobs, page.cell_knobs = params.knobs("rhythms", ROOT), params.knobs("hotspots", ROOT)
    page.silent = spaced
    page.con = duckdb.connect()
    page.con.execute(
        "CREATE TABLE pile_ups (source VARCHAR, category VARCHAR, kind VARCHAR, n BIGINT, "
        "rows BIGINT, told BOOLEAN)"
    )
    monkeypatch.setattr("helpers.core.stage.figure.drawn", lambda _, rows, *size: {"rows": rows[0]})
    return page


def test_an_abstention_shows_and_keeps_no_number(hours: Any) -> None:
    hours.week = lambda *_: week(5, thin=True)
    line, drawn, kept = hours._rhythm(choice(zone="Z1"), "bruit")
    told = "abstention, trop peu de faits, même sur 12 mois"
    assert spaced(line) == f"Bruit : {told}"
    assert drawn == told
    assert [[spaced(str(one[0])), spaced(str(one[1])), *one[2:]] for one in kept] == [
        ["Bruit", told, None, None, None, None, None]
    ]
    assert len(where_when.HOURS) == len(kept[0])


def test_a_year_is_told_where_the_period_is_too_short_and_kept_as_one(hours: Any) -> None:
    hours.week = lambda _, days, __: week(9000, thin=days == 28)
    line, drawn, kept = hours._rhythm(choice(), "bruit")
    assert spaced(line).startswith("Bruit : sur 12 mois, car la période choisie n'établit aucun")
    assert [one[HOUR] for one in kept] == [row["faits"] for row in drawn["rows"]]
    assert {str(one[1]) for one in kept} == {line.removeprefix("Bruit : ")}


HOUR = where_when.HOURS.index("faits")


def test_a_city_of_six_months_is_not_said_to_have_twelve(hours: Any) -> None:
    short = SimpleNamespace(start=dt.date(2025, 7, 1), end=dt.date(2025, 12, 31))
    hours.city = SimpleNamespace(themes=CITY.themes, about=SimpleNamespace(period=short))
    hours.week = lambda _, days, __: week(9000, thin=days == 28)
    line, _, _ = hours._rhythm(choice(), "bruit")
    assert "sur 6 mois" in spaced(line)


def test_each_cell_kept_says_its_zone(hours: Any) -> None:
    cells = (("c1", 9, True), ("c2", 1, False), ("c3", 4, True))
    hours.cells = {"bruit": [{"cell": c, "n": n, "hot": hot} for c, n, hot in cells]}
    hours.inside = lambda *_: ["Z2", ""]
    kept = hours._kept("bruit", "quartiers")
    assert kept == [
        ["Bruit", "Z2", "Belsunce", "c1", 9],
        ["Bruit", "", "lieu non précisé", "c3", 4],
    ]
    assert len(where_when.CELLS) == len(kept[0])
    assert f"{100 * hours.cell_knobs.false_discovery_rate:.0f} sur 100 au plus" in hours._chance(
        "bruit"
    )


# --- Aujourd'hui -----------------------------------------------------------------------------


def alert(zone: str, division: str = "quartiers", theme: str = "bruit", days: int = 7) -> Any:
    return {"theme": theme, "zone": zone, "division": division, "period_days": days,
            "tier": "alert", "n": 58, "expected": 9.0, "low": 3.0, "high": 16.0}  # fmt: skip


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> Any:
    page = cast(Any, object.__new__(Today))
    page.city, page.place = CITY, PLACE
    shapes = {
        "quartiers": {"Z1": shapely.box(0, 0, 1, 1), "Z2": shapely.box(1, 0, 2, 1)},
        "arrondissements": {"A1": shapely.box(0, 0, 1, 2)},
    }
    page.shapes = shapes.__getitem__
    page._around, page.today = lambda *_: "", None
    page.judged = SimpleNamespace(tested=True)
    monkeypatch.setattr("helpers.apps.today_words.on_there", lambda *_: {})
    told: dict[str, Any] = {}
    page.told = told

    def cards(found: Any, elsewhere: int, everywhere: str, *_: Any, tested: bool) -> str:
        told.update(elsewhere=elsewhere, everywhere=everywhere)
        return ""

    monkeypatch.setattr("helpers.apps.today_words.cards", cards)
    return page


def test_a_zone_and_what_holds_it_are_one_alert(today: Any) -> None:
    """The quarter's alert is also its district's: told twice, one of them cannot be shown."""
    today.lit = [alert("Z1"), alert("Z1", days=1), alert("A1", "arrondissements")]
    today._cards(choice(), [alert("Z1")], NAMES, {})
    assert today.told["elsewhere"] == 0
    today._cards(choice("rixes"), [], NAMES, {})
    assert today.told["elsewhere"] == 1
    assert today.told["everywhere"] == "situation.ipynb?periode=28&territoire=quartiers"


def test_alerts_apart_are_counted_apart_and_lead_where_they_are_shown(today: Any) -> None:
    today.lit = [
        alert("Z1"),
        alert("Z2"),
        alert("Z2", theme="vols"),
        alert("A1", "arrondissements"),
    ]
    today._cards(choice(zone="Z1"), [alert("Z1")], NAMES, {})
    assert today.told["elsewhere"] == 2
    assert today.told["everywhere"] == "situation.ipynb?periode=28&territoire=quartiers"
    today.lit = [alert("A1", "arrondissements", "vols")]
    today._cards(choice(), [alert("Z1")], NAMES, {})
    assert today.told["everywhere"] == "situation.ipynb?periode=28&territoire=arrondissements"
    today.lit = [alert("Z2")]
    today._cards(choice(), [], NAMES, {})  # all is chosen already: a link would lead here
    assert (today.told["elsewhere"], today.told["everywhere"]) == (1, "")


def read_beside(label: str) -> Any:
    found = cast(Any, object.__new__(beside.Beside))
    found.city, found.span = CITY, "52 semaines"
    found.whole = {"rixes": level("rixes", "ville", label)}
    found.years = {("rixes", "Z1", "quartiers"): level("rixes", "Z1", "up", 1.4)}
    found.doubted = {"bruit": "code changé", "rixes": FADES, "vols": "code changé"}
    found.faded = {"rixes": FADES}
    return found


def test_a_source_that_fades_is_told_with_its_theme_and_with_all(today: Any) -> None:
    found = read_beside("stable")
    row = alert("ville") | {"theme": "rixes", "tier": "usual"}
    assert found.of_theme(row, "quartiers") == f" À savoir : {plain(FADES)}."
    del found.doubted["bruit"]
    assert found.of_theme(row | {"theme": "bruit"}, "quartiers") == ""
    found.doubted["bruit"] = "code changé"
    assert spaced(found.of_all()) == "Comptes peut-être incomplets : Rixes, Bruit et 1 autre."
    found.doubted = {}
    assert found.of_all() == ""


def test_as_usual_beside_a_year_that_falls_says_what_each_compares() -> None:
    found = read_beside("down")
    row = alert("ville") | {"theme": "rixes", "tier": "usual"}
    told = spaced(found.of_theme(row, "quartiers"))
    assert told.startswith(
        " Sur 52 semaines, en baisse en apparence, −30,0 % : cette évolution compare un an au "
        "précédent, l'habitude tient compte de toutes les années passées."
    )
    own = spaced(found.of_theme(row | {"zone": "Z1"}, "quartiers"))
    assert "en hausse en apparence, +40,0 %" in own
    # Less than usual, and falling: nothing to explain.
    assert "cette évolution" not in found.of_theme(row | {"tier": "below"}, "quartiers")
