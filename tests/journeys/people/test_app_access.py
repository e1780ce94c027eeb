"""Everybody's chair: every page by ear, by keyboard, small, large, on paper, and taken away."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import struct
import xml.etree.ElementTree as ET
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
import shapely

from tests.fixtures.browser import needs_chromium, open_page
from tests.journeys.people.pages import SCREEN, SMALL, Clicks, rows_of, settle, taken
from tests.journeys.people.test_app_situation import Truth
from tests.journeys.place import Place

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = (
    "situation", "ou_et_quand", "tendances", "evenements", "moyens", "actions_et_resultats",
    "portefeuille", "confiance",
)  # fmt: skip
ADDRESSES = ("", *(f"voila/render/{name}.ipynb" for name in PAGES))
NARROW, ZOOMED = (320, 640), (640, 400)  # 1280 px at 200 % are 640
CONTROLS = "a[href], button, select, summary, [tabindex='0']"
CHECKED = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
  (one) => [one.id, one.nodes.map((node) => node.target.join(" "))])"""

CONTRAST = Path(__file__).with_name("contrast.js").read_text("utf-8")
FAINT = (
    '<p id="faint" style="color: #999; background: #fff linear-gradient(#fff, #fff)">à peine</p>'
    '<svg id="drawn" width="90" height="30"><rect width="90" height="30" fill="#ddd"/>'
    '<text y="20" fill="#888">à peine</text></svg>'
)


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")


def violations(page: Page) -> list[Any]:
    """Return what axe-core, whole, finds wrong on the page as it is."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    return list(page.evaluate(CHECKED))


def nothing_stands_in_the_way(page: Page) -> None:
    """Folded and unfolded, with the system's own colours too; the page is left unfolded."""
    assert violations(page) == []
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [name for name, _ in violations(page)] == ["button-name"], "axe sees nothing"
    page.evaluate("document.querySelector('main > button').remove()")
    unfold(page)
    assert violations(page) == []
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    assert violations(page) == []
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate("getComputedStyle(document.body).scrollBehavior") == "auto"
    page.emulate_media(forced_colors="none", reduced_motion="no-preference")


def faint(page: Page) -> list[Any]:
    """Return the texts whose contrast axe cannot decide, and that is too low when computed."""
    return [one for one in page.evaluate(CONTRAST) if one[1] < one[2]]


def colours_that_axe_cannot_decide_are_told_apart(page: Page) -> None:
    """Over drawings and images, and for a sign alone: WCAG's ratio, 4.5, or 3 for large text."""
    assert faint(page) == []
    page.evaluate(
        "(html) => document.querySelector('main').insertAdjacentHTML('beforeend', html)", FAINT
    )
    found = faint(page)
    assert [html.partition(" ")[0] for html, _, _ in found] == ["<p", "<text"]
    grey, drawn = (ratio for _, ratio, _ in found)
    assert grey == pytest.approx(2.849, abs=0.01)  # #999 on white
    assert drawn == pytest.approx(2.609, abs=0.01)  # #888 on #ddd
    page.evaluate("['faint', 'drawn'].forEach((id) => document.getElementById(id).remove())")


def the_keyboard_reaches_every_control_and_shows_where_it_is(page: Page) -> None:
    count = page.evaluate(
        "(selector) => { const all = [...document.querySelectorAll(selector)].filter((e) => "
        "e.checkVisibility({visibilityProperty: true}) && !e.disabled);"
        "all.forEach((e, i) => { e.dataset.control = i; }); return all.length; }",
        CONTROLS,
    )
    reached = {}
    for _step in range(2 * count + 10):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e);"
            "return [e.dataset.control ?? null, e.outerHTML.slice(0, 90),"
            " s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2"
            " || parseFloat(s.strokeWidth) >= 2]; }"
        )
        if found[0] in reached:
            break
        reached[found[0]] = found[1:]
    reached.pop(None, None)  # between the last control and the first, the window itself
    assert {str(i) for i in range(count)} <= set(reached)
    assert [html for html, seen in reached.values() if not seen] == []


