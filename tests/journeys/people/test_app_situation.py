"""The decision-maker's chair: the app « Situation » in a real browser, cut off from the world."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from tests.fixtures.browser import PHONE, needs_chromium, open_page, serve
from tests.journeys.place import CITY, Place

if TYPE_CHECKING:
    from playwright.sync_api import Page

AREAS = ("map", "trend", "rhythm")


def drawing(page: Page, area: str) -> str:
    """Return what a panel draws, as text."""
    chart = page.locator(f".app-{area} svg, .app-{area} canvas").first
    chart.wait_for(state="visible")
    if chart.evaluate("e => e.tagName.toLowerCase()") == "canvas":
        return str(chart.evaluate("e => e.toDataURL()"))
    return str(chart.evaluate("e => e.outerHTML"))


def changes(page: Page, area: str, before: str) -> bool:
    """Return whether a panel comes to draw something else within ten seconds."""
    for _ in range(50):
        if drawing(page, area) != before:
            return True
        page.wait_for_timeout(200)
    return False


@needs_chromium
def test_app_shows_and_follows_its_controls(built: Place) -> None:
    env = {"PHARE_CITY": CITY, "PYTHONPATH": str(built.root / "src")}
    with (
        serve(built.root / "notebooks/apps/situation.ipynb", env) as url,
        open_page(url) as (page, log),
    ):
        page.get_by_text("Données simulées").wait_for()
        assert page.locator("html").get_attribute("lang") == "fr"
        before = {area: drawing(page, area) for area in AREAS}
        words = page.locator(".app-words").inner_text()
        page.get_by_role("button", name="12 derniers mois").click()
        assert {a: changes(page, a, before[a]) for a in AREAS} == dict.fromkeys(AREAS, True)
        assert page.locator(".app-words").inner_text() != words
        before = {area: drawing(page, area) for area in AREAS}
        page.get_by_label("Thème").select_option(index=1)
        assert {a: changes(page, a, before[a]) for a in AREAS} == dict.fromkeys(AREAS, True)
        before_map = drawing(page, "map")
        page.get_by_label("Découpage").select_option(label="Arrondissements")
        assert changes(page, "map", before_map)
        page.get_by_text("Aujourd'hui : événements, rues et lieux fermés").click()
        page.get_by_text("Vigilance météo").wait_for()
        assert page.get_by_text("EXERCICE, rien ne s'est passé").count() == 0
        page.get_by_text("Les indicateurs suivis : direction").click()
        assert 1 <= page.locator(".app-folded[open] li").count() <= 40
        page.get_by_label("Rôle").select_option(label="analyste")
        page.get_by_text("Les indicateurs suivis : analyste").wait_for()
        page.get_by_text("Sentiment de tranquillité :").click()
        page.get_by_text("n'ont pas répondu").wait_for()
        page.get_by_label("Exercice").select_option(label="Mouvement de foule")
        page.get_by_text("EXERCICE, rien ne s'est passé").wait_for()
        assert page.get_by_role("heading", name="Répondre par degrés").is_visible()
        link = page.locator(".app-map .app-evidence a").get_attribute("href")
        assert link is not None
        evidence = json.loads(base64.b64decode(link.partition(",")[2]))
        published = built.data / "figures/situation/situation_map.evidence.json"
        assert evidence["passport"] == json.loads(published.read_text())["passport"]
        assert evidence["app"]["choice"]["découpage"] == "arrondissements"
        assert "make figure NAME=situation_map" in page.locator(".app-map").inner_text()
    log.assert_clean()


@needs_chromium
def test_app_fits_a_phone(built: Place) -> None:
    env = {"PHARE_CITY": CITY, "PYTHONPATH": str(built.root / "src")}
    with (
        serve(built.root / "notebooks/apps/situation.ipynb", env) as url,
        open_page(url, PHONE) as (page, log),
    ):
        drawing(page, "map")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    log.assert_clean()
