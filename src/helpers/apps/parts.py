"""Pieces that every app is made of: header, chart with its evidence, words."""

from __future__ import annotations

import base64
import json
from html import escape
from importlib.resources import files
from typing import Any

import altair as alt
import ipywidgets as widgets
import mistune

from helpers.core.city.city import City
from helpers.core.stage import figure

alt.JupyterChart.enable_offline(True)


def header(city: City, title: str, line: str) -> widgets.HTML:
    """Return the app's heading: city, title, and « données simulées » where due."""
    simulated = (
        '<p class="app-simulated" role="status"><strong>Données simulées</strong> : aucun chiffre '
        "de cette page ne décrit la réalité.</p>"
        if city.about.simulated
        else ""
    )
    style = files("helpers.apps").joinpath("apps.css").read_text(encoding="utf-8")
    return widgets.HTML(
        f'<style>{style}</style>{simulated}<div class="app-heading">'
        f"<h1>{escape(title)} <span>{escape(city.about.title)}</span></h1>"
        f"<p>{escape(line)}</p></div>"
    )


class Panel:
    """A chart with a title above and its evidence below."""

    def __init__(self, area: str) -> None:
        self._title = widgets.HTML()
        empty = alt.Chart(alt.InlineData(values=[])).mark_point()
        self._chart = alt.JupyterChart(empty, embed_options={"actions": False})
        self._evidence = widgets.HTML()
        self.widget = widgets.VBox([self._title, self._chart, self._evidence])
        self.widget.add_class("app-panel")
        self.widget.add_class(f"app-{area}")

    def show(self, title: str, line: str, chart: Any, evidence: dict[str, Any]) -> None:
        """Draw `chart` under `title` and `line`; `evidence` is offered and told in short."""
        self._title.value = f"<h2>{escape(title)} <small>{escape(line)}</small></h2>"
        self._chart.spec = figure.complete(chart.properties(description=f"{title} {line}"))
        self._evidence.value = _evidence(evidence)


def _evidence(evidence: dict[str, Any]) -> str:
    text = json.dumps(evidence, ensure_ascii=False, indent=1, sort_keys=True)
    link = base64.b64encode(text.encode()).decode()
    name = evidence["figure"]
    return (
        f'<p class="app-evidence">Preuve <a download="{name}.evidence.json" '
        f'href="data:application/json;base64,{link}">{escape(evidence["passport"])}</a> · '
        f"refaire : <code>make figure NAME={name} CITY={evidence['city']}</code></p>"
    )


def folded(title: str, markdown: str, *, open_now: bool = False) -> str:
    """Return the HTML of a part that opens under its title; the text is the project's Markdown."""
    state = " open" if open_now else ""
    text = mistune.html(markdown)
    return f'<details class="app-folded"{state}><summary>{escape(title)}</summary>{text}</details>'


def aside(text: str) -> str:
    """Return the HTML of a remark below the page; stars mark what is strong."""
    return f'<p class="app-aside">{_marked(text)}</p>'


def words(text: str, level: str) -> str:
    """Return the HTML of an answer in words; stars mark what is strong, `level` its colour."""
    return f'<p class="app-words app-{level}" aria-live="polite">{_marked(text)}</p>'


def _marked(text: str) -> str:
    parts = escape(text).split("**")
    return "".join(f"<strong>{p}</strong>" if i % 2 else p for i, p in enumerate(parts))
