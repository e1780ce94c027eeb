"""What each role follows: its few indicators, and how quiet people feel, beside the facts."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import pyarrow.parquet as pq

from helpers.apps.parts import Boundary, folded
from helpers.core.base.french import percent
from helpers.core.base.markup import plain
from helpers.core.city.names import WHOLE
from helpers.core.city.surroundings import read_surroundings
from helpers.core.city.survey import read_rule
from helpers.core.stage import params
from helpers.core.stage.run import Run
from helpers.sentiment import words
from helpers.sentiment.links import resemblance
from helpers.trends import words as trends_words
from helpers.trends.knobs import Knobs


class Follow:
    """Two parts that open under their titles; the role is chosen below."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.knobs: Knobs = params.knobs("trends")
        self.rows = pq.read_table(run.read("derived/trends/indicators.parquet")).to_pylist()
        roles = list(self.knobs.indicators)
        self.role = widgets.Dropdown(
            options=roles, description="Rôle", style={"description_width": "6em"}
        )
        self.indicators = widgets.HTML()
        self.boundary = Boundary(self.indicators)
        self.boundary.observe(self.role, self._tell)
        self.boundary.run(self._tell)
        parts = [self.indicators, self.role, self.boundary.notice] if roles else []
        self.widget = widgets.VBox([*parts, widgets.HTML(self._feeling())])
        self.widget.add_class("app-day")

    def _tell(self) -> None:
        lines = [self._line(row) for row in self.rows if row["role"] == self.role.value]
        title = f"Les indicateurs suivis : {self.role.value}"
        self.indicators.value = folded(title, "\n".join(lines))

    def _line(self, row: dict[str, Any]) -> str:
        title = plain(trends_words.indicator_title(row, self.run.city))
        if row["status"] != "ok":
            why = trends_words.reason(row, self.knobs.minimum_count)
            return f"- {title} : abstention, {plain(why)}"
        value = plain(trends_words.indicator_value(row))
        return f"- {title} : **{value}** (fiabilité {row['reliability']})"

    def _feeling(self) -> str:
        tables = {
            name: pq.read_table(self.run.read(f"derived/sentiment/{name}.parquet"))
            for name in ("waves", "zones", "links")
        }
        rule, held = read_rule(self.run.city), read_surroundings(self.run.city)
        knobs = params.knobs("sentiment")
        alike = resemblance(tables["zones"], knobs.confidence)
        question = rule.question if rule else ""
        told = words.in_words(tables["waves"], tables["links"], alike, knobs, question, held)
        last = [r for r in tables["waves"].to_pylist() if r["zone"] == WHOLE][-1]
        value = "abstention"
        if last["status"] == "ok":
            value = (
                f"{percent(last['value'])} de tranquilles ({percent(last['low'])} à "
                f"{percent(last['high'])} ; {percent(last['shift_low'])} à "
                f"{percent(last['shift_high'])} si les absents pensent autrement)"
            )
        return folded(f"Sentiment de tranquillité : {value}", told)
