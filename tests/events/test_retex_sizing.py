"""Plan against fact: officers by hand, beside « the same as last time », and told as they are."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from helpers.core.city.about import Agenda
from helpers.events import ratios, retex, retex_sizing, retex_words, score_words
from helpers.events.words import Names
from tests.events.conftest import Town, event, rules

AGENDA = Agenda.model_construct(events=SimpleNamespace(titles={"concert": "Concert"}))  # type: ignore[arg-type]
NAMES = Names(SimpleNamespace(about=SimpleNamespace(agenda=AGENDA)), {"A": "Le <b>Port</b>"})  # type: ignore[arg-type]


def test_before_by_the_crowd_announced_and_after_by_the_one_that_came() -> None:
    """4,000 to 6,000 announced, 2,000 came: 2 to 4 officers a thousand."""
    row = retex_sizing.beside(event(1, seen=2000), rules(), (0.0, 3.0), 1, 6.0)
    assert row == {"sized_low": 8, "sized_high": 24, "asked_low": 4, "asked_high": 8}
    # Sixty facts in six hours, half an hour to an hour each: 5 to 10 officers, more than 4 to 8.
    busy = retex_sizing.beside(event(1, seen=2000), rules(), None, 60, 6.0)
    assert (busy["asked_low"], busy["asked_high"]) == (5, 10)
    for untold in (event(1), event(1, seen=2000, expected=None), event(1, kind="marche", seen=9)):
        assert set(retex_sizing.beside(untold, rules(), None, 1, 6.0).values()) == {None}


def test_a_score_is_that_of_a_paired_t_test_and_misses_are_counted() -> None:
    rng = np.random.default_rng(4)
    before, after = rng.integers(5, 40, (2, 30)).tolist()
    rows = [{"sized_low": b, "sized_high": b + 2, "asked_low": a, "asked_high": a + 4}
            for b, a in zip(before, after, strict=True)]  # fmt: skip
    rows[9] = dict.fromkeys(rows[9])  # of which nobody told
    found = retex_sizing.score(rows, [i % 2 for i in range(30)], 0.95)
    kept = [i for i in range(30) if i != 9]
    own = [[i for i in kept if i % 2 == place] for place in range(2)]
    pairs = [two for place in own for two in pairwise(place)]
    ours = np.array([abs(before[i] + 1 - after[i] - 2) for _, i in pairs])
    theirs = np.array([abs(after[j] - after[i]) for j, i in pairs])
    assert (found["sized"], found["sized_error"]) == (27, pytest.approx(ours.mean(), abs=1e-5))
    assert found["sized_error_last_time"] == pytest.approx(theirs.mean(), abs=1e-5)
    ends = stats.ttest_rel(theirs, ours).confidence_interval(0.95)
    assert (found["sized_spared_low"], found["sized_spared_high"]) == pytest.approx(ends, abs=1e-4)
    assert found["too_few"] == sum(before[i] + 2 < after[i] for _, i in pairs)
    assert found["too_many"] == sum(before[i] > after[i] + 4 for _, i in pairs)
    assert retex_sizing.score(rows[:3], [0, 0, 0], 0.95) == {}


def test_the_year_of_a_town_is_scored_and_told(town: Town) -> None:
    """All that was announced came (5,000): nothing is missed, and the last time is as right."""
    found = ratios.find(town.past, town.rules)
    rows, scores = (table.to_pylist() for table in retex.measure(town.past, found, town.rules))
    (score,) = [one for one in scores if one["kind"] == "concert"]
    assert score["sized"] == len(rows) - 3  # the first of each of three places has no last time
    assert (score["too_few"], score["too_many"]) == (0, 0)
    tables: Any = {"scores": retex.measure(town.past, found, town.rules)[1]}
    said = score_words.scores(tables, NAMES).replace("\xa0", " ").replace("\u202f", " ")
    assert f"la foule venue demandait ({len(rows) - 3} événements)" in said
    assert "jamais hors de la fourchette" in said
    missed = tables["scores"].to_pylist()
    missed[0] |= {"too_few": 2, "too_many": 1}
    tables = {"scores": pa.Table.from_pylist(missed, schema=retex.SCORES)}
    assert "trop peu 2 fois, trop 1 fois." in score_words.scores(tables, NAMES).replace("\xa0", " ")


def test_a_past_event_is_told_in_one_line_and_what_is_unknown_as_such() -> None:
    row: dict[str, Any] = {
        "event": "E1", "kind": "concert", "zone": "A", "start_at": dt.datetime(2025, 12, 13, 21),
        "expected": 41_000, "seen": 40_250, "measures": 7, "measures_taken": 1, "n": 1,
        "low": 0, "high": 3, "outcome": "incidents_mineurs", "status": "ok",
        "sized_low": 12, "sized_high": 36, "asked_low": 13, "asked_high": 33,
    }  # fmt: skip
    said = retex_words.past([row], NAMES).replace("\xa0", " ").replace("\u202f", " ")
    assert "<b>" not in said
    assert said.endswith(
        ": 41 000 personnes attendues, 40 250 venues ; 12 à 36 agents d'après l'annonce, 13 à 33 "
        "d'après la foule venue ; 0 à 3 faits prévus, 1 compté ; 1 sur 7 mesures prises ; "
        "incidents mineurs."
    )
    unknown = row | {"expected": None, "seen": None, "sized_low": None, "status": "abstained",
                     "outcome": None, "measures": 0}  # fmt: skip
    said = retex_words.past([unknown], NAMES)
    assert "affluence non annoncée, affluence constatée non dite ; faits : pas de prévision" in said
    assert retex_words.past([], NAMES) == retex_words.NONE
    many = retex_words.past([row | {"event": f"E{i}"} for i in range(15)], NAMES)
    assert many.splitlines()[-1].replace("\xa0", " ") == "- et 3 événements de plus, dans la table."
