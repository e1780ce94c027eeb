"""The index against known truths: who lives there, who did not answer, what goes with it."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import statsmodels.api as sm
import yaml
from scipy import special
from statsmodels.stats.proportion import proportion_confint

from helpers.core.base.errors import PhareError
from helpers.core.city import survey
from helpers.core.city.city import City
from helpers.core.city.survey import Feature, Floats, Survey
from helpers.core.stage import figure
from helpers.sentiment import figures, index
from helpers.sentiment import links as sentiment_links
from helpers.sentiment.index import Knobs
from helpers.sentiment.links import fay_herriot, measure
from helpers.simulate.settings_sources import Survey as Rules
from helpers.simulate.sources.enquete_tranquillite import draw_survey, enquete_tranquillite
from tests.fixtures.real import ROOT
from tests.fixtures.simulated import SETTINGS
from tests.fixtures.tables import table_of_facts

PACK = ROOT / "data/cities/marseille"
KNOBS = Knobs(0.95, 0.10, 50, 3, 0.05, 30)
DAY = dt.date(2024, 11, 18)
RULES = Rules.model_validate(SETTINGS["sources"]["enquete_tranquillite"])


def made_up(**counts: list[list[float]]) -> Survey:
    """Return a survey of one wave; each count has shape (zones, strata)."""
    arrays = {name: np.array(values, dtype=float)[None] for name, values in counts.items()}
    zones, strata = arrays["adults"].shape[1:]
    return Survey(
        [DAY], [str(i) for i in range(zones)], [str(i) for i in range(strata)], ["tout"],
        np.zeros(zones, dtype=np.int64), **arrays,
    )  # fmt: skip


def test_answers_stand_for_the_adults_of_their_age() -> None:
    """Worked by hand: ages of 300 and 100 adults, 40 of 50 and 10 of 50 quiet."""
    found = index.post_stratified(
        made_up(adults=[[300, 100]], invited=[[200, 100]], answers=[[50, 50]], quiet=[[40, 10]])
    )
    assert found.value[0] == pytest.approx([0.75 * 0.8 + 0.25 * 0.2] * 2)
    assert found.answered[0] == pytest.approx([0.75 * 0.25 + 0.25 * 0.5] * 2)
    share = np.array([40.5, 10.5]) / 51
    expected = (np.array([0.75, 0.25]) ** 2 * share * (1 - share) / 49).sum()
    assert found.variance[0] == pytest.approx([expected] * 2)


def test_what_is_not_told_is_neither_zero_nor_lost() -> None:
    """The second zone's answers are hidden: its adults are taken for those of their age."""
    found = index.post_stratified(
        made_up(
            adults=[[100, 100], [300, 100]], invited=[[40, 40], [9, 9]],
            answers=[[20, 20], [np.nan, np.nan]], quiet=[[20, 0], [np.nan, np.nan]],
        )
    )  # fmt: skip
    assert found.value[0, 0] == pytest.approx(400 / 600)
    assert found.n[0, 0] == 40
    # Nothing is known of those hidden: they are among the silent, 20 told of 49 invited.
    assert found.answered[0, 0] == pytest.approx(20 / 49)


def test_a_place_where_nothing_is_told_does_not_weigh_as_zero() -> None:
    """Two places of as many adults; in the first all of 40 are quiet, the second tells nothing."""
    one = made_up(
        adults=[[100], [100]], invited=[[80], [9]], answers=[[40], [np.nan]], quiet=[[40], [np.nan]]
    )
    found = index.post_stratified(
        dataclasses.replace(one, groups=["a", "b"], group=np.array([0, 1]))
    )
    assert found.value[0, -1] == 1
    assert found.answered[0, -1] == pytest.approx(0.25)
    assert found.n[0].tolist() == [40, 0, 40]


