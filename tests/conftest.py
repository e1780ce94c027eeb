"""What every test stands on: a plain environment, fixtures by kind, a folder to a worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests.fixtures.browser import close_browser

pytest_plugins = [
    "tests.fixtures.real", "tests.fixtures.people", "tests.fixtures.simulated",
    "tests.fixtures.tables", "tests.fixtures.forecasts",
]  # fmt: skip

# In continuous integration the wild inputs are the same every time: a red run can be run again.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("wild", deadline=None)
settings.load_profile("steady" if os.environ.get("CI") else "wild")


# On small arrays the threads of BLAS wait for one another, at the cost of a whole core; stages have
# one too (`execute.STEADY`). Numpy reads it when first loaded: before any fixture.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# One worker makes the journeys' workspace; the other has as long to do before it needs it.
FIRST = (
    "journeys/pipeline", "tests/simulate", "journeys/people", "journeys/tools", "tests/ingest",
    "tests/workshop",
)  # fmt: skip


class ByFolder(LoadScopeScheduling):
    """Keeps the tests of one folder on one worker: they share what takes long to make."""

    def _split_scope(self, nodeid: str) -> str:
        return PurePosixPath(nodeid.partition("::")[0]).parent.as_posix()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    """Share the tests out in the order in which they were collected."""
    config.option.loadscopereorder = False
    return ByFolder(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest come first: at the end, short ones even out what workers have left."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((i for i, name in enumerate(FIRST) if f"/{name}/" in path), len(FIRST))


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> Iterator[None]:
    """Take away what a person's shell may hold: tests see the defaults."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FROM", "FETCH", "THREADS", "STAGE", "VARY", "WARM", "KEYS", "KEY_EXPECTED"):
            patch.delenv(f"PHARE_{name}", raising=False)
        yield


@pytest.fixture(scope="module", autouse=True)
def _browser_ended() -> Iterator[None]:
    """One browser serves the pages of a module: starting it takes longer than opening a page."""
    yield
    close_browser()
