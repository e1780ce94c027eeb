"""The line of tomorrow: the three themes most expected, and nothing once its forecast is over."""

from __future__ import annotations

import datetime as dt
import re
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from helpers.apps.morrow import line, now_there
from helpers.core.base.workspace import Workspace
from helpers.core.city.city import City, load_city
from helpers.forecast.forecasts import DAY, FORECASTS
from tests.fixtures.real import ROOT

START = dt.datetime(2026, 3, 3)  # a Tuesday
END = START + dt.timedelta(days=1)
TITLES = {"a": "Bruit", "b": "Rixes", "c": "Dépôts", "d": "Vols", "e": "Contrôles", "f": "Muet"}
MEANS = {"a": 12.2, "b": 3.14, "c": 40.4, "d": 7.0, "e": 900.0, "f": None}


def table() -> pa.Table:
    """Return the day forecasts of six themes; one is of agents' activity, one abstains."""
    rows: list[dict[str, Any]] = [
        {"theme": theme, "kind": "activity" if theme == "e" else "demand", "horizon": "day",
         "division": "ville", "zone": "ville", "part": DAY, "starts_at": START, "ends_at": END,
         "expires_at": END, "mean": mean, "q10": 1, "q90": 99,
         "status": "ok" if mean else "abstained", "reason": ""}
        for theme, mean in MEANS.items()
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=FORECASTS)


def marseille() -> City:
    return load_city(Workspace(ROOT, "marseille"))


def town(simulated: bool) -> Any:
    """Return Marseille's clocks and days, with the themes of the table."""
    about = marseille().about.model_copy(update={"simulated": simulated})
    themes = {name: SimpleNamespace(title=title) for name, title in TITLES.items()}
    return SimpleNamespace(about=about, themes=themes)


def said(now: dt.datetime, simulated: bool = False, **reserves: list[str]) -> str:
    return line(table(), town(simulated), now, reserves).replace("\u00a0", " ")


def test_it_names_the_three_themes_most_expected_with_their_intervals() -> None:
    told = re.sub("<[^>]+>", "", said(START - dt.timedelta(hours=5)))
    assert told.startswith(
        "Demain, mardi 3 mars 2026, le plus attendu en ville hors relevés d'agents : "
        "Dépôts 40 (1 à 99), "
        "Bruit 12 (1 à 99), Vols 7,0 (1 à 99), "
    )
    assert "Contrôles" not in told  # agents' activity is no demand


def test_only_what_is_named_is_told_to_be_read_with_reserve() -> None:
    told = re.sub("<[^>]+>", "", said(START, c=["elle se perd", "ailleurs"], b=["trois"]))
    assert told.endswith(" À lire avec réserve : Dépôts (voir le rapport des prévisions).")
    assert "réserve" not in said(START, b=["trois"])


def test_it_is_today_s_once_begun_and_nothing_once_over() -> None:
    assert "Demain" in said(START - dt.timedelta(seconds=1))
    assert "Aujourd'hui, mardi" in said(START).replace("&#x27;", "'")
    assert "Aujourd'hui, mardi" in said(END - dt.timedelta(seconds=1)).replace("&#x27;", "'")
    assert said(END) == ""
    assert said(END + dt.timedelta(days=300)) == ""


@pytest.mark.parametrize(
    ("now", "moment"),
    [(START - dt.timedelta(hours=1), "2026-03-03T00:00:00+01:00"),
     (START, "2026-03-04T00:00:00+01:00")],
)  # fmt: skip
def test_it_bears_the_moment_when_a_browser_takes_it_away(now: dt.datetime, moment: str) -> None:
    """When it is no more tomorrow's, and then when the day is over: in the city's own time."""
    assert f'data-expires="{moment}"' in said(now)
    assert "data-expires" not in said(now, simulated=True)


def test_the_clock_of_a_simulated_city_stops_with_its_data() -> None:
    city: City = marseille()
    assert city.about.simulated
    end = dt.datetime.combine(city.about.period.end, dt.time(23, 59, 59))
    assert now_there(city) == end
    real = town(simulated=False)
    assert abs(now_there(real) - dt.datetime.now(dt.UTC).replace(tzinfo=None)) < dt.timedelta(
        hours=3
    )
