"""Two runs at once, and runs that were stopped: real processes, real DVC, one small stage."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.workshop import new, one_run
from tests.fixtures.real import ROOT

PIPELINE = """\
vars: [data/cities/active.yaml]
stages:
  collect:
    foreach: ${cities}
    do:
      cmd: python -I work.py
      deps: [data/cities/ici/asked]
      outs: ["data/${key}/out"]
      meta: {level: C}
"""
WORK = """\
import os, pathlib, time
pathlib.Path("data/ici").mkdir(exist_ok=True)
pathlib.Path("data/ici/out").write_text("begun")
asked = pathlib.Path("data/cities/ici/asked").read_text()
if asked == "long":
    pathlib.Path(os.environ["STAGE_PID"]).write_text(str(os.getpid()))
    time.sleep(60)
pathlib.Path("data/ici/out").write_text(asked)
"""
ASKED = "data/cities/ici/asked"
WHO = ["-c", "user.name=essai", "-c", "user.email=essai@localhost"]
RUN = """\
import sys
from pathlib import Path
from helpers.core.base import commands
from helpers.workshop import one_run, reproduction
commands.begin()
with one_run.alone(Path.cwd()):
    reproduction.reproduce(Path.cwd(), ["collect@ici"])
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose one stage is done."""
    folder = tmp_path_factory.mktemp("done")
    root = folder / "phare"
    (root / "data/cities").mkdir(parents=True)
    shutil.copytree(ROOT / "templates", root / "templates")
    new.new_city(root, "ici")
    written = {"data/cities/active.yaml": "cities:\n  ici: {pack: data/cities/ici}\n",
               "dvc.yaml": PIPELINE, "params.yaml": "{}\n", "work.py": WORK,
               "data/cities/ici/asked": "short", ".gitignore": "/data/ici/\n"}  # fmt: skip
    for name, text in written.items():
        (root / name).write_text(text, encoding="utf-8")
    (folder / "tmp").mkdir()
    subprocess.run(["git", "-C", str(root), "init", "-q"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "--cd", str(root), "init", "-q"], check=True)
    works(root)
    for words in (["add", "-A"], [*WHO, "commit", "-qm", "essai"]):
        subprocess.run(["git", "-C", str(root), *words], check=True)
    evidence = root / "data/ici/figures/collect/one.evidence.json"
    evidence.parent.mkdir(parents=True)
    evidence.write_text('{"figure": "one", "passport": "x"}', encoding="utf-8")
    return root


@pytest.fixture
def place(done: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of that workspace; `asked` says whether the next run takes long."""
    root = tmp_path / "phare"
    shutil.copytree(done, root)
    # Short: sockets lie there, and the name of a test's folder may be long.
    with tempfile.TemporaryDirectory(prefix="un-") as moment:
        (tmp_path / "tmp").symlink_to(moment)
        yield root
        for one in (root / "stage.pid", root / ".dvc/tmp/phare.lock"):
            kill(int(one.read_text() or 0) if one.exists() else 0)


def kill(process: int) -> None:
    """Kill a process of these tests that may still be there."""
    try:
        told = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return
    if process and (b"work.py" in told or b"dvc" in told):
        os.kill(process, signal.SIGKILL)


def heard() -> None:
    """Hear the signals that whoever runs the tests may have been told to ignore (nohup, &)."""
    for sign in (signal.SIGHUP, signal.SIGINT):
        signal.signal(sign, signal.SIG_DFL)


def start(root: Path, *command: str) -> subprocess.Popen[str]:
    here = str(Path(sys.executable).parent)
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"),
           "TMPDIR": str((root.parent / "tmp").resolve()),
           "PATH": f"{here}{os.pathsep}{os.environ['PATH']}",
           "STAGE_PID": str(root / "stage.pid")}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, *(command or ("-c", RUN))], cwd=root, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heard,
    )  # fmt: skip


def begin_long(root: Path, *command: str) -> subprocess.Popen[str]:
    """Start a run whose stage takes long; return it once the stage works."""
    (root / ASKED).write_text("long", encoding="utf-8")
    run = start(root, *command)
    while not ((root / "stage.pid").exists() and (root / "stage.pid").read_text()):
        assert run.poll() is None, run.communicate()
        time.sleep(0.05)
    return run


STATUS = ("-m", "helpers.workshop.status", "ici", "--json")


def test_status_says_that_a_run_works_and_leaves_it_alone(place: Path) -> None:
    run = begin_long(place)
    before = (place / ".dvc/tmp/rwlock").read_bytes()
    noted = (place / "data/cities/ici/livraison.sha256").read_bytes()  # what the run has read
    (place / "data/cities/ici/livraison/plus.csv").write_text("x")
    looks = [start(place, *STATUS) for _ in range(2)]
    for look in looks:
        out, told = look.communicate()
        assert look.returncode == 0, told
        assert json.loads(out)["run"] == {"process": dvc_of(place)}
    out, _ = start(place, *STATUS[:-1]).communicate()
    assert f"Un calcul est en cours dans cet atelier (processus {dvc_of(place)})" in out
    assert (place / ".dvc/tmp/rwlock").read_bytes() == before
    assert (place / "data/cities/ici/livraison.sha256").read_bytes() == noted
    assert run.poll() is None


