"""What code a notebook rests on: its helpers, their hashes, and the commit that holds them."""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any


def notebook_path(root: Path, stage: str) -> Path | None:
    """Return the notebook that bears the stage's name, or None."""
    found = sorted((root / "notebooks").glob(f"*/{stage}.ipynb"))
    return next((path for path in found if path.parent.name != "apps"), None)


def filled_in(stage: str, root: Path) -> list[Path]:
    """Return the notebooks that a stage fills in, other parameters each time, in `templates/`."""
    return sorted((root / "templates" / stage).glob("*.ipynb"))


def stage_files(root: Path, stage: str, helpers: list[str]) -> list[str]:
    """Return the files that a stage's figures come from: its notebooks, and `helpers`."""
    own = notebook_path(root, stage)
    notebooks = [*([own] if own else []), *filled_in(stage, root)]
    return [*(path.relative_to(root).as_posix() for path in notebooks), *helpers]


def read_notebook(path: Path) -> dict[str, Any]:
    """Return the notebook's JSON."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def source_of(cell: dict[str, Any]) -> str:
    """Return the cell's text (the format allows a list of lines)."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def notebook_sha256(path: Path) -> str:
    """Return the hash of what the notebook says: kinds and texts of its cells, not its outputs."""
    cells = [(cell["cell_type"], source_of(cell)) for cell in read_notebook(path)["cells"]]
    return hashlib.sha256(json.dumps(cells, ensure_ascii=False).encode()).hexdigest()


def notebook_helpers(path: Path, root: Path) -> list[str]:
    """Return the helper modules that the notebook rests on, directly or not, from the root.

    Those of the notebooks that its stage fills in are among them.
    """
    books = [path, *filled_in(path.stem, root)]
    cells = [c for book in books for c in read_notebook(book)["cells"] if c["cell_type"] == "code"]
    source = "\n".join(_without_magics(source_of(cell)) for cell in cells)
    return sorted(_closure(ast.parse(source), root))


def module_helpers(path: Path, root: Path) -> list[str]:
    """Return the helper modules that a module rests on, itself included."""
    own = path.relative_to(root).as_posix()
    return sorted(_closure(ast.parse(path.read_text(encoding="utf-8")), root) | {own})


def _without_magics(source: str) -> str:
    return "\n".join("" if line.startswith(("%", "!")) else line for line in source.split("\n"))


def _closure(tree: ast.AST, root: Path) -> set[str]:
    found: set[str] = set()
    waiting = list(_imports(tree, root))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_imported(name, root))
    return found


@cache
def _imported(name: str, root: Path) -> frozenset[str]:
    """Return the helper modules that a module imports: notebooks share most of theirs."""
    return frozenset(_imports(ast.parse((root / name).read_text(encoding="utf-8")), root))


def _imports(tree: ast.AST, root: Path) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            yield from _files(name, root)


def _files(module: str, root: Path) -> Iterator[str]:
    """Yield the file of a module, and those of the packages it lies in: Python runs them too."""
    parts = module.split(".")
    if parts[0] != "helpers":
        return
    for count in range(1, len(parts) + 1):
        base = f"src/{'/'.join(parts[:count])}"
        for candidate in (f"{base}.py", f"{base}/__init__.py"):
            if (root / candidate).is_file():
                yield candidate


def commit_of(root: Path, files: list[str]) -> tuple[str | None, str]:
    """Return the last commit that touched `files`, and a remark when there is none to name.

    Not the head: a figure whose code did not change keeps its commit, so that re-running it
    later gives the same bytes.
    """
    inside = _git(root, "rev-parse", "--is-shallow-repository")
    if inside is None:
        return None, "hors de git"
    if inside == "true":
        return None, "historique tronqué"
    if _git(root, "status", "--porcelain", "--", *files):
        return None, "code non enregistré dans git"
    commit = _git(root, "log", "-1", "--format=%H", "--", *files)
    return (commit, "") if commit else (None, "code non enregistré dans git")


def _git(root: Path, *arguments: str) -> str | None:
    result = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
    )
    return result.stdout.strip() if result.returncode == 0 else None
