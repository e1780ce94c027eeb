"""Shares of tiers against plain SQL, and intervals against the beta distribution."""

from __future__ import annotations

import datetime as dt

import duckdb
import pyarrow as pa
import pytest
from scipy import special

from helpers.actions import states, tiers, words
from helpers.core.place_time.calendar import quarters
from helpers.core.stage import params
from helpers.register.codes import TIERS
from tests.fixtures.real import ROOT

PERIOD = dt.date(2023, 1, 1), dt.date(2024, 12, 31)
DAY = dt.timedelta(days=1)


def row(number: int, tier: str, start: int, days: int, **changes: object) -> dict[str, object]:
    begin = PERIOD[0] + start * DAY
    return {"action": f"ACT-{number:03d}", "tier": tier, "start": begin, "end": begin + days * DAY,
            "state": "off", "approvals": 2, "delivered": False, **changes}  # fmt: skip


@pytest.fixture
def table() -> pa.Table:
    rows = [row(n, TIERS[n % 3], 37 * n, 100) for n in range(18)]
    rows += [row(90, "repression", 5, 700, state="refused"),
             row(91, "repression", 5, 700, state="proposed", approvals=0),
             row(92, "repression", 5, 700, approvals=1),
             row(93, "prevention", 5, 700, state="unregistered", approvals=None,
                 delivered=True)]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=states.STATES)


def test_counts_are_those_of_plain_sql(table: pa.Table) -> None:
    found = tiers.tier_shares(table, PERIOD, 0.95, 5).to_pylist()
    con = duckdb.connect()
    con.register("told", table)
    done = "state IN ('running', 'off', 'unregistered') AND (approvals >= 2 OR delivered)"
    for first, after in quarters(*PERIOD):
        counted = dict(con.execute(
            f"SELECT tier, count(*) FROM told WHERE {done} AND start < ? AND \"end\" >= ? "
            "GROUP BY ALL", [after, first]).fetchall())  # fmt: skip
        own = {r["tier"]: r["actions"] for r in found if r["quarter"] == first}
        assert own == {tier: counted.get(tier, 0) for tier in TIERS}
        assert {r["of"] for r in found if r["quarter"] == first} == {sum(counted.values())}
    whole = {r["tier"]: r["actions"] for r in found if r["quarter"] is None}
    assert whole == {"prevention": 7, "dissuasion": 6, "repression": 6}
    said = words.shares(tiers.tier_shares(table, PERIOD, 0.95, 5), params.knobs("actions", ROOT))
    assert said.startswith("Comptées : 19\u00a0actions menées (1 d'après la source des actions, "
                           "18 approuvées et commencées d'après le registre seul).")  # fmt: skip


def test_few_actions_have_no_share_and_many_an_exact_interval(table: pa.Table) -> None:
    found = tiers.tier_shares(table, PERIOD, 0.95, 5).to_pylist()
    for r in found:
        assert (r["status"] == tiers.TOO_FEW) == (r["of"] < 5)
        assert (r["share"] is None) == (r["status"] == tiers.TOO_FEW)
    told = next(r for r in found if r["quarter"] is None and r["tier"] == "dissuasion")
    assert told["low"] == pytest.approx(special.betaincinv(6, 14, 0.025), abs=1e-5)
    assert told["high"] == pytest.approx(special.betaincinv(7, 13, 0.975), abs=1e-5)


def test_quarters_follow_one_another() -> None:
    found = quarters(dt.date(2023, 11, 5), dt.date(2024, 4, 1))
    assert [first.isoformat() for first, _ in found] == ["2023-10-01", "2024-01-01", "2024-04-01"]
    assert [b for _, b in found][:-1] == [a for a, _ in found][1:]
