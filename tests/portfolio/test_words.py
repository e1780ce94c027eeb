"""What answers say: each code its sentence, each number its place."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest

from helpers.core.city.questions import Question
from helpers.core.stage import params
from helpers.portfolio import words
from helpers.portfolio.answers import ANSWERS
from helpers.portfolio.asked import Asked
from helpers.portfolio.words import Names
from tests.fixtures import split
from tests.fixtures.made_up import write_pack
from tests.fixtures.portfolios import ASKED, themes
from tests.fixtures.real import ROOT


@pytest.fixture
def names(tmp_path: Path) -> Names:
    city = write_pack(tmp_path, themes=themes(ASKED))
    zones, context = {("moities", "est"): "Est"}, params.knobs("context", ROOT)
    return Names(city, zones, {"reste": "suspendu, motif"}, None, 30, 168, context)


def row(**changes: Any) -> dict[str, Any]:
    """Return an answer of which nothing stands out, but for `changes`."""
    plain = {"question": "petards_nuit", "title": "Et ?", "axis": "espace_public",
             "division": "moities", "label": "up", "status": "ok", "reason": "", "ratio": 1.2,
             "low": 1.1, "high": 1.3, "driven": False, "grade": "B", "actor": "Jeunesse",
             "n": 1234}  # fmt: skip
    table = pa.Table.from_pylist([{**plain, **changes}], schema=ANSWERS)
    found: dict[str, Any] = table.to_pylist()[0]
    return found


APART = {"contrast_ratio": 1.3, "contrast_low": 1.1, "contrast_high": 1.5}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Rien ne se détache."),
        ({"zone": "est", "equals": 0}, "En tête Est."),
        ({"zone": "est", "equals": 2}, "En tête Est, à égalité possible avec 2 autres."),
        ({"zone": "est", "equals": 5}, "Aucune zone nettement en tête."),
        ({"peak_hour": 4 * 24 + 22}, "Pointe : vendredi 22 h."),
        (
            {"contrast": "own", **APART},
            "Écart établi entre « week-end » et « jour ouvré », propre à ces heures : "
            "+30,0 % (de +10,0 % à +50,0 %).",
        ),
        (
            {"contrast": "in", **APART, "contrast_low": 0.9},
            "Pas d'écart établi entre « week-end » et « jour ouvré », sans témoin.",
        ),
        (
            {"zone": "est", "equals": 0, "driven": True},
            "En tête Est ; réserve : compte sensible à l'activité des agents.",
        ),
        (
            {"status": "abstained", "reason": "not_in_force"},
            "Rien n'est calculé tant que le thème n'est pas en service.",
        ),
    ],
)
def test_a_sentence_is_made_of_the_row_alone(
    changes: dict[str, Any], sentence: str, names: Names
) -> None:
    told = words.sentence(row(**changes), names)
    assert told.replace("\u202f", " ").replace("\u00a0", " ") == sentence


@pytest.mark.parametrize(
    ("natures", "twice"), [(["tapage"], True), (["petard"], False), ([], True)]
)
def test_an_answer_that_may_count_twice_says_so(
    natures: list[str], twice: bool, names: Names, tmp_path: Path
) -> None:
    """Firecrackers are in one of the two sources alone: nothing of them is counted twice."""
    asked = {"petards_nuit": {**ASKED["petards_nuit"], "categories": natures}}
    joined = split.joined(distinct=None, parts={"faits": ["tapage", "petard"],
                                                "appels": ["tapage"]})  # fmt: skip
    period = {"start": "2024-01-01", "end": "2024-12-31"}
    city = split.pack(tmp_path, {**joined, "questions": asked}, period)
    told = words.sentence(row(), dataclasses.replace(names, city=city))
    assert ("un même fait peut y être compté deux fois" in told) == twice


def test_what_is_counted_tells_why_no_fact_is_twice(tmp_path: Path) -> None:
    city = split.pack(tmp_path, split.joined(), {"start": "2024-01-01", "end": "2024-12-31"})
    question = Question(**(ASKED["petards_nuit"] | {"hours": (), "categories": ()}))
    days = (city.about.period.start, city.about.period.end)
    asked = SimpleNamespace(question=question, theme=city.themes["bruit"], city=city, n=3,
                            days=days, division="carres", sample=False)  # fmt: skip
    told = words.scope(cast(Asked, asked)).replace("\u00a0", " ")
    assert (
        "- **Sans double** : la ville dit qu'aucun fait n'est à la fois dans « Faits inventés » et "
        "« Appels inventés » : deux numéros d'appel, aucun renvoi."
    ) in told.splitlines()


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("sample", "échantillon : ni total, ni évolution"),
        ("no_facts", "aucun fait ne répond à la question"),
        ("yearly", "les faits ne sont connus qu'à l'année"),
        ("too_few", "moins de 30 faits d'un côté"),
        ("not_measured", "le carnet `context` ne l'a pas mesuré"),
        ("not_in_force", "suspendu, motif"),
        ("", ""),
    ],
)
def test_each_reason_has_its_sentence(reason: str, sentence: str, names: Names) -> None:
    assert words.why({"theme": "reste", "reason": reason}, names) == sentence


@pytest.mark.parametrize(
    ("changes", "told"), [({"called": "pétards"}, "pétards"), ({}, "nature « petard »")]
)
def test_the_natures_kept_are_told_in_words(
    changes: dict[str, str], told: str, names: Names
) -> None:
    question = Question(**ASKED["petards_nuit"] | changes)
    asked = cast(Asked, SimpleNamespace(question=question, theme=names.city.themes["bruit"]))
    title = names.city.themes["bruit"].title
    assert words.subject(asked) == f"{title}, {told}, de 22 h à 6 h"


def test_an_answer_in_short_tells_evolution_actor_and_grade(names: Names) -> None:
    table = pa.Table.from_pylist([row()], schema=ANSWERS)
    text = words.as_markdown(table, names).replace("\u202f", " ").replace("\u00a0", " ")
    assert text.split("\n\n") == [
        "**Et ?**",
        "Évolution : en hausse, +20,0 % (de +10,0 % à +30,0 %). Rien ne se détache.",
        "Peut agir d'abord : **Jeunesse**. Sources : fiabilité B.",
    ]
    assert words.footing(row()).replace("\u202f", " ") == "1 234 faits · fiabilité B"
