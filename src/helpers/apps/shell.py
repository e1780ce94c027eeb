"""The frame of every page: banner of simulated data, navigation, one slim bar of controls.

A page is a class with a `title`, a `question`, the controls that it `uses`, a `widget` and a method
`answer(choice)`; everything else is here. See docs/apps/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any, ClassVar, Protocol

import ipywidgets as widgets
import pyarrow.parquet as pq
from traitlets.log import get_logger

from helpers.apps import actions_words, keep
from helpers.apps.choice import Choice, Offer, offer
from helpers.apps.parts import Boundary, Put, aside
from helpers.core.base import redact
from helpers.core.base.french import spoken
from helpers.core.city.city import City
from helpers.core.place_time import places
from helpers.core.stage import params, standing
from helpers.core.stage.run import Run
from helpers.events import words as events_words
from helpers.serve.arrivals import beforehand, on_arrival
from helpers.situation import levels

ACTIONS = "derived/actions/actions.parquet"
# In the order of the navigation: a page's notebook → what it is called.
PAGES = {
    "situation": "Aujourd'hui",
    "ou_et_quand": "Où et quand",
    "tendances": "Tendances",
    "evenements": "Événements",
    "moyens": "Moyens",
    "actions_et_resultats": "Actions",
    "portefeuille": "Portefeuille",
    "confiance": "Confiance",
}
TITLES = {
    "periode": "Période", "theme": "Thème", "territoire": "Territoire", "role": "Rôle",
    "evenement": "Événement", "palier": "Palier", "etat": "État", "action": "Action",
}  # fmt: skip
# What a page is called in full, where the navigation has room for less.
IN_FULL = {"Actions": "Actions et résultats"}


@dataclass(frozen=True)
class Place:
    """What a page is made from: the run, its city (themes in force), what is offered, links."""

    run: Run
    city: City
    offer: Offer

    def names(self, division: str) -> Mapping[str, str]:
        """Return code → name of the division's zones."""
        return self.offer.names.get(division, {})

    def told(self, choice: Choice, uses: Sequence[str]) -> str:
        """Return the choice of these controls in words, as they say it."""
        values = choice.values()
        labels = {n: {v: said for said, v in self.offer.options[n]} for n in uses}
        return " ; ".join(labels[n][values[n]] for n in uses if values[n] in labels[n])

    def kept(
        self, choice: Choice, uses: Sequence[str], evidence: Mapping[str, Any],
        heads: Sequence[str], rows: Sequence[Sequence[keep.Cell]], drawn: bool = True,
    ) -> str:  # fmt: skip
        """Return the HTML that offers what a figure shows for the choice of these controls."""
        made_up = self.city.about.simulated
        values = choice.values()
        said = [values[n].replace("/", "-") for n in uses if values[n]]
        name = "-".join([evidence["city"], evidence["figure"], *said])
        foot = (
            f"{_when(self.city)}. {self.told(choice, uses)}. "
            f"{'Données simulées : aucun chiffre réel. ' if made_up else ''}Preuve "
            f"{evidence['passport']} : make figure NAME={evidence['figure']} "
            f"CITY={evidence['city']}"
        )
        return keep.line(f"{name}-simule" if made_up else name, heads, rows, foot, drawn)


class Page(Protocol):
    """What a page's own file holds."""

    title: ClassVar[str]
    question: ClassVar[str]
    uses: ClassVar[tuple[str, ...]]
    widget: widgets.DOMWidget

    def __init__(self, place: Place) -> None: ...

    def answer(self, choice: Choice) -> list[Put]: ...


def link(page: str, choice: Choice, **changed: str) -> str:
    """Return the address of a page with the choice, some of its values `changed`; to be escaped."""
    for name, value in changed.items():
        choice = choice.with_value(name, value)
    return f"{page}.ipynb?{choice.query()}"


