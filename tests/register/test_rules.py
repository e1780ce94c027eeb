"""What is refused, whatever writes and on both stores; how an action stands on a day."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any, get_args

import pytest
from sqlalchemy.exc import DBAPIError

from helpers.core.base.errors import PhareError
from helpers.register import chain, codes, engine, rules, words
from helpers.register.entries import FORMS, Entry, _models
from helpers.register.migrations.versions import v0005_forms, v0006_names
from helpers.register.register import Register
from helpers.register.tables import ENTRIES
from tests.register.made import EVENT, HELD, KINDS, TODAY, content, day, made

PLAIN: dict[str, Any] = {"justification": None, "reference": None}
HIGHER = "sans palier inférieur essayé"


@pytest.fixture
def taken_up(register: Register) -> Register:
    """A register with two problems."""
    register.append(made("problem"))
    register.append(made("problem", subject="PB-002"))
    return register


def refused(register: Register, said: str, kind: str, **changes: Any) -> None:
    before = len(register.rows())
    with pytest.raises(PhareError, match=said):
        register.append(made(kind, **changes))
    assert len(register.rows()) == before


@pytest.mark.parametrize("missing", ["goal", "criterion", "least_effect", "end", "tier", "start"])
def test_an_action_says_what_it_is_held_to(taken_up: Register, missing: str) -> None:
    refused(taken_up, rf"manque : payload\.action\.{missing}\n", "action", **{missing: None})


@pytest.mark.parametrize("missing", ["goal", "criterion", "least_effect", "end"])
def test_a_problem_too(taken_up: Register, missing: str) -> None:
    refused(
        taken_up,
        rf"manque : payload\.problem\.{missing}\n",
        "problem",
        subject="PB-003",
        **{missing: None},
    )


def test_a_criterion_is_of_a_theme_of_the_city(taken_up: Register) -> None:
    criterion = {"theme": "kermadec", "fall": 0.2}
    refused(taken_up, "un thème que la ville n'a pas\n", "action",
            criterion=criterion)  # fmt: skip


def test_an_end_is_to_come(taken_up: Register) -> None:
    refused(taken_up, "la fin est déjà passée", "action", start=day(-9), end=day(-1))
    refused(taken_up, "la fin précède le début", "action", start=day(9), end=day(8))
    assert taken_up.append(made("action", start=day(0), end=day(0))).seq == 3


def test_a_problem_has_not_begun_after_its_end(taken_up: Register) -> None:
    said = r"commence après sa fin\n.*\n.*`since`.*`end`"
    refused(taken_up, said, "problem", subject="PB-003", since=day(91), end=day(90))
    assert taken_up.append(made("problem", subject="PB-003", since=day(90), end=day(90))).seq == 3


@pytest.mark.parametrize("tier", ["dissuasion", "repression"])
def test_a_higher_tier_follows_a_lower_one_at_the_same_problem(
    taken_up: Register, tier: str
) -> None:
    wanted = {"tier": tier, **PLAIN}
    refused(taken_up, HIGHER, "action", subject="ACT-009", **wanted)
    taken_up.append(made("action", problem="PB-002", **PLAIN))
    refused(taken_up, HIGHER, "action", subject="ACT-009", **wanted)
    taken_up.append(made("action", subject="ACT-002", start=day(1), **PLAIN))
    refused(taken_up, HIGHER, "action", subject="ACT-009", **wanted)
    taken_up.append(made("action", subject="ACT-003", **PLAIN))
    refused(taken_up, HIGHER, "action", subject="ACT-009", **wanted)
    taken_up.append(made("action", subject="ACT-004", start=day(-900), **PLAIN))
    refused(taken_up, HIGHER, "action", subject="ACT-009", **wanted)


@contextmanager
def entered_at(register: Register, at: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Enter things at another moment than now: the trigger that forbids it is away meanwhile."""
    sqlite = register._engine.dialect.name == "sqlite"
    with engine.writing(register._engine) as connection:
        told = "SELECT sql FROM sqlite_master WHERE name = 'entries_names'"
        back = "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_names"
        away = "ALTER TABLE entries DISABLE TRIGGER entries_names"
        if sqlite:
            back, away = connection.exec_driver_sql(told).scalar_one(), "DROP TRIGGER entries_names"
        connection.exec_driver_sql(away)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "now", lambda _: at)
        patch.setattr(engine, "unguarded", lambda _: [])
        yield
    with engine.writing(register._engine) as connection:
        connection.exec_driver_sql(back)


