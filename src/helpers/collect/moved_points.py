"""Points of an edition written in another reference system than the contract's, brought to it.

Before anything is judged: the bounds, the grid and the sign of a point are those of the contract.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.collect import closed
from helpers.core.city.contract import Contract, Edition
from helpers.core.place_time.territory import project

DECIMALS = {"mètres": 2, "pieds": 2}  # a centimetre, or less
OF_DEGREES = 7
OFF_THE_GLOBE = "hors du globe"


def moved(contract: Contract, edition: Edition, read: pa.Table) -> pa.Table:
    """Return the rows `read` with their points in the contract's `coordinates_crs`.

    A coordinate that is no number stays as it came, for its rule to tell; one that lies off the
    globe in the contract's system has no number there, and is told like it.
    """
    rule, point = contract.observation, contract.point
    told = edition.coordinates_crs
    if rule is None or point is None or told in ("", rule.coordinates_crs):
        return read
    if not all(name in read.column_names for name in point):
        return read
    texts = [read[name].combine_chunks() for name in point]
    rules = [contract.fields[name] for name in point]
    bare = [closed.trimmed(one, text) for one, text in zip(rules, texts, strict=True)]
    numbers = [closed.number(contract, text) for text in bare]
    both = pc.and_(*(pc.is_valid(one) for one in numbers))
    east, north = (
        pc.if_else(both, one, None).to_numpy(zero_copy_only=False).astype(np.float64)
        for one in numbers
    )
    for name, text, values in zip(
        point, texts, project(east, north, rule.coordinates_crs, told), strict=True
    ):
        digits = DECIMALS.get(contract.fields[name].unit, OF_DEGREES)
        written = pa.array(
            [f"{value:.{digits}f}" if np.isfinite(value) else OFF_THE_GLOBE for value in values]
        )
        if contract.file.decimal == ",":
            written = pc.replace_substring(written, ".", ",")
        place = read.column_names.index(name)
        read = read.set_column(place, name, pc.if_else(both, written, text))
    return read
