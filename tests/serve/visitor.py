"""A visitor without a browser: reads a page, joins its process, says what it likes."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

from helpers.serve import wire
from tests.serve.test_wire import frame, update

TICKET = re.compile(r'"kernelId": "([\w-]+)"')
CONTROL = {"comm_id": "control", "target_name": wire.CONTROL, "data": {}}


@dataclass
class Answer:
    """What an address answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def ask(
    url: str, path: str, method: str = "GET", headers: dict[str, str] | None = None, body: str = ""
) -> Answer:
    """Ask for a path exactly as given: no client of ours tidies it up."""
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    with contextlib.closing(line):
        line.putrequest(method, path, skip_accept_encoding=True)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            line.putheader(name, value)
        line.endheaders(body.encode())
        got = line.getresponse()
        return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())


@dataclass
class Visitor:
    """One page read: its cookie and its ticket."""

    url: str
    cookie: str = ""
    ticket: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def reads(cls, url: str, path: str = "/voila/render/essai.ipynb", **headers: str) -> Visitor:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = ask(url, path, headers=told)
        assert answer.status == 200, answer.text
        found = TICKET.search(answer.text)
        assert found
        return cls(url, answer.headers["set-cookie"].partition(";")[0], found[1], told)

    @contextlib.contextmanager
    def joins(self, **changed: Any) -> Iterator[Talk]:
        """Join the page's process."""
        parts = urlsplit(self.url)
        address = f"ws://{parts.netloc}/api/kernels/{self.ticket}/channels?session_id=s"
        told: dict[str, Any] = {
            "origin": self.url.rstrip("/"), "subprotocols": [wire.PROTOCOL], "max_size": None,
            "additional_headers": {"Cookie": self.cookie, **self.headers}, "open_timeout": 30,
        } | changed  # fmt: skip
        with connect(address, **told) as line:
            yield Talk(line)

    def leaves(self) -> int:
        """Say that the page is left, as it says it when closed; return the status answered."""
        path = f"/voila/api/shutdown/{self.ticket}"
        return ask(self.url, path, "POST", {"Cookie": self.cookie}).status


class Talk:
    """What is said over a socket."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line

    def say(self, kind: str, content: Any, channel: str = "shell") -> None:
        self.line.send(frame(kind, content, channel))

    def hear(self, kind: str, within: float = 120) -> dict[str, Any]:
        """Return the content of the next message of this kind."""
        until = time.monotonic() + within
        while True:
            told = self.line.recv(timeout=max(0.01, until - time.monotonic()))
            header, content = parts(told)
            if header["msg_type"] == kind:
                return content

    def states(self) -> dict[str, Any]:
        """Return all widgets' states: model id → state."""
        self.say("comm_open", CONTROL)
        self.say("comm_msg", {"comm_id": "control", "data": {"method": "request_states"}})
        while "states" not in (told := self.hear("comm_msg")["data"]):
            pass
        return {name: one["state"] for name, one in told["states"].items()}

    def choose(self, widget: str, state: dict[str, Any]) -> None:
        self.say("comm_msg", update(state) | {"comm_id": widget})

    def until_idle(self) -> None:
        while self.hear("status")["execution_state"] != "idle":
            pass


def parts(told: bytes | str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the content of a frame, of any size."""
    assert isinstance(told, bytes)
    count = int.from_bytes(told[:8], "little")
    at = [int.from_bytes(told[8 * i : 8 * i + 8], "little") for i in range(1, count + 1)]
    return json.loads(told[at[1] : at[2]]), json.loads(told[at[4] : at[5]])


def named(states: dict[str, Any], description: str) -> str:
    """Return the id of the control that bears this label."""
    return next(n for n, one in states.items() if one.get("description") == description)
