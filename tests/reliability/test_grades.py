"""Silence told apart from calm, grades from bounds, and accounts that add up."""

from __future__ import annotations

import copy
import datetime as dt
import statistics
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from helpers.core.base import store
from helpers.core.stage import figure, params, standing
from helpers.reliability import decay, drift, figures, silence, weekly_grades, words
from helpers.reliability import grades as reliability_grades
from tests.fixtures.made_up import FACTS, build_made_up, fact, middle
from tests.fixtures.real import ROOT, Built, read_csv

KNOBS = params.knobs("reliability", ROOT)
AMERICAN = "%m/%d/%Y %I:%M:%S %p"


def views(built: Built) -> duckdb.DuckDBPyConnection:
    con = store.connect()
    for name in ("cube", "observations", "zones"):
        store.view(con, name, built.out / f"{name}.parquet")
    days, _ = silence.find(con, built.city, KNOBS)
    con.register("days", days)
    con.register("weeks", reliability_grades.weeks(con, built.city, days))
    return con


@pytest.fixture(scope="module")
def crime(shared: Path) -> list[dict[str, str]]:
    return read_csv(shared / "denver/crime.csv.gz")


def test_denvers_weeks_hold_the_counts_of_a_plain_count(
    denver: Built, crime: list[dict[str, str]]
) -> None:
    days: Counter[dt.date] = Counter()
    for row in crime:
        days[dt.datetime.strptime(row["FIRST_OCCURRENCE_DATE"].split()[0], "%m/%d/%Y").date()] += 1
    first, last = dt.date(2018, 1, 1), dt.date(2019, 6, 10)
    mondays = [first + dt.timedelta(7 * i) for i in range((last - first).days // 7 + 1)]
    con = views(denver)
    found = con.execute("SELECT week, n, status FROM weeks ORDER BY week").fetchall()
    assert [row[0] for row in found] == mondays
    usual = statistics.median(days[first + dt.timedelta(i)] for i in range(533))
    for monday, n, status in found:
        counts = [days[monday + dt.timedelta(i)] for i in range(7)]
        assert n == sum(counts)
        if sum(counts) <= 0.05 * 7 * usual:
            assert status == "missing", monday
        if min(counts) >= 0.25 * usual:
            assert status == "ok", monday


def test_denvers_gap_of_2018_is_missing(denver: Built) -> None:
    """The publisher's extract is nearly empty from August to November 2018."""
    con = views(denver)
    found = con.execute("SELECT day FROM days WHERE status = 'missing' AND zone = 'ville'")
    silent = {row[0] for row in found.fetchall()}
    gap = {dt.date(2018, 7, 30) + dt.timedelta(i) for i in range(18 * 7)}
    assert len(gap - silent) <= 3
    weeks = con.execute("SELECT week FROM weeks WHERE status = 'missing'").fetchall()
    assert {day - dt.timedelta(day.weekday()) for day in gap} <= {row[0] for row in weeks}
    for whole in (dt.date(2018, 1, 1), dt.date(2018, 3, 26), dt.date(2019, 1, 7)):
        assert (whole,) not in weeks


def test_a_dead_day_makes_its_week_missing_and_is_counted(tmp_path: Path) -> None:
    start = dt.date(2024, 1, 1)
    dead = {70, *range(140, 147)}
    rows = [
        fact(100 * day + i, debut=f"{start + dt.timedelta(day)}T12:00:00")
        for day in range(364)
        for i in range(0 if day in dead else 20)
    ]
    con = views(build_made_up(tmp_path, rows))
    found = con.execute(
        "SELECT week, n, missing_days FROM weeks WHERE status = 'missing' ORDER BY week"
    ).fetchall()
    # The period goes on for two days after the last fact, beyond its last full week.
    assert found == [(start + dt.timedelta(70), 120, 1), (start + dt.timedelta(140), 0, 7)]
    assert con.execute("SELECT count(*) FROM weeks").fetchall() == [(52,)]


def test_yearly_source_has_no_weeks(open_marseille: Built) -> None:
    con = views(open_marseille)
    assert con.execute("SELECT DISTINCT source FROM weeks").fetchall() == [("accidents",)]


@pytest.mark.parametrize(
    ("value", "grade"), [(1.0, "A"), (0.95, "A"), (0.949, "B"), (0.9, "B"), (0.7, "C"), (0.1, "D")]
)
def test_letter_of_a_share(value: float, grade: str) -> None:
    assert reliability_grades.letter(value, [0.95, 0.9, 0.7], more_is_better=True) == grade


@pytest.mark.parametrize(
    ("value", "grade"), [(0, "A"), (2, "A"), (2.01, "B"), (7, "B"), (30, "C"), (31, "D")]
)
def test_letter_of_a_delay(value: float, grade: str) -> None:
    assert reliability_grades.letter(value, [2, 7, 30], more_is_better=False) == grade


@pytest.mark.parametrize("name", ["denver", "open_marseille"])
def test_accounts_add_up_to_the_files(
    name: str, shared: Path, request: pytest.FixtureRequest
) -> None:
    built: Built = request.getfixturevalue(name)
    folder = shared / built.city.about.name.removesuffix("_ouvert")
    accounts = {row["source"]: row for row in reliability_grades.accounts(built.city, built.out)}
    assert set(accounts) == set(built.city.about.sources)
    for source, delivery in built.city.about.sources.items():
        one = accounts[source]
        apart = ("accepted", "duplicates", "replaced", "out_of_period")
        fates = [sum(one["quarantined"].values()), *(one[fate] for fate in apart)]
        assert sum(fates) == one["rows_in"]
        if not delivery.file.endswith("geojson"):
            assert one["rows_in"] == len(read_csv(folder / delivery.file)), source


def test_accounts_tell_duplicates_from_faults(tmp_path: Path) -> None:
    rows = [fact(1), fact(1), fact(1), fact(2, debut="hier"), fact(3, nombre="99"), fact(4)]
    built = build_made_up(tmp_path, rows)
    one = next(
        r for r in reliability_grades.accounts(built.city, built.out) if r["source"] == "faits"
    )
    assert one == {
        "source": "faits",
        "rows_in": 6,
        "accepted": 2,
        "quarantined": {"illisible:debut": 1, "hors_bornes:nombre": 1},
        "duplicates": 2,
        "replaced": 0,
        "out_of_period": 0,
        "faults": 2,
    }


def grades_of(built: Built) -> dict[str, dict[str, Any]]:
    con = views(built)
    counted = reliability_grades.accounts(built.city, built.out)
    return {
        row["source"]: row for row in reliability_grades.grades(con, built.city, counted, KNOBS)
    }


def test_denvers_grade_is_measured_on_the_file(denver: Built, crime: list[dict[str, str]]) -> None:
    zone = ZoneInfo("America/Denver")

    def instant(text: str) -> dt.datetime:
        local = dt.datetime.strptime(text, AMERICAN).replace(tzinfo=zone, second=0)
        return local.astimezone(dt.UTC)

    kept = denver.city.about.period  # the facts outside of it are counted apart
    began = [dt.datetime.strptime(row["FIRST_OCCURRENCE_DATE"], AMERICAN).date() for row in crime]
    crime = [r for r, day in zip(crime, began, strict=True) if kept.start <= day <= kept.end]
    delays = [
        (
            instant(row["REPORTED_DATE"])
            - instant(row["LAST_OCCURRENCE_DATE"] or row["FIRST_OCCURRENCE_DATE"])
        ).total_seconds()
        / 86400
        for row in crime
    ]
    one = grades_of(denver)["crime"]
    assert one["delay_days"] == pytest.approx(statistics.median(delays), abs=0.0011)
    located = sum(bool(row["GEO_LON"] and row["GEO_LAT"]) for row in crime) / len(crime)
    assert one["located"] == pytest.approx(located, abs=1e-6)
    assert one["valid"] == 1.0
    assert one["missing"] == pytest.approx(0.3, abs=0.05)
    assert (one["grade"], one["mute_since"]) == ("C", None)


def test_grade_is_the_worst_of_its_parts(tmp_path: Path) -> None:
    """Ten rows: one broken (90 % valid: C) and all of the others placed (A)."""
    rows = [fact(i) for i in range(9)] + [fact(9, debut="hier")]
    one = grades_of(build_made_up(tmp_path, rows))["faits"]
    assert (one["valid"], one["located"], one["delay_days"]) == (0.9, 1.0, None)
    assert (one["valid_grade"], one["located_grade"], one["delay_grade"]) == ("C", "A", None)
    assert one["grade"] == "C"
    told = words.why(one)
    assert (
        "90,0\u202f% de lignes valides (C) ; 100,0\u202f% d'enregistrements localisés (A)" in told
    )
    assert "délai" not in told


def test_places_unknown_bring_the_grade_down(tmp_path: Path) -> None:
    rows = [fact(i) for i in range(6)] + [fact(6 + i, lon="", lat="") for i in range(4)]
    one = grades_of(build_made_up(tmp_path, rows))["faits"]
    assert (one["located"], one["grade"]) == (0.6, "D")


def test_a_source_declared_by_zone_is_located_by_its_zones(tmp_path: Path) -> None:
    """It has no point to give: its zone is its place, and the words say so."""
    facts = copy.deepcopy(FACTS)
    for name in ("longitude", "latitude"):
        del facts["observation"][name], facts["fields"][name[:3]]
    rows = [fact(i, carre="B" if i < 6 else "") for i in range(10)]
    con = views(built := build_made_up(tmp_path, rows, facts=facts))
    one = grades_of(built)["faits"]
    assert (one["located"], one["located_grade"]) == (0.6, "D")
    assert "60,0\u202f% d'enregistrements localisés à leur zone" in words.why(one)
    weekly_grades.measure(con, built.city)
    week = con.execute("SELECT located FROM measured WHERE zone = 'ville' AND n > 0").fetchall()
    assert week == [(0.6,)]


def test_what_lies_out_of_the_period_is_apart_whether_valid_or_not(tmp_path: Path) -> None:
    """Nine sound rows and a broken one of the period (2024), among rows of another year."""
    rows = [fact(i) for i in range(9)] + [fact(9, nature="inconnu")]
    rows += [fact(100 + i, debut="2020-07-01T12:00:00") for i in range(5)]
    rows += [fact(200 + i, debut="2020-07-01T12:00:00", nature="inconnu") for i in range(4)]
    rows += [fact(0), fact(100, debut="2020-07-01T12:00:00")]  # word for word
    built = build_made_up(tmp_path, rows)
    one = next(
        row for row in reliability_grades.accounts(built.city, built.out)
        if row["source"] == "faits"
    )  # fmt: skip
    fates = (one["accepted"], one["out_of_period"], one["duplicates"], one["replaced"])
    assert fates == (9, 5, 2, 0)
    assert one["quarantined"] == {"hors_liste:nature": 5}
    assert one["rows_in"] == len(rows) == sum(fates) + 5
    assert grades_of(built)["faits"]["valid"] == 0.9


def test_rows_outside_the_contracts_scope_are_no_fault(open_marseille: Built) -> None:
    """Samples of 2015 and 2020 are set aside by rule, not for being broken."""
    grades = grades_of(open_marseille)
    assert grades["accidents"]["valid"] == 1.0
    assert grades["accidents"]["located"] == pytest.approx(1935 / 2483, abs=1e-6)
    assert grades["accidents"]["grade"] == "C"
    facts = grades["faits_par_service"]
    assert facts["valid"] == pytest.approx(26784 / 26964, abs=1e-6)
    assert facts["located"] is None


def test_badge_is_the_worst_grade_of_the_sources_named(
    memory: duckdb.DuckDBPyConnection,
) -> None:
    memory.execute("CREATE TABLE grades AS SELECT * FROM (VALUES ('a', 'A'), ('b', 'C'), "
                   "('c', 'D')) t(source, grade)")  # fmt: skip
    assert standing.badge(memory, ["a"]) == "fiabilité A"
    assert standing.badge(memory, ["a", "b"]) == "fiabilité C"


def test_table_of_grades_keeps_every_number(denver: Built) -> None:
    con = views(denver)
    counted = reliability_grades.accounts(denver.city, denver.out)
    found = reliability_grades.grades(con, denver.city, counted, KNOBS)
    table = {row["source"]: row for row in reliability_grades.as_table(found, counted).to_pylist()}
    outside = denver.fates["crime"]["hors_periode"]
    assert table["crime"]["rows_in"] == table["crime"]["accepted"] + outside == 49_089
    assert table["crime"]["silent_weeks"] >= 10
    assert table["neighborhoods"]["located"] is None
    titles = {name: contract.title for name, contract in denver.city.contracts.items()}
    assert f"{table['crime']['silent_weeks']}\u00a0semaines muettes" in words.grades(
        found, titles, NO_WEEK, drifts([])
    )


def test_one_silent_week_is_told_in_the_singular() -> None:
    measured = {f"{name}_grade": None for name in reliability_grades.MEASURES}
    row = {"source": "a", "grade": "A", "silent_weeks": 1, "zoned": False, **measured}
    assert words.grades([row], {"a": "A"}, NO_WEEK, drifts([])).endswith("1\u00a0semaine muette.")


def test_a_feed_that_died_says_since_when(tmp_path: Path) -> None:
    start = dt.date(2024, 1, 1)
    rows = [
        fact(100 * day + i, debut=f"{start + dt.timedelta(day)}T12:00:00")
        for day in range(365)
        for i in range(20)
    ]
    one = grades_of(build_made_up(tmp_path, rows))["faits"]
    assert one["mute_since"] == dt.date(2024, 12, 31)
    assert one["missing"] == pytest.approx(1 / 366, abs=1e-6)


# --- Week by week, zone by zone ------------------------------------------------------------------


NO_WEEK = pa.table(
    {name: pa.array([], pa.string()) for name in ("source", "division", "week", "grade")}
)


def drifts(rows: list[tuple[Any, ...]]) -> pa.Table:
    """Return the drifts of source `faits`: field, week, kind, code, other, counted."""
    names = ("field", "week", "kind", "code", "other", "counted")
    told = [{"source": "faits", **dict(zip(names, row, strict=True))} for row in rows]
    return pa.Table.from_pylist(told, schema=drift.DRIFT)


def graded(con: duckdb.DuckDBPyConnection, built: Built, **events: Any) -> list[dict[str, Any]]:
    """Return the weekly grades, with the nowcast, drifts and breaks given."""
    con.execute(
        "CREATE TABLE nowcast (source VARCHAR, division VARCHAR, week DATE, share_in DOUBLE)"
    )
    con.register("drift", events.pop("table", None) or drifts(events.pop("drift", [])))
    con.register("decay", events.pop("decay", None) or decay.DECAY.empty_table())
    con.execute("CREATE TABLE breaks (source VARCHAR, division VARCHAR, zone VARCHAR, week DATE, "
                "first DATE, last DATE, kind VARCHAR, status VARCHAR)")  # fmt: skip
    for table, rows in events.items():
        marks = ", ".join("?" for _ in rows[0])
        con.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    weekly_grades.read_faults(con, built.city, built.out)
    weekly_grades.measure(con, built.city)
    found: list[dict[str, Any]] = weekly_grades.grade(con, built.city, KNOBS).to_pylist()
    return found


@pytest.fixture
def a_year(tmp_path: Path) -> Built:
    """Twenty facts a day in square A, three in B; a week dead, one badly placed, one faulty.

    They lie ten metres apart: a point that comes back often would be a default point.
    """
    start = dt.date(2024, 1, 1)
    rows = []
    for day in range(366):
        week, when = day // 7, f"{start + dt.timedelta(day)}T12:00:00"
        for i in range(0 if week == 10 else 23):
            lon, lat = middle("A" if i < 20 else "B")
            place = {
                "lon": f"{lon + (day % 40 - 20) * 1.3e-4:.6f}",
                "lat": f"{lat + (i % 20 - 10) * 1e-4:.6f}",
            }
            if week == 20 and i < 10:
                place = {"lon": "", "lat": "", "carre": "A"}
            if week == 30 and i < 4:
                place |= {"nombre": "99"}
            rows.append(fact(100 * day + i, debut=when, **place))
    return build_made_up(tmp_path, rows)


def test_each_week_of_each_zone_is_graded_with_its_reasons(a_year: Built) -> None:
    start = dt.date(2024, 1, 1)
    con = views(a_year)
    at = [start + dt.timedelta(weeks=i) for i in range(52)]
    moved = [("nature", at[40], "renamed", "x", "y", True),
             ("etat", at[42], "renamed", "x", "z", False)]  # fmt: skip
    rows = graded(
        con, a_year,
        nowcast=[("faits", "ville", at[51], 0.85)],
        drift=moved,
        breaks=[("faits", "carres", "B", at[45], at[44], at[46], "step", "ok"),
                ("faits", "carres", "B", at[48], at[46], at[49], "step", "ok"),
                ("faits", "carres", "B", at[20], at[0], at[40], "drift", "ok")],
    )  # fmt: skip
    found = {(r["division"], r["zone"], at.index(r["week"])): r for r in rows}
    assert len(rows) == len(found) == 52 * (1 + 2 + 2)
    grades = {week: found["ville", "ville", week]["grade"] for week in range(52)}
    assert {w: g for w, g in grades.items() if g != "A"} == {
        10: "D", 20: "D", 30: "D", 40: "C", 51: "C"
    }  # fmt: skip
    told = words.weeks(pa.Table.from_pylist(rows), drifts(moved))
    reasons = {w: told["faits", at[w]] for w in (0, 10, 20, 30, 40, 42, 51)}
    assert reasons[0] == reasons[42] == ""
    assert reasons[10] == "7 j manquants sur 7 (D)"
    assert reasons[20] == "56,5\u202f% localisés (D)"
    assert reasons[30] == "82,6\u202f% de lignes valides (D)"
    assert reasons[40] == "« x » serait devenu « y » (C)"
    assert reasons[51] == "85,0\u202f% déjà saisis (C)"
    assert [found["carres", "B", w]["grade"] for w in range(43, 51)] == [*"ACCCCCCA"]
    near = [found["carres", "B", w]["break_week"] for w in range(44, 50)]
    assert near == [at[45], at[45], at[45], at[48], at[48], at[48]], "a week is told once"
    broken = found["carres", "B", 45]
    assert (broken["break_grade"], broken["break_week"]) == ("C", dt.date(2024, 11, 11))
    assert words.week(broken, []) == "rupture de volume vers le 11/11/2024 (C)"
    assert broken["drift_grade"] is None


def test_a_code_that_is_not_mapped_keeps_the_grade_down(a_year: Built) -> None:
    start = dt.date(2024, 1, 1)
    at = [start + dt.timedelta(weeks=i) for i in range(52)]
    for mapped, last in ((True, 40), (False, 51)):
        moved = drifts([("nature", at[40], "renamed", "x", "§1", True)])
        moved = moved.set_column(moved.schema.get_field_index("mapped"), "mapped",
                                 pa.array([mapped]))  # fmt: skip
        con = views(a_year)
        rows = graded(con, a_year, table=moved)
        whole = {at.index(r["week"]): r for r in rows if r["division"] == "ville"}
        assert [w for w in range(35, 52) if whole[w]["grade"] == "C"] == list(range(40, last + 1))
        why = words.weeks(pa.Table.from_pylist(rows), moved)
        told = "« x » serait devenu un code nouveau n° 1 (C)"
        assert [w for w in range(35, 52) if why["faits", at[w]] == told] == [*range(40, last + 1)]


@pytest.mark.parametrize("status", ["less", "ok", "abstained"])
def test_the_grade_and_the_caveat_of_a_source_that_fades_are_one_judgement(
    status: str, a_year: Built
) -> None:
    """A caveat beside an A says two things: what is told to bring far less is graded so."""
    at = [dt.date(2024, 1, 1) + dt.timedelta(weeks=i) for i in range(52)]
    known = {"against": at[0], "ratio": 0.3, "low": 0.2, "high": 0.45}
    known = {} if status == "abstained" else known
    lessened = pa.Table.from_pylist(
        [{"source": "faits", "first": at[39], "last": at[51], "status": status, **known}],
        schema=decay.DECAY,
    )
    con = views(a_year)
    counted = reliability_grades.accounts(a_year.city, a_year.out)
    rows = reliability_grades.grades(con, a_year.city, counted, KNOBS, lessened=lessened)
    (row,) = (r for r in rows if r["source"] == "faits")
    (plain,) = (r for r in reliability_grades.grades(con, a_year.city, counted, KNOBS)
                if r["source"] == "faits")  # fmt: skip
    told = standing.faded(lessened, a_year.city)
    assert bool(told) == (row["decay_grade"] == "C") == (status == "less")
    assert row["grade"] == (max(plain["grade"], "C") if told else plain["grade"])
    assert ("30,0\u202f% des mêmes" in words.why(row)) == (status != "abstained")
    whole = {at.index(r["week"]): r for r in graded(con, a_year, decay=lessened)
             if r["division"] == "ville"}  # fmt: skip
    lowered = [w for w in range(52) if whole[w]["decay_grade"]]
    assert lowered == (list(range(39, 52)) if told else [])
    assert {whole[w]["grade"] for w in range(39, 52)} == ({"C"} if told else {"A"})
    why = words.week(whole[45], [])
    assert why == ("30\u202f% de ce qui entrait aux mêmes semaines (C)" if told else "")


def test_missing_is_never_zero_in_any_zone(a_year: Built) -> None:
    rows = graded(views(a_year), a_year)
    dead = [r for r in rows if r["week"] == dt.date(2024, 3, 11)]
    assert {(r["n"], r["grade"], r["missing_days"]) for r in dead} == {(None, "D", 7)}
    assert all(r["n"] for r in rows if r["week"] != dt.date(2024, 3, 11))


def test_no_zone_is_better_than_its_source(a_year: Built) -> None:
    rows = graded(views(a_year), a_year)
    source = {r["week"]: r["grade"] for r in rows if r["division"] == "ville"}
    assert all(r["grade"] >= source[r["week"]] for r in rows)


WEEK_ROWS = "(VALUES {}) t(source, week, status, grade)"


def weeks_of(con: duckdb.DuckDBPyConnection, letters: str) -> None:
    """Make views `weeks` and `grades` of source `s`: a letter a week of 2024, `-` for missing."""
    rows = [
        f"('s', DATE '{dt.date(2024, 1, 1) + dt.timedelta(weeks=i)}', "
        f"'{'missing' if one == '-' else 'ok'}', '{'D' if one == '-' else one}')"
        for i, one in enumerate(letters)
    ]
    con.execute(
        f"CREATE OR REPLACE VIEW weeks AS SELECT * FROM {WEEK_ROWS.format(', '.join(rows))}"
    )
    con.execute("CREATE OR REPLACE VIEW grades AS SELECT * FROM (VALUES ('s', 'B'), "
                "('annuelle', 'C')) t(source, grade)")  # fmt: skip


@pytest.mark.parametrize(
    ("letters", "grade"),
    [("A" * 10, "A"), ("A" * 9 + "C", "A"), ("A" * 8 + "CC", "C"), ("AAAB", "B"), ("AAA-", "D"),
     ("A" * 18 + "--", "A"), ("A" * 17 + "---", "D"), ("BCBCBCBCBD", "C")],
)  # fmt: skip
def test_grade_of_a_window_is_the_one_that_nine_weeks_in_ten_hold(
    memory: duckdb.DuckDBPyConnection, letters: str, grade: str
) -> None:
    weeks_of(memory, letters)
    end = dt.date(2024, 1, 1) + dt.timedelta(weeks=len(letters), days=-1)
    assert standing.grade_of(memory, ["s"], dt.date(2024, 1, 1), end) == grade
    assert standing.badge(memory, ["s"], dt.date(2024, 1, 1), end) == f"fiabilité {grade}"


def test_grade_of_a_window_sees_its_own_weeks_only(memory: duckdb.DuckDBPyConnection) -> None:
    weeks_of(memory, "DDDD" + "A" * 8)
    first = dt.date(2024, 1, 1)
    late = standing.grade_of(memory, ["s"], first + dt.timedelta(28), first + dt.timedelta(83))
    assert late == "A"
    edge = standing.grade_of(memory, ["s"], first + dt.timedelta(27), first + dt.timedelta(40))
    assert edge == "D"


def test_source_without_weeks_keeps_the_grade_of_its_period(
    memory: duckdb.DuckDBPyConnection,
) -> None:
    weeks_of(memory, "AAAA")
    both = standing.grade_of(memory, ["s", "annuelle"], dt.date(2024, 1, 1), dt.date(2024, 1, 28))
    assert both == "C"


def test_no_figure_draws_a_missing_week_as_a_number() -> None:
    first = dt.date(2024, 1, 1)
    weeks = pa.table(
        {
            "source": ["s", "s"], "week": [first, first + dt.timedelta(7)], "n": [140, 0],
            "status": ["ok", "missing"],
        }
    )  # fmt: skip
    nowcast = pa.table(
        {
            "source": ["s"], "division": ["ville"], "week": [first], "seen": [0],
            "value": pa.array([None], pa.float64()), "low": pa.array([None], pa.int64()),
            "high": pa.array([None], pa.int64()), "status": ["missing"],
        }
    )  # fmt: skip
    drawn = figure.complete(figures.weeks(weeks, {"s": "S"}).chart)
    (rows,) = drawn["datasets"].values()
    assert [(row["n"], row["état"]) for row in rows] == [
        (140, "reçue"),
        (None, "semaine manquante"),
    ]
    (rows,) = figure.complete(figures.final_counts(nowcast, {"s": "S"}))["datasets"].values()
    assert (rows[0]["vu"], rows[0]["attendu"], rows[0]["muette"]) == (None, None, True)


def test_the_answer_tells_a_last_week_worse_than_the_whole(a_year: Built) -> None:
    """A figure of these weeks carries a C; the answer may not stop at the whole period's grade."""
    con, week = views(a_year), dt.date(2024, 12, 23)
    moved = [("nature", week - dt.timedelta(weeks=9), "renamed", "x", "y", True)]
    rows = pa.Table.from_pylist(graded(con, a_year, table=lasting(moved)))
    measured = {f"{name}_grade": None for name in reliability_grades.MEASURES}
    row = {"source": "faits", "grade": "B", "silent_weeks": 0, "zoned": False, **measured}
    said = words.grades([row], {"faits": "Faits"}, rows, lasting(moved))
    assert said.endswith("Semaine du 23 décembre 2024 : C, « x » serait devenu « y » (C).")


def lasting(rows: list[tuple[Any, ...]]) -> pa.Table:
    """Return drifts whose new code is neither in its contract nor in its theme."""
    told = [{**row, "mapped": False} for row in drifts(rows).to_pylist()]
    return pa.Table.from_pylist(told, schema=drift.DRIFT)


# --- What the contract does not cover, and days of entry ------------------------------------


def test_a_week_that_is_not_covered_has_no_grade(tmp_path: Path) -> None:
    """From April on: weeks before are missing, and the source is not the worse for it."""
    start = dt.date(2024, 4, 1)
    rows = [
        fact(20 * day + i, debut=f"{start + dt.timedelta(day)}T12:00:00")
        for day in range(275)
        for i in range(20)
    ]
    covers = [{"from": "2024-04-01"}]
    built = build_made_up(tmp_path, rows, facts={**FACTS, "covers": covers})
    con = views(built)
    whole = [r for r in graded(con, built) if r["division"] == "ville"]
    before = [r for r in whole if r["week"] < start]
    assert {(r["n"], r["missing_days"], r["grade"]) for r in before} == {(None, 7, None)}
    assert len(before) == 13
    after = [r for r in whole if r["week"] >= start]
    assert {(r["missing_days"], r["missing_grade"]) for r in after} == {(0, "A")}
    counted = reliability_grades.accounts(built.city, built.out)
    (one,) = [r for r in reliability_grades.grades(con, built.city, counted, KNOBS)
              if r["source"] == "faits"]  # fmt: skip
    assert one["silent_weeks"] == 0
    weeks = weekly_grades.of_sources(
        con.table("weeks").to_arrow_table(), pa.Table.from_pylist(whole)
    )
    memory = store.connect()
    memory.register("weeks", weeks)
    memory.execute("CREATE TABLE grades AS SELECT 'faits' AS source, 'B' AS grade")
    badge = standing.grade_of(memory, ["faits"], dt.date(2024, 2, 1), dt.date(2024, 3, 20))
    assert badge == "B", "that of the whole period, where no week is covered"


def test_a_day_of_entry_is_no_midnight(tmp_path: Path) -> None:
    """Entered on the day itself, on the next one and two days later: a median of one day."""
    contract = copy.deepcopy(FACTS)
    contract["fields"]["fin"] = {"type": "date", "format": "%d/%m/%Y"}
    contract["observation"] |= {"recorded_at": "fin"}
    del contract["observation"]["ended_at"]
    rows = [
        fact(day, debut=f"2024-07-{day:02d}T22:30:00", fin=f"{day + day % 3:02d}/07/2024")
        for day in range(1, 28)
    ]
    built = build_made_up(tmp_path, rows, facts=contract)
    assert grades_of(built)["faits"]["delay_days"] == 1.0