@pytest.mark.parametrize("start", [day(-9), day(-1)], ids=["earlier", "yesterday"])
def test_a_lower_tier_counts_from_the_day_after_it_began(
    register: Register, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    """Entered yesterday, begun by then."""
    with entered_at(register, f"{day(-1)}T12:00:00.000Z", monkeypatch):
        register.append(made("problem"))
        register.append(made("action", start=start, **PLAIN))
        refused(register, HIGHER, "action", subject="ACT-002", tier="dissuasion", **PLAIN)
    assert register.append(made("action", subject="ACT-002", tier="dissuasion", **PLAIN)).seq == 3
    assert register.faults() == []


@pytest.mark.parametrize("tier", ["dissuasion", "repression"])
def test_an_action_keeps_its_tier(taken_up: Register, tier: str) -> None:
    """Even with a justification: one number would hide two actions, one after the other."""
    taken_up.append(made("action"))
    refused(taken_up, "une action garde son palier", "action", supersedes=3, tier=tier)


def test_the_highest_tier_is_no_try_of_a_lower_one(taken_up: Register) -> None:
    taken_up.append(made("action", tier="repression"))
    refused(taken_up, HIGHER, "action", subject="ACT-002", tier="dissuasion", **PLAIN)
    refused(taken_up, HIGHER, "action", subject="ACT-002", tier="repression", **PLAIN)


def test_a_plan_that_was_put_off_before_it_began_was_not_tried(taken_up: Register) -> None:
    """Planned for yesterday, but replaced the day before: nothing was tried."""
    register = taken_up
    register.append(made("action", **PLAIN))
    (problem, _, first) = register.entries()
    early = replace(first, at=f"{day(-9)}T00:00:00.000Z")
    later = made("action", supersedes=3, start=day(30), **PLAIN)
    after = replace(first, seq=4, at=f"{day(-5)}T00:00:00.000Z", draft=later)
    wanted = made("action", subject="ACT-009", tier="dissuasion", **PLAIN)
    with pytest.raises(PhareError, match=HIGHER):
        rules.check(wanted, [problem, early, after], ["tapage"], TODAY)
    begun = replace(early, draft=made("action", start=day(-6), **PLAIN))
    rules.check(wanted, [problem, begun, after], ["tapage"], TODAY)


def test_a_justification_is_a_code(taken_up: Register) -> None:
    refused(taken_up, "valeur refusée", "action", tier="repression", justification="il le faut")
    justified = made("action", tier="repression", justification="danger_immediat")
    assert taken_up.append(justified).seq == 3


def test_an_action_is_of_a_problem_that_the_register_has_and_stays_so(taken_up: Register) -> None:
    refused(taken_up, "un problème que le registre n'a pas", "action", problem="PB-404")
    taken_up.append(made("action"))
    refused(taken_up, "une action reste celle de son problème", "action", supersedes=3,
            problem="PB-002")  # fmt: skip


def test_one_entry_is_in_force_about_one_thing(taken_up: Register) -> None:
    refused(taken_up, "l'inscription 1 dit déjà cela", "problem")
    refused(taken_up, "l'inscription 2 n'est pas celle", "problem", supersedes=2)
    refused(taken_up, "l'inscription 9 n'est pas celle", "problem", supersedes=9)
    taken_up.append(made("problem", supersedes=1))
    refused(taken_up, "l'inscription 1 n'est pas celle", "problem", supersedes=1)
    taken_up.append(made("measure_taken"))
    taken_up.append(made("measure_taken", measure="secours"))
    refused(taken_up, "l'inscription 4 dit déjà cela", "measure_taken", state="demandee")
    assert taken_up.append(made("measure_taken", state="demandee", supersedes=4)).seq == 6


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "accepted", "decided": 8},
        {"verdict": "changed", "decided": 12},
        {"verdict": "changed", "decided": None},
        {"verdict": "refused", "decided": 8},
        {"verdict": "refused", "decided": None, "reason": None},
        {"verdict": "changed", "reason": None},
        {"decided": -1}, {"decided": 5001}, {"decided": 8.5}, {"decided": "8"}, {"decided": True},
    ],
)  # fmt: skip
def test_a_sizing_agrees_with_itself(register: Register, changes: dict[str, Any]) -> None:
    refused(register, "payload.sizing", "sizing", **changes)


