"""`make apps`: the apps' server on loopback, with our template and settings, for one city."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from helpers.core.base import commands
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import active_cities, find_root
from helpers.workshop import ground, serving
from helpers.workshop.command_line import Parser


def command(root: Path, port: int) -> list[str]:
    """Return the command line that serves the apps."""
    return [sys.executable, "-m", "helpers.serve.house", str(root / "notebooks" / "apps"),
            f"--port={port}", f"--Voila.ip={serving.HOST}", "--no-browser"]  # fmt: skip


def environment(root: Path, city: str) -> dict[str, str]:
    """Return the environment in which Voilà finds our template, our settings and the city."""
    templates = str(root / "templates" / "voila")
    return {
        **os.environ,
        "JUPYTER_PATH": templates,
        "JUPYTER_CONFIG_PATH": templates,
        "PHARE_CITY": city,
    }


def check(root: Path, city: str) -> None:
    """Raise PhareError where the apps would have nothing to show, or could not start."""
    known = city in active_cities(root)
    if not known or not (root / "data" / city / "derived" / "situation").is_dir():
        name = city if known else "…"
        raise PhareError(
            "aucun résultat à montrer", f"ville « {name} »", f"lancer `make run CITY={name} APPS=0`"
        )
    serving.check_folder()
    ground.check_open_files()


@commands.told
def main(arguments: list[str] | None = None) -> int:
    """Serve the apps until interrupted; return the exit code."""
    parser = Parser(prog="python -m helpers.workshop.serve_apps")
    parser.add_argument("--port", default="8866")
    asked = parser.parse_args(arguments)
    city = os.environ.get("PHARE_CITY", "marseille")
    root, port = find_root(), serving.port(asked.port)
    check(root, city)
    print(f"Applications de {city} : http://{serving.HOST}:{port}/voila/render/situation.ipynb")
    print("Ctrl-C pour arrêter.", flush=True)
    os.execve(sys.executable, command(root, port), environment(root, city))


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
