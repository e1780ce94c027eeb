"""The account of a period: sums that agree, hours that exist, nulls as effects, plain SQL."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import random
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from helpers.actions import dose, power, states
from helpers.core.city.city import City
from helpers.register import rules
from helpers.results import account, by_dose, followed, words
from helpers.results.knobs import Knobs
from tests.fixtures import decisions
from tests.fixtures.decisions import END, START, action, approve, problem
from tests.fixtures.made_up import write_pack

PERIOD = dt.date(2024, 1, 1), dt.date(2024, 12, 31)
DAY = dt.timedelta(days=1)
TIERS = ("prevention", "dissuasion", "repression")
CODES = ("effet", "pas_d_effet_demontre", "non_concluant")
REAL = pa.float64()
EFFECTS = pa.schema([("scope", pa.string()), ("key", pa.string()), ("verdict", pa.string()),
                     ("reason", pa.string()), ("ratio", REAL), ("low", REAL), ("high", REAL),
                     ("start", pa.date32()), ("exploratory", pa.bool_()),
                     ("why", pa.string())])  # fmt: skip


def judged(key: str, code: str, start: dt.date = START, **changes: Any) -> dict[str, Any]:
    return {"scope": "action", "key": key, "verdict": code, "reason": "", "ratio": 0.8, "low": 0.7,
            "high": 0.9, "start": start, "exploratory": False, "why": None, **changes}  # fmt: skip


def tables(count: int = 30) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Actions of all kinds over the year, drawn; a third without measure."""
    rng = random.Random(5)
    rows, doses, effects = [], [], []
    for n in range(count):
        name, start = f"ACT-{n:03d}", dt.date(2023, 10, 1) + rng.randrange(450) * DAY
        rows.append({
            "action": name, "problem": f"PB-{n:03d}", "tier": TIERS[n % 3], "sector": f"S{n % 4}",
            "theme": ("bruit", "rixes", None)[n % 7 % 3], "state": "off", "approvals": 2,
            "delivered": n % 2 == 0, "start": start, "end": start + rng.randrange(10, 300) * DAY,
            "planned_h": round(rng.uniform(3, 80), 1), "told_h": round(rng.uniform(3, 80), 1),
            "exploratory": "changed" if n == 7 else "",
        })  # fmt: skip
        value = round(rng.uniform(0, 70), 3)
        known = {"done_h": value, "done_low": value / 2, "done_high": value * 2}
        doses.append({"action": name, "reason": "" if n % 3 else "not_patrol",
                      **(known if n % 3 else {})})  # fmt: skip
        if n % 5:
            effects.append(judged(name, CODES[n % 3]))
    return (pa.Table.from_pylist(rows, schema=states.STATES),
            pa.Table.from_pylist(doses, schema=dose.DOSES),
            pa.Table.from_pylist(effects, schema=EFFECTS))  # fmt: skip


def sector_hours(actions: pa.Table, hours: float = 400.0) -> pa.Table:
    """Hours in each of two shifts, in every whole week of each action."""
    rows = []
    for one in actions.to_pylist():
        monday = one["start"] + -one["start"].weekday() % 7 * DAY
        while monday + 6 * DAY <= one["end"]:
            rows += [{"action": one["action"], "week": monday, "shift": shift, "hours": hours}
                     for shift in ("soir", "nuit")]  # fmt: skip
            monday += 7 * DAY
    return pa.Table.from_pylist(rows, schema=dose.SECTOR_HOURS)


def told_account(parts: tuple[pa.Table, pa.Table, pa.Table], hours: float = 400.0) -> pa.Table:
    there = sector_hours(parts[0], hours)
    return account.account(*parts, there, PERIOD, rules.NEEDED)


@pytest.fixture
def found() -> pa.Table:
    return told_account(tables())


