"""The pages that print: a file a problem, a page a sector and one of the whole city."""

from __future__ import annotations

from helpers.core.stage import printed
from helpers.core.stage.run import Run
from helpers.problems.words import Told, meeting, sheet

SHEETS, COUNCIL, WHOLE = "dossiers", "conseil", "ville"


def write(run: Run, told: Told) -> list[str]:
    """Write all pages into `derived/problems`; return their names."""
    rows = told.files.to_pylist()
    sheets = {row["problem"]: sheet(row, told) for row in rows}
    placed = [*rows, *told.elsewhere.to_pylist(), *told.decisions.to_pylist()]
    sectors = sorted({row["sector"] for row in placed if row["sector"]})
    council = {WHOLE: meeting(None, told)} if told.has_register else {}
    council |= {sector: meeting(sector, told) for sector in sectors}
    return [*printed.write(run, SHEETS, sheets), *printed.write(run, COUNCIL, council)]
