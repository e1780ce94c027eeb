"""Pieces that every app is made of: header, chart with its evidence, words."""

from __future__ import annotations

import base64
import json
from html import escape
from typing import Any

import altair as alt
import ipywidgets as widgets

from helpers import figure
from helpers.city import City

alt.JupyterChart.enable_offline(True)


def header(city: City, title: str, line: str) -> widgets.HTML:
    """Return the app's banner: city, title, and « données simulées » where due."""
    simulated = (
        '<p class="phare-simulated" role="status">Données simulées : aucun chiffre de cette page '
        "ne décrit la réalité.</p>"
        if city.about.simulated
        else ""
    )
    return widgets.HTML(
        f'{simulated}<div class="phare-banner"><p>{escape(city.about.title)}</p>'
        f"<h1>{escape(title)}</h1><p>{escape(line)}</p></div>"
    )


class Panel:
    """A chart with a title above and its evidence below."""

    def __init__(self, area: str) -> None:
        self._title = widgets.HTML()
        self._chart = alt.JupyterChart(alt.Chart(alt.InlineData(values=[])).mark_point())
        self._evidence = widgets.HTML()
        self.widget = widgets.VBox([self._title, self._chart, self._evidence])
        self.widget.add_class("phare-panel")
        self.widget.add_class(f"phare-{area}")

    def show(self, title: str, chart: Any, evidence: dict[str, Any]) -> None:
        """Draw `chart` under `title`; `evidence` is offered for download and told in short."""
        self._title.value = f"<h2>{escape(title)}</h2>"
        self._chart.spec = figure.complete(chart)
        self._evidence.value = _evidence(evidence)


def _evidence(evidence: dict[str, Any]) -> str:
    text = json.dumps(evidence, ensure_ascii=False, indent=1, sort_keys=True)
    link = base64.b64encode(text.encode()).decode()
    name = evidence["figure"]
    return (
        f'<p class="phare-evidence"><span>Preuve {escape(evidence["passport"])}</span> '
        f'<a download="{name}.evidence.json" href="data:application/json;base64,{link}">'
        f"télécharger</a> <code>make figure NAME={name} CITY={evidence['city']}</code></p>"
    )


def words(text: str) -> str:
    """Return the HTML of an answer in words; stars mark what is strong."""
    parts = escape(text).split("**")
    marked = "".join(f"<strong>{p}</strong>" if i % 2 else p for i, p in enumerate(parts))
    return f'<p class="phare-words" aria-live="polite">{marked}</p>'
