"""What a command makes beside its place, and puts there whole: stopped, it leaves what was before.

A disk that is full, an interruption, a `kill -9`: none leaves half a contract, nor half a city.
What a killed command leaves beside is swept by the next one (`sweep`).
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PART = ".part"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder; OSError where another process does. A process that dies holds nothing.

    Numbers of processes are no sign of life: they come again, and one that was killed may keep its
    own until its parent has noticed.
    """
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, its rights kept; through a link, the file that it names."""
    place = Path(os.path.realpath(path))
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        with folder(place.parent) as made:
            part = made / "part"
            part.write_bytes(content)
            part.chmod(place.stat().st_mode if place.exists() else 0o666 & ~_umask())
            part.replace(place)
    except OSError as error:
        error.filename = str(path)  # a disk that is full names none, and the part is nobody's
        raise


@contextmanager
def folder(parent: Path) -> Iterator[Path]:
    """Yield a folder of the moment in `parent`, on its disk: what is made there can be moved."""
    made = Path(
        tempfile.mkdtemp(prefix=".phare_", dir=parent)
    )  # nobody sweeps it before it is held
    with held(made):
        named = made.rename(made.with_name(f".phare-{made.name[7:]}{PART}"))
        try:
            yield named
        finally:
            shutil.rmtree(named, ignore_errors=True)


def sweep(*parents: Path) -> None:
    """Take away what commands that were killed left in these folders (`folder`)."""
    for left in (one for parent in parents for one in parent.glob(f".phare-*{PART}")):
        try:
            with held(left):
                shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue  # held, or somebody else's


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
