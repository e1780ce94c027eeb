"""The two templates, seen from outside: Voilà pages in a real browser, reports as files."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest

from helpers.core.stage.execute import page_of
from tests.fixtures.browser import (
    DESKTOP,
    PHONE,
    ROOT,
    needs_chromium,
    open_page,
    serve,
    wait_ready,
)

FAILURE = "Cette page n'a pas pu être préparée jusqu'au bout."
LEAKS = ("Traceback", "ValueError", "chemin interne", "attention", "exception", "cell [")
CALLBACK_FAILURE = "Cette demande n'a pas abouti."

APP = """
import altair as alt
import ipywidgets as widgets
from IPython.display import Markdown, display

alt.JupyterChart.enable_offline(True)
FACTS = {"Vols": [3, 9, 4], "Bruit": [8, 1, 6]}

def draw(theme):
    rows = [{"zone": zone, "faits": n} for zone, n in zip("ABC", FACTS[theme], strict=True)]
    bars = alt.Chart(alt.Data(values=rows)).mark_bar().encode(x="faits:Q", y="zone:N")
    return bars.properties(width="container", title=theme)

theme = widgets.Dropdown(options=list(FACTS), description="Thème")
period = widgets.ToggleButtons(options=["Semaine", "Mois"], description="Période")
chart = alt.JupyterChart(draw("Vols"), embed_options={"ast": True})
theme.observe(lambda change: setattr(chart, "chart", draw(change.new)), "value")
display(theme, period, chart, Markdown("**Lecture** : les vols d'abord."))

said, broken = widgets.Output(), widgets.Button(description="Casser")
def fail(_):
    with said:
        raise ValueError("chemin interne")
broken.on_click(fail)
display(broken, said)
"""

HIDDEN = """
import altair as alt
import ipywidgets as widgets

alt.JupyterChart.enable_offline(True)
bars = alt.Chart(alt.Data(values=[{"n": 1}])).mark_bar().encode(x="n:Q")
chart = alt.JupyterChart(bars.properties(width="container"), embed_options={"ast": True})
widgets.Tab([widgets.Label("d'abord"), chart], titles=["Un", "Deux"])
"""

BROKEN = """
import sys
print("attention", file=sys.stderr)
raise ValueError("chemin interne")
"""


def notebook(*cells: Any, **metadata: Any) -> Any:
    """Return a notebook whose cell ids depend on their place alone, as ours do."""
    for position, cell in enumerate(cells):
        cell["id"] = f"{position:02d}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = nbformat.v4.new_notebook(metadata={"kernelspec": kernel, **metadata})
    made.cells = list(cells)
    return made


def code(source: str, outputs: list[Any] | None = None, tags: list[str] | None = None) -> Any:
    return nbformat.v4.new_code_cell(
        source.strip(), outputs=outputs or [], metadata={"tags": tags} if tags else {}
    )


def words(source: str, tags: list[str] | None = None) -> Any:
    return nbformat.v4.new_markdown_cell(source, metadata={"tags": tags} if tags else {})


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of notebooks: two that work, one that fails, one whose kernel dies."""
    folder = tmp_path_factory.mktemp("apps")
    pages = {
        "points_chauds": notebook(
            words("# Pour le carnet seul", ["notebook-only"]),
            words("# Où ?"),
            code(APP),
            title="Points chauds & veille",
        ),
        "en_panne": notebook(words("# Début"), code(BROKEN), words("# Suite")),
        "onglets": notebook(code(HIDDEN)),
        "kernel_mort": notebook(code("import os; os._exit(1)"), code("1"), code("2")),
    }
    for name, page in pages.items():
        nbformat.write(page, folder / f"{name}.ipynb")
    with serve(folder) as url:
        yield url


