"""A snapshot: the entries up to a stated number, as a CSV that a contract lets in like any source.

The bytes depend on the entries alone, not on the store nor on the day: whoever has the register
makes the same file again from its number. A snapshot kept elsewhere tells whether the register
still holds what it held, and the register whether a snapshot is as it was written (`differs`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.core.base import aside
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
FEW = 3  # faults told where others follow
TODO = (
    "si l'instantané a pu changer, le refaire (`make register-snapshot`) ; sinon, reprendre la "
    "dernière sauvegarde du registre qui se vérifie"
)
NAMED = {"PB": "problem", "ACT": "action"}  # how a subject begins → its column


def text(entries: Sequence[Entry]) -> str:
    """Return the entries as CSV, in order: one row an entry, COLUMNS, nothing where not said."""
    written = io.StringIO()
    rows = csv.DictWriter(written, COLUMNS, lineterminator="\n")
    rows.writeheader()
    rows.writerows(map(_row, entries))
    return written.getvalue()


def write(entries: Sequence[Entry], path: Path) -> None:
    """Write the snapshot in one go: a run that stops meanwhile leaves the one before, whole.

    PhareError where the path takes no file, or has one that is no snapshot (the register itself).
    """
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as held:
            if held.readline() != f"{','.join(COLUMNS)}\n".encode():
                raise PhareError(
                    "il y a là un fichier qui n'est pas un instantané", "TO=…", "en donner un autre"
                )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write(path, text(entries).encode())
    except (OSError, ValueError):  # ValueError: no name of a file at all
        raise PhareError(
            "l'instantané ne s'écrit pas là", "TO=…", "donner un fichier, dans un dossier à soi"
        ) from None


def read(path: Path) -> list[str]:
    """Return the rows of a snapshot as they are written, one an entry; PhareError where it is none.

    One without entries is none: it would agree with any register, emptied or not.
    """
    try:
        # Split at what `text` writes alone: a line end of another kind is no row of ours.
        head, *rows = path.read_bytes().decode("utf-8").split("\n")
    except (OSError, UnicodeError, ValueError):
        raise _unreadable("instantané illisible") from None
    if head != ",".join(COLUMNS):
        raise _unreadable("instantané sans l'en-tête du registre")
    if rows[-1:] == [""]:
        rows.pop()
    elif rows:
        raise _unreadable("instantané coupé avant la fin de sa dernière ligne")
    if not rows:
        raise _unreadable("instantané sans inscription")
    return rows


def differs(rows: Sequence[str], entries: Sequence[Entry]) -> list[str]:
    """Return how the rows of a snapshot are not those of the first entries, in a sentence a row.

    Byte for byte: a row whose hash alone were looked at could say anything else.
    """
    _, *held, _ = text(entries[: len(rows)]).split("\n")
    found = [
        f"inscription {number} : autre que dans l'instantané"
        for number, (kept, now) in enumerate(zip(rows, held, strict=False), 1)
        if kept != now
    ]
    if len(rows) > len(entries):
        found.append(
            f"l'instantané va jusqu'à l'inscription {len(rows)}, le registre jusqu'à {len(entries)}"
        )
    return found


def few(found: Sequence[str]) -> str:
    """Return the first faults, and that there are more."""
    return " ; ".join([*found[:FEW], *(["…"] if len(found) > FEW else [])])


def _unreadable(what: str) -> PhareError:
    return PhareError(what, FILE, "donner un fichier de `make register-snapshot`")


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
