"""Stages at the same time: what DVC alone would leave, whatever the order and however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
import zc.lockfile
from dvc.lock import LockError, make_lock
from hypothesis import given
from hypothesis import strategies as st

from helpers.core.base.errors import PhareError
from helpers.workshop import dvc_side_by_side, reproduction
from tests.fixtures.real import ROOT

# A trunk, two branches and what gathers them. `left` and `right` each wait for the other to begin,
# where `meet` says so: one at a time, neither would end.
NEEDS = {"trunk": [], "left": ["trunk"], "right": ["trunk"], "end": ["left", "right"]}
WORK = """\
import os, pathlib, sys, time
name, needs = sys.argv[1], sys.argv[2:]
asked = pathlib.Path("asked").read_text().split()
pathlib.Path(f"began-{name}").touch()
out = pathlib.Path(f"data/ici/{name}")
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text("half")
other = {"left": "right", "right": "left"}.get(name)
if other and "meet" in asked:
    until = time.monotonic() + 60
    while not pathlib.Path(f"began-{other}").exists():
        if time.monotonic() > until:
            sys.exit(f"{name}: nobody came")
        time.sleep(.02)
if f"fail-{name}" in asked:
    sys.exit(f"Erreur : {name} ne peut pas\\n  où       : ici\\n  à faire : rien")
pathlib.Path(f"began-{name}").write_text(str(os.getpid()))
if "slow" in asked and name == "left" or "slow-both" in asked and other:
    until = time.monotonic() + 60
    while "stopped" not in pathlib.Path("asked").read_text() and time.monotonic() < until:
        time.sleep(.02)
read = [pathlib.Path(f"data/ici/{one}").read_text() for one in needs]
out.write_text(" ".join([name, asked[0], *read]))
"""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of four small stages, none of which has run."""
    root = tmp_path_factory.mktemp("empty") / "phare"
    stages = {
        name: {
            "foreach": "${cities}",
            "do": {
                "cmd": f"python -I work.py {name} {' '.join(needs)}",
                "deps": ["asked-by-all", *(f"data/${{key}}/{one}" for one in needs)],
                "outs": [f"data/${{key}}/{name}"],
            },
        }
        for name, needs in NEEDS.items()
    }
    (root / "data/cities/ici").mkdir(parents=True)
    written = {
        "dvc.yaml": yaml.safe_dump({"vars": ["data/cities/active.yaml"], "stages": stages}),
        "data/cities/active.yaml": "cities:\n  ici: {pack: data/cities/ici}\n",
        "params.yaml": "{}\n", "work.py": WORK, "asked": "one", "asked-by-all": "one",
        ".gitignore": "/data/ici/\n/began-*\n",
    }  # fmt: skip
    for name, text in written.items():
        (root / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "-C", str(root), "init", "-q"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "--cd", str(root), "init", "-q"], check=True)
    return root


