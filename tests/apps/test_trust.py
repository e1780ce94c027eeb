"""What the page « Confiance » answers of a theme that counts several sources."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from helpers.apps.trust import Trust
from tests.fixtures import split

PERIOD = {"start": "2024-01-01", "end": "2024-12-31"}
ROWS = [{"source": "appels", "grade": "B"}, {"source": "faits", "grade": "D"}]


@pytest.mark.parametrize("distinct", ["deux guichets", None])
def test_a_theme_of_two_sources_names_both_and_has_the_worst_grade(
    distinct: str | None, tmp_path: Path
) -> None:
    page = object.__new__(Trust)
    page.whole = page.city = split.pack(tmp_path, split.joined(distinct=distinct), PERIOD)
    page.faded = {"appels": "bien moins qu'avant"}
    choice: Any = SimpleNamespace(theme="bruit")
    told = cast(Any, page)._answer(ROWS, choice).replace("\u00a0", " ")
    assert told.startswith(
        "**Bruit** : compté dans « Appels inventés » (B) et « Faits inventés » (D), fiabilité D ; "
        "mais « Appels inventés » (B), bien moins qu'avant"
    )
    assert ("compté deux fois" in told) == (distinct is None)
    assert ("« Faits inventés » et « Appels inventés » : deux guichets." in told) == bool(distinct)
