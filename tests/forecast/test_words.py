"""What is not forecast is told in a sentence a reason, and no more widely than it holds."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.forecast import words
from tests.fixtures.real import ROOT

HORIZONS = ("slot", "day", "week", "month")


@pytest.fixture(scope="module")
def city() -> City:
    return City(ROOT / "data/cities/marseille")


def row(theme: str, horizon: str, zone: str, reason: str = "") -> dict[str, Any]:
    division = WHOLE if zone == WHOLE else "quartiers"
    status = "abstained" if reason else "ok"
    return {"theme": theme, "horizon": horizon, "division": division, "zone": zone,
            "reason": reason, "status": status}  # fmt: skip


def test_three_themes_at_every_level_are_one_sentence(city: City) -> None:
    """Twenty-four abstentions for one reason: one line, that names each theme once."""
    themes = list(city.themes)[:3]
    rows = [row(theme, horizon, zone, "no_skill")
            for theme in themes for horizon in HORIZONS for zone in (WHOLE, "Q1")]  # fmt: skip
    told = words.left_out(rows, city).strip().splitlines()
    titles = ", ".join(city.themes[theme].title for theme in themes)
    assert told == [
        "**Abstentions** :", "",
        "- Pas mieux, de façon sûre, que de répéter le dernier compte connu : "
        f"{titles} (partout, à tous les horizons).",
    ]  # fmt: skip


def test_what_holds_in_part_is_told_in_part(city: City) -> None:
    theme, other = list(city.themes)[:2]
    rows = [row(theme, horizon, WHOLE) for horizon in HORIZONS]
    rows += [row(theme, "week", zone, why) for zone, why in (("Q1", ""), ("Q2", "silent"))]
    rows += [row(theme, "day", zone, "too_few") for zone in ("Q1", "Q2")]
    rows += [row(other, horizon, WHOLE, "too_few") for horizon in HORIZONS]
    told = words.left_out(rows, city).strip().splitlines()[2:]
    first, second = city.themes[theme].title, city.themes[other].title
    where = f"par {city.about.divisions['quartiers'].title.lower()}"
    assert told == [
        f"- La source se tait là en ce moment : {first} ({where}, en partie : 7 jours).",
        "- Trop peu de faits pour prévoir :",
        f"    - {first} ({where} : demain).",
        f"    - {second} (partout, à tous les horizons).",
    ]  # fmt: skip


def test_nothing_left_out_says_nothing(city: City) -> None:
    assert words.left_out([row(next(iter(city.themes)), "day", WHOLE)], city) == ""