def test_sums_by_tier_theme_and_quarter_are_equal(found: pa.Table) -> None:
    rows = account.sums(found).to_pylist()
    whole = rows[0]
    for by in ("tier", "theme", "quarter"):
        own = [r for r in rows if r["by"] == by]
        for name in ("planned", "done", "done_low", "done_high", "told"):
            assert sum(round(10 * (r[name] or 0)) for r in own) == round(10 * whole[name]), by
        if by != "quarter":
            for name in ("actions", "unmeasured", *account.VERDICTS):
                assert sum(r[name] for r in own) == whole[name], (by, name)
    assert whole["planned"] > 1000
    assert whole["done_low"] < whole["done"] < whole["done_high"]


def test_planned_hours_are_those_of_plain_sql(found: pa.Table) -> None:
    con = duckdb.connect()
    con.register("told", tables()[0])
    rows = con.execute(
        "SELECT tier, sum(planned_h / 7 * (least(\"end\", DATE '2024-12-31') - "
        "greatest(start, DATE '2024-01-01') + 1)) FROM told WHERE start <= DATE '2024-12-31' "
        "AND \"end\" >= DATE '2024-01-01' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    sums = {r["key"]: r["planned"] for r in account.sums(found).to_pylist() if r["by"] == "tier"}
    assert sums == {tier: pytest.approx(hours, abs=1.5) for tier, hours in rows}


def test_hours_done_are_never_above_those_that_exist() -> None:
    """Seven hours a week in the sector, both shifts added: a quarter of 92 days has 92."""
    rows = told_account(tables(), 3.5).to_pylist()
    by_place: dict[tuple[str, dt.date], float] = {}
    for row in rows:
        key = row["sector"], row["quarter"]
        by_place[key] = by_place.get(key, 0.0) + (row["done"] or 0.0)
    assert max(by_place.values()) <= 92.0 + 0.05
    assert max(by_place.values()) > 85.0
    assert all((row["done"] or 0) <= row["existing"] for row in rows if row["existing"])
    seen = [row for row in rows if row["existing"] and row["done"] is not None]
    assert all(row["done_low"] <= row["done"] <= row["done_high"] for row in seen)
    assert all(row["done_high"] <= row["existing"] for row in seen)
    free = told_account(tables()).to_pylist()
    assert sum(r["done"] or 0 for r in free) > sum(r["done"] or 0 for r in rows)


def test_what_is_not_measured_is_not_zero(found: pa.Table) -> None:
    rows = account.sums(found).to_pylist()
    prevention = next(r for r in rows if r["key"] == "prevention")
    assert prevention["done"] is None
    assert prevention["unmeasured"] == prevention["actions"]
    assert all(r["done"] is None for r in found.to_pylist() if r["tier"] == "prevention")


def test_what_was_refused_or_only_proposed_is_no_account() -> None:
    actions, doses, effects = tables(6)
    rows = actions.to_pylist()
    for row, change in zip(rows, ({"state": "refused"}, {"state": "proposed"}, {"approvals": 1},
                                  {"delivered": False, "approvals": 0}), strict=False):  # fmt: skip
        row |= {"start": START, "end": END, "delivered": False, **change}
    changed = pa.Table.from_pylist(rows, schema=states.STATES)
    told = told_account((changed, doses, effects))
    names = set(told["action"].to_pylist())
    assert names.isdisjoint({f"ACT-00{n}" for n in range(4)})


def test_hours_of_the_sector_are_those_of_the_action_s_own_weeks_and_shifts() -> None:
    """Of a quarter, the days that the action took; of a day, its two shifts."""
    (row,) = tables(1)[0].to_pylist()
    row |= {"start": dt.date(2024, 6, 3), "end": dt.date(2024, 7, 14)}  # six whole weeks
    actions = pa.Table.from_pylist([row], schema=states.STATES)
    rows = told_account((actions, *tables(1)[1:]), 70.0).to_pylist()
    assert [(r["days"], r["existing"]) for r in rows] == [(28, 560.0), (14, 280.0)]
    none = pa.Table.from_pylist([], schema=dose.SECTOR_HOURS)
    bare = account.account(actions, *tables(1)[1:], none, PERIOD, rules.NEEDED)
    assert set(bare["existing"].to_pylist()) == {None}


def held() -> Any:
    found = decisions.register()
    problem(found, "PB-001", START - 60 * DAY)
    one = action(found, "ACT-001", START - 40 * DAY, "PB-001")
    approve(found, "ACT-001", START - 39 * DAY, one)
    action(found, "ACT-001", END - 20 * DAY, "PB-001", one, end=END + 60 * DAY)
    two = action(found, "ACT-002", END, "PB-001", tier="dissuasion", start=END, end=END + 90 * DAY)
    approve(found, "ACT-002", END + DAY, two, "refused")
    return found


def test_a_decision_follows_the_figures_that_were_known_before_it() -> None:
    powers = pa.Table.from_pylist([{"action": "ACT-002", "seen": False}], schema=power.POWERS)
    effects = pa.Table.from_pylist(
        [judged("ACT-001", "pas_d_effet_demontre", exploratory=True), judged("ACT-009", "effet")],
        schema=EFFECTS,
    )
    weeks = (END - START).days // 7
    rows = followed.followed(held().entries, powers, effects, PERIOD, weeks).to_pylist()
    told = [(r["action"], r["decision"], r["figure"], r["said"]) for r in rows]
    unseen = (followed.POWER_FIGURE, followed.UNSEEN)
    null = (followed.EFFECT_FIGURE, "pas_d_effet_demontre")
    assert told == [
        ("ACT-001", "proposed", None, None), ("ACT-001", "approved", None, None),
        ("ACT-001", "approved", None, None), ("ACT-001", "renewed", None, None),
        ("ACT-002", "proposed", *null), ("ACT-002", "proposed", *unseen),
        ("ACT-002", "refused", *null), ("ACT-002", "refused", *unseen),
    ]  # fmt: skip
    assert [r["exploratory"] for r in rows] == [r["figure"] == followed.EFFECT_FIGURE for r in rows]
    late = followed.followed(held().entries, powers, effects, (END + DAY, END + DAY), weeks)
    assert set(late["decision"].to_pylist()) == {"refused"}


@pytest.fixture
def city(tmp_path: Path) -> City:
    return write_pack(tmp_path)


def test_nulls_are_told_as_effects_are_and_the_csv_holds_every_row(
    found: pa.Table, city: City
) -> None:
    none = followed.followed([], pa.Table.from_pylist([], schema=power.POWERS),
                             pa.Table.from_pylist([], schema=EFFECTS), PERIOD, 26)  # fmt: skip
    told = words.Told(found, account.sums(found), none, city, {"S0": "Secteur zéro"}, PERIOD, True)
    title, body = words.report(told)
    assert title == "Compte rendu des actions, du 1er janvier 2024 au 31 décembre 2024"
    whole = account.sums(found).to_pylist()[0]
    ends = [words.hours(whole[name]) for name in ("done", "done_low", "done_high")]
    assert "prévues, {} (de {} à {}) faites d'après les vacations".format(*ends) in body
    measured = [line for line in body.splitlines() if line.startswith("| dissuasion")]
    assert measured
    assert all(" (de " in line for line in measured)
    for code in ("effet", "pas d'effet démontré", "non concluant"):
        assert f"**{code}** (rapport 0,80, de 0,70 à 0,90)" in body
    assert "*exploratoire* : hypothèse changée après le début" in body
    rows = list(csv.reader(io.StringIO(words.as_csv(told)), delimiter=";"))
    assert len(rows) == found.num_rows + 1
    assert len({len(row) for row in rows}) == 1
    hours = sum(float(row[7].replace(",", ".")) for row in rows[1:])
    assert rows[0][13] == "heures de patrouille du secteur, aux semaines et plages de l'action"
    assert hours == pytest.approx(account.sums(found).to_pylist()[0]["planned"])


def test_a_city_without_a_register_says_so_and_has_nothing_to_account_for(city: City) -> None:
    empty = pa.Table.from_pylist([], schema=account.ACCOUNT)
    none = pa.Table.from_pylist([], schema=followed.FOLLOWED)
    told = words.Told(empty, account.sums(empty), none, city, {}, PERIOD, False)
    assert words.answer(told).startswith(words.NO_REGISTER)
    assert "aucune action menée" in words.answer(told)
    assert words.decided(told) == words.NO_REGISTER


def test_the_base_of_counts_and_both_planned_doses_are_said(city: City) -> None:
    actions, doses, effects = tables(2)
    rows = [row | {"start": START, "end": END, "delivered": n == 0, "planned_h": 59.0,
                   "told_planned_h": 60.6 if n == 0 else None}
            for n, row in enumerate(actions.to_pylist())]  # fmt: skip
    changed = pa.Table.from_pylist(rows, schema=states.STATES)
    found = told_account((changed, doses, effects))
    none = pa.Table.from_pylist([], schema=followed.FOLLOWED)
    told = words.Told(found, account.sums(found), none, city, {}, PERIOD, True)
    assert ("**2\u00a0actions menées (1 d'après la source des actions, 1 approuvée et commencée "
            "d'après le registre seul)**") in words.answer(told)  # fmt: skip
    first, second = words.one_by_one(told).splitlines()[-2:]
    assert "| 1\u202f534 (1\u202f576 selon la source des actions) |" in first
    assert "| 1\u202f534 |" in second


def test_an_exploratory_effect_is_said_so_beside_the_decision_that_it_came_before(
    city: City,
) -> None:
    powers = pa.Table.from_pylist([{"action": "ACT-002", "seen": False}], schema=power.POWERS)
    effects = pa.Table.from_pylist(
        [judged("ACT-001", "effet", exploratory=True, why="part_of_facts")], schema=EFFECTS
    )
    weeks = (END - START).days // 7
    rows = followed.followed(held().entries, powers, effects, PERIOD, weeks)
    empty = pa.Table.from_pylist([], schema=account.ACCOUNT)
    told = words.Told(empty, account.sums(empty), rows, city, {}, PERIOD, True)
    refusal = next(line for line in words.decided(told).splitlines() if "refus, ACT-002" in line)
    assert "`impact_ratios`, ACT-001 : effet, *exploratoire* ;" in refusal
    assert "ACT-002 : effet demandé pas assez sûr d'être vu |" in refusal


def test_the_effect_by_dose_is_the_line_through_what_is_known(city: City) -> None:
    """Of doses that rosters show and effects with an interval; few of them say nothing."""
    pairs = [("A", 20.0, 0.9), ("B", 40.0, 0.8), ("C", 60.0, 0.72), ("D", 80.0, 0.63)]
    doses = pa.Table.from_pylist(
        [{"action": name, "done_h": hours, "reason": ""} for name, hours, _ in pairs]
        + [{"action": "E", "done_h": None, "reason": "not_patrol"},
           {"action": "F", "done_h": 90.0, "reason": ""}],
        schema=dose.DOSES,
    )  # fmt: skip
    effects = pa.Table.from_pylist(
        [judged(name, "effet", ratio=ratio, low=ratio / 1.2, high=ratio * 1.2)
         for name, _, ratio in [*pairs, ("E", 0.0, 0.5)]]
        + [judged("F", "non_concluant", reason="too_few")],
        schema=EFFECTS,
    )  # fmt: skip
    (row,) = by_dose.by_dose(doses, effects, 0.95, 4).to_pylist()
    line, _ = np.polyfit([h for _, h, _ in pairs], [math.log(r) for *_, r in pairs], 1)
    assert row["ratio"] == pytest.approx(math.exp(10 * line))  # all of one error
    assert (row["actions"], row["least_h"], row["most_h"]) == (4, 20, 80)
    knobs = Knobs(period_days=365, confidence=0.95, minimum_doses=4)
    said = words.with_dose(by_dose.by_dose(doses, effects, 0.95, 4), knobs)
    assert "plus les heures ajoutées sont nombreuses, moins il reste de faits" in said
    assert f"rapport 0,94 (de {words.number(row['low'], 2)} à " in said
    few = by_dose.by_dose(doses, effects, 0.95, 5)
    assert few.to_pylist()[0]["ratio"] is None
    assert "rien n'est dit (4\u00a0actions" in words.with_dose(few, knobs)
    empty, none = account.ACCOUNT.empty_table(), followed.FOLLOWED.empty_table()
    told = words.Told(empty, account.sums(empty), none, city, {}, PERIOD, True, dose=said)
    assert said in words.report(told)[1]
