"""Every awkward input given is tried by a test that reads it, or does what its page tells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fixtures.cases import CASES
from tests.fixtures.real import ROOT

# What these hold is one page that tells what somebody did: the test that does it.
TOLD = {
    "20-lock-message": "tests/workshop/test_one_run.py::"
                       "test_second_run_names_the_first_until_it_and_its_dvc_are_gone",
    "21-no-git": "tests/workshop/test_ground.py::test_no_git",
    "22-read-only": "tests/workshop/test_ground.py::test_folder_that_cannot_be_written",
    "23-figure-leaves-its-clone": "tests/workshop/test_one_run.py::test_stopped_figure",
}  # fmt: skip


def _folders() -> list[str]:
    if not CASES.is_dir():
        pytest.skip(f"NO CASE: {CASES} is absent, no input is tried")
    return sorted(path.name for path in CASES.iterdir() if path.is_dir())


def test_every_folder_is_read_by_a_test() -> None:
    here = Path(__file__)
    texts = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py") if path != here]
    read = {name for name in _folders() if any(f'"{name}' in text for text in texts)}
    assert set(_folders()) == read | set(TOLD)


@pytest.mark.parametrize("name", TOLD)
def test_what_a_page_alone_tells_is_done_by_a_test(name: str) -> None:
    assert name in _folders()
    assert [path.name for path in (CASES / name).iterdir()] == ["README"]
    file, test = TOLD[name].split("::")
    assert re.search(rf"^def {test}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
