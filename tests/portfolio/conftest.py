"""One run of the stage, read by all tests of the room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.core.stage import params
from helpers.core.stage.run import Run
from tests.fixtures.portfolios import ASKED, SILENT, executed, facts, workspace
from tests.fixtures.real import ROOT


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return executed(workspace(tmp_path_factory.mktemp("once"), facts(), ASKED | {"reste": SILENT}))


@pytest.fixture
def run(once: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A run of the stage at work outside the pipeline, as an analyst's notebook has it."""
    monkeypatch.chdir(once.parents[1])
    found = Run("portfolio", {"city": "essai", **params.block("portfolio", ROOT)})
    yield found
    found.con.close()
