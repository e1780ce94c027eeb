"""The app « Situation »: what is going on, where, since when, at what hours."""

from __future__ import annotations

import json
from typing import Any

import ipywidgets as widgets

from helpers.apps.day import Day
from helpers.apps.follow import Follow
from helpers.apps.parts import Panel, aside, header, words
from helpers.core.base import store
from helpers.core.base.french import spoken
from helpers.core.city.city import AXES
from helpers.core.place_time.calendar import window
from helpers.core.stage import figure, maps, params, standing
from helpers.core.stage.run import Run, digest
from helpers.core.stats.intervals import poisson_interval
from helpers.rhythms import figures as rhythms_figures
from helpers.rhythms import week as rhythms_week
from helpers.situation import levels
from helpers.trends import figures, weekly_series

WHOLE = "Toute la ville"
TABLES = (
    "cube.parquet",
    "zones.parquet",
    "derived/reliability/weeks.parquet",
    "derived/reliability/days.parquet",
    "derived/reliability/grades.parquet",
    "derived/waves/states.parquet",
)
# Each panel shows, for a choice, what this figure of the pipeline shows for the whole city.
FIGURES = {
    "map": ("situation", "situation_map"),
    "trend": ("trends", "trends_weekly"),
    "rhythm": ("rhythms", "rhythms_week"),
}


class SituationApp:
    """Controls on top, then the words, the map, the trend and the rhythm."""

    def __init__(self, city: str) -> None:
        knobs = params.block("situation")
        self.run = Run("situation", {"city": city, **knobs})
        self.con = self.run.view(*TABLES)
        self.city = standing.in_force(self.run)
        self.left_out = standing.reasons_left_out(self.con, self.run.city, self.city)
        self.knobs = levels.Knobs(
            knobs["reference_periods"], knobs["minimum_references"], knobs["confidence"]
        )
        self.rhythm_knobs = params.knobs("rhythms")
        self.ready = any(theme.division is None for theme in self.city.themes.values())
        if not self.ready:
            return
        self.day = Day(self.run, self.city, knobs["false_alert_rate"])
        self.follow = Follow(self.run)
        self.panels = {area: Panel(area) for area in FIGURES}
        self.evidence = {area: self._published(*made) for area, made in FIGURES.items()}
        self.answer = widgets.HTML()
        self._controls(knobs["periods_days"])
        self._refresh()

    def _controls(self, periods: list[int]) -> None:
        options = [(levels.period_title(d).capitalize(), d) for d in periods]
        themes = [
            (f"{AXES[theme.axis]} · {theme.title}", name)
            for name, theme in self.city.themes.items()
            if theme.division is None
        ]
        drawn = [
            (division.title, name)
            for name, division in self.city.about.divisions.items()
            if division.source or division.grouping_of
        ]
        wide = {"description_width": "6em"}
        self.period = widgets.ToggleButtons(
            options=options, value=28 if 28 in periods else periods[0], description="Période",
            style=wide,
        )  # fmt: skip
        self.theme = widgets.Dropdown(options=themes, description="Thème", style=wide)
        self.division = widgets.Dropdown(
            options=drawn, value=self.city.about.main_division, description="Découpage", style=wide
        )
        self.zone = widgets.Dropdown(options=[WHOLE], description="Zone", style=wide)
        self._list_zones()
        self.division.observe(lambda _: self._list_zones(), names="value")
        for control in (self.period, self.theme, self.division, self.zone):
            control.observe(lambda _: self._refresh(), names="value")

    def _list_zones(self) -> None:
        rows = self.con.execute(
            "SELECT name, code FROM zones WHERE division = ? ORDER BY code", [self.division.value]
        ).fetchall()
        self.names = {code: name for name, code in rows}
        self.zone.options = [(WHOLE, "ville"), *rows]

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
        page = [top, self.day.widget, self.follow.widget, controls, self.answer, grid]
        return widgets.VBox([*page, *why])

    def _refresh(self) -> None:
        if self.zone.value is None:
            return
        theme, division, days = self.theme.value, self.division.value, self.period.value
        rows = levels.assess(self.con, self.city, theme, division, days, self.knobs)
        badge = standing.badge(self.con, [self.city.themes[theme].source])
        first, after = window(self.city.about.period.end, days)
        title = self.city.themes[theme].title
        chosen = next(row for row in rows if row["zone"] == self.zone.value)
        told = levels.sentence(rows, self.names)
        if self.zone.value != "ville":
            told = f"{self.names[self.zone.value]} : {levels.sentence([chosen], self.names)}"
        text = f"**{title}, {levels.period_title(days)}** : {told} {badge[0].upper()}{badge[1:]}."
        self.answer.value = words(text, chosen["level"])
        self._show_map(rows, division)
        self._show_trend(theme, division)
        self._show_rhythm(theme, division, first, after)

    def _show_map(self, rows: list[dict[str, Any]], division: str) -> None:
        features = maps.zone_features(self.con, division)
        chart = levels.level_map(features, rows, 430, 470)
        self._show("map", "Où ?", "Chaque zone comparée à son habitude", chart)

    def _show_trend(self, theme: str, division: str) -> None:
        zone = self.zone.value
        counted = weekly_series.counted_weeks(self.con, self.city, theme, division)
        weeks = counted.get(zone, [(w, None if n is None else 0) for w, n in counted["ville"]])
        low, high = poisson_interval([n or 0 for _, n in weeks], self.knobs.confidence)
        rows = [
            {"week": w.isoformat(), "n": n, "low": None if n is None else float(lo),
             "high": None if n is None else float(hi)}
            for (w, n), lo, hi in zip(weeks, low, high, strict=True)
        ]  # fmt: skip
        first, after = window(self.city.about.period.end, self.period.value)
        chart = figures.draw_one(rows, (first.isoformat(), after.isoformat()), 470, 150)
        self._show(
            "trend", "Depuis quand ?", "Faits par semaine ; en gris, la période choisie", chart
        )

    def _show_rhythm(self, theme: str, division: str, first: Any, after: Any) -> None:
        zone = None if self.zone.value == "ville" else (division, self.zone.value)
        enough, span = self.rhythm_knobs.minimum_count, "période choisie"
        week = self._week(theme, (first, after), zone)
        if week.total < enough:
            whole = window(self.city.about.period.end, self.rhythm_knobs.window_days)
            week = self._week(theme, whole, zone)
            span = "sur douze mois, la période compte trop peu de faits"
        rows = rhythms_figures.grid(week.weights, week.lived, week.thin)
        if week.total < enough:
            rows, span = rhythms_figures.grid(week.weights * 0), "abstention, trop peu de faits"
        chart = rhythms_figures.heatmap(rows, 470, 165)
        self._show("rhythm", "À quelles heures ?", span.capitalize(), chart)

    def _week(
        self, theme: str, span: tuple[Any, Any], zone: tuple[str, str] | None
    ) -> rhythms_week.Week:
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
