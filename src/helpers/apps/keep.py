"""What a reader takes away: the rows behind a figure as CSV, the figure as a picture.

The CSV is whole in its link; pictures are made in the browser from the figure that is shown
(`keep.js`). The server writes no file and answers no other address.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from html import escape

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run
Cell = str | int | float | None


def table(heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """Return the rows as CSV that a French spreadsheet opens as it is: semicolons, decimal commas.

    What is not known is an empty cell, never a zero. Text that a spreadsheet would take for a
    formula is preceded by an apostrophe.
    """
    told = io.StringIO()
    writer = csv.writer(told, delimiter=";", lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return told.getvalue().encode("utf-8-sig")


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA) else cell
    return str(round(cell, 4)).replace(".", ",")


def line(
    name: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]], foot: str, drawn: bool = True
) -> str:  # fmt: skip
    """Return the HTML that offers a figure's rows and pictures, under the figure.

    `name`: of the files, without what their kind adds. `foot`: what a picture says below itself,
    its proof first. `drawn`: there is a figure above, not a table alone.
    """
    link = base64.b64encode(table(heads, rows)).decode()
    file = escape(name, quote=True)
    picture = "".join(
        f'<button type="button" data-keep="{kind}" aria-label="Garder la figure en {told}">{told}'
        "</button>"
        for kind, told in (("svg", "SVG"), ("png", "PNG"))
        if drawn
    )
    return (
        f'<p class="app-keep" data-name="{file}" data-foot="{escape(foot, quote=True)}">Garder '
        f'<a download="{file}.csv" href="data:text/csv;charset=utf-8;base64,{link}" '
        f'aria-label="Garder les chiffres de la figure en CSV">CSV</a>{picture}</p>'
    )
