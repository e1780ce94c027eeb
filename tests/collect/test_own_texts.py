"""Texts of a pack that readers see: none lets a person in, and those of real cities are taken."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.collect import collect, own_texts
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.workshop import run_city
from tests.fixtures.packs import at, changed
from tests.fixtures.real import COLLECT, ROOT
from tests.fixtures.staff import city_of

PACKS = sorted(path.parent for path in (ROOT / "data/cities").glob("*/city.yaml"))
PHONE = "0751842936"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "data/cities/marseille", tmp_path / "marseille"))


def refusal(city: City) -> str:
    with pytest.raises(PhareError) as caught:
        own_texts.check(city)
    return str(caught.value)


TITLE = ("themes", "bruit", "title")
WHO = ("questions", "bruit_nuit", "actors", 0, "who")


@pytest.mark.parametrize(("file", "where"), [
    ("themes.yaml", TITLE),
    ("themes.yaml", ("themes", "bruit", "reporting", "source")),
    ("themes.yaml", ("questions", "bruit_nuit", "title")),
    ("themes.yaml", ("questions", "bruit_nuit", "called")),
    ("themes.yaml", ("questions", "bruit_nuit", "caveat")),
    ("themes.yaml", WHO),
    ("events.yaml", ("stops", 0, "title")),
    ("events.yaml", ("routes", 0, "title")),
    ("events.yaml", ("tell", "crowds", 1)),
    ("events.yaml", ("classes", "sportif", "measures", 0, "owner")),
    ("city.yaml", ("milestones", 0, "told_by")),
    ("actions.yaml", ("titles", "eclairage")),
    ("traffic.yaml", ("closures", 0, "title")),
    ("traffic.yaml", ("classes", "motorises", "title")),
    ("traffic.yaml", ("slots", "journee", "title")),
    ("shocks.yaml", ("facts", 0, "title")),
    ("contracts/evenement.yaml", ("caveats", 0)),
    ("contracts/evenement.yaml", ("attribution",)),
])  # fmt: skip
def test_a_number_of_a_person_is_refused_by_the_key_that_holds_it(
    file: str, where: tuple[str | int, ...], pack: Path
) -> None:
    value = f"voir avec Echati au {PHONE}"
    said = refusal(changed(pack, file, at(*where, value=value)))
    assert f"marseille/{file}, {'.'.join(map(str, where))}\n" in said
    assert "à faire : l'ôter" in said
    assert PHONE not in said
    assert "Echati" not in said


@pytest.mark.parametrize(("where", "told"), [
    (("fields", "statut", "label"), "label."), (("refused", "titre_public"), "refused.0"),
])  # fmt: skip
def test_what_a_contract_says_of_a_column_is_read_too(
    where: tuple[str, ...], told: str, pack: Path
) -> None:
    value = f"voir avec Echati au {PHONE}"
    said = refusal(changed(pack, "contracts/evenement.yaml", at(*where, value=value)))
    assert f"marseille/contracts/evenement.yaml, {told}" in said
    assert PHONE not in said


@pytest.mark.parametrize("text", [
    "echati@exemple.org", "GK-731-PR", "1 84 07 13 055 214 37", "né le 17/09/1994",
    "FR76 1027 8060 3100 0204 1700 145", "82.64.117.204", "https://www.facebook.com/echati.m",
    f"https://exemple.org/agents?tel={PHONE}", "https://echati:mdp@exemple.org/a",
])  # fmt: skip
def test_each_kind_of_number_is_refused(text: str, pack: Path) -> None:
    said = refusal(changed(pack, "themes.yaml", at(*TITLE, value=text)))
    assert "themes.bruit.title" in said
    assert text not in said


@pytest.mark.parametrize("text", [
    "la gérante du bar", "Le directeur de la voirie", "sa voisine du dessus", "Maire de secteur",
    "12 rue Paradis, la gérante du bar", "brigadier 44512, sa compagne",
    "Mme Echati Maoulida", "Voirie (M. Kerbrazhec)", "contacter Mlle Y. Kerbrazhec",
])  # fmt: skip
def test_words_that_point_at_somebody_are_refused(text: str, pack: Path) -> None:
    """An address beside them hides nothing."""
    said = refusal(changed(pack, "themes.yaml", at(*WHO, value=text)))
    assert "questions.bruit_nuit.actors.0.who" in said
    assert "désigner une personne" in said
    assert "« Mairie de secteur »" in said
    assert text not in said


@pytest.mark.parametrize("text", [
    "Mairie de secteur", "Direction de la voirie", "Stade Félix Pyat", "Place Madame Jourdain",
    "Trophée Echati Maoulida", "Stade, 12 rue Paradis",
    "https://www.insee.fr/fr/statistiques/4277596?sommaire=4318291",
    "https://www.data.gouv.fr/fr/datasets/r/53699d0e-a3a7-4923-9d20-5b2f99887766",
    "Insee, enquête Cadre de vie et sécurité, 2021",
])  # fmt: skip
def test_a_service_a_place_and_a_page_are_taken(text: str, pack: Path) -> None:
    own_texts.check(changed(pack, "themes.yaml", at(*WHO, value=text)))


@pytest.mark.parametrize(("file", "outer", "rank"), [
    ("themes.yaml", "themes", 13), ("themes.yaml", "questions", 1), ("events.yaml", "classes", 1),
])  # fmt: skip
def test_a_key_is_told_by_its_rank_and_never_quoted(
    file: str, outer: str, rank: int, pack: Path
) -> None:
    """What it holds is told too, and the path to it goes through the key."""

    def renamed(content: Any) -> None:
        own = list(content[outer].items())
        own[rank - 1] = (f"echati_{PHONE}", own[rank - 1][1] | {"title": f"Echati {PHONE}"})
        content[outer] = dict(own)

    said = refusal(changed(pack, file, renamed))
    assert f"marseille/{file}, {outer}, clé n° {rank}\n" in said
    assert f"marseille/{file}, {outer}.(clé non citée).title\n" in said
    assert PHONE not in said
    assert "chati" not in said


def test_a_list_that_names_counted_roads_or_communes_tells_of_nobody(
    pack: Path, tmp_path: Path
) -> None:
    path = pack / "lists/points_de_comptage.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + f"R99,Chez Jean Echati {PHONE}\n", encoding="utf-8")
    said = refusal(City(pack))
    assert "marseille/lists/points_de_comptage.csv, R99\n" in said
    assert PHONE not in said
    assert "Echati" not in said
    city = city_of(tmp_path, {"effectifs.csv": []})
    own_texts.check(city)
    path = city.pack / "lists/communes.csv"
    path.write_text(path.read_text(encoding="utf-8") + f"{PHONE},Delta\n", encoding="utf-8")
    said = refusal(City(city.pack))
    assert "/lists/communes.csv, à la racine, clé n° 5\n" in said
    assert PHONE not in said


def test_labels_of_staff_tell_of_nobody(tmp_path: Path) -> None:
    city = city_of(tmp_path, {"effectifs.csv": []})
    label = at("counts", "agents", "label", value=f"agents de M. Echati {PHONE}")
    assert "/staff.yaml, counts.agents.label\n" in refusal(changed(city.pack, "staff.yaml", label))


def test_it_is_told_before_anything_runs_and_at_the_door(pack: Path, tmp_path: Path) -> None:
    """Alone: a fault of another kind would quote the name of the theme."""

    def renamed(content: Any) -> None:
        content["themes"]["tel_07_51_84_29_36"] = content["themes"].pop("bruit")

    city = changed(pack, "themes.yaml", renamed)
    register = {"cities": {"marseille": {"pack": "marseille"}}}
    (tmp_path / "data/cities").mkdir(parents=True)
    (tmp_path / "data/cities/active.yaml").write_text(yaml.safe_dump(register), encoding="utf-8")
    with pytest.raises(PhareError, match="un numéro d'une personne") as before:
        run_city.check(tmp_path, "marseille")
    assert "07_51" not in str(before.value)
    with pytest.raises(PhareError, match="un numéro d'une personne"):
        collect.collect(city, tmp_path, tmp_path / "raw", COLLECT)
    assert not (tmp_path / "raw").exists()


def test_every_fault_is_told(pack: Path) -> None:
    changed(pack, "themes.yaml", at(*TITLE, value=PHONE))
    said = refusal(changed(pack, "events.yaml", at("stops", 0, "title", value="GK-731-PR")))
    assert said.count("Erreur :") == 2


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_the_texts_of_every_city_here_are_taken(pack: Path) -> None:
    own_texts.check(City(pack))
