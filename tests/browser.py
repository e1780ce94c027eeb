"""What the tests of the apps share: a real Voilà server, and a real browser that notes everything.

    with serve(notebook) as url, open_page(url) as (page, log):
        ...
    log.assert_clean()

Anything the page asks of another machine is refused and noted, so that a test can tell a page
that needs the internet from one that does not.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request, Response, Route

ROOT = Path(__file__).resolve().parents[1]
VOILA = ROOT / "templates" / "voila"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
START_SECONDS = 60.0
READY_MILLISECONDS = 60_000
PHONE = (390, 844)
DESKTOP = (1280, 900)

needs_chromium = pytest.mark.skipif(
    not Path(CHROMIUM).exists(),
    reason=f"NO BROWSER: {CHROMIUM} is absent, the apps are not tested (Debian package chromium)",
)


@dataclass
class PageLog:
    """What went wrong while a page was open; every list stays empty on a healthy page."""

    blocked: list[str] = field(default_factory=list)
    """Addresses outside this machine that the page asked for (refused)."""
    failed: list[str] = field(default_factory=list)
    """Requests to the server that failed or were answered with a status of 400 or more."""
    errors: list[str] = field(default_factory=list)
    """Console messages of level error and uncaught exceptions."""

    def assert_clean(self) -> None:
        """Fail with everything that was noted, unless nothing was."""
        assert (self.blocked, self.failed, self.errors) == ([], [], [])


@contextlib.contextmanager
def serve(target: Path, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve a notebook or a folder as in production, on a free loopback port; yield its URL.

    `env` is added to the environment of the server, hence of the kernels. What the server says is
    shown when it does not start.
    """
    with tempfile.TemporaryDirectory() as room, (Path(room) / "voila.log").open("w+b") as said:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "voila", str(target)]
        process = subprocess.Popen(
            [*command, f"--port={port}", "--Voila.port_retries=0"],
            cwd=room,  # Voilà reads voila.py from its working directory too
            env={
                **os.environ,
                "JUPYTER_CONFIG_DIR": room,
                "JUPYTER_PATH": str(VOILA),
                "JUPYTER_CONFIG_PATH": str(VOILA),
                **(env or {}),
            },
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(process, f"http://127.0.0.1:{port}/voila/static/voila.js", Path(said.name))
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(process: subprocess.Popen[bytes], url: str, said: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    raise RuntimeError(f"Voilà did not start:\n{said.read_text(errors='replace')}")


@contextlib.contextmanager
def open_page(url: str, size: tuple[int, int] = DESKTOP) -> Iterator[tuple[Page, PageLog]]:
    """Open `url` in Chromium (width, height in CSS px); yield the page and what went wrong.

    A browser a call: a synchronous Playwright that lives on keeps an event loop running, and
    whatever executes notebooks in the same process then fails.
    """
    from playwright.sync_api import sync_playwright

    log = PageLog()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        _listen(page, log)
        page.goto(url, timeout=READY_MILLISECONDS)
        yield page, log
        browser.close()


def wait_ready(page: Page) -> None:
    """Wait until an app has replaced its loading screen with its content."""
    page.wait_for_selector("#loading", state="detached", timeout=READY_MILLISECONDS)
    page.wait_for_selector("main", state="visible", timeout=READY_MILLISECONDS)


def _listen(page: Page, log: PageLog) -> None:
    def on_route(route: Route) -> None:
        if _is_local(route.request.url):
            route.continue_()
        else:
            log.blocked.append(route.request.url)
            route.abort()

    def on_failed(request: Request) -> None:
        if _is_local(request.url):
            log.failed.append(f"{request.failure} {request.url}")

    def note(into: list[str], text: str, wrong: bool) -> None:
        if wrong:
            into.append(text)

    def on_response(response: Response) -> None:
        note(log.failed, f"{response.status} {response.url}", response.status >= 400)

    def on_console(message: ConsoleMessage) -> None:
        note(log.errors, message.text, message.type == "error")

    page.route("**/*", on_route)
    page.on("websocket", lambda socket: note(log.blocked, socket.url, not _is_local(socket.url)))
    page.on("requestfailed", on_failed)
    page.on("response", on_response)
    page.on("console", on_console)
    page.on("pageerror", lambda error: log.errors.append(str(error)))


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob", "about") or parts.hostname in LOOPBACK
