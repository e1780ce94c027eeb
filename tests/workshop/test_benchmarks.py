"""Every benchmark runs, at its tiny size, and prints its ratios; no time is asserted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.real import ROOT

NAMES = sorted(p.stem for p in (ROOT / "benchmarks").glob("*.py") if p.stem != "__init__")
RATIO = re.compile(r"^  .+ / .+ : ×(?P<value>\S+)$", re.MULTILINE)


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PHARE_", "PYTEST"))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_benchmark_prints_its_ratios(name: str) -> None:
    done = run(["-m", f"benchmarks.{name}", "--size", "tiny"], ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    ratios = [float(found["value"]) for found in RATIO.finditer(done.stdout)]
    assert ratios, done.stdout
    assert all(0 < ratio < float("inf") for ratio in ratios), done.stdout


def test_make_bench_runs_every_benchmark() -> None:
    """What `make bench` would run, as make itself tells it."""
    done = subprocess.run(
        ["make", "--dry-run", "PHARE_ENV=active", "SIZE=tiny", "bench"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loop = re.search(r"for name in (?P<names>[\w ]+); do", done.stdout)
    assert loop, done.stdout
    assert sorted(loop["names"].split()) == NAMES
    assert "--size tiny" in done.stdout


def test_the_plain_script_does_not_mind_where_a_notebook_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {first: {}, second: {}}\n")
    (tmp_path / "params.yaml").write_text("first: {}\nsecond: {}\n")
    (tmp_path / "notebooks/part").mkdir(parents=True)
    last = f"open({str(tmp_path / 'said')!r}, 'w').write('second')"
    for stage, source in (("first", "import os; os.chdir('/')"), ("second", last)):
        cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": source}
        path = tmp_path / f"notebooks/part/{stage}.ipynb"
        path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}))
    done = run([str(ROOT / "benchmarks/parts/plain.py"), "essai", "first", "second"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "said").read_text() == "second"
