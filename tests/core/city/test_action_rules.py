"""`actions.yaml` is checked before anything runs: source, columns, their types, kinds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.core.base.errors import PhareError
from helpers.core.city.action_rules import read_rules
from helpers.core.city.city import City
from tests.fixtures.packs import at, changed
from tests.fixtures.real import ROOT


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "data/cities/marseille", tmp_path / "marseille"))


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("source",), "actoin", "source"),
        (("fields", "start"), "demarrage", "fields.start"),
        (("fields", "start"), "type", "fields.start"),
        (("fields", "planned_h"), "debut", "fields.planned_h"),
        (("titles", "licorne"), "Licorne", "titles.licorne"),
    ],
    ids=[
        "no such source",
        "no such column",
        "a kind is no day",
        "a day is no hour",
        "no such kind",
    ],
)
def test_a_mistake_is_told_with_its_key(
    pack: Path, where: tuple[str, ...], value: str, said: str
) -> None:
    city = changed(pack, "actions.yaml", at(*where, value=value))
    with pytest.raises(PhareError) as caught:
        read_rules(city)
    named = where[-1] if where[0] == "titles" else value
    assert str(caught.value).startswith(f"Erreur : {said} nomme « {named} »")
    assert "marseille/actions.yaml" in str(caught.value)


def test_the_shipped_one_is_taken() -> None:
    assert read_rules(City(ROOT / "data/cities/marseille"))