@pytest.mark.parametrize(("quiet", "n"), [(0, 50), (3, 400), (25, 50), (49, 50), (50, 50)])
def test_one_stratum_has_wilson_s_interval(quiet: int, n: int) -> None:
    """But for the half answer by which the variance is kept from nothing: wider at the ends."""
    found = index.post_stratified(
        made_up(adults=[[900]], invited=[[2 * n]], answers=[[n]], quiet=[[quiet]])
    )
    low, high = index.interval(found.value, found.variance, 0.95)
    expected = proportion_confint(quiet, n, method="wilson")
    assert (low[0, 0], high[0, 0]) == pytest.approx(expected, abs=0.04)
    assert 0 <= low[0, 0] <= found.value[0, 0] <= high[0, 0] <= 1
    assert 0.98 <= (high[0, 0] - low[0, 0]) / (expected[1] - expected[0]) <= 1.4


def world(
    rng: np.random.Generator, **changes: Any
) -> tuple[Survey, Floats, Floats, Floats, Floats]:
    """Return a survey of 111 quarters in 16 districts, its truth, facts, lighting, true shares."""
    inhabitants = np.round(np.exp(rng.normal(8.8, 0.6, 111))).astype(np.int64)
    facts = inhabitants * np.exp(rng.normal(0, 0.8, 111))
    lit = rng.uniform(70, 100, 111)
    rules = RULES.model_copy(update={"waves": RULES.waves[-2:], **changes})
    asked = draw_survey(rules, inhabitants, facts, lit, int(rng.integers(1 << 30)))
    hidden = asked.answers < rules.secret_below
    answers, quiet = (np.where(hidden, np.nan, v) for v in (asked.answers, asked.quiet))
    told = Survey(
        list(rules.waves), [f"{i:03}" for i in range(111)], list(rules.ages),
        [f"{i:02}" for i in range(16)], np.arange(111) % 16, asked.adults.astype(float),
        asked.invited.astype(float), answers, quiet,
    )  # fmt: skip
    truth = (asked.share * asked.adults).sum(axis=(1, 2)) / asked.adults.sum(axis=(1, 2))
    return told, truth, facts / inhabitants, lit, asked.share


ALIKE = {"answers_if_quiet": 1.0, "answers_if_not": 1.0, "secret_below": 0}


def by_district(told: Survey, share: Floats) -> Floats:
    """Return the true share of each group, of shape (waves, groups)."""
    member = (told.group[:, None] == np.arange(len(told.groups))).astype(float)
    quiet = np.einsum("wzs,zg->wg", share * told.adults, member)
    return np.asarray(quiet / np.einsum("wzs,zg->wg", told.adults, member))


@pytest.mark.parametrize("answers", [6000, 1500])
def test_intervals_cover_where_those_who_answer_are_like_the_others(answers: int) -> None:
    """In the city and in its districts; 1,500 answers leave some districts about fifty."""
    rng = np.random.default_rng(1)
    runs, inside, districts = 500, 0, []
    for _ in range(runs):
        told, truth, *_, share = world(rng, **ALIKE, answers_a_wave=answers)
        found = index.post_stratified(told)
        low, high = index.interval(found.value, found.variance, 0.95)
        inside += low[-1, -1] <= truth[-1] <= high[-1, -1]
        true = by_district(told, share)[-1]
        districts.append(((low[-1, :-1] <= true) & (true <= high[-1, :-1])).mean())
    assert 0.93 <= inside / runs <= 0.97
    assert 0.93 <= np.mean(districts) <= 0.97


def test_where_they_are_not_the_index_is_wrong_and_the_band_holds_the_truth() -> None:
    rng = np.random.default_rng(2)
    runs, naive, shifted, worst = 200, 0, 0, 0
    for _ in range(runs):
        told, truth, *_ = world(rng)
        rows = index.by_wave(told, KNOBS).to_pylist()
        last = [row for row in rows if row["zone"] == "ville"][-1]
        naive += last["low"] <= truth[-1] <= last["high"]
        shifted += last["shift_low"] <= truth[-1] <= last["shift_high"]
        worst += last["worst_low"] <= truth[-1] <= last["worst_high"]
    assert naive / runs < 0.1
    assert shifted / runs > 0.95
    assert worst == runs


