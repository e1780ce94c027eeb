"""Files that pages load: scripts, styles, fonts of a list made at start, compressed once.

What is asked for is looked up in the list: no path of a request reaches the disk.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

SERVED = {".js", ".css", ".svg", ".png", ".woff", ".woff2", ".ttf", ".eot"}
SQUEEZED = {".js", ".css", ".svg", ".ttf", ".eot"}
FOREVER = "public, max-age=31536000, immutable"


@dataclass
class Asset:
    """A file as it is sent."""

    path: Path

    @cached_property
    def content(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()

    @cached_property
    def zipped(self) -> bytes | None:
        """The file compressed; None where that gains nothing."""
        return gzip.compress(self.content, mtime=0) if self.path.suffix in SQUEEZED else None

    @cached_property
    def mark(self) -> str:
        """What changes with the file."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'

    @property
    def kind(self) -> str:
        """The media type."""
        if self.path.suffix == ".js":
            return "text/javascript"
        return mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"


def listed(folders: Iterable[tuple[str, Path]]) -> dict[str, Asset]:
    """Return address → file, of all the files of these (prefix, folder); the first found wins."""
    found: dict[str, Asset] = {}
    for prefix, folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in SERVED and path.is_file():
                name = f"{prefix}{path.relative_to(folder).as_posix()}"
                found.setdefault(name, Asset(path))
    return found


def version(assets: dict[str, Asset]) -> str:
    """Return what changes when a file of the list is installed anew."""
    told = [f"{n} {a.path.stat().st_size} {a.path.stat().st_mtime_ns}" for n, a in assets.items()]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]
