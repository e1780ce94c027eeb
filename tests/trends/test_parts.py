"""Two sources in one theme are as one: split at random they tell the same, and a hole is a hole."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.core.place_time import months
from helpers.core.place_time.heard import heard_days
from helpers.core.place_time.points import by_theme
from helpers.core.stage import params
from helpers.reliability import extraordinary, silence
from helpers.repeats import knox
from helpers.rhythms import week, year
from helpers.situation import levels as situation_levels
from helpers.trends import joined as joined_parts
from helpers.trends import levels, weekly_series
from tests.fixtures import split
from tests.fixtures.made_up import CITY, FACTS, fact, middle
from tests.fixtures.real import ROOT, Built

TRENDS, SITUATION, RHYTHMS, REPEATS = (
    params.knobs(name, ROOT) for name in ("trends", "situation", "rhythms", "repeats")
)
TRENDS = TRENDS.model_copy(update={"window_weeks": 40})
SHORT = TRENDS.model_copy(update={"window_weeks": 20})
START, END = dt.date(2023, 1, 2), dt.date(2024, 12, 29)
PERIOD = {"start": START.isoformat(), "end": END.isoformat()}
RISE = dt.date(2024, 3, 20)  # the last 40 weeks bring half as much again


def rows() -> list[dict[str, str]]:
    """Return two years of facts in two squares, with a rise at the end."""
    rng, told = np.random.default_rng(7), []
    for i in range((END - START).days + 1):
        day = START + dt.timedelta(days=i)
        for zone in "AB":
            for hour in rng.integers(0, 24, rng.poisson(12 if day >= RISE else 8)):
                lon, lat = middle(zone)
                lon, lat = lon + rng.uniform(-0.004, 0.004), lat + rng.uniform(-0.003, 0.003)
                told.append(fact(len(told), debut=f"{day}T{hour:02d}:{rng.integers(60):02d}:00",
                                 lon=f"{lon:.6f}", lat=f"{lat:.6f}"))  # fmt: skip
    return told


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """All the facts in one source."""
    folder = tmp_path_factory.mktemp("alone")
    return split.built(split.pack(folder, split.WHOLE_THEMES, PERIOD), folder, rows(), [])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The same facts, split at random in two sources."""
    folder = tmp_path_factory.mktemp("both")
    return split.built(split.pack(folder, split.joined(), PERIOD), folder, *split.halves(rows(), 3))


def everything(built: Built) -> dict[str, Any]:
    """Return what each room says of the theme."""
    con, city = split.opened(built), built.city
    span = (END - dt.timedelta(days=364), END + dt.timedelta(days=1))
    days, _ = silence.find(con, city, split.RELIABILITY)
    files = {name: built.out / f"accepted/{name}.parquet" for name in ("faits", "appels")}
    points = by_theme(con, city, files, 365)["bruit"]
    found = {
        "levels": levels.levels(weekly_series.Weeks(con, city, 40, 0.9), TRENDS).to_pylist(),
        "weeks": weekly_series.counted_weeks(con, city, "bruit", "carres"),
        "situation": situation_levels.assess(con, city, "bruit", "carres", 7, SITUATION),
        "week": week.week(con, city, "bruit", span, RHYTHMS).weights.tolist(),
        "year": year.daily_counts(con, city, "bruit", [END]),
        "extraordinary": extraordinary.find(con, city, days).to_pylist(),
        "points": sorted(zip(points.x, points.y, points.day, points.zone, strict=True)),
    }
    con.close()
    return found


def test_a_source_split_at_random_tells_the_same(alone: Built, both: Built) -> None:
    one, two = everything(alone), everything(both)
    assert {row["label"] for row in one["levels"] if row["zone"] == "ville"} == {"up"}
    for room, told in one.items():
        assert two[room] == told, room


