"""`make lab`: JupyterLab on loopback, with our settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from helpers.core.base import commands
from helpers.core.base.workspace import find_root
from helpers.workshop import ground, serving
from helpers.workshop.command_line import Parser


def command(root: Path, port: int | None) -> list[str]:
    """Return the command line that serves the lab; without a port, it takes the next one free."""
    asked = [] if port is None else [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    root_too = ["--allow-root"] if os.getuid() == 0 else []
    settings = str(root / "templates/lab/jupyter_server_config.py")
    return [sys.executable, "-m", "jupyter", "lab", "--config", settings, *asked, *root_too]


@commands.told
def main(arguments: list[str] | None = None) -> int:
    """Serve the lab until interrupted; return the exit code."""
    parser = Parser(prog="python -m helpers.workshop.serve_lab")
    parser.add_argument("--port", default="")
    asked = parser.parse_args(arguments)
    root = find_root()
    port = serving.port(asked.port) if asked.port else None
    serving.check_folder()
    ground.check_open_files()
    os.execv(sys.executable, command(root, port))


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
