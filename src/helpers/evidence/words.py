"""The register in words."""

from __future__ import annotations

import pyarrow as pa

from helpers.core.base.french import plural
from helpers.core.base.markup import plain, verbatim


def register(table: pa.Table) -> str:
    """Return the register as a Markdown table."""
    lines = ["| figure | titre | passeport | niveau | preuve |", "|---|---|---|---|---|"]
    for row in table.to_pylist():
        state = f"rompue : {plain(row['broken'])}" if row["broken"] else "tient"
        lines.append(
            f"| {verbatim(row['figure'])} | {plain(row['title'])} | {plain(row['passport'])} | "
            f"{row['level']} | {state} |"
        )
    return "\n".join(lines)


def answer(table: pa.Table) -> str:
    """Return the answer: how many figures there are, and whether each one's evidence holds."""
    rows = table.to_pylist()
    broken = [plain(row["figure"]) for row in rows if row["broken"]]
    if broken:
        return f"{plural(len(rows), 'figure')}, dont la preuve est rompue : {', '.join(broken)}."
    files = max((row["received"] for row in rows), default=0)
    return (
        f"{plural(len(rows), 'figure')} ; la preuve de chacune tient jusqu'aux "
        f"{plural(files, 'fichier')}, tels que reçus."
    )
