"""Actions in a made-up town whose truth is drawn: verdicts, abstentions, what is exploratory."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.core.base.errors import PhareError
from helpers.core.city.action_rules import ActionFields, ActionRules, read_rules
from helpers.core.city.city import City
from helpers.core.stage.action_words import least
from helpers.core.stage.run import Run
from helpers.impact import effects, figures, known, words
from helpers.impact.knobs import Knobs
from helpers.impact.known import Action
from helpers.register import beforehand, received
from tests.fixtures import decisions
from tests.fixtures.made_up import CITY, write_pack
from tests.fixtures.real import ROOT
from tests.fixtures.tables import nothing_late

KNOBS = Knobs(
    zone_m=300, ring_m=200, before_weeks=30, gap_weeks=4, after_weeks=20, origins=["citizen"],
    confidence=0.95, power=0.8, sought=0.2, minimum_count=30,
    heard_share=0.75, minimum_areas=6, placebo_places=60, draws=199,
    shock_before_weeks=26, shock_after_weeks=8, wave_weeks=26,
    minimum_answers=30, placebo_excess=0.01,
)  # fmt: skip
FIELDS = ActionFields(id="id", kind="type", indicator="vise", start="debut", longitude="lon",
                      latitude="lat", registered="inscrit")  # fmt: skip
RULES = ActionRules(source="actions", fields=FIELDS, titles={"ronde": "Ronde"})
PERIOD = {"start": "2023-01-02", "end": "2024-12-29"}  # 104 whole weeks
FIRST = dt.date.fromisoformat(PERIOD["start"])
CONTROLS, APART = 30, 2000
PROPOSED = decisions.START - dt.timedelta(days=30)


@pytest.fixture
def city(tmp_path: Path) -> City:
    return write_pack(tmp_path, CITY | {"period": PERIOD})


def actions(count: int, kind: str = "ronde") -> list[Action]:
    """Actions in a row, one every second week from the 40th on, all registered before."""
    starts = [FIRST + dt.timedelta(weeks=40 + 2 * i) for i in range(count)]
    return [
        Action(f"A{i}", kind, "tapage", "bruit", day, day - dt.timedelta(days=9), APART * i, 0.0)
        for i, day in enumerate(starts)
    ]


def fill(
    con: duckdb.DuckDBPyConnection, those: list[Action], level: float, kept: float,
    came: float = 0.0, origin: str = "citizen",
) -> None:  # fmt: skip
    """Make the cube: `level` facts a week in each zone, ring and control; an action leaves `kept`
    of the zone's, and of what it takes away a part `came` comes to the ring."""
    rng = np.random.default_rng(9)
    weeks = np.arange(104)
    rows = []
    for i, one in enumerate(those):
        begun = weeks >= (one.start - FIRST).days // 7
        zone = rng.poisson(level * np.where(begun, kept, 1.0))
        ring = rng.poisson(level * np.where(begun, 1 + came * (1 - kept), 1.0))
        rows += [(int(one.x), 0, f"Q{i}", zone), (int(one.x) + 400, 0, f"Q{i}", ring)]
    rows += [(-9000 - 2000 * j, 9000, f"Q{j}", rng.poisson(level, 104)) for j in range(CONTROLS)]
    columns: dict[str, list[object]] = {"cell": [], "zone_carres": [], "hour": [], "n": []}
    for east, north, quarter, counted in rows:
        for week, n in zip(weeks.tolist(), counted.tolist(), strict=True):
            columns["cell"].append(f"CRS3035RES200mN{north - 100}E{east - 100}")
            columns["zone_carres"].append(quarter)
            columns["hour"].append(
                dt.datetime.combine(FIRST, dt.time(9)) + dt.timedelta(weeks=week)
            )
            columns["n"].append(n)
    con.register("drawn", pa.table(columns))
    con.execute(
        "CREATE OR REPLACE TABLE cube AS SELECT 'bruit' AS theme, 'faits' AS source, "
        f"'tapage' AS category, 'minute' AS time_precision, '{origin}' AS origin, * FROM drawn"
    )
    con.execute("CREATE OR REPLACE TABLE weeks (source VARCHAR, week DATE, status VARCHAR, "
                "missing_days BIGINT)")  # fmt: skip
    nothing_late(con)


