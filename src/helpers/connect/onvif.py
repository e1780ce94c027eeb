"""What a camera says over MQTT (ONVIF Core specification, JSON events), and how little is read.

A topic is `<prefix>/<producer>/onvif-ej/<local topic>[&/<source>…]`. Four local topics are taken;
whatever recognises somebody or something of theirs is refused by its topic, its payload unread.
Of a payload that is taken, three things are decoded: when, which video source, whether it begins.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

import msgspec

Fate = Literal[
    "compte", "doublon", "retenu", "reconnaissance", "autre_sujet", "trop_grand", "illisible",
    "sans_objet", "tardif", "horloge", "battement",
]  # fmt: skip
EVENTS = "onvif-ej"
NAMESPACE = "tns1:"
ROOTS = {"RuleEngine", "VideoSource"}
PERSONAL = re.compile(r"recogni|plate|plaque|immat|face|visage|biometr|body|gait|silhouette", re.I)
TOKENS = ("VideoSource", "VideoSourceToken", "VideoSourceConfigurationToken", "Source")
PAYLOAD_BYTES = 64 << 10  # more is an image


@dataclass(frozen=True, order=True)
class Kind:
    """What is counted, as the contract of smart video names it: a type, or else a technique."""

    type: str = ""
    technique: str = ""


KINDS = {
    "RuleEngine/LineDetector/Crossed": Kind(technique="ligne_franchie"),
    "RuleEngine/FieldDetector/ObjectsInside": Kind(type="intrusion_zone"),
    "RuleEngine/CountAggregation/Counter": Kind(technique="comptage"),
    "VideoSource/GlobalSceneChange": Kind(technique="sabotage_camera"),
    "VideoSource/GlobalSceneChange/AnalyticsService": Kind(technique="sabotage_camera"),
    "VideoSource/GlobalSceneChange/ImagingService": Kind(technique="sabotage_camera"),
}


@dataclass(frozen=True)
class Subject:
    """What a topic tells: who speaks, and of what, or why it is refused."""

    producer: str
    kind: Kind | None = None
    refusal: Fate = "autre_sujet"


def subject(topic: str, prefix: str) -> Subject:
    """Sort a topic under `prefix`. Nothing of its payload is needed for that."""
    local = topic.removeprefix(prefix).strip("/")
    producer, said = _divided(local)
    if PERSONAL.search(said):
        return Subject(producer, refusal="reconnaissance")
    return Subject(producer, KINDS.get(said.partition("&")[0].rstrip("/")))


def _divided(local: str) -> tuple[str, str]:
    """Return who speaks, and the local topic without its namespace."""
    steps = [step.removeprefix(NAMESPACE) for step in local.split("/")]
    found = [i for i, step in enumerate(steps) if step == EVENTS]
    if found:
        return "/".join(steps[: found[0]]), "/".join(steps[found[0] + 1 :])
    roots = [i for i, step in enumerate(steps) if step in ROOTS]
    cut = roots[0] if roots else 0
    return "/".join(steps[:cut]), "/".join(steps[cut:])


class _Data(msgspec.Struct):
    IsInside: bool | str = True
    State: bool | str = True


class _Payload(msgspec.Struct):
    UtcTime: str
    Source: dict[str, str | int] = {}
    Data: _Data = msgspec.field(default_factory=_Data)
    PropertyOperation: str = ""


@dataclass(frozen=True)
class Event:
    """What is kept of a payload: when (UTC), which video source, whether something begins."""

    when: dt.datetime
    token: str
    begins: bool


_decode = msgspec.json.Decoder(_Payload).decode


def event(payload: bytes) -> Event | None:
    """Read what is needed of a payload; None where it is not a JSON event of ONVIF.

    A state that is told again at connection (Initialized), or that ends (false), begins nothing.
    """
    try:
        told = _decode(payload)
        when = dt.datetime.fromisoformat(told.UtcTime)
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)  # the name of the field says so
    token = next((str(told.Source[name]) for name in TOKENS if name in told.Source), "")
    on = all(str(state).lower() not in ("false", "0") for state in (told.Data.IsInside,
                                                                     told.Data.State))  # fmt: skip
    begins = on and told.PropertyOperation in ("", "Changed")
    return Event(when.astimezone(dt.UTC), token, begins)