BOTH = {"verdict": "changed", "proposed": 40, "decided": 32}


@pytest.mark.parametrize(
    "changes",
    [
        {"decided": 40}, {"decided": None}, {"proposed": None}, {"decided": 5001},
        {"decided": 32.5}, {"verdict": "accepted"}, {"verdict": "refused"},
        {"verdict": "accepted", "proposed": None},
    ],
)  # fmt: skip
def test_the_numbers_of_a_recommendation_agree(register: Register, changes: dict[str, Any]) -> None:
    refused(register, "payload.recommendation", "recommendation", **BOTH | changes)
    assert register.append(made("recommendation", **BOTH)).seq == 1


def test_a_changed_recommendation_says_both_numbers(register: Register) -> None:
    """Refused on both stores, whoever writes; what older registers hold without them still reads.

    The older entry is laid with the register's own chain, as it was before it asked for numbers.
    """
    bare = made("recommendation", verdict="changed")
    refused(register, "le nombre recommandé et le nombre décidé", "recommendation",
            verdict="changed")  # fmt: skip
    entry = chain.entry_of(chain.row_of(bare, 1, f"{day(-1)}T12:00:00.000Z", chain.first("essai")))
    assert rules.broken([entry]) == []
    assert "changé (" in words.line(entry, "Europe/Paris")
    told = register.append(made("recommendation", **BOTH))
    assert "proposé 40 h, décidé 32 h, changé" in words.line(told, "Europe/Paris")
    assert register.faults() == []


def test_what_is_accepted_needs_no_reason(register: Register) -> None:
    register.append(made("sizing", verdict="accepted", decided=12, reason=None, reference=None))
    refused(register, "demande un motif", "recommendation", reason=None)
    register.append(made("recommendation", verdict="accepted", reason=None, reference=None))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "subject",
    ["PB-001", "ACT-001", EVENT, "PB-001\n", "ACT-12345", "", "PB-0001", "ACT-0001", "PB-01"],
)
def test_a_subject_has_the_form_of_its_kind(kind: str, subject: str) -> None:
    fits = {"problem": ("PB-001",), "action": ("ACT-001",), "approval": ("PB-001", "ACT-001")}
    if subject in fits.get(kind, (EVENT,)):
        assert made(kind, subject=subject).subject == subject
    else:
        with pytest.raises(PhareError, match="d'une autre forme"):
            made(kind, subject=subject)


@pytest.mark.parametrize("number", ["999", "1000", "9999"])
def test_a_number_has_one_way_to_be_written(number: str) -> None:
    """PB-0001 would be a second PB-001, with its own actions."""
    assert made("problem", subject=f"PB-{number}").subject == f"PB-{number}"
    with pytest.raises(PhareError, match="valeur refusée"):
        made("action", problem=f"PB-0{number[-3:]}")


@pytest.mark.parametrize("number", ["0612345678", "1850313055123", "2026"])
@pytest.mark.parametrize("name", ["subject", "key"])
def test_a_subject_or_key_of_digits_alone_is_refused(number: str, name: str) -> None:
    """A telephone number, a social security number, an agent's: with zeros after or before."""
    size = 32 if name == "key" else 20
    for padded in (number.ljust(size, "0"), number.rjust(size, "0")):
        with pytest.raises(PhareError, match="chiffres seuls") as error:
            made("measure_taken", **{name: padded})
        assert number not in str(error.value)
    letter = number.ljust(size - 1, "0") + "f"
    assert getattr(made("measure_taken", **{name: letter}), name) == letter


@pytest.mark.parametrize("share", [0.0612345678, 0.1850313055, 0.0001])
@pytest.mark.parametrize("name", ["least_effect", "fall"])
def test_a_share_has_no_place_for_a_number(share: float, name: str) -> None:
    """Ten decimals are a telephone number."""
    changes = {"criterion": {"theme": "tapage", "fall": share}} if name == "fall" else {name: share}
    with pytest.raises(PhareError, match="trois décimales au plus"):
        made("problem", **changes)
    for good in (0.001, 0.1, 0.125, 0.3, 0.999, 1.0):
        assert made("problem", least_effect=good).payload.least_effect == good


