"""Drafts of every kind, as an app makes them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from helpers.register.entries import Draft, draft

TODAY = dt.datetime.now(dt.UTC).date()
EVENT = "0123456789abcdef0123"


def day(number: int) -> str:
    """Return the day so many days from today."""
    return (TODAY + dt.timedelta(days=number)).isoformat()


HELD: dict[str, Any] = {
    "goal": "baisse_des_faits",
    "criterion": {"theme": "tapage", "fall": 0.2},
    "least_effect": 0.15,
    "end": day(90),
}
REFERENCE = {"year": 2026, "number": 123}
KINDS: dict[str, dict[str, Any]] = {
    "measure_taken": {"subject": EVENT, "payload": {"measure": "barrieres", "state": "prise"}},
    "sizing": {
        "subject": EVENT,
        "payload": {"verdict": "changed", "measure": "agents_pm", "proposed": 12, "decided": 8,
                    "reason": "moyens_insuffisants", "reference": REFERENCE},
    },
    "recommendation": {
        "subject": EVENT,
        "payload": {"verdict": "refused", "reason": "autre_priorite", "reference": REFERENCE},
    },
    "problem": {
        "subject": "PB-001",
        "payload": {**HELD, "zone": "13201", "since": day(-90), "hypotheses": ["eclairage"]},
    },
    "action": {
        "subject": "ACT-001",
        "payload": {**HELD, "problem": "PB-001", "tier": "prevention", "start": day(0),
                    "justification": "danger_immediat", "reference": REFERENCE,
                    "lead": "chef_de_poste", "response": "mediation", "dose_h": 12.5,
                    "shifts": ["soir"]},
    },
    "approval": {"subject": "ACT-001", "payload": {"entry": 5, "opinion": "approved"}},
}  # fmt: skip


def content(kind: str, **changes: Any) -> dict[str, Any]:
    """Return a draft's content; `changes` of its payload, or of itself (role, subject, …)."""
    outer = {n: v for n, v in changes.items() if n in ("role", "subject", "supersedes", "key")}
    inner = {n: v for n, v in changes.items() if n not in outer}
    told = KINDS[kind]
    payload = {"kind": kind, **told["payload"], **inner}
    payload = {name: value for name, value in payload.items() if value is not None}
    return {"role": "direction", "subject": told["subject"], "payload": payload, **outer}


def made(kind: str, **changes: Any) -> Draft:
    """Return a draft; a change to None takes the key away."""
    return draft(json.dumps(content(kind, **changes)))