def test_run_waits_for_a_look_and_a_look_for_another(place: Path) -> None:
    """Neither fails for the other's sake: a look is short, and a run is not to be lost."""
    (place / ASKED).write_text("again", encoding="utf-8")
    with one_run.looking(place):
        others = [start(place), start(place, *STATUS)]
        with pytest.raises(subprocess.TimeoutExpired):
            others[0].wait(4)
    for other in others:
        told = other.communicate()
        assert other.returncode == 0, told
    assert (place / "data/ici/out").read_text() == "again"


def dvc_of(root: Path) -> int:
    return int((root / ".dvc/tmp/phare.lock").read_text())


def refused(root: Path) -> str:
    """Start another run, which must be refused in one sentence; return it."""
    other = start(root)
    out, told = other.communicate()
    assert (other.returncode, out) == (1, "")
    assert len(told.splitlines()) == 3, told
    assert told.startswith("Erreur : un autre calcul est en cours dans cet atelier (processus ")
    return told


def works(root: Path) -> None:
    run = start(root)
    told = run.communicate()
    assert run.returncode == 0, told


def works_again(root: Path) -> None:
    (root / ASKED).write_text("again", encoding="utf-8")
    works(root)
    assert (root / "data/ici/out").read_text() == "again"
    assert list((root.parent / "tmp").glob("phare-*")) == []  # swept


def test_second_run_names_the_first_until_it_and_its_dvc_are_gone(place: Path) -> None:
    first = begin_long(place)
    assert f"kill {dvc_of(place)}" in refused(place)
    first.kill()
    first.wait()
    assert f"(processus {dvc_of(place)})" in refused(place)  # DVC outlives who started it
    os.kill(dvc_of(place), signal.SIGKILL)
    kill(int((place / "stage.pid").read_text()))
    works_again(place)


def test_note_of_dvc_that_names_another_program_s_number_is_swept(place: Path) -> None:
    """DVC believes a number that lives: it would wait for it to end."""
    user = {"pid": os.getppid(), "cmd": "x"}
    noted = {"write": {f"{place}/data/ici/out": user}, "read": {}}
    (place / ".dvc/tmp/rwlock").write_text(json.dumps(noted), encoding="utf-8")
    works_again(place)


def test_note_of_dvc_cut_short_is_swept(place: Path) -> None:
    (place / ".dvc/tmp/rwlock").write_text('{"write": {"/x', encoding="utf-8")
    works_again(place)


def test_dvc_by_hand_keeps_a_run_waiting(place: Path) -> None:
    """Somebody's `dvc repro` in another terminal: DVC's own lock, told as ours is."""
    holder = (
        "import zc.lockfile, sys, time; held = zc.lockfile.LockFile('.dvc/tmp/lock'); "
        "print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", holder], cwd=place, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        (place / ASKED).write_text("again", encoding="utf-8")
        assert f"kill {other.pid}" in refused(place)
    finally:
        other.kill()
        other.communicate()
    works_again(place)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_run_told_to_end_puts_back_what_was_there(number: signal.Signals, place: Path) -> None:
    run = begin_long(place)
    run.send_signal(number)
    kill(int((place / "stage.pid").read_text()))  # not one of ours: it does not watch its caller
    _, told = run.communicate()
    assert run.returncode == (-number if number == signal.SIGINT else 128 + number)
    assert "Traceback" not in told
    assert (place / "data/ici/out").read_text() == "short"
    assert list((place.parent / "tmp").glob("phare-*")) == []
    works_again(place)


def test_run_killed_leaves_nothing_that_the_next_does_not_sweep(place: Path) -> None:
    run = begin_long(place)
    assert len(list((place.parent / "tmp").glob("phare-*"))) == 1
    run.kill()
    run.communicate()
    os.kill(dvc_of(place), signal.SIGKILL)
    kill(int((place / "stage.pid").read_text()))
    works_again(place)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_stopped_figure(number: signal.Signals, place: Path) -> None:
    """`make figure`, stopped while a stage works in its clone, and then any command."""
    run = begin_long(place, "-m", "helpers.workshop.refigure", "one")
    temporary = place.parent / "tmp"
    (clone,) = temporary.glob("phare-*/phare")
    working = int((clone / ".dvc/tmp/phare.lock").read_text())
    run.send_signal(number)
    kill(int((place / "stage.pid").read_text()))
    _, told = run.communicate()
    kill(working)
    assert "Traceback" not in told
    assert clone.exists() == (number == signal.SIGKILL)
    start(place, "-c", "from helpers.core.base import commands; commands.begin()").communicate()
    assert list(temporary.glob("phare-*")) == []
