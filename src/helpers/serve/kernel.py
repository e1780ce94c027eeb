"""What answers a page in its visitor's process: widget messages, and nothing that runs code.

There is no `execute_request` here to refuse: such a message has no handler. One process, one
thread, one socket: what a fork keeps whole.
"""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Mapping
from typing import Any

import comm
from comm.base_comm import BaseComm
from ipywidgets.widgets import widget as widgets

from helpers.serve import streams, wire

log = logging.getLogger("phare.page")
INFO = {
    "status": "ok", "protocol_version": "5.3", "implementation": "phare",
    "implementation_version": "1", "banner": "", "help_links": [],
    "language_info": {"name": "python", "version": "3", "mimetype": "text/x-python",
                      "file_extension": ".py"},
}  # fmt: skip


class PageKernel:
    """Where a page's widgets send what they say; silent until a visitor is there (`serve`)."""

    def __init__(self) -> None:
        self.line: socket.socket | None = None
        self.session = ""
        self.parent: Mapping[str, Any] = {}
        self.made = 0
        self.modules: dict[str, str] = {}  # a widget's module → the name under which it is served
        self.address = ""  # where these are
        self.control: set[str] = set()
        self.comms = comm.get_comm_manager()
        self.comms.register_target(wire.CONTROL, widgets.Widget.handle_control_comm_opened)

    def name(self) -> str:
        """Return the next widget's id: the same for the same page, run after run."""
        self.made += 1
        return uuid.uuid5(uuid.NAMESPACE_OID, f"phare {self.made}").hex

    def get_parent(self, *_: object) -> dict[str, Any]:
        """Return the message that is being answered, as `ipywidgets.Output` asks of a kernel."""
        return {"header": dict(self.parent)}

    def publish(
        self,
        kind: str,
        content: dict[str, Any],
        metadata: Mapping[str, Any] | None = None,
        buffers: list[bytes] | None = None,
        channel: str = "iopub",
    ) -> None:
        """Send a message to the page; nothing while the page has no visitor."""
        if self.line is None:
            return
        told = wire.Message(
            kind, content, channel, self.parent, metadata=metadata or {}, buffers=buffers or []
        )
        streams.send(self.line, wire.pack(told, self.session))

    def serve(self, line: socket.socket, order: Mapping[str, Any]) -> None:
        """Answer a visitor until the server closes the line."""
        self.line, self.session = line, uuid.uuid4().hex
        self.address = order["modules"]
        streams.send(line, str(os.getpid()).encode())
        while (frame := streams.receive(line)) is not None:
            try:
                message = wire.unpack(frame)
            except wire.RefusedError as refused:
                log.warning("refused by the page: %s", refused.kind)
                continue
            self.parent = message.header
            self._status("busy")
            try:
                self._answer(message)
            except wire.RefusedError as refused:
                log.warning("refused by the page: %s", refused.kind)
            except Exception:
                log.exception("A message could not be answered")
            self._status("idle")

    def _status(self, state: str) -> None:
        self.publish("status", {"execution_state": state})

    def _answer(self, message: wire.Message) -> None:
        wire.check(message)
        content = message.content
        match message.kind:
            case "kernel_info_request":
                self.publish("kernel_info_reply", INFO, channel="shell")
            case "comm_info_request":
                told = {c.comm_id: {"target_name": c.target_name} for c in self._open()}
                self.publish("comm_info_reply", {"status": "ok", "comms": told}, channel="shell")
            case "comm_open":
                self._open_control(message)
            case "comm_close" if content["comm_id"] in self.control:
                self.control.discard(content["comm_id"])
                self.comms.comms.pop(content["comm_id"], None)
            case "comm_msg":
                self._tell(message)

    def _open(self) -> list[BaseComm]:
        return [one for one in self.comms.comms.values() if one.target_name == "jupyter.widget"]

    def _open_control(self, message: wire.Message) -> None:
        name = message.content["comm_id"]
        if name in self.comms.comms:
            raise wire.RefusedError("comm_id")
        for former in self.control:  # a page that comes back leaves its former one behind
            self.comms.comms.pop(former, None)
        self.control = {name}
        opened = comm.create_comm(comm_id=name, target_name=wire.CONTROL, primary=False)
        self.comms.register_comm(opened)
        widgets.Widget.handle_control_comm_opened(opened, _as_dict(message))

    def _tell(self, message: wire.Message) -> None:
        known = self.comms.comms.get(message.content["comm_id"])
        if known is None:
            raise wire.RefusedError("comm_id")
        data = message.content["data"]
        widget = widgets._instances.get(known.comm_id)
        if widget is not None and data["method"] == "update":
            unknown = [name for name in data["state"] if name not in widget.keys]
            if unknown:
                raise wire.RefusedError("trait")
        known.handle_msg(_as_dict(message))

    def lighten(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the data of a message in which a module of many kilobytes is an address."""
        if not self.modules:
            return data
        if data.get("method") == "update_states":
            states = {
                name: {**told, "state": self._state(told["state"])}
                for name, told in data["states"].items()
            }
            return {**data, "states": states}
        if "state" in data:
            return {**data, "state": self._state(data["state"])}
        return data

    def _state(self, state: dict[str, Any]) -> dict[str, Any]:
        name = self.modules.get(state.get("_esm", ""))
        return {**state, "_esm": f"{self.address}{name}.js"} if name else state


def _as_dict(message: wire.Message) -> dict[str, Any]:
    return {
        "header": message.header, "parent_header": message.parent, "metadata": message.metadata,
        "content": message.content, "buffers": [], "msg_type": message.kind,
    }  # fmt: skip


def install() -> PageKernel:
    """Make all widgets of this process speak through one kernel of ours; return it."""
    kernel = PageKernel()

    class PageComm(BaseComm):
        """What joins a widget to its view in the page."""

        def __init__(self, *args: Any, comm_id: str | None = None, **kwargs: Any) -> None:
            keys = {**kwargs, "comm_id": comm_id or kernel.name()}
            super().__init__(*args, **keys)

        def publish_msg(
            self,
            msg_type: str,
            data: dict[str, Any] | None = None,
            metadata: dict[str, Any] | None = None,
            buffers: list[bytes] | None = None,
            **keys: Any,
        ) -> None:
            content = {"comm_id": self.comm_id, "data": kernel.lighten(data or {}), **keys}
            kernel.publish(msg_type, content, metadata, buffers)

    comm.create_comm = PageComm
    return kernel
