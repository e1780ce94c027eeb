"""The reflex sheets at hand: pages of templates/fiches, which packs and knobs call by name."""

from __future__ import annotations

from pathlib import Path

FOLDER = "templates/fiches"


def names(root: Path) -> list[str]:
    """Return the names of the sheets at hand."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.md"))
