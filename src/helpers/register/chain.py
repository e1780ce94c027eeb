"""The chain: each entry's hash holds the one before, so that none is altered or removed unseen.

SHA-256 without a secret: whoever holds a copy checks it. It binds what is there; that the last
entries are missing shows beside a snapshot made before (`snapshot.differs`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from helpers.register.entries import PAYLOADS, Draft, Entry, canonical

COLUMNS = ("seq", "at", "role", "kind", "subject", "payload", "supersedes", "key", "previous")
TEXTS = ("at", "role", "kind", "subject", "payload", "key", "previous", "hash")
MOMENT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z")
# How far a server's clock may run ahead of who checks; the base's own triggers say the same.
AHEAD = dt.timedelta(minutes=5)


class Link(NamedTuple):
    """What the next entry follows: number, hash and moment of the last one."""

    seq: int
    hash: str
    at: str


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


def moment(at: str) -> dt.datetime:
    """Return the moment that `at` tells; ValueError where it is not of the register's one form."""
    if not MOMENT.fullmatch(at):
        raise ValueError("not a moment of the register")
    return dt.datetime.fromisoformat(at)


def entry_of(row: Mapping[str, Any]) -> Entry:
    """Return the entry that a row holds; ValueError where it was written by other means."""
    if not _typed(row):
        raise ValueError("not a row of the register")
    moment(row["at"])
    held = Draft(
        role=row["role"],
        subject=row["subject"],
        payload=PAYLOADS.validate_json(row["payload"]),
        supersedes=row["supersedes"],
        key=row["key"],
    )
    if held.payload.kind != row["kind"] or canonical(held.payload) != row["payload"]:
        raise ValueError("not as the register writes it")
    return Entry(row["seq"], row["at"], held, row["payload"], row["previous"], row["hash"])


def read(row: Mapping[str, Any]) -> Entry:
    """Return the entry that a row holds; ValueError where its hash is another's as well."""
    found = entry_of(row)
    if row["hash"] != hash_of(row):
        raise ValueError("not as it was written")
    return found


def _typed(row: Mapping[str, Any]) -> bool:
    """Tell whether the values are of their columns' types: SQLite keeps others as well."""
    return (
        type(row["seq"]) is int
        and all(type(row[name]) is str for name in TEXTS)
        and (row["supersedes"] is None or type(row["supersedes"]) is int)
    )


def link_of(row: Mapping[str, Any]) -> Link:
    """Return what the entry after this row follows."""
    return Link(row["seq"], row["hash"], row["at"])


def faults(
    city: str, rows: Sequence[Mapping[str, Any]], now: str, after: Link | None = None
) -> list[str]:
    """Return what is wrong with the rows (in order of `seq`), in sentences; nothing if all holds.

    A gap, a hash that is not its row's, a link that is not the row before's, a moment before the
    row before's or after `now`, what no model admits. `after`: what the first of them follows,
    where they are not the whole register.
    """
    found: list[str] = []
    before_them, previous, before = after or Link(0, first(city), "")
    expected = before_them + 1
    if after:
        found += _odd_moments(after.seq, after.at, "", now)
    for number, row in enumerate(rows, 1):
        if not _typed(row):
            # What it holds is not told: it may be anything.
            name = row["seq"] if type(row["seq"]) is int else f"de rang {number}"
            found.append(f"inscription {name} : illisible, écrite sans passer par le registre")
            expected, previous = expected + 1, row["hash"]
            continue
        seq, at = row["seq"], row["at"]
        if seq != expected:
            found.append(f"inscription {expected} absente" if seq > expected
                         else f"inscription {seq} en double")  # fmt: skip
        elif row["previous"] != previous:
            found.append(f"inscription {seq} : ne suit pas la précédente")
        if row["hash"] != hash_of(row):
            found.append(f"inscription {seq} : modifiée depuis son écriture")
        try:
            entry_of(row)
        except ValueError:
            found.append(f"inscription {seq} : écrite sans passer par le registre")
        else:
            found += _odd_moments(seq, at, before, now)
            before = at
        expected, previous = seq + 1, row["hash"]
    return found


def _odd_moments(seq: int, at: str, before: str, now: str) -> list[str]:
    """Return what is wrong with a moment, itself of the form, after `before`, by the time `now`."""
    early = [f"inscription {seq} : datée d'avant la précédente"] if at < before else []
    late = moment(at) > moment(now) + AHEAD
    return [*early, *([f"inscription {seq} : datée de plus tard que maintenant"] if late else [])]
