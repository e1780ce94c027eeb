"""The pages of the small city, served once a worker: preparing them all takes half a minute."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.browser import serve
from tests.journeys.place import CITY, Place


@pytest.fixture(scope="session")
def url(built: Place) -> Iterator[str]:
    """The list of pages. Results do not change under them: other journeys put theirs back."""
    env = {"PHARE_CITY": CITY, "PYTHONPATH": str(built.root / "src")}
    with serve(built.root / "notebooks/apps", env, None, "--House.watch=0") as url:
        yield url
