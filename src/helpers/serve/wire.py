"""What a page and its process say to each other, and what of it a visitor may send.

The frames are those of the protocol `v1.kernel.websocket.jupyter.org` (Jupyter Server): little
endian, 64 bits each, the number of offsets, the offsets, then the parts they bound: channel,
header, parent, metadata, content, buffers.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

PROTOCOL = "v1.kernel.websocket.jupyter.org"
CONTROL = "jupyter.widget.control"  # the target through which a page asks all its states at once
LONGEST = 64 * 1024  # bytes of a frame: a choice is a few hundred
DEEPEST = 24
PARTS = 5  # channel, header, parent, metadata, content
# What the page of a widget says about itself is not its visitor's to change.
OWN = ("_model", "_view", "_esm", "_css", "_dom", "_anywidget")
FIXED = {"layout", "style", "children", "tabbable", "tooltip", "_options_labels"}


class RefusedError(Exception):
    """A message that no page of ours sends; `kind` is what the log may say of it."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass
class Message:
    """A message of Jupyter's protocol."""

    kind: str
    content: dict[str, Any]
    channel: str = "iopub"
    parent: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    buffers: list[bytes] = field(default_factory=list)


def pack(message: Message, session: str) -> bytes:
    """Return the frame of a message that the server's side sends."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": message.kind,
        "username": "",
        "session": session,
        "date": dt.datetime.now(dt.UTC).isoformat(),
        "version": "5.3",
    }
    told = (header, message.parent, message.metadata, message.content)
    parts = [message.channel.encode(), *(_json(part) for part in told), *message.buffers]
    count = len(parts) + 1
    offsets = [8 * (count + 1)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    table = b"".join(number.to_bytes(8, "little") for number in (count, *offsets))
    return table + b"".join(parts)


def _json(value: Any) -> bytes:
    try:
        text = json.dumps(value, default=_plain, allow_nan=False, ensure_ascii=False)
    except ValueError:  # what is no number is nothing: a browser reads no NaN
        text = json.dumps(_finite(value), default=_plain, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date | dt.datetime | dt.time):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} goes to no page")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


def unpack(frame: bytes | str) -> Message:
    """Return the message of a frame; RefusedError where it is none."""
    if isinstance(frame, str) or len(frame) < 8:
        raise RefusedError("frame")
    if len(frame) > LONGEST:
        raise RefusedError("oversized")
    count = int.from_bytes(frame[:8], "little")
    if not PARTS < count <= PARTS + 9 or len(frame) < 8 * (count + 1):
        raise RefusedError("frame")
    offsets = [int.from_bytes(frame[8 * i : 8 * (i + 1)], "little") for i in range(1, count + 1)]
    if offsets != sorted(offsets) or offsets[0] != 8 * (count + 1) or offsets[-1] != len(frame):
        raise RefusedError("frame")
    bounds = itertools.pairwise(offsets)
    channel, *told = (frame[start:end] for start, end in bounds)
    header, parent, metadata, content = (_object(part) for part in told[: PARTS - 1])
    kind = header.get("msg_type")
    if not isinstance(kind, str) or not kind.isascii() or len(kind) > 40:
        raise RefusedError("frame")
    return Message(
        kind, content, channel.decode("ascii", "replace"), parent, header, metadata,
        list(told[PARTS - 1 :]),
    )  # fmt: skip


def _object(part: bytes) -> dict[str, Any]:
    try:
        value = json.loads(part, parse_constant=_no_number, parse_float=_number)
    except RecursionError:
        raise RefusedError("deep") from None
    except ValueError:
        raise RefusedError("json") from None
    if not isinstance(value, dict):
        raise RefusedError("json")
    if _depth(value) > DEEPEST:
        raise RefusedError("deep")
    return value


def _no_number(_: str) -> NoReturn:
    raise RefusedError("number")


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise RefusedError("number")
    return value


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        children: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                children += one.values()
            elif isinstance(one, list):
                children += one
        level = children
    return deepest


def check(message: Message) -> None:
    """Raise RefusedError unless a page of widgets sends such a message by itself.

    What it names (the widget, its traits) is looked at where they are known, in its process.
    """
    content = message.content
    if message.channel != "shell" or message.buffers:
        raise RefusedError(message.kind if message.channel == "shell" else "channel")
    match message.kind:
        case "kernel_info_request" | "comm_info_request":
            return
        case "comm_open":
            if content.get("target_name") != CONTROL:
                raise RefusedError("comm_open")
        case "comm_close":
            pass
        case "comm_msg":
            _check_data(content.get("data"))
        case other:
            raise RefusedError(other)
    if not isinstance(content.get("comm_id"), str) or len(content["comm_id"]) > 64:
        raise RefusedError("comm_id")


def _check_data(data: Any) -> None:
    if not isinstance(data, dict):
        raise RefusedError("comm_msg")
    method = data.get("method")
    if method in ("request_states", "request_state"):
        return
    if method == "custom":
        if not isinstance(data.get("content"), dict | list):
            raise RefusedError("custom")
        return
    if method != "update" or not isinstance(data.get("state"), dict):
        raise RefusedError("method")
    if data.get("buffer_paths"):
        raise RefusedError("buffers")
    for name, value in data["state"].items():
        _check_trait(name, value)


def _check_trait(name: str, value: Any) -> None:
    if name in FIXED or name.startswith(OWN):
        raise RefusedError("trait")
    if isinstance(value, int) and abs(value) >= 2**53:  # JavaScript has no such number
        raise RefusedError("number")
    if isinstance(value, str) and value.startswith("IPY_MODEL_"):
        raise RefusedError("trait")


def status(state: str, parent: Mapping[str, Any]) -> Message:
    """Return what tells a page that its process is busy, idle, starting or dead."""
    return Message("status", {"execution_state": state}, parent=parent)
