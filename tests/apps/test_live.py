"""A page that is no longer live says so; its controls are seen, told and reached by keyboard."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from tests.apps.test_templates import code, notebook
from tests.fixtures.browser import free_port, needs_chromium, open_page, serve, wait_ready

if TYPE_CHECKING:
    from playwright.sync_api import Page, WebSocketRoute

APP = """
import os

import ipywidgets as widgets
from IPython.display import display

from helpers.serve import arrivals

top = widgets.HTML(
    '<p class="app-simulated"><strong>Données simulées</strong></p>'
    '<div class="app-heading"><h1>Essai</h1></div>'
)
theme = widgets.Dropdown(options=["Vols", "Bruit", "Fatal"], description="Thème")
period = widgets.ToggleButtons(options=["Semaine", "Mois"], description="Période", tooltip="")
shown, stop = widgets.HTML("Vols : 12"), widgets.Button(description="Arrêter")

def show(change):
    if change.new == "Fatal":
        os._exit(1)
    shown.value = f"{change.new} : 12"

theme.observe(show, "value")
stop.on_click(lambda _: os._exit(1))
back = widgets.Button(description="Semaine par le programme")
back.on_click(lambda _: setattr(period, "value", "Semaine"))
page = widgets.VBox([top, theme, period, shown, stop, back])
page.add_class("essai")
display(page)
arrivals.on_arrival(lambda query: query and setattr(theme, "value", query.removeprefix("theme=")))
"""
CUT = "Cette page n'est plus reliée au serveur"
BACK = "Il a repris, avec vos choix."
UNDONE = "dernier choix, qui est annulé"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("live")
    nbformat.write(notebook(code(APP)), made / "essai.ipynb")
    return made


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serve(folder / "essai.ipynb") as url:
        yield url


SEEN = """(selector) => {
  let [opacity, grey] = [1, false];
  for (let e = document.querySelector(selector); e; e = e.parentElement) {
    const style = getComputedStyle(e);
    opacity *= Number(style.opacity);
    grey ||= style.filter !== "none";
  }
  return { opacity, grey };
}"""
FIGURES, SIMULATED = ".essai > .widget-html:not(:has(.app-simulated))", ".app-simulated"
SHOWN = (FIGURES, ".app-heading", ".essai select", ".essai button")


def seen(page: Page, selector: str) -> tuple[float, bool]:
    """Return how opaque an element comes to the screen, and whether it has lost its colours."""
    found = page.evaluate(SEEN, selector)
    return found["opacity"], found["grey"]


def assert_live(page: Page) -> None:
    """No word of a cut, figures in full, and a choice that is answered."""
    page.locator(".phare-cut").wait_for(state="detached")
    assert {seen(page, one) for one in (*SHOWN, SIMULATED)} == {(1, False)}
    for theme in ("Bruit", "Vols"):
        page.get_by_label("Thème").select_option(theme)
        page.get_by_text(f"{theme} : 12").wait_for()


def assert_lost(page: Page, words: str) -> None:
    page.get_by_role("alert").get_by_text(words).wait_for()
    # Greyed once, all alike; but that data are simulated is read as before.
    assert {seen(page, one) for one in SHOWN} == {(0.45, True)}
    assert seen(page, SIMULATED) == (1, False)
    assert page.get_by_role("button", name="Recharger la page").is_visible()


@needs_chromium
def test_a_process_that_dies_is_told_and_another_takes_the_choices_up(url: str) -> None:
    with open_page(url) as (page, log):
        wait_ready(page)
        assert_live(page)
        page.get_by_role("button", name="Mois").click()
        page.get_by_label("Thème").select_option("Bruit")
        page.get_by_text("Bruit : 12").wait_for()
        page.get_by_role("button", name="Arrêter").click()
        page.get_by_role("status").get_by_text(BACK).wait_for()
        page.locator(".phare-cut").wait_for(state="detached")
        # Neither the page nor the new process has lost the choice: only the other theme answers.
        assert page.get_by_label("Thème").input_value() == "Bruit"
        page.get_by_label("Thème").select_option("Vols")
        page.get_by_text("Vols : 12").wait_for()
        page.get_by_role("group", name="Période").get_by_role(
            "button", name="Mois", pressed=True
        ).wait_for()
        assert_live(page)
        assert log.blocked == []


@needs_chromium
def test_a_link_and_the_choices_made_since_outlive_their_process(url: str) -> None:
    with open_page(f"{url}voila/render/essai.ipynb?theme=Bruit") as (page, log):
        wait_ready(page)
        page.get_by_text("Bruit : 12").wait_for()
        page.get_by_role("button", name="Arrêter").click()
        page.get_by_role("status").get_by_text(BACK).wait_for()
        page.get_by_text("Bruit : 12").wait_for()
        assert page.get_by_label("Thème").input_value() == "Bruit"
        page.get_by_label("Thème").select_option("Vols")  # said since: the link yields to it
        page.get_by_text("Vols : 12").wait_for()
        page.get_by_role("status").wait_for(state="detached")
        page.get_by_role("button", name="Arrêter").click()
        page.get_by_role("status").get_by_text(BACK).wait_for()
        page.get_by_role("button", name="Mois").click()
        page.get_by_role("group", name="Période").get_by_role(
            "button", name="Mois", pressed=True
        ).wait_for()
        assert page.get_by_label("Thème").input_value() == "Vols"
        page.get_by_text("Vols : 12").wait_for()
        assert log.blocked == []


@needs_chromium
def test_a_choice_that_ends_the_process_is_undone_and_the_others_kept(url: str) -> None:
    with open_page(url) as (page, log):
        wait_ready(page)
        assert_live(page)
        page.get_by_role("button", name="Mois").click()
        page.get_by_label("Thème").select_option("Bruit")
        page.get_by_text("Bruit : 12").wait_for()
        page.get_by_label("Thème").select_option("Fatal")
        page.get_by_role("status").get_by_text(UNDONE).wait_for()
        wait_ready(page)
        page.get_by_role("group", name="Période").get_by_role(
            "button", name="Mois", pressed=True
        ).wait_for()
        page.get_by_text("Bruit : 12").wait_for()
        assert page.get_by_label("Thème").input_value() == "Bruit"
        assert_live(page)
        assert log.blocked == []


@needs_chromium
def test_a_server_that_comes_back_finds_the_choices_again(folder: Path) -> None:
    """Stopped and started in use, on the same address: a sentence, then the page as it was."""
    port = free_port()
    with contextlib.ExitStack() as server:
        url = server.enter_context(serve(folder / "essai.ipynb", port=port))
        with open_page(url) as (page, log):
            wait_ready(page)
            assert_live(page)
            page.get_by_label("Thème").select_option("Bruit")
            page.get_by_text("Bruit : 12").wait_for()
            server.close()
            assert_lost(page, CUT)
            with serve(folder / "essai.ipynb", port=port):
                page.get_by_role("status").get_by_text(BACK).wait_for(timeout=60_000)
                wait_ready(page)
                page.get_by_text("Bruit : 12").wait_for()
                assert page.get_by_label("Thème").input_value() == "Bruit"
                assert_live(page)
            assert log.blocked == []


@needs_chromium
def test_a_stopped_server_is_told(folder: Path) -> None:
    with contextlib.ExitStack() as server:
        url = server.enter_context(serve(folder / "essai.ipynb"))
        with open_page(url) as (page, log):
            wait_ready(page)
            assert_live(page)
            server.close()
            assert_lost(page, "rechargez-la")
            page.evaluate(f"document.querySelector('{SIMULATED}').remove()")
            assert {seen(page, one) for one in (*SHOWN, "main")} == {(0.45, True)}
            assert log.blocked == []


@needs_chromium
def test_a_closed_socket_is_told_until_it_opens_again(url: str) -> None:
    routes: list[WebSocketRoute] = []
    refused = False

    def connect(route: WebSocketRoute) -> None:
        if refused:
            route.close(code=1011)
            return
        routes.append(route)
        route.connect_to_server()

    with open_page("about:blank") as (page, _):
        page.route_web_socket(re.compile("/channels"), connect)
        page.goto(url)
        wait_ready(page)
        assert_live(page)
        refused = True
        routes[-1].close(code=1011)
        assert_lost(page, CUT)
        refused = False
        assert_live(page)


@needs_chromium
def test_a_network_that_goes_is_told_until_it_is_back(url: str) -> None:
    """The socket looks open all along: only asking the server tells."""
    with open_page(url) as (page, _):
        wait_ready(page)
        assert_live(page)
        page.context.set_offline(True)
        assert_lost(page, CUT)
        page.context.set_offline(False)
        assert_live(page)


LUMINANCE = """([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}"""
FOCUSED = f"""() => {{
  const luminance = {LUMINANCE};
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const element = document.activeElement;
  const style = getComputedStyle(element);
  let ground = element.parentElement;
  while (ground && numbers(getComputedStyle(ground).backgroundColor)[3] === 0) {{
    ground = ground.parentElement;
  }}
  const behind = numbers(getComputedStyle(ground || document.body).backgroundColor);
  const both = [numbers(style.outlineColor), behind].map((c) => luminance(c.slice(0, 3)));
  both.sort((a, b) => b - a);
  const edge = element.getBoundingClientRect();
  const room = parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth);
  let cut = edge.left - room < 0;
  for (let box = element.parentElement; box !== document.body; box = box.parentElement) {{
    const inner = box.getBoundingClientRect();
    cut ||= getComputedStyle(box).overflowX !== "visible" && edge.left - room < inner.left;
  }}
  return {{
    tag: element.tagName, text: element.textContent, style: style.outlineStyle,
    width: parseFloat(style.outlineWidth), contrast: (both[0] + 0.05) / (both[1] + 0.05), cut,
  }};
}}"""


@needs_chromium
def test_every_control_is_reached_by_keyboard_and_its_focus_is_seen(url: str) -> None:
    """WCAG 2.4.7 and 1.4.11: an outline, 2 px at least, contrast 3:1 at least, not cut off."""
    with open_page(url) as (page, log):
        wait_ready(page)
        page.get_by_label("Thème").wait_for()
        found = []
        for _ in range(6):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUSED)
            found.append((focus["tag"], focus["text"]))
            assert focus["style"] == "solid", focus
            assert focus["width"] >= 2, focus
            assert focus["contrast"] >= 3, focus
            assert not focus["cut"], focus
        assert found == [
            ("A", "Aller au contenu"),
            ("SELECT", "VolsBruitFatal"),
            ("BUTTON", "Semaine"),
            ("BUTTON", "Mois"),
            ("BUTTON", "Arrêter"),
            ("BUTTON", "Semaine par le programme"),
        ]
        log.assert_clean()


@needs_chromium
def test_the_pressed_button_is_told(url: str) -> None:
    with open_page(url) as (page, log):
        wait_ready(page)
        group = page.get_by_role("group", name="Période")
        week = group.get_by_role("button", name="Semaine", exact=True)
        month = group.get_by_role("button", name="Mois")

        def pressed() -> tuple[str | None, str | None]:
            return week.get_attribute("aria-pressed"), month.get_attribute("aria-pressed")

        group.get_by_role("button", name="Semaine", exact=True, pressed=True).wait_for()
        assert pressed() == ("true", "false")
        month.focus()
        page.keyboard.press("Space")
        group.get_by_role("button", name="Mois", pressed=True).wait_for()
        assert pressed() == ("false", "true")
        # Not the reader's doing: the kernel's.
        page.get_by_role("button", name="Semaine par le programme").click()
        group.get_by_role("button", name="Semaine", exact=True, pressed=True).wait_for()
        assert pressed() == ("true", "false")
        log.assert_clean()
