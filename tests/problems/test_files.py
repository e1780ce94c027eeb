"""The files of problems and of the council, of a register whose story is written here."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa
import pytest

from helpers.actions import dose, power, states
from helpers.core.base.markup import to_html
from helpers.core.city.city import City
from helpers.core.stage import printed
from helpers.core.stage.run import Run
from helpers.problems import council, files, pages, words
from helpers.problems.knobs import Knobs
from helpers.simulate.sources.registre import Held
from tests.fixtures import decisions
from tests.fixtures.decisions import END, START, action, approve, problem
from tests.fixtures.made_up import CITY, write_pack
from tests.fixtures.tables import silent
from tests.impact.test_effects import FIRST, PERIOD, actions, fill

DAY = dt.timedelta(days=1)
PROPOSED = START - 40 * DAY
TODAY = END + 10 * DAY
KNOBS = Knobs(origins=("citizen",), window_weeks=20, confidence=0.95, minimum_count=30,
              heard_share=0.75, recent_days=60)  # fmt: skip
SECTORS = {"1": "nord", "2": "sud"}
EFFECTS = pa.schema([("scope", pa.string()), ("key", pa.string()), ("verdict", pa.string()),
                     ("exploratory", pa.bool_()), ("why", pa.string()), ("reason", pa.string()),
                     *((name, pa.float64()) for name in ("ratio", "low", "high"))])  # fmt: skip


@pytest.fixture
def city(tmp_path: Path) -> City:
    return write_pack(tmp_path, CITY | {"period": PERIOD})


@pytest.fixture
def held() -> Held:
    found = decisions.register()
    problem(found, "PB-001", PROPOSED, zone="1", since=PROPOSED - 90 * DAY,
            hypotheses=["eclairage", "transports"])  # fmt: skip
    problem(found, "PB-002", PROPOSED, zone="2", end=END + 90 * DAY)
    problem(found, "PB-003", PROPOSED)
    one = action(found, "ACT-001", PROPOSED, "PB-001", lead="coordination_prevention",
                 response="mediation", dose_h=12.0)  # fmt: skip
    approve(found, "ACT-001", PROPOSED + DAY, one)
    two = action(found, "ACT-002", START + DAY, "PB-001", tier="dissuasion", start=END + 30 * DAY,
                 end=END + 90 * DAY)  # fmt: skip
    approve(found, "ACT-002", END - DAY, two, "approved", "refused")
    action(found, "ACT-003", START + DAY, "PB-002", start=END + 30 * DAY, end=END + 90 * DAY)
    action(found, "ACT-004", START + DAY, "PB-002")
    return found


def row(name: str, of: str, state: str, tier: str = "prevention") -> dict[str, Any]:
    return {"action": name, "problem": of, "state": state, "tier": tier, "lead": "elu",
            "response": "mediation", "start": START, "end": END, "planned_h": 12.0,
            "exploratory": "", "changed": [], "zone": of[-1],
            "sector": SECTORS.get(of[-1])}  # fmt: skip


def done(effects: list[dict[str, Any]] | None = None) -> pa.Table:
    rows = [row("ACT-001", "PB-001", "off"), row("ACT-002", "PB-001", "refused", "dissuasion"),
            {**row("ACT-003", "PB-002", "proposed"), "changed": ["goal"]},
            {**row("ACT-005", "PB-001", "off", "repression"), "exploratory": "changed",
             "changed": ["goal"]}]  # fmt: skip
    names = [{"action": one["action"], "reason": ""} for one in rows]
    return files.tasks(
        pa.Table.from_pylist(rows, schema=states.STATES),
        pa.Table.from_pylist(names, schema=dose.DOSES),
        pa.Table.from_pylist(
            [{**n, "seen": False, "detectable": 0.304, "power": 0.8} for n in names],
            schema=power.POWERS,
        ),
        pa.Table.from_pylist(effects or [], schema=EFFECTS),
    )


def verdict(key: str, code: str) -> dict[str, Any]:
    return {"scope": "action", "key": key, "verdict": code, "exploratory": False, "why": None,
            "reason": "", "ratio": 0.8, "low": 0.7, "high": 0.9}  # fmt: skip


def counted(con: duckdb.DuckDBPyConnection, city: City, held: Held) -> pa.Table:
    con.execute("CREATE OR REPLACE TABLE zones AS SELECT 'carres' AS division, "
                "col0 AS code FROM (VALUES ('1'), ('2'))")  # fmt: skip
    con.execute("UPDATE cube SET zone_carres = '1' WHERE zone_carres = 'Q1'")
    return files.files(con, city, held.entries, done(), SECTORS, KNOBS, TODAY)


def told(
    held: Held, city: City, found: pa.Table, effects: list[dict[str, Any]],
    tasks: pa.Table | None = None, away: pa.Table | None = None,
) -> words.Told:  # fmt: skip
    since = TODAY - 60 * DAY
    tasks = done(effects) if tasks is None else tasks
    away = files.ELSEWHERE.empty_table() if away is None else away
    of = {r["problem"]: r["sector"] for r in found.to_pylist()}
    of |= {"ACT-004": "sud"} | {r["action"]: r["sector"] for r in tasks.to_pylist()}
    decided = council.decisions(held.entries, of, since, TODAY)
    names = {"1": "<b>Nord</b>", "nord": "Secteur nord", "sud": "Secteur sud"}
    return words.Told(found, tasks, away, decided, council.answers(held.entries, since), city,
                      names, KNOBS, TODAY, True)  # fmt: skip


def test_facts_of_a_problem_are_those_of_plain_sql(
    city: City, memory: duckdb.DuckDBPyConnection, held: Held
) -> None:
    fill(memory, actions(2), 40.0, 1.0)
    found = {r["problem"]: r for r in counted(memory, city, held).to_pylist()}
    last = FIRST + dt.timedelta(weeks=104)
    first, middle = (last - dt.timedelta(weeks=n) for n in (40, 20))
    sums = memory.execute(
        "SELECT sum(n) FILTER (hour >= ?), sum(n) FILTER (hour < ?) FROM cube "
        "WHERE zone_carres = '1' AND theme = 'bruit' AND hour >= ? AND hour < ?",
        [middle, middle, first, last],
    ).fetchone()
    one = found["PB-001"]
    assert (one["recent"], one["before"]) == sums
    assert one["low"] < one["recent"] / one["before"] < one["high"]
    assert (found["PB-002"]["recent"], found["PB-002"]["status"]) == (0, files.TOO_FEW)
    assert found["PB-003"]["status"] == files.NO_ZONE
    assert one["tried"] == ["prevention", "repression"], "what was refused was not tried"
    assert [found[f"PB-00{n}"]["late"] for n in (1, 2)] == [True, False]


def test_weeks_when_nothing_was_heard_are_no_fall(
    city: City, memory: duckdb.DuckDBPyConnection, held: Held
) -> None:
    """Four weeks of silence leave the ratio where it was; eight of twenty leave nothing to say."""
    fill(memory, actions(2), 40.0, 1.0)
    counted(memory, city, held)  # names the zones
    last = FIRST + dt.timedelta(weeks=104)
    silence = [last - dt.timedelta(weeks=n) for n in range(1, 9)]
    for weeks, status in ((4, files.OK), (8, files.SILENT)):
        for monday in silence[:weeks]:
            memory.execute("UPDATE cube SET n = 0 WHERE zone_carres = '1' AND hour >= ? AND "
                           "hour < ?", [monday, monday + dt.timedelta(weeks=1)])  # fmt: skip
        memory.execute("DELETE FROM grades_weekly")
        silent(memory, "faits", ["1"], silence[:weeks])
        found = files.files(memory, city, held.entries, done(), SECTORS, KNOBS, TODAY)
        one = found.to_pylist()[0]
        assert (one["status"], one["weeks"]) == (status, 20 - weeks)
        said = words.facts(one, told(held, city, found, [])).replace("\u00a0", " ")
        if status == files.OK:
            assert 0.85 < one["ratio"] < 1.15
            assert "en 16 semaines" in said
        else:
            assert one["ratio"] is None
            assert "12 semaines connues là des deux côtés, sur 20 demandées" in said


def test_a_short_period_is_two_halves_that_end_with_it(
    tmp_path: Path, memory: duckdb.DuckDBPyConnection, held: Held
) -> None:
    """Of 103 weeks, with 60 asked for: 51 and 51, the last one counted; silence is not invoked."""
    short = write_pack(tmp_path, CITY | {"period": PERIOD | {"end": "2024-12-22"}})
    fill(memory, actions(2), 40.0, 1.0)
    counted(memory, short, held)  # names the zones
    knobs = KNOBS.model_copy(update={"window_weeks": 60})
    one = files.files(memory, short, held.entries, done(), SECTORS, knobs, TODAY).to_pylist()[0]
    last = FIRST + dt.timedelta(weeks=103)
    expected = memory.execute(
        "SELECT sum(n) FROM cube WHERE zone_carres = '1' AND theme = 'bruit' AND hour >= ? "
        "AND hour < ?", [last - dt.timedelta(weeks=51), last],
    ).fetchone()  # fmt: skip
    assert (one["weeks"], (one["recent"],)) == (51, expected)
    told_of = told(held, short, files.FILES.empty_table(), [])
    said = words.facts(one, replace(told_of, knobs=knobs))
    assert "entendu" not in said
    assert "60 demandées" in said


def test_a_file_has_four_steps_and_says_who_does_what_by_when(
    city: City, memory: duckdb.DuckDBPyConnection, held: Held
) -> None:
    fill(memory, actions(2), 40.0, 1.0)
    found = counted(memory, city, held)
    judged = [verdict("ACT-001", "non_concluant") | {"reason": "too_few"},
              verdict("ACT-005", "effet")]  # fmt: skip
    title, text = words.sheet(found.to_pylist()[0], told(held, city, found, judged))
    steps = [text.index(f"## {n}. ") for n in (1, 2, 3, 4)]
    assert steps == sorted(steps)
    assert "<b>" not in to_html(title + text), "a zone's name is text"
    assert "- Hypothèse : éclairage." in text
    assert "| Élu | ACT-001 : médiation (prévention, 12 h par semaine) | du 01/03/2024 au " in text
    assert ("- ACT-001 : **non concluant** (sans chiffre : le carnet `impact` dit pourquoi)."
            ) in text  # fmt: skip
    assert ("- ACT-005 : **effet** (rapport 0,80, de 0,70 à 0,90), *exploratoire* : hypothèse "
            "changée après le début.") in text  # fmt: skip
    assert ("ACT-002 : rien à évaluer encore (refusée ; l'effet demandé n'est pas assez sûr d'être "
            "vu : pour l'être dans 80\u202f% des cas, il faudrait une baisse de 31\u202f%)"
            ) in text  # fmt: skip


def test_a_council_sees_its_sector_alone_and_what_waits(
    city: City, memory: duckdb.DuckDBPyConnection, held: Held
) -> None:
    fill(memory, actions(2), 40.0, 1.0)
    found = counted(memory, city, held)
    all_ = told(held, city, found, [])
    answers = {r["subject"]: r["answer"] for r in all_.decisions.to_pylist()}
    assert answers == {
        "PB-001": None, "PB-002": None, "PB-003": None, "ACT-001": council.APPROVED,
        "ACT-002": council.REFUSED, "ACT-003": council.WAITING, "ACT-004": council.LAPSED,
    }  # fmt: skip
    recent = {r["subject"] for r in all_.decisions.to_pylist() if r["recent"]}
    assert recent == {"ACT-002"}, "it was answered lately"
    north, south, whole = (words.meeting(s, all_)[1] for s in ("nord", "sud", None))
    assert ("PB-002" in north, "PB-001" in south) == (False, False)
    assert "ACT-003 (médiation), proposée le" in south
    assert "n'est pas l'effet de l'action" in south
    assert "PB-001" in whole
    assert "PB-002" in whole
    assert words.answer(all_).count("ACT-003") == 1


def test_an_action_is_of_the_zone_where_its_point_is(
    city: City, memory: duckdb.DuckDBPyConnection, held: Held
) -> None:
    """Led in the south for a problem of the north: the south sees it, with the facts of there."""
    fill(memory, actions(2), 40.0, 1.0)
    memory.execute("UPDATE cube SET zone_carres = '2' WHERE zone_carres = 'Q0'")
    found = counted(memory, city, held)
    rows = [one | ({"zone": "2", "sector": "sud"} if one["action"] == "ACT-001" else {})
            for one in done([verdict("ACT-001", "effet")]).to_pylist()]  # fmt: skip
    tasks = pa.Table.from_pylist(rows, schema=files.TASKS)
    away = files.elsewhere(memory, city, found, tasks, KNOBS)
    (one,) = away.to_pylist()
    assert (one["action"], one["zone"], one["sector"]) == ("ACT-001", "2", "sud")
    last = FIRST + dt.timedelta(weeks=104)
    plain = memory.execute(
        "SELECT sum(n) FROM cube WHERE zone_carres = '2' AND theme = 'bruit' AND hour >= ?",
        [last - dt.timedelta(weeks=20)],
    ).fetchone()
    assert (one["recent"],) == plain
    all_ = told(held, city, found, [], tasks, away)
    north, south = (words.meeting(s, all_)[1] for s in ("nord", "sud"))
    counts = f"2 : {words.facts(one, all_)}"
    here = "- **ACT-001**, menée ici pour un problème inscrit ailleurs (PB-001), Bruit"
    assert f"{here}, {counts}." in south
    said = "    - ACT-001 (médiation) : **effet** (rapport 0,80, de 0,70 à 0,90)."
    assert said in south
    assert f"{said} Menée dans une autre zone, {counts}." in north
    answered = {r["subject"]: r["sector"] for r in all_.decisions.to_pylist()}
    assert (answered["PB-001"], answered["ACT-001"]) == ("nord", "sud")
    text = words.sheet(found.to_pylist()[0], all_)[1]
    assert f"- ACT-001 est menée dans une autre zone, {counts}." in text


def test_a_sector_that_has_but_an_action_from_elsewhere_has_its_page(
    city: City, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    north = {"problem": "PB-001", "theme": "bruit", "zone": "1", "sector": "nord", "role": "elu",
             "taken_up": START, "review_on": END, "late": True, "fall": 0.2, "least_effect": 0.2,
             "hypotheses": [], "tried": [], "status": files.LEFT_OUT}  # fmt: skip
    away = {"action": "ACT-001", "problem": "PB-001", "theme": "bruit", "zone": "2",
            "sector": "sud", "status": files.LEFT_OUT}  # fmt: skip
    all_ = told(
        held, city, pa.Table.from_pylist([north], schema=files.FILES), [],
        away=pa.Table.from_pylist([away], schema=files.ELSEWHERE),
    )  # fmt: skip
    alone = replace(all_, decisions=all_.decisions.slice(0, 0))
    written: dict[str, list[str]] = {}

    def write(_: object, folder: str, held: dict[str, object]) -> list[str]:
        written[folder] = list(held)
        return written[folder]

    monkeypatch.setattr(printed, "write", write)
    pages.write(cast(Run, None), alone)
    assert written == {"dossiers": ["PB-001"], "conseil": ["ville", "nord", "sud"]}


def test_the_end_in_force_and_both_planned_doses_are_shown(
    city: City, memory: duckdb.DuckDBPyConnection, held: Held
) -> None:
    fill(memory, actions(2), 40.0, 1.0)
    found = counted(memory, city, held)
    changed = {"end_in_force": END + 60 * DAY, "renewals": 1, "told_planned_h": 14.5}
    rows = [one | changed for one in done().to_pylist() if one["action"] == "ACT-001"]
    tasks = pa.Table.from_pylist(rows, schema=files.TASKS)
    text = words.sheet(found.to_pylist()[0], told(held, city, found, [], tasks))[1]
    assert "12,0 h par semaine au registre, 14,5 h selon la source des actions) |" in text
    assert ("| du 01/03/2024 au 28/10/2024 (prolongée 1 fois ; fin le 29/08/2024 selon la source "
            "des actions) |") in text  # fmt: skip


def test_answers_to_proposals_are_counted_with_their_reasons(held: Held) -> None:
    for n, (code, reason) in enumerate(
        [("accepted", None), ("refused", "autre_priorite"), ("refused", "autre_priorite")]
    ):
        payload = {"kind": "recommendation", "verdict": code}
        held.add(TODAY, "direction", f"{n:019x}a", payload | ({"reason": reason} if reason else {}))
    found = council.answers(held.entries, TODAY).to_pylist()
    assert [(r["answer"], r["motive"], r["count"]) for r in found] == [
        ("accepted", None, 1), ("refused", "autre_priorite", 2),
    ]  # fmt: skip
    assert council.answers(held.entries, TODAY + DAY).num_rows == 0


def test_a_changed_proposal_is_told_with_both_numbers(held: Held, city: City) -> None:
    why = {"verdict": "changed", "reason": "moyens_insuffisants"}
    for n, numbers in enumerate([(40, 32), (40, 32), (18, 20)]):
        payload = {"kind": "recommendation", **why, **dict(zip(("proposed", "decided"), numbers,
                                                               strict=True))}  # fmt: skip
        held.add(TODAY, "direction", f"{n:019x}b", payload)
    held.add(TODAY, "direction", f"{9:019x}b", {"kind": "sizing", "measure": "barrieres", **why,
                                                "proposed": 30, "decided": 12})  # fmt: skip
    found = council.answers(held.entries, TODAY)
    here = replace(told(held, city, files.FILES.empty_table(), []), answers=found)
    text = words.answered(here).replace("\u00a0", " ").replace("\u202f", " ")
    told_lines = [line for line in text.splitlines() if "changé" in line]
    assert told_lines == [
        "- 1 recommandation changée (moyens insuffisants) : proposé 18 h d'équipe par semaine, "
        "décidé 20",
        "- 2 recommandations changées (moyens insuffisants) : proposé 40 h d'équipe par semaine, "
        "décidé 32",
        "- 1 dimensionnement changé (moyens insuffisants) : proposé 30 barrières, décidé 12",
    ]


def test_a_city_without_a_register_says_so(city: City) -> None:
    empty = words.Told(
        files.FILES.empty_table(), files.TASKS.empty_table(), files.ELSEWHERE.empty_table(),
        council.decisions([], {}, TODAY, TODAY), council.answers([], TODAY), city, {}, KNOBS, TODAY,
        False,
    )  # fmt: skip
    assert words.answer(empty) == words.overview(empty) == words.NO_REGISTER
