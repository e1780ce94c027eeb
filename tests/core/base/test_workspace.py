"""A run that is killed, at any moment, leaves nothing that the next one would not put right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from helpers.core.base import store
from helpers.core.base.workspace import SCRATCH, scratch
from tests.fixtures.made_up import deliver, fact, write_pack
from tests.fixtures.real import ROOT

ROWS = 30_000
IMPORT = """
import sys
from pathlib import Path
from helpers.collect import collect
from helpers.core.city.city import City
from helpers.core.stage import params
from helpers.ingest import ingest
folder = Path(sys.argv[1])
city = City(folder / "essai")
collect.collect(city, folder, folder / "out/raw")
ingest.ingest(city, folder / "out/raw", folder / "out", params.knobs("ingest"))
"""


def start(folder: Path, temporary: Path) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(temporary)}
    return subprocess.Popen(
        [sys.executable, "-c", IMPORT, str(folder)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def made(folder: Path) -> dict[str, str]:
    files = sorted(path for path in (folder / "out").rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): store.sha256(path) for path in files}


def test_import_killed_anywhere_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """SIGKILL at ten moments spread over the time that an undisturbed import takes."""
    rows = [fact(i % (ROWS - 500), debut=f"2024-0{i % 9 + 1}-1{i % 9}T12:00:00")
            for i in range(ROWS)]  # fmt: skip
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for name in ("calm", "shaken"):
        folder = tmp_path / name
        folder.mkdir()
        write_pack(folder)
        deliver(folder, rows)
    began = time.monotonic()
    assert start(tmp_path / "calm", temporary).wait() == 0
    whole = time.monotonic() - began
    chance = random.Random(3)
    killed = 0
    for i in range(10):
        process = start(tmp_path / "shaken", temporary)
        time.sleep(whole * (i + chance.random()) / 10)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    assert killed >= 5
    assert start(tmp_path / "shaken", temporary).wait() == 0
    assert made(tmp_path / "shaken") == made(tmp_path / "calm")
    assert list(temporary.iterdir()) == []


def test_scratch_of_a_dead_run_goes_and_that_of_a_living_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    text = (
        "import time\nfrom helpers.core.base.workspace import scratch\n"
        "with scratch() as folder: print(folder); time.sleep(99)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(tmp_path)}
    runs = [
        subprocess.Popen([sys.executable, "-uc", text], env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    dead, alive = (Path(run.stdout.readline().strip()) for run in runs if run.stdout)
    mine_too = tmp_path / f"{SCRATCH}{os.getpid()}-z"  # of one that had our number before us
    other = tmp_path / "phare-magasin"
    for folder in (mine_too, other):
        folder.mkdir()
    runs[0].kill()
    try:
        # Until we ask for its end, the killed one is still there, a number without a process.
        os.waitid(os.P_PID, runs[0].pid, os.WEXITED | os.WNOWAIT)
        with scratch() as mine:
            assert mine.is_dir()
            assert set(tmp_path.iterdir()) == {other, alive, mine}
        assert not mine.exists()
        assert not dead.exists()
    finally:
        runs[1].kill()
        for run in runs:
            run.communicate()
