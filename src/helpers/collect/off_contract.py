"""What came in a field and is off the contract: where, which rule it breaks, who may be in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from helpers.collect import persons

REMEMBERED = 500_000  # texts already screened: codes and names of places come again and again


@dataclass(frozen=True)
class Off:
    """What is off the contract in a field: the `rows` (n,), the `rules` they break, the `texts`."""

    rows: npt.NDArray[np.uint64]
    rules: pa.Array
    texts: pa.Array


class Screen:
    """`persons.screen`, that remembers the texts it has seen."""

    def __init__(self) -> None:
        self.seen: dict[str, str | None] = {}

    def of_each(self, fields: Sequence[Off]) -> list[pa.Array]:
        """Return the reasons of each field's texts, all looked at together."""
        if not fields:
            return []
        reasons = self.reasons(pa.concat_arrays([one.texts for one in fields]))
        ends = np.cumsum([len(one.texts) for one in fields]).tolist()
        return [reasons[end - len(one.texts) : end] for one, end in zip(fields, ends, strict=True)]

    def reasons(self, texts: pa.Array) -> pa.Array:
        """Return why somebody may be recognised in each text (n,), null where nobody is."""
        different = pc.unique(texts.drop_null())
        met = different.to_pylist()
        new = [text for text in met if text not in self.seen]
        if len(self.seen) + len(new) > REMEMBERED:
            self.seen.clear()
            new = met
        if new:  # all at once: one by one would cost a hundred times
            reasons = persons.screen(pa.array(new, pa.string())).to_pylist()
            self.seen.update(zip(new, reasons, strict=True))
        told = pa.array([self.seen[text] for text in met], pa.string())
        return pc.take(told, pc.index_in(texts, different))
