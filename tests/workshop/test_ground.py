"""A machine that will not do is told before anything starts: one sentence, no traceback."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.workshop import new
from tests.fixtures.real import ROOT

WHO = ["-c", "user.name=essai", "-c", "user.email=essai@localhost"]
NOBODY = 65534
# The superuser may write anywhere, and another account may not reach the interpreter (one that
# lives in a home folder): the superuser without its capabilities is bound as anybody is.
WITHOUT = [str(shutil.which("setpriv")), "--inh-caps=-all", "--bounding-set=-all"]
ORDINARY = WITHOUT if os.getuid() == 0 else []
Told = subprocess.CompletedProcess[str]


@pytest.fixture
def clone() -> Iterator[Path]:
    """A workspace held by git, in a folder that any account can reach, with one city."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = Path(folder) / "phare"
        shutil.copytree(ROOT / "templates", root / "templates")
        for name in ("params.yaml", "dvc.yaml"):
            shutil.copy(ROOT / name, root / name)
        for place in ("data/cities", ".dvc/tmp", "data/port_neuf/raw"):
            (root / place).mkdir(parents=True)
        (root / "data/cities/active.yaml").write_text("cities: {}\n", encoding="utf-8")
        new.new_city(root, "port_neuf")
        git(root, "init", "-q")
        git(root, "add", "-A")
        git(root, *WHO, "commit", "-qm", "essai")
        shutil.copy(ROOT / "scripts/install", folder)
        yield root


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(root), *words], check=True)


def make_run(root: Path, before: Callable[[], object] | None = None, **more: str) -> Told:
    """Do what `make run APPS=0` does, as an account that the modes of files bind.

    `before` is done in the new process first; `more` is added to the environment.
    """
    command = f"helpers.workshop.{more.get('COMMAND', 'run_city')}"
    return subprocess.run(
        [*ORDINARY, sys.executable, "-m", command, "port_neuf"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1", **more},
        capture_output=True, text=True, check=False, preexec_fn=before,
    )  # fmt: skip


def one_sentence(told: Told, *said: str) -> None:
    """Hold the answer to one error in three lines, which says each of `said`; nothing begun."""
    lines = told.stderr.splitlines()
    assert told.returncode == 1
    assert [line[:12] for line in lines] == [
        "Erreur : " + lines[0][9:12],
        "  où      : ",
        "  à faire : ",
    ]
    assert all(one in told.stderr for one in said), told.stderr
    assert told.stdout == ""


def unchanged(root: Path) -> bool:
    text = (root / "data/cities/active.yaml").read_text(encoding="utf-8")
    return text == "cities: {}\n" and not (root / "dvc.lock").exists()


def test_no_git(clone: Path) -> None:
    shutil.rmtree(clone / ".git")
    one_sentence(make_run(clone), "n'est pas un dépôt git", "git clone", str(clone))
    assert unchanged(clone)


def test_archive_unpacked_inside_another_repository(clone: Path) -> None:
    shutil.rmtree(clone / ".git")
    git(clone.parent, "init", "-q")
    one_sentence(make_run(clone), "n'est pas un dépôt git")


def test_repository_without_a_commit(clone: Path) -> None:
    shutil.rmtree(clone / ".git")
    git(clone, "init", "-q")
    git(clone, "add", "-A")
    one_sentence(make_run(clone), "aucun commit")


def test_no_git_on_the_machine(clone: Path) -> None:
    one_sentence(make_run(clone, PATH=str(clone)), "git manque")


@pytest.mark.parametrize("closed", ["data/cities", "data/port_neuf/raw", ".", ".dvc/tmp"])
def test_folder_that_cannot_be_written(clone: Path, closed: str) -> None:
    folder = (clone / closed).resolve()
    folder.chmod(0o555)
    try:
        one_sentence(make_run(clone, HOME="/nonexistent"), "écrit", f": {folder}\n")
        assert unchanged(clone)
    finally:
        folder.chmod(0o755)


def test_clone_of_another_account(clone: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only the superuser can make a clone that is somebody else's")
    for one in (clone, *clone.rglob("*")):
        os.chown(one, NOBODY, NOBODY)
    one_sentence(make_run(clone, HOME="/nonexistent"), "safe.directory")


def test_too_few_open_files(clone: Path) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    one_sentence(make_run(clone, few), "ulimit -n")
    assert unchanged(clone)


def test_full_disk(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left is asked of the system: here, a system that has nothing left."""
    (clone / "sitecustomize.py").write_text(
        "import shutil\nreal = shutil.disk_usage\n"
        "shutil.disk_usage = lambda folder: real(folder)._replace(free=1000)\n"
    )
    path = f"{clone}{os.pathsep}{ROOT / 'src'}"
    one_sentence(make_run(clone, PYTHONPATH=path), "disque est plein", str(clone))
    assert unchanged(clone)


def test_status_without_git(clone: Path) -> None:
    shutil.rmtree(clone / ".git")
    one_sentence(make_run(clone, COMMAND="status"), "n'est pas un dépôt git")


def test_installation_in_a_folder_that_cannot_be_written(clone: Path) -> None:
    """A fresh clone on a disk that is read: not taken for a Python without its venv."""
    account = {"user": NOBODY, "group": NOBODY} if os.getuid() == 0 else {}
    clone.chmod(0o555)
    try:
        told: Told = subprocess.run(  # type: ignore[call-overload]
            ["bash", str(clone.parent / "install"), "python3"], cwd=clone,
            capture_output=True, text=True, check=False, **account,
        )  # fmt: skip
    finally:
        clone.chmod(0o755)
    assert told.returncode == 1
    assert told.stdout.startswith("Erreur : ce dossier ne peut pas être écrit\n"), told.stdout
    assert f": {clone}\n" in told.stdout


def test_temporary_folder_with_too_long_a_path(clone: Path) -> None:
    far = clone.parent / ("x" * 90)
    far.mkdir()
    one_sentence(make_run(clone, TMPDIR=str(far)), "trop long", "TMPDIR=")
