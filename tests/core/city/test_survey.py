"""What a pack may say of its survey."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest
import yaml

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.survey import read_rule
from tests.fixtures.real import ROOT

PACK = ROOT / "data/cities/marseille"


def test_a_rule_that_names_nothing_known_is_refused(tmp_path: Path) -> None:
    pack = tmp_path / "marseille"
    shutil.copytree(PACK, pack)
    text = yaml.safe_load((PACK / "sentiment.yaml").read_text("utf-8"))
    for key, value in (("wave", "vagues"), ("facts", ["rien"]), ("features", ["defaveur_q"])):
        wrong = copy.deepcopy(text) | {key: value}
        (pack / "sentiment.yaml").write_text(yaml.safe_dump(wrong), "utf-8")
        with pytest.raises(PhareError, match="qui n'existe pas"):
            read_rule(City(pack))


def test_a_pack_without_the_file_has_no_rule() -> None:
    assert read_rule(City(ROOT / "data/cities/denver")) is None
