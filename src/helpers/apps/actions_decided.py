"""What is decided of actions: approved, refused with a reason, put off past their end.

What is offered is the register's, read when a visitor is there: of what a snapshot holds that the
register does not, nothing can be decided here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import ipywidgets as widgets

from helpers.actions import words as action_words
from helpers.apps.deciding import CHOOSE, NONE, choice, decided, reasons, to_choose
from helpers.apps.parts import table
from helpers.core.base.french import plural, spoken
from helpers.register import codes, rules
from helpers.register.entries import Action, Approval, Draft, Entry
from helpers.register.words import REASONS, ROLES, STATUSES

APPROVE, REFUSE, RENEW = "approved", "refused", "renewed"
VERDICTS = (("Approuver", APPROVE), ("Refuser", REFUSE), ("Prolonger", RENEW))
WEEKS = (4, 8, 13, 26, 52)  # by which an end is put off
SHOWN = 20  # decisions, the last ones
DECIDED = ("action", "décision", "motif", "rôle", "quand", "inscription")
MORE = (
    " Une action tient si deux autres rôles l'approuvent et qu'aucun ne la refuse ; prolongée, "
    "elle demande à nouveau deux accords."
)
NONE_HERE = (
    "Ce registre n'a encore aucune action : rien à approuver ni à prolonger ici. Un problème, puis "
    "une action, s'y inscrivent par <code>make register</code>."
)
ELSEWHERE = " Les actions montrées plus haut viennent d'un instantané qu'il ne contient pas."


class Governed:
    """The actions of the register, and what is decided of them.

    `shown`: actions that the page shows from a snapshot. `zone`: of the city's clocks.
    """

    more = MORE

    def __init__(self, shown: Sequence[str], zone: str) -> None:
        self.shown, self.zone = shown, zone
        self.entries: Sequence[Entry] = ()
        self.subject = ""  # what the page is about
        self.what = choice("Action à décider", [])
        self.verdict = choice("Décision", VERDICTS)
        self.reason = reasons()
        self.until = choice("Prolonger", [
            (f"de {plural(weeks, 'semaine')}", str(weeks)) for weeks in WEEKS
        ])  # fmt: skip

    def controls(self) -> list[widgets.DOMWidget]:
        """Return the choices, the role apart, in order."""
        return [self.what, self.verdict, self.reason, self.until]

    def ask(self) -> None:
        """Ask for a reason where the action is refused, for how long where it is put off."""
        self.reason.layout.display = None if self.verdict.value == REFUSE else "none"
        self.until.layout.display = None if self.verdict.value == RENEW else "none"

    def read(self, entries: Sequence[Entry], subject: str) -> None:
        """Offer the actions of the register, by their numbers; take the page's where it has it."""
        self.entries, now = entries, self.what.value
        if subject != self.subject:
            self.subject = now = subject
        today = dt.datetime.now(dt.UTC).date()
        options = [(f"{one.action} : {_standing(one)}", one.action)
                   for one in rules.standings(entries, today)]  # fmt: skip
        self.what.options = [(CHOOSE, NONE), *options]
        self.what.value = now if now in [value for _, value in options] else NONE

    def missing(self) -> list[str]:
        """Return what is still to be chosen, the role apart."""
        asked = {REFUSE: [self.reason], RENEW: [self.until]}.get(self.verdict.value, [])
        return to_choose(self.what, self.verdict, *asked)

    def draft(self, role: codes.Role, entries: Sequence[Entry]) -> Draft | None:
        """Return the decision chosen, in place of the one in force; None where that says it."""
        subject = self.what.value
        entry, action = [one for one in rules.actions(entries) if one[0].draft.subject == subject][
            -1
        ]
        if self.verdict.value == RENEW:
            end = _put_off(action.end, int(self.until.value))
            told = Action.model_validate(action.model_dump() | {"end": end})
            return decided(role, subject, told, entry.seq)
        opinion = Approval(
            kind="approval",
            entry=entry.seq,
            opinion=self.verdict.value,
            reason=self.reason.value if self.verdict.value == REFUSE else None,
        )
        now = next((e for e in rules.in_force(entries)
                    if isinstance(e.draft.payload, Approval) and e.draft.role == role
                    and e.draft.payload.entry == entry.seq), None)  # fmt: skip
        if now and now.draft.payload == opinion:
            return None
        return decided(role, subject, opinion, now.seq if now else None)

    def line(self, entry: Entry) -> str:
        """Return an entry just made in a few words, as written."""
        return ", ".join(self._cells(entry)[:2])

    def held(self, entries: Sequence[Entry]) -> str:
        """Return what is entered already as HTML."""
        own = [
            e
            for e in entries
            if e.draft.payload.kind == "action"
            or (e.draft.payload.kind == "approval" and e.draft.subject.startswith("ACT"))
        ]
        if not own:
            return f"<p>{NONE_HERE}{ELSEWHERE if self.shown else ''}</p>"
        lines = [self._cells(one) for one in reversed(own)]
        more = f"<p>Les {SHOWN} dernières sur {len(lines)}.</p>" if lines[SHOWN:] else ""
        return table(DECIDED, lines[:SHOWN]) + more

    def _cells(self, entry: Entry) -> list[str]:
        """Return a decision as a line of a table, as written (`DECIDED`)."""
        at = dt.datetime.fromisoformat(entry.at).astimezone(ZoneInfo(self.zone))
        told, why = entry.draft.payload, ""
        if isinstance(told, Approval):
            said = "approuvée" if told.opinion == APPROVE else "refusée"
            why = REASONS[told.reason] if told.reason else ""
        else:
            assert isinstance(told, Action)
            before = [a for e, a in rules.actions(self.entries)
                      if e.seq == entry.draft.supersedes]  # fmt: skip
            what = "proposée"
            if before:
                what = "prolongée" if told.end > before[0].end else "changée"
            said = f"{what}, jusqu'au {spoken(told.end)}"
        return [entry.draft.subject, said, why, ROLES[entry.draft.role], f"{at:%d/%m/%Y %H:%M}",
                str(entry.seq)]  # fmt: skip


def _standing(one: rules.Standing) -> str:
    held = "approuvée" if one.approved else "à approuver"
    return f"{action_words.TIERS[one.tier]}, {held}, {STATUSES[one.status].partition(' (')[0]}"


def _put_off(end: dt.date, weeks: int) -> dt.date:
    """Return another end, so many weeks after that one, or after today where it has passed."""
    return max(end, dt.datetime.now(dt.UTC).date()) + dt.timedelta(weeks=weeks)