@pytest.fixture
def place(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that workspace, two stages at a time."""
    root = tmp_path / "phare"
    shutil.copytree(empty, root)
    monkeypatch.chdir(root)
    monkeypatch.setenv(reproduction.JOBS, "2")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return root


def ask(root: Path, *words: str, anew: bool = True) -> None:
    """Say what the stages are to do; `anew`, as something that they hang on."""
    (root / "asked").write_text(" ".join(words))
    if anew:
        (root / "asked-by-all").write_text(words[0])


def run(root: Path) -> None:
    for began in root.glob("began-*"):
        began.unlink()
    reproduction.reproduce(root, [f"{name}@ici" for name in NEEDS])


def left_by(root: Path) -> dict[str, bytes]:
    """Return what a run leaves: results, and what DVC notes of them."""
    return {"lock": (root / "dvc.lock").read_bytes()} | {
        name: (root / "data/ici" / name).read_bytes()
        for name in NEEDS
        if (root / "data/ici" / name).exists()
    }


def test_two_branches_run_at_the_same_time_and_leave_what_dvc_alone_leaves(
    place: Path, empty: Path, tmp_path: Path
) -> None:
    ask(place, "one", "meet")
    run(place)
    assert (place / "data/ici/end").read_text() == "end one left one trunk one right one trunk one"
    alone = tmp_path / "alone"
    shutil.copytree(empty, alone)
    command = [sys.executable, "-m", "dvc", "repro", "--glob", "*@ici"]
    subprocess.run(command, cwd=alone, check=True, capture_output=True)
    assert left_by(place) == left_by(alone)


def test_one_at_a_time_where_it_is_asked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(place)
    expected = left_by(place)
    shutil.rmtree(place / "data/ici")
    (place / "dvc.lock").unlink()
    shutil.rmtree(place / ".dvc/cache")
    monkeypatch.setenv(reproduction.JOBS, "1")
    run(place)
    assert left_by(place) == expected


def test_a_second_run_starts_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(place)
    expected = left_by(place)
    capsys.readouterr()
    run(place)
    assert capsys.readouterr().out.count("inchangé") == len(NEEDS)
    assert not list(place.glob("began-*"))
    assert left_by(place) == expected


def test_what_fails_is_put_back_while_what_runs_beside_it_is_kept(place: Path) -> None:
    run(place)
    ask(place, "two", "meet", "slow", "fail-right")
    for began in place.glob("began-*"):
        began.unlink()

    def stop_left() -> None:
        # Once DVC has been told that `right` has failed: a while after that one has begun.
        until = time.monotonic() + 60
        while not (place / "began-right").exists() and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(2)
        ask(place, "two", "meet", "stopped", anew=False)

    stop = threading.Thread(target=stop_left, daemon=True)
    stop.start()
    with pytest.raises(PhareError) as caught:
        run(place)
    stop.join()
    assert "right ne peut pas" in str(caught.value)
    assert (place / "data/ici/right").read_text() == "right one trunk one"  # as it was
    assert (place / "data/ici/left").read_text() == "left two trunk two"
    assert not (place / "began-end").exists()
    (place / "began-left").unlink()
    ask(place, "two", anew=False)
    run(place)
    assert (place / "data/ici/end").read_text() == "end two left two trunk two right two trunk two"
    assert not (place / "began-left").exists()  # what was kept is not run once more


RUN = """
from pathlib import Path
from helpers.core.base import commands
from helpers.workshop import reproduction
commands.begin()
reproduction.reproduce(Path.cwd(), [f"{name}@ici" for name in ("trunk", "left", "right", "end")])
"""


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_both_are_put_back_and_nobody_works_on(place: Path, sign: int) -> None:
    run(place)
    expected = left_by(place)
    ask(place, "two", "meet", "slow-both")
    for began in place.glob("began-*"):
        began.unlink()
    with subprocess.Popen(
        [sys.executable, "-c", f"import signal\nsignal.signal({int(signal.SIGINT)}, "
         f"signal.default_int_handler)\n{RUN}"], cwd=place,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as command:  # fmt: skip
        numbers = [waited(place / f"began-{name}") for name in ("left", "right")]
        if sign == signal.SIGINT:  # a terminal tells them all
            os.killpg(command.pid, sign)
        else:
            command.send_signal(sign)
        assert command.wait(timeout=60) != 0
    assert left_by(place)["left"] == expected["left"]
    assert left_by(place)["right"] == expected["right"]
    assert not [number for number in numbers if works(number)]
    ask(place, "two", anew=False)
    run(place)
    assert (place / "data/ici/end").read_text() == "end two left two trunk two right two trunk two"


HOLD = """
import pathlib, sys, time, zc.lockfile
until = time.monotonic() + 60
while True:
    try:
        lock = zc.lockfile.LockFile(sys.argv[1])
        break
    except zc.lockfile.LockError:
        assert time.monotonic() < until
        time.sleep(.02)
pathlib.Path("held").write_text("1")
time.sleep(float(sys.argv[2]))
lock.close()
"""


def test_a_stage_that_ends_while_somebody_elses_dvc_holds_the_workspace_waits_for_it(
    place: Path,
) -> None:
    run(place)
    ask(place, "two", "slow-both")
    for began in place.glob("began-*"):
        began.unlink()
    hold = [sys.executable, "-c", HOLD, ".dvc/tmp/lock", "5"]  # DVC alone gives up after three

    def somebody_else() -> None:
        for name in ("left", "right"):
            waited(place / f"began-{name}")
        with subprocess.Popen(hold, cwd=place):
            waited(place / "held")
            ask(place, "two", "slow-both", "stopped", anew=False)

    other = threading.Thread(target=somebody_else, daemon=True)
    other.start()
    run(place)
    other.join()
    assert (place / "data/ici/end").read_text() == "end two left two trunk two right two trunk two"


def test_who_does_not_get_the_workspace_back_leaves_others_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dvc_side_by_side, "PATIENCE_S", 0.0)
    monkeypatch.setattr("dvc.lock.DEFAULT_TIMEOUT", 0.1)
    path = tmp_path / "lock"
    turns = dvc_side_by_side.Turns(make_lock(str(path)))

    def stage() -> None:
        with turns:
            turns.unlock()  # its command runs
            other = zc.lockfile.LockFile(str(path))
            try:
                turns.lock()  # its command has ended
            finally:
                other.close()

    with pytest.raises(LockError):
        stage()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(turns.lock).result(timeout=10) is None
        turns.unlock()  # not this one's
        assert turns.is_locked
        pool.submit(turns.unlock).result(timeout=10)
    assert not turns.is_locked


def works(number: int) -> bool:
    """Tell whether the process lives: one that is dead and not buried has no command line."""
    try:
        return bool(Path(f"/proc/{number}/cmdline").read_bytes())
    except OSError:
        return False


def waited(path: Path) -> int:
    """Return the number that is written there, once it is."""
    until = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < until, path
        time.sleep(0.02)
    return int(path.read_text())


def test_the_stage_that_fails_is_named_whoever_runs_beside_it(place: Path) -> None:
    (place / "work.py").write_text(WORK.replace("Erreur : ", "oh ").replace("\\n", " "))
    ask(place, "one", "meet", "fail-left")
    with pytest.raises(PhareError) as caught:
        run(place)
    assert "étape left@ici" in str(caught.value)


@pytest.mark.parametrize("told", ["0", "5", "-1", "deux", "1.5", " 2"])
def test_a_number_of_stages_that_is_none_is_told(
    told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(reproduction.JOBS, told)
    with pytest.raises(PhareError, match="JOBS"):
        reproduction.jobs()


@given(st.data(), st.integers(1, 4))
def test_each_step_is_done_once_after_those_it_waits_for(data: st.DataObject, n: int) -> None:
    count = data.draw(st.integers(1, 9))
    waits = {
        step: data.draw(st.sets(st.sampled_from(range(step)))) if step else set()
        for step in range(count)
    }
    fails = data.draw(st.sets(st.integers(0, count - 1), max_size=2))
    began: list[int] = []
    done: list[int] = []
    most, now, guard = 0, 0, threading.Lock()

    def work(step: int) -> None:
        nonlocal most, now
        with guard:
            began.append(step)
            now += 1
            most = max(most, now)
            assert waits[step] <= set(done)
        with guard:
            now -= 1
            if step in fails:
                raise OSError(step)
            done.append(step)

    first = dvc_side_by_side.longest(waits, lambda step: data.draw(st.floats(0, 9)))
    failed = dvc_side_by_side.walk(waits, first, work, n)
    assert len(began) == len(set(began))
    assert most <= n
    assert {step for step, _ in failed} == set(began) & fails
    assert all(isinstance(error, OSError) for _, error in failed)
    assert failed or set(done) == set(waits)


def test_a_lock_is_taken_apart_and_put_together_as_it_was() -> None:
    lock = (ROOT / "dvc.lock").read_text(encoding="utf-8")
    found = dvc_side_by_side.entries(lock)
    assert found is not None
    assert dvc_side_by_side.HEAD + "".join(f"  {text}" for text in found.values()) == lock
    assert list(found) == list(yaml.load(lock, Loader=yaml.CSafeLoader)["stages"])


@pytest.mark.parametrize("lock", [
    "schema: '1.0'\nstages: {}\n", "<<<<<<< HEAD\n", "stages:\n  a:\n    cmd: b\n",
    "schema: '2.0'\nstages:\n  a:\n    cmd: b\ndatasets: []\n",
])  # fmt: skip
def test_a_lock_of_another_form_is_left_to_dvc(lock: str) -> None:
    assert dvc_side_by_side.entries(lock) is None


def test_the_longest_way_first() -> None:
    waits = {"a": set[str](), "b": set[str](), "c": {"b"}, "d": {"a", "c"}}
    seconds = {"a": 3.0, "b": 2.0, "c": 2.0, "d": 1.0}
    first = dvc_side_by_side.longest(waits, seconds.__getitem__)
    assert first == {"a": 4.0, "b": 5.0, "c": 3.0, "d": 1.0}
