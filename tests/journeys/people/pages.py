"""What a reader does on a page, and what they read there, for the tests of every page."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fixtures.browser import wait_ready
from tests.journeys.place import CITY, Place

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SCREEN, SMALL = (1280, 800), (375, 812)


def settle(page: Page) -> None:
    """Wait until the page has answered, charts included; the list of pages needs no wait."""
    if "/render/" not in page.url:
        return
    wait_ready(page)
    page.locator("main .app-words").wait_for()
    page.wait_for_function(
        "[...document.querySelectorAll('.app-panel')].every((e) => e.querySelector('svg, canvas'))"
    )


def bottom(page: Page, selector: str) -> float:
    """Return where an element ends, in pixels from the top of the page."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None, selector
    assert box["height"] > 0, selector
    return box["y"] + box["height"]


def plain(text: str) -> str:
    """Return a text without the thin spaces of numbers, other spaces made plain."""
    return text.replace("\u202f", "").replace("\u00a0", " ")


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option by its label."""
    page.get_by_label(label, exact=True).select_option(label=option)


def taken(page: Page, control: Locator) -> tuple[str, bytes]:
    """Return name and bytes of what a control lets the reader keep."""
    with page.expect_download() as found:
        control.click()
    return found.value.suggested_filename, Path(found.value.path()).read_bytes()


def rows_of(text: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV that a page let the reader keep."""
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig")), delimiter=";"))


def entered(built: Place) -> list[tuple[Any, ...]]:
    """Return what the register's file holds."""
    file = built.root / f"data/.registers/{CITY}.sqlite"
    with sqlite3.connect(file) as base:
        return base.execute(
            "SELECT seq, role, kind, subject, payload, supersedes FROM entries ORDER BY seq"
        ).fetchall()


class Clicks:
    """A reader who starts at the list of pages and counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.n = page, 0

    def on(self, what: Locator) -> None:
        what.click()
        self.n += 1
        settle(self.page)

    def today(self) -> None:
        self.on(self.page.get_by_role("link", name=re.compile("^Aujourd'hui Que se passe")))

    def take(self, control: str, label: str) -> None:
        self.page.get_by_label(control, exact=True).select_option(label=label)
        self.n += 1
