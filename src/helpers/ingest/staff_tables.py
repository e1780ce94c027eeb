"""Yearly numbers of staff, each with its grade and the signs that make it so; and those signs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from helpers.core.city import remark, staff_codes, staff_rules
from helpers.core.city.city import City
from helpers.core.city.remark import Remark
from helpers.core.city.staff_codes import GRADES
from helpers.core.city.staff_rules import StaffRules
from helpers.ingest import staff, staff_editions, staff_signs
from helpers.ingest.knobs import Knobs
from helpers.ingest.staff import Held
from helpers.ingest.staff_signs import Sign

# What the end of a run sums up, of all signs (`core.stage.remark_words`).
SUMMED = {
    "refused": (staff_codes.REFUSED,), "set_aside": (staff_codes.SET_ASIDE,),
    "missing": (staff_codes.MISSING,), "untold": (staff_codes.UNTOLD,),
    "shifted": (staff_codes.YEAR_SHIFTED, staff_codes.EDITION_SHIFTED, staff_codes.COLUMN_SHIFTED,
                staff_codes.COLUMN_YEAR, staff_codes.SWAPPED),
    "bridge": (staff_codes.BRIDGE_BROKEN, staff_codes.BRIDGE_MISSING, staff_codes.BRIDGE_COPIED,
               staff_codes.NO_POPULATION, staff_codes.EDITIONS_APART, staff_codes.NO_OVERLAP),
    "jump": (staff_codes.JUMP,), "copied": (staff_codes.COPIED, staff_codes.CONSTANT),
    "placeholder": (staff_codes.PLACEHOLDER,), "revised": (staff_codes.REVISED,),
    "marked": (staff_codes.MERGED, staff_codes.POOLED),
}  # fmt: skip


@dataclass(frozen=True)
class Staff:
    """What a city's source of staff says, and the signs found in it."""

    rules: StaffRules
    held: Held
    signs: Sequence[Sign]


def read(
    city: City, raw: Path, out: Path, receipts: Mapping[str, Mapping[str, Any]], knobs: Knobs
) -> Staff | None:
    """Return the staff of a city that gives it, from what `ingest` wrote; None of another."""
    rules = staff_rules.read_rules(city)
    if rules is None:
        return None
    held = staff.read(city, rules, raw, out, receipts[rules.source]["files"])
    found = staff_signs.find(held, rules, city.contracts[rules.source], knobs)
    return Staff(rules, held, staff_signs.ordered([*found, *staff_editions.find(held, rules)]))


def remarks(found: Staff | None) -> list[Remark]:
    """Return the signs summed up, as one remark; none where there is nothing to say."""
    if found is None:
        return []
    counts = {name: sum(size(one) for one in found.signs if one.code in codes)
              for name, codes in SUMMED.items()}  # fmt: skip
    names = tuple(name for name, n in counts.items() if n)
    sizes = tuple(float(counts[name]) for name in names)
    rows = sum(len(series) for series in found.held.rows.values())
    told = Remark(remark.STAFF, source=found.rules.source, names=names, sizes=sizes, n=rows)
    return [told] if names else []


def size(sign: Sign) -> int:
    """Return what a sign counts for: as many as there are years without a number, or one."""
    return len(sign.years) if sign.code in (staff_codes.MISSING, staff_codes.UNTOLD) else 1


SCHEMA = pa.schema(
    [
        ("commune", pa.string()), ("year", pa.int64()), ("kind", pa.string()),
        ("value", pa.float64()), ("population", pa.float64()), ("grade", pa.string()),
        ("signs", pa.list_(pa.string())),
    ]
)  # fmt: skip
SIGNS = pa.schema(
    [
        ("code", pa.string()), ("commune", pa.string()), ("kinds", pa.list_(pa.string())),
        ("years", pa.list_(pa.int64())), ("first", pa.int64()), ("last", pa.int64()),
        ("before", pa.float64()), ("after", pa.float64()), ("names", pa.list_(pa.string())),
        ("lines", pa.list_(pa.int64())),
    ]
)  # fmt: skip


def numbers(found: Staff | None) -> pa.Table:
    """Return a row of SCHEMA a commune, kind, and year from the first to the last that has it.

    `value` is as told, null where it is not; `grade`: the worst of the signs that touch it.
    """
    if found is None:
        return SCHEMA.empty_table()
    held, rules = found.held, found.rules
    spans = staff_signs.spans(held, rules)
    of: dict[str, list[Sign]] = {}
    for one in found.signs:
        if GRADES[one.code]:
            of.setdefault(one.commune, []).append(one)
    communes = sorted({*held.rows, *of} - {""})
    rows = []
    for commune, year, kind in itertools.product(communes, held.years, rules.counts):
        if year not in spans[kind]:
            continue
        row = held.rows.get(commune, {}).get(year)
        value = row.counts[kind] if row else None
        touching = [
            one
            for one in (*of.get("", ()), *of.get(commune, ()))
            if year in one.years and (not one.kinds or kind in one.kinds)
        ]
        unsaid = "D" if value is None else "A"
        rows.append(
            {
                "commune": commune, "year": year, "kind": kind, "value": value,
                "population": row.population if row else None,
                "grade": max(unsaid, *(GRADES[one.code] for one in touching), ""),
                "signs": list(dict.fromkeys(one.code for one in touching)),
            }
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def signs(found: Staff | None) -> pa.Table:
    """Return the signs as rows of SIGNS."""
    told = found.signs if found else ()
    rows = [{name: getattr(one, name) for name in SIGNS.names} for one in told]
    return pa.Table.from_pylist(rows, schema=SIGNS)
