"""What if crews are missing: in a usual week out of tables given by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from helpers.allocation import allocate, prices, tables, usual_week, words
from helpers.allocation.means import Item
from helpers.allocation.programme import build
from helpers.allocation.solve import solve
from helpers.allocation.tables import Summary
from helpers.allocation.usual_week import Week
from helpers.allocation.what_if import Asked, WhatIf
from helpers.core.base import store
from helpers.core.city.about import SLOTS, Slot
from tests.allocation.test_usual_week import SEED, knobs
from tests.fixtures.made_up import write_pack

ZONES = ("A", "B", "C")
WEEK = tuple((day, slot) for day in range(7) for slot in ("matin", "soir"))
LASTS = {"matin": Slot(title="matin", start_h=6), "soir": Slot(title="soir", start_h=18)}


def week(present: int = 4) -> Week:
    """Return a week of two slots a day: as many hours everywhere, A asks for most."""
    asked = np.outer([9.0, 3.0, 1.0], np.linspace(0.5, 1.5, len(WEEK)))
    held = np.full((3, len(WEEK)), present, dtype=np.int64)
    return Week(ZONES, WEEK, held, asked, np.ones(len(ZONES), dtype=bool), (("rixes", 2),), (1, 3),
                0.9, 0.25)  # fmt: skip


def test_missing_teams_take_the_hours_of_their_slots_and_of_no_other() -> None:
    """Two teams, a slot of twelve hours: 24 hours would go, the slot has 12, so all of them."""
    told = knobs(minimum_share=0.0, most_ratio=3.0)
    first = allocate.allocate(week(), told, SEED, "w")
    assert first.chosen is not None
    shown = first.chosen.presence.sum(axis=0)
    asked = Asked(2, (3,), 0.0, 3.0, 0.5)
    found = WhatIf(week(), shown, np.full(14, 12), told).answer(asked)
    assert found.lost.tolist() == [0, 0, 0, 12, *[0] * 10]
    assert found.planned is not None
    assert found.planned[:, 3].sum() == 0
    assert (found.planned.sum(axis=0) <= 12).all()
    (shown_met, then) = found.met[1]
    assert then < shown_met


def test_what_is_not_asked_for_does_not_move() -> None:
    told = knobs(minimum_share=0.0, most_ratio=3.0, tolerance=0.02)
    first = allocate.allocate(week(), told, SEED, "w")
    assert first.chosen is not None
    shown = first.chosen.presence.sum(axis=0)
    what_if = WhatIf(week(), shown, np.full(14, 2), told)
    assert (what_if.answer(what_if.usual).planned == shown).all()
    found = what_if.answer(replace(what_if.usual, missing=1, at=(5,)))
    assert found.planned is not None
    moved = found.planned - shown
    assert moved[:, 5].sum() == -2
    assert not np.delete(moved, 5, axis=1).any()


def test_rules_that_cannot_hold_any_more_are_named() -> None:
    """All hours of all zones kept, and a slot short of hours: every zone's minimum is at odds."""
    what_if = WhatIf(week(), None, np.full(14, 1), knobs())
    found = what_if.answer(replace(what_if.usual, missing=1, at=(0,), minimum_share=1.0))
    assert found.planned is None
    (items,) = found.conflicts
    assert {item.of for item in items if item.kind == "minimum_service"} == set(ZONES)
    said = words.conflict(items, {"A": "Le Port"})
    assert "service minimum (Le Port, B, C)" in said


def test_tables_say_again_what_the_plan_said(tmp_path: Path) -> None:
    """As they are read from their files: the same summary, the same week, rules in conflict too."""
    for told in (knobs(), knobs(minimum_share=1.0, equity_band=0.01)):
        found = allocate.allocate(week(), told, SEED, "w")
        said = tables.summary(found)
        con = duckdb.connect()
        read = {}
        for name, table in (("summary", tables.summary_table(said)),
                            ("conflicts", tables.conflict_table(said)),
                            ("plan", tables.plan_table(found))):  # fmt: skip
            con.register("rows", table)
            path = store.write(con, "SELECT * FROM rows", tmp_path / f"{name}.parquet")
            read[name] = con.execute(f"SELECT * FROM '{path}'").to_arrow_table()
        again = tables.read_summary(read["summary"], read["conflicts"])
        names = dict.fromkeys(ZONES, "Ici")
        assert words.answer(again, names) == words.answer(said, names)
        assert bool(said.conflicts) == (found.reason == allocate.CONFLICT)
        back = usual_week.again(read["plan"], LASTS)
        assert back is not None
        assert (back.zones, back.slots) == (ZONES, WEEK)
        assert (back.present == week().present).all()
        assert np.allclose(back.asked, week().asked, atol=1e-5)


