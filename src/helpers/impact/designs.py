"""What the readings beside a verdict are called in tables: codes, and the table's columns.

Apart from `beside`, which makes them: whoever reads the table needs none of its libraries.
"""

from __future__ import annotations

import pyarrow as pa

PLACES, SYNTHETIC, TWICE, BLOCKS, SERIES, RING, MONTH = (
    "places", "synthetic", "synthetic_difference", "micro_synthetic", "own_series",
    "weighted_displacement", "month_before",
)  # fmt: skip
# Those of the effect, then that of the weeks just before.
READINGS = (PLACES, SYNTHETIC, TWICE, BLOCKS, SERIES, RING)
DESIGNS = (*READINGS, MONTH)
OF_FACTS = (RING,)  # designs that read a number of facts; the others a ratio
AGREE = (PLACES, SYNTHETIC, TWICE, BLOCKS, SERIES)  # those that read the ratio of the verdict
FEW_PLACES, UNREAD = "few_places", "unread"
BESIDE = pa.schema(
    [
        ("scope", pa.string()), ("key", pa.string()), ("design", pa.string()),
        ("value", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("chance", pa.float64()), ("places", pa.int64()), ("least", pa.float64()),
        ("most", pa.float64()), ("wrong", pa.int64()), ("tried", pa.int64()),
        ("reason", pa.string()),
    ]
)  # fmt: skip
