"""Parameters that were once accepted: each of those given is refused.

Apart from `test_params`, which a workspace without what was given runs whole.
"""

from __future__ import annotations

from pathlib import Path

from tests.core.stage.test_params import refusal_of
from tests.fixtures.cases import case


def test_given_lines_of_parameters_are_refused(tmp_path: Path) -> None:
    """All those that the page writes as they would be in the file, each alone."""
    told = (case("19-params-accepted") / "README").read_text("utf-8")
    written = [row.split("->")[0] for row in told.splitlines() if "->" in row and "(=" not in row]
    lines = [line.strip() for row in written for line in row.split("; ")]
    assert len(lines) == 11
    for line in lines:
        assert refusal_of(line, tmp_path)
