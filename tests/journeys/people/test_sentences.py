"""Every sentence of every report of the small city, read by somebody who wants to catch it out."""

from __future__ import annotations

import pytest

from tests.fixtures.sentences import RULES, answers, faults, identifiers
from tests.journeys.place import Place

# The door tells of columns and codes as they came, by the names that a contract gives them.
AT_THE_DOOR = {"collect", "ingest", "evidence"}
REPORTS = {
    "collect", "context", "episodes", "events", "evidence", "hotspots", "ingest", "patrol",
    "portfolio", "reliability", "repeats", "rhythms", "sentiment", "situation", "trends",
    "uniqueness", "waves",
}  # fmt: skip


def test_no_sentence_can_be_caught_out(built: Place) -> None:
    reports = sorted(built.data.glob("reports/**/*.ipynb"))
    assert {path.stem for path in reports} >= REPORTS
    found, read = [], 0
    for path in reports:
        rules = RULES
        if path.stem in AT_THE_DOOR:
            rules = tuple(rule for rule in RULES if rule is not identifiers)
        for text in answers(path):
            read += 1
            found += [f"{path.stem} : {one}" for one in faults(text, rules)]
    assert read >= len(REPORTS)
    if found:
        pytest.fail("\n".join(found))
