"""The page « Actions et résultats »: from question to verdict, and what is decided of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import ClassVar

import ipywidgets as widgets
import pyarrow as pa
import pyarrow.compute as pc

from helpers.actions import figures as calendar_figures
from helpers.apps import actions_read as read
from helpers.apps import actions_thread as thread
from helpers.apps import actions_tiles as numbers
from helpers.apps import actions_words as said
from helpers.apps.actions_decided import Governed
from helpers.apps.choice import Choice
from helpers.apps.deciding import Deciding
from helpers.apps.keep import Cell
from helpers.apps.parts import Panel, Proofs, Put, folded, taken, words
from helpers.apps.shell import Place, link
from helpers.core.base.markup import to_html
from helpers.core.stage import figure
from helpers.impact import figures as effect_figures
from helpers.problems import pages as problem_pages
from helpers.results import figures as hour_figures
from helpers.results import pages as result_pages
from helpers.results import words as result_words

PAGE = "actions_et_resultats"
FILES = tuple(f"derived/{stage}/{name}.parquet"
              for stage, names in read.TABLES.items() for name in names)  # fmt: skip
PUBLISHED = {
    "effect": "impact/impact_ratios", "calendar": "actions/actions_calendar",
    "hours": "results/results_hours",
}  # fmt: skip


class Actions:
    """The answer, what asks for a decision or the thread, the numbers; below them the rest."""

    title: ClassVar[str] = "Actions"
    question: ClassVar[str] = "Qu'avons-nous décidé, fait, et obtenu ?"
    uses: ClassVar[tuple[str, ...]] = ("theme", "territoire", "palier", "etat", "action")

    def __init__(self, place: Place) -> None:
        self.place, run = place, place.run
        self.found = read.Found(run)
        self.proofs = Proofs(run, FILES, PUBLISHED)
        self.said, self.cards, self.tiles, self.list, self.more = (widgets.HTML() for _ in range(5))
        self.effect, self.hours = Panel("effect"), Panel("hours")
        fold = widgets.Box([self.cards, self.tiles, self.effect.widget])
        fold.add_class("app-fold")
        fold.add_class("app-acts")
        about = run.city.about
        kind = Governed([*self.found.actions], about.timezone)
        self.decide = Deciding(run.root, run.workspace.pack, kind)
        self.whole = cache(self._whole)
        self.list.add_class("app-listed")
        self.widget = widgets.VBox([self.said, fold, self.list, self.decide, self.hours.widget,
                                    self.more])  # fmt: skip

    def answer(self, choice: Choice) -> list[Put]:
        """Return what answers the choice: one action's thread, or all actions of the choice."""
        found = self.found
        shown = [one for one in found.actions.values() if one.answers(choice)]
        one = found.actions.get(choice.action)

        def at(action: str) -> str:
            return link(PAGE, choice, action=action)

        if one is None:
            chosen = self._chosen(choice)
            text, level, small = said.answer(shown, found, chosen)
            cards = said.to_decide(shown, found, at)
            tiles = numbers.tiles(shown, found, chosen=bool(chosen))
        else:
            text, level, small = said.answer_of(one, found)
            cards, tiles = thread.steps(one, found), numbers.tiles_of(one, found)
        return [
            (self.said, "value", words(text, level, small)),
            (self.cards, "value", cards),
            (self.tiles, "value", tiles),
            *self._effects(choice, shown if one is None else [one]),
            (self.list, "value", self._listed(choice, shown, at)),
            (self.decide, "subject", choice.action),
            *self.whole(),
        ]

    def _chosen(self, choice: Choice) -> list[str]:
        """Return what the choice takes of all the actions, in words."""
        offered, usual, values = self.place.offer, self.place.offer.first.values(), choice.values()
        whole = [name for name, value in values.items() if value == usual[name]]
        whole += ["territoire"] if "/" not in values["territoire"] else []
        return [self.place.told(choice, [name]) for name in self.uses
                if name not in whole and offered.options[name]]  # fmt: skip

    # --- Figures and lists ---------------------------------------------------------------------

    def _effects(self, choice: Choice, shown: list[read.One]) -> list[Put]:
        """Return the effects of actions with their intervals; when they were, where none has one.

        An action without a number is in the table, never at zero in the chart.
        """
        names = [one.name for one in shown]
        told = [one for one in shown if one.effect and not one.effect["reason"]]
        if told or not names:
            area, key = "effect", "key"
            table = self.found.tables["effects"]
            table = table.filter(pc.equal(table["scope"], "action"))
            drawn = effect_figures.ratios(_among(table, key, names), self.found.rules)
            title = "Quel effet ?"
        else:
            area, key = "calendar", "action"
            states = _among(self.found.tables["actions"], key, names)
            drawn = calendar_figures.calendar(states, self.found.today)
            title = "Quand ? (aucun effet chiffré)"
        spec = figure.complete(drawn.chart)
        foot = self.proofs.of(area, choice.values(), spec) + self.place.kept(
            choice, self.uses, self.proofs.published[area], said.KEPT, said.kept(shown, self.found)
        )  # fmt: skip
        return self.effect.put(title, drawn.title, spec, foot)

    def _listed(self, choice: Choice, shown: list[read.One], at: Callable[[str], str]) -> str:
        if not shown:
            return ""
        kept = self.place.kept(choice, self.uses, self.proofs.published["calendar"], said.KEPT,
                               said.kept(shown, self.found), drawn=False)  # fmt: skip
        lines = said.listed(shown, self.found, at)
        return f'<section class="app-table"><h2>Les actions</h2>{lines}{kept}</section>'

    # --- The account of the period, whatever is chosen -----------------------------------------

    def _whole(self) -> list[Put]:
        """Return the hours of the period and what a council takes away, of the whole city."""
        drawn = hour_figures.hours(self.found.result)
        spec, first = figure.complete(drawn.chart), self.place.offer.first
        foot = self.proofs.of("hours", {}, spec) + self.place.kept(
            first, (), self.proofs.published["hours"], tuple(result_words.CSV.values()),
            self._kept_hours()
        )  # fmt: skip
        return [
            *self.hours.put("Combien d'heures ?", f"{drawn.title}, toute la ville", spec, foot),
            (self.more, "value", self._account()),
        ]

    def _kept_hours(self) -> list[list[Cell]]:
        return [
            [row[name].isoformat() if name == "quarter" else row[name] for name in result_words.CSV]
            for row in self.found.result.account.to_pylist()
        ]

    def _account(self) -> str:
        """Return the account of the period in words, its sums, its decisions, the files to take."""
        told, run = self.found.result, self.place.run
        city = run.workspace.city
        pages = {
            f"results/{result_pages.FOLDER}/{result_pages.NAME}": "Emporter le compte rendu",
            f"problems/{problem_pages.COUNCIL}/{problem_pages.WHOLE}": "la page du conseil local",
        }  # fmt: skip
        links = [
            taken(f"{city}-{name.rpartition('/')[2]}.html", "text/html;charset=utf-8",
                  run.read(f"derived/{name}.html").read_bytes(), text)
            for name, text in pages.items()
            if (run.workspace.data / f"derived/{name}.html").exists()
        ]  # fmt: skip
        sheets = f'<p class="app-sheet">{", ou ".join(links)} : des pages à imprimer.</p>'
        text = to_html(result_words.answer(told))
        return (
            f'<section class="app-table"><h2>Le compte rendu de la période, toute la ville</h2>'
            f"{text}{sheets}</section>"
            + folded("Par palier, par thème, par trimestre", result_words.totals(told))
            + folded("Les décisions de la période, et ce qu'une figure disait avant",
                      result_words.decided(told))
            + folded("Action par action, sur la période", result_words.one_by_one(told))
        )  # fmt: skip


def _among(table: pa.Table, key: str, names: list[str]) -> pa.Table:
    """Return the rows of a table whose `key` is one of the names."""
    return table.filter(pc.is_in(table[key], value_set=pa.array(names, pa.string())))
