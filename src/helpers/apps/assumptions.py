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

MOST = 4  # times the largest of the city's own assumptions, at the far end of a control
UNITS = ("agent", "barrière", "minute")
MINUTES = 180
LATER = "Choisir un événement pour voir ce que d'autres hypothèses demanderaient."
NO_NEED = "Aucune règle de dimensionnement : rien à recalculer."


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
        needs = [held.need for held in rules.classes.values() if held.need] if rules else []
        most = [
            max(least, math.ceil(MOST * max((ends[1] for ends in every), default=0)))
            for least, every in (
                (2, [need.officers_per_thousand for need in needs]),
                (20, [need.barriers_per_thousand for need in needs]),
            )
        ]
        self.officers = _slider("Agents pour 1\u202f000 personnes", 0.1, most[0])
        self.barriers = _slider("Barrières pour 1\u202f000 personnes", 1, most[1])
        self.minutes = _slider("Minutes d'un agent par fait", 5, MINUTES)
        self.shown = [widgets.HTML() for _ in range(3)]
        self.sliders = widgets.VBox([
            widgets.HBox([slider, shown], layout={"flex_flow": "row wrap", "align_items": "center"})
            for slider, shown in zip(
                (self.officers, self.barriers, self.minutes), self.shown, strict=True)
        ])  # fmt: skip
        self.said = widgets.HTML()
        self.boundary = Boundary(self.said)
        for one in (self.officers, self.barriers, self.minutes):
            self.boundary.observe(one, self._tell)
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
        self.officers.value = need.officers_per_thousand
        self.barriers.value = need.barriers_per_thousand
        self.minutes.value = self.rules.minutes_per_fact
        self._tell()

    def _tell(self) -> None:
        need, rules = self.need, self.rules
        assert need is not None
        assert rules is not None
        officers, barriers, minutes = (
            (round(one.value[0], 1), round(one.value[1], 1))
            for one in (self.officers, self.barriers, self.minutes)
        )
        for shown, slider, ends, word in zip(
            self.shown, (self.officers, self.barriers, self.minutes),
            (officers, barriers, minutes), UNITS, strict=True,
        ):  # fmt: skip
            shown.value = f"{_range(ends, word)} (réglable de 0 à {number(slider.max)})"
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


def _slider(title: str, step: float, most: float) -> widgets.FloatRangeSlider:
    """Return a control from 0 to `most`.

    The page's own control goes, by the key End, to the maximum that it was made with: it never
    changes.
    """
    return widgets.FloatRangeSlider(
        value=(0, 0), min=0, max=most, step=step, description=title, readout=False,
        continuous_update=False,
    )  # fmt: skip
