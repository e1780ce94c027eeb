"""A pack's traffic.yaml: what it names exists, slots go round the day, a mistake is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.traffic_rules import read_rules
from tests.fixtures.made_up import write_pack
from tests.fixtures.real import ROOT

PACK = ROOT / "data/cities/marseille"


def changed(folder: Path, old: str, new: str) -> City:
    """Return Marseille's pack with one thing of its traffic.yaml written otherwise."""
    pack = folder / "marseille"
    shutil.copytree(PACK, pack)
    text = (pack / "traffic.yaml").read_text(encoding="utf-8")
    assert old in text
    (pack / "traffic.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return City(pack)


def test_slots_go_round_the_day_once_and_the_national_codes_are_those_of_the_contract() -> None:
    rules = read_rules(City(PACK))
    assert rules is not None
    hours = [hour for slot in rules.slots for hour in rules.slot_hours(slot)]
    assert sorted(hours) == list(range(24))
    assert rules.slot_hours("soiree") == (20, 21, 22, 23)
    assert rules.slot_hours("nuit") == (0, 1, 2, 3, 4, 5, 6)


def test_a_city_without_counters_has_no_rules(tmp_path: Path) -> None:
    assert read_rules(write_pack(tmp_path)) is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("source: comptage_site", "source: comptages", "comptages"),
        ("count: count", "count: nombre", "nombre"),
        ("flow: motorises", "flow: camions", "camions"),
        ("mobility: [PEDESTRIAN]", "mobility: [CAR]", "deux classes"),
        ("mobility: [PEDESTRIAN]", "mobility: [PIETON]", "PIETON"),
        ("safety: [accidents]", "safety: [accident]", "accident"),
        ("permits: [occupation_domaine]", "permits: [fete]", "fete"),
        ("start_h: 16", "start_h: 6", "tour du jour"),
        ("parallel: [R06, R07]", "parallel: [R06, R99]", "R99"),
        ("parallel: [R06, R07]", "parallel: [R05]", "elle-même"),
        ("end: 2025-10-24", "end: 2025-10-04", "avant de commencer"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    city = changed(tmp_path, old, new)
    with pytest.raises(PhareError, match=told):
        read_rules(city)
