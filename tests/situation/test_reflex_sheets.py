"""Reflex sheets: whole, by degrees, without a person; opened by what happens, or in a drill."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from helpers.collect import persons
from helpers.core.base.errors import PhareError
from helpers.core.city import sheets
from helpers.core.city.city import City
from helpers.situation import reflex_sheets, words
from helpers.situation.reflex_sheets import Reason
from tests.fixtures.real import ROOT

PARTS = ("Quand l'ouvrir", "## Qui prévenir", "## Premiers gestes", "## Répondre par degrés",
         "**Prévention**", "**Dissuasion**", "**Répression**", "## À ne pas faire",
         "## Dire aux habitants", "## Après")  # fmt: skip
CITIES = sorted(path.parent.name for path in (ROOT / "data/cities").glob("*/city.yaml"))


def alert(theme: str, zone: str = "1320101") -> dict[str, Any]:
    return {"theme": theme, "zone": zone}


@pytest.mark.parametrize("name", sheets.names(ROOT))
def test_a_sheet_has_all_its_parts_in_order_and_names_nobody(name: str) -> None:
    text = reflex_sheets.read(ROOT, name).text
    places = [text.find(part) for part in PARTS]
    assert -1 not in places
    assert places == sorted(places)
    lines = [line for line in text.splitlines() if line]
    told = persons.screen(pa.array(lines, pa.string())).to_pylist()
    # Prose is screened strictly: « une alerte » reads as « 1, al. », a house in an alley.
    assert set(told) <= {None, "texte_libre", "numero_de_voie"}, list(zip(lines, told, strict=True))


@pytest.mark.parametrize("city", CITIES)
def test_every_sheet_that_a_pack_names_exists(city: str) -> None:
    pack = City(ROOT / "data/cities" / city)
    warned = pack.about.agenda.warnings
    named = {theme.sheet for theme in pack.themes.values()} | {warned.sheet if warned else None}
    assert named - {None} <= set(sheets.names(ROOT))


def test_alerts_and_warnings_open_their_sheets_once_with_every_reason() -> None:
    city = City(ROOT / "data/cities/marseille")
    rows = [alert("rixes"), alert("interventions_urgentes", "ville"), alert("bruit")]
    rows.append(alert("rixes"))  # of another period: told once
    found = reflex_sheets.opened(ROOT, city, rows, [{"level": "rouge"}])
    assert {one.sheet.name: one.reasons for one in found} == {
        "intemperies": (Reason(warning="rouge"),),
        "violences_espace_public": (
            Reason("rixes", "1320101"),
            Reason("interventions_urgentes", "ville"),
        ),
    }
    said = words.sheets(found, city, {"1320101": "Belsunce"})
    assert "Ouverte pour : vigilance rouge." in said
    assert (
        "Ouverte pour : Rixes, Belsunce ; Interventions pour atteintes et dangers, "
        "toute la ville." in said
    )
    assert "EXERCICE" not in said


def test_a_drill_shows_its_sheet_alone_and_says_so() -> None:
    city = City(ROOT / "data/cities/marseille")
    found = reflex_sheets.opened(ROOT, city, [alert("rixes")], [], "mouvement_de_foule")
    assert [one.sheet.name for one in found] == ["mouvement_de_foule"]
    assert found[0].drill
    said = words.sheets(found, city, {})
    assert "EXERCICE, rien ne s'est passé" in said
    assert "Ouverte pour" not in said


def test_without_alert_no_sheet_is_open() -> None:
    city = City(ROOT / "data/cities/marseille")
    found = reflex_sheets.opened(ROOT, city, [alert("bruit")], [])
    assert found == []
    assert "Aucune fiche" in words.sheets(found, city, {})


def test_an_unknown_sheet_is_refused_with_the_choice() -> None:
    with pytest.raises(PhareError, match="mouvement_de_foule"):
        reflex_sheets.read(ROOT, "inconnue")
