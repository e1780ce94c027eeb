"""The whole of the little simulated city: every table, figure, sentence and page is made."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from string import Template
from typing import Any

import pyarrow as pa
import pytest

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.event_rules import read_rules
from helpers.core.place_time.places import zone_names
from helpers.core.stage import figure
from helpers.core.stage.run import Run
from helpers.events import (
    briefing,
    dates_words,
    figures,
    page_words,
    plan,
    retex_words,
    score_words,
    sudden,
    sudden_words,
    words,
)
from helpers.ingest import ingest
from tests.events.conftest import knobs
from tests.fixtures.made_up import write_pack
from tests.fixtures.real import INGEST, ROOT
from tests.fixtures.sentences import RULES, faults
from tests.fixtures.simulated import LOG, Made

CONTEXT = ("evenement", "evenement_partenaire", "registre", "arrete", "moyen", "vacation")


class Stub(Run):
    """A run of the little city, without a notebook."""

    def __init__(self, city: City, data: Path) -> None:
        self.city, self.data, self.con, self.knobs = city, data, store.connect(), knobs()

    def read(self, name: str) -> Path:
        return self.data / name

    def view(self, *names: str) -> Any:
        for name in names:
            store.view(self.con, Path(name).stem, self.read(name))
        return self.con


@pytest.fixture(scope="module")
def run(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Stub:
    """The log's facts and what events rest on, through the door and counted; nothing silent."""
    out = tmp_path_factory.mktemp("events")
    city: City = copy.copy(made.city)
    kept = {"quartiers", LOG, *CONTEXT}
    city.__dict__["contracts"] = {n: c for n, c in made.city.contracts.items() if n in kept}
    city.__dict__["themes"] = {n: t for n, t in made.city.themes.items() if t.sources == (LOG,)}
    ingest.ingest(city, made.raw, out, INGEST)
    stub = Stub(city, out)
    stub.view("cube.parquet", "zones.parquet")
    stub.con.execute("CREATE TABLE days (source VARCHAR, day DATE, status VARCHAR)")
    stub.con.execute("CREATE TABLE weeks (source VARCHAR, week DATE, status VARCHAR)")
    return stub


@pytest.fixture(scope="module")
def tables(run: Stub) -> plan.Tables:
    return plan.tables(run, run.city, plan.read(run))


def test_every_table_keeps_to_its_schema_and_names_events_to_come(tables: plan.Tables) -> None:
    assert set(tables) == set(plan.SCHEMAS)
    known = set(tables["calendar"].column("event").to_pylist())
    assert len(known) >= 40
    for name, table in tables.items():
        assert table.schema == plan.SCHEMAS[name], name
        if "event" in table.column_names and name not in ("retex", "early"):
            assert set(table.column("event").to_pylist()) <= known, name
    for name in ("sizing", "foreseen"):
        assert tables[name].num_rows == len(known)


def test_a_little_city_abstains_where_facts_are_few_and_still_sizes_crowds(
    tables: plan.Tables,
) -> None:
    stadium = [r for r in tables["ratios"].to_pylist() if r["kind"] == "sportif"]
    assert {r["reason"] for r in stadium} == {"too_few_facts"}
    kinds = dict(zip(*(tables["calendar"].column(c).to_pylist() for c in ("event", "kind")),
                     strict=True))  # fmt: skip
    matches = [r for r in tables["sizing"].to_pylist() if kinds[r["event"]] == "sportif"]
    assert matches
    assert all(r["status"] == "ok" and r["led_by"] == "crowd" for r in matches)
    works = [r for r in tables["sizing"].to_pylist() if kinds[r["event"]] == "chantier"]
    assert {r["reason"] for r in works} == {"no_rule"}


def test_the_same_twice(run: Stub, tables: plan.Tables) -> None:
    again = plan.tables(run, run.city, plan.read(run))
    assert all(again[name].equals(table) for name, table in tables.items())


def test_every_sentence_and_page_stands(run: Stub, tables: plan.Tables) -> None:
    names = words.Names(run.city, zone_names(run.con, run.city, every=True))
    told = [words.answer(tables, names, 42)]
    told += [part(tables, names) for part in (words.calendar, words.clashes, words.measures,
             words.needs, words.thin, score_words.scores)]  # fmt: skip
    told.append(words.effects(tables, names, 0.95))
    told.append(retex_words.past(tables["retex"].to_pylist(), names))
    told.append(dates_words.coming(run.city, 42))
    rules, at = read_rules(run.city), run.city.about.period.end + dt.timedelta(days=1)
    assert rules is not None
    for rule in rules.sudden.values():
        noon = dt.datetime.combine(at, dt.time(12))
        found = sudden.respond(tables, rules, run.city.about.slots, 0.95, {}, rule, noon, "13201")
        told.append(sudden_words.response(found, rule, noon, "13201", names))
    template = Template((ROOT / briefing.TEMPLATE).read_text(encoding="utf-8"))
    for event in briefing.chosen(tables, 5):
        told += page_words.page(tables, names, event, 120).values()
        assert "<script" not in briefing.filled(template, tables, names, event, 120)
    assert [one for text in told for one in faults(text, RULES)] == []


def test_every_figure_is_drawn(run: Stub, tables: plan.Tables) -> None:
    names = words.Names(run.city, {})
    for drawn in (figures.effects(tables, names), figures.officers(tables, names)):
        assert figure.complete(drawn.chart)["mark" if "mark" in drawn.chart.to_dict() else "layer"]


def test_a_city_without_rules_knows_of_no_event(tmp_path: Path) -> None:
    bare = Stub(write_pack(tmp_path), tmp_path)
    known = plan.read(bare)
    assert known.rules is None
    found = plan.tables(bare, bare.city, known)
    assert all(isinstance(table, pa.Table) and table.num_rows == 0 for table in found.values())
    told = words.answer(found, words.Names(bare.city, {}), 42)
    assert told.startswith("**Aucun événement étudié**")
