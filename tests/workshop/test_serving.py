"""A port that cannot serve is told in one sentence, before anything starts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.real import ROOT

SERVERS = ("serve_apps", "serve_lab")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process serves."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def serve(server: str, port: str, **env: str) -> str:
    """Start a server that must refuse; return its sentence."""
    done = subprocess.run(
        [sys.executable, "-m", f"helpers.workshop.{server}", "--port", port],
        cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (1, "", 3), done.stderr
    assert lines[0].startswith("Erreur : ")
    return done.stderr


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("port", ["abc", "0", "-1", "70000", "8 866", "88.66", "²"])
def test_what_is_no_port(server: str, port: str) -> None:
    assert "ce n'est pas un port" in serve(server, port)


@pytest.mark.parametrize("server", SERVERS)
def test_port_that_is_taken(server: str, taken: int) -> None:
    said = serve(server, str(taken))
    assert f"le port {taken} est déjà pris" in said
    other = int(said.split("PORT=")[1])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", other))  # what is proposed is free


def test_folder_of_jupyter_that_cannot_be_written() -> None:
    said = serve("serve_lab", "", JUPYTER_RUNTIME_DIR="/proc/jupyter")
    assert ": /proc/jupyter\n" in said


def test_make_gives_the_port_that_was_asked_for() -> None:
    """`make -n` says what it would run: without PORT, the lab takes the next one free."""

    def said(*words: str) -> str:
        done = subprocess.run(
            ["make", "-n", "-o", ".venv/.ready", *words], cwd=ROOT, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        return done.stdout

    assert '--port "70000"' in said("lab", "PORT=70000")
    assert '--port "a b"' in said("apps", "PORT=a b")
    assert "--port" not in said("lab")
    assert Path(ROOT / "src/helpers/workshop/serve_lab.py").is_file()