@needs_chromium
@pytest.mark.parametrize("address", ADDRESSES)
def test_everybody_reads_and_works_the_page_on_a_screen(url: str, address: str) -> None:
    with open_page(f"{url}{address}", SCREEN) as (page, log):
        settle(page)
        nothing_stands_in_the_way(page)
        colours_that_axe_cannot_decide_are_told_apart(page)
        the_keyboard_reaches_every_control_and_shows_where_it_is(page)
    log.assert_clean()


@needs_chromium
@pytest.mark.parametrize("address", ADDRESSES)
def test_everybody_reads_the_page_on_a_phone_and_enlarged(url: str, address: str) -> None:
    with open_page(f"{url}{address}", NARROW) as (page, log):
        settle(page)
        nothing_stands_in_the_way(page)
        colours_that_axe_cannot_decide_are_told_apart(page)
        for size in (NARROW, ZOOMED):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], size
    log.assert_clean()


# --- Taken away ------------------------------------------------------------------------------


def chosen(truth: Truth) -> tuple[str, str, str, str]:
    """Return a theme (name, title) and the zone (code, name) where most of its facts are."""
    title, (name, _) = next(iter(truth.themes.items()))
    code, place = truth.zones(title, "quartiers")[0]
    return name, title, code, place


@needs_chromium
def test_what_is_kept_of_a_figure_is_what_the_cube_says(built: Place, url: str) -> None:
    truth = Truth(built)
    name, title, code, _ = chosen(truth)
    asked = f"periode=28&theme={name}&territoire=quartiers/{code}"
    with open_page(f"{url}voila/render/situation.ipynb?{asked}") as (page, log):
        settle(page)
        page.wait_for_function("(code) => document.querySelector('.app-trend .app-keep a')"
                               ".download.includes(code)", arg=code)  # fmt: skip
        file, text = taken(page, page.locator(".app-trend .app-keep a"))
        assert re.fullmatch(rf"marseille-\w+-28-{name}-quartiers-{code}-simule\.csv", file)
        weeks = rows_of(text)
        assert len(weeks) == 16
        for row in weeks:
            first = dt.date.fromisoformat(row["semaine du"])
            told = truth.rows(
                "SELECT coalesce(sum(n), 0) FROM {cube} WHERE theme = ? AND zone_quartiers = ? "
                "AND hour >= ? AND hour < ?", name, code, first, first + dt.timedelta(7),
            )  # fmt: skip
            assert (row["thème"], row["code"]) == (title, code)
            assert row["faits"] in ("", str(told[0][0])), row
        assert any(row["faits"] for row in weeks)
        file, text = taken(page, page.locator(".app-map .app-keep a"))
        zones = rows_of(text)
        plain = truth.rows("SELECT code FROM {zones} WHERE division = 'quartiers'")
        assert {row["code"] for row in zones} == {str(one) for (one,) in plain}
        for row in zones:
            n = truth.count(title, int(row["jours"]), "quartiers", row["code"])
            assert row["faits"] == ("" if n is None else str(n)), row
    log.assert_clean()


@needs_chromium
def test_evolutions_are_those_of_the_place_chosen(built: Place, url: str) -> None:
    _, _, code, place = chosen(Truth(built))
    found = built.results(
        "trends", "SELECT label, ratio FROM {levels} WHERE division = 'quartiers' AND zone = ?",
        code,
    )  # fmt: skip
    with open_page(f"{url}voila/render/tendances.ipynb?territoire=quartiers/{code}") as (page, log):
        settle(page)
        page.locator(".app-changes h2 small", has_text=f"{place}, chaque thème").wait_for()
        box = page.locator("#rendered_cells .app-changes")
        name, text = taken(page, box.get_by_role("link", name="CSV"))
        assert code in name
        told = [one["rapport"].replace(",", ".") for one in rows_of(text)]
        assert sorted(float(one) for one in told if one) == pytest.approx(
            sorted(row["ratio"] for row in found if row["ratio"] is not None), rel=1e-3
        )
        assert len(told) == len(found)
        moved = sum(row["label"] in ("up", "down") for row in found)
        head = page.locator(".app-table h2", has_text=f"{place} : ").inner_text()
        assert head.startswith(f"{place} : {moved or 'aucune'} évolution")
    log.assert_clean()


