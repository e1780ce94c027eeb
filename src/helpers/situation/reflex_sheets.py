"""Reflex sheets: what to do, by degrees, when an alert or a warning calls for it; and in drills.

A sheet is a page of templates/fiches, in French. A theme of the pack names the one that its alerts
open (`sheet`), the agenda's warnings name theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.situation.alerts import place_of

FOLDER = "templates/fiches"
DRILL = "exercice"


@dataclass(frozen=True)
class Opened:
    """A sheet that is open: its title, its text below the title, and why."""

    name: str
    title: str
    text: str
    why: str

    @property
    def drill(self) -> bool:
        """Whether nothing has happened: an exercise."""
        return self.why == DRILL


def names(root: Path) -> list[str]:
    """Return the names of the sheets at hand."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.md"))


def read(root: Path, name: str, why: str) -> Opened:
    """Return the sheet `name`, open for the reason `why`."""
    path = root / FOLDER / f"{name}.md"
    if name not in names(root):
        raise PhareError(
            f"aucune fiche réflexe « {name} »",
            f"{FOLDER}/",
            f"choisir parmi : {', '.join(names(root))}",
        )
    first, _, text = path.read_text(encoding="utf-8").partition("\n")
    return Opened(name, first.removeprefix("# ").strip(), text.strip(), why)


def opened(
    root: Path,
    city: City,
    alerts: Iterable[dict[str, Any]],
    warned: Iterable[dict[str, Any]],
    zones: dict[str, str],
    drill: str = "",
) -> list[Opened]:
    """Return the sheets that today's alerts and warnings open, each once with all its reasons.

    With `drill`, that sheet alone: an exercise shows nothing of the day.
    """
    if drill:
        return [read(root, drill, DRILL)]
    reasons: dict[str, list[str]] = {}
    for row in alerts:
        theme = city.themes[row["theme"]]
        if theme.sheet:
            why = f"{theme.title}, {place_of(row, zones)}"
            reasons.setdefault(theme.sheet, []).append(why)
    rule = city.about.agenda.warnings
    for row in warned:
        if rule and rule.sheet:
            reasons.setdefault(rule.sheet, []).append(f"vigilance {row['level']}")
    return [
        read(root, name, " ; ".join(dict.fromkeys(why))) for name, why in sorted(reasons.items())
    ]


def in_words(found: list[Opened]) -> str:
    """Return the open sheets as Markdown, drills told as such; or that none is open."""
    if not found:
        return "Aucune fiche réflexe n'est ouverte."
    parts = []
    for one in found:
        head = "**EXERCICE, rien ne s'est passé.**" if one.drill else f"Ouverte pour : {one.why}."
        # The sheet's own headings go one level down, below the report's.
        text = one.text.replace("\n## ", "\n#### ")
        parts.append(f"### {one.title}\n\n{head}\n\n{text}")
    return "\n\n".join(parts)
