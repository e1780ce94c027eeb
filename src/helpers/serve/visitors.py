"""Who is there: a ticket a page read, a process a page joined, a ceiling, an end.

Reading a page costs a ticket: a few bytes, for a robot as for anyone. A process is forked when the
page's own script joins it (its websocket), and ends when that script has been gone for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from helpers.serve import streams, wire

log = logging.getLogger("phare.visitors")
DEATHS = 3  # processes that a page may lose before it is told that it has lost its own
TICKETS = 20_000
IDLE = 0.001  # of its time: a process that waits for its turn is given more
SMALL = 4096  # bytes: no status is longer


class Listener(Protocol):
    """A page's socket."""

    async def hear(self, frame: bytes) -> None:
        """Send a frame to the page."""

    def end(self, code: int) -> None:
        """Close the socket."""


@dataclass
class Ticket:
    """The right to join a process of one page, of whoever read that page."""

    page: str
    query: str
    owner: str
    made: float = field(default_factory=time.monotonic)
    deaths: int = 0


@dataclass
class Visitor:
    """A page's process."""

    ticket: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pid: int
    page: Listener | None = None
    left: float | None = None  # when its page went, or
    waiting: int = 0  # messages that it has not answered, the first since
    since: float = 0.0
    spent: float = 0.0  # its processor time then, s
    ended: bool = False


class FullError(Exception):
    """All places are taken."""


class Desk:
    """All visitors of this server."""

    def __init__(self, process: str, places: int, linger: float, patience: float) -> None:
        self.process, self.places = process, places
        self.linger, self.patience = linger, patience
        self.tickets: OrderedDict[str, Ticket] = OrderedDict()
        self.visitors: dict[str, Visitor] = {}
        self._opening = 0
        self._pumps: set[asyncio.Task[None]] = set()

    @property
    def full(self) -> bool:
        """Whether no page can be joined now."""
        return len(self.visitors) + self._opening >= self.places

    def admit(self, page: str, query: str, owner: str) -> str:
        """Return a new ticket; its name is secret, and says which process of the server gave it."""
        text = secrets.token_hex(16)
        name = f"{self.process}-{text[:4]}-{text[4:8]}-{text[8:12]}-{text[12:]}"
        self.tickets[name] = Ticket(page, query, owner)
        while len(self.tickets) > TICKETS:
            oldest = next((n for n in self.tickets if n not in self.visitors), None)
            if oldest is None:
                break
            del self.tickets[oldest]
        return name

    def known(self, name: str, owner: str) -> Ticket | None:
        """Return the ticket of that name where it is this owner's."""
        ticket = self.tickets.get(name)
        if ticket is None or not secrets.compare_digest(ticket.owner, owner):
            return None
        return ticket

    async def join(
        self, name: str, page: Listener, fork: Callable[[Ticket, socket.socket], None]
    ) -> Visitor:
        """Join a page to its process, forked where there is none; FullError where none can be."""
        visitor = self.visitors.get(name)
        if visitor is None:
            visitor = await self._open(name, fork)
        if visitor.page is not None:
            visitor.page.end(1008)
        visitor.page, visitor.left = page, None
        return visitor

    async def _open(self, name: str, fork: Callable[[Ticket, socket.socket], None]) -> Visitor:
        if self.full:
            raise FullError
        self._opening += 1
        try:
            mine, other = socket.socketpair()
            with other:
                fork(self.tickets[name], other)
            reader, writer = await asyncio.open_unix_connection(sock=mine)
            told = await asyncio.wait_for(_frame(reader), self.patience)
        finally:
            self._opening -= 1
        if told is None:
            raise FullError  # it could not be forked: no memory, most likely
        visitor = Visitor(name, reader, writer, int(told))
        self.visitors[name] = visitor
        pump = asyncio.create_task(self._pump(visitor))
        self._pumps.add(pump)
        pump.add_done_callback(self._pumps.discard)
        return visitor

    async def tell(self, visitor: Visitor, frame: bytes) -> None:
        """Send a page's frame to its process."""
        if not visitor.waiting:
            visitor.since, visitor.spent = time.monotonic(), _processor(visitor.pid)
        visitor.waiting += 1
        with contextlib.suppress(OSError):  # it ended: the pump says so
            visitor.writer.write(len(frame).to_bytes(streams.HEAD, "big") + frame)
            await visitor.writer.drain()

    async def _pump(self, visitor: Visitor) -> None:
        """Send what a process says to its page, until the process ends."""
        with contextlib.suppress(OSError):
            while (frame := await _frame(visitor.reader)) is not None:
                if len(frame) < SMALL and b'"idle"' in frame:
                    visitor.waiting = max(0, visitor.waiting - 1)
                    visitor.since, visitor.spent = time.monotonic(), _processor(visitor.pid)
                if visitor.page is not None:
                    await visitor.page.hear(frame)
        visitor.writer.close()
        self.visitors.pop(visitor.ticket, None)
        if visitor.ended:
            return
        log.error("a visitor's process ended by itself")
        ticket = self.tickets.get(visitor.ticket)
        if ticket:
            ticket.deaths += 1
            if ticket.deaths > DEATHS:
                del self.tickets[visitor.ticket]
        if visitor.page is not None:
            visitor.page.end(1012)  # it joins another by itself, and tells it its choice

    def leave(self, visitor: Visitor, page: Listener) -> None:
        """Note that a page went."""
        if visitor.page is page:
            visitor.page, visitor.left = None, time.monotonic()

    def end(self, visitor: Visitor) -> None:
        """End a process: it reads the end of its line."""
        visitor.ended = True
        self.visitors.pop(visitor.ticket, None)
        visitor.writer.close()

    def sweep(self) -> None:
        """End the processes whose page is gone, and those that answer nothing any more."""
        now = time.monotonic()
        for visitor in list(self.visitors.values()):
            if visitor.left is not None and now - visitor.left > self.linger:
                self.end(visitor)
            elif visitor.waiting and now - visitor.since > self.patience and self._hangs(visitor):
                log.error("a visitor's process answered nothing for %d s", self.patience)
                visitor.waiting = 0
                with contextlib.suppress(ProcessLookupError):
                    os.kill(visitor.pid, signal.SIGKILL)

    def _hangs(self, visitor: Visitor) -> bool:
        """Return whether a late process is lost: it runs without end, or does nothing at all.

        Late because the machine is full is neither: it goes on, at the pace that it is given.
        """
        spent = _processor(visitor.pid) - visitor.spent
        return spent > self.patience or spent < IDLE * self.patience

    def close(self) -> None:
        """End all processes."""
        for visitor in list(self.visitors.values()):
            self.end(visitor)


async def _frame(reader: asyncio.StreamReader) -> bytes | None:
    try:
        head = await reader.readexactly(streams.HEAD)
        return await reader.readexactly(int.from_bytes(head, "big"))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _processor(pid: int) -> float:
    """Return the processor time that a process has used, s; 0 where it is no more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def starting(session: str) -> bytes:
    """Return the frame that tells a page that its process is new."""
    return wire.pack(wire.status("starting", {}), session)
