"""The grades of the methods, small: every measure is there and keeps near what is stated."""

from __future__ import annotations

from helpers.core.stats.grading import Line
from helpers.reliability import graded


def lines(name: str, tries: int) -> list[Line]:
    (trial,) = [one for one in graded.TRIALS if one.name == name]
    return list(trial.run(77, tries))


def test_a_renaming_is_recognised_whatever_strays() -> None:
    found = lines("codes", 25)
    assert len(found) == 8
    assert min(one.observed for one in found) >= 0.84
    strays = [one for one in found if "net" not in one.setting]
    assert max(one.beside or 0.0 for one in strays) <= 0.2, "dates alone would miss it"


def test_steps_are_dated_and_drifts_are_no_steps() -> None:
    found = lines("steps", 20)
    dated = [one for one in found if one.what.startswith("date") and "+15" in one.setting]
    assert all(one.tried >= 12 and one.observed >= 0.8 for one in dated)
    none = [one for one in found if one.what.startswith("rupture")]
    assert all(one.observed <= 0.2 for one in none)
    slow = [
        one for one in found if one.what.startswith("baisse lente") and "ρ 0.5" not in one.setting
    ]
    assert all(one.observed >= 0.6 for one in slow)


def test_what_is_to_come_and_what_fades_are_told_as_said() -> None:
    assert all(0.8 <= one.observed <= 0.99 for one in lines("to_come", 25))
    found = {one.what: one for one in lines("feeds", 25)}
    assert found["flux qui s'éteint, dit à tort"].observed <= 0.13
    assert found["flux qui s'éteint, dit"].observed >= 0.8
    assert found["jour hors de l'ordinaire, dit"].observed >= 0.9
