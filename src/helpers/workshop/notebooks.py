"""Keeping notebooks clean: sources without outputs, parameters as `params.yaml` has them.

`python -m helpers.workshop.notebooks strip [--check]` takes outputs out of the sources;
`parameters [--check]` writes the values of `params.yaml`, with their units, into the cell that
bears the tag `parameters`.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

from helpers.core.base import commands
from helpers.core.base.workspace import find_root
from helpers.core.stage import code_used
from helpers.core.stage.execute import as_text, cell_id
from helpers.workshop.command_line import Parser
from helpers.workshop.knob_lines import KnobLine, knob_lines

WIDTH = 88  # of a line of a cell, its comment apart
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


def parameters_cell(said: str, knobs: list[KnobLine]) -> str:
    """Return the text of a `parameters` cell: what it says of its own, then each knob.

    Its own are the lines that name no knob: `city`, and what a notebook that is filled in several
    times asks for.
    """
    tree = ast.parse(said)
    names = {knob.name for knob in knobs}
    own = [
        ast.get_source_segment(said, node) or ""
        for node in tree.body
        if isinstance(node, ast.Assign)
        and not names & {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    ]
    lines = [f"{knob.name} = {_literal(knob)}" for knob in knobs]
    return "\n".join([*own, *lines])


def _literal(knob: KnobLine) -> str:
    """Return the knob's value in Python, its comment beside the first line."""
    note = f"  # {knob.comment}" if knob.comment else ""
    short = _written(knob.value)
    if len(f"{knob.name} = {short}") <= WIDTH or not isinstance(knob.value, dict | list):
        return short + note
    parts = (
        [f'    "{key}": {_wrapped(value)},' for key, value in knob.value.items()]
        if isinstance(knob.value, dict)
        else [f"    {_written(value)}," for value in knob.value]
    )
    opens, closes = "{}" if isinstance(knob.value, dict) else "[]"
    return "\n".join([opens + note, *parts, closes])


def _written(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_written(k)}: {_written(v)}' for k, v in value.items())}}}"
    return repr(value)


def _wrapped(value: Any) -> str:
    """Return a list too long for a line over several, four entries each."""
    if not isinstance(value, list) or len(_written(value)) <= WIDTH - 20:
        return _written(value)
    rows = [value[i : i + 4] for i in range(0, len(value), 4)]
    inner = "".join(f"\n        {', '.join(map(_written, row))}," for row in rows)
    return f"[{inner}\n    ]"


def with_parameters(notebook: dict[str, Any], knobs: list[KnobLine]) -> str:
    """Return the text of the notebook, stripped, its `parameters` cell holding these knobs."""
    for cell in notebook["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = parameters_cell(code_used.source_of(cell), knobs)
    return as_text(stripped(notebook))


def write_parameters(root: Path, check: bool) -> list[Path]:
    """Write the knobs of params.yaml into each stage's notebook; return those that were late."""
    changed = []
    for stage, knobs in knob_lines(root / "params.yaml").items():
        own = code_used.notebook_path(root, stage)
        for path in [*([own] if own else []), *code_used.filled_in(stage, root)]:
            text = with_parameters(code_used.read_notebook(path), knobs)
            if text != path.read_text(encoding="utf-8"):
                changed.append(path)
                if not check:
                    path.write_text(text, encoding="utf-8")
    return changed


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = Parser(prog="python -m helpers.workshop.notebooks")
    parser.add_argument("command", choices=["strip", "parameters"])
    parser.add_argument("--check", action="store_true", help="dire sans écrire")
    asked = parser.parse_args(arguments)
    act = {"strip": strip, "parameters": write_parameters}[asked.command]
    changed = act(find_root(), asked.check)
    for path in changed:
        print(path)
    if changed and asked.check:
        todo = f"python -m helpers.workshop.notebooks {asked.command}"
        print(f"Mettre au propre : {todo}", file=sys.stderr)
    return 1 if changed and asked.check else 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
