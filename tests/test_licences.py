"""Every package installed has a licence that somebody has looked at."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from helpers import licences

ROOT = Path(__file__).resolve().parents[1]


def test_no_package_of_an_unknown_licence() -> None:
    found = licences.by_family()
    assert found.get(None, []) == []
    assert "altair" in found["BSD"]
    assert "dvc" in found["Apache-2.0"]


def test_an_unknown_licence_would_be_seen() -> None:
    assert licences.family_of("Commercial, all rights reserved") is None


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11),
    reason="THE PAGE IS MADE ON PYTHON 3.11: other versions install a few other packages",
)
def test_the_page_says_what_is_installed() -> None:
    page = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    table = page.split("<!-- table -->\n")[1].split("<!-- fin -->")[0]
    assert table.strip() == licences.as_markdown(), "python -m helpers.licences > le tableau"


def test_our_licence_is_the_one_we_name() -> None:
    text = (ROOT / "LICENCE").read_text(encoding="utf-8")
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
    assert 'license = "EUPL-1.2"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "license: EUPL-1.2" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
