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

from helpers.core.base import aside
from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import read_yaml

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
    made = Path(tempfile.mkdtemp(prefix="phare_"))  # a name that nobody sweeps before it is held
    with aside.held(made):
        folder = made.rename(made.with_name(f"{SCRATCH}{os.getpid()}-{made.name[6:]}"))
        try:
            yield folder
        finally:
            # What still ends after a command was stopped may write there: the next one sweeps.
            shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Take away the folders of the moment that nobody holds: their process was killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{SCRATCH}[0-9]*-*"):
        try:
            with aside.held(left):
                shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue  # held, or somebody else's, or just swept by another run


def find_root(start: Path | None = None) -> Path:
    """Return the folder that holds `params.yaml` and `dvc.yaml`, at or above `start`."""
    try:
        here = (start or Path.cwd()).resolve()
    except FileNotFoundError:
        raise PhareError(
            "le dossier où est lancée la commande n'existe plus",
            ".",
            "se placer dans le clone (cd)",
        ) from None
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
    if not (root / REGISTER).exists():
        raise PhareError(
            "le registre des villes manque", str(REGISTER), f"git checkout -- {REGISTER}"
        )
    held = read_yaml(root / REGISTER, str(REGISTER))
    cities = held.get("cities") if isinstance(held, dict) else None
    packs = {
        name: one.get("pack") if isinstance(one, dict) else None
        for name, one in (cities.items() if isinstance(cities, dict) else [(None, None)])
    }
    if not all(isinstance(one, str) for pair in packs.items() for one in pair):
        raise PhareError(
            "le registre des villes ne se lit pas : un nom et un `pack` par ville, du texte",
            str(REGISTER),
            f"le corriger, ou le reprendre : git checkout -- {REGISTER}",
        )
    return {str(name): root / str(pack) for name, pack in packs.items()}


def write_register(root: Path, text: str) -> None:
    """Write the register in one go: a run that stops meanwhile leaves the one before, whole."""
    aside.write(root / REGISTER, text.encode())


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
