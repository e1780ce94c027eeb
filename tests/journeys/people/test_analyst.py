"""The analyst's chair: notebooks run without the pipeline say the same; saving changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.journeys.place import ALL, Place, bytes_of


@pytest.fixture(scope="module")
def cells(built: Place) -> list[str]:
    """What nbval says of each cell of all notebooks, a plain kernel each: nothing is injected.

    Each cell must say what it says in the report of its stage, which the pipeline ran.
    """
    before = bytes_of(built.data / "derived")
    books = sorted(built.root.glob("notebooks/[!a]*/*.ipynb"))
    written = {book: book.read_text(encoding="utf-8") for book in books}
    assert {book.stem for book in books} >= ALL
    try:
        for book in books:
            with_outputs(book, built.data / "reports" / book.name)
        done = built.python(
            "pytest", "--nbval", "-q", "-rA", "-p", "no:cacheprovider", "-c", os.devnull,
            "--rootdir", str(built.root), *map(str, books),
        )  # fmt: skip
    finally:
        for book, text in written.items():
            book.write_text(text, encoding="utf-8")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert bytes_of(built.data / "derived") == before
    return done.stdout.splitlines()


def with_outputs(book: Path, report: Path) -> None:
    """Put into a notebook's cells the outputs that they have in its report."""
    notebook, told = (json.loads(path.read_text(encoding="utf-8")) for path in (book, report))
    ran = {"".join(cell["source"]): cell for cell in told["cells"]}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            same = ran["".join(cell["source"])]
            cell |= {name: same[name] for name in ("outputs", "execution_count")}
    book.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.mark.parametrize("stage", sorted(ALL))
def test_notebook_runs_top_to_bottom_without_papermill(cells: list[str], stage: str) -> None:
    told = [line.split(" ", 1) for line in cells if f"/{stage}.ipynb::" in line]
    wrong = [name for outcome, name in told if outcome in ("FAILED", "ERROR", "SKIPPED")]
    assert wrong == [], "\n".join(cells)
    assert [outcome for outcome, _ in told].count("PASSED") >= 3


def test_lab_saves_notebooks_without_outputs(built: Place, tmp_path: Path) -> None:
    """A real server, started with the options of `make lab`; the stage stays up to date."""
    token, port = "essai", 18942
    environment = {**os.environ, "PYTHONPATH": str(built.root / "src"), "HOME": str(tmp_path)}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--port={port}",
         "--allow-root", f"--IdentityProvider.token={token}", "--ServerApp.port_retries=0",
         "--config", "templates/lab/jupyter_server_config.py"],
        cwd=built.root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    path = built.root / "notebooks/yesterday/trends.ipynb"
    before = path.read_bytes()
    notebook = json.loads(before)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 3
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "essai"}]
    url = f"http://127.0.0.1:{port}/api/contents/notebooks/yesterday/trends.ipynb?token={token}"
    body = json.dumps({"type": "notebook", "format": "json", "content": notebook}).encode()
    try:
        _put(url, body)
    finally:
        server.terminate()
        server.wait(timeout=30)
    saved = json.loads(path.read_bytes())
    assert all(not c.get("outputs") for c in saved["cells"])
    path.write_bytes(before)


def _put(url: str, body: bytes) -> None:
    request = urllib.request.Request(url, data=body, method="PUT")
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(request, timeout=10).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)