def test_a_change_is_told_apart_from_chance_as_often_as_said() -> None:
    rng = np.random.default_rng(3)
    runs, missed = 400, 0
    for _ in range(runs):
        told, truth, *_ = world(rng)
        last = [r for r in index.by_wave(told, KNOBS).to_pylist() if r["zone"] == "ville"][-1]
        # Who answers has not changed: the bias of both waves is nearly the same.
        missed += not last["change_low"] <= truth[1] - truth[0] <= last["change_high"]
    assert 0.02 <= missed / runs <= 0.09


@pytest.mark.parametrize("answers", [6000, 2500])
def test_effects_cover_their_truth_and_zones_theirs(answers: int) -> None:
    """The truth of the effects is in the settings; zones' true log odds are drawn with them."""
    rng = np.random.default_rng(4)
    runs, covered, nothing, zones = 300, np.zeros(2), 0, []
    for _ in range(runs):
        told, _, burden, lit, share = world(rng, **ALIKE, answers_a_wave=answers)
        odds, noise, _ = sentiment_links.pooled(told, 2)
        told_of = np.isfinite(odds)  # the smallest quarters may have nobody who answers
        steps = np.column_stack([np.log2(burden), lit / 10, rng.normal(size=111)])[told_of]
        design = np.column_stack([np.ones(len(steps)), steps - steps.mean(axis=0)])
        area = fay_herriot(odds[told_of], noise[told_of], design)
        reach = 1.984 * np.sqrt(np.diag(area.covariance))[1:]
        truth = np.array([RULES.per_doubling, RULES.per_ten_points_lit])
        covered += np.abs(area.beta[1:3] - truth) <= reach[:2]
        nothing += abs(area.beta[3]) > reach[2]
        true = (share * told.adults).sum(axis=(0, 2)) / told.adults.sum(axis=(0, 2))
        away = np.abs(area.predicted - special.logit(true[told_of]))
        zones.append((away <= 1.96 * np.sqrt(area.error)).mean())
    assert ((covered / runs >= 0.93) & (covered / runs <= 0.97)).all()
    assert nothing / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert 0.93 <= np.mean(zones) <= 0.97


@pytest.mark.parametrize(
    "other", [np.full(111, 100.0), 3 - 2 * np.arange(111.0), np.full(111, np.nan)],
    ids=["the same everywhere", "told by the first", "known nowhere"],
)  # fmt: skip
def test_a_feature_that_cannot_be_read_abstains_alone(other: Floats) -> None:
    told, *_ = world(np.random.default_rng(7))
    one = Feature("x", "un x de plus", np.arange(111.0))
    alone = sentiment_links.by_zone(told, [one], np.zeros(111), KNOBS)
    zones, links = sentiment_links.by_zone(
        told, [one, Feature("y", "un y de plus", other)], np.zeros(111), KNOBS
    )
    assert links["status"].to_pylist() == ["ok", "abstained"]
    assert links["reason"].to_pylist()[1]
    assert zones == alone[0]
    assert links.slice(0, 1) == alone[1]


def test_area_predictions_cover_their_truth_and_beat_the_survey_alone() -> None:
    rng = np.random.default_rng(5)
    inside, gains = [], []
    for _ in range(300):
        noise = rng.uniform(0.01, 0.3, 111)
        x = np.column_stack([np.ones(111), rng.normal(size=111)])
        truth = x @ np.array([0.4, -0.3]) + rng.normal(0, 0.25, 111)
        y = truth + rng.normal(0, np.sqrt(noise))
        area = fay_herriot(y, noise, x)
        inside.append((np.abs(area.predicted - truth) <= 1.96 * np.sqrt(area.error)).mean())
        gains.append(((area.predicted - truth) ** 2).mean() / ((y - truth) ** 2).mean())
    assert 0.93 <= np.mean(inside) <= 0.97
    assert np.mean(gains) < 0.5


