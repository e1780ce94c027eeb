"""A snapshot: the entries up to a stated number, as a CSV that a contract lets in like any source.

The bytes depend on the entries alone, not on the store nor on the day: whoever has the register
makes the same file again from its number. Each row has the hash of its entry, so that a snapshot
kept elsewhere tells whether the register still holds what it held.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.core.base.errors import PhareError
from helpers.register.entries import Entry

SOURCE = "registre"
FILE = f"{SOURCE}.csv"
PLAIN = ("seq", "at", "role", "kind", "event", "problem", "action", "supersedes")
OF_PAYLOAD = (
    "measure", "state", "verdict", "reason", "reference_year", "reference_number", "proposed",
    "decided", "goal", "theme", "fall", "least_effect", "tier", "start", "end", "justification",
    "entry", "opinion", "zone", "since", "hypotheses", "lead", "response", "dose_h", "shifts",
)  # fmt: skip
COLUMNS = (*PLAIN, *OF_PAYLOAD, "hash")
NAMED = {"PB": "problem", "ACT": "action"}  # how a subject begins → its column


def text(entries: Sequence[Entry]) -> str:
    """Return the entries as CSV, in order: one row an entry, COLUMNS, nothing where not said."""
    written = io.StringIO()
    rows = csv.DictWriter(written, COLUMNS, lineterminator="\n")
    rows.writeheader()
    rows.writerows(map(_row, entries))
    return written.getvalue()


def write(entries: Sequence[Entry], path: Path) -> None:
    """Write the snapshot in one go: a run that stops meanwhile leaves the one before, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(f".{os.getpid()}")
    try:
        made.write_text(text(entries), encoding="utf-8")
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def anchor(path: Path) -> tuple[int, str]:
    """Return the last number and hash of a snapshot; (0, "") of one without entries."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return (int(rows[-1]["seq"]), rows[-1]["hash"]) if rows else (0, "")
    except (OSError, UnicodeError, ValueError, KeyError, TypeError):
        raise PhareError(
            "instantané illisible", path.name, "donner un fichier de `make register-snapshot`"
        ) from None


def _row(entry: Entry) -> dict[str, Any]:
    draft = entry.draft
    told: dict[str, Any] = json.loads(entry.text)
    reference, criterion = told.pop("reference", {}), told.pop("criterion", {})
    subject = NAMED.get(draft.subject.partition("-")[0], "event")
    told = {name: "|".join(v) if isinstance(v, list) else v for name, v in told.items()}
    return {
        **told,
        **criterion,
        **{f"reference_{name}": value for name, value in reference.items()},
        "seq": entry.seq,
        "at": f"{entry.at[:19]}Z",
        "role": draft.role,
        subject: draft.subject,
        "supersedes": draft.supersedes,
        "hash": entry.hash,
    }
