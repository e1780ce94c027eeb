"""What the sources tell of events and orders, the simulated city's own files as the case."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.event_rules import FILE, EventRules, read_rules, sources
from helpers.events import checklist, clashes
from helpers.events.known import CALENDAR, Event, Order, calendar, read_events, read_orders
from tests.fixtures.simulated import Made, small_pack

SPAN = dt.date(2021, 1, 1), dt.date(2026, 2, 11)
NOW = dt.datetime(2026, 1, 1)


@dataclass(frozen=True)
class Told:
    rules: EventRules
    orders: list[Order]
    events: list[Event]


@pytest.fixture(scope="module")
def told(made: Made) -> Told:
    rules = read_rules(made.city)
    assert rules is not None
    made.con.execute("CREATE TABLE IF NOT EXISTS zones "
                     "(division VARCHAR, code VARCHAR, name VARCHAR, geometry BLOB)")  # fmt: skip
    accepted = made.out / "accepted"
    orders = read_orders(made.con, made.city, rules, accepted / "arrete.parquet", *SPAN)
    path = accepted / "evenement.parquet"
    return Told(rules, orders, read_events(made.con, made.city, rules, path, orders, *SPAN))


def test_the_sources_are_those_of_the_pack(made: Made, told: Told) -> None:
    assert sources(made.city, told.rules) == [
        "arrete", "evenement", "evenement_partenaire", "moyen", "registre", "vacation"
    ]  # fmt: skip
    assert sources(made.city, None) == []


def test_all_but_the_cancelled_are_known_past_and_to_come(made: Made, told: Told) -> None:
    kept = made.number("SELECT count(*) FROM sorted_evenement WHERE statut <> 'annule'")
    assert len(told.events) == kept
    coming = [one for one in told.events if one.start >= NOW]
    assert len(coming) >= 40
    assert all(one.seen is None for one in coming), "a crowd to come has not been seen"
    assert all(one.setup <= one.start < one.end <= one.teardown for one in told.events)


def test_each_event_has_its_own_orders(made: Made, told: Told) -> None:
    held = made.number(
        "SELECT count(*) FROM sorted_arrete JOIN sorted_evenement USING (id_evt) "
        "WHERE statut <> 'annule'"
    )
    assert sum(len(one.orders) for one in told.events) == held
    coming = [one for one in told.events if one.start >= NOW]
    table = calendar(coming, NOW.date())
    assert table.schema == CALENDAR
    signed = {row["event"]: row["orders_signed"] for row in table.to_pylist()}
    for one in coming:
        assert signed[one.id] == sum(o.signed is not None and o.signed <= NOW.date()
                                     for o in one.orders)  # fmt: skip
    assert 0 in signed.values()


def test_a_measure_that_the_simulation_left_out_is_found_missing(made: Made, told: Told) -> None:
    lacking = made.con.execute(
        f"SELECT hashed(id) FROM '{made.truth}/evenement_lines.parquet' WHERE measure_missing"
    ).fetchall()
    planted = {name for (name,) in lacking}
    coming = [one for one in told.events if one.start >= NOW and one.id in planted]
    assert coming
    rows = checklist.checklist(coming, told.rules, NOW).to_pylist()
    states = {row["event"]: row["state"] for row in rows if row["measure"] == "barrières"}
    # What no class asks for is on no list: a market of which no barrier is wanted, say.
    assert states
    assert set(states.values()) == {"to_do"}


def test_all_that_the_simulated_city_planted_is_found(made: Made, told: Told) -> None:
    """Its truth says which event stands in the way of which; plain doubles are found besides."""
    held = {one.id for one in told.events}
    pairs = made.con.execute(
        "SELECT hashed(id), hashed(in_the_way_of) FROM "
        f"'{made.truth}/evenement_lines.parquet' WHERE in_the_way_of IS NOT NULL"
    ).fetchall()
    planted = {frozenset(pair) for pair in pairs if set(pair) <= held}
    touched = {name for pair in planted for name in pair}
    shown = [one for one in told.events if one.id in touched or one.start >= NOW]
    found = clashes.find(shown, [], told.rules, made.city.about.crs)
    met = {frozenset((one.event.id, one.other.id)) for one in found if one.other}
    assert len(planted) >= 20
    assert planted <= met
    ahead = {one.id for one in shown if one.start >= NOW}
    assert any(pair & ahead for pair in planted)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("themes: [rixes,", "themes: [inconnu,", "inconnu"),
        ("signed: signe_le", "signed: signature", "signature"),
        ("order: stationnement", "order: defense", "defense"),
        ("  tournage:", "  carnaval:", "carnaval"),
        ("setup: montage_debut", "setup: montage", "montage"),
    ],
)
def test_a_rule_that_names_nothing_known_is_refused(
    tmp_path_factory: pytest.TempPathFactory, old: str, new: str, said: str
) -> None:
    pack = small_pack(tmp_path_factory.mktemp("rules"), 0.01)
    text = (pack / "events.yaml").read_text(encoding="utf-8")
    assert old in text
    (pack / "events.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(PhareError, match=said):
        read_rules(City(pack))


def test_fields_that_the_source_has_not_are_left_unsaid(
    made: Made, told: Told, tmp_path: Path
) -> None:
    """A source may have none of the seven: the place is taken start to end, the rest unknown."""
    pack = small_pack(tmp_path, 0.01)
    file = pack / FILE
    whole = yaml.safe_load(file.read_text(encoding="utf-8"))
    del whole["fields"]
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")
    rules = read_rules(City(pack))
    assert rules is not None
    path = made.out / "accepted/evenement.parquet"
    found = read_events(made.con, made.city, rules, path, told.orders, *SPAN)
    assert len(found) == len(told.events)
    assert all((one.setup, one.teardown) == (one.start, one.end) for one in found)
    unknown = {(o.least, o.most, o.seen, o.capacity, o.outcome) for o in found}
    assert unknown == {(None,) * 5}


def test_every_column_that_does_not_exist_is_named_at_once(tmp_path: Path) -> None:
    pack = small_pack(tmp_path, 0.01)
    file = pack / FILE
    whole = yaml.safe_load(file.read_text(encoding="utf-8"))
    whole |= {"fields": {"seen": "vu", "capacity": "places"}, "signed": "paraphe"}
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")
    with pytest.raises(PhareError) as error:
        read_rules(City(pack))
    wrong = {"fields.seen": "vu", "fields.capacity": "places", "signed": "paraphe"}
    for key, column in wrong.items():
        assert f"{key} nomme « {column} », qui n'existe pas" in str(error.value)
