"""The licences of what `requirements.lock` names, by family, beside ours (EUPL-1.2).

`python -m helpers.workshop.licences` prints the table of `docs/licences.md`; `--write` puts it
there. What a licence allows comes from its SPDX expression, or from what the package's metadata
say.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

from helpers.core.base import commands
from helpers.core.base.workspace import find_root

PAGE = Path("docs/licences.md")
START, END = "<!-- table -->\n", "<!-- fin -->"
# The allow-list: (nature, family) → the exact names, lower case, that somebody has looked at.
# From the least to the most demanding: of a choice we take the first, of a sum we keep the last.
FAMILIES: dict[tuple[str, str], set[str]] = {
    ("permissive", "MIT, ISC, Zope, domaine public"): {
        *("mit", "mit license", "mit-0", "isc", "isc license (iscl)", "0bsd", "zlib", "cc0-1.0"),
        "zope public license",
    },
    ("permissive", "BSD"): {"bsd", "bsd license", "bsd-2-clause", "bsd-3-clause"},
    ("permissive", "Python (PSF)"): {"psf-2.0", "python software foundation license"},
    ("permissive", "Apache-2.0"): {
        *("apache-2.0", "apache 2.0", "apache software license", "apache license 2.0"),
        "apache license, version 2.0",
    },
    ("copyleft faible", "MPL-2.0"): {"mpl-2.0", "mozilla public license 2.0 (mpl 2.0)"},
    ("copyleft faible", "LGPL-2.1"): {
        "gnu lesser general public license v2 or later (lgplv2+)",
    },
    ("copyleft faible", "LGPL-3.0"): {"lgpl-3.0-only"},
    ("copyleft faible", "EPL-1.0"): {"epl-1.0"},
    ("copyleft faible", "GPL-2.0 avec exception de liaison"): {"gplv2 with linking exception"},
    ("copyleft fort", "GPL-2.0"): {"gpl-2.0-only", "gpl-2.0-or-later"},
    # Version 2 of the EPL is not in the EUPL's appendix: a package that offers only it shows here.
    ("hors annexe", "EPL-2.0"): {"epl-2.0"},
}
RANKS = {name: rank for rank, names in enumerate(FAMILIES.values()) for name in names}
# Where the metadata do not tell what the package's own licence file tells.
TOLD_BY_FILE = {
    "axe-playwright-python": "MIT AND MPL-2.0",  # axe-core within is MPL
    "asyncssh": "EPL-2.0 OR GPL-2.0-or-later",
    "grandalf": "GPL-2.0-only OR EPL-1.0",
}
NOT_A_LICENCE = {"OSI Approved", "DFSG approved"}


def canonical(name: str) -> str:
    """Return a package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(package: Distribution) -> str:
    """Return a package's licence: an SPDX expression, or the names its metadata give."""
    meta = package.metadata
    name = canonical(meta["Name"])
    if name in TOLD_BY_FILE:
        return TOLD_BY_FILE[name]
    if "License-Expression" in meta:
        return meta["License-Expression"]
    kinds = [c.split("::") for c in meta.get_all("Classifier", []) if c.startswith("License ::")]
    named = [kind[-1].strip() for kind in kinds if kind[-1].strip() not in NOT_A_LICENCE]
    # Several classifiers do not say whether one may choose: we suppose that all of them hold.
    if named or "License" not in meta:
        return " AND ".join(named)
    return meta["License"].split("\n")[0]


def rank_of(licence: str) -> int | None:
    """Return the place in FAMILIES of a licence, or None if a part of it was never looked at.

    A mixture without parentheses is read as the more demanding of its two readings, and one
    nested deeper than `A AND (B OR C)` is unknown: somebody has to look at it.
    """
    demands = []
    for part in re.split(r"\s+AND\s+(?![^(]*\))", licence):
        choices = [RANKS.get(name.strip().lower()) for name in bare_choices(part)]
        known = [rank for rank in choices if rank is not None]
        if len(known) < len(choices):
            return None
        demands.append(min(known))
    return max(demands)


def bare_choices(part: str) -> list[str]:
    """Return what `(A OR B)` offers; parentheses that belong to a licence's name stay."""
    inner = re.fullmatch(r"\((.*)\)", part.strip())
    return re.split(r"\s+OR\s+", inner[1] if inner else part)


def locked_packages(root: Path) -> dict[str, str]:
    """Return canonical name → licence of each package both locked and installed, ordered."""
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    locked = {canonical(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    found = {canonical(package.metadata["Name"]): package for package in distributions()}
    return {name: licence_of(found[name]) for name in sorted(locked & set(found))}


def as_markdown(packages: dict[str, str]) -> str:
    """Return the table of packages by family; a star marks those that offer a choice."""
    lines = ["| nature | famille | paquets | lesquels |", "|---|---|---:|---|"]
    for rank, (nature, family) in enumerate(FAMILIES):
        names = [
            f"{name}\\*" if " OR " in licence else name
            for name, licence in packages.items()
            if rank_of(licence) == rank
        ]
        if names:
            lines.append(f"| {nature} | {family} | {len(names)} | {', '.join(names)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    commands.begin()
    table = as_markdown(locked_packages(find_root()))
    if "--write" in sys.argv[1:]:
        page = find_root() / PAGE
        before, rest = page.read_text(encoding="utf-8").split(START)
        page.write_text(f"{before}{START}{table}{END}{rest.split(END)[1]}", encoding="utf-8")
    else:
        print(table, end="")
