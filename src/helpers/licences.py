"""The licences of everything installed, by family, beside ours (EUPL-1.2).

`python -m helpers.licences` prints the table that `docs/licences.md` holds.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distributions

# In order: the first family whose pattern the licence matches. A choice (« OR ») comes before
# what it offers, because the user chooses.
FAMILIES = {
    "au choix (« OR »)": r"\bOR\b",
    "GPL avec exception de liaison": r"linking exception",
    "GPL": r"GPL|GNU General",
    "copyleft par fichier (MPL-2.0)": r"MPL|Mozilla",
    "EUPL-1.2": r"EUPL",
    "Apache-2.0": r"Apache",
    "BSD": r"BSD",
    "MIT, ISC, Zope": r"MIT|ISC|Zope",
    "Python (PSF)": r"PSF|Python Software",
}
# The metadata of these say nothing useful; their licence files say this.
TOLD_BY_FILE = {"asyncssh": "EPL-2.0 OR GPL-2.0-or-later"}


def licence_of(package: Distribution) -> str:
    """Return what the package's metadata say of its licence."""
    meta = package.metadata
    if meta["Name"] in TOLD_BY_FILE:
        return TOLD_BY_FILE[meta["Name"]]
    if "License-Expression" in meta:
        return str(meta["License-Expression"])
    named = [c.split("::")[-1].strip() for c in meta.get_all("Classifier", []) if "License" in c]
    return " / ".join(named) or str(meta.json.get("license", "")).split("\n")[0]


def family_of(licence: str) -> str | None:
    """Return the family of a licence, or None for one that nobody has looked at yet."""
    return next((name for name, known in FAMILIES.items() if re.search(known, licence)), None)


def by_family() -> dict[str | None, list[str]]:
    """Return family → names of the packages installed, both ordered."""
    found: dict[str | None, list[str]] = {}
    for package in distributions():
        family = family_of(licence_of(package))
        found.setdefault(family, []).append(str(package.metadata["Name"]).lower())
    return {name: sorted(set(found[name])) for name in (*FAMILIES, None) if name in found}


def as_markdown() -> str:
    """Return the table: names are told where there are few, or where it matters."""
    lines = ["| famille | paquets | lesquels |", "|---|---|---|"]
    for family, names in by_family().items():
        told = ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:6])}…"
        lines.append(f"| {family or 'inconnue'} | {len(names)} | {told} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(as_markdown())
