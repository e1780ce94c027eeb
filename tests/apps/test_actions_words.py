"""What « Actions » says of each case: nulls like effects, what is not known never as zero."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from html import unescape
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from helpers.actions import states, tiers
from helpers.apps import actions_read as read
from helpers.apps import actions_thread as thread
from helpers.apps import actions_tiles as numbers
from helpers.apps import actions_words as said
from helpers.apps import keep
from helpers.apps.choice import Choice
from helpers.core.stage import params
from helpers.impact import designs, effects
from helpers.results import account

TODAY = dt.date(2025, 12, 31)
DAY = dt.timedelta(days=1)
RECENT = TODAY - 92 * DAY
EVERY = Choice(7, "", "quartiers", "ville", "direction")
POWER = {"reason": "", "detectable": 0.18, "seen": True, "power": 0.8, "area": "circle",
         "category": "tapage", "facts": 90, "first": TODAY, "last": TODAY}  # fmt: skip
JUDGED = {"scope": "action", "verdict": "effet", "reason": "", "ratio": 0.7, "low": 0.55,
          "high": 0.9, "counted": 70, "expected": 100.0, "exploratory": False, "why": None,
          "detectable": 0.2, "moved": None}  # fmt: skip


def row(**changes: Any) -> dict[str, Any]:
    """Return a row of STATES: an action of prevention that ended long ago."""
    base = dict.fromkeys(states.STATES.names)
    return base | {
        "action": "ACT-001", "problem": "PB-001", "tier": "prevention", "theme": "bruit",
        "response": "amenagement_eclairage", "zone": "Z1", "sector": "S1", "goal":
        "baisse_des_faits", "fall": 0.2, "least_effect": 0.2, "start": dt.date(2024, 1, 1),
        "end": dt.date(2024, 6, 1), "state": "off", "gate": "lowest", "approvals": 2, "against": 0,
        "renewals": 0, "registered_before": True, "delivered": True, "exploratory": "",
        "changed": [], **changes,
    }  # fmt: skip


def one(effect: dict[str, Any] | None = None, **changes: Any) -> read.One:
    told = row(**changes)
    dose = {"reason": "not_patrol", "done_h": None}
    return read.One(told, dose, POWER, effect, None, {"quartiers": "Z1"}, [],
                    read.asks(told, TODAY, RECENT))  # fmt: skip


def found(*ones: read.One, **changes: Any) -> Any:
    """Return what the page reads of a city that has these actions."""
    none = {"effects": effects.EFFECTS, "tiers": tiers.TIER_SHARES, "sums": account.SUMS,
            "beside": designs.BESIDE}  # fmt: skip
    tables = {name: schema.empty_table() for name, schema in none.items()}
    sums = [{"by": "all", "actions": 0}]
    tables |= {"sums": pa.Table.from_pylist(sums, schema=account.SUMS)}
    tables |= {name: pa.table({}) for name in ("tasks", "followed")}
    city = SimpleNamespace(themes={"bruit": SimpleNamespace(title="Bruit")})
    return SimpleNamespace(**{
        "actions": {a.name: a for a in ones}, "today": TODAY, "has_register": True,
        "rules": object(), "names": {"Z1": "Arenc"}, "impact": params.knobs("impact"),
        "pooled": {}, "tables": tables, "city": city, "result": SimpleNamespace(dose=""), **changes,
    })  # fmt: skip


def plain(html: str) -> str:
    text = unescape(re.sub("<[^>]+>", " ", html)).replace("\u202f", "")
    return re.sub(r"\s+", " ", text).strip()


def test_every_verdict_is_counted_and_none_is_left_out_for_being_null() -> None:
    ones = [
        one(JUDGED, action="ACT-001"),
        one(JUDGED | {"exploratory": True, "why": "changed"}, action="ACT-002", tier="repression"),
        one(JUDGED | {"verdict": "pas_d_effet_demontre", "high": 1.2}, action="ACT-003"),
        one(JUDGED | {"verdict": "non_concluant", "reason": "too_few"}, action="ACT-004"),
        one(None, action="ACT-005", state="proposed", approvals=0, delivered=False),
        one(None, action="ACT-006", tier=None),
    ]  # fmt: skip
    text, level, small = said.answer(ones, found(*ones), [])
    assert "6\u00a0actions" in text
    assert "4 de prévention, 1 de répression, 1 de palier inconnu" in text
    assert (
        "Effet : **2** (dont 1 exploratoire) ; pas d'effet démontré : **1** ; non concluant : "
        "**1** ; pas encore de verdict : **2**." in text.replace("\u00a0", " ")
    )
    assert "1 à approuver" in text
    assert level == "watch"
    assert "registre seul : 1 sur 6" in small
    tiles = plain(numbers.tiles(ones, found(*ones), chosen=False))
    assert "Pas d'effet démontré 1 sur 6" in tiles
    assert "Non concluant 1 sur 6" in tiles
    assert "Pas de verdict 2 sur 6 ; 1 pas menées, 1 hors de la source" in tiles


@pytest.mark.parametrize(
    ("changes", "asks"),
    [
        ({"state": "proposed", "approvals": 1}, read.APPROVE),
        ({"state": "running", "end": TODAY + 28 * DAY}, read.SOON),
        ({"state": "running", "end": TODAY + 29 * DAY}, ""),
        ({"state": "running", "end": TODAY, "end_in_force": TODAY + 90 * DAY}, ""),
        ({"state": "off", "end": TODAY - DAY}, read.PAST),
        ({"state": "off", "end": RECENT - DAY}, ""),
        ({"state": "off", "end": TODAY - DAY, "approvals": 1}, ""),
        ({"state": "unregistered", "tier": "repression", "gate": "unregistered", "end": None},
         read.UNJUSTIFIED),
        ({"state": "unregistered", "tier": "prevention", "gate": "unregistered", "end": None}, ""),
        ({"state": "unregistered", "tier": "repression", "gate": "unregistered",
          "end": RECENT - DAY}, ""),
        ({"state": "refused", "end": TODAY + DAY}, ""),
    ],
)  # fmt: skip
def test_what_asks_for_a_decision_and_what_does_not(changes: dict[str, Any], asks: str) -> None:
    assert one(**changes).asks == asks
    assert bool(said.asked(one(**changes))) == bool(asks)


def test_a_choice_takes_what_it_names_and_no_other() -> None:
    held = one(JUDGED, state="running", end=TODAY)
    yes = {"theme": "bruit", "palier": "prevention", "etat": "etat-running"}
    no = {"theme": "rixes", "palier": "inconnu", "etat": "verdict-non_concluant"}
    for name, value in yes.items():
        assert held.answers(EVERY.with_value(name, value))
    for name, value in no.items():
        assert not held.answers(EVERY.with_value(name, value))
    assert held.answers(EVERY.with_value("etat", "verdict-effet"))
    assert held.answers(EVERY.with_value("etat", "a_decider"))
    assert held.answers(EVERY.with_value("territoire", "quartiers/Z1"))
    assert not held.answers(EVERY.with_value("territoire", "quartiers/Z2"))
    assert one(tier=None).answers(EVERY.with_value("palier", "inconnu"))
    assert one().answers(EVERY.with_value("etat", "verdict-aucun"))


def test_cities_that_miss_a_file_or_a_register_are_told_so() -> None:
    text, level, small = said.answer([], found(rules=None, has_register=False), [])
    assert text.startswith("**Aucune action connue**")
    assert level == "usual"
    assert "actions.yaml" in small
    assert "pas de registre" in small
    assert said.answer([], found(), [])[2] == ""  # a register, a source, and no action in either
    assert numbers.tiles([], found(), chosen=False) == ""
    held = one()
    assert (
        "ne répond à ce choix** (Bruit, prévention), sur"
        in said.answer([], found(held), ["Bruit", "prévention"])[0]
    )
    tiles = plain(numbers.tiles([], found(held), chosen=True))
    assert "sur 0" not in tiles
    assert tiles.count("Toute la ville :") == 4  # those that no choice changes
    assert "pas de registre" in said.answer([held], found(held, has_register=False), [])[2]


def test_more_facts_than_expected_is_said_whatever_the_verdict() -> None:
    worse = one(JUDGED | {"verdict": "pas_d_effet_demontre", "ratio": 1.4, "low": 1.1, "high": 1.8})
    assert "plus nombreux qu'attendu" in said.told(worse, found(worse))
    assert "↗ plus de faits" in plain(numbers.tiles_of(worse, found(worse)))
    better = one(JUDGED)
    assert "−30,0\u202f% de faits" in said.told(better, found(better))
    assert "↘ moins de faits" in plain(numbers.tiles_of(better, found(better)))


def test_what_is_not_known_is_never_a_zero() -> None:
    """No planned dose, no dose measured, no aim, no verdict: words, and empty cells."""
    bare = one(planned_h=None, least_effect=None, fall=None, approvals=None, entry=None)
    tiles = plain(numbers.tiles_of(bare, found(bare)))
    assert "Dose prévue non dite" in tiles
    assert "Dose faite non mesurée" in tiles
    assert "Effet demandé aucun but inscrit" in tiles
    assert "Effet aucun verdict" in tiles
    text = keep.table(said.KEPT, said.kept([bare], found(bare))).decode("utf-8-sig")
    (kept,) = csv.DictReader(io.StringIO(text), delimiter=";")
    for name in ("verdict", "rapport", "rapport, au moins", "faits comptés", "faits attendus"):
        assert kept[name] == "", name


def test_the_decision_says_who_is_for_and_who_is_against_and_why() -> None:
    step = {"entry": 4, "on": dt.date(2023, 12, 1), "role": "chef_de_service", "decision":
            "proposed", "end": dt.date(2024, 6, 1), "about": None, "motive": None,
            "current": True}  # fmt: skip
    opinion = step | {"end": None, "about": 4, "decision": "refused", "role": "elu"}
    steps = [
        step,
        opinion | {"entry": 5, "motive": "autre_priorite"},
        opinion | {"entry": 6, "role": "direction", "decision": "approved"},
        opinion | {"entry": 7, "role": "analyste"},
        opinion | {"entry": 8, "role": "chef_de_poste", "current": False},
    ]
    held = one()
    held = read.One(**{**vars(held), "steps": steps})
    told = thread.decision(held, found(held))
    assert "Proposée le 1er décembre 2023 (Chef de service)" in told
    assert "Pour : 1er décembre 2023 (Direction)." in told
    assert "(Élu), motif « autre priorité »" in told
    assert "(Analyste), sans motif inscrit" in told
    assert "Chef de poste" not in told
    assert thread.decision(one(), found()) == thread.NO_ENTRY


def test_names_of_zones_are_text_and_nothing_else() -> None:
    held = one(JUDGED, state="proposed")
    bad = found(held, names={"Z1": "<img src=x> [a](http://b) **c**"})
    for html in (said.to_decide([held], bad, lambda name: f"x?action={name}"),
                 said.listed([held], bad, lambda name: f"x?action={name}")):  # fmt: skip
        assert "<img" not in html
        assert "&lt;img" in html
    assert "<img" not in said.answer_of(held, bad)[0]
    assert "**c**" not in said.answer_of(held, bad)[0]


def readings() -> list[dict[str, Any]]:
    """Return rows of BESIDE of an action: all see fewer facts, but the ring and the own series."""
    base = dict.fromkeys(designs.BESIDE.names) | {
        "scope": "action", "key": "ACT-001", "value": 0.7, "low": 0.5, "high": 0.9, "reason": "",
    }  # fmt: skip
    own = {name: base | {"design": name} for name in designs.DESIGNS}
    own[designs.RING] |= {"value": -3.0, "low": -9.0, "high": 2.0}
    own[designs.SERIES] |= {"reason": designs.UNREAD}
    return list(own.values())


def test_other_readings_stand_beside_the_verdict_of_an_action() -> None:
    """In the answer a line without numbers of size; in the thread the same line, that opens."""
    line = ("Lue aussi autrement : 4\u00a0lectures sur 5 vont dans le même sens, moins de faits "
            "qu'attendu ; 1 laisse le sens ouvert ; 1 sans réponse.")  # fmt: skip
    held = read.One(**{**vars(one(JUDGED)), "readings": readings()})
    city = found(held)
    city.rules = SimpleNamespace(title=lambda kind: kind)
    judged = [JUDGED | {"key": "ACT-001", "kind": "rondes", "start": TODAY, "indicator": "tapage",
                        "design": effects.ALONE}]  # fmt: skip
    city.tables["effects"] = pa.Table.from_pylist(judged, schema=effects.EFFECTS)
    assert line in said.answer_of(held, city)[2]
    told = unescape(thread.verdict(held, city))
    assert f"<summary>{line}</summary><div" in told
    assert "<td>−30,0\u202f% (de −50,0\u202f% à −10,0\u202f%)</td>" in told
    assert "Lue aussi" not in said.answer_of(one(None), city)[2]


def test_other_readings_of_all_actions_open_under_the_verdicts() -> None:
    held = read.One(**{**vars(one(JUDGED)), "readings": readings()})
    city = found(held, result=SimpleNamespace(dose="**Selon la dose** : rien n'est dit"))
    city.tables["effects"] = pa.Table.from_pylist(
        [JUDGED | {"key": "ACT-001"}], schema=effects.EFFECTS
    )
    city.tables["beside"] = pa.Table.from_pylist(readings(), schema=designs.BESIDE)
    html = unescape(said.to_decide([held], city, lambda name: f"x?action={name}"))
    assert "<summary>Lus aussi autrement : pour 1\u00a0action sur 1, aucune autre" in html
    assert "Selon la dose" in html.partition("Lus aussi")[2]
    assert "Lus aussi" not in said.to_decide([held], found(held), lambda name: name)
