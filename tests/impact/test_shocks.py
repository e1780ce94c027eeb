"""What inhabitants answer to a grave fact: known truths, placebo dates, when nothing is said."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.shock_rules import Shock, ShockRules, check_zones, read_rules
from helpers.impact import effects, figures, shock_grades, shock_weeks, shock_words, shocks
from helpers.impact.shock_grades import KNOBS, Graded, Town, covered, graded, survey_graded
from helpers.impact.shocks import Weekly
from helpers.impact.survey_change import FEW_CONTROLS, NO_WAVE, Asked
from tests.fixtures.made_up import CITY, write_pack
from tests.fixtures.real import ROOT
from tests.fixtures.tables import all_heard, silent, table_of_facts

TOWNS = 200
SMALL = Town(facts=4, zones=24, weeks=130)
ANSWER = 0.7
# Of a share of 5 %, one run in a hundred farther: single facts, four a town; all together, one.
SINGLE, ALL = (2.6 * (0.05 * 0.95 / n) ** 0.5 for n in (4 * TOWNS, TOWNS))
RULES = ShockRules(reports=("bruit",), facts=(Shock(title="Un fait", day="2024-06-13", zone="A"),))


@pytest.fixture(scope="module")
def none() -> Graded:
    return graded(SMALL, 41, TOWNS)


@pytest.fixture(scope="module")
def fewer() -> Graded:
    return graded(replace(SMALL, kept=ANSWER), 42, TOWNS)


def test_an_answer_is_told_without_bias_and_its_intervals_hold_it(fewer: Graded) -> None:
    assert abs(fewer.single[:, 0].mean() - ANSWER) < 0.1 * (1 - ANSWER)
    assert covered(fewer.single, ANSWER) == pytest.approx(0.95, abs=0.02 + SINGLE)
    assert covered(fewer.together, ANSWER) == pytest.approx(0.95, abs=0.02 + ALL)
    assert 1 - covered(fewer.together, 1.0) > 0.6, "four facts see a third fewer reports"


def test_without_answer_one_in_twenty_is_told(none: Graded) -> None:
    assert covered(none.single, 1.0) == pytest.approx(0.95, abs=0.01 + SINGLE)
    assert covered(none.together, 1.0) == pytest.approx(0.95, abs=0.02 + ALL)
    assert none.set_aside < 0.02


def test_placebo_dates_answer_as_often_as_announced(none: Graded, fewer: Graded) -> None:
    """The answer itself is no placebo date: they lie clear of it."""
    for found in (none, fewer):
        assert found.placebos > 3000
        assert found.false_dates == pytest.approx(0.05, abs=0.01)


def test_few_counters_of_thousands_are_held_to_how_they_differ() -> None:
    """Eight zones to compare with, very unequal, over two years: the walkers of a town."""
    none = graded(shock_grades.WALKED, 45, TOWNS)
    assert covered(none.single, 1.0) == pytest.approx(0.95, abs=0.01 + SINGLE * 2**0.5)
    assert none.false_dates == pytest.approx(0.05, abs=0.02)
    fewer = graded(replace(shock_grades.WALKED, kept=0.8), 46, 40)
    assert fewer.single[:, 0].mean() == pytest.approx(0.8, abs=0.02)
    assert 1 - covered(fewer.single, 1.0) > 0.9


def test_where_zones_have_a_season_of_their_own_nothing_is_said() -> None:
    """Over five years: a few dates would not tell it from chance."""
    found = graded(replace(SMALL, sway=0.5, weeks=260), 43, 20)
    assert found.false_dates > 0.2
    assert found.set_aside > 0.9


def test_the_survey_tells_its_change_and_its_intervals_hold_it() -> None:
    found, together = survey_graded(replace(SMALL, quiet=0.75), 44, TOWNS)
    assert abs(together[:, 0].mean()) < 0.1 * 0.25 * 0.6
    assert covered(together, 0.0) == pytest.approx(0.95, abs=0.02 + ALL)
    assert covered(found, 0.0) > 0.95 ** (1 / 4) - SINGLE, "four intervals hold together"


def town(**changes: object) -> tuple[list[Shock], Weekly]:
    drawn = replace(SMALL, kept=0.4, level=40.0)
    facts, weekly = drawn.draw(np.random.default_rng(3))
    return facts, replace(weekly, **changes)  # type: ignore[arg-type]


def told(facts: list[Shock], weekly: Weekly) -> list[tuple[str, str]]:
    rows = shocks.measure(facts, {shocks.REPORTS: weekly}, None, KNOBS).to_pylist()
    return [(row["verdict"], row["reason"]) for row in rows]


def test_a_strong_answer_is_seen_of_each_fact_and_of_all() -> None:
    assert told(*town()) == [(shocks.LESS, "")] * 5


def test_what_cannot_be_read_is_said_of_each_fact() -> None:
    facts, weekly = town()
    start, row, heard = weekly.start.copy(), weekly.row.copy(), weekly.heard.copy()
    row[0], start[1] = -1, 3  # no counter there; too early
    row[3], start[3] = row[2], start[2] + 4  # twice the same zone
    broken = replace(weekly, row=row, start=start)
    assert [reason for _, reason in told(facts, broken)] == [
        shocks.NO_COUNTER, effects.TOO_SHORT, effects.TOO_NEAR, effects.TOO_NEAR, effects.FEW_AREAS,
    ]  # fmt: skip
    heard[0, weekly.start[0] : weekly.start[0] + 4] = False
    assert told(facts, replace(weekly, heard=heard))[0] == (shocks.UNCLEAR, effects.SILENT)
    few = replace(weekly, counts=weekly.counts[:7], heard=weekly.heard[:7])
    assert told(facts, few)[0] == (shocks.UNCLEAR, FEW_CONTROLS)
    bare = replace(weekly, counts=np.where(np.arange(24)[:, None] < 4, 0.0, weekly.counts))
    assert {reason for _, reason in told(facts, bare)} == {effects.TOO_FEW, effects.FEW_AREAS}


def test_three_facts_are_too_few_to_speak_of_all() -> None:
    facts, weekly = town()
    three = replace(weekly, start=weekly.start[:3], row=weekly.row[:3])
    assert told(facts[:3], three)[-1] == (shocks.UNCLEAR, effects.FEW_AREAS)


def survey(answers: float = 90) -> tuple[list[Shock], Asked]:
    drawn = replace(SMALL, quiet=0.5, answers=int(answers))
    facts, _ = drawn.draw(np.random.default_rng(3))
    return facts, drawn.survey(np.random.default_rng(4), facts)


def of_survey(facts: list[Shock], asked: Asked) -> list[tuple[str, str]]:
    rows = shocks.measure(facts, {}, asked, KNOBS).to_pylist()
    return [(row["verdict"], row["reason"]) for row in rows]


def test_the_survey_abstains_without_waves_or_answers() -> None:
    facts, asked = survey()
    assert of_survey(facts, asked)[-1] == (shocks.LESS, "")
    late = [one.model_copy(update={"day": asked.waves[-1]}) for one in facts]
    assert {reason for _, reason in of_survey(late, asked)} == {NO_WAVE, effects.FEW_AREAS}
    far = replace(asked, waves=[day - dt.timedelta(weeks=400) for day in asked.waves])
    assert {reason for _, reason in of_survey(facts, far)} == {NO_WAVE, effects.FEW_AREAS}
    few = of_survey(*survey(12))
    assert {reason for _, reason in few} == {effects.TOO_FEW, effects.FEW_AREAS}


def test_ages_that_answer_more_at_one_wave_are_no_change() -> None:
    """The young feel less quiet; they answer four times as much after: shares of an age as before.

    By hand: 0.8 and 0.4 at both waves, whatever their numbers of answers.
    """
    n = np.array([[100.0, 100.0], [100.0, 400.0]])  # waves, ages
    answers = np.repeat(n[:, None], 9, axis=1)
    quiet = answers * [0.8, 0.4]
    waves = [dt.date(2023, 11, 1), dt.date(2024, 11, 1)]
    asked = Asked(waves, [f"Z{i}" for i in range(9)], np.full(answers.shape, 500.0), answers, quiet)
    fact = Shock(title="f", day=dt.date(2024, 10, 1), zone="Z0")
    (row, _) = shocks.measure([fact], {}, asked, KNOBS).to_pylist()
    assert row["value"] == 0.0


@pytest.fixture
def city(tmp_path: Path) -> City:
    return write_pack(tmp_path, CITY)


def test_reports_are_those_of_inhabitants_by_zone_and_week(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    week = dt.datetime(2024, 6, 17, 9)
    table_of_facts(memory, [
        {"hour": week, "n": 3}, {"hour": week, "n": 2, "origin": "agent"},
        {"hour": week, "n": 5, "zone_carres": "B"}, {"hour": week, "n": 7, "theme": "depots"},
    ])  # fmt: skip
    memory.execute("CREATE TABLE zones AS SELECT 'carres' AS division, unnest(['A', 'B', 'C', "
                   "'D']) AS code")  # fmt: skip
    all_heard(memory)
    silent(memory, "faits", ["B"], [week.date()])
    found = shock_weeks.reports(memory, city, RULES, ["citizen"])
    assert found is not None
    at = (week.date() - dt.date(2024, 1, 1)).days // 7
    assert found.start.tolist() == [at]  # Thursday 13 June: the week after, whole
    assert found.row.tolist() == [0]
    assert found.counts[:, at].tolist() == [3, 0, 0, 0]
    assert found.heard[:, at].tolist() == [True, False, True, True]
    check_zones(memory, city, RULES)
    wrong = RULES.model_copy(update={"facts": (RULES.facts[0].model_copy(update={"zone": "X"}),)})
    with pytest.raises(PhareError, match="« X », qui n'existe pas"):
        check_zones(memory, city, wrong)


def test_a_pack_names_themes_that_it_has_and_each_fact_once(tmp_path: Path) -> None:
    city = write_pack(tmp_path, CITY)
    assert read_rules(city) is None
    file = city.pack / "shocks.yaml"
    file.write_text("reports: [inconnu]\nfacts: []\n", encoding="utf-8")
    with pytest.raises(PhareError, match="inconnu"):
        read_rules(City(city.pack))
    one = "{title: Un, day: 2024-06-13, zone: A}"
    file.write_text(f"reports: [bruit]\nfacts: [{one}, {one}]\n", encoding="utf-8")
    with pytest.raises(PhareError, match="même nom"):
        read_rules(City(city.pack))
    rules = read_rules(City(ROOT / "data/cities/marseille"))
    assert rules is not None
    assert len(rules.facts) >= KNOBS.minimum_areas


def test_what_is_said_has_its_interval_its_placebos_and_no_cause() -> None:
    facts, weekly = town()
    _, asked = survey()
    found = shocks.measure(facts, {shocks.REPORTS: weekly}, asked, KNOBS)
    rules = ShockRules(facts=tuple(facts))
    said = shock_words.answer(found, rules, KNOBS).replace("\u00a0", " ").replace("\u202f", " ")
    (whole,) = [row for row in found.to_pylist()
                if row["scope"] == effects.ALL and row["outcome"] == shocks.REPORTS]  # fmt: skip
    assert "**4 faits graves connus.**" in said
    assert "**Signalements des habitants** (4 faits) : **moins qu'attendu** (−" in said
    count = whole["placebos_told"]
    seem = {0: "aucune ne paraît", 1: "une paraît"}.get(count, f"{count} paraissent")
    assert f"sur {whole['placebos']} dates où rien n'est arrivé, {seem} avoir" in said
    assert "Ce n'est pas une cause démontrée" in said
    each = shock_words.one_by_one(found, rules, {"Z0": "<b>Nord</b>"}, KNOBS)
    assert "<b>" not in each
    lines = [line for line in each.splitlines() if line.startswith("- ")]
    assert len(lines) == len({*lines}) == 4
    assert all(one.count("Signalements des habitants : ") == 1 for one in lines)
    assert all(one.count("Habitants qui se disent tranquilles : ") == 1 for one in lines)
    assert figures.answers(found).chart.to_dict()["layer"]
    assert shock_words.answer(found, None, KNOBS) == shock_words.NO_RULES
    nothing = shocks.measure(facts, {}, None, KNOBS)
    assert shock_words.answer(nothing, rules, KNOBS) == shock_words.NOTHING
    assert figures.answers(nothing).chart.to_dict()


@pytest.mark.parametrize(
    "reason",
    [shocks.NO_COUNTER, effects.TOO_SHORT, effects.TOO_NEAR, effects.SILENT, effects.TOO_FEW,
     FEW_CONTROLS, NO_WAVE, effects.UNLIKE, effects.FEW_AREAS],
)  # fmt: skip
def test_every_reason_has_a_sentence_of_its_own(reason: str) -> None:
    row = {"reason": reason, "outcome": shocks.REPORTS, "facts": 2}
    others = {shock_words.why(row | {"reason": one}, KNOBS) for one in ("x", "few_areas")}
    said = shock_words.why(row, KNOBS)
    assert said
    assert (said in others) == (reason == effects.FEW_AREAS)


def test_the_knobs_of_the_grades_are_those_of_the_notebook() -> None:
    from helpers.core.stage import params

    assert params.knobs("impact", ROOT).shock_spans == shock_grades.KNOBS.shock_spans