def test_two_roles_approve_and_neither_is_the_author(taken_up: Register) -> None:
    taken_up.append(made("action"))
    say = {"subject": "ACT-001", "entry": 3}
    refused(taken_up, "n'approuve pas sa propre décision", "approval", role="direction", **say)
    refused(taken_up, "ne porte pas", "approval", role="elu", subject="ACT-002", entry=3)
    refused(taken_up, "ne porte pas", "approval", role="elu", subject="PB-002", entry=1)
    refused(taken_up, "ne porte pas", "approval", role="elu", subject="ACT-001", entry=9)
    taken_up.append(made("approval", role="elu", **say))
    refused(taken_up, "dit déjà cela", "approval", role="elu", **say)
    assert not standing(taken_up).approved
    taken_up.append(made("approval", role="chef_de_service", **say))
    assert standing(taken_up).approved
    taken_up.append(made("approval", role="analyste", opinion="refused", **say))
    assert not standing(taken_up).approved
    taken_up.append(made("approval", role="analyste", supersedes=6, **say))
    assert standing(taken_up).approved
    taken_up.append(made("action", supersedes=3, end=day(99)))
    assert not standing(taken_up).approved, "what was approved is what it said then"


def standing(register: Register, number: int = 0) -> rules.Standing:
    (one,) = register.standings(TODAY + dt.timedelta(days=number))
    return one


def test_an_action_is_off_once_its_end_has_passed_until_renewed(taken_up: Register) -> None:
    taken_up.append(made("action", start=day(2), end=day(5)))
    found = {number: standing(taken_up, number).status for number in (1, 2, 5, 6)}
    assert found == {1: "planned", 2: "on", 5: "on", 6: "off"}
    taken_up.append(made("action", supersedes=3, start=day(2), end=day(9)))
    assert (standing(taken_up, 6).status, standing(taken_up, 6).renewals) == ("on", (4,))
    assert "\n    Renouvelée : inscription 4" in words.action_line(standing(taken_up, 6))
    assert standing(taken_up, 10).status == "off"


def history(register: Register, *versions: tuple[int, dict[str, Any]]) -> rules.Standing:
    """Return how an action stands whose versions were entered so many days from today."""
    register.append(made("action"))
    problem, _, one = register.entries()
    entries: list[Entry] = [problem]
    for seq, (number, changes) in enumerate(versions, 3):
        entries.append(
            replace(one, seq=seq, at=f"{day(number)}T12:00:00.000Z",
                    draft=made("action", supersedes=seq - 1 if seq > 3 else None, **changes))
        )  # fmt: skip
    (found,) = rules.standings(entries, TODAY)
    return found


FIRST = {"start": day(-5), "end": day(50)}


