"""Which helper modules each stage depends on, written into dvc.yaml.

`python -m helpers.workshop.dependencies` rewrites the `src/helpers` lines of each stage from what its
notebook really imports; `--check` only says whether they are right.
"""

from __future__ import annotations

import sys
from pathlib import Path

from helpers.core.base.workspace import find_root
from helpers.core.stage import code_used

RUNNER = "src/helpers/core/stage/execute.py"
INDENT = " " * 8


def expected(root: Path, stage: str) -> list[str]:
    """Return the helper modules that the stage's notebook and its runner rest on."""
    notebook = code_used.notebook_path(root, stage)
    if notebook is None:
        return []
    return sorted(
        {
            *code_used.notebook_helpers(notebook, root),
            *code_used.module_helpers(root / RUNNER, root),
        }
    )


def rewritten(root: Path) -> str:
    """Return the text of dvc.yaml with the right helper modules for each stage."""
    lines: list[str] = []
    for line in (root / "dvc.yaml").read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text.startswith("- src/helpers/"):
            continue
        lines.append(line)
        if text.startswith("- notebooks/"):
            stage = Path(text).stem
            lines += [f"{INDENT}- {name}" for name in expected(root, stage)]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Rewrite dvc.yaml, or with --check say what to run; return the exit code."""
    root = find_root()
    asked = sys.argv[1:] if arguments is None else arguments
    text = rewritten(root)
    if text == (root / "dvc.yaml").read_text(encoding="utf-8"):
        return 0
    if "--check" in asked:
        print("dvc.yaml ne dit pas toutes les dépendances : lancer `make deps`", file=sys.stderr)
        return 1
    (root / "dvc.yaml").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
