"""The row of an answer: codes and numbers that its page and its card are told from."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

from helpers.core.city.questions import Actor, Question
from helpers.portfolio.answers import left_out
from tests.fixtures.made_up import middle
from tests.fixtures.portfolios import END, answers, facts


def test_the_row_says_where_facts_are_most_by_the_code_of_the_zone(once: Path) -> None:
    row = answers(once)["depots"]
    first = END - dt.timedelta(days=363)
    between = (middle("A")[0] + middle("B")[0]) / 2
    placed = Counter(
        "ouest" if float(fact["lon"]) < between else "est"
        for fact in facts()
        if fact["nature"] == "depot" and dt.date.fromisoformat(fact["debut"][:10]) >= first
    )
    assert (row["division"], row["zone"]) == ("moities", placed.most_common(1)[0][0])
    # Twice as many facts or more, hundreds of them: no other may equal it.
    assert placed["ouest"] > 2 * placed["est"]
    assert row["equals"] == 0
    assert (row["grade"], row["driven"]) == ("A", False)
    assert (row["contrast"], row["feature"]) == (None, None)


def test_the_row_keeps_the_comparison_that_its_control_leaves(once: Path) -> None:
    row = answers(once)["petards_nuit"]
    assert row["contrast"] == "own"
    assert row["contrast_low"] < row["contrast_ratio"] < row["contrast_high"]


def test_a_question_left_out_has_no_number() -> None:
    asked = Question(title="Et ?", theme="x", actors=(Actor(who="Voirie", lever="plan"),))
    row = left_out("q", asked, "mobilites")
    assert row["reason"] == "not_in_force"
    assert not [value for value in row.values() if isinstance(value, float)]
    assert {"n", "level", "ratio", "zone"} & set(row) == set()
