"""The share of agents and the effect of their hours, against known truths."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy import stats

from helpers.core.city.city import City
from helpers.core.place_time.calendar import window
from helpers.core.stage import params, standing
from helpers.patrol import bounds, shares, words
from helpers.patrol.knobs import Knobs
from tests.fixtures.made_up import write_pack
from tests.fixtures.real import ROOT, Built
from tests.fixtures.tables import table_of_facts

FIVE_YEARS = 1826
KNOBS: Knobs = params.knobs("patrol", ROOT).model_copy(
    update={"window_days": 366, "confidence": 0.95, "driven_share": 0.5, "minimum_count": 30}
)


def test_more_hours_bring_more_agents_records_and_no_more_of_habitants(
    counted: tuple[City, duckdb.DuckDBPyConnection],
) -> None:
    """Habitants' records are the control: the same regression must find nothing there."""
    city, con = counted
    long = KNOBS.model_copy(update={"window_days": FIVE_YEARS})
    table = shares.measure(con, city, long)
    rows = {r["theme"]: r for r in table.to_pylist()}
    rule = city.about.patrols
    assert rule is not None
    assert rows["stationnement"]["effect_low"] > 1
    span = window(city.about.period.end, FIVE_YEARS)
    control = shares.effect(con, "stationnement", rule, span, 0.99, "citizen")
    assert control is not None
    assert control[1] <= 1 <= control[2]
    assert rows["stationnement"]["driven"]
    told = standing.driven(table)["stationnement"]
    assert told.startswith("porté par l'activité des agents (")
    assert " ; avec 10 % d'heures de plus, +" in told
    assert told.endswith("\u202f%))")


def test_elasticity_of_known_truth_covers() -> None:
    """Poisson counts of hours^β with a level a stratum: the interval covers 10^… as it says."""
    rng = np.random.default_rng(7)
    inside = 0
    for _ in range(300):
        stratum = np.repeat(np.arange(40), 30)
        hours = rng.gamma(4, 5, stratum.size)
        level = rng.lognormal(-3, 1, 40)[stratum]
        found = shares.elasticity(
            rng.poisson(level * hours**0.8).astype(float), hours, stratum, 0.95
        )
        assert found is not None
        inside += found[1] <= 1.1**0.8 <= found[2]
    assert 0.91 <= inside / 300 <= 0.985


def test_denver_abstains_with_its_reason(denver: Built) -> None:
    con = denver.connect()
    table = shares.measure(con, denver.city, KNOBS)
    assert set(table["reason"].to_pylist()) == {shares.NO_ORIGIN}
    assert table["share"].null_count == table.num_rows
    assert not standing.driven(table)


def test_without_hours_the_share_stands_and_the_effect_says_why(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    city = write_pack(tmp_path)
    hour = dt.datetime(2024, 7, 1, 12)
    table_of_facts(
        memory,
        [{"hour": hour, "origin": "agent", "n": 90}, {"hour": hour, "origin": "citizen", "n": 10}],
    )
    table = shares.measure(memory, city, KNOBS)
    row = table.to_pylist()[0]
    exact = stats.binomtest(90, 100).proportion_ci(0.95, "exact")
    assert (row["share_low"], row["share_high"]) == pytest.approx(tuple(exact), abs=1e-5)
    assert row["effect_reason"] == shares.NO_HOURS
    assert row["effect"] is None
    assert row["driven"]
    said = "porté par l'activité des agents (90\u202f% des enregistrements d'origine connue)"
    assert standing.driven(table) == {"bruit": said}
    zones = bounds.by_zone(memory, city, KNOBS)
    told = words.in_words(table, zones, city).splitlines()
    why = "aucun enregistrement venu des habitants : le niveau n'est pas mesurable"
    measured = f"{said} ; effet des heures non mesuré (pas d'heures de patrouille)"
    assert told[0] == f"- **Bruit** : {measured}. Niveau : abstention ({why})."
    assert told[1] == "- **Dépôts** : abstention (trop peu d'enregistrements)."
