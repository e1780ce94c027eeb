"""What an entry must agree with: the entries before it, the city's themes, the day.

Pure functions: the register calls them under its lock, whatever writes and on both stores.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from helpers.core.base.errors import PhareError
from helpers.register.codes import TIERS, Tier
from helpers.register.entries import Action, Approval, Draft, Entry, Problem, Recommendation

WHERE = "registre des décisions"
NEEDED = 2  # distinct roles, neither of them the author's
GOVERNED = ("problem", "action", "approval")  # kinds whose rules look at one another's entries
OF_PROBLEM = ("goal", "criterion", "least_effect")
HYPOTHESIS = (*OF_PROBLEM, "start")
Status = Literal["planned", "on", "off"]


@dataclass(frozen=True)
class Standing:
    """How an action stands on a day.

    `status`: planned (not begun), on, off (its end has passed: until renewed). `changed`: what of
    its hypothesis, or of its problem's, was changed or first entered after it had begun
    (`_changes`), and the entries that did. `renewals`: the entries that put its end off.
    `approved`: by two distinct roles, none refusing.
    """

    action: str
    problem: str
    tier: Tier
    status: Status
    end: dt.date
    entry: int
    renewals: tuple[int, ...]
    approved: bool
    changed: tuple[str, ...]
    changed_by: tuple[int, ...]


def check(draft: Draft, before: Sequence[Entry], themes: Collection[str], today: dt.date) -> None:
    """Raise PhareError where the draft may not be entered after the entries `before`, `today`."""
    _check_numbers(draft)
    _check_after(draft, before, themes, today)


def _check_after(
    draft: Draft, before: Sequence[Entry], themes: Collection[str], today: dt.date
) -> None:
    _check_succession(draft, before)
    match draft.payload:
        case Problem() as problem:
            _check_held(problem, themes, today)
        case Action() as action:
            _check_held(action, themes, today)
            _check_problem(draft, action, before)
            _check_tier(action, before, today)
        case Approval() as approval:
            _check_approval(draft, approval, before)
        case _:
            pass


def broken(entries: Sequence[Entry]) -> list[str]:
    """Return which entries break a rule that held when they were entered, in sentences.

    The register enters none; somebody who writes beside it might. A city's themes change: the one
    that an entry names is taken as it is; a recommendation may have been changed before registers
    asked for the numbers.
    """
    found: list[str] = []
    before: dict[str, list[Entry]] = {}
    for entry in entries:
        payload = entry.draft.payload
        held = before.setdefault("" if payload.kind in GOVERNED else entry.draft.subject, [])
        themes = [payload.criterion.theme] if isinstance(payload, Problem | Action) else []
        try:
            _check_after(entry.draft, held, themes, day_of(entry))
        except PhareError as error:
            found.append(f"inscription {entry.seq} : contraire aux règles ({error.what})")
        held.append(entry)
    return found


def identity(draft: Draft) -> tuple[object, ...]:
    """Return what an entry is about: of the entries about the same, one alone is in force."""
    payload = draft.payload
    told = (payload.kind, draft.subject, getattr(payload, "measure", None))
    return (*told, payload.entry, draft.role) if isinstance(payload, Approval) else told


def in_force(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that none supersedes, in order."""
    gone = {entry.draft.supersedes for entry in entries}
    return [entry for entry in entries if entry.seq not in gone]


def _check_numbers(draft: Draft) -> None:
    payload = draft.payload
    if not isinstance(payload, Recommendation) or payload.verdict != "changed":
        return
    if payload.proposed is None:
        raise _refusal(
            "une recommandation changée dit le nombre recommandé et le nombre décidé",
            "donner les deux (`proposed`, `decided`)",
        )


def _check_succession(draft: Draft, before: Sequence[Entry]) -> None:
    about = identity(draft)
    current = next((e.seq for e in in_force(before) if identity(e.draft) == about), None)
    if draft.supersedes == current:
        return
    if draft.supersedes is None:
        raise _refusal(
            f"l'inscription {current} dit déjà cela",
            f"la remplacer : `supersedes: {current}`",
        )
    raise _refusal(
        f"l'inscription {draft.supersedes} n'est pas celle qui est en vigueur",
        f"remplacer l'inscription {current}" if current else "ne rien remplacer",
    )


def _check_held(held: Problem | Action, themes: Collection[str], today: dt.date) -> None:
    if held.criterion.theme not in themes:
        # The text itself is not told: it is none of ours.
        raise _refusal(
            "le critère nomme un thème que la ville n'a pas",
            f"choisir parmi : {', '.join(themes)}",
        )
    if held.end < today:
        raise _refusal("la fin est déjà passée", "donner une fin à venir (`end`)")
    if isinstance(held, Problem) and held.since is not None and held.since > held.end:
        raise _refusal(
            "le problème commence après sa fin",
            "donner un début (`since`) qui ne dépasse pas la fin (`end`)",
        )


def _check_problem(draft: Draft, action: Action, before: Sequence[Entry]) -> None:
    problems = {e.draft.subject for e in before if isinstance(e.draft.payload, Problem)}
    if action.problem not in problems:
        raise _refusal(
            "l'action nomme un problème que le registre n'a pas", "inscrire d'abord le problème"
        )
    anew = "la finir, et en inscrire une autre sous un autre numéro"
    for earlier in (a for e, a in actions(before) if e.draft.subject == draft.subject):
        if earlier.problem != action.problem:
            raise _refusal("une action reste celle de son problème", anew)
        if earlier.tier != action.tier:
            raise _refusal("une action garde son palier", anew)


