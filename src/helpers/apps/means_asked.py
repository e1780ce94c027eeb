"""What is taken otherwise, on « Moyens »: teams missing, other rules; the plan again at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import ipywidgets as widgets

from helpers.allocation.knobs import Knobs
from helpers.allocation.means import Ints
from helpers.allocation.usual_week import Week
from helpers.allocation.what_if import Asked, WhatIf
from helpers.apps import means_words as said
from helpers.apps.keep import Cell
from helpers.apps.parts import Boundary, folded, table
from helpers.core.base.french import THIN, plural, trimmed
from helpers.core.base.markup import inline

MISSING = 6  # teams at most
SHARES, RATIOS, BANDS = (
    (0.0, 0.25, 0.5, 0.75, 0.9, 1.0),
    (1.25, 1.5, 2.0, 3.0),
    (0.02, 0.05, 0.1, 0.2),
)
SHOWN = 12  # lines of what differs; the others are folded
ALL_WEEK = "toute la semaine"
ASK = "Choisir ce qui manque ou ce qui change : le plan est refait aussitôt, et rien n'est gardé."
HEADS = ("zone", "plage", "plan montré", "autre plan", "écart")


class Otherwise(widgets.VBox):  # type: ignore[misc]
    """Choices, those of the city at first, and the plan that they make, beside the one shown.

    Nothing is solved before a visitor chooses: the solver may have threads, which a page that is
    divided for its visitors must not.
    """

    def __init__(
        self, week: Week, shown: Ints | None, hours: Ints, knobs: Knobs, names: said.Names,
        slots: dict[str, str], keep: Callable[[list[list[Cell]]], str],
    ) -> None:  # fmt: skip
        self.what_if = WhatIf(week, shown, hours, knobs)
        self.week, self.names, self.slots, self.keep = week, names, slots, keep
        usual = self.what_if.usual
        self.missing = _choice("Équipes absentes", [
            ("aucune", 0), *((plural(n, "équipe"), n) for n in range(1, MISSING + 1))
        ], 0)  # fmt: skip
        self.when = _choice("Quand", [(label, label) for label in self.at], self._busiest())
        self.least = _choice("Par zone, sur sa semaine entière, au moins", [
            (f"{trimmed(100 * s)}{THIN}% de ses heures{_own(s, usual.minimum_share)}", s)
            for s in _with(SHARES, usual.minimum_share)
        ], usual.minimum_share)  # fmt: skip
        self.most = _choice("Par zone, sur sa semaine entière, au plus", [
            (f"{trimmed(r)} fois ses heures{_own(r, usual.most_ratio)}", r)
            for r in _with(RATIOS, usual.most_ratio)
        ], usual.most_ratio)  # fmt: skip
        self.band = _choice("Écart à la part de demande", [
            (f"{said.points(b)} au plus{_own(b, usual.equity_band)}", b)
            for b in _with(BANDS, usual.equity_band)
        ], usual.equity_band)  # fmt: skip
        self.said = widgets.HTML(f"<p>{ASK}</p>")
        self.boundary = Boundary(self.said)
        controls = [self.missing, self.when, self.least, self.most, self.band]
        for one in controls:
            self.boundary.observe(one, self._tell)
        bar = widgets.Box(controls)
        bar.add_class("app-choices")
        title = widgets.HTML("<h2>Et si… ?</h2>")
        super().__init__([title, bar, self.boundary.notice, self.said])
        self.add_class("app-assumed")

    @cached_property
    def at(self) -> dict[str, tuple[int, ...]]:
        """What teams may be missing at, as it is called → positions of slots."""
        found: dict[str, tuple[int, ...]] = {
            self.names.at(*one): (t,) for t, one in enumerate(self.week.slots)
        }
        for code, title in self.slots.items():
            every = tuple(t for t, (_, slot) in enumerate(self.week.slots) if slot == code)
            found[f"chaque jour, {title}"] = every
        return {**found, ALL_WEEK: tuple(range(len(self.week.slots)))}

    def _busiest(self) -> str:
        """Return the slot of the week, of those with hours, that most is asked for at."""
        asked = self.week.asked.sum(axis=0) * (self.week.present.sum(axis=0) > 0)
        return self.names.at(*self.week.slots[int(asked.argmax())])

    @property
    def asked(self) -> Asked:
        """What is chosen."""
        at = self.at[self.when.value] if self.missing.value else ()
        return Asked(self.missing.value, at, self.least.value, self.most.value, self.band.value)

    def _tell(self) -> None:
        asked = self.asked
        if asked == self.what_if.usual:
            self.said.value = f"<p>{ASK}</p>"
            return
        found, shown = self.what_if.answer(asked), self.what_if.shown
        text = said.other(
            asked, self.what_if.usual, str(self.when.value), found, self.week, shown, self.names
        )  # fmt: skip
        rows = said.differing(found, self.week, shown, self.slots, self.names)
        lines = said.several(rows)
        seen = table(HEADS, lines[:SHOWN]) if lines else ""
        if more := lines[SHOWN:]:
            seen += folded("La suite de ce qui diffère", "").replace(
                "</summary>", f"</summary>{table(HEADS, more)}"
            )
        seen += self.keep(rows) if rows else ""
        self.said.value = f'<p class="app-resized" aria-live="polite">{inline(text)}</p>{seen}'


def _choice(title: str, options: list[tuple[str, object]], value: object) -> widgets.Dropdown:
    return widgets.Dropdown(options=options, value=value, description=title)


def _with(usual: tuple[float, ...], own: float) -> list[float]:
    return sorted({*usual, own})


def _own(value: float, own: float) -> str:
    return " (règle)" if value == own else ""
