"""The register: every figure's claims, checked against the files they speak of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from helpers.core.base import store
from helpers.core.base.french import plural
from helpers.core.stage.run import Run

SCHEMA = pa.schema(
    [
        ("figure", pa.string()), ("stage", pa.string()), ("title", pa.string()),
        ("passport", pa.string()), ("commit", pa.string()), ("level", pa.string()),
        ("inputs", pa.int64()), ("received", pa.int64()), ("broken", pa.string()),
    ]
)  # fmt: skip


def evidence_files(figures: Path) -> list[Path]:
    """Return the evidence files of all figures under `figures/`, ordered."""
    return sorted(figures.glob("*/*.evidence.json"))


def broken_links(evidence: dict[str, Any], path: Path, root: Path) -> list[str]:
    """Return what the evidence names and is not there, or is not what it says."""
    named = {path.parent / name: sha for name, sha in evidence["files"].items()}
    named |= {root / name: sha for name, sha in evidence["inputs"].items()}
    return [
        file.relative_to(root).as_posix()
        for file, sha in named.items()
        if not file.is_file() or store.sha256(file) != sha
    ]


def register(run: Run) -> pa.Table:
    """Return one row a figure of the city, with what in its evidence does not hold (`broken`)."""
    rows = []
    for path in evidence_files(run.workspace.data / "figures"):
        evidence = json.loads(path.read_text(encoding="utf-8"))
        run.read(path.relative_to(run.workspace.data).as_posix())
        rows.append(
            {
                "figure": evidence["figure"],
                "stage": path.parent.name,
                "title": evidence["title"],
                "passport": evidence["passport"],
                "commit": evidence["commit"],
                "level": evidence["level"],
                "inputs": len(evidence["inputs"]),
                "received": len(evidence["received"]),
                "broken": ", ".join(broken_links(evidence, path, run.root)),
            }
        )
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def as_markdown(table: pa.Table) -> str:
    """Return the register as a Markdown table."""
    lines = ["| figure | titre | passeport | niveau | preuve |", "|---|---|---|---|---|"]
    for row in table.to_pylist():
        state = f"rompue : {row['broken']}" if row["broken"] else "tient"
        lines.append(
            f"| `{row['figure']}` | {row['title']} | {row['passport']} | {row['level']} | {state} |"
        )
    return "\n".join(lines)


def in_words(table: pa.Table) -> str:
    """Return the answer: how many figures there are, and whether each one's evidence holds."""
    rows = table.to_pylist()
    broken = [row["figure"] for row in rows if row["broken"]]
    if broken:
        return f"{plural(len(rows), 'figure')}, dont la preuve est rompue : {', '.join(broken)}."
    sources = max((row["received"] for row in rows), default=0)
    return (
        f"{plural(len(rows), 'figure')} ; la preuve de chacune tient jusqu'aux "
        f"{plural(sources, 'fichier')} tels que reçus."
    )
