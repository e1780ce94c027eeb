"""Labels and breaks graded on the simulated city, whose changes are known or planted."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.stage import params
from helpers.core.stats.two_windows import compare
from helpers.ingest import ingest
from helpers.trends import explained_breaks, levels, words
from helpers.trends.knobs import Knobs
from helpers.trends.weekly_series import Weeks
from tests.fixtures.real import INGEST, ROOT
from tests.fixtures.simulated import LOG, SETTINGS, Made
from tests.fixtures.tables import nothing_late

KNOBS: Knobs = params.knobs("trends", ROOT).model_copy(
    update={"window_weeks": 52, "confidence": 0.95, "minimum_count": 30, "power": 0.9}
)
DIVISION = "arrondissements"


@pytest.fixture(scope="module")
def weeks(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Weeks:
    """The small simulated city with its log, counted; nothing late, nothing silent."""
    out = tmp_path_factory.mktemp("trends")
    city: City = copy.copy(made.city)
    city.__dict__["contracts"] = {
        n: c for n, c in made.city.contracts.items() if n in ("quartiers", LOG)
    }
    city.__dict__["themes"] = {n: t for n, t in made.city.themes.items() if LOG in t.sources}
    ingest.ingest(city, made.raw, out, INGEST)
    con: duckdb.DuckDBPyConnection = store.connect()
    for name in ("cube", "zones"):
        store.view(con, name, out / f"{name}.parquet")
    con.execute(
        "CREATE TABLE weeks (source VARCHAR, week DATE, status VARCHAR, missing_days BIGINT)"
    )
    nothing_late(con)
    return Weeks(con, city, 52, 0.9)


def own_trend(categories: tuple[str, ...]) -> float:
    """Return the true yearly change of a theme: that of its kinds, by their volumes."""
    kinds = [SETTINGS["kinds"][c] for c in categories]
    return float(np.average([1 + k["trend"] for k in kinds], weights=[k["share"] for k in kinds]))


def test_nine_labels_in_ten_are_right_where_the_change_exceeds_what_is_stated(weeks: Weeks) -> None:
    """Part of the records of one of the two years is taken away at random: a planted change.

    The true ratio is that of the planted change times the theme's own yearly trend. Right is the
    label that tells its direction, where it exceeds the detectable ratio stated beside.
    """
    rng = np.random.default_rng(8)
    right, said_wrong = [], []
    for theme, about in weeks.city.themes.items():
        found = weeks.of(theme, DIVISION)
        assert found is not None
        extra = found.extra(52)
        for kept in (0.3, 0.45, 0.6, 0.75, 0.9) * 8:
            half = slice(-52, None) if rng.random() < 0.5 else slice(-104, -52)
            counts = found.counts.copy()
            counts[:, half] = rng.binomial(counts[:, half].astype(int), kept)
            truth = own_trend(about.categories) * (kept if half.stop is None else 1 / kept)
            judged = compare(counts, found.exposure, levels.how(KNOBS, 52), extra)
            alpha = np.full(len(found.zones), 0.05)
            told = judged.p() <= alpha
            up = judged.ratio(0.95)[0] > 1
            rise, fall = judged.detectable(alpha, KNOBS.power)
            clear = (judged.why == "") & (truth >= rise if truth > 1 else truth <= fall)
            right += (told & (up == (truth > 1)))[clear].tolist()
            said_wrong += (told & (up != (truth > 1)))[judged.why == ""].tolist()
    assert len(right) > 400
    assert np.mean(right) >= 0.9
    assert np.mean(said_wrong) < 0.01


def test_without_a_planted_change_few_zones_move(weeks: Weeks) -> None:
    """Where nothing is planted (`planted`, `trend`, `fadings`), so few facts show no change."""
    table = levels.levels(weeks, KNOBS).to_pylist()
    planted = {"rodeos", "accidents", "depots_sauvages", "enlevements"}
    judged = [
        row
        for row in table
        if row["status"] == "ok" and row["zone"] != "ville" and row["theme"] not in planted
        and not row["zone"].startswith("13216")
    ]  # fmt: skip
    assert len(judged) > 20
    moved = [row for row in judged if row["label"] in ("up", "down")]
    assert len(moved) <= 2


def test_the_change_of_tool_is_measured(weeks: Weeks) -> None:
    """By how much the tool multiplies what is recorded is written in the simulation."""
    (truth,) = [e["factor"] for e in SETTINGS["time"]["episodes"] if e.get("recording")
                and e["source"] == LOG]  # fmt: skip
    (row,) = explained_breaks.recorded(weeks, 0.95).to_pylist()
    assert row["low"] <= truth <= row["high"]


def test_a_planted_break_is_dated_and_explained_and_another_is_not(weeks: Weeks) -> None:
    """Of a theme's facts, 2 in 5 are left after the day of the tool, or before an ordinary day."""
    found = weeks.of("bruit", "quartiers")
    assert found is not None
    for start, told in ((dt.date(2024, 9, 30), True), (dt.date(2022, 3, 7), False)):
        at = found.mondays.index(start)
        less = slice(at, None) if told else slice(at)
        counts = found.counts.copy()
        counts[:, less] = np.round(counts[:, less] / 2.5)
        planted = copy.copy(weeks)
        changed = copy.copy(found)
        changed.__dict__["counts"] = counts
        planted._read = {**weeks._read, ("bruit", "quartiers"): changed}
        knobs = KNOBS.model_copy(update={"break_minimum_count": 10})
        table = explained_breaks.breaks(planted, no_breaks(), no_drift(), knobs).to_pylist()
        own = [row for row in table if row["theme"] == "bruit"]
        hit = [row for row in own if row["first"] <= start <= row["last"]]
        assert len(hit) == 1
        assert bool(hit[0]["explanations"]) == told
        truth = 1 / 2.5 if told else 2.5
        assert hit[0]["ratio"] == pytest.approx(truth, rel=0.2)