@needs_chromium
def test_a_figure_is_kept_as_a_picture_that_says_what_it_is(built: Place, url: str) -> None:
    name, title, code, place = chosen(Truth(built))
    asked = f"periode=28&theme={name}&territoire=quartiers/{code}"
    for page_name, figures in {
        "situation": (".app-map", ".app-trend"), "ou_et_quand": (".app-map", ".app-rhythm"),
        "tendances": (".app-changes", ".app-weeks"),
    }.items():  # fmt: skip
        for size in (SCREEN, SMALL):
            with open_page(f"{url}voila/render/{page_name}.ipynb?{asked}", size) as (page, log):
                settle(page)
                page.locator(".app-words", has_text=title).wait_for()
                for figure in figures:
                    box = page.locator(f"#rendered_cells {figure}")
                    passport = box.locator(".app-evidence a").inner_text()
                    _, text = taken(page, box.get_by_role("button", name="SVG"))
                    svg = ET.fromstring(text)
                    words = " ".join(svg.itertext())
                    assert passport in words
                    assert "Données simulées" in words
                    assert title in words, words
                    assert place in words, words
                    marks = svg.iter("{http://www.w3.org/2000/svg}path")
                    assert sum(len(one.get("d", "")) > 20 for one in marks) > 3
                    file, bits = taken(page, box.get_by_role("button", name="PNG"))
                    assert file.endswith(".png")
                    assert bits[:8] == b"\x89PNG\r\n\x1a\n"
                    wide, high = struct.unpack(">II", bits[16:24])
                    assert (wide, high) == tuple(
                        2 * int(svg.get(k, "")) for k in ("width", "height")
                    )
                log.assert_clean()