def test_the_counts_are_those_of_the_rows(both: Built) -> None:
    told = both.rows("SELECT zone_carres, sum(n) FROM cube WHERE theme = 'bruit' GROUP BY ALL")
    ((whole,),) = both.rows("SELECT count(*) FROM observations WHERE theme = 'bruit'")
    assert whole == sum(n for _, n in told) == len(rows())
    assert both.rows("SELECT DISTINCT source FROM cube ORDER BY 1") == [("appels",), ("faits",)]


def stopped(folder: Path, *covers: dict[str, Any], last: dt.date = RISE) -> Built:
    """Return the city whose second source told nothing after a day."""
    first, second = split.halves(rows(), 3)
    second = [row for row in second if row["debut"][:10] <= last.isoformat()]
    city = split.pack(folder, split.joined(), PERIOD, covers=list(covers))
    return split.built(city, folder, first, second)


@pytest.mark.parametrize("covers", [(), ({"until": RISE.isoformat()},)], ids=["silent", "covered"])
def test_a_part_that_stops_is_missing_and_no_fall(covers: Any, tmp_path: Path) -> None:
    built = stopped(tmp_path, *covers)
    con = split.opened(built)
    counted = weekly_series.counted_weeks(con, built.city, "bruit")["ville"]
    gone = [monday for monday, n in counted if n is None]
    after = [monday for monday, _ in counted if monday + dt.timedelta(days=6) > RISE]
    assert gone == after
    told = levels.levels(weekly_series.Weeks(con, built.city, 40, 0.9), TRENDS).to_pylist()
    assert {row["label"] for row in told} == {"abstained"}
    for row in situation_levels.assess(con, built.city, "bruit", "carres", 7, SITUATION):
        assert (row["n"], row["status"]) == (None, "missing")
    days, _ = silence.find(con, built.city, split.RELIABILITY)
    _, heard = extraordinary.count_days(con, built.city, days)
    assert heard[0].tolist() == [START + dt.timedelta(days=i) <= RISE for i in range(728)]
    span = (RISE + dt.timedelta(days=1), END + dt.timedelta(days=1))
    assert heard_days(con, built.city.themes["bruit"].sources, *span) == []
    con.close()


def test_a_part_that_stops_in_a_zone_is_missing_there_alone(tmp_path: Path) -> None:
    built = stopped(
        tmp_path, {"division": "carres", "zones": ["B"], "until": RISE.isoformat()}, last=END
    )
    con = split.opened(built)
    counted = weekly_series.counted_weeks(con, built.city, "bruit", "carres")
    assert counted["B"][-1][1] is None
    assert counted["A"][-1][1] is not None
    assert counted["ville"][-1][1] is None
    con.close()


@pytest.mark.parametrize("short", [0, 1])
def test_months_need_every_part(short: int, tmp_path: Path) -> None:
    """Counts a month: one source has no row for the last month."""
    fields = {**FACTS["fields"], "debut": {"type": "date", "required": True, "format": "%Y-%m"}}
    facts = {**FACTS, "fields": fields, "observation": {**FACTS["observation"], "ended_at": None}}
    listed = [f"2024-{i:02d}" for i in range(1, 13)]

    def told(names: list[str]) -> list[dict[str, str]]:
        return [fact(i, debut=one, nombre="9", carre="A", lon="", lat="")
                for i, one in enumerate(names)]  # fmt: skip

    period = {"start": "2024-01-01", "end": "2024-12-31"}
    city = split.pack(tmp_path, split.joined(), period, facts)
    both = [told(listed[:-1] if i == short else listed) for i in (0, 1)]
    built = split.built(city, tmp_path, *both)
    con = split.opened(built)
    found = months.of_theme(con, city, "bruit", "carres")
    assert found.told[0].tolist() == [True] * 11 + [False]
    assert found.n[0].tolist() == [18] * 11 + [9]
    con.close()


