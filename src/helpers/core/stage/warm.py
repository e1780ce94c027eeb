"""Libraries loaded once: a process from which stages and their kernels are forked.

Loading Papermill, Altair and SciPy takes longer than most stages compute. Who runs several stages
opens a warm process around them (`opened`), which loads them when first asked; a stage, and each
kernel that Jupyter starts, is then a fork of it instead of a Python of its own. Nothing else
changes: a fork has its caller's arguments, folder, environment and standard files, ends when its
caller ends, and gives its exit code. No module of ours is loaded beforehand: a stage runs the code
as it stands, and workspaces may share a warm process.

`python -I -S warm.py MODULE ARGUMENTS…` is `python -m MODULE ARGUMENTS…`, forked. This file imports
the standard library alone at first: whoever asks must be quick.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

ADDRESS = "PHARE_WARM"
LOADED = (
    "altair", "duckdb", "holidays", "ipykernel.ipkernel", "ipykernel.kernelapp", "mistune",
    "msgspec", "nbconvert.exporters.html", "nbconvert.preprocessors.sanitize", "papermill",
    "pyarrow.compute", "pyarrow.dataset", "pyarrow.parquet", "pydantic", "pyogrio", "pyproj",
    "python_calamine", "ruamel.yaml", "scipy.optimize", "scipy.signal", "scipy.sparse",
    "scipy.spatial", "scipy.special", "scipy.stats", "shapely", "vl_convert", "yaml",
)  # fmt: skip
# ipykernel reads it when loaded: 1 is a kernel whose end is another's care (`_end_with_caller`).
PARENT = "JPY_PARENT_PID"
LISTEN = "--listen"
BACKLOG = 16
LENGTH = 8
LOST = 70  # EX_SOFTWARE: the fork ended without giving its exit code
PATIENCE_S = 1.0


# ---- who asks


def run(module: str, arguments: Sequence[str]) -> NoReturn:
    """End this process as `python -m module arguments`, in a fork where a warm one is at hand."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(os.environ.get(ADDRESS, ""))
        except OSError:  # none, or no longer: slower, and the same
            os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
        order = {
            "module": module,
            "arguments": list(arguments),
            "folder": os.getcwd(),  # noqa: PTH109 — pathlib is slower to load than all the rest
            "environment": dict(os.environ),
        }
        text = json.dumps(order).encode()
        socket.send_fds(line, [len(text).to_bytes(LENGTH, "big")], [0, 1, 2])
        line.sendall(text)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the fork hears it too, and ends for both
        sys.exit(_wait(line, os.getppid()))


def _wait(line: socket.socket, parent: int) -> int:
    """Return the fork's exit code once it has ended; leave, and so end it, if our parent has."""
    code = LOST
    while os.getppid() == parent:
        if select.select([line], [], [], PATIENCE_S)[0]:
            told = line.recv(1)
            if not told:
                break
            code = told[0]
    return code


# ---- the warm process


@contextmanager
def opened(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Open a warm process in this environment; yield the environment of those that may ask it.

    Jupyter finds there a kernel that asks it too. It ends with the block, and with this process
    however this process ends. Where the environment has one already, that one serves.
    """
    if environment.get(ADDRESS):
        yield dict(environment)
        return
    from helpers.core.base.workspace import scratch  # who asks does without

    with scratch() as folder, socket.socket(socket.AF_UNIX) as door:
        address = str(folder / "warm")
        door.bind(address)
        door.listen(BACKLOG)
        process = subprocess.Popen(
            [sys.executable, "-P", __file__, LISTEN, str(door.fileno())],
            stdin=subprocess.PIPE,
            env=dict(environment),
            pass_fds=[door.fileno()],
        )
        door.close()  # the door is the other's: were it to end, nobody would wait there
        try:
            yield {**environment, ADDRESS: address, "JUPYTER_PATH": _kernel(folder, environment)}
        finally:
            process.terminate()
            process.communicate()


def _kernel(folder: Path, environment: Mapping[str, str]) -> str:
    """Write what Jupyter calls a kernel, forked; return the paths on which it is found."""
    spec = folder / "kernels" / "python3"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-I", "-S", __file__, "ipykernel_launcher", "-f", "{connection_file}"]
    told = {"argv": argv, "display_name": "Python 3 (ipykernel)", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(told))
    others = environment.get("JUPYTER_PATH")
    return os.pathsep.join([str(folder), others] if others else [str(folder)])


def _listen(number: int) -> socket.socket | None:
    """Serve forks until standard input ends; in each fork, return the line to who asked."""
    with socket.socket(fileno=number) as door:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the forks
        select.select([door, sys.stdin], [], [])  # where nothing is asked, nothing is loaded
        os.environ[PARENT] = "1"
        for name in LOADED:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()  # a fork shares what it does not touch
        while True:
            ready, _, _ = select.select([door, sys.stdin], [], [])
            if sys.stdin in ready:
                return None
            line, _ = door.accept()
            if os.fork() == 0:
                return line
            line.close()


def _take_order(line: socket.socket) -> str:
    """Make this fork what its caller is: files, folder, environment; return the module to run."""
    head, files, _, _ = socket.recv_fds(line, LENGTH, 3)
    with line.makefile("rb") as told:
        order = json.loads(told.read(int.from_bytes(head, "big")))
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    _open_streams()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(order["folder"])
    mine = _paths()
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.argv = [order["module"], *order["arguments"]]
    sys.path[:] = [order["folder"], *_paths(), *(path for path in sys.path if path not in mine)]
    return str(order["module"])


def _open_streams() -> None:
    """Open standard streams on the files that are now theirs.

    Those of the warm process remember what its own were: where that is a file (`make run > log`),
    they look for their place in what is now a pipe, and fail.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        was = getattr(sys, name)
        line = 1 if name == "stderr" or os.isatty(number) else -1
        now = open(number, was.mode, line, was.encoding, was.errors, closefd=False)  # noqa: SIM115 — as long as the fork
        setattr(sys, name, now)
        setattr(sys, f"__{name}__", now)


def _paths() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _run(line: socket.socket) -> None:
    """Run what the caller orders, as `python -m` would; give it the exit code."""
    module = _take_order(line)
    threading.Thread(target=_end_with_caller, args=(line,), daemon=True).start()
    code = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
        raise
    finally:
        sys.stdout.flush()
        line.send(bytes([code & 255]))


def _end_with_caller(line: socket.socket) -> None:
    if not line.recv(1):
        os._exit(LOST)


def _main(arguments: list[str]) -> None:
    if arguments[0] != LISTEN:
        run(arguments[0], arguments[1:])
    line = _listen(int(arguments[1]))
    if line:
        _run(line)


if __name__ == "__main__":
    _main(sys.argv[1:])
