"""Feeds that die slowly or lose a part, and closures that the pack declares: told as such."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from helpers.reliability import closures, decay, silence, silence_words, words
from tests.fixtures.made_up import CITY, write_pack

WEEKS = 200
MONDAYS = [dt.date(2021, 1, 4) + dt.timedelta(weeks=i) for i in range(WEEKS)]


def feed(rng: np.random.Generator, left: float, slow: bool, mean: float) -> list[float | None]:
    """Return weekly counts, seasonal and overdispersed, of which `left` is left at the end."""
    t = np.arange(WEEKS)
    season = 1 + 0.3 * np.cos(2 * np.pi * t / 52.18)
    path = np.clip((t - 60) / 130, 0, 1) if slow else (t >= 170).astype(float)
    level = mean * season * np.exp(np.log(left) * path) * rng.gamma(25, 1 / 25, WEEKS)
    return [float(n) for n in rng.poisson(level)]


def less(n: list[float | None]) -> bool:
    judged = decay.judge(n)
    assert judged is not None
    return judged[1][2] < decay.LESS


@pytest.mark.parametrize("slow", [True, False])
@pytest.mark.parametrize("left", [0.1, 0.3])
@pytest.mark.parametrize("mean", [30.0, 200.0])
def test_a_feed_of_which_little_is_left_is_told(slow: bool, left: float, mean: float) -> None:
    rng = np.random.default_rng(31)
    assert sum(less(feed(rng, left, slow, mean)) for _ in range(40)) >= 38


@pytest.mark.parametrize("mean", [10.0, 200.0])
def test_a_steady_feed_is_not(mean: float) -> None:
    rng = np.random.default_rng(32)
    assert sum(less(feed(rng, 1.0, True, mean)) for _ in range(200)) <= 2


def test_it_is_told_with_its_share_and_silence_or_youth_abstains(memory: Any) -> None:
    n = np.where(np.arange(WEEKS) < 150, 100, 20)
    rows = [("faits", m, int(k), "ok") for m, k in zip(MONDAYS, n, strict=True)]
    rows += [("jeune", m, 10, "ok") for m in MONDAYS[-40:]]
    names = ("source", "week", "n", "status")
    memory.register("weeks", pa.Table.from_pylist([dict(zip(names, r, strict=True)) for r in rows]))
    memory.register("nowcast", pa.table({
        "source": ["faits"], "division": ["ville"], "week": [MONDAYS[-1]], "share_in": [0.5],
    }))  # fmt: skip
    told = {row["source"]: row for row in decay.find(memory).to_pylist()}
    assert told["jeune"]["status"] == "abstained"
    assert told["faits"]["status"] == "less"
    assert told["faits"]["ratio"] == pytest.approx((12 * 20 + 40) / 1300, abs=0.005)
    said = words.decay(decay.find(memory), {"faits": "Faits", "jeune": "Jeune"})
    assert said.startswith("- **Faits** : du ")
    assert len(said.splitlines()) == 1


def test_a_declared_closure_is_no_failure_and_a_zones_own_silence_is_told(tmp_path: Path) -> None:
    about = copy.deepcopy(CITY)
    about["milestones"] = [
        {"title": "Fermeture d'août", "start": "2024-08-05", "end": "2024-08-18",
         "sources": ["faits"], "closed": True, "told_by": "service"}
    ]  # fmt: skip
    city = write_pack(tmp_path, city=about)

    def missing(division: str, zone: str, first: dt.date, days: int) -> list[dict[str, Any]]:
        return [{"source": "faits", "division": division, "zone": zone,
                 "day": first + dt.timedelta(i), "n": 0, "status": "missing",
                 "reason": "nothing_received"} for i in range(days)]  # fmt: skip

    rows = missing("ville", "ville", dt.date(2024, 8, 5), 14)
    rows += missing("ville", "ville", dt.date(2024, 10, 7), 1)
    rows += missing("moities", "est", dt.date(2024, 6, 10), 7)
    days = closures.marked(pa.Table.from_pylist(rows, schema=silence.DAYS), city)
    assert days["reason"].to_pylist() == ["closed"] * 14 + ["nothing_received"] * 8
    series = pa.Table.from_pylist(
        [{"source": "faits", "division": "ville", "zone": "ville", "detectable_after_days": 1}],
        schema=silence.SERIES,
    )
    whole, zone = silence_words.silences(days, series, {"faits": "Faits"}, city, {}).splitlines()
    assert "1\u00a0jour manquant, le 7 octobre 2024, hors 14\u00a0jours, du 5 août" in whole
    assert "(fermeture déclarée)" in whole
    assert zone.startswith("- **Faits**, Moitiés, Est : 7\u00a0jours manquants, du 10 juin 2024 au")


def test_a_day_that_nothing_was_awaited_of_stays_so_in_a_closure(tmp_path: Path) -> None:
    about = copy.deepcopy(CITY)
    about["milestones"] = [
        {"title": "Fermeture", "start": "2024-08-05", "end": "2024-08-06", "sources": ["faits"],
         "closed": True, "told_by": "service"}
    ]  # fmt: skip
    whys = ["not_covered", "nothing_received", "nothing_received"]
    rows = [{"source": "faits", "division": "ville", "zone": "ville",
             "day": dt.date(2024, 8, 5 + i), "n": 0, "status": "missing", "reason": why}
            for i, why in enumerate(whys)]  # fmt: skip
    days = closures.marked(
        pa.Table.from_pylist(rows, schema=silence.DAYS), write_pack(tmp_path, city=about)
    )
    assert days["reason"].to_pylist() == ["not_covered", "closed", "nothing_received"]
