"""The app « Situation »: what is going on, where, since when, at what hours."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np

from helpers.apps.day import Day
from helpers.apps.follow import Follow
from helpers.apps.parts import Boundary, Panel, aside, header, words
from helpers.core.base import store
from helpers.core.base.french import spoken
from helpers.core.base.markup import plain
from helpers.core.city.names import WHOLE
from helpers.core.city.theme import AXES
from helpers.core.place_time.calendar import window
from helpers.core.stage import figure, maps, params, standing
from helpers.core.stage.run import Run, digest
from helpers.core.stats.intervals import poisson_interval
from helpers.rhythms import figures as rhythms_figures
from helpers.rhythms import week as rhythms_week
from helpers.situation import figures, levels
from helpers.situation import words as situation_words
from helpers.situation.knobs import Knobs
from helpers.trends import figures as trends_figures
from helpers.trends import weekly_series

Span = tuple[dt.date, dt.date]  # first day, day after the last
Drawn = tuple[str, str, Any]  # title, line below it, chart
TABLES = (
    "cube.parquet",
    "zones.parquet",
    "derived/reliability/weeks.parquet",
    "derived/reliability/days.parquet",
    "derived/reliability/grades.parquet",
    "derived/reliability/delays.parquet",
    "derived/reliability/extraordinary.parquet",
    "derived/trends/recorded.parquet",
    "derived/trends/breaks.parquet",
    "derived/waves/states.parquet",
)
# Each panel shows, for a choice, what this figure of the pipeline shows for the whole city.
FIGURES = {
    "map": ("situation", "situation_map"),
    "trend": ("trends", "trends_weekly"),
    "rhythm": ("rhythms", "rhythms_week"),
}


class SituationApp:
    """The day and what each role follows, then controls, the answer, map, trend and rhythm.

    The order of the page is the list `page` of `widget`; that of the charts, FIGURES.
    """

    def __init__(self, city: str) -> None:
        self.run = Run("situation", {"city": city, **params.block("situation")})
        self.con = self.run.view(*TABLES)
        self.city = standing.in_force(self.run)
        self.left_out = standing.reasons_left_out(self.con, self.run.city, self.city)
        self.knobs: Knobs = params.knobs("situation")
        self.rhythm_knobs = params.knobs("rhythms")
        self.themes = levels.dated_themes(self.con, self.city)
        self.ready = bool(self.themes)
        if not self.ready:
            return
        self.day = Day(self.run, self.city, self.knobs)
        self.follow = Follow(self.run)
        self.panels = {area: Panel(area) for area in FIGURES}
        self.evidence = {area: self._published(*made) for area, made in FIGURES.items()}
        self.answer = widgets.HTML()
        self.boundary = Boundary(self.answer, *(panel.widget for panel in self.panels.values()))
        self._controls(self.knobs.periods_days)
        self.boundary.run(self._refresh)

    def _controls(self, periods: Sequence[int]) -> None:
        options = [(situation_words.period_title(d).capitalize(), d) for d in periods]
        about = self.city.about
        themes = [(f"{AXES[t.axis]} · {t.title}", n) for n, t in self.city.themes.items()
                  if n in self.themes]  # fmt: skip
        drawn = [(about.divisions[n].title, n) for n in levels.divisions(self.city)]
        wide = {"description_width": "6em"}
        self.period = widgets.ToggleButtons(
            options=options, value=28 if 28 in periods else periods[0], description="Période",
            style=wide, tooltip="Période comparée à l'habitude",
        )  # fmt: skip
        self.theme = widgets.Dropdown(options=themes, description="Thème", style=wide)
        self.division = widgets.Dropdown(
            options=drawn, value=about.main_division, description="Découpage", style=wide
        )
        self.zone = widgets.Dropdown(description="Zone", style=wide)
        self._list_zones()
        self.boundary.observe(self.division, self._divide)
        for control in (self.period, self.theme, self.zone):
            self.boundary.observe(control, self._refresh)

    def _divide(self) -> None:
        self._list_zones()
        self._refresh()

    def _list_zones(self) -> None:
        rows = self.con.execute(
            "SELECT name, code FROM zones WHERE division = ? ORDER BY code", [self.division.value]
        ).fetchall()
        self.names = {code: name for name, code in rows}
        self.zone.options = [("Toute la ville", WHOLE), *rows]
        self.zone.value = WHOLE

    def widget(self) -> widgets.VBox:
        """Return the whole page."""
        end = spoken(self.city.about.period.end)
        why = [widgets.HTML(aside(line)) for line in self.left_out]
        if not self.ready:
            none = widgets.HTML(aside("**Aucun thème n'est en service.**"))
            return widgets.VBox([header(self.city, "Situation", f"Au {end}"), none, *why])
        controls = widgets.VBox([self.period, self.theme, self.division, self.zone])
        controls.add_class("app-controls")
        grid = widgets.Box([panel.widget for panel in self.panels.values()])
        grid.add_class("app-grid")
        top = header(self.city, "Situation", f"Au {end}")
        page = [top, self.day.widget, self.follow.widget, controls, self.boundary.notice,
                self.answer, grid]  # fmt: skip
        return widgets.VBox([*page, *why])

    def _refresh(self) -> None:
        theme, division, days = self.theme.value, self.division.value, self.period.value
        rows = levels.assess(self.con, self.city, theme, division, days, self.knobs)
        chosen = next(row for row in rows if row["zone"] == self.zone.value)
        span = window(self.city.about.period.end, days)
        # All is found before anything is shown: what fails leaves the page as it was.
        drawn = {
            "map": self._map(rows, division),
            "trend": self._trend(theme, division, span),
            "rhythm": self._rhythm(theme, division, span),
        }
        answer = self._answer(rows, chosen)
        for area, (title, line, chart) in drawn.items():
            self._show(area, title, line, chart)
        self.answer.value = words(answer, chosen["level"])

    def _answer(self, rows: list[dict[str, Any]], chosen: dict[str, Any]) -> str:
        if chosen["zone"] == WHOLE:
            told = situation_words.sentence(rows, self.names)
        else:
            told = f"{plain(self.names[chosen['zone']])} : {situation_words.told_alone(chosen)}."
            told += situation_words.remarks(chosen)
        theme = self.city.themes[chosen["theme"]]
        badge = standing.badge(self.con, [theme.source])
        when = situation_words.period_title(chosen["period_days"])
        return f"**{plain(theme.title)}, {when}** : {told} {badge[0].upper()}{badge[1:]}."

    def _map(self, rows: list[dict[str, Any]], division: str) -> Drawn:
        features = maps.zone_features(self.con, division)
        if not features:
            return "Où ?", "Découpage sans contours : pas de carte", figure.nothing()
        chart = figures.level_map(features, rows, 430, 470, self.zone.value)
        line = "Chaque zone comparée à son habitude"
        if any(zone["properties"]["code"] == self.zone.value for zone in features):
            line += " ; cernée, la zone choisie"
        return "Où ?", line, chart

    def _trend(self, theme: str, division: str, span: Span) -> Drawn:
        counted = weekly_series.counted_weeks(self.con, self.city, theme, division)
        weeks = counted.get(
            self.zone.value, [(w, None if n is None else 0) for w, n in counted[WHOLE]]
        )
        low, high = poisson_interval([n or 0 for _, n in weeks], self.knobs.confidence)
        rows = [
            {"week": w.isoformat(), "n": n, "low": None if n is None else float(lo),
             "high": None if n is None else float(hi)}
            for (w, n), lo, hi in zip(weeks, low, high, strict=True)
        ]  # fmt: skip
        first, after = span
        chart = trends_figures.draw_one(rows, (first.isoformat(), after.isoformat()), 470, 150)
        return "Depuis quand ?", "Faits par semaine ; en gris, la période choisie", chart

    def _rhythm(self, theme: str, division: str, span: Span) -> Drawn:
        zone = None if self.zone.value == WHOLE else (division, self.zone.value)
        enough, told = self.rhythm_knobs.minimum_count, "période choisie"
        week = self._week(theme, span, zone)
        if week.total < enough:
            whole = window(self.city.about.period.end, self.rhythm_knobs.window_days)
            week = self._week(theme, whole, zone)
            told = "sur douze mois, la période compte trop peu de faits"
        thin = week.thin
        if week.total < enough:
            thin, told = np.ones_like(thin), "abstention, trop peu de faits"
        rows = rhythms_figures.grid(week.weights, week.lived, thin)
        return "À quelles heures ?", told.capitalize(), rhythms_figures.heatmap(rows, 470, 165)

    def _week(self, theme: str, span: Span, zone: tuple[str, str] | None) -> rhythms_week.Week:
        return rhythms_week.week(self.con, self.city, theme, span, self.rhythm_knobs, zone)

    def _published(self, stage: str, name: str) -> dict[str, Any]:
        path = self.run.read(f"figures/{stage}/{name}.evidence.json")
        evidence: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return evidence

    def _show(self, area: str, title: str, line: str, chart: Any) -> None:
        choice = {
            "période_jours": self.period.value,
            "thème": self.theme.value,
            "découpage": self.division.value,
            "zone": self.zone.value,
        }
        shown = {
            "choice": choice,
            "inputs_now": {
                self.run.workspace.relative(self.run.workspace.data / name): store.sha256(
                    self.run.workspace.data / name
                )
                for name in TABLES
            },
            "spec_sha256_now": digest(figure.complete(chart)),
        }
        self.panels[area].show(title, line, chart, {**self.evidence[area], "app": shown})
