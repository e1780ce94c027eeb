"""Papermill, DVC, nbval, nbconvert and Voilà, plain, from the root: as their users expect."""

from __future__ import annotations

import compileall
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

from tests.journeys.place import ALL, CITY, Place, bytes_of, changed

WAVES = "notebooks/sources/waves.ipynb"
PORT = 18944


def texts(notebook: Path) -> str:
    """Return what the cells of an executed notebook show, as text."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [o for cell in cells for o in cell.get("outputs", [])]
    return "\n".join("".join(o.get("data", {}).get("text/plain", "")) for o in outputs)


def evidence(place: Place, name: str) -> dict[str, object]:
    """Return the evidence of a figure made outside the pipeline."""
    path = place.root / "data/scratch" / CITY / "figures" / f"{name}.evidence.json"
    found: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_papermill_takes_a_parameter_and_warns_of_nothing(built: Place, tmp_path: Path) -> None:
    before = bytes_of(built.data / "figures")
    out = tmp_path / "out.ipynb"
    done = built.python("papermill", WAVES, str(out), "-p", "pilot_weeks", "30")
    assert done.returncode == 0, done.stderr
    assert "unknown parameter" not in done.stderr
    told = evidence(built, "waves/waves_states")
    assert told["parameters"] == {**params_of(built, "waves"), "pilot_weeks": 30}
    assert str(told["passport"]) in texts(out)
    assert bytes_of(built.data / "figures") == before, "what is published stays"


def params_of(place: Place, stage: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((place.root / "params.yaml").read_text())[stage]
    return found


@pytest.mark.parametrize("stage", ["episodes", "situation", "trends"])
def test_papermill_knows_every_parameter(built: Place, stage: str, tmp_path: Path) -> None:
    """Long values too; a misspelt one is told, which shows that the log is heard."""
    notebook = next(built.root.glob(f"notebooks/[!a]*/{stage}.ipynb"))
    values = tmp_path / "values.yaml"
    given = {"city": CITY, **params_of(built, stage), "misspelt": 1}
    values.write_text(yaml.safe_dump(given, allow_unicode=True), encoding="utf-8")
    done = built.python(
        "papermill", str(notebook), str(tmp_path / "out.ipynb"), "-f", str(values), "--prepare-only"
    )
    assert done.returncode == 0, done.stderr
    unknown = [line for line in done.stderr.splitlines() if "unknown parameter" in line]
    assert [line.split(": ")[-1] for line in unknown] == ["misspelt"]


def executed(place: Place, notebook: str, out: Path) -> subprocess.CompletedProcess[str]:
    return place.python(
        "nbconvert", "--to", "notebook", "--execute", notebook, "--output-dir", str(out)
    )


def test_value_changed_in_place_is_used(built: Place, tmp_path: Path) -> None:
    with changed(built.root / WAVES, "pilot_weeks = 26", "pilot_weeks = 30"):
        done = executed(built, WAVES, tmp_path)
    assert done.returncode == 0, done.stderr
    told = evidence(built, "waves/waves_states")
    assert told["parameters"] == {**params_of(built, "waves"), "pilot_weeks": 30}
    assert str(told["passport"]) in texts(tmp_path / "waves.ipynb")


def test_value_out_of_bounds_is_refused_in_french_and_named(built: Place, tmp_path: Path) -> None:
    with changed(built.root / WAVES, "pilot_weeks = 26", "pilot_weeks = 0"):
        done = executed(built, WAVES, tmp_path)
    assert done.returncode == 1
    assert "Erreur : valeur refusée (attendu : ≥ 1) : waves.pilot_weeks" in done.stderr
    assert "cellule des paramètres" in done.stderr


def test_plain_dvc(built: Place) -> None:
    done = built.python("dvc", "repro", f"hotspots@{CITY}")
    assert done.returncode == 0, done.stderr
    assert "Running stage" not in done.stdout
    drawn = built.python("dvc", "dag", "--md", f"evidence@{CITY}")
    assert drawn.returncode == 0, drawn.stderr
    assert all(f"{stage}@{CITY}" in drawn.stdout for stage in ALL)


def test_plain_nbval(built: Place) -> None:
    done = built.python("pytest", "--nbval-lax", "-p", "no:cacheprovider", WAVES)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert built.git("status", "--porcelain") == ""


def test_plain_voila(built: Place) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "voila", "notebooks/apps/situation.ipynb", "--no-browser",
         f"--port={PORT}"],
        cwd=built.root, env=built.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    try:
        page = _fetched(f"http://127.0.0.1:{PORT}/")
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=60)
    assert "Comment lire cette page" in page
    assert "application/vnd.jupyter.widget-view+json" in page
    assert "Traceback" not in page + said


def _fetched(url: str) -> str:
    until = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=300) as answer:
                return str(answer.read().decode())
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def test_what_python_compiles_marks_no_stage_changed(built: Place) -> None:
    core = built.root / "src/helpers/core"
    told = built.python("dvc", "status", f"waves@{CITY}").stdout
    assert "up to date" in told
    assert compileall.compile_dir(core, quiet=1, force=True, legacy=False)
    assert list(core.rglob("*.pyc"))
    assert built.python("dvc", "status", f"waves@{CITY}").stdout == told
    (core / "__pycache__" / "essai.txt").write_text("ce que laisse un outil", encoding="utf-8")
    assert built.python("dvc", "status", f"waves@{CITY}").stdout == told


@pytest.mark.parametrize("stage", sorted(ALL))
def test_what_a_stage_really_read_is_what_dvc_lists(built: Place, stage: str) -> None:
    """Else a change of it would leave the stage as it was."""
    one = yaml.safe_load((built.root / "dvc.yaml").read_text(encoding="utf-8"))["stages"][stage]
    pack = f"data/cities/{CITY}"
    told = {dep.replace("${key}", CITY).replace("${item.pack}", pack) for dep in one["do"]["deps"]}
    lineage = json.loads((built.data / "derived" / stage / "lineage.json").read_text("utf-8"))
    read = {name.replace(f"{CITY}/", f"{pack}/", 1) if name.startswith(f"{CITY}/") else name
            for name in lineage["inputs"]}  # fmt: skip
    assert [name for name in sorted(read) if not _within(name, told)] == []


def _within(name: str, folders: set[str]) -> bool:
    return any(name == folder or name.startswith(f"{folder}/") for folder in folders)
