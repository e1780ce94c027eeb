"""`make apps`: Voilà on loopback, with our template and settings, for one city."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

from helpers.core.base import commands
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import Workspace, find_root

HOST = "127.0.0.1"


def command(root: Path, port: int) -> list[str]:
    """Return the command line that serves the apps."""
    return [sys.executable, "-m", "voila", str(root / "notebooks" / "apps"),
            f"--port={port}", f"--Voila.ip={HOST}", "--no-browser"]  # fmt: skip


def environment(root: Path, city: str) -> dict[str, str]:
    """Return the environment in which Voilà finds our template, our settings and the city."""
    templates = str(root / "templates" / "voila")
    return {
        **os.environ,
        "JUPYTER_PATH": templates,
        "JUPYTER_CONFIG_PATH": templates,
        "PHARE_CITY": city,
    }


def check(root: Path, city: str, port: int) -> None:
    """Raise PhareError where the apps would have nothing to show, or no door to show it at."""
    workspace = Workspace(root, city)
    if not (workspace.data / "derived" / "situation").is_dir() or not workspace.pack:
        raise PhareError(
            "aucun résultat à montrer", f"ville « {city} »", f"lancer `make run CITY={city} APPS=0`"
        )
    with socket.socket() as probe:
        # The server sets it too: a port that another one has just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PhareError(
                f"le port {port} est déjà pris", HOST, f"en choisir un autre : PORT={port + 1}"
            ) from error


def main(arguments: list[str] | None = None) -> int:
    """Serve the apps until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m helpers.workshop.serve_apps")
    parser.add_argument("--port", type=int, default=8866)
    asked = parser.parse_args(arguments)
    root, city = find_root(), os.environ.get("PHARE_CITY", "marseille")
    try:
        check(root, city, asked.port)
    except PhareError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Applications de {city} : http://{HOST}:{asked.port}/voila/render/situation.ipynb")
    print("Ctrl-C pour arrêter.", flush=True)
    os.execve(sys.executable, command(root, asked.port), environment(root, city))


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
