"""Frames over a local socket: eight bytes of length, then the frame."""

from __future__ import annotations

import json
import socket
from typing import Any

HEAD = 8


def send(line: socket.socket, frame: bytes) -> None:
    """Send one frame."""
    line.sendall(len(frame).to_bytes(HEAD, "big") + frame)


def receive(line: socket.socket) -> bytes | None:
    """Return the next frame; None once the other end is closed."""
    head = _exactly(line, HEAD)
    return None if head is None else _exactly(line, int.from_bytes(head, "big"))


def _exactly(line: socket.socket, size: int) -> bytes | None:
    whole = bytearray()
    while len(whole) < size:
        part = line.recv(min(size - len(whole), 1 << 20))
        if not part:
            return None
        whole += part
    return bytes(whole)


def send_order(line: socket.socket, order: dict[str, Any], other: socket.socket) -> None:
    """Send an order and a socket that comes with it."""
    text = json.dumps(order).encode()
    socket.send_fds(line, [len(text).to_bytes(HEAD, "big")], [other.fileno()])
    line.sendall(text)


def receive_order(line: socket.socket) -> tuple[dict[str, Any], socket.socket] | None:
    """Return the next order and its socket; None once the other end is closed."""
    head, files, _, _ = socket.recv_fds(line, HEAD, 1)
    if not head:
        return None
    text = _exactly(line, int.from_bytes(head, "big"))
    if text is None or not files:
        return None
    return json.loads(text), socket.socket(fileno=files[0])
