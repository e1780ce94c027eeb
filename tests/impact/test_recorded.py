"""Facts written otherwise around an action: another code, no place. Nothing was prevented there."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from helpers.core.city.city import City
from helpers.impact import effects, recorded, words
from tests.impact.test_effects import FIRST, KNOBS, actions, city, fill, scopes

__all__ = ["city"]  # a fixture
CODED = "UPDATE cube SET category = 'autre', theme = 'sans_theme'"
BLURRED = "UPDATE cube SET cell = NULL"


@pytest.fixture
def town(memory: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Twelve actions that did nothing; every fact is a row of its own, some beside them too."""
    fill(memory, actions(12), 40.0, 1.0)
    memory.execute("CREATE OR REPLACE TABLE cube AS SELECT * REPLACE (1 AS n) FROM "
                   "(SELECT *, unnest(range(n)) AS rank FROM cube) ORDER BY ALL")  # fmt: skip
    return memory


@pytest.mark.parametrize(
    ("change", "reason", "said"),
    [
        (CODED, recorded.RECODED, "notés sous un autre code"),
        (BLURRED, recorded.UNPLACED, "faits sans lieu précis du quartier"),
    ],
    ids=["another code", "no place"],
)
def test_facts_written_otherwise_in_one_quarter_are_not_prevented(
    city: City, town: duckdb.DuckDBPyConnection, change: str, reason: str, said: str
) -> None:
    """Half of the facts of one zone, from the day of its action on: a ratio of 0.5, all pen."""
    those = actions(12)
    town.execute(f"{change} WHERE zone_carres = 'Q3' AND hour >= ? AND rank % 2 = 0 "
                 "AND cell LIKE '%N-100E5900'", [those[3].start])  # fmt: skip
    told = scopes(effects.measure(town, city, those, KNOBS))
    assert (told["A3"]["verdict"], told["A3"]["reason"]) == (effects.UNCLEAR, reason)
    assert said in words.why(told["A3"], KNOBS)
    assert [name for name, row in told.items() if row["reason"] == reason] == ["A3"]
    assert told["all"]["areas"] == 11


def test_a_code_gone_everywhere_is_no_effect_and_no_rise(
    city: City, town: duckdb.DuckDBPyConnection
) -> None:
    """The whole city changes its codes: the controls fall alike, nobody is left out for it."""
    town.execute(f"{CODED} WHERE hour >= ? AND rank % 2 = 0", [FIRST.replace(month=11)])
    told = scopes(effects.measure(town, city, actions(12), KNOBS))
    assert {row["reason"] for row in told.values()} <= {"", effects.FEW_AREAS}
    assert effects.EFFECT not in {row["verdict"] for row in told.values()}


def test_an_effect_is_still_found_beside_facts_of_other_kinds(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    those = actions(12)
    fill(memory, those, 40.0, 1.0)
    memory.execute("CREATE TABLE beside AS SELECT * REPLACE ('autre' AS category, "
                   "'sans_theme' AS theme) FROM cube")  # fmt: skip
    fill(memory, those, 40.0, 0.6)
    memory.execute("INSERT INTO cube SELECT * FROM beside")
    told = scopes(effects.measure(memory, city, those, KNOBS))
    assert told["all"]["verdict"] == effects.EFFECT
    assert {row["reason"] for row in told.values()} <= {"", effects.FEW_AREAS}


def test_other_facts_that_vary_by_themselves_leave_few_actions_out(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    """Ten towns of five other kinds, rare and frequent, quarters unlike: one town in twenty."""
    rng, those, wrong = np.random.default_rng(5), actions(12), 0
    for _ in range(10):
        fill(memory, those, 40.0, 1.0)
        table = memory.execute("SELECT * FROM cube ORDER BY ALL").to_arrow_table()
        _, where = np.unique(table["cell"].to_pylist(), return_inverse=True)
        late = np.array(
            [hour.date() >= FIRST.replace(month=11) for hour in table["hour"].to_pylist()]
        )
        for kind, level in enumerate((0.1, 1.0, 10.0, 40.0, 40.0)):
            own = level * rng.gamma(5, 1 / 5, where.max() + 1)[where]
            grown = np.where(late, rng.gamma(100, 1 / 100, where.max() + 1)[where], 1.0)
            n = pa.array(rng.poisson(own * grown))
            named = table.drop_columns(["n", "category"]).append_column("n", n)
            memory.register("beside", named)
            memory.execute(f"INSERT INTO cube BY NAME SELECT 'k{kind}' AS category, * FROM beside")
        found = effects.measure(memory, city, those, KNOBS).to_pylist()
        wrong += any(row["reason"] == recorded.RECODED for row in found)
    assert wrong <= 3  # of a binomial(10, 0.05), more than 3 comes once in 1,000
