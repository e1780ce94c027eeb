"""The picture of the rooms is that of today, and shows every room there is."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from helpers.workshop import architecture
from tests.fixtures.real import ROOT

PICTURE = ROOT / architecture.PICTURE


def test_picture_is_up_to_date() -> None:
    assert architecture.drawn(ROOT) == PICTURE.read_text(encoding="utf-8"), "lancer `make deps`"


def test_every_room_is_drawn_once() -> None:
    found = re.findall(r">([^<>\s]+)</text>", PICTURE.read_text(encoding="utf-8"))
    folders = [*(ROOT / "src/helpers").iterdir(), *(ROOT / "src/helpers/core").iterdir()]
    rooms = [path.name for path in folders if (path / "__init__.py").is_file()]
    assert sorted(found) == sorted(rooms)


def test_an_arrow_stands_for_imports_that_are_there() -> None:
    """Held against the text of the files: one module of the room names the other."""
    rooms = [room for layer in architecture.floors(ROOT)["helpers"] for room in layer]
    pairs = architecture.imports(ROOT, rooms)
    assert ("collect", "connect") in pairs
    for here, there in pairs:
        texts = [p.read_text("utf-8") for p in (ROOT / "src/helpers" / here).rglob("*.py")]
        assert any(re.search(rf"from helpers(\.{there}\b| import {there}\b)", t) for t in texts)
    tree = ElementTree.parse(PICTURE)
    arrows = [e for e in tree.iter() if e.get("marker-end")]
    assert len(arrows) == len(pairs)
