"""What is decided of a recommendation: both numbers are kept, and shown beside one another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.parts.crowd import register_at

from helpers.apps import means_words
from helpers.apps.means_decided import OTHER_NUMBER, Recommended

ONE, TWO = "a" * 20, "b" * 20


@pytest.fixture
def choices() -> Recommended:
    offered = {ONE: "Nord, soir : 36 → 40 h (+4)", TWO: "Sud, nuit : 9 → 6 h (−3)"}
    found = Recommended(offered, {ONE: 40, TWO: 6}, 2026, "Europe/Paris")
    for control in (found.what, found.verdict):  # as a page that is decided upon watches them
        control.observe(lambda _: found.ask(), names="value")
    found.ask()
    return found


def test_hours_are_asked_for_where_they_are_changed_alone(choices: Recommended) -> None:
    assert choices.decided.layout.display == "none"
    choices.what.value, choices.verdict.value = ONE, "accepted"
    assert choices.decided.layout.display == "none"
    choices.verdict.value = "changed"
    assert choices.decided.layout.display is None
    assert choices.decided.value == 40, "from what is recommended"
    choices.what.value = TWO
    assert choices.decided.value == 6, "of another recommendation, its own"
    assert choices.missing() == ["motif", OTHER_NUMBER]
    choices.reason.value, choices.decided.value = "moyens_insuffisants", 9
    assert choices.missing() == []


@pytest.mark.parametrize(
    ("verdict", "decided", "kept", "shown"),
    [
        ("accepted", 40, {"proposed": 40, "decided": 40}, ["acceptée", "40 h", "40 h"]),
        ("changed", 32, {"proposed": 40, "decided": 32}, ["changée", "40 h", "32 h"]),
        ("refused", 40, {"proposed": 40}, ["refusée", "40 h", "–"]),
    ],
)
def test_both_numbers_are_entered_and_shown(
    choices: Recommended, tmp_path: Path, verdict: str, decided: int, kept: dict[str, int],
    shown: list[str],
) -> None:  # fmt: skip
    register = register_at(f"sqlite:///{tmp_path}/registre/essai.sqlite")
    choices.what.value, choices.verdict.value = ONE, verdict
    choices.decided.value = decided
    if verdict != "accepted":
        choices.reason.value = "autre_priorite"
    draft = choices.draft("direction", register.entries())
    assert draft is not None
    entry = register.append(draft)
    payload = json.loads(register.rows()[0]["payload"])
    assert {name: payload[name] for name in ("proposed", "decided") if name in payload} == kept
    line = means_words.decision(entry, "Nord", "Europe/Paris")
    assert [one.replace("\u202f", " ") for one in line[1:4]] == shown
    assert len(line) == len(means_words.DECIDED)
    assert choices.draft("direction", register.entries()) is None, "the same again is not entered"
    assert "Nord, soir" in choices.held(register.entries())
    if verdict == "changed":
        assert choices.line(entry).endswith("changée : 32 h au lieu de 40 h")
