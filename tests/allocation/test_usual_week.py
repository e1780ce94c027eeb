"""A city's usual week out of tables given by hand: hours, demand, and what is no demand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from helpers.allocation import allocate, figures, tables, usual_week, words
from helpers.allocation.knobs import Knobs
from helpers.allocation.usual_week import NO_DEMAND, NO_HOURS, Week
from helpers.core.city.about import Patrols
from helpers.core.city.city import City
from tests.fixtures.made_up import write_pack
from tests.fixtures.tables import nothing_late, table_of_facts

WEEKS = 8
LAST_SUNDAY = dt.date(2024, 12, 29)  # the period ends on a Tuesday
FIRST = LAST_SUNDAY - dt.timedelta(days=7 * WEEKS - 1)
ZONES = ("A", "B", "C", "D")
SEED = 20260101


def knobs(**changed: Any) -> Knobs:
    usual: dict[str, Any] = {
        "reference_weeks": WEEKS, "origins": ("citizen",), "team_officers": 2,
        "answered_share": (0.05, 0.1, 0.2), "most_hours": 24, "minimum_share": 0.5,
        "most_ratio": 2.0, "equity_band": 0.5, "change_cost": 0.01, "tolerance": 0.005,
        "draws": 4, "gap": 0.0, "staff_similar": 2.0,
    }  # fmt: skip
    return Knobs(**(usual | changed))


@pytest.fixture
def city(tmp_path: Path) -> City:
    city = write_pack(tmp_path)
    assert city.themes  # read and checked before hours are told of, whose source has no contract
    rule = Patrols(source="vacation", division="carres", hours="heures", zone="zone",
                   slot="plage", day="jour")  # fmt: skip
    city.about = city.about.model_copy(update={"patrols": rule})
    return city


@pytest.fixture
def told(memory: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Eight weeks: nine agent-hours in every zone each morning; A asks for four facts a week."""
    con = memory
    con.execute("CREATE TABLE vacation (jour DATE, plage VARCHAR, zone VARCHAR, heures DOUBLE)")
    con.execute("CREATE TABLE weeks (source VARCHAR, week DATE, status VARCHAR, "
                "missing_days BIGINT)")  # fmt: skip
    nothing_late(con)
    con.execute("CREATE TABLE zones (division VARCHAR, code VARCHAR)")
    con.executemany("INSERT INTO zones VALUES ('carres', ?)", [[zone] for zone in ZONES])
    con.execute(
        "CREATE TABLE forecasts (theme VARCHAR, horizon VARCHAR, division VARCHAR, zone VARCHAR, "
        "part VARCHAR, kind VARCHAR, status VARCHAR, mean DOUBLE, usual DOUBLE)"
    )
    for i in range(7 * WEEKS):
        for zone in ZONES:
            con.execute("INSERT INTO vacation VALUES (?, 'matin', ?, 9)",
                        [FIRST + dt.timedelta(days=i), zone])  # fmt: skip
    table_of_facts(con, [])
    con.execute("ALTER TABLE cube ADD COLUMN slot VARCHAR")
    con.execute("ALTER TABLE cube ADD COLUMN working_day DATE")
    for week in range(WEEKS):
        happened(con, week, zone="A", n=4)
        happened(con, week, zone="B", n=1)
    return con


def happened(con: duckdb.DuckDBPyConnection, week: int, **fact: Any) -> None:
    """Add facts of a Monday morning."""
    day = FIRST + dt.timedelta(days=7 * week)
    told = {"theme": "bruit", "source": "faits", "origin": "citizen", "time_precision": "minute",
            "zone": "A", "n": 1} | fact  # fmt: skip
    con.execute(
        "INSERT INTO cube (theme, source, origin, time_precision, zone_carres, n, hour, hour_end, "
        "slot, working_day) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'matin', ?)",
        [*told.values(), dt.datetime.combine(day, dt.time(9)),
         dt.datetime.combine(day, dt.time(9)), day],
    )  # fmt: skip


def week_of(con: duckdb.DuckDBPyConnection, city: City, **changed: Any) -> Week:
    found = usual_week.read(con, city, city, knobs(**changed))
    assert isinstance(found, Week)
    return found


