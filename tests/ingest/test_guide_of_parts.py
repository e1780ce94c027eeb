"""The guide's own YAML of a theme of two sources, run."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.fixtures import split
from tests.fixtures.made_up import fact
from tests.fixtures.real import ROOT

GUIDE = (ROOT / "docs/guides/ajouter-une-ville.md").read_text(encoding="utf-8")
SECTION = GUIDE[GUIDE.index("### Plusieurs sources dans un thème") :]


def test_the_six_lines_of_the_guide_count_both_sources(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    assert found
    assert len(found[1].splitlines()) <= 6
    period = {"start": "2024-01-01", "end": "2024-12-31"}
    city = split.pack(tmp_path, {"themes": yaml.safe_load(found[1])}, period)
    built = split.built(
        city, tmp_path, [fact(1), fact(2, nature="petard")], [fact(3), fact(4, nature="petard")]
    )
    assert built.rows("SELECT theme, source, sum(n) FROM cube GROUP BY ALL ORDER BY ALL") == [
        ("bruit", "appels", 1), ("bruit", "faits", 2), ("sans_theme", "appels", 1),
    ]  # fmt: skip
