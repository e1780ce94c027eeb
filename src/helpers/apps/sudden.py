"""An accident or an obstruction that happens now: chosen, and answered by who and what there is."""

from __future__ import annotations

import datetime as dt

import ipywidgets as widgets

from helpers.apps.assumptions import Ranged
from helpers.apps.parts import Boundary
from helpers.core.base.french import spoken
from helpers.core.base.markup import inline
from helpers.core.city.about import Slot
from helpers.core.city.event_rules import EventRules
from helpers.core.place_time.calendar import DAYS
from helpers.events import sudden, sudden_words
from helpers.events.means import Means
from helpers.events.plan import Tables
from helpers.events.words import Names

HOURS, NOON = 24, 12
UNTOLD = (
    "Cette ville ne dit pas encore ce qu'un accident ou une obstruction demande : il manque "
    "<code>sudden</code> à son fichier <code>events.yaml</code>."
)
REST = (
    "Quantités supposées, à changer ici pour voir, dans <code>events.yaml</code> pour de bon. Les "
    "agents sont ceux d'ordinaire présents à cette heure ; un événement garde son minimum, et rien "
    "ne dépasse ce qui existe."
)


class Now(widgets.VBox):  # type: ignore[misc]
    """What happens, where, when; three ranges, those of the city at first; the answer.

    `first`, and the `days` that follow: those to choose from. `home` gives each event's sector of
    patrol. Nothing is kept: another kind starts from the city's own assumptions.
    """

    def __init__(
        self, tables: Tables, rules: EventRules | None, slots: dict[str, Slot], confidence: float,
        home: dict[str, str], names: Names, first: dt.date, days: int,
    ) -> None:  # fmt: skip
        self.tables, self.rules, self.slots = tables, rules, slots
        self.confidence, self.home, self.names = confidence, home, names
        title = widgets.HTML("<h2>Et si un accident, une obstruction arrivait ?</h2>")
        self.said = widgets.HTML(f"<p>{UNTOLD}</p>")
        parts: list[widgets.DOMWidget] = [title, self.said]
        if rules and rules.sudden:
            parts = [title, *self._controls(rules, first, days), self.said]
        super().__init__(parts)
        self.add_class("app-assumed")
        self.add_class("app-sudden")
        if rules and rules.sudden:
            self.boundary.run(self._start)

    def _controls(self, rules: EventRules, first: dt.date, days: int) -> list[widgets.DOMWidget]:
        kinds = [(rule.title, code) for code, rule in rules.sudden.items()]
        sectors = Means.of_table(self.tables["means"]).zones
        every = [first + dt.timedelta(days=i) for i in range(days)]
        self.kind = widgets.Dropdown(options=kinds, description="Quoi")
        self.sector = widgets.Dropdown(
            options=[(self.names.zone(one), one) for one in sectors] or [("non renseigné", "")],
            description="Où",
        )  # fmt: skip
        self.day = widgets.Dropdown(
            options=[(f"{DAYS[day.weekday()]} {spoken(day)}", day) for day in every],
            description="Quel jour",
        )
        self.hour = widgets.Dropdown(
            options=[(f"{hour}\u00a0h", hour) for hour in range(HOURS)], value=NOON,
            description="À quelle heure",
        )  # fmt: skip
        most = [max(getattr(rule, name)[1] for rule in rules.sudden.values())
                for name in ("officers", "barriers")]  # fmt: skip
        self.officers = Ranged("Agents", "agent", 1, 4 * most[0])
        self.barriers = Ranged("Barrières", "barrière", 1, 4 * most[1])
        self.lasts = Ranged("Heures", "heure", 0.5, HOURS)
        self.boundary = Boundary(self.said)
        self.boundary.observe(self.kind, self._start)
        ranges = (self.officers, self.barriers, self.lasts)
        for control in (self.sector, self.day, self.hour, *(one.slider for one in ranges)):
            self.boundary.observe(control, self._tell)
        bar = widgets.Box([self.kind, self.sector, self.day, self.hour])
        bar.add_class("app-choices")
        return [bar, *ranges, self.boundary.notice]

    def _start(self) -> None:
        assert self.rules is not None
        rule = self.rules.sudden[self.kind.value]
        self.officers.slider.value = rule.officers
        self.barriers.slider.value = rule.barriers
        self.lasts.slider.value = rule.lasts_h
        self._tell()

    def _tell(self) -> None:
        assert self.rules is not None
        for control in (self.officers, self.barriers, self.lasts):
            control.tell()
        at = dt.datetime.combine(self.day.value, dt.time(self.hour.value))
        rule = sudden.assumed(
            self.rules.sudden[self.kind.value], self.officers.ends, self.barriers.ends,
            self.lasts.ends,
        )  # fmt: skip
        if not rule.lasts_h[1]:
            self.said.value = "<p>Rien qui dure : donner au moins une demi-heure.</p>"
            return
        found = sudden.respond(
            self.tables, self.rules, self.slots, self.confidence, self.home, rule, at,
            self.sector.value,
        )  # fmt: skip
        text = sudden_words.response(found, rule, at, self.sector.value, self.names)
        self.said.value = (
            f'<p class="app-happened" aria-live="polite">{inline(text)}</p><p>{REST}</p>'
        )
