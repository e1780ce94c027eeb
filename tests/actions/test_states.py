"""States, the gate of tiers and what is exploratory, of a register whose story is written here."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from helpers.actions import dose, figures, power, states, words
from helpers.actions.known import Delivered, Known, Where, in_force
from helpers.core.base.errors import PhareError
from helpers.core.stage import figure
from helpers.register import beforehand
from tests.fixtures import decisions
from tests.fixtures.decisions import END, START, action, approve, problem
from tests.fixtures.made_up import write_pack

DAY = dt.timedelta(days=1)
PROPOSED = START - 40 * DAY
HERE = Where(0.0, 0.0, "1", "S")


def known(held: object, today: dt.date, **delivered: Delivered) -> Known:
    entries = held.entries  # type: ignore[attr-defined]
    return Known(entries, delivered, today, True, in_force(entries))


def rows(told: Known) -> dict[str, dict[str, object]]:
    found = states.states(told, dict.fromkeys(told.names, HERE))
    return {row["action"]: row for row in found.to_pylist()}


@pytest.mark.parametrize(
    ("today", "opinions", "state"),
    [
        (PROPOSED, (), "proposed"),
        (PROPOSED, ("approved",), "proposed"),
        (PROPOSED, ("approved", "approved"), "approved"),
        (START, ("approved", "approved"), "running"),
        (END, ("approved", "approved"), "running"),
        (END + DAY, ("approved", "approved"), "off"),
        (START, ("approved", "refused"), "refused"),
        (END + DAY, ("refused",), "refused"),
        (START, (), "proposed"),
    ],
)
def test_each_state(today: dt.date, opinions: tuple[str, ...], state: str) -> None:
    held = decisions.register()
    problem(held, "PB-001", PROPOSED)
    seq = action(held, "ACT-001", PROPOSED, "PB-001")
    if opinions:
        approve(held, "ACT-001", PROPOSED, seq, *opinions)
    assert rows(known(held, today))["ACT-001"]["state"] == state


def test_a_number_that_two_rows_bear_is_marked() -> None:
    """Of the source's rows one is shown, and the answer says that it is one of several."""
    once, twice = (
        Delivered(name, "ronde", "bruit", START, 0.0, 0.0, twice=mark)
        for name, mark in (("ACT-001", False), ("ACT-002", True))
    )
    held = known(decisions.register(), END, **{"ACT-001": once, "ACT-002": twice})
    table = states.states(held, dict.fromkeys(held.names, HERE))
    assert [(row["action"], row["twice"]) for row in table.to_pylist()] == [
        ("ACT-001", False), ("ACT-002", True),
    ]  # fmt: skip
    said = words.answer(table, power.POWERS.empty_table(), held)
    assert "**Numéro porté par plusieurs lignes de la source** : ACT-002." in said
    alone = table.slice(0, 1)
    assert "plusieurs lignes" not in words.answer(alone, power.POWERS.empty_table(), held)


def test_the_gate_says_by_what_a_tier_went_through() -> None:
    held = decisions.register()
    problem(held, "PB-001", PROPOSED)
    problem(held, "PB-002", PROPOSED)
    with pytest.raises(PhareError, match="sans palier inférieur essayé"):
        action(held, "ACT-009", PROPOSED, "PB-002", tier="repression")
    action(held, "ACT-001", PROPOSED, "PB-001")
    action(held, "ACT-002", START + DAY, "PB-001", tier="dissuasion")
    action(held, "ACT-003", START + DAY, "PB-001", tier="dissuasion",
           justification="atteinte_grave")  # fmt: skip
    action(held, "ACT-004", PROPOSED + 50 * DAY, "PB-002", tier="repression",
           justification="danger_immediat")  # fmt: skip
    found = rows(known(held, START + 60 * DAY))
    gates = {name: row["gate"] for name, row in found.items()}
    assert gates == {
        "ACT-001": states.LOWEST, "ACT-002": states.LOWER_TRIED, "ACT-003": states.LOWER_TRIED,
        "ACT-004": states.JUSTIFIED,
    }  # fmt: skip
    assert "« danger immédiat »" in words.gate(found["ACT-004"])


def test_a_hypothesis_changed_after_the_start_is_shown_and_makes_exploratory() -> None:
    held = decisions.register()
    for number in (1, 2, 3):
        problem(held, f"PB-00{number}", PROPOSED)
    first = action(held, "ACT-001", PROPOSED, "PB-001")
    early = action(held, "ACT-002", PROPOSED, "PB-002")
    renewed = action(held, "ACT-003", PROPOSED, "PB-003")
    action(held, "ACT-002", START - DAY, "PB-002", early, least_effect=0.1)
    changed = action(held, "ACT-001", START, "PB-001", first, least_effect=0.1)
    action(held, "ACT-003", START + DAY, "PB-003", renewed, end=END + 30 * DAY)
    told = known(held, START + 2 * DAY)
    found = rows(told)
    assert found["ACT-001"]["changed"] == ["least_effect"]
    assert found["ACT-001"]["changed_by"] == [changed]
    assert [found[f"ACT-00{n}"]["changed"] for n in (2, 3)] == [[], []]
    assert found["ACT-003"]["renewals"] == 1
    assert [row["exploratory"] for row in found.values()] == [beforehand.CHANGED, "", ""]
    table = states.states(told, dict.fromkeys(told.names, HERE))
    said = words.answer(table, table.slice(0, 0), told)
    assert "**Hypothèse changée après le début** : ACT-001. " in said


