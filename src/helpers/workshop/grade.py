"""Hold the methods of all rooms against known truths: `make grade` (SIZE, ROOMS).

`python -m helpers.workshop.grade [--size tiny|small|full] [ROOM[:TRIAL] …]` runs the trials that
rooms tell (`TRIALS`), puts what they show into the one table that is kept, and writes the page of
it; what is not asked for keeps its rows. `tiny` shows that all run, and keeps nothing. `--page`
writes the page alone; `--check` tells whether table and page are sound, and runs nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from threadpoolctl import threadpool_limits

from helpers.core.base import commands
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import find_root
from helpers.core.stage import grades_table
from helpers.core.stage.grades_table import Row
from helpers.core.stats.grading import SEEDS, Line, Trial
from helpers.workshop import grade_page
from helpers.workshop.command_line import Parser

SIZES = {"tiny": 0.0, "small": 0.2, "full": 1.0}
FEWEST = 2  # replicates of the smallest size
NO_SEED = 0  # of what nothing is drawn


@dataclass(frozen=True)
class Told:
    """A trial, and the room that tells it."""

    room: str
    trial: Trial

    @property
    def names(self) -> frozenset[str]:
        """What it may be asked for by."""
        return frozenset((self.room, f"{self.room}:{self.trial.name}"))


def trials(root: Path) -> list[Told]:
    """Return the trials of all rooms, room by room."""
    found = []
    for path in sorted((root / "src/helpers").glob("*/*.py")):
        if path.stem in ("grades", "graded") or path.stem.endswith("_grades"):
            module = import_module(f"helpers.{path.parent.name}.{path.stem}")
            told: tuple[Trial, ...] = getattr(module, "TRIALS", ())
            found += [Told(path.parent.name, one) for one in told]
    return found


def known(root: Path) -> list[str]:
    """Return the names of all trials, by which each may be asked for."""
    return [f"{one.room}:{one.trial.name}" for one in trials(root)]


def measured(one: Told, size: str) -> list[Row]:
    """Return the rows of a trial, at a size, over all seeds."""
    tries = max(FEWEST, round(SIZES[size] * one.trial.tries))
    seeds = SEEDS if one.trial.drawn else (NO_SEED,)
    lines: dict[tuple[str, str], dict[int, Line]] = {}
    for seed in seeds if size != "tiny" else seeds[:1]:
        for line in one.trial.run(seed, tries):
            lines.setdefault((line.what, line.setting), {})[seed] = line
    command = f"make grade ROOMS={one.room}:{one.trial.name} SIZE={size}"
    return [grades_table.row(one.room, one.trial.name, by, command) for by in lines.values()]


def run(root: Path, rooms: list[str], size: str) -> Iterator[tuple[Told, list[Row] | None, float]]:
    """Yield each trial of the rooms asked for (all, if none) with its rows, and how long it took.

    None instead of rows where what it needs is not there.
    """
    listed = trials(root)
    unknown = set(rooms) - {name for one in listed for name in one.names}
    if unknown:
        raise PhareError(
            f"pas d'épreuve de : {', '.join(sorted(unknown))}", "make grade",
            f"choisir parmi {', '.join(dict.fromkeys(one.room for one in listed))}",
        )  # fmt: skip
    for one in listed:
        if rooms and not one.names.intersection(rooms):
            continue
        began = time.monotonic()
        there = all((root / name).exists() for name in one.trial.needs)
        yield one, measured(one, size) if there else None, time.monotonic() - began


def merged(root: Path, kept: list[Row], told: Told, rows: list[Row]) -> list[Row]:
    """Return the rows kept with those of a trial in place of its old ones, in the trials' order."""
    key = (told.room, told.trial.name)
    place = {(one.room, one.trial.name): i for i, one in enumerate(trials(root))}
    others = [one for one in kept if (one.room, one.trial) != key]
    known = [one for one in (*others, *rows) if (one.room, one.trial) in place]
    return sorted(known, key=lambda one: place[one.room, one.trial])


@commands.told
def main() -> int:
    """Run the trials asked for, or check what is kept."""
    asked = Parser()
    asked.add_argument("rooms", nargs="*")
    asked.add_argument("--size", choices=list(SIZES), default="small")
    asked.add_argument("--page", action="store_true")
    asked.add_argument("--check", action="store_true")
    given, root = asked.parse_args(), find_root()
    if given.page or given.check:
        return grade_page.keep(root, known(root), check=given.check)
    with threadpool_limits(1):  # matrices are small: threads would wait for one another
        for told, rows, seconds in run(root, given.rooms, given.size):
            name = f"{told.room} : {told.trial.name}"
            if rows is None:
                print(f"{name} : pas mesuré, il manque {', '.join(told.trial.needs)}", flush=True)
                continue
            print(f"{name} ({seconds:.0f} s)", flush=True)
            for one in rows:
                print(f"  {grade_page.said(one)}", flush=True)
            if given.size != "tiny":
                grades_table.write(root, merged(root, grades_table.read(root), told, rows))
    return grade_page.keep(root, known(root), check=False) if given.size != "tiny" else 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
