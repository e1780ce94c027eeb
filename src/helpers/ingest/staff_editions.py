"""What each edition of numbers of staff says of those before it: shifted, revised, silent."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from helpers.core.city.staff_codes import COLUMN_ABSENT, EDITION_SHIFTED, EDITIONS_APART, REVISED
from helpers.core.city.staff_rules import StaffRules
from helpers.ingest.staff import Held, Row, Series
from helpers.ingest.staff_signs import Sign, of_kind, shifted


def find(held: Held, rules: StaffRules) -> Iterator[Sign]:
    """Yield the signs of editions beside one another."""
    shifts = {(one.commune, one.kinds[0]): one for one in _shifted(held, rules)}
    yield from shifts.values()
    yield from _apart(held)
    yield from _absent(held, rules)
    yield from _revised(held, rules, {*shifts})


def _apart(held: Held) -> Iterator[Sign]:
    for (old_name, older), (name, newer) in itertools.pairwise(held.editions):
        old_years, years = _years(older.values()), _years(newer.values())
        if old_years and years and not set(old_years) & set(years):
            yield Sign(EDITIONS_APART, first=old_years[-1], last=years[0], names=(old_name, name))


def _shifted(held: Held, rules: StaffRules) -> Iterator[Sign]:
    for (old_name, older), (name, newer) in itertools.pairwise(held.editions):
        for commune in sorted(set(older) & set(newer)):
            for kind in rules.counts:
                step = shifted(of_kind(older[commune], kind), of_kind(newer[commune], kind))
                if step:
                    touched = tuple(held.rows.get(commune, ()))
                    yield Sign(EDITION_SHIFTED, commune, (kind,), touched, after=step,
                               names=(old_name, name))  # fmt: skip


def _absent(held: Held, rules: StaffRules) -> Iterator[Sign]:
    """Yield the counts whose column an edition does not have: it says nothing of its years."""
    for (name, rows), absent in zip(held.editions, held.absent, strict=True):
        years = _years(rows.values())
        for kind in rules.counts:
            if kind in absent and years:
                near = (absent[kind],) if absent[kind] else ()
                yield Sign(COLUMN_ABSENT, "", (kind,), tuple(years), years[0], years[-1],
                           names=(name,), lines=near)  # fmt: skip


def _revised(held: Held, rules: StaffRules, but: set[tuple[str, str]]) -> Iterator[Sign]:
    """Yield each number that an edition changes of those told before, or takes back.

    Beside the last edition that told that year; not those of `but`, shifted as a whole.
    """
    last: dict[tuple[str, int], tuple[str, Row]] = {}
    for (name, rows), absent in zip(held.editions, held.absent, strict=True):
        for commune, series in rows.items():
            for year, row in series.items():
                old_name, old = last.get((commune, year), (name, row))
                for kind in rules.counts:
                    before, after = old.counts[kind], row.counts[kind]
                    told = before is not None and kind not in absent
                    if told and before != after and (commune, kind) not in but:
                        yield Sign(REVISED, commune, (kind,), (year,), year, year, before, after,
                                   names=(old_name, name))  # fmt: skip
                last[commune, year] = name, row


def _years(series: Iterable[Series]) -> list[int]:
    return sorted({year for one in series for year in one})
