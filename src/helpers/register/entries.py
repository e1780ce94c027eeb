"""What an entry is: one model a kind, each field closed.

No field takes a text: a code of a list (`codes`), a bounded number, a day, an identifier of a form
that names nobody. An event or a recommendation is called by the keyed hash that the door gave it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict
from helpers.register import codes

EVENT = "[0-9a-f]{20}"  # a keyed hash, as the door writes identifiers
NUMBER = "[0-9]{3}|[1-9][0-9]{3}"  # one way to write each: 0001 would be another 001
PROBLEM, ACTION = f"PB-({NUMBER})", f"ACT-({NUMBER})"
FORMS: dict[codes.Kind, str] = {
    "measure_taken": EVENT,
    "sizing": EVENT,
    "recommendation": EVENT,
    "problem": PROBLEM,
    "action": ACTION,
    "approval": f"{PROBLEM}|{ACTION}",
}
ZONE = "[A-Z]{0,2}[0-9]{1,7}"  # a zone's code, too short for a telephone
KEY = "[0-9a-f]{32}"
TODO = "n'écrire que des codes, des nombres et des jours des listes du registre"


def _short(share: float) -> float:
    """Return a share of three decimals at most: with ten, it would hold a telephone number."""
    if round(share, 3) != share:
        raise ValueError("trois décimales au plus")
    return share


Zone = Annotated[str, Field(pattern=rf"^{ZONE}$")]
Hours = Annotated[float, Field(ge=0, le=5000, allow_inf_nan=False), AfterValidator(_short)]
Count = Annotated[int, Field(ge=0, le=5000)]
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), AfterValidator(_short)]
Day = Annotated[dt.date, Field(ge=dt.date(2020, 1, 1), le=dt.date(2099, 12, 31))]
Sequence = Annotated[int, Field(ge=1, le=2**53)]


class Closed(Strict):
    """A model without open text, taken as it is written: no number for a text, nor the reverse."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Reference(Closed):
    """The number of a paper that says more (a note, an order): year and number, nothing else."""

    year: int = Field(ge=2000, le=2099)
    number: int = Field(ge=1, le=99_999)


class Criterion(Closed):
    """When an action will have worked: the theme whose count falls, and by what share of it."""

    theme: str = Field(pattern=r"^[a-z0-9_]{1,60}$")  # of the city's themes: `rules` looks
    fall: Share


class MeasureTaken(Closed):
    """A measure for an event, and where it stands; `subject` is the event."""

    kind: Literal["measure_taken"]
    measure: codes.Measure
    state: codes.State


class _Judged(Closed):
    verdict: codes.Verdict
    reason: codes.Reason | None = None
    reference: Reference | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> _Judged:
        if self.verdict != "accepted" and self.reason is None:
            raise ValueError("changer ou refuser demande un motif (`reason`)")
        return self


class _Numbered(_Judged):
    """A number proposed and the one decided in its place; both stay side by side."""

    proposed: Count | None = None
    decided: Count | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.proposed is None and self.decided is None:
            return self  # of what was proposed without a number
        decided = {
            "accepted": self.decided == self.proposed,
            "changed": self.decided is not None and self.decided != self.proposed,
            "refused": self.decided is None,
        }
        if self.proposed is None or not decided[self.verdict]:
            raise ValueError(
                "accepté : le nombre proposé ; changé : un autre ; refusé : aucun (`decided`)"
            )
        return self


class Sizing(_Numbered):
    """A quantity proposed for an event (of the unit of its measure), and the one decided."""

    kind: Literal["sizing"]
    measure: codes.Measure
    proposed: Count


class Recommendation(_Numbered):
    """What was done with a recommendation; `subject` is the recommendation.

    `proposed` and `decided` are team-hours a week; one that is changed has both (`rules`).
    """

    kind: Literal["recommendation"]


class _Held(Closed):
    """What is held to: aimed at, judged by, seen from what size on, until when."""

    goal: codes.Goal
    criterion: Criterion
    least_effect: Share  # minimum detectable effect: share of the theme's count
    end: Day


class Problem(_Held):
    """A problem taken up; `end` is when it will be looked at again.

    `zone` is the code of one of the city's zones, `since` when it is held to have begun.
    """

    kind: Literal["problem"]
    zone: Zone | None = None
    since: Day | None = None
    hypotheses: tuple[codes.Hypothesis, ...] | None = Field(default=None, min_length=1)


