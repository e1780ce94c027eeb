"""Where things are: the workspace's root, a city's pack, and the folders of its results."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from helpers.core.base.errors import PhareError

PIPELINE_FLAG = "PHARE_STAGE"
REGISTER = Path("data/cities/active.yaml")
SCRATCH = "phare-"
RESERVED_NAMES = {"cities", "scratch"}


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder of the moment; it goes when done, and so do those of runs that were killed.

    A file as received may lie there for a moment, with what the door will refuse.
    """
    sweep()
    with tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{os.getpid()}-") as made:
        yield Path(made)


def sweep() -> None:
    """Take away the folders of the moment of processes that no longer run."""
    for left in Path(tempfile.gettempdir()).glob(f"{SCRATCH}[0-9]*-*"):
        maker = left.name.removeprefix(SCRATCH).split("-")[0]
        if maker.isdigit() and not _runs(int(maker)):
            shutil.rmtree(left, ignore_errors=True)  # another run may be sweeping too


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def find_root(start: Path | None = None) -> Path:
    """Return the folder that holds `params.yaml` and `dvc.yaml`, at or above `start`."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file() and (folder / "params.yaml").is_file():
            return folder
    raise PhareError(
        "aucun espace de travail Phare ici",
        str(here),
        "se placer dans le dossier cloné (celui qui contient dvc.yaml et params.yaml)",
    )


def active_cities(root: Path) -> dict[str, Path]:
    """Return the cities this workspace holds: name → folder of the pack."""
    text = (root / REGISTER).read_text(encoding="utf-8")
    return {name: root / entry["pack"] for name, entry in yaml.safe_load(text)["cities"].items()}


@dataclass(frozen=True)
class Workspace:
    """A city's place in the workspace. `writes` is where results go, `root` where they are read.

    Outside the pipeline (an analyst trying things in JupyterLab) results go to a scratch folder,
    so that trying a parameter never alters a published result.
    """

    root: Path
    city: str

    @cached_property
    def pack(self) -> Path:
        cities = active_cities(self.root)
        if self.city not in cities:
            raise PhareError(
                f"ville inconnue : « {self.city} »",
                f"{REGISTER} (villes présentes : {', '.join(sorted(cities))})",
                f"lancer `make run CITY={self.city}` ou donner le chemin d'un dossier de ville",
            )
        return cities[self.city]

    @property
    def data(self) -> Path:
        return self.root / "data" / self.city

    @property
    def in_pipeline(self) -> bool:
        return PIPELINE_FLAG in os.environ

    @property
    def writes(self) -> Path:
        return self.data if self.in_pipeline else self.root / "data" / "scratch" / self.city

    def relative(self, path: Path) -> str:
        """Return `path` as it is called in evidence: from the root, scratch and pipeline alike."""
        for base in (self.root / "data" / "scratch", self.root / "data"):
            if path.is_relative_to(base):
                return f"data/{path.relative_to(base).as_posix()}"
        if path.is_relative_to(self.root):
            return path.relative_to(self.root).as_posix()
        return f"{self.city}/{path.relative_to(self.pack).as_posix()}"


INBOX = "livraison"
