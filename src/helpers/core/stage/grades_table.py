"""What was measured of methods, as it is kept: `docs/methodes/grades.json`, one row a promise.

Codes and numbers, and the labels that rooms give; read by the page of the note and by the app.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.core.base.errors import PhareError
from helpers.core.stats.grading import SEEDS, Asked, Line, held, pooled

FILE = "docs/methodes/grades.json"
DIGITS = 4


@dataclass(frozen=True)
class Row:
    """A promise, what was seen over all seeds, by seed, and beside; and how to see it again.

    `error` is that of Monte-Carlo, None of real data; `tried`: replicates in all; `beside`: what
    `usual`, the method that a reader would otherwise take, gives on the same draws.
    """

    room: str
    trial: str
    what: str
    setting: str
    asked: Asked
    observed: float | None
    error: float | None
    tried: int
    usual: str
    beside: float | None
    by_seed: tuple[float | None, ...]
    seeds: tuple[int, ...]
    command: str

    @property
    def label(self) -> str:
        """The promise and its world, numbers with their comma."""
        return with_commas(f"{self.what} ({self.setting})")

    @property
    def held(self) -> bool | None:
        """Whether what was promised was seen, two errors apart; None where nothing was."""
        if self.observed is None:
            return None
        return held(self.observed, self.error or 0.0, self.asked)


def with_commas(text: str) -> str:
    """Return the text with decimal commas: rooms label by numbers as Python writes them."""
    return re.sub(r"(?<=\d)\.(?=\d)", ",", text)


def row(room: str, trial: str, lines: dict[int, Line], command: str) -> Row:
    """Return the row of a promise of these lines, one a seed."""
    one = pooled(list(lines.values()))
    return Row(
        room, trial, one.what, one.setting, one.asked, _told(one.observed), _told(one.error),
        one.tried, one.usual, _told(one.beside), tuple(_told(x.observed) for x in lines.values()),
        tuple(lines), command,
    )  # fmt: skip


def _told(value: float | None) -> float | None:
    return round(value, DIGITS) if value is not None and np.isfinite(value) else None


def read(root: Path) -> list[Row]:
    """Return the rows as they are kept; none where nothing was measured yet.

    A `PhareError` says that the file is not what `make grade` writes.
    """
    path = root / FILE
    if not path.is_file():
        return []
    try:
        told = json.loads(path.read_text(encoding="utf-8"))["rows"]
        rows = [_as_row(one) for one in told]
    except (ValueError, KeyError, TypeError) as error:
        raise PhareError(
            "la table des épreuves n'est pas lisible", FILE, "lancer `make grade`"
        ) from error
    wrong = [one for one in rows if not _sound(one)]
    if wrong:
        raise PhareError(
            f"la table des épreuves ne se lit pas : {wrong[0].what} ({wrong[0].setting})", FILE,
            f"lancer `make grade ROOMS={wrong[0].room}`",
        )  # fmt: skip
    return rows


def _as_row(told: dict[str, Any]) -> Row:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}
    return Row(**values)


def _sound(one: Row) -> bool:
    """Tell whether a row says all that it should, and nothing that cannot be."""
    both = (one.usual == "") == (one.beside is None)
    seeds = len(one.by_seed) == len(one.seeds) > 0 and set(one.seeds) <= {*SEEDS, 0}
    return both and seeds and one.tried >= 0 and len(one.asked) == 2 and bool(one.command)


def write(root: Path, rows: list[Row]) -> None:
    """Keep the rows, in the order given, one a line."""
    told = ",\n".join(json.dumps(asdict(one), ensure_ascii=False) for one in rows)
    (root / FILE).write_text(f'{{"rows": [\n{told}\n]}}\n', encoding="utf-8")
