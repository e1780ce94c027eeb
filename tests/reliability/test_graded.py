"""The grades of the methods, small: every measure is there and keeps near what is stated."""

from __future__ import annotations

from helpers.reliability import graded


def test_grades_keep_near_what_is_stated() -> None:
    found = {one.what: one for one in graded.grades(seed=77, replicates=25)}
    renamed = [one.share for name, one in found.items() if name.startswith("renaming")]
    assert len(renamed) == 8
    assert min(renamed) >= 0.84
    dated = [one for name, one in found.items() if name.startswith("date held, +15%")]
    assert all(one.of >= 15 and one.share >= 0.8 for one in dated)
    assert all(0.8 <= one.share <= 0.99 for n, one in found.items() if n.startswith("final"))
    assert all(one.share <= 0.13 for n, one in found.items() if n.endswith("none"))
