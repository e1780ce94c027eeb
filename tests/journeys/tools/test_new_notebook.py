"""A notebook added, run and taken away by three commands, with Python of its own or without."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.place import CITY, ROOT, Place, stages_run

CODE = [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)]
# Those that look at the notebooks at hand; the others say nothing of one more, nor do these of all
# the knobs and modules that there were.
LOOKED_AT = "exemple or not (misspelt_knob or really_loads)"
TESTS = ["tests/core/stage/test_code_used.py", "tests/core/stage/test_execute.py",
         "tests/core/stage/test_params.py", "tests/workshop/test_method_notes.py"]  # fmt: skip
CHECKS = [
    ("helpers.workshop.notebooks", "strip", "--check"),
    ("helpers.workshop.notebooks", "parameters", "--check"),
    ("helpers.workshop.schemas", "--check"),
    ("helpers.workshop.method_notes", "--check"),
]


@pytest.fixture
def clean(built: Place) -> Iterator[Place]:
    """The workspace, which must be found again as it was."""
    assert built.git("status", "--porcelain") == ""
    yield built
    left = built.git("status", "--porcelain")
    places = [built.data, built.root / "data/scratch", built.root / "src", built.root / "tests"]
    named = [path for place in places for path in place.rglob("exemple*")]
    built.git("checkout", "-q", ".")
    built.git("clean", "-qfd")
    assert left == ""
    assert named == []


def added(place: Place, *options: str) -> None:
    done = place.python("helpers.workshop.new_notebook", "add", "exemple", *options)
    assert done.returncode == 0, done.stderr
    assert "make run" in done.stdout


def removed(place: Place) -> None:
    done = place.python("helpers.workshop.new_notebook", "remove", "exemple")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("options", "figure"),
    [
        (["--group", "yesterday"], "exemple_ratios"),
        (["--group", "today", "--without-room"], "exemple_shares"),
    ],
    ids=["with_room", "without_room"],
)
def test_added_it_runs_with_passport_and_evidence_and_removed_it_is_gone(
    clean: Place, options: list[str], figure: str
) -> None:
    added(clean, *options)
    done = clean.python("dvc", "repro", f"exemple@{CITY}")
    assert done.returncode == 0, done.stdout + done.stderr
    ran = {line.split("'")[1] for line in done.stdout.splitlines() if "Running stage" in line}
    assert ran <= {f"exemple@{CITY}"}, "nothing upstream is run again"
    folder = clean.data / "figures/exemple"
    evidence = json.loads((folder / f"{figure}.evidence.json").read_text(encoding="utf-8"))
    drawing = (folder / f"{figure}.svg").read_text(encoding="utf-8")
    assert evidence["notebook"] == f"notebooks/{options[1]}/exemple.ipynb"
    assert evidence["parameters"]["minimum_count"] == 30
    assert {"collect", "ingest", "reliability", "waves"} <= set(evidence["stages"])
    assert evidence["received"]
    assert evidence["passport"] in drawing
    assert "données simulées" in drawing
    assert "fiabilité" in drawing
    assert "Bruit" in drawing
    room = [name for name in evidence["helpers"] if name.startswith("src/helpers/exemple/")]
    assert bool(room) == ("--without-room" not in options)
    report = (clean.data / "reports/exemple.html").read_text(encoding="utf-8")
    assert "Traceback" not in report
    pages = clean.python("helpers.workshop.status", CITY, "--json")
    assert json.loads(pages.stdout)["stages"]["exemple"]["state"] == "done"
    removed(clean)
    assert not folder.exists()


@pytest.mark.parametrize("options", [[], ["--without-room"]], ids=["with_room", "without_room"])
def test_added_it_passes_what_every_notebook_passes(
    clean: Place, options: list[str], tmp_path: Path
) -> None:
    # What mypy knows of the other rooms, where `make check` left it.
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", tmp_path / "mypy")
    added(clean, *options)
    for module, *arguments in CHECKS if options else CODE + CHECKS:
        done = clean.python(module, *arguments, MYPY_CACHE_DIR=str(tmp_path / "mypy"))
        assert done.returncode == 0, done.stdout + done.stderr
    linted = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=clean.root, env=clean.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert linted.returncode == 0, linted.stdout
    tests = TESTS + ([] if options else ["tests/exemple"])
    done = clean.python("pytest", "-q", "-p", "no:cacheprovider", "-k", LOOKED_AT, *tests)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
    removed(clean)


def test_register_follows_the_figures_that_come_and_go(clean: Place) -> None:
    """Nobody names the new figures to `evidence`."""
    lock = (clean.root / "dvc.lock").read_bytes()
    added(clean, "--without-room")
    done = clean.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert stages_run(done.stdout) <= {"exemple", "evidence"}
    report = clean.data / "reports/evidence.ipynb"
    assert "exemple_shares" in report.read_text(encoding="utf-8")
    removed(clean)
    again = clean.run()
    assert again.returncode == 0, again.stderr
    assert "exemple_shares" not in report.read_text(encoding="utf-8")
    assert (clean.root / "dvc.lock").read_bytes() == lock


def test_work_that_is_not_in_git_is_not_thrown_away(clean: Place) -> None:
    added(clean, "--without-room")
    note = clean.root / "docs/methodes/exemple.md"
    text = note.read_text(encoding="utf-8")
    note.write_text(text + "\nDes heures de travail.\n", encoding="utf-8")
    done = clean.python("helpers.workshop.new_notebook", "remove", "exemple")
    assert done.returncode == 1
    assert "docs/methodes/exemple.md" in done.stderr
    assert "FORCE=1" in done.stderr
    assert note.exists()
    done = clean.python("helpers.workshop.new_notebook", "remove", "exemple", "--force")
    assert done.returncode == 0, done.stderr