@needs_chromium
@pytest.mark.parametrize("name", ["situation", "ou_et_quand", "tendances"])
def test_a_page_is_one_sheet_of_paper(url: str, name: str) -> None:
    with open_page(f"{url}voila/render/{name}.ipynb") as (page, _):
        settle(page)
        printed = page.pdf(prefer_css_page_size=True, print_background=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
        page.emulate_media(media="print")
        for shown in ("h1", ".app-paper", ".app-simulated", ".app-words", ".app-evidence"):
            assert page.locator(f"#rendered_cells {shown}").first.is_visible(), shown
        assert "Marseille, par quartiers" in page.locator(".app-paper").inner_text()
        drawn = page.locator("#rendered_cells :is(.app-wide svg.map, .vega-embed svg.marks)")
        assert [one.is_visible() for one in drawn.all()] == [True, True]
        for hidden in ("select", "button", "summary", "nav"):
            assert not any(one.is_visible() for one in page.locator(hidden).all()), hidden


# --- In three clicks -------------------------------------------------------------------------


@needs_chromium
def test_what_changed_this_month_in_three_clicks(built: Place, url: str) -> None:
    truth = Truth(built)
    with open_page(url) as (page, log):
        hand = Clicks(page)
        hand.today()
        hand.take("Période", "28 derniers jours")
        page.locator("[data-query*='periode=28']").wait_for()  # told last, the table before it
        table = page.locator(".app-table", has_text="Le tableau derrière la carte")
        hand.on(table.locator("summary"))
        lines = table.locator("table").first.locator("tbody tr").all_inner_texts()
        said = {line.split("\t")[1]: line.split("\t")[2] for line in lines}
        for theme, shown in said.items():
            n = truth.count(theme, 28, "quartiers", "ville")
            assert shown.replace("\u202f", "") == ("manquant" if n is None else str(n)), theme
        offered = page.get_by_label("Thème", exact=True).locator("option").count() - 1
        assert len(said) == offered
        assert hand.n <= 3
    log.assert_clean()


def around(truth: Truth, code: str) -> set[str]:
    """Return a quarter and those whose outline meets its own."""
    rows = truth.rows("SELECT code, hex(geometry) FROM {zones} WHERE division = 'quartiers'")
    shapes = {str(one): shapely.from_wkb(str(shape)) for one, shape in rows}
    return {one for one, shape in shapes.items() if shape.intersects(shapes[code])}


@needs_chromium
def test_what_is_on_around_a_place_in_three_clicks(built: Place, url: str) -> None:
    """At the Vieux-Port, which is in Hôtel-de-Ville, and where something is on for certain."""
    truth = Truth(built)
    folder = built.data / "derived/situation"
    told = {
        name: [row["zone"] for row in pq.read_table(folder / f"{name}.parquet").to_pylist()]
        for name in ("events", "closures")
    }
    names = {str(code): str(name) for code, name in truth.rows(
        "SELECT code, name FROM {zones} WHERE division = 'quartiers'")}  # fmt: skip
    port = next(code for code, name in names.items() if name == "Hôtel-de-Ville")
    busy = next(zone for zone in told["events"] if zone)
    for code in (port, busy):
        near = around(truth, code)
        assert len(near) > 2
        events, closed = (sum(zone in near for zone in told[n]) for n in ("events", "closures"))
        with open_page(url) as (page, log):
            hand = Clicks(page)
            hand.today()
            hand.take("Territoire", names[code])
            line = page.locator(".app-on summary", has_text=f"{names[code]} et autour")
            hand.on(line)
            said = line.inner_text()
            assert f"{events}\u00a0événement" in said
            assert re.search(rf" · {closed} (rue ou lieu fermé|rues ou lieux fermés)", said), said
            listed = page.locator(".app-on li li").all_inner_texts()
            there = {name for code, name in names.items() if code in near}
            assert len(listed) == closed or "autre" in listed[-1]
            assert all(one.partition(" : ")[0] in there for one in listed if "autre" not in one)
            assert hand.n <= 3
        log.assert_clean()
    assert events


@needs_chromium
def test_whether_a_number_can_be_trusted_in_three_clicks(built: Place, url: str) -> None:
    truth = Truth(built)
    with open_page(url) as (page, log):
        hand = Clicks(page)
        hand.today()
        tile = page.locator("#rendered_cells .app-tiles li", has=page.locator("svg")).first
        title = tile.get_by_role("heading").inner_text()
        grade = tile.get_by_role("link", name="fiabilité").inner_text()
        hand.on(tile.get_by_role("link", name="fiabilité"))
        said = page.locator("#rendered_cells .app-words", has_text=title)
        said.wait_for()
        grades = pq.read_table(built.data / "derived/reliability/grades.parquet").to_pylist()
        source = truth.themes[title][1]
        known = next(row["grade"] for row in grades if row["source"] == source)
        assert grade == f"fiabilité {known}"
        assert grade in said.inner_text()
        assert (
            page.locator("#rendered_cells .app-table table").first.locator("tbody tr").count() == 1
        )
        assert hand.n <= 3
    # The page that is left tells its process, and does not wait for an answer.
    assert (log.blocked, log.errors) == ([], [])


@needs_chromium
def test_a_chart_is_proved_in_three_clicks(built: Place, url: str) -> None:
    """What is handed over names the tables that the figure is drawn from, as they are on disk."""
    with open_page(url) as (page, log):
        hand = Clicks(page)
        hand.today()
        file, text = taken(page, page.locator("#rendered_cells .app-map .app-evidence a"))
        hand.n += 1
        proof = json.loads(text)
        assert file.endswith(".evidence.json")
        assert proof["passport"] in page.locator("#rendered_cells .app-map").inner_text()
        for path, told in proof["app"]["inputs_now"].items():
            assert hashlib.sha256((built.root / path).read_bytes()).hexdigest() == told, path
        assert hand.n <= 3
    log.assert_clean()
