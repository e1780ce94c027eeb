"""What is refused when a notebook is added or removed, and that nothing half-written stays."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.core.base.errors import PhareError
from helpers.workshop import new_notebook
from helpers.workshop.elsewhere import copy_workspace
from tests.fixtures.real import ROOT


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=essai", "-c", "user.email=essai@localhost"]
    done = subprocess.run(
        ["git", "-C", str(root), *who, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def cloned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("new_notebook") / "phare"
    copy_workspace(ROOT, root, with_changes=True)
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "tel quel")
    return root


@pytest.fixture
def place(cloned: Path) -> Iterator[Path]:
    """A workspace, without results, in which nothing may be left changed."""
    assert git(cloned, "status", "--porcelain") == ""
    yield cloned
    left = git(cloned, "status", "--porcelain")
    git(cloned, "checkout", "-q", ".")
    git(cloned, "clean", "-qfd")
    assert left == ""


@pytest.mark.parametrize(
    ("name", "told"),
    [
        *[(name, "nom refusé") for name in ("Été", "a-b", "1er", "", "../x", "cities", "scratch")],
        *[(name, "nom refusé") for name in ("import", "model_dump", "copy", "a" * 31)],
        *[(name, "existe déjà") for name in ("hotspots", "situation", "evidence", "seed")],
        *[(name, "existe déjà") for name in ("core", "apps", "journeys", "portfolio", "fiches")],
    ],
)
def test_name_that_will_not_do_is_refused(name: str, told: str, place: Path) -> None:
    with pytest.raises(PhareError, match=told) as caught:
        new_notebook.add(place, name, "yesterday", room=True)
    assert caught.value.where
    assert caught.value.todo


@pytest.mark.parametrize("group", ["demain", "apps", "", ".."])
def test_unknown_group_is_refused_and_the_known_ones_named(group: str, place: Path) -> None:
    with pytest.raises(PhareError, match="groupe inconnu") as caught:
        new_notebook.add(place, "exemple", group, room=True)
    assert "govern, sources, today, tomorrow, yesterday" in caught.value.todo


def test_what_python_leaves_of_a_removed_room_is_no_room(place: Path) -> None:
    left = place / "src/helpers/exemple/__pycache__/knobs.cpython-311.pyc"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"")
    new_notebook.add(place, "exemple", "yesterday", room=True)
    new_notebook.remove(place, "exemple")
    assert not left.exists()


@pytest.mark.parametrize("error", [PhareError("a", "b", "c"), OSError("disque plein"),
                                   KeyboardInterrupt()])  # fmt: skip
@pytest.mark.parametrize("room", [True, False])
def test_step_that_fails_leaves_nothing(
    error: BaseException, room: bool, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def fail(root: Path) -> None:
        seen.append(git(root, "status", "--porcelain"))
        raise error

    monkeypatch.setattr(new_notebook, "_publish", fail)
    with pytest.raises(type(error)):
        new_notebook.add(place, "exemple", "yesterday", room=room)
    assert "notebooks/yesterday/exemple.ipynb" in seen[0], "it failed half-way"
    assert not (place / "src/helpers/exemple").exists()
    assert not (place / "tests/exemple").exists()


def test_removal_that_fails_leaves_all(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_notebook.add(place, "exemple", "yesterday", room=True)
    before = git(place, "status", "--porcelain", "--untracked-files=all")
    texts = {path: path.read_bytes() for path in place.rglob("*exemple*") if path.is_file()}

    def fail(_: Path) -> None:
        raise OSError("disque plein")

    with monkeypatch.context() as patch:
        patch.setattr(new_notebook, "_publish", fail)
        with pytest.raises(OSError, match="disque plein"):
            new_notebook.remove(place, "exemple")
    assert git(place, "status", "--porcelain", "--untracked-files=all") == before
    assert {path: path.read_bytes() for path in texts} == texts
    new_notebook.remove(place, "exemple")


@pytest.mark.parametrize(
    ("name", "user"),
    [("rhythms", "étape portfolio"), ("reliability", "étape hotspots"), ("evidence", "figures"),
     ("situation", "src/helpers/apps/choice.py")],
)  # fmt: skip
def test_what_others_rest_on_is_not_removed(name: str, user: str, place: Path) -> None:
    with pytest.raises(PhareError, match="sert à d'autres") as caught:
        new_notebook.remove(place, name, force=True)
    assert user in caught.value.where


@pytest.mark.parametrize("name", ["inconnu", "seed", "core", ""])
def test_removing_what_is_no_notebook(name: str, place: Path) -> None:
    with pytest.raises(PhareError, match="aucun carnet"):
        new_notebook.remove(place, name)


def test_committed_work_is_removed_and_its_runs_forgotten(place: Path) -> None:
    """dvc.lock too, whatever the city; what it says of the others stays byte for byte."""
    head = git(place, "rev-parse", "HEAD").strip()
    lock = place / "dvc.lock"
    before = lock.read_text(encoding="utf-8")
    files = new_notebook.add(place, "exemple", "today", room=False)
    files[0].write_text(files[0].read_text("utf-8").replace("week-end", "dimanche"), "utf-8")
    run = "  exemple@marseille:\n    cmd: x\n    deps:\n    - path: a\n      md5: b\n"
    lock.write_text(
        before.replace("stages:\n", f"stages:\n{run}", 1) + run.replace("marseille", "denver")
    )
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "essai")
    new_notebook.remove(place, "exemple")
    assert lock.read_text(encoding="utf-8") == before
    assert (
        git(place, "status", "--porcelain", "--", "notebooks")
        == f" D {files[0].relative_to(place)}\n"
    )
    git(place, "reset", "-q", head)
