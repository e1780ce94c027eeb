"""A page's process: it runs the notebook once, then forks for each visitor.

`python -m helpers.serve.page NOTEBOOK`, its standard input a local socket. It answers with what
the cells show (`Prepared`), then waits for visitors: an order, with a socket a visitor. Forked
from a warm process, then frozen, it shares with its visitors the libraries, the tables and the
widgets of the default view.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import json
import logging
import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

QUERY = "QUERY_STRING"  # as Voilà names it
# A thread does not outlive a fork: neither DuckDB nor Arrow nor BLAS may have any. BLAS reads it as
# it is loaded, in the warm process: the server's own environment says it too.
ONE_THREAD = {"PHARE_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
log = logging.getLogger("phare.page")


def main(arguments: list[str]) -> None:
    """Prepare a notebook, answer, fork for visitors until the server is gone."""
    line = _take_line()
    os.environ.update(ONE_THREAD)
    os.environ.pop(QUERY, None)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the forks
    from helpers.core.base import redact
    from helpers.serve import kernel, logs, streams

    redact.discreet()  # as the command that started it is
    logs.begin()
    serving = kernel.install()
    _bundle_charts()
    outputs, failed = _run(Path(arguments[0]), serving)
    shown = _in_fork(_snapshots) if not failed else "{}"
    serving.modules = _modules()
    told = {
        "outputs": outputs,
        "failed": failed,
        "snapshots": json.loads(shown or "{}"),
        "modules": {name: text for text, name in serving.modules.items()},
    }
    streams.send(line, json.dumps(told, default=str).encode())
    gc.collect()
    while (asked := _next_order(line)) is not None:
        order, visitor = asked
        gc.freeze()  # a fork shares what it does not touch
        if os.fork() == 0:
            line.close()
            _visit(serving, visitor, order)
        visitor.close()
    os._exit(0)  # libraries that wait for threads of theirs would wait for ever


def _next_order(line: socket.socket) -> tuple[dict[str, Any], socket.socket] | None:
    """Return the next order, once there is one; until then, prepare what most will ask for."""
    from helpers.serve import arrivals, streams

    while not select.select([line], [], [], 0)[0] and arrivals.prepare():
        pass
    return streams.receive_order(line)


def _take_line() -> socket.socket:
    """Return the socket that was standard input; what is printed goes to the server's log."""
    line = socket.socket(fileno=os.dup(0))
    os.set_inheritable(line.fileno(), False)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return line


def _visit(serving: Any, line: socket.socket, order: dict[str, Any]) -> None:
    """Answer one visitor, then end."""
    from helpers.serve import arrivals

    code = 0
    try:
        os.environ[QUERY] = order["query"]
        arrivals.arrive(order["query"])
        serving.serve(line, order)
    except OSError:
        pass  # the server closed the line
    except BaseException:
        log.exception("A visitor's process failed")
        code = 1
    os._exit(code)


def _in_fork(act: Callable[[], str]) -> str:
    """Return what `act` says in a fork: what it loads, and its threads, end with it."""
    mine, other = socket.socketpair()
    if os.fork() == 0:
        mine.close()
        try:
            other.sendall(act().encode())
        except BaseException:
            log.exception("A part of the page could not be prepared")
        os._exit(0)
    other.close()
    with mine, mine.makefile("rb") as told:
        return told.read().decode()


def _bundle_charts() -> None:
    """Give charts their module beforehand: made in this process, it would leave threads in it."""
    import altair as alt

    def bundle() -> str:
        alt.JupyterChart.enable_offline(True)
        return str(alt.JupyterChart._esm)

    text = _in_fork(bundle)
    if text:
        alt.JupyterChart._esm = text
        alt.JupyterChart._is_offline = True


def _modules() -> dict[str, str]:
    """Return the modules of this page's widgets, text → digest."""
    from ipywidgets.widgets import widget as widgets

    texts = {str(getattr(one, "_esm", "")) for one in widgets._instances.values()} - {""}
    return {text: hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts}


def _snapshots() -> str:
    from helpers.serve import snapshot

    return json.dumps(snapshot.of_all())


def _run(notebook: Path, serving: Any) -> tuple[list[list[dict[str, Any]]], bool]:
    """Run a notebook's cells; return what each shows, and whether one failed (the last told)."""
    from helpers.serve import shell

    os.chdir(notebook.parent)
    with tempfile.TemporaryDirectory() as folder:
        here = shell.make(serving, folder)
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs: list[list[dict[str, Any]]] = []
    for cell in cells:
        outputs.append([])
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or not source.strip():
            continue
        here.shown = outputs[-1]
        with contextlib.redirect_stdout(io.StringIO()) as said:
            done = here.run_cell(source, store_history=False)
        if said.getvalue():
            text = {"output_type": "stream", "name": "stdout", "text": said.getvalue()}
            outputs[-1].insert(0, text)
        if not done.success:
            return outputs, True
    return outputs, False


if __name__ == "__main__":
    main(sys.argv[1:])
