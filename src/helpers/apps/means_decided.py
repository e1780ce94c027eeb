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

VERDICTS = (("Accepter", "accepted"), ("Changer", "changed"), ("Refuser", "refused"))
YEARS = range(2000, 2100)
LAST_NOTE = 99_999


class Recommended:
    """The recommendations offered (recommendation → how it is read), and what is done with them.

    `zone`: of the city's clocks.
    """

    more = ""

    def __init__(self, offered: dict[str, str], year: int, zone: str) -> None:
        self.offered, self.zone = offered, zone
        self.what = choice("Recommandation", [(told, name) for name, told in offered.items()])
        self.verdict = choice("Décision", VERDICTS)
        self.reason = reasons()
        self.year = widgets.BoundedIntText(
            value=year, min=YEARS[0], max=YEARS[-1], description="Note, année"
        )
        self.note = widgets.BoundedIntText(
            value=0, min=0, max=LAST_NOTE, description="Note, numéro (0 : aucune)"
        )

    def controls(self) -> list[widgets.DOMWidget]:
        """Return the choices, the role apart, in order."""
        return [self.what, self.verdict, self.reason, self.year, self.note]

    def ask(self) -> None:
        """Ask for a reason, and a paper, where a proposal is not followed."""
        for one in (self.reason, self.year, self.note):
            one.layout.display = "none" if self.verdict.value in (NONE, "accepted") else None

    def read(self, entries: Sequence[Entry], subject: str) -> None:
        """Take nothing: what is offered is the plan's."""

    def missing(self) -> list[str]:
        """Return what is still to be chosen, the role apart."""
        asked = [] if self.verdict.value in (NONE, "accepted") else [self.reason]
        return to_choose(self.what, self.verdict, *asked)

    def draft(self, role: codes.Role, entries: Sequence[Entry]) -> Draft | None:
        """Return the decision chosen, in place of the one in force; None where that says it."""
        subject, verdict = self.what.value, self.verdict.value
        payload: dict[str, Any] = {"kind": "recommendation", "verdict": verdict}
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
        return ", ".join(said.decision(entry, self.offered[entry.draft.subject], self.zone)[:2])

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
