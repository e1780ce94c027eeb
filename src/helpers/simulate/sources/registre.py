"""The register of a simulated city: what its roles decided, by the register's own rules.

Each entry is what the register would have taken on its day (`rules.check`), chained as it chains
(`chain`): what it refuses cannot be planted. `CASES` are the known truths, told apart in the truth.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.register import chain, rules, snapshot
from helpers.register.entries import Entry
from helpers.register.entries import draft as read_draft
from helpers.simulate.actions import Actions

SOURCE = snapshot.SOURCE
UNREGISTERED, LATE, CHANGED, RENEWED = "unregistered", "registered_late", "changed", "renewed"
REFUSED, PROPOSED, APPROVED, RUNNING, LOWER = (
    "refused", "proposed", "approved", "running", "lower_tier"
)  # fmt: skip
CASES: Mapping[int, str] = {3: UNREGISTERED, 5: LATE, 7: CHANGED, 9: RENEWED}  # action's number
AHEAD: Mapping[int, str] = {101: LOWER, 102: REFUSED, 103: PROPOSED, 104: APPROVED, 105: RUNNING}
FIRST_TIERED = 1  # the action whose problem had a lower tier before
ANALYST, SERVICE, PREVENTION, HEAD, ELECTED = (
    "analyste", "chef_de_service", "coordination_prevention", "direction", "elu"
)  # fmt: skip
WHY = {"dissuasion": "palier_essaye_ailleurs", "repression": "atteinte_grave"}
HYPOTHESES = ("concentration_horaire", "lieu_sans_gardien", "eclairage", "transports", "dechets",
              "saison")  # fmt: skip
LEADS = {"mediation": PREVENTION, "amenagement_eclairage": HEAD, "campagne_info": PREVENTION}
ANSWERS: tuple[tuple[str, dict[str, Any]], ...] = (
    (SERVICE, {"verdict": "accepted", "proposed": 26, "decided": 26}),
    (HEAD, {"verdict": "changed", "reason": "moyens_insuffisants", "proposed": 40, "decided": 32}),
    (SERVICE, {"verdict": "accepted", "proposed": 18, "decided": 18}),
    (ELECTED, {"verdict": "refused", "reason": "autre_priorite", "proposed": 12}),
)
SHIFTS = ["apres_midi", "soir"]  # when the presence that actions add falls (`draw_presence`)


@dataclass
class Held:
    """A register while it is being filled."""

    city: str
    themes: tuple[str, ...]
    rows: list[dict[str, Any]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def add(self, day: dt.date, role: str, subject: str, payload: Mapping[str, Any],
            supersedes: int | None = None) -> int:  # fmt: skip
        """Enter what a role decides on a day; return its number."""
        seq = len(self.rows) + 1
        key = hashlib.sha256(f"{self.city}/{seq}".encode()).hexdigest()[:32]
        told = {"role": role, "subject": subject, "payload": payload, "key": key,
                "supersedes": supersedes}  # fmt: skip
        draft = read_draft(json.dumps(told))
        rules.check(draft, self.entries, self.themes, day)
        previous = self.rows[-1]["hash"] if self.rows else chain.first(self.city)
        row = chain.row_of(draft, seq, f"{day}T10:00:00.000Z", previous)
        self.rows.append(row)
        self.entries.append(chain.entry_of(row))
        return seq


@dataclass(frozen=True)
class Plan:
    """An action to decide on: numbers, what it is, its days, where, on which theme."""

    number: int
    problem: int
    case: str
    tier: str
    response: str
    zone: str
    theme: str
    start: dt.date
    end: dt.date
    dose_h: float

    @property
    def held(self) -> dict[str, Any]:
        """What is held to."""
        return {"goal": "baisse_des_faits", "criterion": {"theme": self.theme, "fall": 0.2},
                "least_effect": 0.2, "end": self.end.isoformat()}  # fmt: skip


def plans(
    parts: Sequence[Actions], days: tuple[dt.date, dt.date], quarters: Sequence[str],
    themes: Sequence[str],
) -> list[Plan]:  # fmt: skip
    """Return the actions that are delivered, by number, then those that the register alone has.

    `days` are the ends of the period, `quarters` the codes of all quarters, `themes` the theme of
    each kind.
    """
    first, end = days
    found: list[Plan] = []
    for actions, i in ((part, i) for part in parts for i in range(len(part))):
        start, last = (first + dt.timedelta(days=int(d[i]))
                       for d in (actions.first_day, actions.last_day))  # fmt: skip
        number = len(found) + 1
        found.append(Plan(
            number, number, CASES.get(number, ""), actions.shade[i], actions.type[i],
            quarters[int(actions.quarter[i])], themes[int(np.argmax(actions.aims[i]))], start, last,
            round(float(actions.dose_h[i]), 1),
        ))  # fmt: skip
    begins = {
        LOWER: (found[FIRST_TIERED - 1].start - dt.timedelta(days=130), 100),
        REFUSED: (end - dt.timedelta(days=250), 180),
        PROPOSED: (end + dt.timedelta(days=20), 120),
        APPROVED: (end + dt.timedelta(days=14), 150),
        RUNNING: (end - dt.timedelta(days=40), 150),
    }
    about = {REFUSED: ("repression", "controle"), RUNNING: ("dissuasion", "patrouille_pedestre")}
    for number, case in AHEAD.items():
        at = FIRST_TIERED - 1 if case == LOWER else number % 100
        tier, response = about.get(case, ("prevention", "campagne_info"))
        begun, lasting = begins[case]
        found.append(Plan(
            number, at + 1, case, tier, response, found[at].zone, found[at].theme, begun,
            begun + dt.timedelta(days=lasting), 30.0,
        ))  # fmt: skip
    return found


def fill(city: str, themes: Sequence[str], decided: Sequence[Plan], end: dt.date) -> Held:
    """Return the register that comes of the plans, in the order of days.

    In the last days of the period, which ends on `end`, proposals of a notebook are answered.
    """
    steps: list[tuple[dt.date, int, int, Plan, str]] = []
    earlier = {LATE: -20, PROPOSED: 30}
    taken_up: set[int] = set()
    for plan in sorted(decided, key=lambda one: (one.start, one.number)):
        if plan.case == UNREGISTERED:
            continue
        before = plan.start - dt.timedelta(days=earlier.get(plan.case, 45))
        if plan.problem not in taken_up:
            steps.append((before - dt.timedelta(days=15), 0, plan.number, plan, "problem"))
            taken_up.add(plan.problem)
        steps.append((before, 1, plan.number, plan, "action"))
        if plan.case != PROPOSED:
            steps.append((before + dt.timedelta(days=8), 2, plan.number, plan, "approval"))
        if plan.case == CHANGED:
            steps.append((plan.start + dt.timedelta(60), 3, plan.number, plan, "change"))
        if plan.case == RENEWED:
            steps.append((plan.end - dt.timedelta(10), 3, plan.number, plan, "renewal"))
    held, versions = Held(city, tuple(themes)), dict[int, int]()
    for day, _, number, plan, step in sorted(steps, key=lambda one: one[:3]):
        _decide(held, versions, day, number, plan, step)
    for number, (role, answer) in enumerate(ANSWERS):
        subject = hashlib.sha256(f"{city}/recommendation/{number}".encode()).hexdigest()[:20]
        day = end - dt.timedelta(days=len(ANSWERS) - number)
        held.add(day, role, subject, {"kind": "recommendation", **answer})
    return held


def _decide(
    held: Held, versions: dict[int, int], day: dt.date, number: int, plan: Plan, step: str
) -> None:
    if step == "problem":
        held.add(day, ANALYST, f"PB-{plan.problem:03d}", _problem(plan))
        return
    subject, payload = f"ACT-{number:03d}", _action(plan)
    if step == "change":  # the bar is lowered once the first figures are in
        payload |= {"criterion": {"theme": plan.theme, "fall": 0.05}, "least_effect": 0.05}
    if step == "renewal":
        payload["end"] = (plan.end + dt.timedelta(days=60)).isoformat()
    if step != "approval":
        versions[number] = held.add(day, SERVICE, subject, payload, versions.get(number))
    if step in ("approval", "change", "renewal"):
        last = "refused" if plan.case == REFUSED else "approved"
        for role, opinion in ((HEAD, "approved"), (ELECTED, last)):
            told = {"kind": "approval", "entry": versions[number], "opinion": opinion}
            held.add(day, role, subject, told)


def _problem(plan: Plan) -> dict[str, Any]:
    ends = plan.end + dt.timedelta(days=90)
    some = [HYPOTHESES[(plan.problem + k) % len(HYPOTHESES)] for k in range(1 + plan.problem % 2)]
    return {"kind": "problem", **plan.held, "end": ends.isoformat(), "zone": plan.zone,
            "since": (plan.start - dt.timedelta(days=200)).isoformat(),
            "hypotheses": some}  # fmt: skip


def _action(plan: Plan) -> dict[str, Any]:
    justified = None if plan.problem == FIRST_TIERED else WHY.get(plan.tier)
    return {"kind": "action", **plan.held, "problem": f"PB-{plan.problem:03d}", "tier": plan.tier,
            "start": plan.start.isoformat(), "lead": LEADS.get(plan.response, SERVICE),
            "response": plan.response, "dose_h": plan.dose_h, "shifts": SHIFTS,
            "justification": justified}  # fmt: skip
