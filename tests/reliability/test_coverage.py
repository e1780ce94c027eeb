"""What is not covered, or was set aside here, is missing: no zero, and no silence of the source."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.core.base.errors import PhareError
from helpers.core.city import coverage
from helpers.core.place_time.heard import heard_days
from helpers.core.stage import params
from helpers.hotspots import cells
from helpers.reliability import drift, grades, set_aside, silence, silence_words
from helpers.situation import alerts
from helpers.situation import levels as situation_levels
from helpers.trends.weekly_series import Weeks, counted_weeks
from tests.fixtures.made_up import FACTS, build_made_up, fact, write_pack
from tests.fixtures.real import ROOT, Built
from tests.fixtures.tables import nothing_late

RELIABILITY, SITUATION = (params.knobs(name, ROOT) for name in ("reliability", "situation"))
START, DAYS = dt.date(2024, 1, 1), 366
SPRING = dt.date(2024, 4, 1)


def daily(*, nature: str = "tapage", zones: str = "AB", each: int = 8, first: int = 0,
          last: int = DAYS, bad: range = range(0), wrong: dict[str, str] | None = None,
          ) -> list[dict[str, str]]:  # fmt: skip
    """Return so many facts a day in each of the squares; those of days `bad` changed by `wrong`."""
    rows = []
    for day in range(first, last):
        when = dt.datetime.combine(START + dt.timedelta(days=day), dt.time(12))
        for zone in zones:
            for i in range(each):
                row = fact(len(rows), nature=nature, lon="", lat="", carre=zone,
                           debut=(when + dt.timedelta(minutes=i)).isoformat())  # fmt: skip
                row["id"] = f"{nature}{zone}{len(rows)}"
                rows.append(row | ((wrong or {}) if day in bad else {}))
    return rows


def made(folder: Path, rows: list[dict[str, str]], *covers: dict[str, Any]) -> Built:
    return build_made_up(folder, rows, facts={**FACTS, "covers": list(covers)})


def opened(built: Built) -> Any:
    """Return a connection with what reliability leaves."""
    con = built.connect()
    days, _ = silence.find(con, built.city, RELIABILITY)
    con.register("days", days)
    con.register("weeks", grades.weeks(con, built.city, days))
    nothing_late(con)
    return con


def nothing_odd(con: Any) -> None:
    """Make what the situation reads beside: nothing late, odd or recorded anew."""
    con.execute("CREATE TABLE delays (source VARCHAR, days BIGINT, in_hand DOUBLE)")
    con.execute("CREATE TABLE extraordinary (day DATE, theme VARCHAR, zone VARCHAR)")
    con.execute(
        "CREATE TABLE recorded (source VARCHAR, milestone VARCHAR, start DATE, ratio DOUBLE, "
        "low DOUBLE, high DOUBLE, status VARCHAR)"
    )
    con.execute(
        "CREATE TABLE breaks (theme VARCHAR, week DATE, "
        "explanations STRUCT(kind VARCHAR, code VARCHAR, other VARCHAR)[])"
    )


def of(built: Built, theme: str = "bruit") -> coverage.Uncovered:
    return coverage.of_theme(built.city, theme, "carres")


def test_days_that_are_not_covered_by_category_zone_and_span(tmp_path: Path) -> None:
    built = made(
        tmp_path, [fact(1)],
        {"categories": ["petard"], "from": "2024-02-01"},
        {"division": "carres", "zones": ["C"], "until": "2024-06-30"},
        {"division": "carres", "zones": ["C"], "from": "2024-08-01"},
    )  # fmt: skip
    noise, waste = of(built), of(built, "depots")
    assert (len(noise.everywhere), len(waste.everywhere)) == (31, 0)
    assert len(waste.of("C")) == len(waste.city) == 31
    assert waste.of("A") == frozenset()
    assert len(noise.of("C")) == 62


@pytest.mark.parametrize(
    ("cover", "said"),
    [
        ({"categories": ["tapages"], "from": "2024-02-01"}, "catégories inconnues"),
        ({"categories": ["tapage"]}, "depuis quand"),
        ({"from": "2024-03-01", "until": "2024-02-01"}, "précède"),
        ({"zones": ["A"], "from": "2024-02-01"}, "va avec sa `division`"),
        ({"division": "carre", "zones": ["A"], "from": "2024-02-01"}, "covers.division"),
        ({"division": "carres", "zones": ["Z"], "from": "2024-02-01"}, "covers.zones"),
    ],
)
def test_a_cover_that_covers_nothing_is_refused(
    cover: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(PhareError, match=said):
        made(tmp_path, [fact(1)], cover)


def test_a_source_that_starts_late_was_not_silent_before(tmp_path: Path) -> None:
    built = made(tmp_path, daily(first=91), {"from": "2024-04-01"})
    con = opened(built)
    days, series = silence.find(con, built.city, RELIABILITY)
    gone = [row for row in days.to_pylist() if row["status"] == "missing"]
    assert {row["reason"] for row in gone if row["division"] == "ville"} == {"not_covered"}
    assert sum(row["division"] == "ville" for row in gone) == 91
    counted = [{"source": "faits", "accepted": 9, "duplicates": 0, "replaced": 0,
                "quarantined": {}, "rows_in": 9, "faults": 0}]  # fmt: skip
    (row,) = grades.grades(con, built.city, counted, RELIABILITY)
    assert (row["missing"], row["mute_since"]) == (0.0, None)
    said = silence_words.silences(days, series, {"faits": "Faits"}, built.city, {})
    said = said.replace("\u00a0", " ")
    assert "91 jours manquants que la source ne couvre pas, ou ne sait pas dater (contrat)" in said
    weeks = counted_weeks(con, built.city, "bruit")["ville"]
    assert all((n is None) == (monday < SPRING) for monday, n in weeks)
    con.close()


def test_a_source_that_has_ended_is_not_mute(tmp_path: Path) -> None:
    built = made(tmp_path, daily(last=300), {"until": "2024-10-26"})
    con = opened(built)
    counted = [{"source": "faits", "accepted": 9, "duplicates": 0, "replaced": 0,
                "quarantined": {}, "rows_in": 9, "faults": 0}]  # fmt: skip
    (row,) = grades.grades(con, built.city, counted, RELIABILITY)
    assert (row["missing"], row["mute_since"]) == (0.0, None)
    con.close()


def test_a_category_that_starts_makes_its_theme_missing_before(tmp_path: Path) -> None:
    """Noise is two categories: before the second one is told, their sum is not known."""
    rows = daily() + daily(nature="petard", first=91) + daily(nature="depot")
    built = made(tmp_path, rows, {"categories": ["petard"], "from": "2024-04-01"})
    con = opened(built)
    weeks = Weeks(con, built.city, 10, 0.9)
    noise, waste = (weeks.of(theme, "carres") for theme in ("bruit", "depots"))
    assert noise is not None
    assert waste is not None
    before = np.array([monday < SPRING for monday in noise.mondays])
    assert not noise.exposure[:, before].any()
    assert (noise.exposure[0, ~before] > 0).all()
    assert (waste.exposure > 0).all()
    assert not cells.covered(built.city, "bruit", 365)
    assert cells.covered(built.city, "bruit", 270)
    assert cells.covered(built.city, "depots", 365)
    heard = heard_days(con, ["faits"], START, dt.date(2025, 1, 1), of(built).city)
    assert min(heard) == SPRING
    con.close()


def test_a_zone_that_ended_is_missing_in_the_situation_and_makes_no_alert(tmp_path: Path) -> None:
    built = made(
        tmp_path, daily(zones="A") + daily(zones="B", last=350),
        {"division": "carres", "zones": ["B"], "until": "2024-12-15"},
    )  # fmt: skip
    con = opened(built)
    nothing_odd(con)
    rows = {
        row["zone"]: row
        for row in situation_levels.assess(con, built.city, "bruit", "carres", 7, SITUATION)
    }
    assert (rows["B"]["n"], rows["B"]["status"], rows["B"]["reason"]) == (
        None, "missing", "not_covered",
    )  # fmt: skip
    assert rows["ville"]["status"] == "missing"
    assert (rows["A"]["n"], rows["A"]["status"]) == (56, "ok")
    judged = {
        (r["zone"], r["period_days"]): r
        for r in alerts.find(con, built.city, SITUATION).to_pylist()
        if r["theme"] == "bruit"
    }
    assert judged["B", 7]["status"] == judged["ville", 7]["status"] == "missing"
    assert judged["A", 7]["status"] == "ok"
    con.close()


@pytest.mark.parametrize(
    "wrong",
    [{"nature": "inconnue"}, {"nombre": "mille"}, {"debut": "12 h"}],
    ids=["code", "count", "illegible day"],
)
def test_rows_set_aside_here_are_not_the_sources_silence(
    wrong: dict[str, str], tmp_path: Path
) -> None:
    built = build_made_up(tmp_path, daily(bad=range(100, 107), wrong=wrong))
    con = opened(built)
    days, series = silence.find(con, built.city, RELIABILITY)
    told = set_aside.explained(days, set_aside.by_day(con, built.city, built.out))
    gone = [r for r in told.to_pylist() if r["status"] == "missing" and r["division"] == "ville"]
    assert len(gone) == 7
    assert {row["reason"] for row in gone} == {"set_aside"}
    said = silence_words.silences(told, series, {"faits": "Faits"}, built.city, {})
    assert "ont été écartées ici (source non muette)" in said
    con.close()


def test_days_that_never_came_stay_the_sources_silence(tmp_path: Path) -> None:
    rows = [r for r in daily() if not "2024-04-10" <= r["debut"][:10] <= "2024-04-16"]
    rows[0] = rows[0] | {"nature": "inconnue"}
    built = build_made_up(tmp_path, rows)
    con = opened(built)
    days, _ = silence.find(con, built.city, RELIABILITY)
    told = set_aside.explained(days, set_aside.by_day(con, built.city, built.out))
    gone = [r for r in told.to_pylist() if r["status"] == "missing" and r["division"] == "ville"]
    assert {row["reason"] for row in gone} == {"nothing_received"}
    con.close()


@pytest.mark.parametrize("lon", ["2.186.949", "est", "5°22'"])
def test_a_fact_whose_place_cannot_be_read_is_still_a_fact(lon: str, tmp_path: Path) -> None:
    """As a spreadsheet leaves it: « 2.186.949 » for 2,186949."""
    built = build_made_up(tmp_path, [fact(1, lon=lon), fact(2, lon=lon, carre="B"), fact(3)])
    assert built.fates["faits"] == {"accepted": 3}
    found = built.rows(
        "SELECT place_precision, zone_carres, count(*) FROM observations GROUP BY ALL ORDER BY ALL"
    )
    assert found == [("none", "no_place", 1), ("point", "A", 1), ("zone", "B", 1)]
    path = built.out / "accepted/faits.parquet"
    assert built.rows(f"SELECT remark, count(*) FROM '{path}' GROUP BY ALL ORDER BY ALL") == [
        ("lieu_illisible:lon", 2), (None, 1),
    ]  # fmt: skip


def test_required_coordinates_are_still_required(tmp_path: Path) -> None:
    lon = {**FACTS["fields"]["lon"], "required": True}
    facts = {**FACTS, "fields": {**FACTS["fields"], "lon": lon}}
    assert write_pack(tmp_path, facts=facts).contracts["faits"].fields["lon"].required
    built = build_made_up(tmp_path, [fact(1, lon="est")], facts=facts)
    assert built.fates["faits"] == {"illisible:lon": 1}


def test_a_field_may_be_called_by_a_word_of_sql(tmp_path: Path) -> None:
    """« any » is a year in Barcelona; « jour du fait » has blanks: rows set aside are read too."""
    form = {"type": "date", "required": True, "format": "%d/%m/%Y"}
    for i, name in enumerate(("any", "order", "jour du fait")):
        contract = copy.deepcopy(FACTS)
        contract["fields"][name] = {**form, "column": "debut"}
        del contract["fields"]["debut"]
        contract["observation"]["started_at"] = name
        rows = [fact(1, debut="01/02/2024"), fact(2, debut="01/02/2024", nature="?")]
        built = build_made_up(tmp_path / str(i), rows, facts=contract)
        con = opened(built)
        told = set_aside.by_day(con, built.city, built.out)
        assert told == {"faits": {dt.date(2024, 2, 1): 1}}
        drift.weekly_texts(con, built.city.contracts["faits"], built.out, "UTC", "nature")
        con.close()


def test_days_written_for_an_unknown_one_are_no_silence(tmp_path: Path) -> None:
    """The first of each month stands for a day that is not known: no fact is ever dated there."""
    contract = copy.deepcopy(FACTS)
    contract["observation"]["unknown_day"] = ["01"]
    built = build_made_up(tmp_path, daily(), facts=contract)
    con = opened(built)
    days, _ = silence.find(con, built.city, RELIABILITY)
    gone = [r for r in days.to_pylist() if r["status"] == "missing" and r["division"] == "ville"]
    assert {(r["day"].day, r["reason"]) for r in gone} == {(1, "not_covered")}
    assert len(gone) == 12
    counted = grades.accounts(built.city, built.out)
    (row,) = (r for r in grades.grades(con, built.city, counted, RELIABILITY)
              if r["source"] == "faits")  # fmt: skip
    assert (row["missing"], row["silent_weeks"], row["mute_since"]) == (0.0, 0, None)
    con.close()
