"""Two servers behind a real nginx, with our file: identity, groups, each page finds its process.

What oauth2-proxy answers to nginx is played here by its protocol: 202 with who, or 401.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from websockets.exceptions import InvalidStatus

from tests.apps.test_templates import code, notebook
from tests.fixtures.browser import ROOT, START_SECONDS, VOILA, free_port
from tests.serve.test_house import APP
from tests.serve.visitor import Visitor, ask, named

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
needs_nginx = pytest.mark.skipif(
    not Path(NGINX).exists(),
    reason=f"NO PROXY: {NGINX} is absent, the proxy's file is not tested (Debian package nginx)",
)
PEOPLE = {"alice": "direction", "bob": "partenaire-a", "eve": ""}


class Identity(http.server.BaseHTTPRequestHandler):
    """Who holds the cookie `_oauth2_proxy=name` is that person."""

    def do_GET(self) -> None:
        held = self.headers.get("Cookie", "")
        who = next((name for name in PEOPLE if f"_oauth2_proxy={name}" in held), None)
        self.send_response(202 if who and self.path == "/oauth2/auth" else 401)
        if who:
            self.send_header("X-Auth-Request-User", who)
            self.send_header("X-Auth-Request-Groups", PEOPLE[who])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def configured(folder: Path, port: int, identity: int) -> Path:
    """Return our file, on loopback without TLS, its paths in `folder`."""
    text = (ROOT / "templates/serve/nginx.conf").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if "ssl_certificate" not in line]
    site = "\n".join(kept).replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    for found, mine in {
        "/run/phare-": f"{folder}/phare-", "/var/log/nginx/": f"{folder}/",
        "127.0.0.1:4180": f"127.0.0.1:{identity}", "phare.exemple.fr": "localhost",
    }.items():  # fmt: skip
        assert found in site
        site = site.replace(found, mine)
    temp = "".join(
        f"{one}_temp_path {folder}/{one};"
        for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = folder / "nginx.conf"
    # Started by root, its workers would be nobody, to whom pytest's folder is closed.
    same = "user root;" if os.getuid() == 0 else ""
    path.write_text(
        f"{same} daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;"
        f"events {{}} http {{ {temp} {site} }}\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """The address of nginx, two servers behind it."""
    nbformat.write(notebook(code(APP)), folder / "essai.ipynb")
    port = free_port()
    identity = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Identity)
    threading.Thread(target=identity.serve_forever, daemon=True).start()
    with contextlib.ExitStack() as running:
        for number in "12":
            place(folder, number).parent.mkdir()
            running.enter_context(server(folder, number))
        path = configured(folder, port, identity.server_address[1])
        running.enter_context(started([NGINX, "-p", str(folder), "-c", str(path)], {}, folder))
        for number in "12":
            wait_ready(place(folder, number))
        yield f"http://localhost:{port}/"
    identity.shutdown()


def place(folder: Path, number: str) -> Path:
    """Return the socket of one of the servers."""
    return folder / f"phare-direction-{number}" / "pages.sock"


@contextlib.contextmanager
def started(command: list[str], env: dict[str, str], folder: Path) -> Iterator[None]:
    with (folder / "said.log").open("ab") as said:
        process = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=said, stderr=said, cwd=folder
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def server(folder: Path, number: str) -> contextlib.AbstractContextManager[None]:
    command = [
        sys.executable, "-m", "helpers.serve.house", str(folder / "essai.ipynb"), "--no-browser",
        f"--House.socket_path={place(folder, number)}", f"--House.process={number}",
    ]  # fmt: skip
    env = {
        "JUPYTER_PATH": str(VOILA), "JUPYTER_CONFIG_PATH": str(VOILA),
        "JUPYTER_CONFIG_DIR": str(folder), "PHARE_HOSTS": "localhost",
        "PHARE_USER_HEADER": "X-Forwarded-User", "PHARE_GROUPS": "direction",
    }  # fmt: skip
    return started(command, env, folder)


def wait_ready(path: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as line:
            line.connect(str(path))
            line.sendall(b"GET /phare/health HTTP/1.0\r\nHost: localhost\r\n\r\n")
            told = line.makefile("rb").read().partition(b"\r\n\r\n")[2]
            if json.loads(told)["ready"]:
                return
        time.sleep(0.2)
    raise RuntimeError((path.parents[1] / "said.log").read_text(errors="replace"))


def reads(url: str, who: str, **more: str) -> Visitor:
    """Return a visitor who has signed in."""
    visitor = Visitor.reads(url, "/voila/render/essai.ipynb", Cookie=f"_oauth2_proxy={who}", **more)
    visitor.headers = {}
    visitor.cookie = f"_oauth2_proxy={who}; {visitor.cookie}"
    return visitor


@needs_nginx
def test_each_page_finds_the_process_that_gave_its_ticket(url: str) -> None:
    visitors = [reads(url, "alice") for _ in range(6)]
    assert {visitor.ticket[0] for visitor in visitors} == {"1", "2"}
    for visitor in visitors[:4]:
        with visitor.joins() as talk:
            states = talk.states()
            talk.choose(named(states, "Thème"), {"index": 1})
            talk.until_idle()
            assert talk.states()[named(states, "Thème")]["index"] == 1


@needs_nginx
def test_who_has_not_signed_in_reads_nothing(url: str) -> None:
    for path in ("/", "/voila/render/essai.ipynb", "/voila/static/voila.js", "/phare/health"):
        assert ask(url, path).status in (401, 404), path
        forged = {"X-Forwarded-User": "alice", "X-Forwarded-Groups": "direction"}
        assert ask(url, path, headers=forged).status in (401, 404), path


@needs_nginx
@pytest.mark.parametrize("who", ["bob", "eve"])
def test_another_group_reads_nothing_whatever_it_says_of_itself(url: str, who: str) -> None:
    for forged in ({}, {"X-Forwarded-Groups": "direction", "X-Forwarded-User": "alice"}):
        told = {"Cookie": f"_oauth2_proxy={who}", **forged}
        answer = ask(url, "/voila/render/essai.ipynb", headers=told)
        assert answer.status == 403
        assert "Essai" not in answer.text


@needs_nginx
def test_nobody_joins_the_process_of_somebody_else(url: str) -> None:
    hers = reads(url, "alice")
    for who in ("bob", "eve", ""):
        stolen = Visitor(url, hers.cookie.replace("=alice", f"={who}"), hers.ticket)
        with pytest.raises(InvalidStatus) as refusal, stolen.joins():
            pass
        assert refusal.value.response.status_code in (401, 403, 404)


@needs_nginx
def test_neither_log_says_who(url: str, folder: Path) -> None:
    reads(url, "alice")
    said = "".join((folder / one).read_text() for one in ("phare.log", "said.log"))
    assert " GET page 200 " in said
    for trace in ("alice", "bob", "127.0.0.1", "user-agent", "_oauth2"):
        assert trace not in said.lower(), trace
