"""What a page does before its visitor comes, and when: read the state that its link carries, say.

A page is made before anyone asks for it, so its notebook cannot read a visitor's query; while
nobody asks, it may find what most will ask for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

_waiting: list[Callable[[str], None]] = []
_to_prepare: list[Iterator[None]] = []


def beforehand(steps: Iterator[None]) -> None:
    """Have `steps` done one by one while no visitor comes; what they leave is shared by all.

    Under a stock Voilà or JupyterLab they never are: nothing may depend on them but time.
    """
    _to_prepare.append(steps)


def prepare() -> bool:
    """Do the next step; return False where none is left."""
    while _to_prepare:
        for _ in _to_prepare[0]:
            return True
        _to_prepare.pop(0)
    return False


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
