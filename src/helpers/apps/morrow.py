"""The line « Demain »: what is most expected, as long as its forecast holds and no longer."""

from __future__ import annotations

import datetime as dt
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import ipywidgets as widgets
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.core.base.markup import inline, plain
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.stage import standing
from helpers.core.stage.run import Run
from helpers.forecast import forecasts, words
from helpers.serve.arrivals import on_arrival


def now_there(city: City) -> dt.datetime:
    """Return what the clocks of a city say, local; those of a simulated one stop with its data."""
    if city.about.simulated:
        return forecasts.morrow(city) - dt.timedelta(seconds=1)
    return dt.datetime.now(ZoneInfo(city.about.timezone)).replace(tzinfo=None)


class Morrow(widgets.HTML):  # type: ignore[misc]
    """The line, empty where no forecast holds: told anew when a visitor comes, and with `beside`.

    A page is made before its visitor comes, and read after: the clock is looked at each time, and
    the browser takes the line away at the moment that it bears.
    """

    def __init__(self, run: Run, beside: widgets.HTML) -> None:
        super().__init__()
        self.city = run.city
        day = [("horizon", "=", "day"), ("zone", "=", WHOLE), ("part", "=", forecasts.DAY)]
        self.table = pq.read_table(run.read("derived/forecast/forecasts.parquet"), filters=day)
        tables = ("backtest/scores", "backtest/origins", "reliability/decay")
        con = run.view(*(f"derived/{name}.parquet" for name in tables))
        self.reserves = words.reserves(
            standing.faded(run.table("decay"), run.city), forecasts.moved(con),
            forecasts.held(con), self.table.to_pylist(), run.city, ["day"],
        )  # fmt: skip
        self.tell()
        beside.observe(lambda _: self.tell(), "value")
        on_arrival(lambda _: self.tell())

    def tell(self) -> None:
        """Say what holds now, or nothing."""
        self.value = line(self.table, self.city, now_there(self.city), self.reserves)


def line(table: pa.Table, city: City, now: dt.datetime, reserves: words.Reserves) -> str:
    """Return the line as HTML at a local moment; nothing where no forecast of the day holds.

    The day forecast is tomorrow's until it begins, and today's until it is over. `reserves`: theme
    → what its forecast is to be read with.
    """
    rows = forecasts.shown(table, now)
    most = words.most_expected(rows, city)
    if not most:
        return ""
    start, end = (min(row[name] for row in rows) for name in ("starts_at", "expires_at"))
    begun = start <= now
    end = end if begun else start
    until = ""
    if not city.about.simulated:
        there = end.replace(tzinfo=ZoneInfo(city.about.timezone)).isoformat()
        until = f' data-expires="{escape(there)}"'
    when = "Aujourd'hui" if begun else "Demain"
    said = (
        f"**{when}, {words.day(start)}**, le plus attendu en ville hors relevés d'agents : "
        f"{most}, fourchettes à huit chances sur dix.{words.holiday(start, city)}"
        f"{_read_with(rows, city, reserves)}"
    )
    return f'<p class="app-morrow"{until}>{inline(said)}</p>'


def _read_with(rows: list[dict[str, Any]], city: City, reserves: words.Reserves) -> str:
    """Return which of the themes named are to be read with reserve; may be nothing.

    Why is long, and in the report: the first fold has the room of an answer.
    """
    named = [row["theme"] for row in words.first_expected(rows, city) if row["theme"] in reserves]
    titles = ", ".join(plain(city.themes[theme].title) for theme in named)
    return f" **À lire avec réserve** : {titles} (voir le rapport des prévisions)." if named else ""
