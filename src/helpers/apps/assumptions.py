"""What a crowd is taken to ask for, to be changed for a look: the same sizing, said again."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets as widgets
import traitlets

from helpers.apps.parts import Boundary
from helpers.core.base.french import FIXED, number, trimmed
from helpers.core.base.markup import inline
from helpers.core.city.about import Slot
from helpers.core.city.event_rules import EventRules, Need, Range
from helpers.events import again
from helpers.events.plan import Tables
from helpers.events.words import in_need

MOST = 4  # times the city's own assumption, at the far end of a control
MINUTES = 180
LATER = "Choisir un événement pour voir ce que d'autres hypothèses demanderaient."
NO_NEED = "Aucune règle de dimensionnement : rien à recalculer."


class Ranged(widgets.HBox):  # type: ignore[misc]
    """A range from 0 to `most` that its two handles move; what it holds and its bounds beside."""

    def __init__(self, title: str, unit: str, step: float, most: float) -> None:
        self.unit = unit
        self.slider = widgets.FloatRangeSlider(
            value=(0, 0), min=0, max=most, step=step, description=title, readout=False,
            continuous_update=False,
        )  # fmt: skip
        self.shown = widgets.HTML()
        layout = {"flex_flow": "row wrap", "align_items": "center"}
        super().__init__([self.slider, self.shown], layout=layout)

    @property
    def ends(self) -> Range:
        """Its least and its most, as the sizing takes them."""
        low, high = self.slider.value
        return round(low, 1), round(high, 1)

    def tell(self) -> None:
        """Say what it holds."""
        far = number(self.slider.max)
        self.shown.value = f"{_range(self.ends, self.unit)} (réglable de 0 à {far})"


class Assumptions(widgets.VBox):  # type: ignore[misc]
    """Three ranges, those of the city at first, and the sizing that they make of one event.

    `asked`: the event, or nothing. Nothing is kept: another event starts from the city's own.
    """

    asked = traitlets.Unicode()

    def __init__(
        self, tables: Tables, rules: EventRules | None, slots: dict[str, Slot], confidence: float
    ) -> None:
        self.tables, self.rules = tables, rules
        self.slots, self.confidence = slots, confidence
        calendar = tables["calendar"].to_pylist()
        self.kinds = {row["event"]: row["kind"] for row in calendar}
        self.made: dict[str, tuple[Ranged, ...]] = {}
        self.controls: tuple[Ranged, ...] = ()
        self.sliders = widgets.VBox()
        self.said = widgets.HTML()
        self.boundary = Boundary(self.said)
        title = widgets.HTML("<h2>Et si l'on suppose autre chose ?</h2>")
        super().__init__([title, self.sliders, self.boundary.notice, self.said])
        self.add_class("app-assumed")
        self.boundary.run(self._start)

    @property
    def need(self) -> Need | None:
        """What the city takes the event's class to ask for."""
        held = self.rules.classes.get(self.kinds.get(self.asked, "")) if self.rules else None
        return held.need if held else None

    @traitlets.observe("asked")
    def _another(self, _: Any) -> None:
        self.boundary.run(self._start)

    def _start(self) -> None:
        need = self.need
        self.sliders.layout.display = None if need else "none"
        if need is None or self.rules is None:
            self.said.value = f"<p>{NO_NEED if self.asked or self.rules is None else LATER}</p>"
            return
        kind = self.kinds[self.asked]
        own = (need.officers_per_thousand, need.barriers_per_thousand, self.rules.minutes_per_fact)
        if kind not in self.made:
            self.made[kind] = self._controls(own)
        self.controls = self.made[kind]
        self.sliders.children = self.controls
        for control, ends in zip(self.controls, own, strict=True):
            control.slider.value = ends
        self._tell()

    def _controls(self, own: tuple[Range, Range, Range]) -> tuple[Ranged, ...]:
        """Return the controls of a class, of what the city takes it to ask for.

        Of a class, as the far end of a control never changes: by the key End, the page goes to
        the one that it was first told.
        """
        officers, barriers, _ = own
        made = (
            Ranged("Agents pour 1\u202f000 personnes", "agent", 0.1, _far(2, officers)),
            Ranged("Barrières pour 1\u202f000 personnes", "barrière", 1, _far(20, barriers)),
            Ranged("Minutes d'un agent par fait", "minute", 5, MINUTES),
        )
        for one in made:
            self.boundary.observe(one.slider, self._tell)
        return made

    def _tell(self) -> None:
        need, rules = self.need, self.rules
        assert need is not None
        assert rules is not None
        for control in self.controls:
            control.tell()
        officers, barriers, minutes = (control.ends for control in self.controls)
        taken = again.assumed(rules, self.kinds[self.asked], officers, barriers, minutes)
        sized = again.again(self.tables, taken, self.slots, self.confidence)
        row = next(row for row in sized.sizing.to_pylist() if row["event"] == self.asked)
        slots = [one for one in sized.shifts.to_pylist() if one["event"] == self.asked]
        own = (need.officers_per_thousand, need.barriers_per_thousand, rules.minutes_per_fact)
        changed = "" if (officers, barriers, minutes) == own else (
            f" La ville suppose {_told(*own)}.")  # fmt: skip
        self.said.value = (
            f'<p class="app-resized" aria-live="polite">Avec {_told(officers, barriers, minutes)} '
            f": {inline(in_need(row, slots))}.{changed}</p><p>Les mêmes hypothèses valent pour "
            "tous les événements de cette classe ; rien ne dépasse ce qui existe.</p>"
        )


def _far(least: float, own: Range) -> float:
    """Return the far end of a control: so many times the city's own assumption, at least this."""
    return max(least, math.ceil(MOST * own[1]))


def _told(officers: Range, barriers: Range, minutes: Range) -> str:
    """Return assumptions in words."""
    return (
        f"{_range(officers, 'agent')} pour 1\u202f000 personnes, {_range(barriers, 'barrière')} "
        f"pour 1\u202f000 et {_range(minutes, 'minute')} par fait"
    )


def _range(ends: Range, word: str) -> str:
    """Return a range with its unit, which agrees with its far end: « 0,5 à 2 agents »."""
    low, high = (trimmed(end, 1) for end in ends)
    told = low if low == high else f"{low} à {high}"
    return f"{told}{FIXED}{word}{'s' if ends[1] >= 2 else ''}"
