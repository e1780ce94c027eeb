"""README.md and README.fr.md: two languages, one structure, the same commands and links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fixtures.real import ROOT

PAGES = [ROOT / "README.md", ROOT / "README.fr.md"]
FIRST_SCREEN = 45  # lines: what it is, a picture, two commands, what each of the three does next


def skeleton(path: Path) -> dict[str, list[str]]:
    """Return what must be the same in both languages, in order."""
    text = path.read_text(encoding="utf-8")
    return {
        "headings": re.findall(r"^#+", text, re.MULTILINE),
        "commands": [
            re.sub(r"folder-of-the-files|dossier-des-fichiers|/path/of/your/city|"
                   r"/chemin/de/votre/ville", "…", line)
            for line in re.findall(r"\bmake [a-z-]+(?: [A-Z]+=[^\s`]+)*", text)
        ],
        "links": [
            target
            for target in re.findall(r"\]\(([^)]+)\)", text)
            if target not in ("README.md", "README.fr.md")
        ],
        "code": re.findall(r"^```\w*$", text, re.MULTILINE),
        "rows": re.findall(r"^\| `([a-z_.]+)`", text, re.MULTILINE),
    }  # fmt: skip


@pytest.mark.parametrize("part", ["headings", "commands", "links", "code", "rows"])
def test_both_languages_say_the_same(part: str) -> None:
    english, french = (skeleton(path)[part] for path in PAGES)
    assert english
    assert english == french


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_first_screen_holds_picture_commands_and_three_people(path: Path) -> None:
    first = "\n".join(path.read_text(encoding="utf-8").splitlines()[:FIRST_SCREEN])
    assert first.index("](docs/screenshots/") < first.index("make run") < first.index("\n## ")
    assert "make test" in first
    assert len(re.findall(r"^\*\*(?:You|Vous) ", first, re.MULTILINE)) == 3


def test_every_decision_has_its_line_in_the_index() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\(([\w.-]+)\) \| \S.*\|$", index, re.MULTILINE)
    pages = sorted(path.name for path in (ROOT / "docs/decisions").glob("0*.md"))
    assert [name for _, name in listed] == pages
    assert all(name.startswith(number) for number, name in listed)
