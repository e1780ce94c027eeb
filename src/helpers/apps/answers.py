"""The page « Portefeuille »: the questions that the city asks, each with its answer."""

from __future__ import annotations

from html import escape
from typing import Any, ClassVar

import ipywidgets as widgets
import pyarrow.parquet as pq

from helpers.apps.choice import ALL_THEMES, Choice
from helpers.apps.parts import Put, words
from helpers.apps.shell import Place
from helpers.core.base import store
from helpers.core.base.french import plural
from helpers.core.base.markup import plain
from helpers.core.city.surroundings import read_surroundings
from helpers.core.city.theme import AXES
from helpers.core.stage import params, standing
from helpers.portfolio import pages
from helpers.portfolio import words as portfolio_words
from helpers.portfolio.words import Names
from helpers.trends import words as trends_words

GRADED = (
    "Fiabilité : la note que la source tient neuf semaines sur dix des années étudiées ; Confiance "
    "la dit sur tout ce qui est reçu, et peut en donner une autre."
)


class Portfolio:
    """A card a question, axis by axis."""

    title: ClassVar[str] = "Portefeuille"
    question: ClassVar[str] = "Que répond-on aux questions posées ?"
    uses: ClassVar[tuple[str, ...]] = ("theme",)

    def __init__(self, place: Place) -> None:
        self.city, run = place.city, place.run
        table = pq.read_table(run.read("derived/portfolio/answers.parquet"))
        self.rows = portfolio_words.ordered(table)
        knobs = params.knobs("portfolio")
        states = store.records(run.con, "SELECT * FROM states")
        zones = store.records(run.con, "SELECT division, code, name FROM zones")
        self.names = Names(
            run.city,
            {(row["division"], row["code"]): row["name"] for row in zones},
            {
                row["theme"]: f"{standing.TITLES[row['state']]}, {standing.why(row, run.city)}"
                for row in states
            },
            read_surroundings(run.city),
            knobs.minimum_count,
            knobs.minimum_hours,
            params.knobs("context"),
        )
        self.said, self.cards = widgets.HTML(), widgets.HTML()
        self.widget = widgets.VBox([self.said, self.cards])

    def answer(self, choice: Choice) -> list[Put]:
        """Return what answers the choice: the questions of its theme, or all of them."""
        rows = [row for row in self.rows if choice.theme in (ALL_THEMES, row["theme"])]
        cards = []
        for axis, title in AXES.items():
            mine = [self._card(row) for row in rows if row["axis"] == axis]
            if mine:
                cards.append(f'<section class="app-table"><h2>{escape(title)}</h2>{"".join(mine)}'
                             "</section>")  # fmt: skip
        return [
            (self.said, "value", words(self._answer(rows), "usual", GRADED)),
            (self.cards, "value", "".join(cards)),
        ]

    def _answer(self, rows: list[dict[str, Any]]) -> str:
        if not rows:
            return "**Aucune question** n'est posée sur ce thème."
        moving = [row for row in rows if row["label"] in ("up", "down")]
        told = [f"« {plain(row['title'])} » {trends_words.LABELS[row['label']]}" for row in moving]
        said = " ; ".join(told) or "aucune évolution n'est établie"
        return f"**{plural(len(rows), 'question')}** : {said}."

    def _card(self, row: dict[str, Any]) -> str:
        sign = pages.SIGNS[row["label"]]
        moved = portfolio_words.moved(row, self.names)
        grade = f'<p class="grade">{portfolio_words.footing(row)}</p>' if row["grade"] else ""
        return (
            f'<article class="app-question"><h3>{escape(row["title"])}</h3>'
            f'<p><span aria-hidden="true">{sign}</span> {escape(moved)}</p>{grade}</article>'
        )