def test_a_theme_does_not_move_because_codes_of_others_are_away(weeks: Weeks) -> None:
    """For a year, the largest other themes tell nothing: the rest of the source is halved."""
    found = weeks.of("bruit", "quartiers")
    assert found is not None
    away = slice(found.mondays.index(dt.date(2023, 1, 2)), found.mondays.index(dt.date(2024, 1, 1)))
    planted, codes = copy.copy(weeks), []
    planted._read = dict(weeks._read)
    others = {name: weeks.of(name, "quartiers") for name in weeks.city.themes if name != "bruit"}
    largest = sorted(others, key=lambda name: -others[name].counts[0].sum())[: len(others) // 2]
    for name in largest:
        changed = copy.copy(others[name])
        changed.__dict__["counts"] = others[name].counts.copy()
        changed.counts[:, away] = 0
        planted._read[name, "quartiers"] = changed
        codes += weeks.city.themes[name].parts[LOG]
    shape = {"source": LOG, "field": "type_n2", "counted": True, "mapped": True, "other": "",
             "before": 9.0, "after": 0.0, "week": found.mondays[away.start]}  # fmt: skip
    drift = pa.Table.from_pylist([{**shape, "kind": "away", "code": code} for code in codes])
    knobs = KNOBS.model_copy(update={"break_minimum_count": 10})

    def own(drift: pa.Table) -> list[Any]:
        table = explained_breaks.breaks(planted, no_breaks(), drift, knobs).to_pylist()
        return [row for row in table if row["theme"] == "bruit"]

    assert own(drift) == []
    assert [row["ratio"] > 1.2 for row in own(no_drift())][:1] == [True], "nothing was planted"


def no_breaks() -> pa.Table:
    return pa.table(
        {name: pa.array([], pa.string()) for name in ("source", "zone", "status", "kind")}
    )


def no_drift() -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in ("source", "kind")})


def test_a_code_that_vanished_explains_a_break(weeks: Weeks) -> None:
    source = pa.table(
        {
            "source": [LOG], "division": ["ville"], "zone": ["ville"], "status": ["ok"],
            "week": [dt.date(2023, 5, 1)], "first": [dt.date(2023, 4, 24)],
            "last": [dt.date(2023, 5, 8)], "ratio": [0.9], "low": [0.85], "high": [0.95],
            "p": [0.001], "kind": ["step"],
        }
    )  # fmt: skip
    drift = pa.table(
        {
            "source": [LOG] * 3, "kind": ["vanished", "jump", "vanished"], "counted": [True] * 3,
            "field": ["type_n2"] * 3, "mapped": [True] * 3,
            "week": [dt.date(2023, 5, 1), dt.date(2023, 5, 1), dt.date(2022, 5, 1)],
            "code": ["x", "y", "z"], "other": [""] * 3, "before": [12.34] * 3, "after": [0.0] * 3,
        }
    )  # fmt: skip
    rows = explained_breaks.breaks(weeks, source, drift, KNOBS).to_pylist()
    (row,) = [row for row in rows if row["theme"] is None]
    assert words.explanation(row) == "« x » n'arrive plus (12,3 par semaine avant)"
    late = {**row, "theme": "bruit", "week": dt.date(2025, 5, 5),
            "first": dt.date(2025, 4, 28), "last": dt.date(2025, 5, 12)}  # fmt: skip
    none = levels.levels(weeks, KNOBS)
    table = pa.Table.from_pylist([late], schema=explained_breaks.BREAKS)
    told = words.in_words(none, table, {}, weeks.city, KNOBS)
    span = "semaines du 28 avril au 12 mai 2025"
    why = f"rupture vers le 5 mai 2025 ({span}) : « x » n'arrive plus (12,3 par semaine avant)"
    (line,) = (line for line in told.splitlines() if why in line)
    assert line.startswith(f"- **{weeks.city.themes['bruit'].title}**")


def test_a_code_explains_only_what_it_touches_and_the_way_it_goes(weeks: Weeks) -> None:
    """A code of another theme, one that comes when the theme falls, one that keeps its theme."""

    def explains(ratio: float, **drift: Any) -> bool:
        one = {"source": LOG, "field": "type_n2", "counted": True, "mapped": True, "other": "",
               "code": "tapage_nocturne", **drift}  # fmt: skip
        row = {"source": LOG, "theme": "bruit", "ratio": ratio}
        return explained_breaks._moves(one, row, weeks.city)

    assert explains(0.8, kind="vanished")
    assert not explains(1.2, kind="vanished")
    assert not explains(0.8, kind="vanished", code="squat")
    assert explains(1.2, kind="new")
    assert not explains(0.8, kind="new")
    assert not explains(1.2, kind="new", code="§1", mapped=False)
    assert explains(0.8, kind="renamed", other="§1", mapped=False)
    assert not explains(0.8, kind="renamed", other="tapage_diurne")
    assert not explains(0.8, kind="vanished", field="statut")
