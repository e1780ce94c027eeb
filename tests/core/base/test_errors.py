"""What a notebook shows of an error: the sentence where a person can act, the trace elsewhere."""

from __future__ import annotations

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from helpers.core.base import redact

RAISING = """\
from helpers.core.base.errors import PhareError
def read():
    raise PhareError("fichier absent", "ville « ici »", "le déposer")
"""


def shown(source: str) -> dict[str, str]:
    """Run the cells in a kernel, as JupyterLab and Papermill do; return the error as shown."""
    cells = [nbformat.v4.new_code_cell(RAISING), nbformat.v4.new_code_cell(source)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    try:
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    except CellExecutionError:
        (output,) = notebook.cells[1].outputs
        return dict(output)
    raise AssertionError("no error was raised")


def test_error_of_ours_is_its_three_lines() -> None:
    said = "Erreur : fichier absent\n  où      : ville « ici »\n  à faire : le déposer"
    error = shown("try:\n    1 / 0\nexcept ZeroDivisionError:\n    read()")
    assert error["traceback"] == [said]
    assert (error["ename"], error["evalue"]) == ("PhareError", said)


def test_defect_keeps_its_trace() -> None:
    error = shown("1 / 0")
    assert error["ename"] == "ZeroDivisionError"
    assert any("Cell In" in redact.COLOURS.sub("", line) for line in error["traceback"])
