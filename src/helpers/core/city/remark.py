"""What is odd in what came in, as a code and its numbers: words are put to it where it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

# Of the zones of a division.
MENDED, UNITED, SLIVERS = "outline_mended", "rows_united", "slivers"
WITHOUT_NAME, WITHOUT_ZONE = "zones_without_name", "names_without_zone"
# Of what a source of facts says.
UNKNOWN_ZONES, WRITTEN_OTHERWISE = "unknown_zones", "zones_written_otherwise"
MOSTLY_OUTSIDE, NO_READABLE_PLACE = "mostly_outside", "no_readable_place"
DAY_OR_MONTH, OWN_TOTALS, CUMULATED = "day_or_month", "own_totals", "cumulated"
TWELVE_HOURS = "twelve_hours"  # `sizes`: the deliveries, where there are several
MIXED_DATES = "mixed_dates"  # `n`: set aside; `of`: read in either order
# Between deliveries; `field`: the key, if there is one.
TWICE, DROPPED, REUSED, ORDER_DENIED = "twice", "dropped", "key_reused", "order_denied"
# `sizes`: metres between the points; `names`: the year, where it is of one; `of`: the points.
FEW_POINTS = "few_points"
HEAP_AMONG_SNAPPED, SNAPPED_ON_EDGE = "heap_among_snapped", "snapped_on_edge"
ZONE_SAID_OTHERWISE = "zone_said_otherwise"
NOT_COVERED_FACTS = "facts_not_covered"  # `names`: categories; `sizes`: facts of each
# `names`: the file, then columns; `sizes`: of each, the place of a near header; `n`: of the other
# files, those that have one of these columns.
COLUMNS_ABSENT = "columns_absent"
WIDE_LEFT = "wide_columns_left"  # `names`: the file; `sizes`: the places of its columns
STAFF = "staff"  # of a source of yearly numbers of staff: `names` and `sizes` are signs, counted
GONE_BY_WEEK, GONE_BY_MONTH = "categories_gone_by_week", "categories_gone_by_month"
# `names`: first day absent and first day told again, each empty at an end of the period, then the
# category, or spans of three hours; `sizes`: weeks, or months.
AWAY, HOURS_AWAY = "category_away", "hours_away"
IN_PART = "days_in_part"  # `n` of the `of` days
# Of the calendar that city.yaml names.
HOLIDAYS_OF_FRANCE, SCHOOL_YEARS = "holidays_of_france", "school_years"


@dataclass(frozen=True)
class Remark:
    """One thing odd, and where: what each field holds hangs on the `code`.

    `names`: zones; `sizes`: a number of each, or two surfaces in square metres; `n` rows or facts,
    `of` as many.
    """

    code: str
    division: str = ""
    source: str = ""
    field: str = ""
    grouping_of: str = ""
    names: tuple[str, ...] = ()
    sizes: tuple[float, ...] = ()
    n: int = 0
    of: int = 0


LISTS = ("names", "sizes")
SCHEMA = pa.schema(
    [
        ("rank", pa.int64()), ("code", pa.string()), ("division", pa.string()),
        ("source", pa.string()), ("field", pa.string()), ("grouping_of", pa.string()),
        ("names", pa.list_(pa.string())), ("sizes", pa.list_(pa.float64())), ("n", pa.int64()),
        ("of", pa.int64()),
    ]
)  # fmt: skip


def table(told: Sequence[Remark]) -> pa.Table:
    """Return the remarks as rows of SCHEMA, in their order."""
    columns: dict[str, list[Any]] = {"rank": list(range(len(told)))}
    for field in fields(Remark):
        columns[field.name] = [getattr(one, field.name) for one in told]
    return pa.table(columns, schema=SCHEMA)


def read(rows: Iterable[dict[str, Any]]) -> list[Remark]:
    """Return the remarks of rows of SCHEMA, in the order of their ranks."""
    ordered = sorted(rows, key=lambda row: int(row["rank"]))
    told: list[Remark] = []
    for row in ordered:
        values: dict[str, Any] = {field.name: row[field.name] for field in fields(Remark)}
        told.append(Remark(**values | {name: tuple(row[name]) for name in LISTS}))
    return told
