"""The workspace of the journeys: the repository as it is, cloned, with a smaller city, run once.

The simulated Marseille at three hundredths of its size, with two questions in its portfolio (each
page has a kernel of its own); its rarer themes are not forecast, and fewer plans are drawn. Each
worker has a copy.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from helpers.core.stage import execute, warm
from helpers.workshop.elsewhere import copy_workspace
from tests.fixtures.once import once
from tests.fixtures.real import ROOT
from tests.journeys.place import QUESTIONS, Place

# Stage, key → what a small city does with: as they are, they are a third of its computations.
LESS = {("backtest", "minimum_count"): "800", ("allocation", "draws"): "4"}


@pytest.fixture(scope="session")
def warmed() -> Iterator[tuple[tuple[str, str], ...]]:
    """Where the warm process of this worker's journeys is found: libraries are loaded once."""
    with warm.opened({**os.environ, **execute.steady()}) as told:
        yield tuple((name, told[name]) for name in (warm.ADDRESS, "JUPYTER_PATH"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, warmed: tuple[tuple[str, str], ...]) -> Place:
    """A workspace in which the small city has run once, its code committed."""
    made = once(tmp_path_factory, "journeys", lambda folder: _make(folder, warmed)) / "phare"
    root = tmp_path_factory.mktemp("workspace") / "phare"
    shutil.copytree(made, root, symlinks=True)
    return Place(root, warmed)


def prepared(folder: Path, warmed: tuple[tuple[str, str], ...]) -> Place:
    """Return a workspace of the small city, its code committed, in which nothing has run yet."""
    root = folder / "phare"
    copy_workspace(ROOT, root, with_changes=True)
    place = Place(root, warmed)
    settings = root / "data/cities/marseille/simulation.yaml"
    text = settings.read_text(encoding="utf-8")
    assert "\nscale: 1.0 " in text
    laid = "since: 2024-01-01\n"  # counters tell an hour each, whatever the scale
    assert laid in text
    text = text.replace("\nscale: 1.0 ", "\nscale: 0.03 ").replace(laid, "since: 2025-10-01\n")
    settings.write_text(text, encoding="utf-8")
    themes = root / "data/cities/marseille/themes.yaml"
    asked = yaml.safe_load(themes.read_text(encoding="utf-8"))
    asked["questions"] = dict(list(asked["questions"].items())[:QUESTIONS])
    themes.write_text(yaml.safe_dump(asked, allow_unicode=True, sort_keys=False), "utf-8")
    parameters = root / "params.yaml"
    text = parameters.read_text(encoding="utf-8")
    for (stage, key), value in LESS.items():
        block = rf"(?m)^({stage}:\n(?:  .*\n)*?  {key}: )\S+"
        text, times = re.subn(block, rf"\g<1>{value}", text)
        assert times == 1, (stage, key)
    parameters.write_text(text, encoding="utf-8")
    for command in (("notebooks", "parameters"), ("method_notes",)):  # as `make deps` does
        done = place.python(f"helpers.workshop.{command[0]}", *command[1:])
        assert done.returncode == 0, done.stdout + done.stderr
    (root / "dvc.lock").unlink(missing_ok=True)
    register = "cities:\n  marseille:\n    pack: data/cities/marseille\n"
    (root / "data/cities/active.yaml").write_text(register, encoding="utf-8")
    place.git("checkout", "-q", "-B", "essai")
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "une ville plus petite")
    return place


def _make(folder: Path, warmed: tuple[tuple[str, str], ...]) -> None:
    place = prepared(folder, warmed)
    root = place.root
    done = place.run()
    assert done.returncode == 0, done.stdout + done.stderr
    (root / "first_run.txt").write_text(done.stdout, encoding="utf-8")
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "premier passage")
