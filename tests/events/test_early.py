"""What partners entered: known beside the city's own events, once, and how early it came."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from helpers.collect import collect, gate
from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.event_rules import EventRules, read_rules
from helpers.events import early, early_words
from helpers.events.known import read_events
from helpers.events.words import Names
from helpers.ingest.sort_rows import sort_rows
from tests.fixtures.real import COLLECT
from tests.fixtures.simulated import PACK, small_pack

SPAN = dt.date(2021, 1, 1), dt.date(2026, 2, 11)
ENTRY = {
    "partenaire": "club", "categorie": "sportif", "statut": "demande", "quartier": "1320808",
    "debut": "2026-01-10T21:00", "fin": "2026-01-10T23:00",
}  # fmt: skip
OWN = {"categorie": "sportif", "statut": "demande", "debut": "2026-01-20T21:00:00+01:00",
       "fin": "2026-01-20T23:00:00+01:00"}  # fmt: skip


def entry(number: int, entered: str, **changes: Any) -> dict[str, Any]:
    return {"id_evt": f"PAR-{number:012x}", "saisi_le": entered, "revise_le": entered,
            **ENTRY, **changes}  # fmt: skip


class Told:
    """A few events of the city's and of partners', taken in at the door and sorted."""

    def __init__(self, folder: Path, own: list[dict[str, Any]], entries: list[Any]) -> None:
        self.city, self.folder = City(PACK), folder
        rules = read_rules(self.city)
        assert rules is not None
        self.rules: EventRules = rules
        self.con = store.connect()
        self.con.execute("CREATE TABLE zones (division VARCHAR, code VARCHAR, name VARCHAR, "
                         "geometry BLOB)")  # fmt: skip
        for source, key, rows in (
            ("evenement", "evenements", own), ("evenement_partenaire", "saisies", entries)
        ):  # fmt: skip
            path = folder / f"{source}.json"
            path.write_text(json.dumps({key: rows}), encoding="utf-8")
            door = gate.Gate(self.city.key(folder), COLLECT.place_step_m)
            contract = self.city.contracts[source]
            gate.take_in(door, contract, [path] if rows else [], folder / "raw")
            sort_rows(self.con, contract, folder / f"raw/{source}.parquet", folder, "Europe/Paris")
        self.paths = [folder / f"accepted/{one}.parquet"
                      for one in ("evenement", "evenement_partenaire")]  # fmt: skip

    def hashed(self, text: str) -> str:
        return self.city.key(self.folder).hash(text)

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = early.table(
            self.con, self.city, self.rules, *self.paths
        ).to_pylist()
        return found


def test_an_entry_is_an_event_once_and_until_the_city_takes_it_over(tmp_path: Path) -> None:
    own = [
        {"id_evt": "EVT-2026-0001", **OWN},
        {"id_evt": "EVT-2026-0002", "saisie": "PAR-000000000002", **OWN},
    ]
    given = [
        entry(1, "2025-12-20T20:00:00Z", longitude=5.3959, latitude=43.2698),
        entry(2, "2025-12-21T20:00:00Z", debut="2026-01-20T21:00", fin="2026-01-20T23:00"),
        entry(3, "2025-12-22T20:00:00Z", statut="annule"),
    ]
    told = Told(tmp_path, own, given)
    events = read_events(told.con, told.city, told.rules, told.paths[0], [], *SPAN, told.paths[1])
    assert {one.id for one in events} == {
        told.hashed(name) for name in ("EVT-2026-0001", "EVT-2026-0002", "PAR-000000000001")
    }
    (mine,) = [one for one in events if one.id == told.hashed("PAR-000000000001")]
    assert (mine.zone, mine.allowed, mine.expected) == ("1320808", False, None)
    assert (mine.start, mine.setup) == (dt.datetime(2026, 1, 10, 21), mine.start)
    assert set(mine.measures.values()) == {None}, "a partner takes no measure of the city's"


def test_how_early_it_came_by_hand(tmp_path: Path) -> None:
    """21 h in January is 20 h UTC: to the hour, whole days; a match's first measure is due 168 h
    before."""
    own = [{"id_evt": "EVT-2026-0002", "saisie": "PAR-000000000002", **OWN}]
    given = [
        entry(1, "2025-12-20T20:00:00Z"),  # 21 days
        entry(2, "2026-01-13T20:00:00Z", debut="2026-01-20T21:00", fin="2026-01-20T23:00"),
        entry(3, "2026-01-10T10:00:00Z", partenaire="police"),  # the same day, too late
        entry(4, "2026-01-10T21:00:00Z", partenaire="police", categorie="erp"),  # after
    ]
    told = Told(tmp_path, own, given)
    rows = {row["event"]: row for row in told.rows()}
    found = {n: rows[told.hashed(f"PAR-{n:012x}")] for n in (1, 2, 3, 4)}
    assert [found[n]["lead_h"] for n in found] == [504, 168, 10, -1]
    assert [found[n]["in_time"] for n in found] == [True, True, False, None]
    assert [found[n]["due_h"] for n in found] == [168, 168, 168, None]
    assert found[2]["taken_over"] == told.hashed("EVT-2026-0002")
    names = Names(told.city, {})
    table = {"early": early.table(told.con, told.city, told.rules, *told.paths)}
    said = early_words.report(table, names).replace("\u00a0", " ")
    assert "- Club : 2 saisies, la moitié au moins 14 jours avant, la plus tardive 7 jours" in said
    assert "trop tard pour la première mesure à prendre : 0 sur 2" in said
    assert "- Police nationale : 2 saisies" in said
    assert "la plus tardive après le début" in said
    assert "première mesure à prendre : 1 sur 1" in said
    assert "sous un numéro à elle : 3." in said
    own_event = told.hashed("EVT-2026-0002")
    assert early_words.of_event(told.rows(), own_event, names).replace("\u00a0", " ") == (
        "Saisie d'un partenaire (Club), 7 jours avant."
    )
    assert early_words.of_event(told.rows(), "other", names) == ""


def test_none_yet_is_no_fault_and_nothing_is_known(tmp_path: Path) -> None:
    told = Told(tmp_path, [{"id_evt": "EVT-2026-0001", **OWN}], [])
    assert told.rows() == []
    events = read_events(told.con, told.city, told.rules, told.paths[0], [], *SPAN, told.paths[1])
    assert len(events) == 1


def test_an_optional_source_may_have_no_file_and_no_other_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(collect.FROM, str(tmp_path))
    city = City(small_pack(tmp_path / "packs", 0.002))  # its own events are made
    with collect.deliveries(city, tmp_path, "evenement_partenaire") as found:
        assert found == {"evenement_partenaire": []}
    city.about.sources["evenement_partenaire"].__dict__["optional"] = False
    with (
        pytest.raises(PhareError, match="fichier absent"),
        collect.deliveries(city, tmp_path, "evenement_partenaire"),
    ):
        raise AssertionError("a source that is not optional came in without a file")
