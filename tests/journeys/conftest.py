"""A whole workspace to walk through: the repository as it is, cloned, with a smaller city, run.

The simulated Marseille at three hundredths of its size, with two questions in its portfolio (each
page has a kernel of its own): every stage works in a second or so.
Each test leaves the workspace as it found it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from helpers.workshop.elsewhere import copy_workspace

ROOT = Path(__file__).resolve().parents[2]
CITY = "marseille"
QUESTIONS = 2


@dataclass(frozen=True)
class Place:
    """A workspace in a folder of its own, with the commands that people give."""

    root: Path

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

    def environment(self) -> dict[str, str]:
        """Return what a shell holds when this environment is active, without what is ours."""
        here = str(Path(sys.executable).parent)
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PHARE_", "PYTEST"))}
        return {
            **clean,
            "PATH": f"{here}{os.pathsep}{clean['PATH']}",
            "PYTHONPATH": str(self.root / "src"),
        }

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


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A workspace in which the small city has run once, its code committed."""
    root = tmp_path_factory.mktemp("workspace") / "phare"
    copy_workspace(ROOT, root, with_changes=True)
    place = Place(root)
    settings = root / "data/cities/marseille/simulation.yaml"
    text = settings.read_text(encoding="utf-8")
    assert "\nscale: 1.0 " in text
    settings.write_text(text.replace("\nscale: 1.0 ", "\nscale: 0.03 "), encoding="utf-8")
    themes = root / "data/cities/marseille/themes.yaml"
    asked = yaml.safe_load(themes.read_text(encoding="utf-8"))
    asked["questions"] = dict(list(asked["questions"].items())[:QUESTIONS])
    themes.write_text(yaml.safe_dump(asked, allow_unicode=True, sort_keys=False), "utf-8")
    (root / "dvc.lock").unlink(missing_ok=True)
    register = "cities:\n  marseille:\n    pack: data/cities/marseille\n"
    (root / "data/cities/active.yaml").write_text(register, encoding="utf-8")
    place.git("checkout", "-q", "-B", "essai")
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "une ville plus petite")
    done = place.run()
    assert done.returncode == 0, done.stdout + done.stderr
    (root / "first_run.txt").write_text(done.stdout, encoding="utf-8")
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "premier passage")
    return place
