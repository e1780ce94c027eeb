"""New cities, sources and themes: what the templates make is valid, and failing leaves nothing."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.workshop import new
from tests.fixtures.real import build
from tests.workshop.conftest import pack


def test_new_city_comes_in_and_counts_what_its_delivery_holds(place: Path) -> None:
    city = City(pack(place))
    assert (city.about.name, city.about.title, city.about.simulated) == (
        "port_neuf", "Port neuf", True,
    )  # fmt: skip
    built = build(city, place, place / "out")
    with (pack(place) / "livraison/faits.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert built.fates["faits"] == {"accepted": len(rows)}
    found = dict(built.rows("SELECT theme, CAST(sum(n) AS BIGINT) FROM cube GROUP BY 1"))
    assert found == {
        "bruit": sum(row["nature"] == "tapage" for row in rows),
        "depots": sum(row["nature"] == "depot" for row in rows),
    }
    assert built.receipts["faits"]["columns_refused"].keys() == {"commentaire"}


def test_new_source_and_its_theme_come_in_too(place: Path) -> None:
    new.new_source(place, "bornes", "port_neuf", None)
    new.new_theme(place, "appels", "port_neuf", "bornes")
    city = City(pack(place))
    assert list(city.about.sources) == ["secteurs", "faits", "bornes"]
    assert city.themes["appels"].categories == ("bornes_a", "bornes_b")
    built = build(city, place, place / "out")
    assert built.fates["bornes"] == {"accepted": 60}
    assert built.rows("SELECT count(*) FROM cube WHERE theme = 'appels'")[0][0] > 0


def test_comments_of_the_pack_stay_where_they_are(place: Path) -> None:
    about = pack(place) / "city.yaml"
    before = about.read_text(encoding="utf-8").splitlines()
    new.new_source(place, "bornes", "port_neuf", None)
    after = about.read_text(encoding="utf-8").splitlines()
    assert [line for line in after if "bornes.csv" not in line] == before
    assert after.index("  bornes: {file: bornes.csv}") == 1 + next(
        i for i, line in enumerate(after) if line.startswith("  faits:")
    )


def test_new_theme_takes_the_codes_that_no_theme_counts(place: Path) -> None:
    new.new_theme(place, "divers", "port_neuf", None)
    assert City(pack(place)).themes["divers"].categories == ("autre",)
    with pytest.raises(PhareError, match="déjà dans un thème"):
        new.new_theme(place, "encore", "port_neuf", None)


def test_new_theme_may_count_two_sources(place: Path) -> None:
    new.new_source(place, "bornes", "port_neuf", None)
    with pytest.raises(PhareError, match="l'unité de compte n'est pas dite"):
        new.new_theme(place, "divers", "port_neuf", "faits bornes")
    for name in ("faits", "bornes"):
        contract = pack(place) / f"contracts/{name}.yaml"
        text = contract.read_text(encoding="utf-8")
        contract.write_text(text.replace("fields:", "unit: appel\nfields:", 1), encoding="utf-8")
    new.new_theme(place, "divers", "port_neuf", "faits bornes")
    theme = City(pack(place)).themes["divers"]
    assert theme.parts == {"faits": ("autre",), "bornes": ("bornes_a", "bornes_b")}
    assert theme.needs == {"faits": "C", "bornes": "C"}


@pytest.mark.parametrize("name", ["Été", "a-b", "1er", "", "cities", "scratch", "a b", "../x"])
def test_names_that_would_break_a_path_are_refused(name: str, place: Path) -> None:
    for make in (
        lambda: new.new_city(place, name),
        lambda: new.new_source(place, name, "port_neuf", None),
        lambda: new.new_theme(place, name, "port_neuf", None),
    ):
        with pytest.raises(PhareError, match="nom refusé"):
            make()


@pytest.mark.parametrize("name", ["tel_0612345678", "ab123cd", "n185051305512345", "jean_dupont"])
def test_names_that_are_a_persons_are_refused(name: str, place: Path) -> None:
    """A file, a title and a column would bear them; a city alone may bear a name, as places do."""
    makers: list[Callable[[], object]] = [
        lambda: new.new_source(place, name, "port_neuf", None),
        lambda: new.new_theme(place, name, "port_neuf", None),
    ]
    if name != "jean_dupont":
        makers.append(lambda: new.new_city(place, name))
    for make in makers:
        with pytest.raises(PhareError, match="désigner une personne") as caught:
            make()
        assert name not in str(caught.value)
    assert not [path for path in place.rglob("*") if name in path.name]


def test_nothing_is_overwritten(place: Path) -> None:
    with pytest.raises(PhareError, match="existe déjà"):
        new.new_city(place, "port_neuf")
    with pytest.raises(PhareError, match="existe déjà"):
        new.new_source(place, "faits", "port_neuf", None)
    with pytest.raises(PhareError, match="existe déjà"):
        new.new_theme(place, "bruit", "port_neuf", None)
    with pytest.raises(PhareError, match="inconnue"):
        new.new_source(place, "x", "nulle_part", None)


def test_failure_puts_the_pack_back(place: Path) -> None:
    about = pack(place) / "city.yaml"
    text = about.read_text(encoding="utf-8").replace("sources:\n", "sources: {\n").replace(
        "how_to_get", "}\nhow_to_get"
    )  # fmt: skip
    text = text.replace("secteurs.geojson}", "secteurs.geojson},")
    about.write_text(text, encoding="utf-8")
    files = {path: path.read_bytes() for path in pack(place).rglob("*") if path.is_file()}
    with pytest.raises(PhareError, match="bloc"):
        new.new_source(place, "bornes", "port_neuf", None)
    assert {p: p.read_bytes() for p in pack(place).rglob("*") if p.is_file()} == files


def test_theme_goes_among_themes_and_its_codes_are_quoted(place: Path) -> None:
    """Questions may follow the themes; a code may hold what YAML takes for its own."""
    odd = ["a, b", "c: d", "e #f", "non", "01"]
    contract = pack(place) / "contracts/faits.yaml"
    told = yaml.safe_load(contract.read_text(encoding="utf-8"))
    told["fields"]["nature"]["values"] += odd
    contract.write_text(yaml.safe_dump(told, allow_unicode=True, sort_keys=False), "utf-8")
    path = pack(place) / "themes.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\nquestions: {}\n", encoding="utf-8")
    new.new_theme(place, "divers", "port_neuf", None)
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(found["themes"]) == ["bruit", "depots", "divers"]
    assert found["themes"]["divers"]["categories"] == ["autre", *odd]
