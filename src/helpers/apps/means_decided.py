"""What is decided of each recommendation of the plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from helpers.apps import means_words as said
from helpers.apps.deciding import NONE, choice, decided, reasons, to_choose
from helpers.apps.parts import table
from helpers.register import codes
from helpers.register.entries import Draft, Entry, Recommendation, Reference
from helpers.register.rules import in_force

CHANGED = "changed"
MOST_HOURS = 5000  # as the register bounds them
OTHER_NUMBER = "un nombre d'heures autre que celui recommandé"
VERDICTS = (("Accepter", "accepted"), ("Changer", CHANGED), ("Refuser", "refused"))
YEARS = range(2000, 2100)
LAST_NOTE = 99_999


class Recommended:
    """The recommendations offered (recommendation → how it is read), and what is done with them.

    `hours`: recommendation → team-hours a week that it gives. `zone`: of the city's clocks.
    """

    more = (
        " Qui change une recommandation dit combien d'heures il décide : les deux nombres sont "
        "gardés. Ce qu'il ajoute ou retire ici n'est repris nulle part ailleurs."
    )

    def __init__(
        self, offered: dict[str, str], hours: dict[str, int], year: int, zone: str
    ) -> None:
        self.offered, self.hours, self.zone = offered, hours, zone
        self.what = choice("Recommandation", [(told, name) for name, told in offered.items()])
        self.verdict = choice("Décision", VERDICTS)
        self.decided = widgets.BoundedIntText(
            value=0, min=0, max=MOST_HOURS, description="Heures décidées, par semaine"
        )
        self.what.observe(lambda _: self.ask(), names="value")
        self.reason = reasons()
        self.year = widgets.BoundedIntText(
            value=year, min=YEARS[0], max=YEARS[-1], description="Note, année"
        )
        self.note = widgets.BoundedIntText(
            value=0, min=0, max=LAST_NOTE, description="Note, numéro (0 : aucune)"
        )

    def controls(self) -> list[widgets.DOMWidget]:
        """Return the choices, the role apart, in order."""
        return [self.what, self.verdict, self.decided, self.reason, self.year, self.note]

    def ask(self) -> None:
        """Ask for a reason, and a paper, where a proposal is not followed; hours if changed."""
        for one in (self.reason, self.year, self.note):
            one.layout.display = "none" if self.verdict.value in (NONE, "accepted") else None
        self.decided.layout.display = None if self.verdict.value == CHANGED else "none"
        # Nothing is taken for decided: the hours recommended are where a visitor starts from.
        self.decided.value = self.hours.get(self.what.value, 0)

    def read(self, entries: Sequence[Entry], subject: str) -> None:
        """Take nothing: what is offered is the plan's."""

    def missing(self) -> list[str]:
        """Return what is still to be chosen, the role apart."""
        asked = [] if self.verdict.value in (NONE, "accepted") else [self.reason]
        left = to_choose(self.what, self.verdict, *asked)
        same = self.decided.value == self.hours.get(self.what.value)
        return [*left, OTHER_NUMBER] if self.verdict.value == CHANGED and same else left

    def draft(self, role: codes.Role, entries: Sequence[Entry]) -> Draft | None:
        """Return the decision chosen, in place of the one in force; None where that says it."""
        subject, verdict = self.what.value, self.verdict.value
        proposed = self.hours[subject]
        payload: dict[str, Any] = {
            "kind": "recommendation", "verdict": verdict, "proposed": proposed,
            "decided": {"accepted": proposed, CHANGED: self.decided.value}.get(verdict),
        }  # fmt: skip
        if verdict != "accepted":
            payload["reason"] = self.reason.value
            if self.note.value:
                payload["reference"] = Reference(year=self.year.value, number=self.note.value)
        told = Recommendation(**payload)
        now = next((e for e in _decided(entries) if e.draft.subject == subject), None)
        if now and now.draft.payload == told and now.draft.role == role:
            return None
        return decided(role, subject, told, now.seq if now else None)

    def line(self, entry: Entry) -> str:
        """Return an entry just made in a few words, as written."""
        payload = entry.draft.payload
        told = said.decision(entry, self.offered[entry.draft.subject], self.zone)
        if getattr(payload, "verdict", "") == CHANGED:
            return f"{told[0]}, {told[1]} : {told[3]} au lieu de {told[2]}"
        return ", ".join(told[:2])

    def held(self, entries: Sequence[Entry]) -> str:
        """Return what is entered already as HTML."""
        found = _decided(entries)
        known = [one for one in found if one.draft.subject in self.offered]
        former = len(found) - len(known)
        lines = [said.decision(one, self.offered[one.draft.subject], self.zone)
                 for one in reversed(known)]  # fmt: skip
        told = f"<p>{said.undecided(len(known), len(self.offered))}</p>"
        told += table(said.DECIDED, lines) if lines else ""
        if former:
            verb = "porte" if former == 1 else "portent"
            told += f"<p>{former} autre{'s' if former > 1 else ''} {verb} sur d'autres plans.</p>"
        return told


def _decided(entries: Sequence[Entry]) -> list[Entry]:
    return [one for one in in_force(entries) if isinstance(one.draft.payload, Recommendation)]
