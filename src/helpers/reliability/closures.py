"""Closures that the pack declares: what is missing then is no silence of the source."""

from __future__ import annotations

import pyarrow as pa

from helpers.core.city.city import City
from helpers.core.city.coverage import NOT_COVERED

CLOSED = "closed"  # why a day is missing: the pack said that nothing would come


def marked(days: pa.Table, city: City) -> pa.Table:
    """Return the days (`silence.DAYS`), those missing in a declared closure with reason CLOSED.

    A day that the contract does not cover stays so: nothing was awaited of it, closed or not.
    """
    shut = [one for one in city.about.milestones if one.closed]
    reasons = [
        CLOSED
        if status == "missing"
        and reason != NOT_COVERED
        and any(source in one.sources and one.start <= day <= (one.end or day) for one in shut)
        else reason
        for source, day, status, reason in zip(
            *(days[name].to_pylist() for name in ("source", "day", "status", "reason")),
            strict=True,
        )
    ]
    at = days.schema.get_field_index("reason")
    return days.set_column(at, days.schema.field("reason"), pa.array(reasons, pa.string()))
