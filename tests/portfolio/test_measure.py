"""The numbers of a page are plain counts, and judged as the other notebooks judge theirs."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

from helpers.core.place_time.calendar import full_weeks
from helpers.core.stage import params
from helpers.core.stage.run import Run
from helpers.portfolio import asked, beside, measure
from helpers.trends import levels
from helpers.trends.weekly_series import Weeks
from tests.fixtures.made_up import middle
from tests.fixtures.portfolios import END, START, answers, facts
from tests.fixtures.real import ROOT


def test_the_weeks_compared_are_those_counted_by_hand(once: Path) -> None:
    row = answers(once)["depots"]
    weeks = full_weeks(START, END)
    days = [dt.date.fromisoformat(r["debut"][:10]) for r in facts() if r["nature"] == "depot"]
    counted = Counter(day - dt.timedelta(days=day.weekday()) for day in days)
    recent, before = (sum(counted[w] for w in span) for span in (weeks[-52:], weeks[-104:-52]))
    assert (row["recent"], row["before"]) == (recent, before)
    # Nothing silent, nothing late, the same season in both years: close to the plain ratio.
    assert row["ratio"] == pytest.approx(recent / before, rel=0.02)
    assert row["level"] == pytest.approx(recent / 52, rel=0.1)
    assert row["level_low"] < row["level"] < row["level_high"]
    assert (row["unit"], row["status"]) == ("week", "ok")


def test_a_question_about_a_whole_theme_is_answered_as_trends_does(run: Run) -> None:
    about = asked.ask(run, "depots")
    found = measure.evolution(about, run, run.knobs)
    rules = params.knobs("trends", ROOT)
    told_at = params.block("reliability", ROOT)["nowcast_confidence"]
    whole = levels.levels(Weeks(run.con, about.city, 52, told_at), rules).to_pylist()
    assert found == whole
    assert [row["zone"] for row in found] == ["ville", "est", "ouest"]


def test_zones_and_origins_are_those_of_the_plain_count(once: Path, run: Run) -> None:
    about = asked.ask(run, "depots")
    first, after = about.span
    kept = [
        row for row in facts()
        if row["nature"] == "depot" and first <= dt.date.fromisoformat(row["debut"][:10]) < after
    ]  # fmt: skip
    between = (middle("A")[0] + middle("B")[0]) / 2
    expected = Counter("ouest" if float(row["lon"]) < between else "est" for row in kept)
    zones = pq.read_table(once / "derived/portfolio/zones/depots.parquet").to_pylist()
    assert {row["zone"]: row["n"] for row in zones} == expected
    top = max(zones, key=lambda row: row["n"])
    exact = (stats.chi2.ppf(0.025, 2 * top["n"]) / 2, stats.chi2.ppf(0.975, 2 * top["n"] + 2) / 2)
    assert (top["low"], top["high"]) == pytest.approx(exact, abs=1e-5)
    origin = beside.origins(about, run.knobs)
    who = Counter(row["qui"] for row in kept)
    told = tuple(origin[f"n_{one}"] for one in ("citizen", "agent", "unknown"))
    assert told == (who["habitant"], who["patrouille"], who[""])
    test = stats.binomtest(who["patrouille"], who["patrouille"] + who["habitant"])
    exact_share = test.proportion_ci(0.95, method="exact")
    assert (origin["agent_low"], origin["agent_high"]) == pytest.approx(exact_share, abs=1e-5)


def test_peak_is_told_where_it_stands_out_and_not_for_chance(run: Run) -> None:
    about = asked.ask(run, "depots")
    rng = np.random.default_rng(4)
    flat = [[{"weight": float(n), "status": "ok"} for n in rng.poisson(3, 168)] for _ in range(200)]
    said = sum(measure.busiest(rows, about, 0.95) is not None for rows in flat)
    assert said <= 20
    busy = [dict(row) for row in flat[0]]
    for hour in range(40, 46):
        busy[hour]["weight"] += 9.0
    found = measure.busiest(busy, about, 0.95)
    assert found is not None
    assert (found.start, found.length) == (40, 6)
    held = sum(row["weight"] for row in busy[40:46])
    assert found.share == pytest.approx(held / sum(row["weight"] for row in busy))
