"""Yearly numbers of staff by commune: what the source says, edition by edition, and its table.

Nothing is interpolated, smoothed or mended: a number that is doubtful keeps its value, with a grade
and the signs that make it so (`staff_signs`).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.core.base import store
from helpers.core.base.store import quote
from helpers.core.city import contract_sql
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.core.city.names import CONFLICT, DUPLICATE, REPLACED, ROW
from helpers.core.city.staff_rules import StaffRules

HEADED = ("csv", "xlsx")  # whose first line has the names of columns


@dataclass(frozen=True)
class Row:
    """What the source says of a commune and year; None where it does not say."""

    commune: str
    year: int
    counts: Mapping[str, float | None]
    population: float | None
    following: float | None  # population of the year after, as this row says it
    merged: bool | None
    pooled: bool | None
    line: int  # of the file; its number, where no line has the names of columns
    delivery: int  # number of the file, from 1

    def differs(self, other: Row) -> tuple[str, ...]:
        """Return the counts that two rows tell otherwise."""
        return tuple(name for name, n in self.counts.items() if n != other.counts[name])


Series = Mapping[int, Row]  # year → row, of one commune


@dataclass(frozen=True)
class Held:
    """All that was read: `rows` (commune → year → row) are those in use.

    `refused`: rows of a key told twice, none of which is in use. `aside`: rows that break a rule of
    the contract, with its reason. `editions`: the file's name and all its sound rows, in order;
    `absent`: of each, the fields whose column it does not have, with the place of a near header.
    """

    rows: Mapping[str, Series]
    refused: Mapping[tuple[str, int], Sequence[Row]]
    aside: Sequence[tuple[Row, str]]
    editions: Sequence[tuple[str, Mapping[str, Series]]]
    absent: Sequence[Mapping[str, int]]

    @property
    def years(self) -> range:
        """The years from the first to the last that any commune has."""
        told = [year for series in self.rows.values() for year in series]
        told += [year for _, year in self.refused]
        return range(min(told), max(told) + 1) if told else range(0)


def read(
    city: City, rules: StaffRules, raw: Path, out: Path, files: Sequence[Mapping[str, Any]]
) -> Held:
    """Return what the source of `rules` says, from what `ingest` wrote under `out`.

    `files`: the receipts of its files, in the order in which they were taken in.
    """
    contract = city.contracts[rules.source]
    name = f"{rules.source}.parquet"
    headed = {one.version: one.file.format in HEADED for one in contract.every_edition()}
    before = itertools.accumulate((one["rows"] for one in files), initial=0)
    # What to take from the number of a row, over all files, to have its line in its own.
    starts = [n - headed[one["edition"]] for n, one in zip(before, files, strict=False)]
    typed = _typed(contract, rules, city.about.timezone)
    con = store.connect()
    for view, path in (
        ("raw", raw / name), ("accepted", out / "accepted" / name),
        ("quarantined", out / "quarantined" / name),
    ):  # fmt: skip
        store.view(con, view, path)
    fields = ", ".join(map(quote, rules.fields()))
    # What is in use of an accepted row may hold what an earlier file said (`silent_columns`).
    kept = {row[ROW]: row for row in store.records(con, f"SELECT {fields}, {ROW} FROM accepted")}
    rows = store.records(
        con,
        f"SELECT {typed}, {ROW}, delivery, NULL AS reason FROM raw "
        f"JOIN (SELECT {ROW} FROM accepted) USING ({ROW}) UNION ALL "
        f"SELECT {typed}, {ROW}, delivery, reason FROM quarantined ORDER BY {ROW}",
    )
    con.close()
    used = [_row({**row, **kept[row[ROW]]}, rules, starts) for row in rows if row[ROW] in kept]
    return _held([(_row(row, rules, starts), row["reason"]) for row in rows], used, files)


def _typed(contract: Contract, rules: StaffRules, timezone: str) -> str:
    """Return the SQL of the fields of `rules` in their types, from their texts."""
    zone = contract.timezone or timezone
    return ", ".join(
        f"{contract_sql.typed(contract_sql.text(name, rule), rule, contract.file.decimal, zone)} "
        f"AS {quote(name)}"
        for name in rules.fields()
        for rule in [contract.fields[name]]
    )


def _row(row: Mapping[str, Any], rules: StaffRules, starts: Sequence[int]) -> Row:
    delivery = row["delivery"]
    counts = {name: row[name] for name in rules.counts}
    return Row(
        row[rules.commune] or "", row[rules.year] or 0, counts,
        row[rules.population] if rules.population else None,
        row[rules.next_population] if rules.next_population else None,
        row[rules.merged] if rules.merged else None, row[rules.pooled] if rules.pooled else None,
        row[ROW] - starts[delivery - 1], delivery,
    )  # fmt: skip


def _held(
    rows: Sequence[tuple[Row, str | None]], accepted: Sequence[Row],
    files: Sequence[Mapping[str, Any]],
) -> Held:  # fmt: skip
    used = {(row.commune, row.year): row for row in accepted}
    refused: dict[tuple[str, int], list[Row]] = {}
    aside: list[tuple[Row, str]] = []
    sound: list[Row] = []
    for row, reason in rows:
        key = (row.commune, row.year)
        if reason == CONFLICT:
            refused.setdefault(key, []).append(row)
        elif reason not in (None, DUPLICATE, REPLACED):
            aside.append((row, reason))
        if reason in (None, DUPLICATE, REPLACED):
            sound.append(row)
    for key, others in refused.items():
        others.append(used.pop(key))
        others.sort(key=lambda row: (row.delivery, row.line))
    return Held(
        by_commune(list(used.values())), refused, aside,
        [(str(one["file"]), by_commune([row for row in sound if row.delivery == i]))
         for i, one in enumerate(files, start=1)],
        [one["fields_absent"] for one in files],
    )  # fmt: skip


def by_commune(rows: Sequence[Row]) -> dict[str, dict[int, Row]]:
    """Return commune → year → row, in order."""
    found: dict[str, dict[int, Row]] = {}
    for row in sorted(rows, key=lambda row: (row.commune, row.year)):
        found.setdefault(row.commune, {})[row.year] = row
    return found
