"""The register of cities: any folder's name can be written there, and nothing stays in vain."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import REGISTER, active_cities
from helpers.workshop import new, run_city
from tests.fixtures.cases import case
from tests.fixtures.real import ROOT

WHO = ["-c", "user.name=essai", "-c", "user.email=essai@localhost"]
HEAD = "# Les villes d'ici.\ncities:\n  ici:\n    pack: data/cities/ici   # la nôtre\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace that holds one city, and has a pack beside it."""
    root = tmp_path / "phare"
    shutil.copytree(ROOT / "templates", root / "templates")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, root / name)
    (root / "data/cities").mkdir(parents=True)
    (root / REGISTER).write_text(HEAD, encoding="utf-8")
    new.new_city(root, "ici")
    new.new_city(root, "port_neuf")
    return root


@pytest.mark.parametrize(
    "folder", [
        "ville: nord", "ville #2", "l'été", '"x"', "a, b", "- c", "plain", "no", "1:30", "% &*!|>",
        "été", "e\u0301te\u0301", "{a}", "[b]", "fin ", " début", "${item}", "à  deux  espaces",
        "long " * 40,
    ],
)  # fmt: skip
def test_city_in_any_folder_is_registered_and_the_rest_stays(folder: str, place: Path) -> None:
    pack = place.parent / folder
    (place / "data/cities/port_neuf").rename(pack)
    assert run_city.activate(place, str(pack)) == "port_neuf"
    found = active_cities(place)
    assert found["port_neuf"] == pack
    assert (found["port_neuf"] / "city.yaml").is_file()
    assert (place / REGISTER).read_text(encoding="utf-8").startswith(HEAD)
    assert run_city.activate(place, "port_neuf") == "port_neuf"


def test_given_folders_are_registered_one_after_the_other(place: Path) -> None:
    told = (case("18-pack-path-breaks-the-register") / "README").read_text("utf-8")
    folders = re.findall(r'mkdir "(.*?)" "(.*?)"', told)[0]
    assert folders == ("ville: nord", "ville #2")
    for i, folder in enumerate(folders):
        pack = place.parent / folder
        new.new_city(place, f"autre_{i}")
        (place / f"data/cities/autre_{i}").rename(pack)
        assert run_city.activate(place, str(pack)) == f"autre_{i}"
    assert {one.name for one in active_cities(place).values()} >= set(folders)


@pytest.mark.parametrize("folder", ["no", "1:30", "12", "1e3"])
def test_folder_whose_name_reads_as_something_else(folder: str, place: Path) -> None:
    """YAML 1.1 takes `no` for false, `1:30` for ninety."""
    (place / "data/cities/port_neuf").rename(place / folder)
    run_city.activate(place, str(place / folder))
    assert active_cities(place)["port_neuf"] == place / folder


def test_folder_whose_name_is_no_utf8_is_told(place: Path) -> None:
    pack = Path(os.fsdecode(os.fsencode(place.parent) + b"/\xe9t\xe9"))
    (place / "data/cities/port_neuf").rename(pack)
    before = (place / REGISTER).read_bytes()
    with pytest.raises(PhareError, match="UTF-8"):
        run_city.activate(place, str(pack))
    assert (place / REGISTER).read_bytes() == before


@pytest.mark.parametrize(
    "text", ["", "cities:\n", "cities: []\n", "cities:\n  a: b\n", "cities:\n  a:\n    pack: 1\n",
             "cities:\n  no:\n    pack: a\n", "cities:\n  a:\n    pack: /x/y: z\n", "\ud800"],
)  # fmt: skip
def test_register_that_cannot_be_read_is_told(text: str, place: Path) -> None:
    (place / REGISTER).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(PhareError) as told:
        active_cities(place)
    assert told.value.where == str(REGISTER)


def test_pack_that_moved_is_found_where_it_now_is(place: Path) -> None:
    run_city.activate(place, "port_neuf")
    moved = (place / "data/cities/port_neuf").rename(place.parent / "ailleurs")
    assert run_city.activate(place, str(moved)) == "port_neuf"
    assert active_cities(place)["port_neuf"] == moved
    shutil.copytree(moved, place.parent / "double")
    with pytest.raises(PhareError, match="s'appelle déjà"):
        run_city.activate(place, str(place.parent / "double"))


def test_first_city_of_an_empty_register(place: Path) -> None:
    (place / REGISTER).write_text("cities: {}\n", encoding="utf-8")
    run_city.activate(place, "port_neuf")
    assert list(active_cities(place)) == ["port_neuf"]


@pytest.mark.parametrize("options", [[], ["--only", "collect"]], ids=["run", "data"])
def test_city_refused_before_anything_came_in_is_not_held(
    options: list[str],
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Else its name would stay taken once its folder has moved."""
    themes = place / "data/cities/port_neuf/themes.yaml"
    themes.write_text(themes.read_text("utf-8").replace("severity: 2", "severity: 9"), "utf-8")
    before = (place / REGISTER).read_text(encoding="utf-8")
    for words in (["init", "-q"], ["add", "-A"], [*WHO, "commit", "-qm", "essai"]):
        subprocess.run(["git", "-C", str(place), *words], check=True)
    monkeypatch.chdir(place)
    assert run_city.main(["port_neuf", *options]) == 1
    assert "severity" in capsys.readouterr().err
    assert (place / REGISTER).read_text(encoding="utf-8") == before


def test_where_data_ended_long_ago_tomorrow_is_told_to_be_of_that_day() -> None:
    last = dt.date(2025, 11, 15)
    assert run_city.ends(last, last + dt.timedelta(days=31)).endswith("15 novembre 2025")
    assert "« demain »" in run_city.ends(last, last + dt.timedelta(days=32))