def test_with_its_variances_known_the_fit_is_weighted_least_squares() -> None:
    rng = np.random.default_rng(6)
    noise = rng.uniform(0.05, 0.3, 40)
    x = np.column_stack([np.ones(40), rng.normal(size=40)])
    y = rng.normal(size=40)
    area = fay_herriot(y, noise, x)
    peer = sm.WLS(y, x, weights=1 / (area.variance + noise)).fit()
    assert area.beta == pytest.approx(np.asarray(peer.params))
    assert (peer.wresid**2).sum() == pytest.approx(38, abs=1e-6)
    assert fay_herriot(x @ np.array([1.0, 2.0]), noise, x).variance == 0


def test_too_few_answers_or_zones_abstain() -> None:
    told, *_ = world(np.random.default_rng(7))
    rows = index.by_wave(told, Knobs(0.95, 0.1, 10**6, 3, 0.05, 30)).to_pylist()
    assert {row["status"] for row in rows} == {"abstained"}
    assert all("moins de 1000000 réponses" in row["reason"] for row in rows)
    one = Feature("x", "un x de plus", np.arange(111.0))
    strict = Knobs(0.95, 0.1, 50, 3, 0.05, 112)
    zones, links = sentiment_links.by_zone(told, [one], np.zeros(111), strict)
    assert links["status"].to_pylist() == ["abstained"]
    assert set(zones["status"].to_pylist()) == {"abstained"}


# --- From the files ------------------------------------------------------------------------------


def views(con: duckdb.DuckDBPyConnection, shuffled: bool) -> survey.SurveyRule:
    """Make the views of a small survey of two divisions of the made-up city's kind."""
    rng = np.random.default_rng(9)
    order = "ORDER BY hash(vague, zone_id, tranche_age)" if shuffled else ""
    inhabitants, facts, lit = np.full(40, 5000), rng.uniform(50, 500, 40), rng.uniform(70, 99, 40)
    codes = tuple(f"1320{1 + i // 20}{i % 20:02}" for i in range(40))
    table = enquete_tranquillite(draw_survey(RULES, inhabitants, facts, lit, 1), RULES, codes)
    con.register("delivered", table)
    con.execute(
        "CREATE OR REPLACE TABLE enquete_tranquillite AS SELECT * REPLACE "
        f"(CAST(vague AS DATE) AS vague) FROM delivered {order}"
    )
    table_of_facts(con, [])
    con.execute("ALTER TABLE cube ADD COLUMN zone_quartiers VARCHAR")
    con.execute("ALTER TABLE cube ADD COLUMN zone_arrondissements VARCHAR")
    for i, code in enumerate(codes):
        con.execute(
            "INSERT INTO cube (theme, hour, origin, n, zone_quartiers, zone_arrondissements) "
            "VALUES ('bruit', '2025-06-02 12:00:00', 'citizen', ?, ?, ?), "
            "('bruit', '2025-06-02 12:00:00', 'agent', 9999, ?, ?)",
            [int(facts[i]), code, code[:5], code, code[:5]],
        )
    con.execute("CREATE OR REPLACE TABLE contexte_zone (zone_id VARCHAR, eclairage_pct DOUBLE)")
    con.executemany("INSERT INTO contexte_zone VALUES (?, ?)", list(zip(codes, lit, strict=True)))
    con.execute(
        "CREATE OR REPLACE TABLE vacation AS SELECT '13201' AS secteur, DATE '2025-06-02' AS date, "
        "8.0 AS heures_agents UNION ALL SELECT '13202', DATE '2025-06-02', 12.0"
    )
    rule = survey.read_rule(City(PACK))
    assert rule is not None
    return rule


