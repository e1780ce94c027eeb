"""Headers of a file beside the columns of its contract: the same but for their writing, or near.

An office's spreadsheet turns « d'agents » into « d’agents », and a space into one that does not
break: that is the same column. What is only near is never read: it is told by its place, because a
name that the contract does not write may be a person's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

import pyarrow as pa

from helpers.connect.reading import Reading

NEAR = 0.8  # of two headers without accents, by Ratcliff and Obershelp: as near, and it is told
SHORT = 4  # letters: shorter names are near one another by chance
APOSTROPHES = re.compile("[’‘‛ʼ′`´＇]")
DASHES = re.compile("[‐‑‒–—―−]")
UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def bare(name: str) -> str:
    """Return a header without what its writing alone tells: case, apostrophes, dashes, spaces."""
    text = unicodedata.normalize("NFKC", UNSEEN.sub("", APOSTROPHES.sub("'", name)))
    return " ".join(DASHES.sub("-", text).casefold().split())


def alike(
    wanted: Collection[str], offered: Sequence[str], taken: Collection[str]
) -> dict[str, str]:
    """Return header offered → column of the contract that it is, written otherwise.

    Of the columns `wanted` that are not offered as they are written. Two headers that may be the
    same column, or two columns that may be the same header, are left: nothing tells which. What is
    `taken` is something else already.
    """
    columns = _by_writing(one for one in wanted if one not in offered and one[:1] != "@")
    headers = _by_writing(one for one in offered if one not in wanted and one not in taken)
    return {
        headers[writing][0]: names[0]
        for writing, names in columns.items()
        if len(names) == 1 and len(headers.get(writing, ())) == 1
    }


def _by_writing(names: Iterator[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(bare(name), []).append(name)
    return found


def renamed(reading: Reading, names: Mapping[str, str]) -> Reading:
    """Return the reading with its columns called as `names` (header → column) says."""

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reading.batches:
            yield batch.rename_columns([names.get(one, one) for one in batch.schema.names])

    return Reading([names.get(one, one) for one in reading.columns], batches())


def nearest(column: str, offered: Sequence[str], named: Collection[str]) -> int:
    """Return the place, from 1, of the header nearest to an absent column; 0 where none is near.

    Of those that are not `named` by the contract.
    """
    wanted = _unaccented(column)
    found = [
        (SequenceMatcher(None, wanted, _unaccented(one), autojunk=False).ratio(), -place)
        for place, one in enumerate(offered, start=1)
        if one not in named and min(len(one), len(column)) >= SHORT
    ]
    ratio, place = max(found, default=(0.0, 0))
    return -place if ratio >= NEAR else 0


def _unaccented(name: str) -> str:
    apart = unicodedata.normalize("NFKD", bare(name))
    return "".join(one for one in apart if not unicodedata.combining(one))
