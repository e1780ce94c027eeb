"""Closed lists of a pack: `lists/<name>.csv`, a code and its name a row, confirmed by a person."""

from __future__ import annotations

import csv
from pathlib import Path

from helpers.core.base.errors import PhareError

FOLDER = "lists"
COLUMNS = ["code", "nom"]


def shown(name: str) -> str:
    """Return how messages call the list."""
    return f"{FOLDER}/{name}.csv"


def read(pack: Path, name: str) -> dict[str, str]:
    """Return code → name of a list of the pack, in the file's order; without a name, the code."""
    path = pack / FOLDER / f"{name}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        raise PhareError(
            "liste absente", f"{pack.name}/{shown(name)}", "la faire : `make codes` la propose"
        ) from None
    if not rows or rows[0] != COLUMNS:
        raise PhareError(
            f"première ligne attendue : {','.join(COLUMNS)}", f"{pack.name}/{shown(name)}",
            "l'écrire ainsi, en UTF-8, séparée par des virgules",
        )  # fmt: skip
    found: dict[str, str] = {}
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != 2 or not row[0] or row[0] in found:
            raise PhareError(
                "code vide, écrit deux fois, ou ligne qui n'a pas deux colonnes",
                f"{pack.name}/{shown(name)}, ligne {line}", "corriger cette ligne",
            )  # fmt: skip
        found[row[0]] = row[1] or row[0]
    return found
