"""Doses against the hours that the simulation truly added, and against plain SQL."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.actions import dose, states, words
from helpers.actions.known import Delivered, Known, Where, in_force
from helpers.core.base import store
from helpers.core.stage import params
from helpers.register import received
from tests.fixtures.real import ROOT
from tests.fixtures.simulated import Made

COLUMNS = {  # of the source
           "kind": "type", "start": "debut", "end": "fin", "tier": "palier",
           "problem": "probleme_id", "planned_h": "dose_prevue_h", "done_h": "dose_realisee_h",
           }  # fmt: skip


@pytest.fixture(scope="module")
def found(made: Made) -> tuple[pa.Table, pa.Table, dose.Weekly]:
    entries = received.entries(
        store.records(made.con, "SELECT * FROM sorted_registre ORDER BY seq")
    )
    rows = store.records(made.con, "SELECT * FROM sorted_action ORDER BY id_action")
    delivered = {
        row["id_action"]: Delivered(
            id=row["id_action"], theme=None, x=0.0, y=0.0,
            **{name: row[column] for name, column in COLUMNS.items()},
        )
        for row in rows
    }  # fmt: skip
    end = made.city.about.period.end
    known = Known(entries, delivered, end, True, in_force(entries))
    sectors = {row["problem"]: row["zone"][:5] for row in
               store.records(made.con, "SELECT problem, zone FROM sorted_registre "
                                       "WHERE kind = 'problem' ORDER BY seq")}  # fmt: skip
    where = {}
    for name in known.names:
        problem = delivered[name].problem if name in delivered else None
        sector = sectors.get(problem or "")
        where[name] = Where(0.0, 0.0, None, sector)
    table = states.states(known, where)
    made.con.execute("CREATE OR REPLACE VIEW vacation AS SELECT * FROM sorted_vacation")
    weekly = dose.Weekly(made.con, made.city)
    knobs = params.knobs("actions", ROOT)
    return table, dose.doses(table, weekly, knobs, end), weekly


def test_hours_added_are_found_again(made: Made, found: tuple[pa.Table, pa.Table, object]) -> None:
    """Intervals at 95 %: of twelve, three wrong would be once in fifty."""
    truth = {row["id"]: row["patrol_h"]
             for row in pq.read_table(made.truth / "actions.parquet").to_pylist()}  # fmt: skip
    told = [row for row in found[1].to_pylist() if not row["reason"] and row["action"] in truth]
    assert len(told) >= 10
    inside = [row["done_low"] <= truth[row["action"]] <= row["done_high"] for row in told]
    assert sum(inside) >= len(inside) - 2
    away = [row["done_h"] - truth[row["action"]] for row in told]
    assert abs(np.mean(away)) < 4
    assert max(map(abs, away)) < 16


def test_hours_done_are_never_above_those_that_exist_which_sql_counts(
    made: Made, found: tuple[pa.Table, pa.Table, dose.Weekly]
) -> None:
    table, doses, weekly = found
    rows = {row["action"]: row for row in table.to_pylist()}
    by_cell = dose.sector_hours(table, weekly, made.city.about.period.end).to_pylist()
    checked = 0
    for told in doses.to_pylist():
        if told["existing_h"] is None:
            continue
        row = rows[told["action"]]
        assert 0 <= told["done_low"] <= told["done_h"] <= told["done_high"] <= told["existing_h"]
        first = row["start"] + dt.timedelta(days=-row["start"].weekday() % 7)
        weeks = (row["end"] + dt.timedelta(days=1) - first).days // 7
        shifts = row["shifts"] or ["matin", "apres_midi", "soir", "nuit"]
        plain = made.number(
            "SELECT sum(heures_agents) FROM sorted_vacation WHERE "
            f"secteur = '{row['sector']}' AND plage IN ({', '.join(map(store.literal, shifts))}) "
            f"AND date >= DATE '{first}' AND date < DATE '{first + dt.timedelta(weeks=weeks)}'"
        )
        assert told["weeks"] == weeks
        assert told["existing_h"] * weeks == pytest.approx(plain)
        there = [r for r in by_cell if r["action"] == told["action"]]
        assert sum(r["hours"] for r in there) == pytest.approx(plain)
        assert {r["shift"] for r in there} <= set(shifts)
        assert len({r["week"] for r in there}) == weeks
        checked += 1
    assert checked >= 10


def test_what_rosters_cannot_tell_is_not_told(found: tuple[pa.Table, pa.Table, object]) -> None:
    by_response = zip(found[0].to_pylist(), found[1].to_pylist(), strict=True)
    reasons = {(row["response"], row["state"]): told["reason"] for row, told in by_response}
    assert reasons["mediation", "off"] == dose.NOT_PATROL
    assert reasons["controle", "refused"] == dose.NOT_BEGUN
    assert reasons["campagne_info", "proposed"] == dose.NOT_BEGUN
    for told in found[1].to_pylist():
        assert (told["done_h"] is None) == bool(told["reason"])


def test_two_actions_in_the_same_weeks_cannot_be_told_apart(
    found: tuple[pa.Table, pa.Table, dose.Weekly],
) -> None:
    table, _, weekly = found
    row = next(r for r in table.to_pylist() if r["response"] == "point_fixe")
    twice = pa.Table.from_pylist([row, {**row, "action": "ACT-900"}], schema=states.STATES)
    end = dt.date(2025, 12, 31)
    told = dose.doses(twice, weekly, params.knobs("actions", ROOT), end).to_pylist()
    assert [one["reason"] for one in told] == [dose.TOGETHER] * 2


@pytest.mark.parametrize("alone", [False, True], ids=["all sectors", "its sector alone"])
def test_weeks_that_the_roster_does_not_tell_are_no_hours_of_zero(
    made: Made, found: tuple[pa.Table, pa.Table, dose.Weekly], alone: bool
) -> None:
    """A quarter of an action's weeks was never delivered, or its sector's nine weeks before it:
    what it added is found all the same."""
    table, doses, _ = found
    at, before = next((i, one) for i, one in enumerate(doses.to_pylist())
                      if one["done_h"] and one["weeks"] >= 16)  # fmt: skip
    row = table.slice(at, 1).to_pylist()[0]
    monday = row["start"] + dt.timedelta(days=-row["start"].weekday() % 7)
    weeks = before["weeks"] // 4
    lost = (monday - dt.timedelta(weeks=10), monday - dt.timedelta(days=8)) if alone else (
            monday, monday + dt.timedelta(weeks=weeks))  # fmt: skip
    name, where = "sorted_vacation", f"secteur = '{row['sector']}'" if alone else "TRUE"
    made.con.execute(f"CREATE OR REPLACE VIEW vacation AS SELECT * FROM {name} WHERE NOT ({where} "
                     f"AND date BETWEEN DATE '{lost[0]}' AND DATE '{lost[1]}')")  # fmt: skip
    weekly = dose.Weekly(made.con, made.city)
    made.con.execute(f"CREATE OR REPLACE VIEW vacation AS SELECT * FROM {name}")
    end = made.city.about.period.end
    after = dose.doses(table, weekly, params.knobs("actions", ROOT), end).to_pylist()[at]
    left_out = 0 if alone else weeks + 1  # the last one in part
    assert after["weeks"] == before["weeks"] - left_out
    assert after["existing_h"] == pytest.approx(before["existing_h"], rel=0.1)
    assert before["done_low"] <= after["done_h"] <= before["done_high"]


@pytest.mark.parametrize(
    ("planned", "least", "told"),
    [(10.0, 30.0, False), (10.0, 30.5, True), (None, 400.0, False), (0.0, 400.0, False)],
)
def test_a_dose_far_above_the_planned_one_is_told(
    planned: float | None, least: float, told: bool
) -> None:
    """Whether the service says it or the patrol hours do; without a plan there is none to pass."""
    row = {"planned_h": planned, "told_planned_h": None, "told_h": least}
    measured = {"reason": "", "done_h": least + 2, "done_low": least, "done_high": least + 4,
                "existing_h": 900.0}  # fmt: skip
    unmeasured = {"reason": dose.NO_HOURS}
    for done in (measured, unmeasured):
        assert ("bien plus que prévu" in words.dose_words(row, done)) == told
