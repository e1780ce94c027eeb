"""What a page does when its visitor comes: read the state that its link carries, say.

A page is prepared before anyone asks for it, so its notebook cannot read a visitor's query.
"""

from __future__ import annotations

import os
from collections.abc import Callable

_waiting: list[Callable[[str], None]] = []


def on_arrival(act: Callable[[str], None]) -> None:
    """Call `act` with the query (`theme=vols&zone=…`) once a visitor is there.

    Under a stock Voilà the visitor is there already: it is called at once.
    """
    if "QUERY_STRING" in os.environ:
        act(os.environ["QUERY_STRING"])
    else:
        _waiting.append(act)


def arrive(query: str) -> None:
    """Tell all that wait; no more of them after that."""
    while _waiting:
        _waiting.pop(0)(query)
