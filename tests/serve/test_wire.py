"""What a visitor may send: widget messages, in the frames of Jupyter Server's own serializer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

from helpers.serve import wire


def frame(
    kind: str,
    content: Any,
    channel: str = "shell",
    buffers: tuple[bytes, ...] = (),
    version: str = "1.0.0",
) -> bytes:
    """Return a frame as JupyterLab's client writes it; the widgets' version is in its metadata."""
    header = {"msg_id": "1", "msg_type": kind, "session": "s", "username": "", "version": "5.2"}
    told = [header, {}, {"version": version}, content]
    parts = [json.dumps(one).encode() for one in told]
    whole = serialize_msg_to_ws_v1([*parts, *buffers], channel)
    return b"".join(whole) if isinstance(whole, list) else bytes(whole)


def update(state: Any) -> dict[str, Any]:
    return {"comm_id": "c", "data": {"method": "update", "state": state, "buffer_paths": []}}


def read(told: bytes | str) -> wire.Message:
    message = wire.unpack(told)
    wire.check(message)
    return message


ALLOWED = [
    ("kernel_info_request", {}),
    ("comm_info_request", {"target_name": "jupyter.widget"}),
    ("comm_open", {"comm_id": "c", "target_name": "jupyter.widget.control", "data": {}}),
    ("comm_close", {"comm_id": "c", "data": {}}),
    ("comm_msg", {"comm_id": "c", "data": {"method": "request_states"}}),
    ("comm_msg", update({"index": 3})),
    ("comm_msg", update({"value": "<img src=x onerror=alert(1)>"})),
    ("comm_msg", {"comm_id": "c", "data": {"method": "custom", "content": {"event": "click"}}}),
]


@pytest.mark.parametrize(("kind", "content"), ALLOWED)
def test_what_a_page_of_widgets_sends(kind: str, content: Any) -> None:
    assert read(frame(kind, content)).content == content


REFUSED = [
    ("execute_request", {"code": "1", "silent": False}),
    ("complete_request", {"code": "os.", "cursor_pos": 3}),
    ("inspect_request", {"code": "os", "cursor_pos": 2}),
    ("history_request", {"hist_access_type": "tail"}),
    ("is_complete_request", {"code": "1"}),
    ("input_reply", {"value": "1"}),
    ("debug_request", {"command": "attach"}),
    ("shutdown_request", {"restart": False}),
    ("interrupt_request", {}),
    ("create_subshell_request", {}),
    ("comm_open", {"comm_id": "c", "target_name": "jupyter.widget", "data": {}}),
    ("comm_msg", {"comm_id": 7, "data": {"method": "request_states"}}),
    ("comm_msg", {"comm_id": "c", "data": {"method": "open"}}),
    ("comm_msg", {"comm_id": "c", "data": []}),
    ("comm_msg", update({"_esm": "export default {}"})),
    ("comm_msg", update({"_view_module": "https://example.org/x.js"})),
    ("comm_msg", update({"layout": "IPY_MODEL_x"})),
    ("comm_msg", update({"value": "IPY_MODEL_x"})),
    ("comm_msg", update({"index": 2**63})),
    ("comm_msg", update({"value": float("nan")})),
    ("comm_msg", update({"value": float("inf")})),
    ("comm_msg", update("index")),
]


@pytest.mark.parametrize(("kind", "content"), REFUSED)
def test_what_no_page_sends(kind: str, content: Any) -> None:
    with pytest.raises(wire.RefusedError):
        read(frame(kind, content))


@pytest.mark.parametrize("channel", ["control", "stdin", "iopub", "hb", ""])
def test_other_channels(channel: str) -> None:
    with pytest.raises(wire.RefusedError):
        read(frame("kernel_info_request", {}, channel))


def nested(depth: int) -> bytes:
    text = b'{"index":' + b"[" * depth + b"]" * depth + b"}"
    whole = frame("comm_msg", update({"index": "HERE"}))
    told = whole.replace(b'{"index": "HERE"}', text)
    assert told != whole
    return told


@pytest.mark.parametrize(
    "told",
    [
        b"", "text", b"\0" * 8, b"\xff" * 64, b"\x06" + b"\0" * 200,
        frame("kernel_info_request", {})[:-1], frame("kernel_info_request", {}) + b"x",
        frame("comm_msg", update({"value": "x" * wire.LONGEST})),
        frame("comm_msg", update({"index": 1}), buffers=(b"x",)),
        frame("kernel_info_request", []),
        nested(3_000),
    ],
)  # fmt: skip
def test_what_is_no_frame(told: bytes | str) -> None:
    with pytest.raises(wire.RefusedError):
        read(told)


def test_frames_read_as_jupyter_server_reads_them() -> None:
    parent = {"msg_id": "é"}
    told = wire.Message("comm_msg", {"text": "l'été", "n": float("nan")}, parent=parent)
    channel, parts = deserialize_msg_from_ws_v1(wire.pack(told, "s"))
    header, back, metadata, content = (json.loads(one) for one in parts)
    assert (channel, header["msg_type"], back, metadata) == ("iopub", "comm_msg", parent, {})
    assert content == {"text": "l'été", "n": None}  # what is no number goes as nothing
