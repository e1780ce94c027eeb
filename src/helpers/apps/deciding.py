"""What is decided on a page, written to the register from the page itself.

The register is opened when a visitor is there, never before: what it holds is read fresh. A
decision's key follows from what it says and replaces: the same one sent twice is entered once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Protocol, get_args

import ipywidgets as widgets
import traitlets
from pydantic import ValidationError

from helpers.apps.parts import Boundary
from helpers.core.base.errors import PhareError
from helpers.register import codes
from helpers.register.entries import (
    Action,
    Approval,
    Draft,
    Entry,
    Recommendation,
    canonical,
    refused,
)
from helpers.register.register import Register, open_register
from helpers.register.words import REASONS, ROLES
from helpers.serve.arrivals import on_arrival

NONE = ""
CHOOSE = "à choisir"
WHO = (
    "Le rôle est celui que vous dites : Phare ne le vérifie pas, et ne garde aucun nom. Une "
    "inscription ne s'efface pas ; une autre la remplace, et les deux restent."
)


class Kind(Protocol):
    """What a page lets decide, and how it is said; `verdict` is the choice that others follow."""

    more: str  # what is to be known with `WHO`
    verdict: widgets.Dropdown

    def controls(self) -> list[widgets.DOMWidget]:
        """Return the choices, the role apart, in order."""

    def ask(self) -> None:
        """Show the choices that the verdict asks for, and no other."""

    def read(self, entries: Sequence[Entry], subject: str) -> None:
        """Take what the register holds now, and what the page is about, if anything."""

    def missing(self) -> list[str]:
        """Return what is still to be chosen, the role apart."""

    def draft(self, role: codes.Role, entries: Sequence[Entry]) -> Draft | None:
        """Return the decision chosen, in place of the one in force; None where that says it."""

    def line(self, entry: Entry) -> str:
        """Return an entry just made in a few words, as written."""

    def held(self, entries: Sequence[Entry]) -> str:
        """Return what is entered already as HTML."""


class Deciding(widgets.VBox):  # type: ignore[misc]
    """Choices of a decision, a button that enters it, and what is entered already.

    `subject`: what the page is about, if anything.
    """

    subject = traitlets.Unicode()

    def __init__(self, root: Path, pack: Path, kind: Kind) -> None:
        self.root, self.pack, self.kind = root, pack, kind
        self.entries: list[Entry] = []
        self.role = choice("Rôle", [(ROLES[one], one) for one in get_args(codes.Role)])
        self.button = widgets.Button(description="Inscrire au registre", button_style="primary")
        self.said, self.held = widgets.HTML(), widgets.HTML()
        self.boundary = Boundary(self.said)
        self.button.on_click(lambda _: self.boundary.run(self._enter))
        self.boundary.observe(kind.verdict, kind.ask)
        bar = widgets.Box([*kind.controls(), self.role, self.button])
        bar.add_class("app-choices")
        title = widgets.HTML(f"<h2>Décider</h2><p>{WHO}{kind.more}</p>")
        super().__init__([title, bar, self.boundary.notice, self.said, self.held])
        self.add_class("app-assumed")
        kind.ask()
        on_arrival(lambda _: self.boundary.run(self._read))

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

    @traitlets.observe("subject")
    def _another(self, _: Any) -> None:
        self.boundary.run(lambda: self.kind.read(self.entries, self.subject))

    def _show(self) -> None:
        self.kind.read(self.entries, self.subject)
        inside = self.kind.held(self.entries)
        self.held.value = f'<div class="app-decided"><h2>Décisions inscrites</h2>{inside}</div>'

    def _enter(self) -> None:
        """Enter the decision chosen; what the register refuses is said as a sentence."""
        missing = self.kind.missing() + (["rôle"] if self.role.value == NONE else [])
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
                line = self.kind.line(entry)
                self.said.value = _line(f"Inscrit sous le numéro {entry.seq} : {line}.")
        except PhareError as error:
            self.said.value = _failed("La décision n'est pas inscrite", error)
            return
        self._show()

    def _draft(self) -> Draft | None:
        try:
            return self.kind.draft(self.role.value, self.entries)
        except ValidationError as error:
            raise refused(error) from None


def decided(
    role: codes.Role, subject: str, payload: Recommendation | Action | Approval, before: int | None
) -> Draft:
    """Return the draft of a decision; `before` is the entry that it replaces, if any."""
    key = _key(subject, role, canonical(payload), before)
    return Draft(role=role, subject=subject, payload=payload, supersedes=before, key=key)


def _key(*parts: object) -> str:
    key = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
    while key.isdigit():  # the register takes digits alone for a person's number
        key = hashlib.sha256(key.encode()).hexdigest()[:32]
    return key


def choice(title: str, options: Sequence[tuple[str, str]]) -> widgets.Dropdown:
    """Return a choice of which nothing is taken yet."""
    return widgets.Dropdown(options=[(CHOOSE, NONE), *options], value=NONE, description=title)


def to_choose(*controls: widgets.Dropdown) -> list[str]:
    """Return what the controls of which nothing is taken are called."""
    return [one.description.lower() for one in controls if one.value == NONE]


def reasons() -> widgets.Dropdown:
    """Return the choice of why a proposal is not followed."""
    return choice("Motif", [(REASONS[one], one) for one in get_args(codes.Reason)])


def _line(text: str) -> str:
    return f'<p class="app-resized" role="status">{escape(text)}</p>'


def _failed(what: str, error: PhareError) -> str:
    todo = error.todo[:1].upper() + error.todo[1:]
    return (f'<p class="app-failed" role="alert"><strong>{escape(what)}</strong> : '
            f"{escape(error.what)}. {escape(todo)}.</p>")  # fmt: skip
