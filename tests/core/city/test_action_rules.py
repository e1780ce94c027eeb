"""`actions.yaml`, before anything runs: each key names a field that can say what it has to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.workshop import run_city
from tests.fixtures.packs import at, changed
from tests.fixtures.real import ROOT


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    register = {"cities": {"marseille": {"pack": "data/cities/marseille"}}}
    cities = tmp_path / "data/cities"
    cities.mkdir(parents=True)
    (cities / "active.yaml").write_text(yaml.safe_dump(register), encoding="utf-8")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return Path(shutil.copytree(ROOT / "data/cities/marseille", cities / "marseille"))


def refusal(city: City) -> str:
    with pytest.raises(PhareError) as caught:
        run_city.check(city.pack.parents[2], "marseille")
    return str(caught.value)


@pytest.mark.parametrize(("key", "column", "said"), [
    ("start", "demarrage", "fields.start nomme « demarrage », qui n'existe pas"),
    ("start", "type", "fields.start nomme « type », un champ enum"),
    ("registered", "palier", "fields.registered nomme « palier », un champ enum"),
    ("longitude", "latitude", "fields.longitude nomme « latitude », un champ latitude"),
    ("done_h", "fin", "fields.done_h nomme « fin », un champ date"),
])  # fmt: skip
def test_a_key_names_a_field_that_can_say_it(key: str, column: str, said: str, pack: Path) -> None:
    told = refusal(changed(pack, "actions.yaml", at("fields", key, value=column)))
    assert said in told
    assert "marseille/actions.yaml" in told


def test_a_title_is_of_a_kind_of_action(pack: Path) -> None:
    told = refusal(changed(pack, "actions.yaml", at("titles", "licorne", value="Licorne")))
    assert "titles nomme « licorne », qui n'existe pas" in told


def test_staff_is_read_before_anything_runs_too(pack: Path) -> None:
    shutil.copy(ROOT / "templates/effectifs/staff.yaml", pack / "staff.yaml")
    assert "marseille/staff.yaml" in refusal(City(pack))  # no source « effectifs » there
