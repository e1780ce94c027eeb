"""Entries as the door let a snapshot in: what notebooks read in place of the register.

The rules of the register (`rules`) read them as its own. Keys and hashes did not come in, so that
nothing here can be entered again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
from pydantic import ValidationError

from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.stage.run import Run
from helpers.register.entries import PAYLOADS, Draft, Entry, canonical
from helpers.register.rules import day_of
from helpers.register.snapshot import NAMED, OF_PAYLOAD, SOURCE

NO_KEY = "0" * 32
INSIDE = {"theme": "criterion", "fall": "criterion", "reference_year": "reference",
          "reference_number": "reference"}  # fmt: skip
LISTS = ("hypotheses", "shifts")
FIELD = {"reason": "motif"}  # the contract's names, where they are not the columns'


def of_run(run: Run) -> list[Entry] | None:
    """Return the entries that a run's city let in, in order; None where it has no register."""
    if SOURCE not in run.city.contracts:
        return None
    return read(run.con, run.read(f"accepted/{SOURCE}.parquet"))


def today(run: Run, told: Iterable[Entry]) -> dt.date:
    """Return the day on which states are told: the period's last one, or that of a later entry."""
    return max([run.city.about.period.end, *map(day_of, told)])


def read(con: duckdb.DuckDBPyConnection, path: Path) -> list[Entry]:
    """Return the entries of an accepted snapshot, in order; PhareError where one is none."""
    query = f"SELECT * FROM read_parquet({store.literal(path)}) ORDER BY seq"
    return entries(store.records(con, query))


def entries(rows: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Return the entries that rows of the source hold, in order.

    PhareError where one holds none, or where one is missing: set aside by the door (a theme or a
    zone that the contract has not), it would leave what it replaced in force.
    """
    found: list[Entry] = []
    for row in rows:
        if row["seq"] != len(found) + 1:
            raise PhareError(
                f"l'inscription {len(found) + 1} n'est pas entrée",
                f"source « {SOURCE} »",
                "voir dans le carnet `ingest` pourquoi elle est écartée, et corriger le contrat",
            )
        try:
            found.append(_entry(row))
        except ValidationError:
            raise PhareError(
                f"l'inscription {row['seq']} n'est pas du registre",
                f"source « {SOURCE} »",
                "refaire l'instantané : `make register-snapshot`",
            ) from None
    return found


def _entry(row: Mapping[str, Any]) -> Entry:
    told: dict[str, Any] = {"kind": row["kind"]}
    for name in OF_PAYLOAD:
        value = _plain(name, row[FIELD.get(name, name)])
        if value is not None:
            whole = INSIDE.get(name)
            held = told.setdefault(whole, {}) if whole else told
            held[name.removeprefix("reference_")] = value
    names = [*NAMED.values(), "event"]
    subject = row[row["kind"] if row["kind"] in names else next(n for n in names[::-1] if row[n])]
    if row["kind"] == "action":
        told["problem"] = row["problem"]
    payload = PAYLOADS.validate_python(told, strict=False)
    draft = Draft.model_construct(
        role=row["role"], subject=subject, payload=payload, supersedes=row["supersedes"], key=NO_KEY
    )
    at = row["at"].isoformat(timespec="milliseconds") + "Z"
    return Entry(row["seq"], at, draft, canonical(payload), "", "")


def _plain(name: str, value: Any) -> Any:
    """Return a value as the payload has it; nothing where the column says nothing."""
    if isinstance(value, str) and name in LISTS:
        return tuple(value.split("|"))
    return value.date() if isinstance(value, dt.datetime) else value