class Shell:
    """A page in its frame, with the usual choice until `arrive` brings that of a link."""

    def __init__(self, city: str, made: Callable[[Place], Page]) -> None:
        self.run = Run("situation", {"city": city, **params.block("situation")})
        con = self.run.view("cube.parquet", "zones.parquet", "derived/waves/states.parquet")
        self.city = standing.in_force(self.run)
        self.left_out = standing.reasons_left_out(con, self.run.city, self.city)
        themes = levels.dated_themes(con, self.city)
        roles = list(params.knobs("trends").indicators)
        names = events_words.Names(self.run.city, places.zone_names(con, self.run.city, every=True))
        coming = pq.read_table(self.run.read("derived/events/calendar.parquet")).to_pylist()
        now = self.city.about.period.end  # those that have begun already come last
        coming.sort(key=lambda r: (r["start_at"].date() <= now, r["start_at"], r["event"]))
        events = [(events_words.short(row, names), row["event"]) for row in coming]
        # Another page needs no action to be computed: none is offered then.
        held = (self.run.workspace.data / ACTIONS).exists()
        done = pq.read_table(self.run.read(ACTIONS)).to_pylist() if held else []
        actions = actions_words.offered(done, self.run.city, places.zone_names(
            con, self.run.city, every=True))  # fmt: skip
        self.offer = offer(con, self.city, self.run.knobs.periods_days, roles, themes, events,
                           actions)  # fmt: skip
        self.choice = self.offer.first
        self.nav, self.said = widgets.HTML(), widgets.HTML()
        self.said.add_class("app-said")
        self.page: Page | None = None
        self.prepared: dict[Choice, list[Put]] = {}
        self._controls: dict[str, widgets.Dropdown] = {}
        if themes:
            self.place = Place(self.run, self.city, self.offer)
            self.page = made(self.place)
            self.boundary = Boundary(self.page.widget)
            self._make_controls(self.offer, self.page.uses)
            self.boundary.run(self._show)

    def arrive(self, query: str) -> None:
        """Take the choice of a link's query; say what of it this city does not have."""
        choice, refused = self.offer.read(query)
        if refused:
            told = ", ".join(TITLES[name].lower() for name in refused)
            self.said.value = aside(
                f"Le lien demandait ce qui n'existe pas ({told}) : la valeur habituelle est "
                "montrée."
            )
        if choice == self.choice or self.page is None:
            return

        def take() -> None:
            self.choice = choice
            values = choice.values()
            for name, control in self._controls.items():
                control.value = values[name]
            self._show()

        self.boundary.run(take)

    def _make_controls(self, offered: Offer, uses: tuple[str, ...]) -> None:
        values = self.choice.values()
        for name in uses:
            if not offered.options[name]:
                continue
            control = widgets.Dropdown(
                options=offered.options[name], value=values[name], description=TITLES[name]
            )
            control.add_class(f"app-choose-{name}")
            self._controls[name] = control
            self.boundary.observe(control, self._show)

    def _show(self) -> None:
        assert self.page is not None
        for name, control in self._controls.items():
            self.choice = self.choice.with_value(name, control.value)
        answer = self.prepared.get(self.choice)
        for widget, trait, value in self.page.answer(self.choice) if answer is None else answer:
            setattr(widget, trait, value)
        page = type(self.page)
        told = self.place.told(self.choice, [n for n in page.uses if n != "role"])
        self.nav.value = _nav(self.city, page.title, self.choice, told)

    def prepare(self) -> Iterator[None]:
        """Find the usual answers, one a step: who makes one of these choices waits for nothing.

        A choice that fails is found again when somebody makes it, and said then.
        """
        if self.page is None:
            return
        for choice in self.offer.usual(self.page.uses):
            try:
                self.prepared[choice] = self.page.answer(choice)
            except Exception as error:
                told = choice.query(), redact.trace(error)
                get_logger().error("A choice could not be prepared: %s\n%s", *told)
            yield

    def widget(self) -> widgets.VBox:
        """Return the whole page."""
        style = files("helpers.apps").joinpath("apps.css").read_text(encoding="utf-8")
        top = widgets.HTML(f"<style>{style}</style>{_simulated(self.city)}")
        why = [widgets.HTML(aside(line)) for line in self.left_out]
        if self.page is None:
            none = widgets.HTML(aside("**Aucun thème n'est en service.**"))
            parts = [top, none, *why]
        else:
            bar = widgets.Box([*self._controls.values(), self.boundary.notice])
            bar.add_class("app-bar")
            parts = [top, self.nav, bar, self.said, self.page.widget, *why]
        whole = widgets.VBox(parts)
        whole.add_class("app-page")
        return whole


def _simulated(city: City) -> str:
    if not city.about.simulated:
        return ""
    return (
        '<p class="app-simulated" role="status"><strong>Données simulées</strong> : aucun chiffre '
        "de cette page n'est réel.</p>"
    )


def _when(city: City) -> str:
    return f"{city.about.title}, au {spoken(city.about.period.end)}"


def _nav(city: City, title: str, choice: Choice, told: str) -> str:
    """Return title and navigation; its `data-query` is what the page's address is to say.

    `told`: the choice in words, for paper, where no control is.
    """
    items = []
    for page, name in PAGES.items():
        here = ' aria-current="page"' if name == title else ""
        items.append(f'<li><a href="{escape(link(page, choice))}"{here}>{escape(name)}</a></li>')
    return (
        f'<div class="app-heading" data-query="{escape(choice.query())}"><nav aria-label="Pages">'
        f"<ul>{''.join(items)}</ul></nav><h1>{escape(IN_FULL.get(title, title))} "
        f"<span>{escape(_when(city))}</span></h1>"
        '<button type="button" data-keep="print">Imprimer<span> la fiche</span></button>'
        f'<p class="app-paper">{escape(told)}</p></div>'
    )


def shown(city: str, made: Callable[[Place], Any]) -> widgets.VBox:
    """Return a page of the city, as its notebook shows it; it takes the choice of a link later."""
    page = Shell(city, made)
    beforehand(page.prepare())
    on_arrival(page.arrive)
    return page.widget()
