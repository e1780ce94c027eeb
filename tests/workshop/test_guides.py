"""Every block of YAML of the guides is run, or read by the models of the files that it is of."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.core.base.yaml_models import Strict
from helpers.core.city.about import Delivery, EntriesRule
from helpers.core.city.contract import Edition, FileFormat
from helpers.core.city.traffic_rules import Closure
from helpers.register.settings import RegisterFile
from tests.fixtures.made_up import FACTS, THEMES, build_made_up, fact
from tests.fixtures.real import ROOT

GUIDES = ROOT / "docs/guides"
BLOCK = re.compile(r"^ *```yaml\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
# Guides whose blocks other tests run, one by one.
RUN = {
    "ecrire-dates-heures-et-points": "tests/ingest/test_guide.py",
    "compter-au-mois": "tests/ingest/test_guide_of_months.py",
    "ajouter-une-ville": "tests/ingest/test_guide_of_parts.py",  # and below
}
# guide → for each of its blocks, the keys that lead to what a model reads, and the model.
READ: dict[str, list[tuple[str, type[Strict]]]] = {
    "brancher-des-comptages": [("sources.*", Delivery), ("closures.*", Closure)],
    "brancher-des-effectifs": [("sources.*", Delivery)],
    "brancher-une-source": [("sources.*", Delivery)],
    "echanger-des-arretes": [("editions.*", Edition)],
    "annoncer-un-evenement": [("sources.*", Delivery), ("agenda.events.entries", EntriesRule)],
    "tenir-le-registre": [("", RegisterFile)],
}


def blocks(guide: Path) -> list[Any]:
    """Return the blocks of a guide; a line « … » stands for what is not shown."""
    texts = BLOCK.findall(guide.read_text(encoding="utf-8"))
    return [yaml.safe_load(re.sub(r"^ *…\n", "", text, flags=re.MULTILINE)) for text in texts]


def reached(told: Any, way: str) -> list[Any]:
    """Return what the keys of a way lead to; « * » is each of the values."""
    found = [told]
    for key in filter(None, way.split(".")):
        if key == "*":
            found = [v for one in found for v in (one.values() if isinstance(one, dict) else one)]
        else:
            found = [one[key] for one in found if key in one]
    return found


def test_every_guide_with_yaml_is_tried() -> None:
    written = {path.stem for path in GUIDES.glob("*.md") if blocks(path)}
    assert written == RUN.keys() | READ.keys()
    for guide, test in RUN.items():
        assert f"{guide}.md" in (ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("guide", READ)
def test_blocks_are_what_the_models_read(guide: str) -> None:
    told, ways = blocks(GUIDES / f"{guide}.md"), READ[guide]
    met = 0
    for way, model in ways:
        parts = [part for block in told for part in reached(block, way)]
        assert parts, way
        met += len(parts)
        for part in parts:
            model.model_validate(part)
    assert met >= len(told)


def test_the_forms_beside_the_addresses_are_forms_that_are_read() -> None:
    text = (GUIDES / "brancher-une-source.md").read_text(encoding="utf-8")
    forms = [yaml.safe_load(one) for one in re.findall(r"# file: (\{.*\})", text)]
    assert len(forms) == 4
    for form in forms:
        assert FileFormat.model_validate(form).format == form["format"]


def test_the_edition_of_published_orders_is_that_of_the_city_here() -> None:
    path = ROOT / "data/cities/marseille/contracts/arrete.yaml"
    written = yaml.safe_load(path.read_text(encoding="utf-8"))["editions"]
    (told,) = blocks(GUIDES / "echanger-des-arretes.md")
    assert told["editions"] == written


def test_a_file_of_one_nature_is_counted(tmp_path: Path) -> None:
    (told,) = (one for one in blocks(GUIDES / "ajouter-une-ville.md") if "observation" in one)
    facts = copy.deepcopy(FACTS)
    del facts["fields"]["nature"]
    facts["fields"] |= told["fields"]
    facts["observation"] |= told["observation"]
    theme = THEMES["themes"]["bruit"] | {"categories": ["S"]}
    rows = [fact(i, id=f"2024{'S' if i else 'X'}{i:06}") for i in range(5)]
    built = build_made_up(tmp_path, rows, themes={"themes": {"accidents": theme}}, facts=facts)
    assert built.rows("SELECT theme, category, sum(n) FROM cube GROUP BY ALL") == [
        ("accidents", "S", 4)
    ]
    assert sum(built.fates["faits"].values()) == 5  # what is of another nature is set aside
