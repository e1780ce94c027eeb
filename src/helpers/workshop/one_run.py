"""One run at a time in a workspace: a lock that lives as long as the run and DVC's process.

The system drops it when the last of them ends, however it ends: there is no stale lock. DVC has
locks of its own, of which one keeps the numbers of processes that may be dead: swept here.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from helpers.core.base.errors import PhareError

LOCK = Path(".dvc/tmp/phare.lock")
LOOKS = Path(".dvc/tmp/phare.looks")  # one look at a time: DVC's locks keep two of them apart
OF_DVC = Path(".dvc/tmp/lock")
IN_USE = Path(".dvc/tmp/rwlock")
BLOCKER = re.compile(r"\(PID (\d+)\)")
NUMBER = re.compile(rb"\d+")
PROCESSES = Path("/proc")
AGAIN_S = 0.1  # a look lasts seconds: a run waits for it

_held: dict[Path, int] = {}


@contextmanager
def alone(root: Path) -> Iterator[int]:
    """Hold the workspace for this process; yield the lock, that DVC's process is to inherit.

    PhareError, naming a process, where another run holds it. Within a block, another serves too.
    """
    if root in _held:
        yield _held[root]
        return
    lock = _opened(root / LOCK)
    try:
        _take(root, lock)
        worked_by(lock, os.getpid())
        sweep(root)
        _held[root] = lock
        yield lock
    finally:
        _held.pop(root, None)
        os.close(lock)


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)


def _take(root: Path, lock: int) -> None:
    """Take the lock for a run, once nobody looks; PhareError where another run holds it."""
    while not _taken(lock, fcntl.LOCK_EX):
        if not _taken(lock, fcntl.LOCK_SH):
            raise under_way(root, _number(root / LOCK))
        fcntl.flock(lock, fcntl.LOCK_UN)
        time.sleep(AGAIN_S)


def _taken(lock: int, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def looking(root: Path) -> Iterator[list[int]]:
    """Look at the workspace while no run works in it; yield locks that DVC's process is to inherit.

    PhareError (`under_way`) where a run holds it, ours or somebody's `dvc repro`: DVC, even asked
    for a state alone, takes locks on which that run would fail. A run that starts meanwhile waits.
    """
    looks, lock = _opened(root / LOOKS), _opened(root / LOCK)
    try:
        fcntl.flock(looks, fcntl.LOCK_EX)
        if not _taken(lock, fcntl.LOCK_SH):
            raise under_way(root, _number(root / LOCK))
        sweep(root)
        yield [looks, lock]
    finally:
        os.close(lock)
        os.close(looks)


def worked_by(lock: int, process: int) -> None:
    """Note who works under the lock: whom another run names."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, b"%d\n" % process, 0)


class UnderWay(PhareError):
    """A run, of `process` where known, keeps another command waiting."""

    process: int | None = None


def under_way(root: Path, process: int | None) -> UnderWay:
    """Return the error of a run that another one, of this process, keeps waiting."""
    told = f" (processus {process})" if process else ""
    stop = f", ou l'arrêter : kill {process}" if process else ""
    error = UnderWay(
        f"un autre calcul est en cours dans cet atelier{told}",
        str(root),
        f"attendre qu'il finisse{stop}, puis relancer la commande",
    )
    error.process = process
    return error


def refused_by_dvc(root: Path, lines: Sequence[str]) -> UnderWay | None:
    """Return what DVC's output tells of its own locks, held by somebody; None where it does not."""
    said = "\n".join(lines)
    if "Unable to acquire lock" in said:
        return under_way(root, _number(root / OF_DVC))
    blocker = BLOCKER.search(said)
    return under_way(root, int(blocker[1])) if blocker and "is busy" in said else None


def sweep(root: Path) -> None:
    """Drop DVC's note of the files in use where no DVC is left that uses them.

    DVC believes a number that lives: another program's, since, would keep it waiting for ever.
    """
    try:
        told = json.loads((root / IN_USE).read_text(encoding="utf-8"))
        users = [one for held in told["read"].values() for one in held]
        users += told["write"].values()
        alive = {int(user["pid"]) for user in users if _is_dvc(int(user["pid"]))}
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError, AttributeError):  # cut short as DVC wrote it
        alive = set()
    if alive:
        raise under_way(root, min(alive))
    (root / IN_USE).unlink(missing_ok=True)


def _is_dvc(process: int) -> bool:
    """Tell whether a process that lives is DVC; where the system does not say, it is."""
    if not PROCESSES.is_dir():
        return True
    try:
        return b"dvc" in (PROCESSES / str(process) / "cmdline").read_bytes()
    except OSError:
        return False


def _number(path: Path) -> int | None:
    """Return the process that a lock names; None where it names none."""
    try:
        found = NUMBER.search(path.read_bytes())
    except OSError:
        return None
    return int(found[0]) if found else None