@needs_chromium
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_an_app_works_without_the_internet(apps: str, size: tuple[int, int]) -> None:
    with open_page(f"{apps}voila/render/points_chauds.ipynb", size) as (page, log):
        wait_ready(page)
        chart = page.locator(".vega-embed svg.marks")
        chart.wait_for(state="visible")
        before = chart.inner_html()
        assert "Vols" in before

        page.get_by_label("Thème").select_option("Bruit")
        page.locator(".vega-embed svg", has_text="Bruit").wait_for(state="visible")
        assert chart.inner_html() != before
        page.get_by_role("button", name="Mois").click()
        page.locator("button.mod-active", has_text="Mois").wait_for(state="visible")

        assert page.get_by_text("les vols d'abord.").is_visible()
        assert "JupyterChart.enable_offline" not in page.content()
        wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= room, "the page scrolls sideways"
        assert chart.bounding_box()["width"] > 200
        log.assert_clean()


SLIPPED = """async () => {
    const slip = document.createElement("div");
    slip.innerHTML = "<img src=x onerror='window.__ran = 1'>"
        + "<a href='javascript:window.__ran = 2'>x</a>"
        + "<iframe srcdoc='<script>parent.__ran = 3</script>'></iframe>";
    const script = document.createElement("script");
    script.textContent = "window.__ran = 4";
    document.body.append(slip, script);
    slip.querySelector("a").click();
    setTimeout("window.__ran = 5"); // text to compile, after the test's own hold on the page
    await new Promise((done) => setTimeout(done, 500));
    return window.__ran ?? null;
}"""


@needs_chromium
def test_what_would_slip_into_a_page_does_not_run(apps: str) -> None:
    with open_page(f"{apps}voila/render/points_chauds.ipynb") as (page, log):
        wait_ready(page)
        page.locator(".vega-embed svg.marks").wait_for(state="visible")
        log.assert_clean()
        assert page.evaluate(SLIPPED) is None


@needs_chromium
def test_a_chart_drawn_while_hidden_shows_in_full_later(apps: str) -> None:
    with open_page(f"{apps}voila/render/onglets.ipynb") as (page, log):
        wait_ready(page)
        chart = page.locator(".vega-embed svg.marks")
        chart.wait_for(state="attached")
        assert not chart.is_visible()
        page.get_by_role("tab", name="Deux").click()
        chart.wait_for(state="visible")
        page.wait_for_function("document.querySelector('svg.marks').clientWidth > 600")
        log.assert_clean()


@needs_chromium
def test_an_app_says_what_it_is(apps: str) -> None:
    with open_page(f"{apps}voila/render/points_chauds.ipynb") as (page, log):
        wait_ready(page)
        page.locator(".vega-embed svg.marks").wait_for(state="visible")
        assert page.locator("html").get_attribute("lang") == "fr"
        assert page.title() == "Points chauds & veille – Phare"
        for landmark in ("banner", "main", "contentinfo"):
            assert page.get_by_role(landmark).count() == 1, landmark
        assert page.get_by_role("main").get_by_role("heading", level=1).is_visible()
        with urllib.request.urlopen(page.url) as answer:
            assert "Pour le carnet seul" not in answer.read().decode()
        assert page.get_by_text("Pour le carnet seul").count() == 0
        order = page.evaluate(
            "[...document.querySelectorAll('header, main, footer')].map(e => e.tagName)"
        )
        assert order == ["HEADER", "MAIN", "FOOTER"]

        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Aller au contenu"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "SELECT"
        log.assert_clean()


@needs_chromium
@pytest.mark.parametrize("name", ["en_panne", "kernel_mort"])
def test_a_failure_reaches_the_reader_as_one_sentence(apps: str, name: str) -> None:
    with open_page(f"{apps}voila/render/{name}.ipynb") as (page, log):
        wait_ready(page)
        assert page.get_by_text(FAILURE).count() == 1
        assert page.get_by_text(FAILURE).is_visible()
        for leak in LEAKS:
            assert leak not in page.content(), leak
        assert log.blocked == []


