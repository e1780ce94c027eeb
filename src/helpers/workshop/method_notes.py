"""Method notes: the knobs of each note's stage, as `params.yaml` has them, written into the note.

`python -m helpers.workshop.method_notes` writes the table between the marks of each note of
docs/methodes; `--check` tells which are not up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from helpers.core.base import commands
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import find_root
from helpers.workshop.knob_lines import KnobLine, knob_lines

FOLDER = "docs/methodes"
START, END = "<!-- réglages : écrits par make deps -->", "<!-- fin des réglages -->"


def written(note: str, knobs: list[KnobLine]) -> str:
    """Return the note with the table of its stage's knobs, added at its end if it has no marks."""
    table = "\n".join(
        ["| réglage | valeur | ce que c'est |", "|---|---|---|"]
        + [f"| `{k.name}` | {k.written.replace('|', '/')} | {k.comment} |" for k in knobs]
    )
    part = f"{START}\n\n{table}\n\n{END}"
    if START not in note:
        return f"{note.rstrip()}\n\n{part}\n"
    before, _, rest = note.partition(START)
    return before + part + rest.partition(END)[2]


def notes(root: Path) -> dict[Path, str]:
    """Return each note of a stage, and what it should be."""
    stages = knob_lines(root / "params.yaml")
    return {
        path: written(path.read_text(encoding="utf-8"), stages[path.stem])
        for path in sorted((root / FOLDER).glob("*.md"))
        if stages.get(path.stem)
    }


def main() -> int:
    """Write the tables, or check them with `--check`."""
    stale = [
        (path, text)
        for path, text in notes(find_root()).items()
        if path.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        if stale:
            names = ", ".join(path.name for path, _ in stale)
            error = PhareError(
                "les réglages de notes de méthode ne sont plus ceux de params.yaml", names,
                "lancer `make deps`",
            )  # fmt: skip
            print(error, file=sys.stderr)
        return int(bool(stale))
    for path, text in stale:
        path.write_text(text, encoding="utf-8")
        print(path.name)
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
