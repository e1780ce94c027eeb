"""A pack that contradicts itself is refused, with the file to mend."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import Workspace, active_cities
from helpers.core.city.city import City, load_city
from tests.fixtures.made_up import CITY, FACTS, THEMES, write_pack
from tests.fixtures.real import ROOT

PACKS = sorted(path.parent for path in (ROOT / "data/cities").glob("*/city.yaml"))


def load_all(city: City) -> None:
    """Read everything that a pack says."""
    assert city.contracts
    assert city.themes


def changed(content: dict[str, Any], *where: str, value: Any) -> dict[str, Any]:
    new = copy.deepcopy(content)
    inner: Any = new
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    return new


def test_three_packs_are_shipped() -> None:
    assert {pack.name for pack in PACKS} >= {"denver", "marseille", "marseille_ouvert"}
    assert {path.name for path in active_cities(ROOT).values()} <= {pack.name for pack in PACKS}


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_shipped_pack_loads_and_its_themes_count_something(pack: Path) -> None:
    city = City(pack)
    load_all(city)
    assert city.about.name == pack.name
    files = {path.stem for path in (pack / "contracts").glob("*.yaml")}
    assert set(city.contracts) == files, "un contrat sans source, ou l'inverse"
    for name, theme in city.themes.items():
        for source, categories in theme.parts.items():
            contract = city.contracts[source]
            assert contract.observation is not None, f"{name} compte une source sans observation"
            field = contract.fields[contract.observation.category]
            unknown = set(categories) - set(field.values) if field.values else set()
            assert not unknown, f"{name} nomme des natures inconnues du contrat : {unknown}"


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_every_category_is_in_one_theme_at_most(pack: Path) -> None:
    written = City(pack).themes.values()
    pairs = [(s, c) for t in written for s, told in t.parts.items() for c in told]
    assert len(pairs) == len(set(pairs))


def test_simulated_is_said_of_the_simulated_city_only() -> None:
    said = {pack.name: City(pack).about.simulated for pack in PACKS}
    assert said["marseille"]
    assert not said["marseille_ouvert"]
    assert not said["denver"]


def test_city_of_the_workspace_is_loaded_by_name() -> None:
    assert load_city(Workspace(ROOT, "marseille")).about.title == "Marseille"
    with pytest.raises(PhareError, match="atlantide"):
        load_city(Workspace(ROOT, "atlantide"))


def test_made_up_pack_is_sound(tmp_path: Path) -> None:
    city = write_pack(tmp_path)
    load_all(city)
    assert city.observed_sources() == ["faits"]


def test_category_in_two_themes_is_refused(tmp_path: Path) -> None:
    themes = changed(THEMES, "themes", "depots", "categories", value=["depot", "tapage"])
    with pytest.raises(PhareError, match="tapage") as caught:
        load_all(write_pack(tmp_path, themes=themes))
    assert "themes.yaml" in caught.value.where
    assert "bruit" in caught.value.what
    assert "depots" in caught.value.what


def test_theme_of_an_unknown_source_is_refused(tmp_path: Path) -> None:
    themes = changed(THEMES, "themes", "bruit", "source", value="fait")
    with pytest.raises(PhareError, match="« fait »") as caught:
        load_all(write_pack(tmp_path, themes=themes))
    assert "themes.yaml" in caught.value.where
    assert "faits" in caught.value.todo


def test_unknown_main_division_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhareError, match="carre") as caught:
        write_pack(tmp_path, city=CITY | {"main_division": "carre"})
    assert "city.yaml" in caught.value.where


def test_contract_under_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhareError, match="autre"):
        load_all(write_pack(tmp_path, facts=FACTS | {"source": "autre"}))


def test_source_without_contract_is_refused(tmp_path: Path) -> None:
    city = changed(CITY, "sources", "meteo", value={"file": "meteo.csv"})
    with pytest.raises(PhareError) as caught:
        load_all(write_pack(tmp_path, city=city))
    assert "meteo.yaml" in caught.value.where


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("themes", "bruit", "severity"), 6),
        (("themes", "bruit", "severity"), 0),
        (("themes", "bruit", "axis"), "autre"),
        (("themes", "bruit", "categorie"), ["tapage"]),
    ],
)
def test_theme_out_of_its_bounds_is_refused(
    where: tuple[str, ...], value: Any, tmp_path: Path
) -> None:
    with pytest.raises(PhareError) as caught:
        load_all(write_pack(tmp_path, themes=changed(THEMES, *where, value=value)))
    assert where[-1] in caught.value.what


@pytest.mark.parametrize(
    ("key", "value"), [("name", "Ville d'essai"), ("language", "en"), ("populaton", 3)]
)
def test_city_file_out_of_its_bounds_is_refused(key: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(PhareError, match=key):
        write_pack(tmp_path, city=CITY | {key: value})


DEAD_ENDS: list[tuple[str, dict[str, Any]]] = [
    ("division d'un thème", {"themes": changed(THEMES, "themes", "bruit", "division", value="z")}),
    ("source d'une division", {"city": changed(CITY, "divisions", "carres", "source", value="z")}),
    (
        "grouping_of",
        {"city": changed(CITY, "divisions", "moities", "grouping_of", value="z")},
    ),
    (
        "declared_zone",
        {"facts": changed(FACTS, "observation", "declared_zone", "division", value="z")},
    ),
]


@pytest.mark.parametrize("pack", [p for _, p in DEAD_ENDS], ids=[name for name, _ in DEAD_ENDS])
def test_name_that_leads_nowhere_is_refused(pack: dict[str, Any], tmp_path: Path) -> None:
    """Not a failure deep in a stage: an error that names the pack's file."""
    with pytest.raises(PhareError, match="z"):
        load_all(write_pack(tmp_path, **pack))
