"""One shape for what methods hold of what they promise, on truths that are known.

A room tells its trials as `TRIALS`, in a module `grades` (or `…_grades`, `graded`); `make grade`
runs those of all rooms, and writes one table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

# The first two served while methods were chosen; the last one never did, and is told apart.
SEEDS = (1, 2, 4057)
Asked = tuple[float | None, float | None]  # what is promised: least and most, None without


@dataclass(frozen=True)
class Line:
    """A promise and what was seen of it: a mean of `tried` values, with its Monte-Carlo error.

    `what` and `setting` are for readers; `beside`: the same of the method that a reader would
    otherwise take (`usual`), on the same draws, None without one.
    """

    what: str
    setting: str
    asked: Asked
    observed: float
    error: float
    tried: int
    usual: str = ""
    beside: float | None = None


@dataclass(frozen=True)
class Trial:
    """One way to hold methods against truth: `run(seed, tries)` yields its lines.

    `tries`: replicates a seed at full size. `needs`: files, beneath the workspace, without which it
    is passed over; those of real data are `drawn` no more than once.
    """

    name: str
    tries: int
    run: Callable[[int, int], Iterable[Line]]
    needs: tuple[str, ...] = ()
    drawn: bool = True


def seen(
    what: str, setting: str, asked: Asked, values: ArrayLike, usual: str = "",
    beside: ArrayLike | None = None, *, share: bool = True,
) -> Line:  # fmt: skip
    """Return the line of these values, one a replicate; yes and no count 1 and 0.

    The error is that of the mean; of a share, that of half a yes and half a no more, so that none
    seen in few tries is not told without error. `share`: yes and no are such; else they are counts
    that happen to be small. NaN (nothing could be said) is left out.
    """
    told = np.asarray(values, dtype=np.float64).ravel()
    told = told[np.isfinite(told)]
    if not len(told):
        return Line(what, setting, asked, float("nan"), float("nan"), 0)
    mean = float(told.mean())
    if share and np.isin(told, (0.0, 1.0)).all():
        near = (told.sum() + 0.5) / (len(told) + 1)
        error = float(np.sqrt(near * (1 - near) / len(told)))
    else:
        error = float(told.std(ddof=1) / np.sqrt(len(told))) if len(told) > 1 else float("nan")
    other = None if beside is None else float(np.nanmean(np.asarray(beside, dtype=np.float64)))
    return Line(what, setting, asked, mean, error, len(told), usual, other)


def pooled(lines: Sequence[Line]) -> Line:
    """Return the lines of several seeds as one: means by tries, errors put together."""
    told = [one for one in lines if one.tried]
    if not told:
        return lines[0]
    n = np.array([one.tried for one in told], dtype=np.float64)
    part = n / n.sum()
    error = float(np.sqrt(sum((p * one.error) ** 2 for p, one in zip(part, told, strict=True))))
    beside = [one.beside for one in told]
    other = None if None in beside else float(part @ np.array(beside, dtype=np.float64))
    return Line(
        told[0].what, told[0].setting, told[0].asked,
        float(part @ [one.observed for one in told]), error, int(n.sum()), told[0].usual, other,
    )  # fmt: skip


def held(observed: float, error: float, asked: Asked) -> bool | None:
    """Tell whether what was seen is what was promised, two errors apart; None where nothing was."""
    least, most = asked
    if (least is None and most is None) or not np.isfinite(observed):
        return None
    reach = 2 * error if np.isfinite(error) else 0.0
    return (least is None or observed >= least - reach) and (
        most is None or observed <= most + reach
    )
