"""Codes and numbers told in French: what a comparison took into account, and what explains."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from helpers.core.stage import params
from helpers.core.stats import two_windows
from helpers.trends import criticality, explained_breaks, indicators, levels, milestones, words
from tests.fixtures.made_up import CITY, write_pack
from tests.fixtures.real import ROOT
from tests.fixtures.sentences import faults


def known(kind: str, n: int | None, milestone: str) -> dict[str, Any]:
    return {"kind": kind, "n": n, "milestone": milestone}


@pytest.mark.parametrize(
    ("remarks", "told"),
    [
        ([], ""),
        (
            [known("set_aside", 5, "Émeutes"), known("set_aside", 5, "Confinement")],
            "5\u00a0semaines à part (Émeutes, Confinement)",
        ),
        (
            [known("set_aside", 1, "Émeutes"), known("recording_corrected", None, "Outil"),
             known("recording_corrected", None, "Application")],
            "1\u00a0semaine à part (Émeutes) ; façon d'enregistrer corrigée (Outil) ; "
            "façon d'enregistrer corrigée (Application)",
        ),
        ([known("recording_unmeasured", None, "Outil")], ""),
        (
            [known("year_touched", 2019, "A"), known("year_touched", 2020, "A"),
             known("year_touched", 2020, "B")],
            "2019 touchée (A) ; 2020 touchée (A, B)",
        ),
    ],
)  # fmt: skip
def test_what_was_taken_into_account_is_told(remarks: list[dict[str, Any]], told: str) -> None:
    assert words.remark({"remarks": remarks}) == told


@pytest.mark.parametrize(
    ("one", "told"),
    [
        ({"kind": "milestone", "milestone": "Confinement"}, "Confinement"),
        ({"kind": "renamed", "code": "x", "other": "y"}, "« x » serait devenu « y »"),
        (
            {"kind": "vanished", "code": "x", "before": 68.24},
            "« x » n'arrive plus (68,2 par semaine avant)",
        ),
        ({"kind": "new", "code": "x", "after": 7}, "« x » est apparu (7,0 par semaine)"),
        (
            {"kind": "renamed", "code": "x", "other": "§2"},
            "« x » serait devenu un code nouveau n° 2",
        ),
    ],
)
def test_what_lies_near_a_break_is_told(one: dict[str, Any], told: str) -> None:
    assert words.explanation({"explanations": [one]}) == told
    assert words.explanation({"explanations": [one, one]}) == f"{told} ; {told}"
    assert words.explanation({"explanations": []}) == "inexpliquée"


def test_every_reason_has_its_words() -> None:
    """A code without words would stop an app at the day it first comes up."""
    codes = [
        two_windows.PAST, two_windows.MUTE, two_windows.FEW, milestones.UNMEASURED,
        criticality.NO_RATIO, indicators.ABSENT, indicators.NO_WEEK, indicators.NO_ZONE,
    ]  # fmt: skip
    remarks = [known(milestones.UNMEASURED, None, "Outil"), known(levels.CORRECTED, None, "B")]
    told = [words.reason({"reason": code, "remarks": remarks}, 30) for code in codes]
    assert len(set(told)) == len(codes)
    assert told[2] == "moins de 30 faits"
    assert told[3] == "moins de 13 semaines entendues avant ou après « Outil »"
    assert words.reason({"reason": ""}, 30) == ""


@pytest.mark.parametrize(
    ("rise", "fall", "told"),
    [
        (1.2, 0.8, "décelable à partir de +20,0\u00a0% ou de −20,0\u00a0%"),
        (3.0, None, "décelable à partir de +200,0\u00a0% ; aucune baisse ne le serait"),
        (None, 0.5, "décelable à partir de −50,0\u00a0% ; aucune hausse ne le serait"),
        (None, None, "aucun changement ne serait décelable"),
    ],
)
def test_what_would_be_seen_is_told_both_ways(
    rise: float | None, fall: float | None, told: str
) -> None:
    assert words.detectable(rise, fall).replace("\u202f", "\u00a0") == told


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (dt.date(2024, 6, 3), dt.date(2024, 6, 3), ""),
        (dt.date(2024, 6, 3), dt.date(2024, 6, 10), " (semaines du 3 au 10 juin 2024)"),
        (dt.date(2024, 5, 6), dt.date(2024, 10, 7), " (semaines du 6 mai au 7 octobre 2024)"),
        (dt.date(2023, 12, 4), dt.date(2024, 6, 3),
         " (semaines du 4 décembre 2023 au 3 juin 2024)"),
    ],
)  # fmt: skip
def test_a_break_is_dated_by_its_interval(first: dt.date, last: dt.date, told: str) -> None:
    row = {"week": dt.date(2024, 6, 3), "first": first, "last": last}
    assert words.dated(row) == f"vers le 3 juin 2024{told}"


def a_break(theme: str | None, week: dt.date, *explanations: dict[str, Any]) -> dict[str, Any]:
    """Return a row of BREAKS, dated to the week and the one after."""
    return {"source": "faits", "theme": theme, "week": week, "first": week,
            "last": week + dt.timedelta(weeks=1), "ratio": 0.9, "low": 0.85, "high": 0.95,
            "p": 0.001, "explanations": list(explanations)}  # fmt: skip


def answer(folder: Path, breaks: list[dict[str, Any]], doubted: str = "") -> list[str]:
    """Return the lines of the answer for one theme, in a city whose tool changed on 1 October."""
    about = copy.deepcopy(CITY)
    about["milestones"] = [{"title": "Changement d'outil", "start": "2024-10-01",
                            "sources": ["faits"], "told_by": "service"}]  # fmt: skip
    city = write_pack(folder, city=about)
    row = {"theme": "bruit", "division": "carres", "zone": "ville", "step": "week", "recent": 900,
           "before": 900, "level": 17.0, "ratio": 1.0, "low": 0.95, "high": 1.05, "p": 0.9,
           "detectable": 1.1, "detectable_fall": 0.9, "label": "stable", "remarks": [],
           "status": "ok", "reason": ""}  # fmt: skip
    table = pa.Table.from_pylist([row], schema=levels.SCHEMA)
    found = pa.Table.from_pylist(breaks, schema=explained_breaks.BREAKS)
    lost = {"bruit": doubted} if doubted else {}
    text = words.in_words(table, found, lost, city, params.knobs("trends", ROOT), lost)
    assert faults(text) == []
    return text.splitlines()


def test_a_code_that_changed_its_name_is_told_once_in_a_line(tmp_path: Path) -> None:
    renamed = {"kind": "renamed", "code": "squat", "other": "§3"}
    lost = (
        "« squat » serait devenu un code nouveau n° 3 : depuis juin, ces faits manquent au compte"
    )
    line = answer(tmp_path, [a_break("bruit", dt.date(2024, 6, 3), renamed)], lost)[0]
    assert line.count("squat") == 1
    assert ") : le changement de code qui suit ; « squat » serait devenu" in line


@pytest.mark.parametrize(
    ("week", "told"),
    [
        (dt.date(2024, 9, 9), "Au plus près, hors de ces semaines : Changement d'outil (1er "
                              "octobre 2024)."),
        (dt.date(2024, 3, 4), "Que s'est-il passé ?"),
    ],
)  # fmt: skip
def test_a_break_that_nothing_explains_names_what_it_just_misses(
    week: dt.date, told: str, tmp_path: Path
) -> None:
    lines = answer(tmp_path, [a_break(None, week)])
    assert any(line.endswith(f"(de −15,0\u202f% à −5,0\u202f%). {told}") for line in lines), lines
