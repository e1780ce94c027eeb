"""A pack is refused before anything runs, with the file and the key of each fault."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from tests.fixtures.given import case, city_of, write_zones
from tests.fixtures.real import ROOT, build
from tests.ingest.test_zones import FOUR


def refused(folder: Path, **changes: dict[str, Any]) -> PhareError:
    """Return why the pack, with changes, is refused when all that it says is read."""
    with pytest.raises(PhareError) as caught:
        read(city_of(folder, **changes))
    return caught.value


def read(city: City) -> None:
    assert city.contracts
    assert city.themes
    assert city.questions is not None


def test_template_is_sound(tmp_path: Path) -> None:
    read(city_of(tmp_path))


# --- city.yaml -------------------------------------------------------------------------------

GIVEN = {
    "city-crs-degrees": "crs", "city-crs-feet": "crs", "city-crs-unknown": "crs",
    "city-holidays-unknown": "holidays", "city-period-reversed": "period",
    "city-slots-empty": "slots", "city-timezone-unknown": "timezone",
}  # fmt: skip


@pytest.mark.parametrize(("file", "key"), GIVEN.items())
def test_given_city_file_is_refused_by_its_key(file: str, key: str, tmp_path: Path) -> None:
    """These files also hold a key of before (divisions.secteurs.name): both faults are told."""
    written = case(f"06-city-yaml-not-checked/{file}.yaml")
    pack = city_of(tmp_path).pack
    shutil.copy(written, pack / "city.yaml")
    with pytest.raises(PhareError) as caught:
        City(pack)
    assert f": {key}" in caught.value.what
    content = yaml.safe_load(written.read_text("utf-8"))
    content["divisions"]["secteurs"].pop("name")
    (pack / "city.yaml").write_text(yaml.safe_dump(content), "utf-8")
    with pytest.raises(PhareError) as caught:
        City(pack)
    assert f": {key}" in caught.value.what
    assert "city.yaml" in caught.value.where
    assert ";" not in caught.value.what, "one fault, one message"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"crs": "EPSG:4978"}, "crs"),  # geocentric metres
        ({"crs": "EPSG:2263"}, "crs"),  # US feet
        ({"crs": "+proj=lcc +lat_1=49 +lat_2=44 +lat_0=46.5 +lon_0=3 +units=m"}, "EPSG"),
        ({"crs": ""}, "crs"),
        ({"timezone": "Europe"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": "CEST"}, "timezone"),
        ({"period": {"start": "2024-02-30", "end": "2024-03-01"}}, "period.start"),
        ({"period": {"start": "0024-01-01", "end": "2024-03-01"}}, "period"),
        ({"period": {"start": 2024, "end": 2025}}, "period.start"),
        ({"holidays": {"country": "FR", "school_zone": "D"}}, "zone scolaire"),
        ({"holidays": {"country": "DE", "school_zone": "A"}}, "zone scolaire"),
        ({"holidays": {"country": "US", "subdivision": "ZZ"}}, "subdivision"),
        ({"holidays": {"country": False}}, "holidays.country"),
        ({"slots": {one: {"title": one, "start_h": 6} for one in "ab"}}, "slots"),
        ({"slots": {"a": {"title": "a", "start_h": True}}}, "start_h"),
        ({"slots": {"a": {"title": "a", "start_h": "6"}}}, "start_h"),
        ({"divisions.vide": {"title": "Vide"}}, "divisions.vide"),
        ({"divisions.ville": {"title": "x", "zones": {"a": "A"}}}, "réservé"),
        ({"divisions.g": {"title": "g", "grouping_of": "secteurs"}}, "group_by"),
        ({"divisions.g": {"title": "g", "grouping_of": "secteurs", "group_by": "z"}}, "« z »"),
        ({"divisions.secteurs.source": "faits"}, "kind"),
        ({"divisions.secteurs.code": "numero"}, "« numero »"),
        ({"simulated": "yes"}, "simulated"),
        ({"agenda": {"warnings": {"source": "faits", "moment": "debut", "level": "couleur",
                                  "levels": ["rouge"]}}}, "« couleur »"),
        ({"agenda": {"warnings": {"source": "faits", "moment": "debut", "level": "nature",
                                  "levels": ["rouge"], "sheet": "pluie"}}}, "« pluie »"),
        ({"holidays.events": {"title": "m", "source": "matchs", "day": "d"}}, "« matchs »"),
        ({"title": "Ici\n\n# Là"}, "sans blanc à ses bouts : title"),
        ({"divisions.secteurs.title": "S" * 121}, "au plus) : divisions.secteurs.title"),
        ({"slots": {"a": {"title": "", "start_h": 6}}}, "slots.a.title"),
        ({"milestones": [{"title": "m", "start": "2024-01-01", "told_by": ""}]}, "0.told_by"),
    ],
)  # fmt: skip
def test_city_file_that_would_fail_later_is_refused(
    changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    error = refused(tmp_path, city=changes)
    assert told in error.what
    assert "ici/city.yaml" in error.where


def test_all_the_faults_of_a_city_file_are_told(tmp_path: Path) -> None:
    error = refused(tmp_path, city={"crs": "EPSG:4326", "timezone": "Europe/Marseille",
                                    "slots": {}, "holidays.country": "XX"})  # fmt: skip
    for key in ("crs", "timezone", "slots", "holidays"):
        assert f": {key}" in error.what


def test_all_the_names_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    error = refused(tmp_path, city={"main_division": "iris", "divisions.secteurs.source": "iris2"})
    shown = str(error)
    assert "« iris »" in shown
    assert "« iris2 »" in shown
    assert shown.count("à faire :") == 2


def test_metres_that_are_none_where_the_city_is_are_refused(tmp_path: Path) -> None:
    """The metres of web maps are 1.37 times too long at the latitude of Marseille."""
    city = city_of(tmp_path, city={"crs": "EPSG:3857"})
    write_zones(city, FOUR)
    with pytest.raises(PhareError, match="EPSG:3857") as caught:
        build(city, ROOT, tmp_path / "out")
    assert "1,89" in caught.value.what


def test_keys_keep_their_zeros_and_words_stay_words(tmp_path: Path) -> None:
    pack = city_of(tmp_path).pack
    text = (pack / "city.yaml").read_text("utf-8")
    zones = "divisions:\n  depts: {title: Départements, zones: {01: Ain, 2A: Corse}}\n"
    (pack / "city.yaml").write_text(text.replace("divisions:\n", zones), "utf-8")
    assert City(pack).about.divisions["depts"].zones == {"01": "Ain", "2A": "Corse"}
    (pack / "city.yaml").write_text(
        text.replace("divisions:\n", zones.replace("2A", "no")), "utf-8"
    )
    with pytest.raises(PhareError, match="entre guillemets"):
        City(pack)


# --- themes.yaml -----------------------------------------------------------------------------

THEMES = {
    "themes-empty-categories": "categories", "themes-reserved-name": "sans_theme",
    "themes-severity-yes": "severity", "themes-sheet-unknown": "fiche_inconnue",
    "themes-source-is-a-division": "secteurs", "themes-unknown-category": "Tapage",
}  # fmt: skip


@pytest.mark.parametrize(("file", "told"), THEMES.items())
def test_given_themes_are_refused(file: str, told: str, tmp_path: Path) -> None:
    city = city_of(tmp_path)
    shutil.copy(case(f"07-themes-not-checked/{file}.yaml"), city.pack / "themes.yaml")
    with pytest.raises(PhareError) as caught:
        read(City(city.pack))
    assert told in caught.value.what
    assert "themes.yaml" in caught.value.where


BRUIT = {"title": "Bruit", "axis": "delinquance", "source": "faits", "categories": ["tapage"],
         "severity": 2}  # fmt: skip


@pytest.mark.parametrize("name", ["ville", "all", "first", "delinquance", "Bruit", "a b", "é"])
def test_theme_by_a_name_that_means_something_else_is_refused(name: str, tmp_path: Path) -> None:
    error = refused(tmp_path, themes={"themes": {name: BRUIT}})
    assert (name if " " not in name else "themes.(clé non citée)") in error.what
    assert "themes.yaml" in error.where


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"severity": "2"}, "severity"),
        ({"severity": 2.0}, "severity"),
        ({"wave": True}, "wave"),
        ({"categories": ["tapage", False]}, "categories.1"),
        ({"categories": ["depot", "rixe"]}, "« rixe »"),
        ({"categories": "tapage"}, "categories"),
        ({"source": "meteo"}, "« meteo »"),
        ({"division": "iris"}, "« iris »"),
        ({"needs": {"signalement": "B"}}, "« signalement »"),
        ({"reporting": {"low": True, "high": 1, "source": "x"}}, "low"),
    ],
)
def test_theme_that_would_count_nothing_is_refused(
    changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    error = refused(tmp_path, themes={"themes": {"bruit": BRUIT | changes}})
    assert told in error.what
    assert "themes.yaml" in error.where


ASKED = {"title": "Quand le bruit ?", "theme": "bruit", "actors": [{"who": "Voirie", "lever": "x"}]}
LONG, BLANK = "300 caractères au plus", "un texte non vide"
LINES = "un texte d'une ligne, sans blanc à ses bouts"


@pytest.mark.parametrize(
    ("theme", "question", "told"),
    [
        ({"title": ""}, {}, f"{BLANK}) : themes.bruit.title"),
        ({"title": "B" * 121}, {}, "120 caractères au plus) : themes.bruit.title"),
        ({"title": "Bruit\n\n# Annonce"}, {}, f"{LINES} : themes.bruit.title"),
        ({"title": "Bruit\x1b[31m"}, {}, "themes.bruit.title"),
        ({"reporting": {"low": 0.1, "high": 1, "source": " "}}, {}, "bruit.reporting.source"),
        ({}, {"title": "?" * 121}, "questions.quand.title"),
        ({}, {"title": "Quand\nle bruit ?"}, "questions.quand.title"),
        ({}, {"called": "a" * 301}, f"{LONG}) : questions.quand.called"),
        ({}, {"caveat": "a\n\n<b>b</b>"}, f"{LINES} : questions.quand.caveat"),
        ({}, {"actors": [{"who": "", "lever": "x"}]}, "questions.quand.actors.0.who"),
        ({}, {"actors": [{"who": "Voirie", "lever": "x" * 121}]}, "quand.actors.0.lever"),
    ],
)  # fmt: skip
def test_a_text_that_no_line_of_a_page_holds_is_refused(
    theme: dict[str, Any], question: dict[str, Any], told: str, tmp_path: Path
) -> None:
    changes = {"themes": {"bruit": BRUIT | theme}, "questions": {"quand": ASKED | question}}
    error = refused(tmp_path, themes=changes)
    assert told in error.what
    assert "ici/themes.yaml" in error.where


def test_a_text_in_a_folded_block_is_one_line(tmp_path: Path) -> None:
    """YAML ends the block with an end of line, and French has spaces that do not break."""
    pack = city_of(
        tmp_path, themes={"themes": {"bruit": BRUIT}, "questions": {"quand": ASKED}}
    ).pack
    path = pack / "themes.yaml"
    folded = "caveat: >\n      Peu de faits\u202f;\n      à lire ainsi.\n    theme: bruit"
    path.write_text(path.read_text("utf-8").replace("theme: bruit", folded), encoding="utf-8")
    assert City(pack).questions["quand"].caveat == "Peu de faits\u202f; à lire ainsi."


def test_all_the_faults_of_themes_are_told(tmp_path: Path) -> None:
    wrong = {"bruit": BRUIT | {"sheet": "a"}, "depots": BRUIT | {"categories": ["b"]},
             "tags": BRUIT | {"source": "c", "categories": ["d"]}}  # fmt: skip
    shown = str(refused(tmp_path, themes={"themes": wrong}))
    assert all(f"« {one} »" in shown for one in "abc")


# --- contracts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"timezone": "Europe/Marseille"}, "timezone"),
        ({"file.encoding": "utf-9"}, "file.encoding"),
        ({"file.separator": ""}, "file.separator"),
        ({"file.separator": ";;"}, "file.separator"),
        ({"file.crs": "EPSG:0"}, "file.crs"),
        ({"file.format": "xls"}, "file.format"),
        ({"observation.coordinates_crs": "Lambert"}, "observation.coordinates_crs"),
        ({"observation.longitude": "nature"}, "observation.longitude"),
        ({"observation.count": "nature"}, "observation.count"),
        ({"observation.recorded_at": "origine"}, "observation.recorded_at"),
        ({"observation.latitude": None}, "longitude"),
        ({"fields.longitude.minimum": "5"}, "longitude.minimum"),
        ({"fields.longitude.minimum": 7}, "minimum"),
        ({"fields.longitude.maximum": float("inf")}, "longitude.maximum"),
        ({"fields.longitude.maximum": float("nan")}, "longitude.maximum"),
        ({"fields.nature.values": ["tapage", True]}, "nature"),
        ({"source": "autre"}, "« source: autre »"),
        ({"observation.origin.citizen": ["habitants"]}, "origin.citizen nomme « habitants »"),
        ({"observation.origin.agent": ["habitant", "agent"]}, "à la fois `citizen` et `agent`"),
        ({"fields.nature.null_values": ["autre", "tapage"]}, "fields.nature : « autre »"),
        ({"revised_at": "nature"}, "revised_at nomme « nature »"),
        ({"since": 2030, "until": 2031}, "2030 à 2031"),
    ],
)
def test_contract_that_would_fail_later_is_refused(
    changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    error = refused(tmp_path, faits=changes)
    assert told in error.what
    assert "faits" in error.where


def test_faults_of_several_contracts_are_all_told(tmp_path: Path) -> None:
    shown = str(refused(tmp_path, faits={"timezone": "x"}, secteurs={"file.encoding": "y"}))
    assert "« x »" in shown
    assert "« y »" in shown
    assert "contracts/faits.yaml" in shown
    assert "contracts/secteurs.yaml" in shown


def test_a_day_of_the_period_is_a_day(tmp_path: Path) -> None:
    about = city_of(tmp_path, city={"period": {"start": "2024-01-01", "end": "2024-01-01"}}).about
    assert about.period.start == about.period.end == dt.date(2024, 1, 1)
