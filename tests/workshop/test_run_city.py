"""The register of cities: any folder's name can be written there, and nothing stays in vain."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import REGISTER, active_cities
from helpers.ingest import remarks
from helpers.workshop import new, run_city
from tests.fixtures.real import ROOT

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
    "folder", ["ville: nord", "ville #2", "l'été", '"x"', "a, b", "- c", "plain"]
)
def test_city_in_any_folder_is_registered_and_the_rest_stays(folder: str, place: Path) -> None:
    pack = place.parent / folder
    (place / "data/cities/port_neuf").rename(pack)
    assert run_city.activate(place, str(pack)) == "port_neuf"
    found = active_cities(place)
    assert found["port_neuf"] == pack
    assert (found["port_neuf"] / "city.yaml").is_file()
    assert (place / REGISTER).read_text(encoding="utf-8").startswith(HEAD)
    assert run_city.activate(place, "port_neuf") == "port_neuf"


def test_first_city_of_an_empty_register(place: Path) -> None:
    (place / REGISTER).write_text("cities: {}\n", encoding="utf-8")
    run_city.activate(place, "port_neuf")
    assert list(active_cities(place)) == ["port_neuf"]


def test_city_refused_before_anything_came_in_is_not_held(place: Path) -> None:
    """Else its name would stay taken once its folder has moved."""
    themes = place / "data/cities/port_neuf/themes.yaml"
    themes.write_text(themes.read_text("utf-8").replace("severity: 2", "severity: 9"), "utf-8")
    before = (place / REGISTER).read_text(encoding="utf-8")
    with pytest.raises(PhareError, match="severity"):
        run_city.run(place, "port_neuf")
    assert (place / REGISTER).read_text(encoding="utf-8") == before


def test_what_is_odd_in_the_zones_is_told_again_at_the_end(tmp_path: Path) -> None:
    """As the notebook of `ingest` kept it, in its order; a run of before has kept none."""
    assert run_city.remarks(tmp_path, "ici") == []
    kept = tmp_path / "data/ici/derived/ingest/remarks.parquet"
    kept.parent.mkdir(parents=True)
    pq.write_table(remarks.table(["zone « B »", "zone « A »"]), kept)
    assert run_city.remarks(tmp_path, "ici") == ["zone « B »", "zone « A »"]
