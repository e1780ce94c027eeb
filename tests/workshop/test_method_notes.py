"""Method notes: one for each stage of analysis, its knobs explained and as they are, and linked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from helpers.workshop import method_notes
from helpers.workshop.knob_lines import KnobLine, knob_lines
from tests.fixtures.real import ROOT

PARAMS = ROOT / "params.yaml"
PARTS = ("yesterday", "today", "tomorrow")
ANALYSES = ["reliability", "episodes", "waves"]  # of the sources: those that draw
ANALYSES += [p.stem for part in PARTS for p in (ROOT / "notebooks" / part).glob("*.ipynb")]


@pytest.mark.parametrize("stage", sorted(ANALYSES))
def test_each_analysis_has_its_note_that_explains_every_knob(stage: str) -> None:
    note = (ROOT / method_notes.FOLDER / f"{stage}.md").read_text(encoding="utf-8")
    prose = note.partition(method_notes.START)[0]
    named = set(re.findall(r"`(\w+)`", prose))
    assert {knob.name for knob in knob_lines(PARAMS)[stage]} - named == set()
    assert re.search(r"^\*\*(Limites|Ce que fait la méthode)", note, re.M)


def test_knobs_and_values_are_those_that_yaml_reads() -> None:
    parsed = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    found = knob_lines(PARAMS)
    assert {stage: [knob.name for knob in knobs] for stage, knobs in found.items()} == {
        stage: list(block) for stage, block in parsed.items() if isinstance(block, dict)
    }
    for stage, knobs in found.items():
        for knob in knobs:
            assert knob.value == parsed[stage][knob.name]
            assert yaml.safe_load(knob.written) == parsed[stage][knob.name]
            assert knob.comment, f"{stage}.{knob.name} n'est pas expliqué"


def test_values_are_told_as_written(tmp_path: Path) -> None:
    """`0.90` says how precise the value is; a list over two lines is told on one."""
    path = tmp_path / "params.yaml"
    path.write_text(
        'a:\n  levels: [0.90, 1e-3,\n           2]   # seuils\n  told: {x: [p:q], y: ""} # dit\n'
    )
    assert [(k.written, k.comment) for k in knob_lines(path)["a"]] == [
        ("[0.90, 1e-3, 2]", "seuils"), ('{x: [p:q], y: ""}', "dit"),
    ]  # fmt: skip


def test_notes_hold_the_values_of_today() -> None:
    assert [
        p.name for p, text in method_notes.notes(ROOT).items() if p.read_text("utf-8") != text
    ] == []


def test_a_note_without_marks_gets_its_table_and_keeps_the_rest() -> None:
    note = method_notes.written("# Essai\n\nTexte.\n", [KnobLine("a", 3, "3", "un réglage")])
    assert note.startswith("# Essai\n\nTexte.\n")
    assert "| `a` | 3 | un réglage |" in note
    again = method_notes.written(note + "\nSuite.\n", [KnobLine("a", 4, "4", "un réglage")])
    assert "| `a` | 4 |" in again
    assert "| 3 |" not in again
    assert again.endswith("Suite.\n")


def test_the_index_lists_every_note() -> None:
    index = (ROOT / method_notes.FOLDER / "README.md").read_text(encoding="utf-8")
    names = {p.name for p in (ROOT / method_notes.FOLDER).glob("*.md")} - {"README.md"}
    assert names - set(re.findall(r"\((\w+\.md)\)", index)) == set()
