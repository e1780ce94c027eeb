"""What a run stands on, looked at before anything starts: git, folders, room, open files."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from helpers.core.base import machine
from helpers.core.base.errors import PhareError

FREE_BYTES = 64 * 1024 * 1024  # below, the smallest city's results do not fit
OPEN_FILES = 256
LONGEST = 64  # of the temporary folder's path: a kernel's sockets, 41 below, have 107 at most


def check(root: Path) -> None:
    """Raise PhareError for what would stop a command that computes, whatever the city holds."""
    check_git(root)
    _check_room(root)
    check_open_files()


def check_git(root: Path) -> None:
    """Raise PhareError where git does not hold the workspace: figures name their commit."""
    clone = "cloner le dépôt (git clone) : une archive ZIP ne suffit pas"
    try:
        tracked = _git(root, "ls-files", "--error-unmatch", "dvc.yaml")
    except FileNotFoundError:
        raise PhareError("git manque sur cette machine", "git", "installer git") from None
    if "dubious ownership" in tracked.stderr:
        raise PhareError(
            "ce dossier appartient à un autre compte, git ne le lit pas", str(root),
            f"git config --global --add safe.directory '{root}'",
        )  # fmt: skip
    if tracked.returncode != 0:
        raise PhareError("cet atelier n'est pas un dépôt git", str(root), clone)
    if _git(root, "rev-parse", "--verify", "HEAD").returncode != 0:
        raise PhareError("ce dépôt git n'a aucun commit", str(root), clone)


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-C", str(root), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )


def check_folders(root: Path, city: str) -> None:
    """Raise PhareError where a folder that a run of the city writes to is closed to it."""
    for folder in _written(root, city):
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            raise PhareError(
                "ce dossier ne peut pas être écrit",
                str(folder),
                "en donner le droit à ce compte (chmod u+w, chown), ou travailler dans son clone",
            )


def _written(root: Path, city: str) -> Iterator[Path]:
    """Yield the folders where a run writes: the workspace's, DVC's, the city's."""
    yield from (root, root / "data", root / "data/cities", root / ".dvc", root / ".dvc/tmp")
    yield from (root / ".dvc/cache", root / ".dvc/cache/files", root / ".dvc/cache/files/md5")
    for folder, _, __ in os.walk(root / "data" / city):
        yield Path(folder)


def _check_room(root: Path) -> None:
    temporary = Path(tempfile.gettempdir()).resolve()
    if temporary == Path.cwd() or temporary.is_relative_to(root):
        raise machine.no_temporary("/tmp, /var/tmp")  # Python's last choice is where it stands
    if os.pathsep in str(temporary):
        raise PhareError(
            f"le chemin du dossier temporaire contient « {os.pathsep} », qui sépare les chemins",
            str(temporary),
            "en donner un autre : TMPDIR=/tmp",
        )
    if len(str(temporary)) > LONGEST:
        raise PhareError(
            "le chemin du dossier temporaire est trop long pour une prise (socket)",
            str(temporary),
            "en donner un plus court : TMPDIR=/tmp",
        )
    for folder in (root, temporary):
        if shutil.disk_usage(folder).free < FREE_BYTES:
            raise machine.disk_full(str(folder))


def check_open_files() -> None:
    """Raise the limit on open files where this account may; PhareError where it may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= OPEN_FILES:
        return
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        raise machine.too_few_files(f"ulimit -n : {hard}, il en faut {OPEN_FILES}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard))