def test_presence_is_whole_hours_of_a_team_never_above_the_hours(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    """Nine agent-hours make four hours of two agents, not four and a half."""
    found = week_of(told, city)
    assert found.zones == ZONES
    morning = [i for i, (_, slot) in enumerate(found.slots) if slot == "matin"]
    assert (found.present[:, morning] == 4).all()
    assert found.present.sum() == 4 * 7 * len(ZONES)


def test_demand_is_that_of_habitants_by_week(told: duckdb.DuckDBPyConnection, city: City) -> None:
    for week in range(WEEKS):
        happened(told, week, zone="C", origin="agent", n=50)
    found = week_of(told, city)
    assert found.asked[:, found.slots.index((0, "matin"))].tolist() == [4, 1, 0, 0]
    assert found.asked.sum() == 5


def test_a_city_whose_sources_tell_no_origin_has_an_answer_that_says_so(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    told.execute("UPDATE cube SET origin = 'unknown'")
    assert usual_week.read(told, city, city, knobs()) == NO_DEMAND
    found = week_of(told, city, origins=("citizen", "unknown"))
    assert (found.asked.sum(), found.untold) == (5, 1)
    for week in range(WEEKS):
        happened(told, week, zone="C", n=15)
        happened(told, week, zone="D", origin="agent", n=50)
    found = week_of(told, city, origins=("citizen", "unknown"))
    assert found.asked.sum() == 20
    assert found.untold == pytest.approx(5 / 20)
    plan = allocate.allocate(found, knobs(equity_band=0.9), SEED, "w")
    said = words.trust(tables.summary(plan), city, {})
    assert "25\u202f% viennent de faits dont la source ne dit pas" in said


def test_the_end_of_the_night_before_is_of_no_week(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    """Two o'clock of the first Monday is still Sunday's night, which no week read holds."""
    told.execute("UPDATE cube SET working_day = ? WHERE working_day = ?",
                 [FIRST - dt.timedelta(days=1), FIRST])  # fmt: skip
    found = week_of(told, city)
    assert found.asked.sum() == pytest.approx(5 * (WEEKS - 1) / WEEKS)
    assert found.placed == 1


def test_a_silent_week_is_no_week_of_zeros(told: duckdb.DuckDBPyConnection, city: City) -> None:
    for week in (2, 5):
        monday = FIRST + dt.timedelta(days=7 * week)
        told.execute("DELETE FROM cube WHERE working_day = ?", [monday])
        told.execute("INSERT INTO weeks VALUES ('faits', ?, 'missing', 7)", [monday])
    assert week_of(told, city).asked.sum() == pytest.approx(5)


def test_a_zone_s_silence_is_neither_zero_nor_without_a_word(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    """A: silent in half of its weeks, as loud as ever; B: never heard, so its share is unknown."""
    for week in range(WEEKS):
        monday = FIRST + dt.timedelta(days=7 * week)
        for zone in ["A", "B"] if week % 2 else ["B"]:
            told.execute("DELETE FROM cube WHERE working_day = ? AND zone_carres = ?",
                         [monday, zone])  # fmt: skip
            told.execute("INSERT INTO grades_weekly VALUES ('faits', 'carres', ?, ?, 7)",
                         [zone, monday])  # fmt: skip
    found = week_of(told, city)
    assert found.asked.sum(axis=1).tolist() == [4, 0, 0, 0]
    assert found.known.tolist() == [True, False, True, True]
    assert found.unheard == (("bruit", 1), ("depots", 1))
    held = allocate.allocate(found, knobs(equity_band=0.99), SEED, "2024-12-31")
    assert "(1\u00a0zone sur 4)" in words.trust(tables.summary(held), city, {})


def test_facts_without_an_hour_or_a_zone_are_told(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    assert week_of(told, city).placed == 1
    told.execute("INSERT INTO cube (theme, source, origin, time_precision, zone_carres, n, hour, "
                 "hour_end) SELECT theme, source, origin, 'day', zone_carres, n, hour, hour_end "
                 "FROM cube WHERE zone_carres = 'A'")  # fmt: skip
    found = week_of(told, city)
    assert found.placed == pytest.approx(40 / 72)
    held = allocate.allocate(found, knobs(), SEED, "2024-12-31")
    assert "La demande tient 56\u202f% des faits signalés" in words.trust(
        tables.summary(held), city, {}
    )


def test_hours_of_a_place_that_is_no_zone_are_told_and_not_moved(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    told.execute("UPDATE vacation SET zone = '13e' WHERE zone = 'D'")
    found = week_of(told, city)
    assert found.zones == ("A", "B", "C")
    assert found.elsewhere == 9 * 7
    held = allocate.allocate(found, knobs(equity_band=0.99), SEED, "2024-12-31")
    assert "63\u00a0heures d'agents par semaine" in words.trust(tables.summary(held), city, {})
    told.execute("UPDATE vacation SET zone = 'ailleurs'")
    assert usual_week.read(told, city, city, knobs()) == usual_week.NO_ZONE
    assert "découpage" in words.ABSTAINS[usual_week.NO_ZONE]


def test_a_zone_that_the_roster_leaves_out_for_weeks_is_not_without_hours(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    """Five weeks of eight of D were not delivered; a Monday off now and then is a Monday off."""
    gone = FIRST + dt.timedelta(days=7)
    told.execute("DELETE FROM vacation WHERE zone = 'D' AND jour BETWEEN ? AND ?",
                 [gone, gone + dt.timedelta(days=34)])  # fmt: skip
    told.execute("DELETE FROM vacation WHERE zone = 'C' AND isodow(jour) = 1 AND jour > ?", [gone])
    found = week_of(told, city)
    monday = found.slots.index((0, "matin"))
    assert found.present[:, monday].tolist() == [4, 4, 0, 4]
    assert found.mute == (("D", 35),)
    held = allocate.allocate(found, knobs(equity_band=0.99), SEED, "2024-12-31")
    assert "Le Port (35\u00a0jours)" in words.trust(tables.summary(held), city, {"D": "Le Port"})


def test_crews_add_up_and_a_zone_off_the_list_has_nobody(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    """Two crews of nine hours are eighteen; one Monday in eight is no usual Monday."""
    told.execute("INSERT INTO vacation SELECT * FROM vacation WHERE zone = 'A'")
    told.execute("DELETE FROM vacation WHERE zone = 'B' AND jour <> ? AND isodow(jour) = 1",
                 [FIRST])  # fmt: skip
    found = week_of(told, city)
    monday = found.slots.index((0, "matin"))
    assert found.present[:, monday].tolist() == [9, 0, 4, 4]


def test_a_theme_never_heard_is_named(told: duckdb.DuckDBPyConnection, city: City) -> None:
    for week in range(WEEKS):
        monday = FIRST + dt.timedelta(days=7 * week)
        told.execute("INSERT INTO weeks VALUES ('faits', ?, 'missing', 7)", [monday])
    assert usual_week.read(told, city, city, knobs()) == NO_DEMAND


def test_demand_follows_the_forecast_of_the_week(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    told.execute(
        "INSERT INTO forecasts VALUES "
        "('bruit', 'week', 'carres', 'A', 'day', 'demand', 'ok', 6, 4), "
        "('bruit', 'week', 'carres', 'B', 'day', 'demand', 'abstained', NULL, NULL), "
        "('bruit', 'month', 'carres', 'B', 'day', 'demand', 'ok', 9, 1), "
        "('bruit', 'week', 'carres', 'B', 'day', 'activity', 'ok', 9, 1)"
    )
    found = week_of(told, city)
    assert found.asked.sum(axis=1).tolist() == pytest.approx([6, 1, 0, 0])
    assert found.forecast == (1, 8)


def test_the_plan_has_the_hours_of_each_slot_and_goes_where_it_is_asked_for(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    week = week_of(told, city)
    found = allocate.allocate(week, knobs(), SEED, "2024-12-31")
    assert found.chosen is not None
    planned = found.chosen.presence.sum(axis=0)
    assert (planned.sum(axis=0) <= week.present.sum(axis=0)).all()
    assert (planned.sum(axis=1) >= 14).all()  # half of its 28 hours, everywhere
    monday = week.slots.index((0, "matin"))
    assert planned[0, monday] > week.present[0, monday]
    (low, low_plan), (now, then), (high, high_plan) = found.met
    assert then > now
    assert low_plan > low
    assert high_plan > high
    table = tables.plan_table(found)
    assert table.num_rows == len(ZONES) * len(week.slots)
    assert sum(row["today_h"] for row in table.to_pylist()) == week.present.sum()


def test_it_reads_as_an_answer_in_french(told: duckdb.DuckDBPyConnection, city: City) -> None:
    found = allocate.allocate(week_of(told, city), knobs(), SEED, "2024-12-31")
    said = words.answer(tables.summary(found), {})
    assert said.startswith("**Avec les mêmes 112\u00a0heures d'équipe par semaine")
    assert "Aucune minute n'est ajoutée" in said
    assert "0 des 8\u00a0couples" in words.trust(tables.summary(found), city, {})
    for drawn in (figures.moved(tables.plan_table(found), city, {}),
                  figures.prices(tables.price_table(found))):  # fmt: skip
        assert drawn.chart.to_dict()


def test_nothing_to_move_is_said(told: duckdb.DuckDBPyConnection, city: City) -> None:
    found = allocate.allocate(week_of(told, city), knobs(change_cost=5), SEED, "2024-12-31")
    assert words.answer(tables.summary(found), {}).startswith(
        "**Aucune des 112\u00a0heures d'équipe par semaine n'est à changer de zone**"
    )


def test_a_plan_that_meets_less_than_today_says_why(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    """Today all hours are in B, which asks for most; shares held to within 5 % send some to A."""
    week = replace(week_of(told, city), present=np.zeros((4, 28), dtype=np.int64))
    week.present[0, 0], week.present[1, 0] = 1, 9
    asked = np.zeros((4, 28))
    asked[1, 0], asked[0, 1] = 5, 5
    found = allocate.allocate(replace(week, asked=asked),
                              knobs(equity_band=0.3, most_ratio=5), SEED, "w")  # fmt: skip
    assert found.met[1][1] < found.met[1][0]
    said = words.answer(tables.summary(found), {})
    assert "mais ne respecte pas toutes les règles." in said


def test_rules_that_cannot_hold_are_named(told: duckdb.DuckDBPyConnection, city: City) -> None:
    """Demand of two zones only, shares held to within a tenth, half of its hours to each zone."""
    found = allocate.allocate(week_of(told, city), knobs(equity_band=0.1), SEED, "2024-12-31")
    assert found.reason == allocate.CONFLICT
    said = words.answer(tables.summary(found), {"A": "Le Port"})
    assert said.startswith("Aucun plan ne respecte à la fois")
    assert tables.plan_table(found).to_pylist()[0]["status"] == "abstained"


def test_hours_in_a_conflict_are_called_by_their_day_and_slot(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    week = week_of(told, city)
    crews = usual_week.problem(week, knobs(), 0.1).means.crews
    names = words.shifts(city)
    assert {crew.code for crew in crews} <= names.keys()
    assert names["1_apres_midi"] == "mardi, après-midi"


def test_a_city_without_hours_abstains_with_a_sentence(
    told: duckdb.DuckDBPyConnection, city: City
) -> None:
    city.about = city.about.model_copy(update={"patrols": None})
    week = usual_week.read(told, city, city, knobs())
    assert week == NO_HOURS
    found = allocate.allocate(week, knobs(), SEED, "2024-12-31")
    assert words.answer(tables.summary(found), {}) == (
        "Cette ville ne dit pas ses heures de patrouille : aucun plan n'est proposé."
    )
    assert tables.plan_table(found).to_pylist()[0]["reason"] == NO_HOURS
    assert words.trust(tables.summary(found), city, {}) == ""
    assert figures.moved(tables.plan_table(found), city, {}).chart.to_dict()


def test_shares_answered_are_told_from_low_to_high() -> None:
    with pytest.raises(ValueError, match="answered_share"):
        knobs(answered_share=(0.3, 0.1, 0.2))
    assert np.isclose(knobs().answered_share[1], 0.1)
