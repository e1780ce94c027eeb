"""The top of « Situation »: alerts, what is on today, the reflex sheets, and drills."""

from __future__ import annotations

import ipywidgets as widgets

from helpers.apps.parts import Boundary, folded
from helpers.core.base import store
from helpers.core.base.french import plural
from helpers.core.city import sheets
from helpers.core.city.city import City
from helpers.core.place_time import places
from helpers.core.stage.run import Run
from helpers.situation import agenda, alerts, reflex_sheets, words
from helpers.situation.knobs import Knobs

NO_DRILL = "aucun"


class Day:
    """What the stage `situation` found for the last day; a drill opens a sheet of its own."""

    def __init__(self, run: Run, city: City, knobs: Knobs) -> None:
        self.run, self.city = run, city
        folder = "derived/situation"
        tables = {
            name: store.table(run.view(f"{folder}/{name}.parquet"), f'SELECT * FROM "{name}"')
            for name in ("alerts", *agenda.SCHEMAS)
        }
        self.today = agenda.of_tables(city.about.period.end, tables)
        self.names = places.zone_names(run.con, city, every=True)
        self.lit = [row for row in alerts.lit(tables["alerts"]) if row["theme"] in city.themes]
        said = words.alerts(tables["alerts"], city, self.names, self.today.events, knobs)
        watched = words.watch(tables["alerts"], city, self.names, self.today.events, knobs)
        day = words.day(run.city, self.today, self.names)
        title = plural(len(self.lit), "alerte") if self.lit else "Aucune alerte"
        self.alerts = widgets.HTML(folded(title, said, open_now=bool(self.lit)))
        self.watch = widgets.HTML(folded("À regarder", watched))
        self.on = widgets.HTML(folded("Ce jour-là : événements, rues et lieux fermés", day))
        self.sheets = widgets.HTML()
        choices = [(NO_DRILL, ""), *((reflex_sheets.read(run.root, n).title, n)
                                     for n in sheets.names(run.root))]  # fmt: skip
        self.drill = widgets.Dropdown(
            options=choices, description="Exercice", style={"description_width": "6em"}
        )
        self.boundary = Boundary(self.sheets)
        self.boundary.observe(self.drill, self._open)
        self.boundary.run(self._open)
        parts = [self.alerts, self.watch, self.on, self.sheets, self.drill, self.boundary.notice]
        self.widget = widgets.VBox(parts)
        self.widget.add_class("app-day")

    def _open(self) -> None:
        found = reflex_sheets.opened(
            self.run.root, self.run.city, self.lit, self.today.warnings, self.drill.value
        )
        title = "Exercice : fiche réflexe" if self.drill.value else "Fiches réflexes"
        shown = bool(self.drill.value) or bool(found)
        told = words.sheets(found, self.run.city, self.names)
        self.sheets.value = folded(title, told, open_now=shown)
