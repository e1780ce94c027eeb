"""The reflex sheets that today's alerts and warnings open, and drills."""

from __future__ import annotations

import ipywidgets as widgets

from helpers.apps.parts import Boundary
from helpers.core.base.markup import to_html
from helpers.core.city import sheets
from helpers.core.stage.run import Run
from helpers.situation import agenda, alerts, reflex_sheets, words
from helpers.situation.judgement import Judgement

NO_DRILL = "aucun"


class Sheets:
    """The sheets, each under an anchor that alerts point to; a drill opens one of its own."""

    def __init__(
        self, run: Run, judged: Judgement, today: agenda.Today, names: words.Names
    ) -> None:
        self.run, self.names, self.today = run, names, today
        self.lit = alerts.lit(judged.alerts)
        self.sheets = widgets.HTML()
        listed = sheets.names(run.root)
        choices = [(NO_DRILL, ""), *((reflex_sheets.read(run.root, n).title, n) for n in listed)]
        self.drill = widgets.Dropdown(options=choices, description="Exercice")
        self.boundary = Boundary(self.sheets)
        self.boundary.observe(self.drill, self._open)
        self.boundary.run(self._open)
        self.widget = widgets.VBox([self.sheets, self.drill, self.boundary.notice])
        self.widget.add_class("app-sheets")

    def _open(self) -> None:
        found = reflex_sheets.opened(
            self.run.root, self.run.city, self.lit, self.today.warnings, self.drill.value
        )
        title = "Exercice : fiche réflexe" if self.drill.value else "Fiches réflexes"
        parts = [
            f'<section id="fiche-{one.sheet.name}">'
            f"{to_html(words.sheets([one], self.run.city, self.names))}</section>"
            for one in found
        ] or [to_html(words.sheets([], self.run.city, self.names))]
        self.sheets.value = f"<h2>{title}</h2>{''.join(parts)}"
