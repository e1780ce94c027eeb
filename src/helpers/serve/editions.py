"""The data that pages read: a copy of the last complete run, of what pages need and no more.

A page reads its tables as its visitor chooses. Were they those of a run in progress, it would show
half of one day and half of another; a run that fails would take the page with it. So the server
keeps an edition: the workspace's settings, notebooks of pages, packs and results, without a row as
received. Its processes stand there: what is not copied is not within their reach by its name.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import REGISTER, Workspace, find_root

log = logging.getLogger("phare.editions")
# Rows as received or as accepted, and what only builds: no page reads them.
LEFT = {"raw", "accepted", "quarantined", "failed", "timings", "reports", "observations.parquet"}
KEPT = 4  # editions
DECIDED = Path("data/.registers")  # as `register.settings` has it: rooms do not import each other
OF_ROOT = ("dvc.yaml", "params.yaml", "notebooks", "templates")


class Edition:
    """A folder that stands for the workspace of one city."""

    def __init__(self, root: Path, city: str) -> None:
        self.root, self.workspace = root, Workspace(root, city)
        self._room = tempfile.TemporaryDirectory(prefix="phare-pages-")
        self._number = 0
        self.folder: Path | None = None
        self._former: Path | None = None
        self._seen = self._taken = ""
        self.date: str | None = None

    @classmethod
    def of(cls, notebook: Path | None) -> Edition | None:
        """Return the edition of the workspace that holds the notebook; None outside any."""
        if notebook is None:
            return None
        try:
            root = find_root(notebook.parent)
        except PhareError:
            return None
        return cls(root, os.environ.get("PHARE_CITY", "marseille"))

    def path(self, notebook: Path) -> Path:
        """Return where a notebook of the workspace stands in the edition."""
        if self.folder is None:
            return notebook
        return self.folder / notebook.relative_to(self.root)

    def _files(self) -> Iterator[Path]:
        for name in OF_ROOT:
            yield from _all(self.root / name)
        yield from _all(self.workspace.pack)
        if self.workspace.data.is_dir():
            for one in sorted(self.workspace.data.iterdir()):
                if one.name not in LEFT:
                    yield from _all(one)

    def _signature(self) -> str:
        """Return what changes when a file of the workspace is written or goes."""
        try:
            told = [(str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in self._files()]
        except OSError:
            return "moving"
        return repr(told)

    def changed(self) -> bool:
        """Return whether the data are others than those taken, and quiet since the last look."""
        now = self._signature()
        quiet, self._seen = now == self._seen, now
        return quiet and now not in (self._taken, "moving")

    def take(self) -> bool:
        """Copy the workspace as it stands; return False where it moved meanwhile."""
        before = self._signature()
        self._number += 1
        into = Path(self._room.name) / str(self._number)
        try:
            for path in self._files():
                target = into / self._place(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
            pack = {self.workspace.city: {"pack": f"data/cities/{self.workspace.city}"}}
            (into / REGISTER).write_text(json.dumps({"cities": pack}), encoding="utf-8")
            self._reach(into)
        except OSError:
            before = "moving"
        if before == "moving" or before != self._signature():
            shutil.rmtree(into, ignore_errors=True)
            return False
        self._taken, self._former, self.folder = before, self.folder, into
        # Who reads an old edition keeps it for a while; a disk is not without end.
        for old in Path(self._room.name).iterdir():
            if int(old.name) <= self._number - KEPT and old not in (self.folder, self._former):
                shutil.rmtree(old, ignore_errors=True)
        self.date = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        log.info("edition %d taken", self._number)
        return True

    def _reach(self, into: Path) -> None:
        """Let pages reach the register of decisions, which is read as it stands and written to.

        Where the workspace may not be written, they say that it does not answer.
        """
        held = self.root / DECIDED
        with contextlib.suppress(OSError):
            held.mkdir(parents=True, exist_ok=True, mode=0o700)
        (into / DECIDED).symlink_to(held, target_is_directory=True)

    def settle(self, *, failed: bool) -> None:
        """Keep the edition that pages stand on, once they are prepared anew (or could not be)."""
        if failed and self._former is not None:
            log.error("the new data could not be shown: pages keep the last that could")
            self.folder, self._former = self._former, self.folder

    def _place(self, path: Path) -> Path:
        """Return a file's place in the edition: as in the workspace, packs from elsewhere too."""
        if path.is_relative_to(self.workspace.pack):
            pack = Path("data/cities") / self.workspace.city
            return pack / path.relative_to(self.workspace.pack)
        return path.relative_to(self.root)


def _all(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(one for one in folders if not one.startswith((".", "__")))
            for name in sorted(names):
                yield Path(folder) / name