def _check_tier(action: Action, before: Sequence[Entry], today: dt.date) -> None:
    lower = TIERS[: TIERS.index(action.tier)]
    tried = any(
        a.problem == action.problem and a.tier in lower and _begun(entry, a, before, today)
        for entry, a in actions(before)
    )
    if lower and not tried and action.justification is None:
        raise _refusal(
            "ce palier vient sans palier inférieur essayé sur ce problème",
            "essayer d'abord un palier inférieur, commencé et inscrit avant aujourd'hui, ou donner "
            "un motif (`justification`)",
        )


def _begun(entry: Entry, action: Action, before: Sequence[Entry], today: dt.date) -> bool:
    """Tell whether the action began as this entry says: before today, and what replaced it.

    A start said afterwards counts from the day of the entry: nobody could have known of it.
    """
    after = next((e for e in before if e.draft.supersedes == entry.seq), None)
    began = max(action.start, day_of(entry))
    return began < (min(today, day_of(after)) if after else today)


def _check_approval(draft: Draft, approval: Approval, before: Sequence[Entry]) -> None:
    approved = next((entry for entry in before if entry.seq == approval.entry), None)
    held = isinstance(approved.draft.payload, Problem | Action) if approved else False
    if approved is None or not held or approved.draft.subject != draft.subject:
        raise _refusal(
            "l'accord ne porte pas sur une inscription de ce problème ou de cette action",
            "donner le numéro de l'inscription (`entry`)",
        )
    if approved.draft.role == draft.role:
        raise _refusal(
            "qui décide n'approuve pas sa propre décision", "demander l'accord d'un autre rôle"
        )


def actions(entries: Sequence[Entry]) -> list[tuple[Entry, Action]]:
    """Return the entries on actions, in order, each with what it says."""
    return [(e, e.draft.payload) for e in entries if isinstance(e.draft.payload, Action)]


def day_of(entry: Entry) -> dt.date:
    """Return the day of an entry, by universal time."""
    return dt.date.fromisoformat(entry.at[:10])


def approved(entry: Entry, entries: Sequence[Entry]) -> bool:
    """Tell whether two distinct roles approve an entry, and none refuses it."""
    opinions = {
        e.draft.role: e.draft.payload.opinion
        for e in in_force(entries)
        if isinstance(e.draft.payload, Approval) and e.draft.payload.entry == entry.seq
    }
    return len(opinions) >= NEEDED and set(opinions.values()) == {"approved"}


def standings(entries: Sequence[Entry], today: dt.date) -> list[Standing]:
    """Return how each action stands on the day `today`, in order of their numbers."""
    by_action: dict[str, list[tuple[Entry, Action]]] = {}
    for entry, action in actions(entries):
        by_action.setdefault(entry.draft.subject, []).append((entry, action))
    return [_standing(by_action[name], entries, today) for name in sorted(by_action)]


def _standing(
    versions: list[tuple[Entry, Action]], entries: Sequence[Entry], today: dt.date
) -> Standing:
    last, action = versions[-1]
    changes = [*_changes(versions, entries)]
    status: Status = "planned" if today < action.start else "on" if today <= action.end else "off"
    return Standing(
        last.draft.subject,
        action.problem,
        action.tier,
        status,
        action.end,
        last.seq,
        tuple(e.seq for (_, old), (e, new) in pairwise(versions) if new.end > old.end),
        approved(last, entries),
        tuple(dict.fromkeys(name for _, name in changes)),
        tuple(dict.fromkeys(seq for seq, _ in changes)),
    )


def _changes(
    versions: list[tuple[Entry, Action]], entries: Sequence[Entry]
) -> Iterator[tuple[int, str]]:
    """Yield the entry and the name of each thing changed on or after the action's first day.

    Names: those of HYPOTHESIS, `entered` (first entered after its start), `end` (brought forward),
    `problem` (what its problem is held to).
    """
    (first, action), name = versions[0], versions[0][1].problem
    about = [e for e in entries if e.draft.subject in (name, first.draft.subject)]
    problem, held, begun = None, action, False
    for entry in about:
        new, day = entry.draft.payload, day_of(entry)
        # A first day put off later does not make what has begun a plan again.
        begun = begun or (entry.seq > first.seq and held.start <= day)
        match new:
            case Problem():
                if begun and problem and _differ(problem, new, OF_PROBLEM):
                    yield entry.seq, "problem"
                problem = new
            case Action():
                if new.start < day and not begun:
                    begun = True  # by what it says itself: after the fact
                    if entry is first:
                        yield entry.seq, "entered"
                if begun:
                    yield from ((entry.seq, one) for one in _differ(held, new, HYPOTHESIS))
                    if new.end < held.end:
                        yield entry.seq, "end"
                held = new


def _differ(old: object, new: object, names: Sequence[str]) -> list[str]:
    """Return the names of what differs."""
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def _refusal(what: str, todo: str) -> PhareError:
    return PhareError(what, WHERE, todo)