@pytest.mark.parametrize(
    ("versions", "changed", "by"),
    [
        ([(-9, FIRST), (-6, {**FIRST, "least_effect": 0.3})], (), ()),
        ([(-9, FIRST), (-5, {**FIRST, "least_effect": 0.3})], ("least_effect",), (4,)),
        ([(-9, FIRST), (-1, {**FIRST, "end": day(80)})], (), ()),
        (
            [(-9, FIRST), (-1, {**FIRST, "goal": "baisse_des_signalements"})],
            ("goal",),
            (4,),
        ),
        (
            [(-9, FIRST), (-1, {**FIRST, "criterion": {"theme": "tapage", "fall": 0.1}})],
            ("criterion",),
            (4,),
        ),
        (  # put off once begun, then changed before it begins again
            [(-9, FIRST), (-4, {**FIRST, "start": day(9)}),
             (-3, {**FIRST, "start": day(9), "least_effect": 0.3})],
            ("start", "least_effect"),
            (4, 5),
        ),
        ([(-9, FIRST), (-7, {**FIRST, "start": day(9)}),
          (-3, {**FIRST, "start": day(9), "least_effect": 0.3})], (), ()),
        # Planned for later, then said to have begun before that was entered.
        ([(-9, {**FIRST, "start": day(9)}), (-3, {**FIRST, "start": day(-6), "least_effect": 0.3})],
         ("least_effect", "start"), (4,)),
        ([(-9, {**FIRST, "start": day(9)}), (-3, {**FIRST, "start": day(-3), "least_effect": 0.3})],
         (), ()),
        ([(-4, FIRST)], ("entered",), (3,)),
        ([(-4, FIRST), (-3, {**FIRST, "goal": "baisse_des_signalements"})],
         ("entered", "goal"), (3, 4)),
        ([(-5, FIRST)], (), ()),
        ([(-9, FIRST), (-1, {**FIRST, "end": day(0)})], ("end",), (4,)),
        ([(-9, FIRST), (-6, {**FIRST, "end": day(0)})], (), ()),
    ],
)  # fmt: skip
def test_a_hypothesis_changed_after_the_start_shows(
    taken_up: Register,
    versions: list[tuple[int, dict[str, Any]]],
    changed: tuple[str, ...],
    by: tuple[int, ...],
) -> None:
    found = history(taken_up, *versions)
    assert (found.changed, found.changed_by) == (changed, by)
    assert HELD["least_effect"] == 0.15
    said = words.action_line(found)
    assert ("Inscrite après son début : inscription 3" in said) == ("entered" in changed)
    assert ("Hypothèse changée après le début : " in said) == bool({*changed} - {"entered"})
    assert all(words.CHANGED[name] in said for name in changed if name != "entered")


@pytest.mark.parametrize(
    ("number", "changes", "shown"),
    [
        (-6, {"goal": "baisse_des_signalements"}, False),
        (-5, {"goal": "baisse_des_signalements"}, True),
        (-1, {"least_effect": 0.9}, True),
        (-1, {"criterion": {"theme": "tapage", "fall": 0.01}}, True),
        (-1, {"end": day(200)}, False),
    ],
)
def test_what_a_problem_is_held_to_shows_if_changed_after_its_action_began(
    taken_up: Register, number: int, changes: dict[str, Any], shown: bool
) -> None:
    taken_up.append(made("action", **FIRST))
    problem, _, action = taken_up.entries()
    early = [replace(one, at=f"{day(-9)}T12:00:00.000Z") for one in (problem, action)]
    after = replace(problem, seq=4, at=f"{day(number)}T12:00:00.000Z",
                    draft=made("problem", supersedes=1, **changes))  # fmt: skip
    (found,) = rules.standings([*early, after], TODAY)
    assert found.changed == (("problem",) if shown else ())
    assert found.changed_by == ((4,) if shown else ())
    assert ("son problème (inscription 4)" in words.action_line(found)) == shown


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("action", {"problem": "PB-404"}, "un problème que le registre n'a pas"),
        ("problem", {}, "l'inscription 1 dit déjà cela"),
        ("approval", {"subject": "PB-001", "entry": 1}, "n'approuve pas sa propre décision"),
    ],
)
def test_what_is_written_beside_the_register_shows_by_its_rules(
    taken_up: Register, kind: str, changes: dict[str, Any], said: str
) -> None:
    """Well formed, well chained, and never judged."""
    assert taken_up.faults() == []
    last = taken_up.rows()[-1]
    row = chain.row_of(made(kind, **changes), 3, last["at"], last["hash"])
    with engine.writing(taken_up._engine) as connection:
        connection.execute(ENTRIES.insert(), row)
    (fault,) = taken_up.faults()
    assert fault.startswith("inscription 3 : contraire aux règles")
    assert said in fault


def beside(register: Register, kind: str, payload: dict[str, Any], at: str = "") -> None:
    """Write an entry into the base itself, well chained, by none of the register's rules."""
    last = register.rows()[-1]
    row = chain.row_of(made(kind), last["seq"] + 1, at or last["at"], last["hash"])
    row |= {"payload": json.dumps(payload, sort_keys=True, separators=(",", ":"))}
    row["hash"] = chain.hash_of(row)
    with engine.writing(register._engine) as connection:
        connection.execute(ENTRIES.insert(), row)


