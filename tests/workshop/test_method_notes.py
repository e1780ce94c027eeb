"""Method notes: one for each stage of analysis, its knobs explained and as they are, and linked."""

from __future__ import annotations

import re

import pytest
import yaml

from helpers.workshop import method_notes
from tests.fixtures.real import ROOT

TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")
PARTS = ("yesterday", "today")
ANALYSES = ["reliability", "episodes", "waves"]  # of the sources: those that draw
ANALYSES += [p.stem for part in PARTS for p in (ROOT / "notebooks" / part).glob("*.ipynb")]


@pytest.mark.parametrize("stage", sorted(ANALYSES))
def test_each_analysis_has_its_note_that_explains_every_knob(stage: str) -> None:
    note = (ROOT / method_notes.FOLDER / f"{stage}.md").read_text(encoding="utf-8")
    prose = note.partition(method_notes.START)[0]
    named = set(re.findall(r"`(\w+)`", prose))
    assert {name for name, *_ in method_notes.knobs(TEXT)[stage]} - named == set()
    assert re.search(r"^\*\*(Limites|Ce que fait la méthode)", note, re.M)


def test_knobs_and_values_are_those_that_yaml_reads() -> None:
    parsed = {k: v for k, v in yaml.safe_load(TEXT).items() if isinstance(v, dict) and v}
    found = method_notes.knobs(TEXT)
    assert {k: [name for name, *_ in rows] for k, rows in found.items()} == {
        k: list(v) for k, v in parsed.items()
    }
    for stage, rows in found.items():
        for name, value, comment in rows:
            assert yaml.safe_load(value) == parsed[stage][name]
            assert comment, f"{stage}.{name} n'est pas expliqué"


def test_notes_hold_the_values_of_today() -> None:
    assert [
        p.name for p, text in method_notes.notes(ROOT).items() if p.read_text("utf-8") != text
    ] == []


def test_a_note_without_marks_gets_its_table_and_keeps_the_rest() -> None:
    note = method_notes.written("# Essai\n\nTexte.\n", [("a", "3", "un réglage")])
    assert note.startswith("# Essai\n\nTexte.\n")
    assert "| `a` | 3 | un réglage |" in note
    again = method_notes.written(note + "\nSuite.\n", [("a", "4", "un réglage")])
    assert "| `a` | 4 |" in again
    assert "| 3 |" not in again
    assert again.endswith("Suite.\n")


def test_the_index_lists_every_note() -> None:
    index = (ROOT / method_notes.FOLDER / "README.md").read_text(encoding="utf-8")
    names = {p.name for p in (ROOT / method_notes.FOLDER).glob("*.md")} - {"README.md"}
    assert names - set(re.findall(r"\((\w+\.md)\)", index)) == set()
