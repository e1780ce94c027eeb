"""Lists that a pack writes itself: none lets persons in, and those of real cities are taken."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from helpers.collect import own_lists
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from tests.fixtures import staff
from tests.fixtures.made_up import CITY, FACTS, write_pack
from tests.fixtures.real import ROOT

PERSONS = ["Echati Maoulida", "Nassuf Daroueche", "Sévan Papazian", "Trần Thị Thu Hương",
           "Gülşen Çelikbaş", "Andriamihaja Rakotonirina", "Ange-Toussaint Ottavj"]  # fmt: skip
PACKS = sorted(path.parent for path in (ROOT / "data/cities").glob("*/city.yaml"))


def with_values(folder: Path, values: list[str]) -> City:
    facts = copy.deepcopy(FACTS)
    facts["fields"]["qui"]["values"] = ["habitant", "patrouille", *values]
    return write_pack(folder, facts=facts)


def refusal(city: City) -> str:
    with pytest.raises(PhareError) as caught:
        own_lists.check(city)
    return str(caught.value)


def test_a_list_made_of_persons_is_refused_without_quoting_one(tmp_path: Path) -> None:
    said = refusal(with_values(tmp_path, PERSONS))
    assert "(7 sur 9)" in said
    assert "champ « qui », valeur n° 3" in said
    assert not [person for person in PERSONS if person in said]


@pytest.mark.parametrize("value", [
    "0751842936", "echati@exemple.org", "GK-731-PR", "1 84 07 13 055 214 37",
    "FR76 1027 8060 3100 0204 1700 145", "82.64.117.204", "né le 17/09/1994",
])  # fmt: skip
def test_a_number_of_a_person_is_refused_wherever_it_stands(tmp_path: Path, value: str) -> None:
    said = refusal(with_values(tmp_path, [*(f"motif {n}" for n in "abcdef"), value]))
    assert "valeur n° 9" in said
    assert value not in said


def test_zones_named_after_persons_are_refused(tmp_path: Path) -> None:
    about: dict[str, Any] = copy.deepcopy(CITY)
    about["divisions"]["moities"]["zones"] = dict(zip(("ouest", "est"), PERSONS, strict=False))
    said = refusal(write_pack(tmp_path, city=about))
    assert "découpage « moities »" in said
    assert "appeler chaque zone par son code" in said
    assert "refused" not in said


DISTRICTS = ["Ciutat Vella", "Eixample", "Sants-Montjuïc", "Les Corts", "Sarrià-Sant Gervasi",
             "Gràcia", "Horta-Guinardó", "Nou Barris", "Sant Andreu", "Sant Martí"]  # fmt: skip


def test_official_names_of_districts_are_taken_once_it_is_said_who_publishes_them(
    tmp_path: Path,
) -> None:
    about: dict[str, Any] = copy.deepcopy(CITY)
    halves = about["divisions"]["moities"]
    halves["zones"] = dict(zip(("ouest", "est"), DISTRICTS[-2:], strict=False))
    said = refusal(write_pack(tmp_path / "unsaid", city=about))
    assert "`names_published_by" in said
    halves["names_published_by"] = "Ajuntament de Barcelona"
    own_lists.check(write_pack(tmp_path / "said", city=about))
    halves["zones"]["ouest"] = "0751842936"
    assert "noms des zones" in refusal(write_pack(tmp_path / "number", city=about))


@pytest.mark.parametrize("told", [
    ["12 rue Paradis, 3e étage", "14 bis boulevard Baille, bâtiment C"],
    ["Brigadier 44512", "agent 118204"],
    ["La gérante du bar des Flots", "sa voisine du dessus"],
    ["Η Μαρία Παπαδοπούλου", "თამარ ბერიძე"],
])  # fmt: skip
def test_who_publishes_names_vouches_for_names_alone(told: list[str], tmp_path: Path) -> None:
    """Among districts whose names are taken, and alone."""
    about: dict[str, Any] = copy.deepcopy(CITY)
    halves = about["divisions"]["moities"] | {"names_published_by": "Ajuntament de Barcelona"}
    about["divisions"]["moities"] = halves
    for case, names in (("alone", told), ("among", [*DISTRICTS[-2:], *told])):
        halves["zones"] = {f"z{i}": name for i, name in enumerate(names)}
        said = refusal(write_pack(tmp_path / case, city=about))
        assert "(2 sur 2)" in said
        assert "names_published_by" not in said  # which is said, and does not help
        assert f"valeur n° {len(names) - 1}" in said
        assert not [name for name in names if name in said]


def test_nobody_publishes_names_by_a_blank(tmp_path: Path) -> None:
    about: dict[str, Any] = copy.deepcopy(CITY)
    about["divisions"]["moities"]["names_published_by"] = " "
    with pytest.raises(PhareError, match=r"divisions\.moities\.names_published_by"):
        write_pack(tmp_path, city=about)


def test_a_list_without_shapes_has_no_publisher_of_places(tmp_path: Path) -> None:
    about: dict[str, Any] = copy.deepcopy(CITY)
    gens = dict(enumerate(PERSONS))
    about["divisions"]["gens"] = {
        "title": "Gens",
        "zones": {str(code): name for code, name in gens.items()},
        "names_published_by": "Ville de Fortaille",
    }
    with pytest.raises(PhareError, match="qui ont un contour"):
        write_pack(tmp_path, city=about)


def test_what_a_refusal_says_to_do_can_be_done(tmp_path: Path) -> None:
    """Of a list without shapes, the districts of a real city: the way that is told is the one."""
    about: dict[str, Any] = copy.deepcopy(CITY)
    zones = {str(code): name for code, name in enumerate(DISTRICTS, start=1)}
    about["divisions"]["districtes"] = {"title": "Districtes", "zones": zones}
    said = refusal(write_pack(tmp_path / "names", city=about))
    assert "names_published_by" not in said  # city.yaml would refuse it there
    assert "appeler chaque zone par son code" in said
    about["divisions"]["districtes"]["zones"] = {code: f"District {code}" for code in zones}
    own_lists.check(write_pack(tmp_path / "codes", city=about))


def test_a_place_that_bears_a_name_does_not_close_a_list(tmp_path: Path) -> None:
    own_lists.check(with_values(tmp_path, ["Félix Pyat", "autre"]))


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_the_lists_of_every_city_here_are_taken(pack: Path) -> None:
    own_lists.check(City(pack))


def test_a_list_of_communes_made_of_persons_is_refused(tmp_path: Path) -> None:
    city = staff.city_of(tmp_path, {"effectifs.csv": []})
    own_lists.check(city)
    path = city.pack / "lists/communes.csv"
    names = "11111,Jean Echati\n22222,Karim Benzerti\n33333,Lucie Perrichon\n13055,Marseille\n"
    path.write_text(f"code,nom\n{names}", encoding="utf-8")
    with pytest.raises(PhareError, match=r"semble faite de personnes \(3 sur 4\)") as caught:
        own_lists.check(City(city.pack))
    assert "lists/communes.csv" in caught.value.where
    assert "Echati" not in str(caught.value)
