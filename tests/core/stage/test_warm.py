"""A fork of the warm process is to its caller what `python -m` is: asked of plain small modules."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from helpers.core.stage import warm

TELLS = """
import os, sys, threading
print(sys.argv[1:], os.getcwd(), os.environ.get("ASKED"), threading.active_count())
print("papermill" in sys.modules, any(name.startswith("helpers") for name in sys.modules))
print(sys.stdin.read(), file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""
WAITS = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of those who may ask; two modules lie on its path."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "tells.py").write_text(TELLS)
    (folder / "waits.py").write_text(WAITS)
    with warm.opened(dict(os.environ)) as found:
        yield {**found, "PYTHONPATH": str(folder)}


def asking(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-S", warm.__file__, module, *arguments]


def plainly(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


@pytest.mark.parametrize("code", [0, 3])
def test_a_fork_has_what_its_caller_has(told: dict[str, str], tmp_path: Path, code: int) -> None:
    env = {**told, "ASKED": "oui"}
    ran = [
        subprocess.run(line, env=env, cwd=tmp_path, input="entré", capture_output=True, text=True)
        for line in (asking("tells", str(code), "b c"), plainly("tells", str(code), "b c"))
    ]
    forked, plain = (one.stdout.splitlines() for one in ran)
    assert plain == [f"['{code}', 'b c'] {tmp_path} oui 1", "False False"]
    # One thread more: it waits for the caller's end. The libraries are there, none of ours is.
    assert forked == [f"['{code}', 'b c'] {tmp_path} oui 2", "True False"]
    assert [one.returncode for one in ran] == [code, code]
    assert [one.stderr for one in ran] == ["entré\n", "entré\n"]


LISTENS = """
import subprocess, sys
from helpers.core.stage import warm
import os
os.environ.pop(warm.ADDRESS, None)
with warm.opened(dict(os.environ)) as found:
    line = [sys.executable, "-I", "-S", warm.__file__, "streams"]
    done = subprocess.run(line, env=found, capture_output=True, text=True)
    sys.exit(repr((done.returncode, done.stdout, done.stderr)))
"""
STREAMS = """
import sys
import duckdb, pyarrow.parquet, vl_convert
vl_convert.vegalite_to_svg({"data": {"values": [{"a": 1}]}, "mark": "point"})
duckdb.sql("SELECT count(*) FROM range(1000000)").fetchall()
for stream in (sys.stdout, sys.stderr):
    stream.reconfigure(errors="backslashreplace")
    print("dit", file=stream)
"""


def test_a_fork_of_one_that_writes_in_files_has_the_pipes_of_its_caller(tmp_path: Path) -> None:
    """`make run > file`: and it says no more at its end than a plain Python would."""
    (tmp_path / "streams.py").write_text(STREAMS)
    (tmp_path / "listens.py").write_text(LISTENS)
    path = os.pathsep.join(part for part in (str(tmp_path), *sys.path) if part)
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        subprocess.run(
            [sys.executable, "-m", "listens"],
            env={**os.environ, "PYTHONPATH": path}, stdout=out, stderr=err, check=False,
        )  # fmt: skip
    assert (tmp_path / "err").read_text() == "(0, 'dit\\n', 'dit\\n')\n"


def test_what_stops_a_fork_is_told_as_python_tells_it(told: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "stops.py").write_text("import sys\nsys.exit('stopped')\n")
    (tmp_path / "raises.py").write_text("raise ValueError('raised')\n")
    env = {**told, "PYTHONPATH": str(tmp_path)}
    for module in ("stops", "raises"):
        ran = [
            subprocess.run(line(module), env=env, capture_output=True, text=True)
            for line in (asking, plainly)
        ]
        assert ran[0].returncode == ran[1].returncode == 1
        assert ran[0].stderr.splitlines()[-1] == ran[1].stderr.splitlines()[-1]


def test_a_module_that_does_not_exist_fails_as_python_says(told: dict[str, str]) -> None:
    done = subprocess.run(asking("no_such"), env=told, capture_output=True, text=True)
    assert done.returncode == 1
    assert "No module named no_such" in done.stderr


def test_a_killed_caller_takes_its_fork_along(told: dict[str, str]) -> None:
    with subprocess.Popen(asking("waits"), env=told, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        fork = int(caller.stdout.readline())
        caller.send_signal(signal.SIGKILL)
    assert ends(fork)


def test_it_ends_with_the_block_and_who_asks_then_gets_plain_python(tmp_path: Path) -> None:
    (tmp_path / "tells.py").write_text(TELLS)
    with warm.opened({**os.environ, "PYTHONPATH": str(tmp_path)}) as found:
        pass
    done = subprocess.run(asking("tells", "0"), env=found, input="", capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1] == "False False"


def test_who_has_a_warm_process_opens_no_other(told: dict[str, str]) -> None:
    with warm.opened(told) as found:
        assert found == told


def test_jupyter_finds_a_forked_kernel_and_its_death_is_the_kernels(
    told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (warm.ADDRESS, "JUPYTER_PATH"):
        monkeypatch.setenv(name, told[name])
    manager, client = start_new_kernel(kernel_name="python3")
    said: list[str] = []
    client.execute_interactive(
        "import os, sys; print(os.getpid(), 'papermill' in sys.modules)",
        output_hook=lambda message: said.append(message["content"].get("text", "")),
    )
    process, loaded = "".join(said).split()
    assert loaded == "True"
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    assert ends(int(process))


def ends(process: int) -> bool:
    """Wait for the end of a process that is no child of ours."""
    for _ in range(200):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
