"""The contract of floors on a package made for it: a new room needs no line, and is held to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.real import ROOT

SETTINGS = """
[importlinter]
root_package = house
contract_types =
    floors: helpers.workshop.floors.FloorsContract

[importlinter:contract:floors]
name = Floors
type = floors
containers =
    house
exhaustive = true
layers =
    top
    *
    ground
"""


def checked(folder: Path, **modules: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter on a house with these rooms."""
    for name, text in {"__init__": "", "top": "", "ground": "", **modules}.items():
        path = folder / "house" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    settings = folder / ".importlinter"
    settings.write_text(SETTINGS, encoding="utf-8")
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--config", settings],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT / 'src'}"},
    )  # fmt: skip


def test_rooms_named_nowhere_stand_between_the_floors(tmp_path: Path) -> None:
    done = checked(tmp_path, top="import house.new", new="import house.ground", other="")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("room", "text"),
    [("new", "import house.other"), ("new", "import house.top"), ("ground", "import house.new")],
)
def test_they_leave_one_another_alone_and_look_no_higher(
    room: str, text: str, tmp_path: Path
) -> None:
    done = checked(tmp_path, **{"new": "", "other": "", room: text})
    assert done.returncode == 1
    assert f"house.{room} is not allowed to import {text.split()[1]}" in done.stdout