@needs_chromium
def test_a_failing_control_shows_a_sentence_and_no_traceback(apps: str) -> None:
    with open_page(f"{apps}voila/render/points_chauds.ipynb") as (page, _):
        wait_ready(page)
        page.get_by_role("button", name="Casser").click()
        page.get_by_text(CALLBACK_FAILURE).wait_for(state="visible")
        assert "ValueError" not in page.content()
        assert "chemin interne" not in page.content()


@needs_chromium
def test_the_other_pages_are_french_and_local(apps: str) -> None:
    with open_page(apps) as (page, log):
        assert page.title() == "Les pages – Phare"
        page.get_by_role("link", name="Points chauds").click()
        wait_ready(page)
        log.assert_clean()
    with open_page(f"{apps}voila/render/absente.ipynb") as (page, log):
        assert page.get_by_role("heading", name="Cette page n'existe pas").is_visible()
        assert page.locator("html").get_attribute("lang") == "fr"
        assert log.blocked == []


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><defs>'
    '<clipPath id="clip1"><rect width="9" height="9"/></clipPath></defs>'
    '<g clip-path="url(#clip1)"><text>figure</text></g></svg>'
)


def executed() -> Any:
    shown = [
        nbformat.v4.new_output("display_data", data={"image/svg+xml": SVG, "text/plain": "non"}),
        nbformat.v4.new_output("display_data", data={"image/svg+xml": SVG, "text/plain": "non"}),
        nbformat.v4.new_output(
            "execute_result",
            data={"text/html": "<table><tr><td>Noailles</td></tr></table>", "text/plain": "non"},
        ),
        nbformat.v4.new_output("display_data", data={"text/markdown": "**Lecture** : 9 faits"}),
        nbformat.v4.new_output("stream", name="stdout", text="12 lignes <lues>\n"),
    ]
    return notebook(
        words("# Points chauds\n\nOù, et *depuis quand* ?"),
        code("seuil = 10", tags=["parameters"]),
        code("seuil = 12", tags=["injected-parameters"]),
        code("import helpers", shown),
        title="Points chauds & veille",
    )


def report() -> str:
    """Convert with a new exporter, as each stage does."""
    return page_of(executed(), ROOT)


class Elements(HTMLParser):
    """Every element of a page: name and attributes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_report_asks_nothing_of_any_machine() -> None:
    page = report()
    found = Elements(page).found
    assert [tag for tag, _ in found if tag in ("script", "link", "iframe", "object")] == []
    for tag, attributes in found:
        source = attributes.get("src") or ""
        assert source == "" or source.startswith("data:"), (tag, source)
    styles = "".join(re.findall(r"<style>.*?</style>", page, flags=re.S))
    assert styles
    assert "@import" not in styles
    assert "url(" not in styles


def test_a_report_is_the_same_bytes_twice() -> None:
    assert report() == report()


@needs_chromium
def test_a_report_reads_as_prose_with_its_code_folded(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(report(), encoding="utf-8")
    errors: list[str] = []
    with open_page("about:blank", PHONE) as (page, _):
        page.unroute("**/*")
        page.on("console", lambda message: errors.append(message.text))
        page.goto(path.as_uri())
        assert page.title() == "Points chauds & veille"
        assert page.locator("html").get_attribute("lang") == "fr"
        main = page.get_by_role("main")
        assert main.get_by_role("heading", name="Points chauds").is_visible()
        assert main.locator("summary").all_inner_texts() == [
            "Paramètres",
            "Paramètres",
            "Code de la cellule 3",
        ]
        assert not page.get_by_text("import helpers").is_visible()
        page.get_by_text("Code de la cellule 3").click()
        assert page.get_by_text("import helpers").is_visible()
        for shown in ("Noailles", "9 faits", "12 lignes <lues>"):
            assert main.get_by_text(shown).is_visible(), shown
        assert main.locator("svg").count() == 2
        assert "non" not in main.inner_text().split()
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids))
        for clip in page.evaluate(
            "[...document.querySelectorAll('[clip-path]')].map(e => e.getAttribute('clip-path'))"
        ):
            assert clip.removeprefix("url(#").removesuffix(")") in ids
    assert errors == []
