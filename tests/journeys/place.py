"""A whole workspace to walk through, with the commands that people give.

Each test leaves the workspace as it found it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml

ROOT = Path(__file__).resolve().parents[2]
CITY = "marseille"
QUESTIONS = 2
# What makes all again takes minutes; comparing takes none, and the cells of a few reports little.
AGAIN = """
import contextlib, importlib, pathlib, sys
command, copy, made, read, *arguments = sys.argv[1:]
module = importlib.import_module(f"helpers.workshop.{command}")
module.scratch = lambda: contextlib.nullcontext(pathlib.Path(copy))
if read:
    check_cells = module.check_cells
    def of_a_few(root, copy, city):
        aside = [p for p in copy.glob(f"data/{city}/reports/*.ipynb") if p.stem not in read.split()]
        for path in aside:
            path.rename(path.with_suffix(".aside"))
        try:
            return check_cells(root, copy, city)
        finally:
            for path in aside:
                path.with_suffix(".aside").rename(path)
    module.check_cells = of_a_few
if made:
    module.elsewhere.copy_workspace = lambda *_, **__: None
    module.elsewhere.run_again = lambda *_, **__: True
sys.exit(module.main(arguments))
"""


@dataclass(frozen=True)
class Place:
    """A workspace in a folder of its own, with the commands that people give."""

    root: Path
    warm: tuple[
        tuple[str, str], ...
    ] = ()  # where a warm process is found (`helpers.core.stage.warm`)

    def python(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m …` of this workspace, as make does."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.root,
            env={**self.environment(), **env},
            capture_output=True,
            text=True,
            check=False,
        )

    def results(self, stage: str, query: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a query in which {name} is a table of `derived/<stage>`."""
        folder = self.data / "derived" / stage
        tables = {path.stem: f"'{path}'" for path in folder.glob("*.parquet")}
        found = duckdb.sql(query.format(**tables), params=list(values))
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]

    def environment(self) -> dict[str, str]:
        """Return what a shell holds when this environment is active, without what is ours."""
        here = str(Path(sys.executable).parent)
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PHARE_", "PYTEST"))}
        return {
            **clean,
            "PATH": f"{here}{os.pathsep}{clean['PATH']}",
            "PYTHONPATH": str(self.root / "src"),
            **dict(self.warm),
        }

    def again(
        self, command: str, *arguments: str, copy: Path, made: bool = False, read: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run `audit` or `refigure`, whose copy of the workspace stays in `copy`.

        Where it was `made` before, that copy is compared once more, and nothing is run again. An
        audit reads again, cell by cell, the reports named in `read` (all, if none).
        """
        words = [AGAIN, command, str(copy), "made" if made else "", read, *arguments]
        return subprocess.run(
            [sys.executable, "-c", *words],
            cwd=self.root, env=self.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip

    def run(self, city: str = CITY, **env: str) -> subprocess.CompletedProcess[str]:
        """Do what `make run APPS=0` does."""
        return self.python("helpers.workshop.run_city", city, **env)

    def git(self, *arguments: str) -> str:
        """Run git here; return what it says."""
        who = ["-c", "user.name=essai", "-c", "user.email=essai@localhost"]
        done = subprocess.run(
            ["git", "-C", str(self.root), *who, *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    @property
    def data(self) -> Path:
        """The city's results."""
        return self.root / "data" / CITY


def stages_run(output: str) -> set[str]:
    """Return the stages that really ran, from what the pipeline printed."""
    lines = [line.split() for line in output.splitlines() if line.endswith(" s")]
    return {words[0].split("@")[0] for words in lines if "@" in words[0]}


ALL = set(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])
FIGURES = 41 + 3 * QUESTIONS  # at least: a notebook that a city adds has its own


@contextmanager
def changed(path: Path, old: str, new: str) -> Iterator[None]:
    """Change a file's text for a while."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


@contextmanager
def one_byte_off(path: Path) -> Iterator[None]:
    """Damage one byte in the middle of a file for a while."""
    good = path.read_bytes()
    path.write_bytes(
        good[: len(good) // 2] + bytes([good[len(good) // 2] ^ 1]) + good[len(good) // 2 + 1 :]
    )
    try:
        yield
    finally:
        path.write_bytes(good)


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
