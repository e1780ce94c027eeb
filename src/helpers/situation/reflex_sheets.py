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
from helpers.core.city.sheets import FOLDER, names


@dataclass(frozen=True)
class Sheet:
    """A sheet: its title, and its text below the title."""

    name: str
    title: str
    text: str


@dataclass(frozen=True)
class Reason:
    """What opens a sheet: the alert of a theme in a zone, or a warning of some level."""

    theme: str = ""
    zone: str = ""
    warning: str = ""


@dataclass(frozen=True)
class Opened:
    """A sheet that is open, and why, each reason once."""

    sheet: Sheet
    reasons: tuple[Reason, ...] = ()

    @property
    def drill(self) -> bool:
        """Whether nothing has happened: an exercise."""
        return not self.reasons


def read(root: Path, name: str) -> Sheet:
    """Return the sheet `name`; one that does not exist raises PhareError."""
    path = root / FOLDER / f"{name}.md"
    if name not in names(root):
        raise PhareError(
            f"aucune fiche réflexe « {name} »",
            f"{FOLDER}/",
            f"choisir parmi : {', '.join(names(root))}",
        )
    first, _, text = path.read_text(encoding="utf-8").partition("\n")
    return Sheet(name, first.removeprefix("# ").strip(), text.strip())


def opened(
    root: Path,
    city: City,
    alerts: Iterable[dict[str, Any]],
    warned: Iterable[dict[str, Any]],
    drill: str = "",
) -> list[Opened]:
    """Return the sheets that today's alerts and warnings open, each once with all its reasons.

    With `drill`, that sheet alone: an exercise shows nothing of the day.
    """
    if drill:
        return [Opened(read(root, drill))]
    reasons: dict[str, list[Reason]] = {}
    for row in alerts:
        sheet = city.themes[row["theme"]].sheet
        if sheet:
            reasons.setdefault(sheet, []).append(Reason(row["theme"], row["zone"]))
    rule = city.about.agenda.warnings
    for row in warned:
        if rule and rule.sheet:
            reasons.setdefault(rule.sheet, []).append(Reason(warning=row["level"]))
    return [
        Opened(read(root, name), tuple(dict.fromkeys(why))) for name, why in sorted(reasons.items())
    ]
