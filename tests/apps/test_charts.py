"""A chart whose module comes late follows the choices, or says that it does not."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import nbformat
import pytest

from tests.apps.test_templates import code, notebook
from tests.fixtures.browser import needs_chromium, open_page, serve, wait_ready

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

APP = """
import altair as alt
import ipywidgets as widgets
from IPython.display import display

from helpers.apps import keep
from helpers.apps.parts import Panel

FACTS = {"Vols": [3, 9, 4], "Bruit": [8, 1, 6]}
panel = Panel("trend")

def put(theme):
    rows = [{"zone": zone, "faits": n} for zone, n in zip("ABC", FACTS[theme], strict=True)]
    bars = alt.Chart(alt.Data(values=rows)).mark_bar().encode(x="faits:Q", y="zone:N")
    offered = keep.line(f"essai-{theme}", ("zone", "faits"), [], "Preuve")
    spec = bars.properties(width="container").to_dict()
    for widget, trait, value in panel.put("Depuis quand ?", f"{theme} : la semaine", spec, offered):
        setattr(widget, trait, value)

head = widgets.HTML('<div class="app-heading" data-query="theme=Vols"><h1>Essai</h1></div>')
theme = widgets.Dropdown(options=list(FACTS), description="Thème")
theme.observe(lambda change: put(change.new), "value")
put("Vols")
display(widgets.VBox([head, theme, panel.widget]))
"""
LATE_S = 2.5  # anywidget gives up after 2
MODULE = re.compile(r"/phare/module/\w+\.js")
DRAWN = ".vega-embed[role=graphics-document], .app-panel [role=graphics-document]"
WORDS = "Cette figure répond à un autre choix"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("charts")
    nbformat.write(notebook(code(APP)), folder / "essai.ipynb")
    with serve(folder / "essai.ipynb") as url:
        yield url


def late(page: Page) -> None:
    """Have the charts' module come later than anywidget waits for it."""

    def wait(route: Route) -> None:
        threading.Event().wait(LATE_S)
        route.continue_()

    page.route(MODULE, wait)


# A machine so busy that anywidget's two seconds are over before it looks at the module it has.
GIVES_UP = """
if (sessionStorage.getItem("tried") === null || %s) {
  const wait = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (milliseconds) => {
    if (milliseconds !== 2000) return wait(milliseconds);
    const over = new AbortController();
    queueMicrotask(() => over.abort());
    return over.signal;
  };
}
sessionStorage.setItem("tried", "1");
"""


def choose(page: Page, theme: str) -> None:
    page.get_by_label("Thème").select_option(theme)
    page.locator("h2", has_text=theme).wait_for()


def open_drawn(page: Page, url: str) -> None:
    page.goto(f"{url}voila/render/essai.ipynb")
    wait_ready(page)
    page.locator(DRAWN).first.wait_for()


@needs_chromium
def test_a_late_module_leaves_charts_that_follow_the_choices(url: str) -> None:
    with open_page("about:blank") as (page, log):
        late(page)
        open_drawn(page, url)
        choose(page, "Bruit")
        page.locator("[role=graphics-document][aria-label*=Bruit]").first.wait_for(timeout=5_000)
        with page.expect_download() as kept:
            page.locator("[data-keep=svg]").click()
        assert kept.value.suggested_filename == "essai-Bruit.svg"
        log.assert_clean()


@needs_chromium
def test_a_chart_that_follows_no_more_is_made_anew_with_the_choice(url: str) -> None:
    with open_page("about:blank") as (page, _):
        page.add_init_script(GIVES_UP % "false")
        open_drawn(page, url)
        choose(page, "Bruit")
        page.get_by_role("status").get_by_text("avec vos choix").wait_for()
        wait_ready(page)
        page.locator("[role=graphics-document][aria-label*=Bruit]").first.wait_for()
        assert page.get_by_label("Thème").input_value() == "Bruit"
        assert page.get_by_text(WORDS).count() == 0


@needs_chromium
def test_a_chart_that_follows_no_more_says_so_and_is_not_kept(url: str) -> None:
    with open_page("about:blank") as (page, _):
        page.add_init_script(GIVES_UP % "true")
        page.add_init_script("sessionStorage.setItem('phare-reloaded', String(Date.now()))")
        open_drawn(page, url)
        choose(page, "Bruit")
        page.get_by_role("alert").get_by_text(WORDS).wait_for()
        drawing = "getComputedStyle(document.querySelector('.app-panel .vega-embed'))"
        assert page.evaluate(f"Number({drawing}.opacity)") < 1
        saved: list[str] = []
        page.on("download", lambda one: saved.append(one.suggested_filename))
        page.locator("[data-keep=svg]").click()
        choose(page, "Vols")  # what is drawn: the words go, and the figure is kept again
        page.get_by_text(WORDS).wait_for(state="detached")
        with page.expect_download():
            page.locator("[data-keep=svg]").click()
        assert saved == ["essai-Vols.svg"]


@needs_chromium
@pytest.mark.parametrize(("query", "grey"), [("?theme=Bruit", True), ("?theme=Vols", False)])
def test_what_is_shown_at_first_is_greyed_where_a_link_asks_for_another_choice(
    url: str, query: str, grey: bool
) -> None:
    held: list[Route] = []
    with open_page("about:blank") as (page, log):
        page.route(MODULE, lambda route: held.append(route))
        page.goto(f"{url}voila/render/essai.ipynb{query}", wait_until="commit")
        first = page.locator("#prepared .app-panel")
        first.wait_for()
        page.get_by_text("étape 1 sur 1").wait_for()
        assert page.get_by_text("Vos choix arrivent").count() == int(grey)
        opacity = float(first.evaluate("(one) => getComputedStyle(one).opacity"))
        assert (opacity < 1) == grey
        held[0].continue_()
        wait_ready(page)
        page.locator(DRAWN).first.wait_for()
        log.assert_clean()