def test_zones_and_slots_without_any_team_are_counted_as_the_plan_has_them() -> None:
    """Counted again from the rows of the plan; a zone without a team all week is said so."""
    found = allocate.allocate(week(), knobs(minimum_share=0.0, equity_band=0.99), SEED, "w")
    said, rows = tables.summary(found), tables.plan_table(found).to_pylist()
    bare = [(row["zone"], row["slot"]) for row in rows if not row["planned_h"]]
    assert bare
    assert said.cells == len(rows)
    assert said.uncovered_today == sum(not row["today_h"] for row in rows)
    assert {(zone, slot): n for zone, slot, n in said.uncovered} == Counter(bare)
    assert f"sans aucune équipe {len(bare)} des {len(rows)} " in words.answer(said, {})
    again = tables.read_summary(tables.summary_table(said), tables.conflict_table(said))
    assert again.uncovered == said.uncovered


def test_where_the_plan_has_no_team_is_said_with_the_zones_most_without(tmp_path: Path) -> None:
    city = write_pack(tmp_path)
    nights = [("3e", "nuit", 7), ("4e", "nuit", 7), ("5e", "nuit", 7), ("16e", "nuit", 7)]
    some = [("16e", "soir", 6), ("1er", "nuit", 3)]
    found = Summary("", hours=90, planned=90, moved=9, cells=448, uncovered=(*nights, *some),
                    met=((50, 60), (100, 110), (200, 210)))  # fmt: skip
    told = words.answer(found, {}).replace("\u00a0", " ")
    assert told.endswith(
        "**Le plan laisse sans aucune équipe 37 des 448 couples de zone et plage de la semaine** "
        "(aujourd'hui, aucun) : 16e (13), 3e (7), 4e (7), 5e (7) et 1 autre zone."
    )
    trust = words.trust(found, city, {})
    assert "- Sans aucune équipe de toute la semaine : nuit (3e, 4e, 5e, 16e)." in trust
    whole = replace(found, uncovered=())
    assert "sans aucune équipe" not in words.answer(whole, {}).lower()
    assert "sans aucune équipe" not in words.trust(whole, city, {}).lower()


def test_a_recommendation_has_a_name_of_its_own() -> None:
    found = allocate.allocate(week(), knobs(minimum_share=0.25), SEED, "w")
    assert found.chosen is not None
    first = tables.recommendation_table(found, "ville", "w").to_pylist()
    later = tables.recommendation_table(found, "ville", "x").to_pylist()
    names = [row["recommendation"] for row in first + later]
    assert first
    assert len(set(names)) == len(names)
    assert all(len(name) == 20 and not name.isdigit() for name in names)
    planned = found.chosen.presence.sum(axis=0)
    for row in first:
        at = [t for t, (_, slot) in enumerate(WEEK) if slot == row["slot"]]
        z = ZONES.index(row["zone"])
        assert row["today_h"] == week().present[z, at].sum()
        assert row["planned_h"] == planned[z, at].sum()


def test_a_slot_lasts_until_the_next_one_begins() -> None:
    assert usual_week.hours_of(SLOTS) == {"matin": 7, "apres_midi": 6, "soir": 4, "nuit": 7}
    assert usual_week.hours_of({"jour": Slot(title="jour", start_h=5)}) == {"jour": 24}


def test_many_zones_of_one_rule_are_not_all_told() -> None:
    items = [Item("minimum_service", f"Z{i}") for i in range(9)]
    told = words.conflict(items, {})
    assert "Z5 et 3 autres" in told
    assert "à la fois" in told
    assert words.answer(Summary("conflict", conflicts=(tuple(items),)), {}) == told


def test_a_rule_that_has_a_price_changes_the_plan_when_it_is_lifted() -> None:
    """The price list and the what-if say the same, however loose the near-ties may be."""
    told = knobs(minimum_share=0.5, most_ratio=3.0, tolerance=0.1, equity_band=0.9)
    programme = build(usual_week.problem(week(), told, 0.1))
    best = solve(programme)
    assert best is not None
    (price,) = [one for one in prices.prices(programme, best) if one.kind == "minimum_service"]
    assert 0 < price.low < 2 * told.tolerance * best.net  # it could be lost among near-ties
    shown = best.presence.sum(axis=0)
    what_if = WhatIf(week(), shown, np.full(14, 2), told)
    found = what_if.answer(replace(what_if.usual, minimum_share=0.0))
    assert found.planned is not None
    assert (found.planned != shown).any()
    changed = [np.maximum(one - week().present, 0).sum() for one in (shown, found.planned)]
    (before, after) = found.met[1]
    won = after - before - told.change_cost * (changed[1] - changed[0])
    assert won == pytest.approx(price.low, abs=1e-4)
