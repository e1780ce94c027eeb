"""What the pages say exists, and nothing that is tracked names a machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#]+)[^)]*\)")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_names_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = [m["target"] for m in LINK.finditer(text) if "://" not in m["target"]]
    assert [t for t in targets if not (page.parent / t).exists()] == []
    modules = re.findall(r"src/helpers/(\w+)\.py", text)
    known = {path.stem for path in (ROOT / "src/helpers").glob("*.py")} | {"exemple"}
    assert set(modules) <= known
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"`make ([a-z]+)", text) + re.findall(r"^make ([a-z]+)", text, re.M)
    assert [c for c in commands if not re.search(rf"^{c}:", makefile, re.M)] == []


def test_one_decision_a_number_and_no_gap() -> None:
    numbers = [int(p.name[:4]) for p in sorted((ROOT / "docs/decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    from pip._internal.models.index import PyPI

    hosts = [PyPI.netloc, PyPI.file_storage_domain]
    places = re.compile(r"(?<![\w.])/(home|root|Users)/\w")
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if any(host in text for host in hosts) or places.search(text):
            found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_no_data_of_the_publishers_is_tracked() -> None:
    large = [p for p in tracked() if p.stat().st_size > 400_000 and p.name != "requirements.lock"]
    assert large == []
    data = {p.suffix for p in tracked() if p.is_relative_to(ROOT / "data")}
    assert data <= {".yaml", ".csv", ".md"}
    csvs = [p.name for p in tracked() if p.suffix == ".csv"]
    assert csvs == ["quartiers.csv"]