class Action(_Held):
    """An action at a problem: a tier, a hypothesis, a first and a last day.

    `lead` is who does it, `response` what, `dose_h` planned agent-hours a week, in the `shifts`.
    """

    kind: Literal["action"]
    problem: str = Field(pattern=rf"^{PROBLEM}$")
    tier: codes.Tier
    start: Day
    lead: codes.Role | None = None
    response: codes.Response | None = None
    dose_h: Hours | None = None
    shifts: tuple[codes.Shift, ...] | None = Field(default=None, min_length=1)
    justification: codes.Justification | None = None
    reference: Reference | None = None

    @model_validator(mode="after")
    def _lasts(self) -> Action:
        if self.end < self.start:
            raise ValueError("la fin précède le début (`end`)")
        return self


class Approval(Closed):
    """What a role says of an entry on a problem or an action; why, where it refuses."""

    kind: Literal["approval"]
    entry: Sequence
    opinion: codes.Opinion
    reason: codes.Reason | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Approval:
        if self.reason is not None and self.opinion != "refused":
            raise ValueError("un motif ne se donne qu'à un refus (`reason`)")
        return self


Payload = Annotated[
    MeasureTaken | Sizing | Recommendation | Problem | Action | Approval,
    Field(discriminator="kind"),
]
PAYLOADS: TypeAdapter[Any] = TypeAdapter(Payload)


def new_key() -> str:
    """Return the key of one decision: to enter it twice by the same key enters it once."""
    while (key := secrets.token_hex(16)).isdigit():
        pass  # one in three million: it would be refused
    return key


class Draft(Closed):
    """What somebody decides, before the register has it. `supersedes`: the entry it replaces."""

    role: codes.Role
    subject: str  # of the form of its kind
    payload: Payload
    supersedes: Sequence | None = None
    key: str = Field(default_factory=new_key, pattern=rf"^{KEY}$")

    @model_validator(mode="after")
    def _named(self) -> Draft:
        if not re.fullmatch(FORMS[self.payload.kind], self.subject):
            raise ValueError("sujet d'une autre forme que celle de ce genre d'inscription")
        # Of a hash that the door made, one in 12,000 has no letter; of a telephone number, all.
        if self.subject.isdigit() or self.key.isdigit():
            raise ValueError(
                "sujet ou clé fait de chiffres seuls, comme le numéro d'une personne (`subject`, "
                "`key`)"
            )
        return self


@dataclass(frozen=True)
class Entry:
    """A decision as the register holds it.

    `seq` from 1, without a gap; `at` the server's time (UTC, ISO 8601, to the millisecond).
    `previous` and `hash` chain it to the one before; `text` is the payload, as it was hashed.
    """

    seq: int
    at: str
    draft: Draft
    text: str
    previous: str
    hash: str


def canonical(payload: Closed) -> str:
    """Return the payload as JSON, always the same for the same payload (keys in order)."""
    told = payload.model_dump(mode="json", exclude_none=True)
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def draft(content: str | bytes) -> Draft:
    """Read a draft from JSON; PhareError, which quotes no value, where it is not closed."""
    try:
        return Draft.model_validate_json(content)
    except ValidationError as error:
        raise refused(error) from None


def refused(error: ValidationError) -> PhareError:
    """Return the error of an entry that does not fit: the keys at fault, and no value."""
    known = {name for model in _models() for name in model.model_fields} | set(get_args(codes.Kind))
    faults = []
    for one in error.errors(include_input=False, include_url=False):
        names = [str(part) for part in one["loc"] if isinstance(part, int) or part in known]
        place = ".".join(names) or "inscription"
        told = one.get("ctx", {}).get("error") if one["type"] == "value_error" else None
        faults.append(f"{told} : {place}" if told else f"{_said(one['type'])} : {place}")
    return PhareError(" ; ".join(dict.fromkeys(faults)), "registre des décisions", TODO)


def _models() -> tuple[type[Closed], ...]:
    return (Draft, Reference, Criterion, MeasureTaken, Sizing, Recommendation, Problem, Action,
            Approval)  # fmt: skip


def _said(kind: str) -> str:
    match kind:
        case "missing":
            return "manque"
        case "json_invalid":
            return "JSON illisible"
        case "extra_forbidden":
            return "inconnu du registre"
        case _:
            return "valeur refusée"
