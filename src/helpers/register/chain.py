"""The chain: each entry's hash holds the one before, so that none is altered or removed unseen.

SHA-256 without a secret: whoever holds a copy checks it. It binds what is there; that the last
entries are missing shows beside a snapshot made before (`held`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from helpers.register.entries import PAYLOADS, Draft, Entry, canonical

COLUMNS = ("seq", "at", "role", "kind", "subject", "payload", "supersedes", "key", "previous")


def first(city: str) -> str:
    """Return what the first entry of a city's register follows: no other city's fits."""
    return hashlib.sha256(f"phare:registre:{city}".encode()).hexdigest()


def hash_of(row: Mapping[str, Any]) -> str:
    """Return the hash of a row: SHA-256 of its COLUMNS as a JSON list."""
    told = json.dumps([row[name] for name in COLUMNS], separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()


def row_of(draft: Draft, seq: int, at: str, previous: str) -> dict[str, Any]:
    """Return the row by which a draft becomes the entry `seq`."""
    row = {
        "seq": seq,
        "at": at,
        "role": draft.role,
        "kind": draft.payload.kind,
        "subject": draft.subject,
        "payload": canonical(draft.payload),
        "supersedes": draft.supersedes,
        "key": draft.key,
        "previous": previous,
    }
    return {**row, "hash": hash_of(row)}


def entry_of(row: Mapping[str, Any]) -> Entry:
    """Return the entry that a row holds; ValidationError where it was written by other means."""
    held = Draft(
        role=row["role"],
        subject=row["subject"],
        payload=PAYLOADS.validate_json(row["payload"]),
        supersedes=row["supersedes"],
        key=row["key"],
    )
    return Entry(row["seq"], row["at"], held, row["payload"], row["previous"], row["hash"])


def faults(city: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with the rows (in order of `seq`), in sentences; nothing if all holds.

    A gap, a hash that is not its row's, a link that is not the row before's, what no model admits.
    """
    found: list[str] = []
    expected, previous = 1, first(city)
    for row in rows:
        seq = row["seq"]
        if seq != expected:
            found.append(f"inscription {expected} absente" if seq > expected
                         else f"inscription {seq} en double")  # fmt: skip
        elif row["previous"] != previous:
            found.append(f"inscription {seq} : ne suit pas la précédente")
        if row["hash"] != hash_of(row):
            found.append(f"inscription {seq} : modifiée depuis son écriture")
        try:
            told = entry_of(row)
            if told.draft.payload.kind != row["kind"] or canonical(told.draft.payload) != told.text:
                found.append(f"inscription {seq} : écrite sans passer par le registre")
        except ValidationError:
            found.append(f"inscription {seq} : écrite sans passer par le registre")
        expected, previous = seq + 1, row["hash"]
    return found


def held(rows: Sequence[Mapping[str, Any]], anchor: tuple[int, str]) -> list[str]:
    """Return what is wrong beside an earlier snapshot, whose last entry and hash `anchor` tells."""
    seq, told = anchor
    if seq == 0 or any(row["seq"] == seq and row["hash"] == told for row in rows):
        return []
    if len(rows) < seq:
        return [f"l'instantané va jusqu'à l'inscription {seq}, le registre jusqu'à {len(rows)}"]
    return [f"inscription {seq} : autre que dans l'instantané"]
