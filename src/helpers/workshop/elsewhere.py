"""Running stages again elsewhere, and comparing what comes out, byte for byte.

A copy of the workspace is made in a new folder; stages run there from raw, under circumstances
that should not matter; then each out is compared with the one at hand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from helpers.collect.collect import FROM, joined, places_to_look, received
from helpers.core.base import redact, store
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import REGISTER, active_cities
from helpers.core.city.city import City
from helpers.core.city.key import KEYS, path_of
from helpers.core.stage import warm
from helpers.core.stage.params import stages
from helpers.workshop.run_city import activate, dvc, locked, reproduce

# Everything here differs from the usual run, and the stages' own guard is taken away.
VARIATIONS = {
    "PHARE_VARY": "1",
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "LANG": "C",
    "PYTHONHASHSEED": "4242",
    "PYTHONUTF8": "1",
    "PHARE_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
UMASK = 0o077
RESTS_ON = (
    "src", "notebooks", "templates", "data/cities", "params.yaml", "dvc.yaml", "requirements.lock",
)  # fmt: skip
Verdict = Literal["identical", "different", "missing", "extra"]


@dataclass(frozen=True)
class Difference:
    """One file of an out, compared: its stage, its path from the root, and the verdict."""

    stage: str
    path: str
    verdict: Verdict


def git(root: Path, *arguments: str) -> str:
    """Return what git says."""
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise PhareError(
            redact.addresses(done.stderr.strip().split("\n")[0]),
            f"git {arguments[0]}",
            "vérifier le dépôt git",
        )
    return done.stdout


def uncommitted(root: Path) -> list[str]:
    """Return the files that results rest on and that the last commit does not hold as they are.

    What the workspace itself keeps up to date (dvc.lock, the register of cities) is left aside.
    """
    lines = git(root, "status", "--porcelain", "--untracked-files=all", "--", *RESTS_ON)
    names = [line[3:].strip('"') for line in lines.splitlines()]
    return [name for name in names if name != REGISTER.as_posix()]


def copy_workspace(root: Path, into: Path, *, with_changes: bool) -> None:
    """Clone the repository at its commit; with changes, lay what is not committed over it."""
    git(root, "clone", "--quiet", "--no-hardlinks", str(root), str(into))
    git(into, "checkout", "--quiet", "--detach", git(root, "rev-parse", "HEAD").strip())
    if not with_changes:
        return
    for name in uncommitted(root):
        source, target = root / name, into / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        else:
            target.unlink(missing_ok=True)


@contextmanager
def _circumstances(changes: dict[str, str], umask: int | None) -> Iterator[None]:
    before, mask = dict(os.environ), os.umask(umask) if umask is not None else None
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        if mask is not None:
            os.umask(mask)


def received_folders(root: Path, city: str) -> str | None:
    """Return where every file of the city as received lies, as `FROM` takes it; None if one lacks.

    A city whose files are all generated needs none: the workspace itself is returned.
    """
    loaded = City(active_cities(root)[city])
    outside = [d for d in loaded.about.sources.values() if not d.generator]
    if not outside:
        return str(root)
    places = places_to_look(loaded, root)
    at_hand = all(
        d.names and all(d.optional or received(places, name) for name in d.names) for d in outside
    )
    return joined(places) if at_hand else None


def same_key(root: Path, city: str) -> dict[str, str]:
    """Return the environment in which a copy of the workspace hashes with the city's own key."""
    return {KEYS: str(path_of(root, city).parent.resolve())}


def run_again(
    root: Path, copy: Path, city: str, targets: Sequence[str], *, vary: bool, quiet: bool = False
) -> bool:
    """Run the stages `targets` of the city and all above them in the copy, from scratch.

    Return whether the files as received were read again; where they are not at hand, the raw
    data set is taken as it is, checked against dvc.lock, and everything below it runs.
    """
    pack = active_cities(root)[city]
    activate(copy, city if (copy / "data" / "cities" / city).is_dir() else str(pack))
    folders = received_folders(root, city)
    at_hand = folders is not None
    changes = {"PYTHONPATH": str(copy / "src"), FROM: folders or "", **same_key(root, city)}
    if vary:
        changes |= VARIATIONS | {warm.ADDRESS: ""}  # another process, under other circumstances
    with _circumstances(changes, UMASK if vary else None):
        if not at_hand:
            _take_raw(root, copy, city)
        names = [f"{stage}@{city}" for stage in targets if at_hand or stage != "collect"]
        reproduce(copy, names, force=at_hand, quiet=quiet)
    return at_hand


def _take_raw(root: Path, copy: Path, city: str) -> None:
    for out in locked(root, city)["collect"]["outs"]:
        source, target = root / out["path"], copy / out["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    done = subprocess.run(
        dvc(copy, "commit", "--force", f"collect@{city}"), capture_output=True, check=False
    )
    if (
        done.returncode != 0
        or locked(copy, city)["collect"]["outs"] != locked(root, city)["collect"]["outs"]
    ):
        raise PhareError(
            "les données brutes ne sont pas celles que dit dvc.lock",
            f"data/{city}/raw",
            f"les reprendre : `dvc checkout collect@{city}` ou `dvc pull collect@{city}`",
        )


def files_of(base: Path, path: str) -> set[str]:
    """Return the files that make up an out, as paths from `base`."""
    place = base / path
    if place.is_dir():
        return {f.relative_to(base).as_posix() for f in place.rglob("*") if f.is_file()}
    return {path} if place.is_file() else set()


def compare(root: Path, copy: Path, city: str, targets: Sequence[str]) -> list[Difference]:
    """Compare each file of each out of the stages, in the order of the pipeline."""
    found = []
    lock = locked(copy, city)
    for stage in (s for s in stages(root) if s in targets):
        for out in lock[stage]["outs"]:
            here, there = files_of(root, out["path"]), files_of(copy, out["path"])
            for path in sorted(here | there):
                found.append(Difference(stage, path, _verdict(root, copy, path, here, there)))
    return found


def _verdict(root: Path, copy: Path, path: str, here: set[str], there: set[str]) -> Verdict:
    if path not in here:
        return "missing"
    if path not in there:
        return "extra"
    same = store.sha256(root / path) == store.sha256(copy / path)
    return "identical" if same else "different"


def ancestors(root: Path, city: str, stage: str) -> list[str]:
    """Return the stage and all that it depends on, in the order of the pipeline."""
    lock = locked(root, city)
    makers = {out["path"]: name for name, entry in lock.items() for out in entry["outs"]}
    wanted, waiting = set(), [stage]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            read = [dep["path"] for dep in lock[name]["deps"]]
            waiting += [
                maker
                for out, maker in makers.items()
                if any(out == path or out.startswith(f"{path}/") for path in read)
            ]
    return [name for name in stages(root) if name in wanted]
