"""What is kept of a figure: a spreadsheet reads it as it is, and runs nothing of it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import duckdb

from helpers.apps import keep, tiles


def test_another_reader_finds_the_numbers(tmp_path: Path) -> None:
    rows: list[list[keep.Cell]] = [
        ["Hôtel-de-Ville ; l'autre", 3, 1.5, None],
        ['« dit "ici" »', 1234, -0.25, 0],
    ]
    path = tmp_path / "garde.csv"
    path.write_bytes(keep.table(("zone", "faits", "rapport", "de"), rows))
    read = duckdb.sql(
        f"SELECT * FROM read_csv('{path}', delim=';', decimal_separator=',', quote='\"', "
        "escape='\"', header=true, columns={'zone': 'VARCHAR', 'faits': 'INT', "
        "'rapport': 'DOUBLE', 'de': 'DOUBLE'})"
    ).fetchall()
    assert read == [tuple(row) for row in rows]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_no_text_becomes_a_formula() -> None:
    bad = ["=1+1", "+33", "-2 rue", "@SUM(A1)", "\t=1"]
    read = list(csv.reader(io.StringIO(
        keep.table(("zone", "faits"), [[one, -3] for one in bad]).decode("utf-8-sig")
    ), delimiter=";"))  # fmt: skip
    assert [row[0] for row in read[1:]] == [f"'{one}" for one in bad]
    assert {row[1] for row in read[1:]} == {"-3"}


def test_what_is_offered_carries_foreign_text_as_text() -> None:
    told = keep.line('nom"><b>', ("a",), [["<script>"]], '"><img src=x>')
    assert "<b>" not in told
    assert "<img" not in told
    assert "<script>" not in told


def test_no_direction_is_a_question() -> None:
    """« ? » alone asks something. A screen reader is told words, and no sign."""
    assert len(set(tiles.ARROWS.values())) == len(tiles.ARROWS)
    assert not {"?", "!", ""} & set(tiles.ARROWS.values())
