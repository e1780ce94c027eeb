"""Fluidity on roads whose truth is drawn: nothing said of nothing, changes told, the rest mute."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from helpers.core.city.about import Agenda, Slot
from helpers.core.place_time.counters import CUMULATED
from helpers.traffic import around_events, closures, figures, fluidity, grades, safety, words
from helpers.traffic.grades import World
from helpers.traffic.known import Roads
from tests.fixtures.made_up import write_pack
from tests.traffic.test_closures import KNOBS

QUIET = World(share=0.0, kept=1.0)
RUNS = 60


def roads(seed: int) -> Roads:
    """Return ten roads of which nothing happens; two slots."""
    found = grades.town(QUIET, np.random.default_rng([61, seed]))
    slots = {"jour": Slot(title="jour", start_h=7), "nuit": Slot(title="nuit", start_h=21)}
    rules = found.rules.model_copy(update={"slots": slots, "closures": ()})
    return Roads(rules, found.hours, found.kind)


def rows(found: Roads) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = fluidity.measure(found, KNOBS).to_pylist()
    return [row for row in told if row["measure"] == fluidity.FLOW]


def test_all_the_comparisons_of_a_quiet_town_hold_together() -> None:
    wrong = [any(row["level"] != fluidity.USUAL for row in rows(roads(i))) for i in range(RUNS)]
    assert np.mean(wrong) <= 0.05 + 2.6 * (0.05 * 0.95 / RUNS) ** 0.5


def test_a_quarter_less_in_the_day_is_told_there_and_by_how_much() -> None:
    town = roads(1)
    town.hours.flow[2, -28:, 7:21] *= 0.75
    found = {(row["site"], row["slot"]): row for row in rows(town)}
    assert found["R03", "jour"]["level"] == fluidity.LESS
    assert found["R03", "jour"]["ratio"] == pytest.approx(0.75, abs=0.06)
    assert {row["level"] for key, row in found.items() if key != ("R03", "jour")} == {
        fluidity.USUAL
    }
    said = words.fluid(fluidity.measure(town, KNOBS), town, KNOBS)
    assert said.startswith("**1\u00a0écart établi** :\n\n- **Voie R03**, jour, débit")


SAME = "le même rapport à toute heure : peut-être le compteur lui-même"
# What is planted, and at what hours; whether the counter itself may be what changed.
PLANTED = [
    (0.75, slice(0, 24), True),
    (1.4, slice(0, 24), True),
    (0.75, slice(7, 21), False),
    (0.6, slice(21, 24), False),
    (1.3, slice(7, 10), False),
]


def planted(seed: int, ratio: float, hours: slice, since: int = 28) -> Roads:
    """Return a town whose third road counts so much of its usual at some hours, for some days."""
    town = roads(seed)
    town.hours.flow[2, -since:, hours] *= ratio
    return town


@pytest.mark.parametrize(("ratio", "hours", "same"), PLANTED)
def test_a_counter_set_again_is_told_apart_from_a_change_of_traffic(
    ratio: float, hours: slice, same: bool
) -> None:
    """From one day on, the same ratio at all hours, or a part of the day alone; a few towns."""
    for seed in range(6):
        town = planted(seed, ratio, hours)
        flows = fluidity.measure(town, KNOBS)
        own = [row for row in flows.to_pylist() if row["site"] == "R03" and row["level"] not in
               (None, fluidity.USUAL)]  # fmt: skip
        assert own or not same
        assert {row["all_hours"] for row in own} <= {same}
        empty = (closures.CLOSURES, around_events.EVENTS, safety.SAFETY)
        said = words.answer(flows, *(schema.empty_table() for schema in empty), town)
        for text in (words.fluid(flows, town, KNOBS), said):
            assert (f"Voie R03, {SAME}" in text) == same


def test_a_counter_set_again_before_the_window_is_told_too() -> None:
    flows = fluidity.measure(planted(1, 0.7, slice(0, 24), since=45), KNOBS)
    assert SAME in words.fluid(flows, planted(1, 0.7, slice(0, 24), since=45), KNOBS)


def test_counters_laid_lately_say_nothing_and_nothing_fails() -> None:
    town = grades.town(World(), np.random.default_rng(62))
    town.hours.flow[:, :-60] = np.nan
    assert {row["status"] for row in rows(town)} == {fluidity.ABSTAINED}
    told = closures.measure(town, KNOBS).to_pylist()
    assert {row["status"] for row in told} == {fluidity.ABSTAINED}
    match = around_events.Event("sportif", 24 * 100 + 21, 24 * 100 + 23, 0.0, 0.0)
    assert {row["reason"] for row in around_events.measure(town, [match], KNOBS).to_pylist()} == {
        fluidity.TOO_FEW
    }


def test_events_left_out_are_counted_and_why_is_said(tmp_path: Path) -> None:
    """Eight matches near a road: one before it is counted, one while its counter is mute."""
    town = roads(7)
    far = tuple(replace(one, x=0.0 if i == 0 else 9_000.0) for i, one in enumerate(town.places))
    town = replace(town, hours=replace(town.hours, places=far))
    days = (50, 150, 190, 230, 270, 310, 350, 390)
    town.hours.flow[0, :100] = np.nan
    town.hours.flow[0, 190] = np.nan
    matches = [around_events.Event("sportif", 24 * day + 18, 24 * day + 20, 0.0, 0.0)
               for day in days]  # fmt: skip
    near = around_events.measure(town, matches, KNOBS)
    for row in near.to_pylist():
        assert (row["near"], row["events"]) == (7, 6)
        assert row["left_out"] == [{"reason": around_events.UNHEARD, "events": 1}]
    city = write_pack(tmp_path)
    told = SimpleNamespace(titles={"sportif": "Match"})
    city.about.__dict__["agenda"] = Agenda.model_construct(events=told)  # type: ignore[arg-type]
    said = words.events(near, city, town, KNOBS).replace("\u00a0", " ")
    assert said.count("6 événements sur 7") == 3
    assert said.endswith(" Laissés de côté : compteur muet à ces heures (1).")


def test_two_counters_that_say_the_same_at_every_hour_are_told(tmp_path: Path) -> None:
    found = roads(3)
    assert fluidity.copies(found) == []
    found.hours.flow[1] = found.hours.flow[0]
    found.hours.flow[1, :50] = np.nan
    assert fluidity.copies(found) == [("R01", "R02")]
    flows = fluidity.measure(found, KNOBS)
    empty = (closures.CLOSURES, around_events.EVENTS, safety.SAFETY)
    answer = words.answer(flows, *(schema.empty_table() for schema in empty), found)
    for text in (words.fluid(flows, found, KNOBS), answer):
        assert "Voie R01 et Voie R02 disent le même nombre à toute heure" in text
    # Nothing was measured: no « none established » either.
    assert "aucun écart établi sur les voies proches" not in answer
    assert "aucune hausse établie" not in answer
    assert answer.count("rien n'est mesuré") == 2


def test_a_counter_that_sends_its_total_is_no_road_that_is_as_usual() -> None:
    found = roads(4)
    found.hours.why[2, -60:] = CUMULATED
    found.hours.flow[2, -60:] = np.nan
    flows = fluidity.measure(found, KNOBS)
    own = [row for row in flows.to_pylist() if row["site"] == "R03" and row["measure"] == "flow"]
    assert {row["reason"] for row in own} == {fluidity.TOTALS}
    assert "Voie R03 : compteur qui envoie son total" in words.fluid(flows, found, KNOBS)


def test_too_few_vehicles_abstain() -> None:
    town = roads(3)
    town.hours.flow[2] = np.random.default_rng(4).poisson(3.0, town.hours.flow[2].shape)
    reasons = {row["site"]: row["reason"] for row in rows(town)}
    assert reasons["R03"] == fluidity.TOO_FEW
    assert {reason for site, reason in reasons.items() if site != "R03"} == {""}


def test_a_city_without_counters_has_an_answer_and_figures(tmp_path: Path) -> None:
    city = write_pack(tmp_path)
    flows, shut = fluidity.measure(None, KNOBS), closures.measure(None, KNOBS)
    near = around_events.measure(None, [], KNOBS)
    safe = safety.SAFETY.empty_table()
    assert words.answer(flows, shut, near, safe, None) == words.NO_RULES
    assert words.shut(shut, None, KNOBS) == "Aucune fermeture déclarée."
    assert words.events(near, city, None, KNOBS).startswith("Aucun événement")
    assert words.safe(safe, city, None, {}, KNOBS).startswith("Aucun thème")
    for drawn in (
        figures.beside(flows, safe, None), figures.moved(shut, None),
        figures.near(near, city, None),
    ):  # fmt: skip
        assert drawn.chart.to_dict()