def results(con: duckdb.DuckDBPyConnection, shuffled: bool) -> list[Any]:
    rule = views(con, shuffled)
    return [table.to_pylist() for table in measure(con, City(PACK), rule, KNOBS)]


def test_the_order_of_rows_changes_nothing(memory: duckdb.DuckDBPyConnection) -> None:
    assert results(memory, False) == results(memory, True)


def test_what_agents_record_is_not_set_beside(memory: duckdb.DuckDBPyConnection) -> None:
    rule = views(memory, False)
    told = survey.read(memory, rule)
    features, _ = survey.beside(memory, City(PACK), rule, told, 1)
    assert [f.name for f in features] == [survey.FACTS, survey.PATROL, "voies éclairées (%)"]
    assert np.exp2(features[0].values).max() * 3900 < 520
    assert told.groups == ["13201", "13202"]


def test_a_city_without_survey_says_so(memory: duckdb.DuckDBPyConnection) -> None:
    denver = City(ROOT / "data/cities/denver")
    assert survey.read_rule(denver) is None
    waves, zones, links = measure(memory, denver, None, KNOBS)
    assert waves["reason"].to_pylist() == [survey.ABSENT]
    told = figures.in_words(waves, links, None, KNOBS, "")
    assert told == f"Abstention : {survey.ABSENT}."
    assert zones.num_rows == 0


def test_a_rule_that_names_nothing_known_is_refused(tmp_path: Path) -> None:
    import shutil

    pack = tmp_path / "marseille"
    shutil.copytree(PACK, pack)
    text = yaml.safe_load((PACK / "sentiment.yaml").read_text("utf-8"))
    for key, value in (("wave", "vagues"), ("facts", ["rien"]), ("features", ["defaveur_q"])):
        wrong = copy.deepcopy(text) | {key: value}
        (pack / "sentiment.yaml").write_text(yaml.safe_dump(wrong), "utf-8")
        with pytest.raises(PhareError, match="qui n'existe pas"):
            survey.read_rule(City(pack))


def test_the_simulated_survey_is_what_its_settings_say() -> None:
    told, truth, *_ = world(np.random.default_rng(10))
    n = np.nansum(told.answers, axis=(1, 2))
    assert n == pytest.approx(6000, rel=0.06)
    raw = np.nansum(told.quiet) / np.nansum(told.answers)
    assert raw < truth.mean() - 0.03
    assert abs(special.logit(truth[1]) - special.logit(truth[0])) < 0.1


def test_reports_are_set_beside_answers_that_lean_on_nothing() -> None:
    """Quarters all feel alike: an index that leaned on facts would follow reports made of them."""
    rng = np.random.default_rng(12)
    runs, wrong = 200, 0
    flat = {"per_doubling": 0.0, "per_ten_points_lit": 0.0, "place_sd": 0.0}
    for _ in range(runs):
        told, _, burden, *_ = world(rng, **ALIKE, **flat)
        facts = Feature("faits", "deux fois plus de faits", np.log2(burden))
        zones, _ = sentiment_links.by_zone(told, [facts], burden * 1000, KNOBS)
        found = sentiment_links.resemblance(zones, 0.95)
        assert found is not None
        wrong += not found[1] <= 0 <= found[2]
    assert wrong / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_zones_with_too_few_answers_stay_in_the_figure() -> None:
    told, *_ = world(np.random.default_rng(13))
    few = Knobs(0.95, 0.1, 400, 3, 0.05, 30)
    waves = index.by_wave(told, few)
    last = [row for row in waves.to_pylist() if row["wave"] == told.waves[-1]]
    silent = {row["zone"] for row in last if row["status"] != "ok"}
    assert 0 < len(silent) < 16
    drawn = figure.complete(figures.draw_zones(waves, {}))["datasets"]
    rows = [row for held in drawn.values() for row in held]
    assert {row["zone"] for row in rows} == set(told.groups)
    assert {row["zone"] for row in rows if row["reason"]} == silent
