"""The index in words: each code has its sentence, each number its place."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from helpers.core.city.city import City
from helpers.core.city.surroundings import Surroundings, read_surroundings
from helpers.sentiment import index, words
from helpers.sentiment.links import LINKS
from tests.fixtures.real import ROOT
from tests.fixtures.surveys import KNOBS


def surroundings() -> Surroundings:
    held = read_surroundings(City(ROOT / "data/cities/marseille"))
    assert held is not None
    return held


def told() -> pa.Table:
    """Return the index of a city at one wave, without the wave before."""
    numbers = {"value": 0.62, "low": 0.6, "high": 0.64, "shift_low": 0.55, "shift_high": 0.69,
               "worst_low": 0.2, "worst_high": 0.9, "n": 6012, "answered": 0.31}  # fmt: skip
    row = {"wave": dt.date(2025, 11, 17), "zone": "ville", "status": "ok", "reason": "", **numbers}
    return pa.Table.from_pylist([row], schema=index.WAVES)


def test_a_city_without_survey_says_so() -> None:
    text = words.in_words(index.no_survey(), LINKS.empty_table(), None, KNOBS, "", None)
    assert text == "Abstention : pas d'enquête de tranquillité dans ce paquet de ville."


def test_the_answer_tells_its_numbers_and_what_goes_with_them_in_the_pack_s_words() -> None:
    link = {"points": -0.021, "low": -0.03, "high": -0.012, "p": 0.001, "established": True,
            "zones": 100, "status": "ok", "reason": ""}  # fmt: skip
    rows = [
        {**link, "feature": "eclairage", "established": False},
        {**link, "feature": "facts_per_inhabitant"},
        {"feature": "patrol_hours_per_inhabitant", "zones_needed": 30, "status": "abstained",
         "reason": "too_few_zones"},
    ]  # fmt: skip
    links = pa.Table.from_pylist(rows, schema=LINKS)
    alike = (-0.31, -0.5, -0.1, 104)
    lines = words.in_words(told(), links, alike, KNOBS, "Tranquille ?", surroundings()).split("\n")
    # What adults feel, as widely as those who did not answer leave it, before any narrow interval.
    assert lines[0].startswith("**« Tranquille ? »** Au 17 novembre 2025, de ")
    assert "des adultes seraient tranquilles, si les 69\u202f% d'invités sans réponse" in lines[0]
    assert "jusqu'à 10 points" in lines[0]
    assert "hasard seul" not in lines[0]
    assert "adultes : 62" in lines.pop(2)
    assert lines[2] == "- Pas de vague précédente à laquelle comparer."
    # The city's own first, whatever the order of the rows.
    assert "deux fois plus de faits par habitant : -2,1 points" in lines[3].replace("−", "-")
    assert lines[4] == (
        "- heures de patrouille par habitant : abstention (moins de 30 zones renseignées)."
    )
    assert "10 points de voies éclairées de plus" in lines[5]
    assert "rien d'établi" in lines[5]
    assert lines[6] == "- Ce qui va avec n'est pas une cause démontrée."
    assert "104 zones : corrélation de rang" in lines[7]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"reason": "too_few_answers"}, "moins de 50 réponses"),
        ({"reason": "too_few_zones", "zones_needed": 31}, "moins de 31 zones renseignées"),
        (
            {"reason": "nothing_of_its_own"},
            "le même partout, ou déjà dit par un autre trait",
        ),
    ],
)
def test_each_reason_has_its_sentence(row: dict[str, object], sentence: str) -> None:
    assert words.why(row, KNOBS) == sentence
