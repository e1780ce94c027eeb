"""Real servers for the tests: PostgreSQL, an MQTT broker, and HTTP servers that misbehave.

Each lives in a temporary folder, on a free port of this machine, and goes with its test. Where
the program is missing the tests that need it are skipped, and say so.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

PATIENCE_S = 30


def program(name: str, package: str) -> str:
    """Return the path of a server's program; skip, and say why, where it is missing."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    place = found or str(next(iter(sorted(versions, reverse=True)), ""))
    if not place:
        pytest.skip(f"NO {package.upper()}: {name} is absent, nothing is checked against a server")
    return place


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_for(ready: Callable[[], bool], what: str) -> None:
    """Return as soon as `ready`; fail after PATIENCE_S."""
    for _ in range(PATIENCE_S * 20):
        if ready():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: not ready after {PATIENCE_S} s")


def listens(port: int) -> bool:
    """Tell whether somebody listens on the port."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _unprivileged() -> Mapping[str, int]:
    """Return who runs PostgreSQL: it refuses to be root."""
    if os.getuid() != 0:
        return {}
    names = {one.pw_name for one in pwd.getpwall()}
    who = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": who.pw_uid, "group": who.pw_gid}


@contextmanager
def postgres(folder: Path, password: str) -> Iterator[int]:
    """Run PostgreSQL with data in `folder`, user `phare`; yield its port on 127.0.0.1.

    The parent of `folder` is a folder of the moment, directly where those are made: another user
    must be able to get there.
    """
    who = _unprivileged()
    folder.mkdir(parents=True)
    secret = folder.with_name("motdepasse")
    secret.write_text(password, encoding="utf-8")
    if who:
        os.chown(folder, who["user"], who["group"])
        os.chown(secret, who["user"], who["group"])
        folder.parent.chmod(0o711)  # who runs the server goes through it
    subprocess.run(
        [program("initdb", "postgresql"), "-D", str(folder / "data"), "-U", "phare", "-A",
         "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
        check=True, capture_output=True, cwd="/", extra_groups=[] if who else None, **who,
    )  # fmt: skip
    port = free_port()
    server = subprocess.Popen(
        [program("postgres", "postgresql"), "-D", str(folder / "data"), "-p", str(port), "-h",
         "127.0.0.1", "-k", str(folder), "-c", "fsync=off", "-c", "log_statement=all"],
        stdout=subprocess.DEVNULL, stderr=(folder / "log").open("wb"), cwd="/",
        extra_groups=[] if who else None, **who,
    )  # fmt: skip
    ready = [program("pg_isready", "postgresql"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    try:
        wait_for(lambda: subprocess.run(ready).returncode == 0, "postgresql")
        yield port
    finally:
        server.send_signal(2)  # "fast": no waiting for those who are connected
        server.wait(PATIENCE_S)


@contextmanager
def mosquitto(folder: Path, port: int, password: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Run an MQTT broker that keeps its sessions in `folder`; yield its process."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = program("mosquitto", "mosquitto")
    lines = [f"listener {port} 127.0.0.1", "persistence true", f"persistence_location {folder}/",
             "autosave_interval 1", "max_queued_messages 100000"]  # fmt: skip
    if os.getuid() == 0:
        lines.append("user root")
    if password:
        users = folder / "users"
        subprocess.run(
            [program("mosquitto_passwd", "mosquitto"), "-c", "-b", str(users), "phare", password],
            check=True, capture_output=True,
        )  # fmt: skip
        lines += ["allow_anonymous false", f"password_file {users}"]
    else:
        lines.append("allow_anonymous true")
    (folder / "conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    process = subprocess.Popen(
        [broker, "-c", str(folder / "conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: listens(port), "mosquitto")
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@dataclass
class Reply:
    """What an HTTP server says; with `cut`, it hangs up after so many bytes of the body."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass
class Asked:
    """What a client asked."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Site:
    """An HTTP server: its address, and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def http(answer: Callable[[Asked], Reply]) -> Iterator[Site]:
    """Run an HTTP server that answers as told; yield it."""
    site = Site("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(parts.path, dict(parse_qsl(parts.query)), headers)
            site.asked.append(asked)
            reply = answer(asked)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: reply.cut])
            if reply.cut is not None:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
