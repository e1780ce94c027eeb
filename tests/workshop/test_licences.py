"""Every package locked has a licence that somebody has looked at, and the page says so."""

from __future__ import annotations

import hashlib
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from helpers.workshop import licences

ROOT = Path(__file__).resolve().parents[2]
# The English text of EUPL-1.2 as the SPDX licence list gives it.
OFFICIAL_TEXT = "d126070e53a97387b339cc1b4c794e9bc134df061d6cb5ab37cef0bfe986228a"


def unknown(packages: dict[str, str]) -> dict[str, str]:
    return {name: told for name, told in packages.items() if licences.rank_of(told) is None}


def family(licence: str) -> str | None:
    rank = licences.rank_of(licence)
    return None if rank is None else list(licences.FAMILIES)[rank][1]


def installed(folder: Path, *metadata: str) -> PathDistribution:
    """Return a package of these metadata lines, as an installer would leave it."""
    place = folder / "something-1.0.dist-info"
    place.mkdir()
    lines = ["Metadata-Version: 2.4", "Name: something", "Version: 1.0", *metadata]
    (place / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return PathDistribution(place)


def test_no_locked_package_has_an_unknown_licence() -> None:
    packages = licences.locked_packages(ROOT)
    assert {"altair", "duckdb", "dvc", "ruamel-yaml"} <= set(packages)
    assert not {"phare", "pip"} & set(packages), "only what the lock names"
    assert unknown(packages) == {}, (
        "look at these licences, then add them to helpers.workshop.licences"
    )
    assert all(family(told) != "EPL-2.0" for told in packages.values()), "not in the appendix"


@pytest.mark.parametrize(
    "licence",
    ["", "Proprietary", "AGPL-3.0-only", "MIT AND Proprietary", "MIT OR Proprietary", "MITRE"],
)
def test_an_unknown_licence_is_named(licence: str) -> None:
    assert unknown({"altair": "BSD License", "something": licence}) == {"something": licence}


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("MIT AND Apache-2.0", "Apache-2.0"),
        ("Apache-2.0 OR GPL-2.0-or-later", "Apache-2.0"),
        ("GPL-2.0-only OR EPL-1.0", "EPL-1.0"),
        ("EPL-2.0 OR GPL-2.0-or-later", "GPL-2.0"),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", "MPL-2.0"),
        ("(Apache-2.0 OR MIT) AND MPL-2.0", "MPL-2.0"),
        ("BSD-3-Clause OR MIT AND GPL-2.0-only", "GPL-2.0"),
        ("MIT OR (BSD-3-Clause AND GPL-2.0-only)", None),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
    ],
)
def test_a_choice_takes_the_least_and_a_sum_the_most(licence: str, expected: str | None) -> None:
    assert family(licence) == expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (["License-Expression: MIT", "License: BSD"], "MIT"),
        (
            ["License: Dual License", "Classifier: License :: OSI Approved :: BSD License"],
            "BSD License",
        ),
        (["License: MPL-2.0", "Classifier: License :: OSI Approved"], "MPL-2.0"),
        (["Classifier: License :: OSI Approved :: A", "Classifier: License :: B"], "A AND B"),
        ([], ""),
    ],
)
def test_the_metadata_are_read(tmp_path: Path, metadata: list[str], expected: str) -> None:
    assert licences.licence_of(installed(tmp_path, *metadata)) == expected


@pytest.mark.skipif(
    (sys.platform, sys.version_info[:2]) != ("linux", (3, 11)),
    reason="THE PAGE IS MADE ON LINUX, PYTHON 3.11: others install a few other packages",
)
def test_the_page_says_what_is_installed() -> None:
    page = (ROOT / licences.PAGE).read_text(encoding="utf-8")
    table = page.split(licences.START)[1].split(licences.END)[0]
    expected = licences.as_markdown(licences.locked_packages(ROOT))
    assert table == expected, "mend it with: python -m helpers.workshop.licences --write"


def test_our_licence_is_the_one_we_name() -> None:
    text = (ROOT / "LICENCE").read_bytes()
    assert hashlib.sha256(text).hexdigest() == OFFICIAL_TEXT, "the licence is kept word for word"
    assert 'license = "EUPL-1.2"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "license: EUPL-1.2" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
