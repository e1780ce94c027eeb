"""Keeping notebooks clean: sources without outputs.

`python -m helpers.workshop.notebooks strip [--check]` takes outputs out of the sources.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from helpers.core.base.workspace import find_root
from helpers.core.stage import code_used
from helpers.core.stage.execute import as_text, cell_id

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}


def stripped(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook without outputs, counts and personal metadata; tags are kept."""
    metadata = {"kernelspec": KERNELSPEC}
    if "title" in notebook["metadata"]:
        metadata["title"] = notebook["metadata"]["title"]
    cells = []
    for position, cell in enumerate(notebook["cells"]):
        tags = cell.get("metadata", {}).get("tags")
        clean: dict[str, Any] = {
            "cell_type": cell["cell_type"],
            "id": cell_id(position, cell),
            "metadata": {"tags": tags} if tags else {},
            "source": code_used.source_of(cell).splitlines(keepends=True),
        }
        if cell["cell_type"] == "code":
            clean |= {"execution_count": None, "outputs": []}
        cells.append(clean)
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def strip(root: Path, check: bool) -> list[Path]:
    """Strip every notebook under notebooks/ and templates/; return those that were not clean."""
    changed = []
    for folder in ("notebooks", "templates"):
        for path in sorted((root / folder).rglob("*.ipynb")):
            if ".ipynb_checkpoints" in path.parts:
                continue
            text = as_text(stripped(code_used.read_notebook(path)))
            if text != path.read_text(encoding="utf-8"):
                changed.append(path)
                if not check:
                    path.write_text(text, encoding="utf-8")
    return changed


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m helpers.workshop.notebooks")
    commands = parser.add_subparsers(dest="command", required=True)
    stripper = commands.add_parser("strip", help="ôter les sorties des carnets")
    stripper.add_argument("--check", action="store_true")
    asked = parser.parse_args(arguments)
    changed = strip(find_root(), asked.check)
    for path in changed:
        print(path)
    if changed and asked.check:
        print("Mettre au propre : python -m helpers.workshop.notebooks strip", file=sys.stderr)
    return 1 if changed and asked.check else 0


if __name__ == "__main__":
    sys.exit(main())
