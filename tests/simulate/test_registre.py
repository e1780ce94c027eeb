"""The simulated register is one that the register would take, and holds the planted truths."""

from __future__ import annotations

import datetime as dt

import pyarrow.parquet as pq
import pytest

from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.register import chain, received, rules, snapshot
from helpers.register.entries import Entry
from helpers.simulate.sources import registre
from helpers.simulate.sources.registre import Plan
from tests.fixtures.simulated import Made

END = dt.date(2024, 12, 31)
NOW = "2026-01-01T00:00:00.000Z"


def entries(made: Made) -> list[Entry]:
    return received.entries(store.records(made.con, "SELECT * FROM sorted_registre ORDER BY seq"))


def cases(made: Made) -> dict[str, str]:
    rows = pq.read_table(made.truth / "registre_lines.parquet").to_pylist()
    return {row["case"]: row["action"] for row in rows if row["case"]}


def plan(number: int, case: str, tier: str) -> Plan:
    start = dt.date(2023, 1, 10) + dt.timedelta(days=60 * number)
    return Plan(number, number, case, tier, "controle", "13201", "bruit", start,
                start + dt.timedelta(days=90), 12.5)  # fmt: skip


def test_it_is_chained_as_the_register_chains_and_breaks_no_rule() -> None:
    tiers = ("prevention", "dissuasion", "repression")
    told = ("", "", "", registre.CHANGED, registre.RENEWED, registre.REFUSED)
    plans = [plan(n, case, tiers[(n - 1) % 3]) for n, case in enumerate(told, 1)]
    held = registre.fill("ici", ["bruit"], plans, END)
    assert chain.faults("ici", held.rows, NOW) == []
    assert chain.faults("ailleurs", held.rows, NOW) != []
    assert rules.broken(held.entries) == []
    again = registre.fill("ici", ["bruit"], plans, END)
    assert snapshot.text(again.entries) == snapshot.text(held.entries)


def test_what_the_door_let_in_is_what_was_entered(made: Made) -> None:
    found = entries(made)
    delivered = (made.delivered / "registre.csv").read_text("utf-8").splitlines()
    assert [entry.seq for entry in found] == list(range(1, len(delivered)))
    assert rules.broken(found) == []
    written = snapshot.text(found).splitlines()
    hidden = snapshot.COLUMNS.index("hash")
    for told, row in zip(written, delivered, strict=True):
        pairs = enumerate(zip(told.split(","), row.split(","), strict=True))
        assert all(a == b for i, (a, b) in pairs if i != hidden)


def test_a_register_with_a_hole_is_not_read(made: Made) -> None:
    rows = store.records(made.con, "SELECT * FROM sorted_registre WHERE seq != 7 ORDER BY seq")
    with pytest.raises(PhareError, match="l'inscription 7 n'est pas entrée"):
        received.entries(rows)


def test_the_planted_truths_are_there(made: Made) -> None:
    found, case = entries(made), cases(made)
    end = made.city.about.period.end
    standing = {one.action: one for one in rules.standings(found, end)}
    changed = {name: set(one.changed) for name, one in standing.items() if one.changed}
    assert changed == {case[registre.CHANGED]: {"criterion", "least_effect"},
                       case[registre.LATE]: {"entered"}}  # fmt: skip
    assert [n for n, one in standing.items() if one.renewals] == [case[registre.RENEWED]]
    assert case[registre.UNREGISTERED] not in standing
    delivered = {
        row[0] for row in made.con.execute("SELECT id_action FROM sorted_action").fetchall()
    }
    assert case[registre.UNREGISTERED] in delivered
    assert standing[case[registre.RUNNING]].status == "on"
    assert standing[case[registre.APPROVED]].status == "planned"
    assert standing[case[registre.APPROVED]].approved
    assert not standing[case[registre.PROPOSED]].approved
    first = {action.draft.subject: action for action, _ in reversed(rules.actions(found))}
    late = first[case[registre.LATE]]
    assert rules.day_of(late) > late.draft.payload.start
    third = [a for _, a in rules.actions(found) if a.tier == "repression"]
    assert len(third) > 2
    assert all(action.justification for action in third)


def test_an_action_that_prevents_nothing_is_delivered_and_touches_no_fact(made: Made) -> None:
    truth = {row["id"]: row for row in pq.read_table(made.truth / "actions.parquet").to_pylist()}
    idle = [name for name, row in truth.items() if row["effect"] == 0]
    assert idle == ["ACT-021"]
    kind = made.con.execute("SELECT type FROM sorted_action WHERE id_action = 'ACT-021'").fetchone()
    assert kind == ("campagne_info",)
    moved = pq.read_table(made.truth / "incidents.parquet", columns=["action"])["action"]
    assert 20 not in set(moved.drop_null().to_pylist())