def held(kind: str, **changes: Any) -> dict[str, Any]:
    told = {**content(kind)["payload"], "justification": None, **changes}
    return {name: value for name, value in told.items() if value is not None}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        *(("action", {name: None}) for name in ("goal", "criterion", "least_effect", "end",
                                                  "problem", "tier", "start")),
        *(("problem", {name: None}) for name in ("goal", "criterion", "least_effect", "end")),
        ("action", {"tier": "dissuasion"}), ("action", {"tier": "repression"}),
    ],
)  # fmt: skip
def test_a_script_that_writes_beside_the_register_is_refused_by_the_base(
    taken_up: Register, kind: str, changes: dict[str, Any]
) -> None:
    """Whatever writes: held to nothing, or too high a tier without a word why."""
    with pytest.raises(DBAPIError, match="append-only"):
        beside(taken_up, kind, held(kind, **changes))
    assert taken_up.faults() == []
    changes = changes | ({"justification": "danger_immediat"} if kind == "action" else {})
    with pytest.raises(DBAPIError) if None in changes.values() else nullcontext():
        beside(taken_up, kind, held(kind, **changes))


def test_the_base_takes_a_higher_tier_after_a_lower_one_as_the_register_does(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entered and begun yesterday; not one of today, nor one put off before it began."""
    higher = held("action", tier="repression")
    early = f"{day(-1)}T12:00:00.000Z"
    with entered_at(register, early, monkeypatch):
        register.append(made("problem"))
        register.append(made("action", start=day(1), **PLAIN))
    today = f"{dt.datetime.now(dt.UTC):%FT%T}.000Z"
    with pytest.raises(DBAPIError, match="append-only"):
        beside(register, "action", higher, today)
    with entered_at(register, early, monkeypatch):
        register.append(made("action", start=day(-5), tier="dissuasion", subject="ACT-002",
                             justification="danger_immediat"))  # fmt: skip
    with pytest.raises(DBAPIError, match="append-only"):
        beside(register, "action", held("action", tier="dissuasion"), today)
    beside(register, "action", higher, today)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"goal"'])
def test_what_is_no_object_is_no_action_for_the_base(taken_up: Register, text: str) -> None:
    last = taken_up.rows()[-1]
    row = chain.row_of(made("action"), 3, last["at"], last["hash"]) | {"payload": text}
    row["hash"] = chain.hash_of(row)
    with pytest.raises(DBAPIError), engine.writing(taken_up._engine) as connection:
        connection.execute(ENTRIES.insert(), row)
    assert taken_up.faults() == []


PLAIN_THEME = content("action")["payload"]["criterion"]["theme"]
NO_VALUES: list[dict[str, Any]] = [
    *({"tier": "repression", "justification": j} for j in ("", "parce_que", 1, False, {}, [])),
    *({"tier": t} for t in ("Prevention", "sanction", "", 3)),
    *({"goal": g} for g in ("", "x", False, 0, {}, [])),
    *({"criterion": c} for c in ({}, "x", [], {"theme": PLAIN_THEME}, {"fall": 0.2},
                                 {"theme": "", "fall": 0.2}, {"theme": PLAIN_THEME, "fall": 0},
                                 {"theme": PLAIN_THEME, "fall": 1.5},
                                 {"theme": PLAIN_THEME, "fall": "0.2"})),
    *({"least_effect": e} for e in (0, -0.2, 1.01, "a", "0.2", True, {}, [])),
    *({"end": e} for e in ("", "never", "2099-02-30", "20990101", "2099-1-1", 2099, "now")),
    *({"start": s} for s in ("", "never", "2026-13-01", True)),
    {"start": day(9), "end": day(8)},
    {"kind": "problem"}, {"kind": "measure_taken"}, {"kind": ""},
]  # fmt: skip


@pytest.mark.parametrize("changes", NO_VALUES, ids=json.dumps)
def test_what_is_no_value_is_refused_by_the_base(
    taken_up: Register, changes: dict[str, Any]
) -> None:
    """Nothing written in the place of a reason, a goal, a criterion, an effect, a day: refused."""
    with pytest.raises(DBAPIError):
        beside(taken_up, "action", held("action") | changes)
    if "tier" not in changes and "start" not in changes and "kind" not in changes:
        with pytest.raises(DBAPIError):
            beside(taken_up, "problem", held("problem") | changes)
    assert len(taken_up.rows()) == 2
    assert taken_up.faults() == []


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_key_written_twice_is_refused_by_sqlite(taken_up: Register) -> None:
    """It would read the first, a reason, where the register reads the last, none."""
    last = taken_up.rows()[-1]
    row = chain.row_of(made("action"), 3, last["at"], last["hash"])
    text = json.dumps(held("action", tier="repression", justification="danger_immediat"))
    row["payload"] = text[:-1] + ', "justification": null}'
    row["hash"] = chain.hash_of(row)
    with pytest.raises(DBAPIError), engine.writing(taken_up._engine) as connection:
        connection.execute(ENTRIES.insert(), row)


def test_the_base_knows_the_codes_of_the_register() -> None:
    """A code, a kind or a field more is a version more of the schema."""
    assert get_args(codes.Role) == v0006_names.ROLES
    assert {*v0006_names.OF_EVENTS, "problem", "action", "approval"} == set(FORMS)
    fields = {name for model in _models() for name in model.model_fields}
    assert set(v0006_names.FIELDS) == fields - {"role", "subject", "payload", "supersedes", "key"}
    assert get_args(codes.Goal) == v0005_forms.GOALS
    assert v0005_forms.TIERS == codes.TIERS
    assert get_args(codes.Justification) == v0005_forms.JUSTIFICATIONS


NAMED = "Jean Kermadec"
# What a row says otherwise than the register would, and of its payload (an action of prevention).
NO_NAMES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    *(({"kind": k}, {"kind": k, "tier": "repression", "justification": None})
      for k in ("Action", "action ", "action\n", "mesure")),
    *(({"role": r}, {}) for r in ("", "roi", "Elu", NAMED)),
    *(({"subject": s}, {}) for s in ("", NAMED, "PB-001", "ACT-1", "ACT-0001", "ACT-001\n",
                                     "0612345678")),
    *(({"key": k}, {}) for k in ("", NAMED, "0" * 32, "AB" * 16, "ab" * 15)),
    *(({}, {"problem": p}) for p in ("", 1, NAMED, "ACT-001", "PB-0001", ["PB-001"])),
    *(({}, {"criterion": {"fall": f, "theme": t}}) for f, t in
      ((0.2, 7), (0.2, NAMED), (0.2, "Tapage"), (0.2, ["tapage"]), (1e-9, "tapage"),
       (0.0612345678, "tapage"))),
    *(({}, {"least_effect": e}) for e in (1e-300, 0.123456)),
    *(({}, {"end": e}) for e in (day(-1), "9999-12-31")), ({}, {"start": "1999-01-01"}),
    *(({}, {name: NAMED}) for name in ("note", "lead", "response")),
    ({}, {"reference": {"justification": "danger_immediat", "nom": "x"}}),
    ({}, {"shifts": ["soir", NAMED]}), ({}, {"lead": "k\u00e9"}), ({}, {"lead": "a\u0000b"}),
]  # fmt: skip


def test_what_is_of_no_form_is_refused_by_the_base(taken_up: Register) -> None:
    """A kind that there is not, and every place where a name would fit; all else being good."""
    good = held("action", justification="danger_immediat")
    last = taken_up.rows()[-1]
    for row, changes in NO_NAMES:
        payload = {k: v for k, v in (good | changes).items() if v is not None}
        told = chain.row_of(made("action"), 3, last["at"], last["hash"]) | row
        told["payload"] = json.dumps(payload, sort_keys=True, separators=(",", ":"))
        told["hash"] = chain.hash_of(told)
        with suppress(DBAPIError), engine.writing(taken_up._engine) as connection:
            connection.execute(ENTRIES.insert(), told)
        assert len(taken_up.rows()) == 2, f"entered: {row} {changes}"
    beside(taken_up, "action", good)
    assert taken_up.faults() == []


def test_a_moment_of_yesterday_is_refused_by_the_base(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would make of a tier written now one tried the day before, and open the next."""
    with entered_at(register, f"{day(-2)}T12:00:00.000Z", monkeypatch):
        register.append(made("problem"))
    yesterday = f"{day(-1)}T12:00:00.000Z"
    with pytest.raises(DBAPIError, match="append-only"):
        beside(register, "action", held("action", start=day(-1)), yesterday)
    assert [row["kind"] for row in register.rows()] == ["problem"]
    assert register.append(made("action", **PLAIN)).seq == 2
