"""Days that a source brought in part: told, and not taken for quiet ones, unless the pack says so.

Such a day is kept as it came (`status` ok): nothing tells it from one that was truly quiet. What
compares days with days (`situation`) says nothing of a source that has them, and no whole day among
them is extraordinary.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.stats.days_in_part import days_in_part

IN_PART = "in_part"  # the reason of such a day


def days(table: pa.Table, source: str) -> set[dt.date]:
    """Return the days that the source brought in part, of rows of `silence.DAYS`."""
    kept = table.filter((pc.field("source") == source) & (pc.field("reason") == IN_PART))
    return set(kept["day"].to_pylist())


def marked(days: pa.Table, city: City) -> pa.Table:
    """Return the days (`silence.DAYS`), those received in part with reason IN_PART."""
    reasons = np.array(days["reason"].to_pylist(), dtype=object)
    whole = np.asarray(pc.equal(days["division"], WHOLE))
    sources = np.array(days["source"].to_pylist(), dtype=object)
    for source in dict.fromkeys(sources[whole].tolist()):
        rule = city.contracts[source].observation
        if rule is None or rule.quiet_days:
            continue
        here = np.flatnonzero(whole & (sources == source))
        n = days["n"].to_numpy()[here].astype(float)
        heard = np.asarray(pc.equal(days["status"], "ok"))[here]
        found = days_in_part(n, days["day"][int(here[0])].as_py().weekday())
        reasons[here[found & heard]] = IN_PART
    at = days.schema.get_field_index("reason")
    return days.set_column(at, days.schema.field("reason"), pa.array(reasons, pa.string()))