def test_what_was_not_written_down_before_is_exploratory() -> None:
    held = decisions.register()
    problem(held, "PB-001", PROPOSED)
    problem(held, "PB-002", PROPOSED)
    action(held, "ACT-001", PROPOSED, "PB-001")
    action(held, "ACT-002", START, "PB-002")
    place = Delivered("ACT-001", "controle", decisions.THEME, START, 0.0, 0.0, end=END)
    beside = {"ACT-001": place, "ACT-002": replace(place, id="ACT-002"),
              "ACT-003": replace(place, id="ACT-003", tier="repression")}  # fmt: skip
    told = known(held, START, **beside)
    found = rows(told)
    assert found["ACT-003"]["state"] == "unregistered"
    assert [row["exploratory"] for row in found.values()] == [
        "", beforehand.REGISTERED_LATE, beforehand.NOT_REGISTERED,
    ]  # fmt: skip
    other = known(held, START, **{"ACT-001": replace(place, theme="rixes")})
    assert rows(other)["ACT-001"]["exploratory"] == beforehand.OTHER_FACTS
    part = known(held, START, **{"ACT-001": replace(place, part=True)})
    assert rows(part)["ACT-001"]["exploratory"] == beforehand.PART_OF_FACTS
    table = states.states(part, dict.fromkeys(part.names, HERE))
    said = words.answer(table, table.slice(0, 0), part)
    assert "**Jugée sur une partie seulement des faits de son critère** : ACT-001. " in said
    bare = Known([], beside, START, False)
    assert {row["exploratory"] for row in rows(bare).values()} == {""}


def test_a_city_without_a_register_says_so_in_a_sentence() -> None:
    told = Known([], {}, END, False)
    empty = states.states(told, {})
    assert words.answer(empty, empty, told) == f"{words.NO_REGISTER}\n\n{words.NONE}"
    place = Delivered("A1", "ronde", None, START, np.nan, np.nan)
    one = Known([], {"A1": place}, END, False)
    table = states.states(one, {"A1": Where(np.nan, np.nan, None, None)})
    said = words.answer(table, table.slice(0, 0), one)
    assert said.startswith(words.NO_REGISTER)
    assert "Menée sans rien au registre" not in said


def test_a_renewed_action_shows_the_end_in_force_beside_the_one_that_the_source_tells(
    tmp_path: Path,
) -> None:
    held = decisions.register()
    problem(held, "PB-001", PROPOSED)
    first = action(held, "ACT-001", PROPOSED, "PB-001", dose_h=59.0)
    action(held, "ACT-001", END - DAY, "PB-001", first, end=END + 60 * DAY, dose_h=59.0)
    action(held, "ACT-002", PROPOSED, "PB-001", dose_h=12.0)
    place = Delivered("ACT-001", "point_fixe", decisions.THEME, START, 0.0, 0.0, end=END,
                      planned_h=60.6)  # fmt: skip
    told = known(held, END, **{"ACT-001": place})
    table = states.states(told, dict.fromkeys(told.names, HERE))
    renewed, alone = table.to_pylist()
    assert (renewed["end"], renewed["end_in_force"]) == (END, END + 60 * DAY)
    none = {"reason": dose.NOT_BEGUN}
    bare = [{"action": row["action"], **none} for row in (renewed, alone)]
    asked = pa.Table.from_pylist(
        [{"action": row["action"], "reason": power.NO_PLACE} for row in (renewed, alone)],
        schema=power.POWERS,
    )
    doses = pa.Table.from_pylist(bare, schema=dose.DOSES)
    told_of = words.one_by_one(table, doses, asked, write_pack(tmp_path), {}).splitlines()
    assert ("| 01/03/2024 – 28/10/2024 (prolongée 1 fois ; fin le 29/08/2024 selon la source des "
            "actions) |") in told_of[3]  # fmt: skip
    assert "dose prévue 59,0 h par semaine au registre, 60,6 h selon la source" in told_of[3]
    assert "| 01/03/2024 – 29/08/2024 |" in told_of[2]
    assert "dose prévue 12 h par semaine |" in told_of[2]
    drawn = figure.complete(figures.calendar(table, END).chart)["datasets"].values()
    assert "2024-10-28" in {row.get("fin") for data in drawn for row in data}
    said = words.answer(table, table.slice(0, 0), told)
    assert said.startswith("**2\u00a0actions** au 29 août 2024 (1 d'après la source des actions ; "
                           "1 d'après le registre seul) : ")  # fmt: skip
