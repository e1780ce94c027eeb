"""The account of a period: sums that agree, hours that exist, nulls as effects, plain SQL."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from helpers.actions import dose, power, states
from helpers.core.city.city import City
from helpers.register import rules
from helpers.results import account, followed, words
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
                     ("start", pa.date32()), ("exploratory", pa.bool_())])  # fmt: skip


def judged(key: str, code: str, start: dt.date = START, **changes: Any) -> dict[str, Any]:
    return {"scope": "action", "key": key, "verdict": code, "reason": "", "ratio": 0.8, "low": 0.7,
            "high": 0.9, "start": start, "exploratory": False, **changes}  # fmt: skip


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


HOURS = {(f"S{n}", dt.date(2024, 1 + 3 * q, 1)): 5000.0 for n in range(4) for q in range(4)}


@pytest.fixture
def found() -> pa.Table:
    return account.account(*tables(), HOURS, PERIOD, rules.NEEDED)


def test_sums_by_tier_theme_and_quarter_are_equal(found: pa.Table) -> None:
    rows = account.sums(found).to_pylist()
    whole = rows[0]
    for by in ("tier", "theme", "quarter"):
        own = [r for r in rows if r["by"] == by]
        for name in ("planned", "done", "told"):
            assert sum(round(10 * (r[name] or 0)) for r in own) == round(10 * whole[name]), by
        if by != "quarter":
            for name in ("actions", "unmeasured", *account.VERDICTS):
                assert sum(r[name] for r in own) == whole[name], (by, name)
    assert whole["planned"] > 1000


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
    scarce = dict.fromkeys(HOURS, 100.0)
    rows = account.account(*tables(), scarce, PERIOD, rules.NEEDED).to_pylist()
    by_place: dict[tuple[str, dt.date], float] = {}
    for row in rows:
        key = row["sector"], row["quarter"]
        by_place[key] = by_place.get(key, 0.0) + (row["done"] or 0.0)
    assert max(by_place.values()) <= 100.0 + 1e-9
    assert max(by_place.values()) > 95.0
    free = account.account(*tables(), HOURS, PERIOD, rules.NEEDED).to_pylist()
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
    told = account.account(changed, doses, effects, HOURS, PERIOD, rules.NEEDED)
    names = set(told["action"].to_pylist())
    assert names.isdisjoint({f"ACT-00{n}" for n in range(4)})


def test_hours_of_rosters_are_summed_by_sector_and_quarter(tmp_path: Path) -> None:
    city = write_pack(tmp_path)
    assert account.existing(duckdb.connect(), city) == {}


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
        [judged("ACT-001", "pas_d_effet_demontre"), judged("ACT-009", "effet")], schema=EFFECTS
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
    for code in ("effet", "pas d'effet démontré", "non concluant"):
        assert f"**{code}** (rapport 0,80, de 0,70 à 0,90)" in body
    assert "*exploratoire* : hypothèse changée après le début" in body
    rows = list(csv.reader(io.StringIO(words.as_csv(told)), delimiter=";"))
    assert len(rows) == found.num_rows + 1
    assert len({len(row) for row in rows}) == 1
    hours = sum(float(row[7].replace(",", ".")) for row in rows[1:])
    assert hours == pytest.approx(account.sums(found).to_pylist()[0]["planned"])


def test_a_city_without_a_register_says_so_and_has_nothing_to_account_for(city: City) -> None:
    empty = pa.Table.from_pylist([], schema=account.ACCOUNT)
    none = pa.Table.from_pylist([], schema=followed.FOLLOWED)
    told = words.Told(empty, account.sums(empty), none, city, {}, PERIOD, False)
    assert words.answer(told).startswith(words.NO_REGISTER)
    assert "aucune action menée" in words.answer(told)
    assert words.decided(told) == words.NO_REGISTER
