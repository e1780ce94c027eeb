"""Method notes: the knobs of each note's stage, as `params.yaml` has them, written into the note.

`python -m helpers.workshop.method_notes` writes the table between the marks of each note of
docs/methodes; `--check` tells which are not up to date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import find_root

FOLDER = "docs/methodes"
START, END = "<!-- réglages : écrits par make deps -->", "<!-- fin des réglages -->"
KNOB = re.compile(r"^  (?P<name>\w+): (?P<value>.*?)(?: +# (?P<comment>.*))?$")
DEEPER = "    "  # what lies deeper belongs to the knob above
BLOCK = re.compile(r"^(?P<name>\w+):")


def knobs(text: str) -> dict[str, list[tuple[str, str, str]]]:
    """Return stage → (knob, value, explanation) of its knobs, from the text of params.yaml."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    stage = ""
    for line in text.splitlines():
        block, knob = BLOCK.match(line), KNOB.match(line)
        if block:
            stage = block["name"]
        elif knob:
            row = (knob["name"], knob["value"].strip(), knob["comment"] or "")
            found.setdefault(stage, []).append(row)
        elif line.startswith(DEEPER):
            name, value, comment = found[stage].pop()
            found[stage].append((name, _with(value, line.removeprefix(DEEPER)), comment))
    return found


def _with(value: str, line: str) -> str:
    """Return a value written over several lines, in one: an entry more, or the rest of the last."""
    body = value[1:-1] if value.startswith("{") else value
    between = " " if line.startswith(" ") else ", " if body else ""
    return f"{{{body}{between}{line.strip()}}}"


def written(note: str, rows: list[tuple[str, str, str]]) -> str:
    """Return the note with the table of its stage's knobs, added at its end if it has no marks."""
    table = "\n".join(
        ["| réglage | valeur | ce que c'est |", "|---|---|---|"]
        + [f"| `{name}` | {value.replace('|', '/')} | {comment} |" for name, value, comment in rows]
    )
    part = f"{START}\n\n{table}\n\n{END}"
    if START not in note:
        return f"{note.rstrip()}\n\n{part}\n"
    before, _, rest = note.partition(START)
    return before + part + rest.partition(END)[2]


def notes(root: Path) -> dict[Path, str]:
    """Return each note of a stage, and what it should be."""
    stages = knobs((root / "params.yaml").read_text(encoding="utf-8"))
    found = {}
    for path in sorted((root / FOLDER).glob("*.md")):
        if path.stem in stages:
            found[path] = written(path.read_text(encoding="utf-8"), stages[path.stem])
    return found


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
    sys.exit(main())
