"""The pages of the small city, served once a module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.browser import serve
from tests.journeys.place import CITY, Place


@pytest.fixture(scope="module")
def url(built: Place) -> Iterator[str]:
    """The list of pages."""
    env = {"PHARE_CITY": CITY, "PYTHONPATH": str(built.root / "src")}
    with serve(built.root / "notebooks/apps", env) as url:
        yield url
