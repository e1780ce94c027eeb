"""What is decided of each recommendation, written to the register from the page itself.

The register is opened when a visitor is there, never before: what it holds is read fresh. A
decision's key follows from what it says and replaces: the same one sent twice is entered once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, get_args

import ipywidgets as widgets
from pydantic import ValidationError

from helpers.apps import means_words as said
from helpers.apps.parts import Boundary, table
from helpers.core.base.errors import PhareError
from helpers.register import codes
from helpers.register.entries import Draft, Entry, Recommendation, Reference, canonical, refused
from helpers.register.register import Register, open_register
from helpers.register.rules import in_force
from helpers.register.words import REASONS, ROLES
from helpers.serve.arrivals import on_arrival

NONE = ""
CHOOSE = "à choisir"
VERDICTS = (("Accepter", "accepted"), ("Changer", "changed"), ("Refuser", "refused"))
YEARS = range(2000, 2100)
LAST_NOTE = 99_999
WHO = (
    "Le rôle est celui que vous dites : Phare ne le vérifie pas, et ne garde aucun nom. Une "
    "inscription ne s'efface pas ; une autre la remplace, et les deux restent."
)


class Decisions(widgets.VBox):  # type: ignore[misc]
    """Choices of a decision, a button that enters it, and what is entered already.

    `offered`: recommendation → how it is read. `zone`: of the city's clocks.
    """

    def __init__(
        self, root: Path, pack: Path, offered: dict[str, str], year: int, zone: str
    ) -> None:
        self.root, self.pack, self.offered, self.zone = root, pack, offered, zone
        self.entries: list[Entry] = []
        self.what = _choice("Recommandation", [(told, name) for name, told in offered.items()])
        self.verdict = _choice("Décision", VERDICTS)
        self.reason = _choice("Motif", [(REASONS[one], one) for one in get_args(codes.Reason)])
        self.role = _choice("Rôle", [(ROLES[one], one) for one in get_args(codes.Role)])
        self.year = widgets.BoundedIntText(
            value=year, min=YEARS[0], max=YEARS[-1], description="Note, année"
        )
        self.note = widgets.BoundedIntText(
            value=0, min=0, max=LAST_NOTE, description="Note, numéro (0 : aucune)"
        )
        self.button = widgets.Button(description="Inscrire au registre", button_style="primary")
        self.said, self.held = widgets.HTML(), widgets.HTML()
        self.boundary = Boundary(self.said)
        self.button.on_click(lambda _: self.boundary.run(self._enter))
        self.boundary.observe(self.verdict, self._ask_why)
        bar = widgets.Box([self.what, self.verdict, self.reason, self.year, self.note, self.role,
                           self.button])  # fmt: skip
        bar.add_class("app-choices")
        title = widgets.HTML(f"<h2>Décider</h2><p>{WHO}</p>")
        super().__init__([title, bar, self.boundary.notice, self.said, self.held])
        self.add_class("app-assumed")
        self._ask_why()
        on_arrival(lambda _: self.boundary.run(self._read))

    def _ask_why(self) -> None:
        """Ask for a reason, and a paper, where a proposal is not followed."""
        for one in (self.reason, self.year, self.note):
            one.layout.display = "none" if self.verdict.value in (NONE, "accepted") else None

    # --- The register --------------------------------------------------------------------------

    def _open(self) -> Register:
        return open_register(self.root, self.pack)

    def _read(self) -> None:
        """Show what is entered; where the register does not answer, say so."""
        try:
            self.entries = self._open().entries()
        except PhareError as error:
            self.held.value = _failed("Les décisions inscrites ne se lisent pas ici", error)
            return
        self._show()

    def _show(self) -> None:
        known = [one for one in self._decided() if one.draft.subject in self.offered]
        former = len(self._decided()) - len(known)
        lines = [said.decision(one, self.offered[one.draft.subject], self.zone)
                 for one in reversed(known)]  # fmt: skip
        told = f"<p>{said.undecided(len(known), len(self.offered))}</p>"
        told += table(said.DECIDED, lines) if lines else ""
        if former:
            verb = "porte" if former == 1 else "portent"
            told += f"<p>{former} autre{'s' if former > 1 else ''} {verb} sur d'autres plans.</p>"
        self.held.value = f'<div class="app-decided"><h2>Décisions inscrites</h2>{told}</div>'

    def _decided(self) -> list[Entry]:
        return [one for one in in_force(self.entries)
                if isinstance(one.draft.payload, Recommendation)]  # fmt: skip

    def _enter(self) -> None:
        """Enter the decision chosen; what the register refuses is said as a sentence."""
        missing = [one.description.lower() for one in (self.what, self.verdict, self.role)
                   if one.value == NONE]  # fmt: skip
        if self.verdict.value not in (NONE, "accepted") and self.reason.value == NONE:
            missing.append("motif")
        if missing:
            self.said.value = _line(
                f"Rien n'est inscrit. À choisir d'abord : {', '.join(missing)}."
            )
            return
        try:
            register = self._open()
            self.entries = register.entries()
            draft = self._draft()
            if draft is None:
                self.said.value = _line("Cette décision est déjà inscrite : rien n'est ajouté.")
            else:
                entry = register.append(draft)
                self.entries = register.entries()
                line = ", ".join(said.decision(entry, self.offered[draft.subject], self.zone)[:2])
                self.said.value = _line(f"Inscrit sous le numéro {entry.seq} : {line}.")
        except PhareError as error:
            self.said.value = _failed("La décision n'est pas inscrite", error)
            return
        self._show()

    def _draft(self) -> Draft | None:
        """Return the decision chosen, in place of the one in force; None where that says it."""
        subject, verdict = self.what.value, self.verdict.value
        payload: dict[str, Any] = {"kind": "recommendation", "verdict": verdict}
        try:
            if verdict != "accepted":
                payload["reason"] = self.reason.value
                if self.note.value:
                    payload["reference"] = Reference(year=self.year.value, number=self.note.value)
            told = Recommendation(**payload)
            now = next((e for e in self._decided() if e.draft.subject == subject), None)
            if now and now.draft.payload == told and now.draft.role == self.role.value:
                return None
            before = now.seq if now else None
            key = _key(subject, self.role.value, canonical(told), before)
            return Draft(role=self.role.value, subject=subject, payload=told, supersedes=before,
                         key=key)  # fmt: skip
        except ValidationError as error:
            raise refused(error) from None


def _key(*parts: object) -> str:
    key = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
    while key.isdigit():  # the register takes digits alone for a person's number
        key = hashlib.sha256(key.encode()).hexdigest()[:32]
    return key


def _choice(title: str, options: Sequence[tuple[str, str]]) -> widgets.Dropdown:
    return widgets.Dropdown(options=[(CHOOSE, NONE), *options], value=NONE, description=title)


def _line(text: str) -> str:
    return f'<p class="app-resized" role="status">{escape(text)}</p>'


def _failed(what: str, error: PhareError) -> str:
    todo = error.todo[:1].upper() + error.todo[1:]
    return (f'<p class="app-failed" role="alert"><strong>{escape(what)}</strong> : '
            f"{escape(error.what)}. {escape(todo)}.</p>")  # fmt: skip
