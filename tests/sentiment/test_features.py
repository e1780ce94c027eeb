"""A survey read from its files, and what it is set beside."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np

from helpers.core.city.city import City
from helpers.core.city.survey import SurveyRule, read_rule
from helpers.sentiment import answers, features
from helpers.sentiment.links import measure
from helpers.simulate.sources.enquete_tranquillite import draw_survey, enquete_tranquillite
from tests.fixtures.real import ROOT
from tests.fixtures.surveys import KNOBS, RULES
from tests.fixtures.tables import table_of_facts

PACK = ROOT / "data/cities/marseille"


def views(con: duckdb.DuckDBPyConnection, shuffled: bool) -> SurveyRule:
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
    rule = read_rule(City(PACK))
    assert rule is not None
    return rule


def results(con: duckdb.DuckDBPyConnection, shuffled: bool) -> list[Any]:
    rule = views(con, shuffled)
    return [table.to_pylist() for table in measure(con, City(PACK), rule, KNOBS)]


def test_the_order_of_rows_changes_nothing(memory: duckdb.DuckDBPyConnection) -> None:
    assert results(memory, False) == results(memory, True)


def test_what_agents_record_is_not_set_beside(memory: duckdb.DuckDBPyConnection) -> None:
    rule = views(memory, False)
    told = answers.read(memory, rule)
    found, _ = features.beside(memory, City(PACK), rule, told, 1)
    assert [f.name for f in found] == [features.FACTS, features.PATROL, "eclairage"]
    assert np.exp2(found[0].values).max() * 3900 < 520
    assert told.groups == ["13201", "13202"]


def test_a_city_without_survey_says_so(memory: duckdb.DuckDBPyConnection) -> None:
    waves, zones, links = measure(memory, City(ROOT / "data/cities/denver"), None, KNOBS)
    assert waves["reason"].to_pylist() == ["no_survey"]
    assert (zones.num_rows, links.num_rows) == (0, 0)
