"""A workspace with the templates and the one city that `make new-city` makes of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.workshop import new
from tests.fixtures.real import ROOT


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace with the templates and one invented city, `port_neuf`."""
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    (tmp_path / "data/cities").mkdir(parents=True)
    (tmp_path / "data/cities/active.yaml").write_text("cities: {}\n", encoding="utf-8")
    new.new_city(tmp_path, "port_neuf")
    return tmp_path


def pack(place: Path) -> Path:
    """Return the folder of the city of `place`."""
    return place / "data/cities/port_neuf"