def hush(con: duckdb.DuckDBPyConnection, quarters: list[str], weeks: range) -> None:
    """Let the source be silent in quarters: no fact is known there, and the weeks say so."""
    for monday in (FIRST + dt.timedelta(weeks=week) for week in weeks):
        for zone in quarters:
            con.execute("UPDATE cube SET n = 0 WHERE zone_carres = ? AND CAST(hour AS DATE) = ?",
                        [zone, monday])  # fmt: skip
            con.execute("INSERT INTO grades_weekly VALUES ('faits', 'carres', ?, ?, 7)",
                        [zone, monday])  # fmt: skip


def scopes(found: pa.Table) -> dict[str, dict[str, object]]:
    return {row["key"] or row["scope"]: row for row in found.to_pylist()}


def test_an_effect_is_told_with_what_moved_and_no_placebo(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    those = actions(12)
    fill(memory, those, 40.0, 0.6, came=0.5)
    found = effects.measure(memory, city, those, KNOBS)
    told = scopes(found)
    whole = found.to_pylist()[-2]
    assert whole["verdict"] == effects.EFFECT
    assert whole["ratio"] == pytest.approx(0.6, abs=0.04)
    assert whole["low"] < 0.6 < whole["high"]
    assert whole["moved"] == pytest.approx(0.5, abs=0.15)
    assert {told[one.id]["verdict"] for one in those} == {effects.EFFECT}
    text = words.answer(found, RULES, KNOBS)
    assert ("**Toutes les actions ensemble** (12\u00a0actions, sur 12 que dit leur source) : "
            "**effet**") in text  # fmt: skip
    assert "des faits évités se retrouvent dans la couronne" in text
    assert figures.ratios(found, RULES).chart.to_dict()["layer"]


def test_beginnings_put_back_show_nothing(city: City, memory: duckdb.DuckDBPyConnection) -> None:
    those = [replace(one, start=one.start + dt.timedelta(weeks=22)) for one in actions(10)]
    fill(memory, those, 40.0, 0.6)
    placebo = effects.measure(memory, city, those, KNOBS).to_pylist()[-1]
    assert (placebo["scope"], placebo["verdict"]) == (effects.PLACEBO, effects.NONE_SHOWN)
    assert placebo["low"] < 1 < placebo["high"]
    assert placebo["moved"] is None


def test_a_fall_before_the_beginnings_leaves_nothing_to_say_of_all(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    fell = actions(10)
    fill(memory, fell, 40.0, 0.6)
    late = [replace(one, start=one.start + dt.timedelta(weeks=24)) for one in fell]
    found = effects.measure(memory, city, late, KNOBS)
    whole, placebo = found.to_pylist()[-2:]
    assert placebo["high"] < 1
    assert (whole["verdict"], whole["reason"]) == (effects.UNCLEAR, effects.UNLIKE)
    assert whole["moved"] is None
    assert "avant même les vrais débuts" in words.answer(found, RULES, KNOBS)


def test_no_effect_is_said_only_where_one_would_have_been_seen(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    those = actions(12)
    fill(memory, those, 40.0, 1.0)
    many = effects.measure(memory, city, those, KNOBS).to_pylist()[-2]
    assert many["verdict"] == effects.NONE_SHOWN
    assert many["detectable"] <= KNOBS.sought
    fill(memory, those, 2.0, 1.0)
    few = effects.measure(memory, city, those, KNOBS)
    alone = few.to_pylist()[0]
    assert (alone["verdict"], alone["reason"]) == (effects.UNCLEAR, "")
    assert alone["detectable"] > KNOBS.sought
    assert "**non concluant**" in words.one_by_one(few, RULES, KNOBS)
    said = words.one_by_one(few, RULES, KNOBS)
    needed = least(alone["detectable"])
    assert "Une baisse n'était assez sûre d'être vue (dans 80\u202f% des cas) qu'à partir" in said
    assert f"qu'à partir de {needed}." in said


def test_what_was_not_registered_before_is_exploratory(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    those = actions(8)
    those[0] = replace(those[0], registered=None)
    those[1] = replace(those[1], registered=those[1].start)
    fill(memory, those, 40.0, 0.6)
    found = effects.measure(memory, city, those, KNOBS)
    told = scopes(found)
    assert [told[f"A{i}"]["exploratory"] for i in range(3)] == [True, True, False]
    assert all(row["exploratory"] for row in found.to_pylist() if row["scope"] != effects.ACTION)
    lines = words.one_by_one(found, RULES, KNOBS).splitlines()
    assert [line.rpartition("*Exploratoire* : ")[2] for line in lines[2:4]] == [
        "rien n'a été inscrit.", "inscrite après son début.",
    ]  # fmt: skip
    assert "xploratoire" not in lines[4]
    assert lines[0].startswith("8\u00a0actions que dit leur source")


def test_the_register_has_the_last_word_on_what_was_written_before(
    city: City, memory: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source says all were registered in time; the register knows of some, and of one late.

    What is held to is a whole theme: judged on one category of two, an action is exploratory.
    """
    held = decisions.register()
    held.themes = (*held.themes, "depots")
    first, late, unknown, part = (
        replace(one, id=f"ACT-00{i + 1}", indicator="tapage" if i == 3 else "depot",
                start=decisions.START, registered=PROPOSED)
        for i, one in enumerate(actions(4))
    )  # fmt: skip
    depots = {"criterion": {"theme": "depots", "fall": 0.2}}
    for i, about in ((1, depots), (2, depots), (4, {})):
        decisions.problem(held, f"PB-00{i}", PROPOSED, **about)
        day = decisions.START if i == 2 else PROPOSED
        decisions.action(held, f"ACT-00{i}", day, f"PB-00{i}", **about)
    monkeypatch.setattr(known, "read_actions", lambda *_: [first, late, unknown, part])
    run = SimpleNamespace(con=memory, city=city, read=Path)
    reasons = ["", beforehand.REGISTERED_LATE, beforehand.NOT_REGISTERED, beforehand.PART_OF_FACTS]
    for entries, why in ((held.entries, reasons), (None, [""] * 4)):
        monkeypatch.setattr(received, "of_run", lambda _, told=entries: told)
        found = known.of_city(cast(Run, run), city, RULES)
        assert [one.why for one in found] == why


def test_each_abstention_has_its_reason(city: City, memory: duckdb.DuckDBPyConnection) -> None:
    those = actions(6)
    fill(memory, those, 40.0, 0.6)
    those[0] = replace(those[0], start=FIRST + dt.timedelta(weeks=20))
    those[1] = replace(those[1], x=float("nan"), y=float("nan"))
    those[2] = replace(those[2], x=those[3].x - 900)
    those[4] = replace(those[4], theme=None)
    those[5] = replace(those[5], y=900.0)  # nothing is counted there
    found = effects.measure(memory, city, those, KNOBS)
    told = scopes(found)
    assert [told[f"A{i}"]["reason"] for i in range(6)] == [
        effects.TOO_SHORT, effects.NO_PLACE, effects.TOO_NEAR, effects.TOO_NEAR,
        effects.NOT_COUNTED, effects.TOO_FEW,
    ]  # fmt: skip
    assert {row["verdict"] for row in told.values()} == {effects.UNCLEAR}
    assert told["all"]["reason"] == effects.FEW_AREAS
    text = words.answer(found, RULES, KNOBS) + words.one_by_one(found, RULES, KNOBS)
    assert "1\u00a0zone à comparer, il en faut 6" in text
    assert "aucun thème en service ne compte les faits visés" in text


def test_what_agents_record_is_no_effect(city: City, memory: duckdb.DuckDBPyConnection) -> None:
    """A patrol that records less would seem to prevent."""
    those = actions(8)
    fill(memory, those, 40.0, 0.5, origin="agent")
    rows = effects.measure(memory, city, those, KNOBS).to_pylist()
    assert {row["verdict"] for row in rows} == {effects.UNCLEAR}


def test_a_source_silent_for_a_whole_span_is_no_fall(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    those = actions(6)
    fill(memory, those, 40.0, 0.5)
    memory.execute("DELETE FROM cube WHERE hour >= TIMESTAMP '2023-10-01'")
    rows = effects.measure(memory, city, those, KNOBS).to_pylist()
    assert {row["reason"] for row in rows if row["scope"] == effects.ACTION} == {effects.SILENT}


def test_a_source_silent_in_a_quarter_is_no_effect(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    """A district off the air after the action began had its facts counted as prevented."""
    those = actions(12)
    fill(memory, those, 40.0, 1.0)
    late = {one.id: (one.start - FIRST).days // 7 for one in those}
    for i, one in enumerate(those):
        hush(memory, [f"Q{i}"], range(late[one.id] + 2, late[one.id] + (7 if i else 14)))
    hush(memory, ["Q20", "Q21"], range(35, 60))
    told = scopes(effects.measure(memory, city, those, KNOBS))
    assert told["A0"]["reason"] == effects.SILENT  # 12 of its 20 weeks after
    heard = [told[one.id] for one in those[1:]]
    assert {row["verdict"] for row in heard} <= {effects.NONE_SHOWN, effects.UNCLEAR}
    assert all(0.85 < row["ratio"] < 1.15 and not row["reason"] for row in heard)
    assert told["all"]["areas"] == 11
    assert 0.95 < told["all"]["ratio"] < 1.05
    assert "la source s'est tue, là ou partout" in words.why(told["A0"], KNOBS)


def test_an_effect_is_found_through_a_silence(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    those = actions(12)
    fill(memory, those, 40.0, 0.6)
    for i, one in enumerate(those):
        late = (one.start - FIRST).days // 7
        hush(memory, [f"Q{i}"], range(late - 20, late - 16))
    whole = effects.measure(memory, city, those, KNOBS).to_pylist()[-2]
    assert whole["ratio"] == pytest.approx(0.6, abs=0.04)
    assert whole["verdict"] == effects.EFFECT


def test_actions_are_read_from_the_fields_that_the_pack_names(
    city: City, memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    day = dt.date(2024, 2, 1)
    rows = [
        {"id": "A1", "type": "ronde", "vise": "petard", "debut": day, "lon": 5.37, "lat": 43.3,
         "inscrit": None},
        {"id": "A2", "type": "ronde", "vise": "inconnu", "debut": day, "lon": None, "lat": None,
         "inscrit": day},
        {"id": "A3", "type": "ronde", "vise": None, "debut": day, "lon": 5.37, "lat": 43.3,
         "inscrit": None},
        {"id": "A4", "type": "ronde", "vise": "tapage", "debut": dt.date(2025, 2, 1), "lon": 5.37,
         "lat": 43.3, "inscrit": None},
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "actions.parquet")
    found = known.read_actions(memory, city, RULES, tmp_path / "actions.parquet")
    assert [(one.id, one.theme, np.isnan(one.x)) for one in found] == [
        ("A1", "bruit", False), ("A2", None, True),
    ]  # fmt: skip
    assert all(one.why for one in found)
    assert not any(one.twice for one in found)


def test_of_actions_that_share_a_number_nothing_is_said(
    city: City, memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """The contract of a city may have another key: neither row is taken for the other."""
    row = {"type": "ronde", "vise": "tapage", "debut": dt.date(2024, 2, 1), "lat": 43.3,
           "inscrit": None}  # fmt: skip
    rows = [{"id": name, "lon": lon, **row}
            for name, lon in (("A1", 5.37), ("A1", 5.45), ("A2", 5.5))]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "actions.parquet")
    found = known.read_actions(memory, city, RULES, tmp_path / "actions.parquet")
    assert [(one.id, one.twice) for one in found] == [("A1", True), ("A1", True), ("A2", False)]
    those = actions(4)
    fill(memory, those, 40.0, 0.6)
    those[1] = replace(those[1], id="A0", twice=True)
    those[0] = replace(those[0], twice=True)
    told = effects.measure(memory, city, those, KNOBS)
    assert [row["reason"] for row in told.to_pylist()[:4]] == [effects.TWICE, effects.TWICE, "", ""]
    assert "plusieurs lignes de la source portent ce numéro" in words.one_by_one(told, RULES, KNOBS)


def test_weeks_are_whole_and_the_first_one_is_that_of_the_beginning_or_after(city: City) -> None:
    day = FIRST + dt.timedelta(weeks=40)
    some = [replace(actions(1)[0], start=day + dt.timedelta(days=n)) for n in (0, 1, 6, 7)]
    assert known.start_weeks(city, some).tolist() == [40, 41, 41, 41]


def test_a_pack_without_the_file_knows_no_action_and_says_so(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    assert read_rules(city) is None
    fill(memory, [], 1.0, 1.0)
    found = effects.measure(memory, city, [], KNOBS)
    assert words.answer(found, None, KNOBS) == words.NO_RULES
    assert words.answer(found, RULES, KNOBS) == words.NO_ACTION
    assert figures.ratios(found, None).chart.to_dict()


def test_the_pack_of_marseille_names_its_fields_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    pack = ROOT / "data/cities/marseille"
    rules = read_rules(City(pack))
    assert rules is not None
    assert set(rules.titles) >= set(City(pack).contracts["action"].fields["type"].values or ())
    city = write_pack(tmp_path)
    (city.pack / "actions.yaml").write_text(
        (pack / "actions.yaml").read_text("utf-8").replace("source: action", "source: faits"),
        encoding="utf-8",
    )
    with pytest.raises(PhareError, match=r"actions\.yaml"):
        read_rules(City(city.pack))
