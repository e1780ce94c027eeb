"""The register: every figure's claims, checked against the files they speak of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from helpers.core.base import store
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
                "received": sum(len(one["files"]) for one in evidence["received"].values()),
                "broken": ", ".join(broken_links(evidence, path, run.root)),
            }
        )
    return pa.Table.from_pylist(rows, schema=SCHEMA)
