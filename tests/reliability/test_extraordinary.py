"""Extraordinary days: planted ones named, ordinary ones left alone, a calm year too."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from helpers.core.city.names import WHOLE
from helpers.reliability import extraordinary, silence, words
from helpers.reliability.silence import Floats
from tests.fixtures.made_up import write_pack

FIRST = dt.date(2024, 1, 1)


def ordinary(mean: float, over: float, rows: int, seed: int, days: int = 1461) -> Floats:
    rng = np.random.default_rng(seed)
    season = mean * (1 + 0.3 * np.cos(2 * np.pi * np.arange(days) / 365.25))
    level = rng.gamma(1 / over, over, (rows, days))
    return np.asarray(rng.poisson(season * level), dtype=float)


@pytest.mark.parametrize(("mean", "over"), [(0.5, 0.3), (5, 0.1), (60, 0.1), (300, 0.05)])
def test_ordinary_series_name_a_day_once_in_a_hundred(mean: float, over: float) -> None:
    n = ordinary(mean, over, 300, seed=11)
    found = extraordinary.beyond(n, np.ones(n.shape), np.ones(n.shape, dtype=bool))[0]
    assert found.any(axis=1).mean() <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / 300)


def test_a_riot_of_four_days_is_named_and_no_day_around_it() -> None:
    n = ordinary(66, 0.05, 1, seed=12)
    n[0, 700:704] = (420, 611, 380, 240)
    found, mean, high, _ = extraordinary.beyond(n, np.ones(n.shape), np.ones(n.shape, dtype=bool))
    assert np.flatnonzero(found[0]).tolist() == [700, 701, 702, 703]
    around = n[0, 672:731][~found[0, 672:731]].mean()
    assert mean[0, 701] == pytest.approx(around, rel=0.02)
    assert mean[0, 701] < high[0, 701] < 240


def observe(con: Any, planted: int) -> None:
    """Make view `observations`: twenty noises a day, and `planted` more on 14 July 2024."""
    rng = np.random.default_rng(13)
    days = np.repeat(np.arange(366), rng.poisson(20, 366))
    days = np.concatenate([days, np.full(planted, 195)])
    hours = np.datetime64(FIRST, "us") + days.astype("timedelta64[D]")
    con.register("made_up", pa.table({"hour": hours}))
    con.execute(
        "CREATE VIEW observations AS SELECT 'faits' AS source, 'bruit' AS theme, hour, "
        "'minute' AS time_precision FROM made_up"
    )


def test_the_day_is_written_with_its_theme_and_size_and_told(tmp_path: Path, memory: Any) -> None:
    city = write_pack(tmp_path)
    observe(memory, 150)
    table = extraordinary.find(memory, city, silence.DAYS.empty_table())
    assert table.schema == extraordinary.EXTRAORDINARY
    [row] = table.to_pylist()
    assert (row["day"], row["theme"], row["zone"]) == (dt.date(2024, 7, 14), "bruit", WHOLE)
    assert row["n"] >= 150 > row["high"] > row["expected"]
    assert row["expected"] == pytest.approx(20, abs=2)
    assert not row["first"]
    said = words.extraordinary(table, city)
    assert said.startswith(f"- **14 juillet 2024** : Bruit {row['n']} au lieu d'environ ")


def test_nothing_extraordinary_is_said_so(tmp_path: Path, memory: Any) -> None:
    city = write_pack(tmp_path)
    observe(memory, 0)
    table = extraordinary.find(memory, city, silence.DAYS.empty_table())
    assert table.num_rows == 0
    assert words.extraordinary(table, city) == "Aucun jour hors de l'ordinaire."