def test_a_part_recorded_anew_is_no_rise(tmp_path: Path) -> None:
    """From a day on, one source tells twice as much as before, and its milestone says why."""
    anew, rng = dt.date(2024, 8, 12), np.random.default_rng(5)
    first, second = split.halves(rows(), 3)
    first, second = ([r for r in one if r["debut"][:10] < RISE.isoformat()] + [
        {**r, "id": f"{r['id']}bis"} for r in one if r["debut"][:10] >= RISE.isoformat()
        and rng.random() < 2 / 3
    ] for one in (first, second))  # fmt: skip
    more = [{**r, "id": f"{r['id']}x"} for r in second if r["debut"][:10] >= anew.isoformat()]
    mark = {"title": "Nouvel outil", "start": anew.isoformat(), "sources": ["appels"],
            "recording": True, "told_by": "essai"}  # fmt: skip
    told = {}
    for name, marks in (("said", [mark]), ("unsaid", [])):
        folder = tmp_path / name
        folder.mkdir()
        city = split.pack(folder, split.joined(), PERIOD)
        city.about = city.about.model_copy(
            update={"milestones": tuple(type(city.about).model_validate(
                {**copy.deepcopy(CITY), "milestones": marks}).milestones)}
        )  # fmt: skip
        built = split.built(city, folder, first, second + more)
        con = split.opened(built)
        series = weekly_series.Weeks(con, city, 20, 0.9)
        (row,) = [r for r in levels.levels(series, SHORT).to_pylist() if r["zone"] == "ville"]
        told[name] = row
        con.close()
    assert told["unsaid"]["label"] == "up"
    assert told["said"]["label"] != "up"
    assert told["said"]["ratio"] == pytest.approx(1, abs=0.12)


def test_shares_weigh_what_each_part_brings() -> None:
    def part(n: float, heard: float = 1.0) -> joined_parts.Part:
        ones = np.ones(52)
        return joined_parts.Part(
            np.full((2, 52), n), np.full((2, 52), heard), ones, np.zeros(52), []
        )

    assert joined_parts.shares([part(3), part(9)]) == pytest.approx(
        np.array([[0.25] * 2, [0.75] * 2])
    )
    assert (joined_parts.shares([part(3)]) == 1).all()
    assert joined_parts.shares([part(0), part(0, 0)]) == pytest.approx(np.full((2, 2), 0.5))


def test_a_zone_weighs_the_parts_as_it_holds_them() -> None:
    """The second zone has the first part alone: that it is recorded anew moves all of it there."""
    ones, zero = np.ones(52), np.zeros(52)
    both, first = (np.repeat([[5.0], [n]], 52, axis=1) for n in (0.0, 5.0))
    parts = [joined_parts.Part(counts, np.ones((2, 52)), ones, zero, [])
             for counts in (first, both)]  # fmt: skip
    weights = joined_parts.shares(parts)
    assert weights[0].tolist() == pytest.approx([0.5, (260 + 5) / 270])


def test_late_entries_of_one_part_weigh_as_it_does() -> None:
    late = np.ones(52)
    late[-1] = 0.5
    counts, heard, none = np.full((1, 52), 5.0), np.ones((1, 52)), np.zeros(52)
    lost = counts * late
    parts = [joined_parts.Part(lost, heard, late, none + 0.1, []),
             joined_parts.Part(counts * 3, heard, np.ones(52), none, [])]  # fmt: skip
    found = joined_parts.join(parts)
    assert found.share_in[0, -1] == pytest.approx(0.25 * 0.5 + 0.75)
    assert found.late_error[-1] == pytest.approx(0.25 * 0.5 * 0.1 / 0.875)
    assert found.steps == []


def test_themes_that_may_double_have_no_repeats(both: Built, tmp_path: Path) -> None:
    themes = split.joined(distinct=None)
    city = split.pack(tmp_path, themes, PERIOD)
    con = both.connect()
    files = {name: both.out / f"accepted/{name}.parquet" for name in ("faits", "appels")}
    quick = REPEATS.model_copy(update={"permutations": 99})
    found, risk = knox.find(con, city, files, quick, 1)
    assert [(r["status"], r["reason"]) for r in found.to_pylist()] == [("abstained", "may_double")]
    assert risk.num_rows == 0
    con.close()
