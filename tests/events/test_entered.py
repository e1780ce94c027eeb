"""What people entered is the last word until another entry replaces it, and is told as theirs."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from helpers.collect import gate
from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.contract import FieldRule
from helpers.events import checklist
from helpers.events.entered import with_entered
from helpers.ingest.sort_rows import sort_rows
from helpers.register import snapshot
from helpers.register.entries import Entry, draft
from helpers.workshop.register import connect
from tests.events.conftest import event, rules
from tests.fixtures.real import COLLECT, ROOT
from tests.fixtures.simulated import small_pack

NOW = dt.datetime(2024, 6, 10)
RULES = rules(classes={"concert": {"measures": (
    {"title": "barrières", "owner": "Régie", "due_h": 24, "field": "barrieres",
     "field_count": "barrieres_nb", "entered": "barrieres"},
    {"title": "fourrière", "owner": "Fourrière", "due_h": 24, "field": "fourriere",
     "entered": "fourriere"},
)}})  # fmt: skip


def entry(seq: int, measure: str, state: str, subject: str, supersedes: int | None = None) -> Entry:
    payload = {"kind": "measure_taken", "measure": measure, "state": state}
    content = {"role": "direction", "subject": subject, "supersedes": supersedes,
               "key": f"{seq:031x}a", "payload": payload}  # fmt: skip
    told = draft(json.dumps({k: v for k, v in content.items() if v is not None}))
    at = f"2024-06-01T10:00:{seq:02d}.000000Z"
    return Entry(seq, at, told, json.dumps(payload), "0" * 64, "0" * 64)


def states(folder: Path, *entries: Entry) -> dict[str, tuple[str, str]]:
    """Return measure → state and reason of the concert, the snapshot taken in at the door."""
    pack = small_pack(folder, 0.01)
    connect(ROOT, pack)
    city = City(pack)
    snapshot.write(entries, folder / "registre.csv")
    contract = city.contracts["registre"]
    door = gate.Gate(city.key(folder), COLLECT.place_step_m)
    gate.take_in(door, contract, [folder / "registre.csv"], folder / "raw")
    con = store.connect()
    sort_rows(con, contract, folder / "raw/registre.parquet", folder, "Europe/Paris")
    held = {"barrieres": "a_faire", "fourriere": "prise"}
    concert = event(id="a" * 20, entry="c" * 20, measures=held)
    (told,) = with_entered(con, RULES, folder / "accepted/registre.parquet", [concert])
    rows = checklist.checklist([told], RULES, NOW).to_pylist()
    return {row["measure"]: (row["state"], row["reason"]) for row in rows}


def test_what_is_entered_is_the_last_word(tmp_path: Path) -> None:
    found = states(tmp_path, entry(1, "barrieres", "prise", "a" * 20),
                   entry(2, "fourriere", "demandee", "b" * 20))  # fmt: skip
    assert found == {"barrières": ("taken", "register_says"), "fourrière": ("taken", "source_says")}


def test_what_was_entered_for_a_partner_s_entry_follows_it(tmp_path: Path) -> None:
    found = states(tmp_path, entry(1, "barrieres", "demandee", "c" * 20))
    assert found["barrières"] == ("asked", "register_says")
    (tmp_path / "again").mkdir()
    found = states(tmp_path / "again", entry(1, "barrieres", "prise", "a" * 20),
                   entry(2, "barrieres", "demandee", "c" * 20))  # fmt: skip
    assert found["barrières"] == ("taken", "register_says")


def test_an_entry_that_another_replaces_says_nothing_more(tmp_path: Path) -> None:
    found = states(tmp_path, entry(1, "fourriere", "a_faire", "a" * 20),
                   entry(2, "fourriere", "demandee", "a" * 20, supersedes=1))  # fmt: skip
    assert found["fourrière"] == ("asked", "register_says")


def test_only_what_looks_like_a_hash_is_kept_as_it_is() -> None:
    with pytest.raises(ValidationError, match="hashed"):
        FieldRule(type="id", hashed=True, pattern="[0-9]{10}")
    with pytest.raises(ValidationError, match="hashed"):
        FieldRule(type="id", hashed=True)
