"""The decision-maker's chair: the apps in a real browser, cut off from the world."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.fixtures.browser import needs_chromium, open_page, serve, wait_ready
from tests.journeys.people.pages import SCREEN, SMALL, bottom
from tests.journeys.place import CITY, Place

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

# What the list says → days, and the axes in the order of the city's file.
PERIODS = {
    "Dernier jour": 1,
    "7 derniers jours": 7,
    "28 derniers jours": 28,
    "12 derniers mois": 365,
}
AXES = ("Délinquance", "Domaine public", "Circulation")
ALL = "Tous les thèmes"
WHOLE = {
    "quartiers": "Marseille, par quartiers",
    "arrondissements": "Marseille, par arrondissements",
}
TOLD = re.compile(
    r"(?P<n>[\d\u202f]+)\u00a0faits?(?:, dont (?P<aside>[\d\u202f]+) en [^,]+, mis à part)?"
    r"(?:, (?P<level>(?:alerte, |à regarder, )?plus que|comme|moins que) d'habitude \(| ; "
    r"|, sans que l'on puisse dire si c'est l'habitude \()"
    r"on en attendait entre (?P<low>[\d\u202f]+) et (?P<high>[\d\u202f]+)"
    r"(?:\)|(?P<chance> : (?:plus|moins), d'un écart que le hasard amène parmi tant de comptes))"
)
# Map, curve and words answer the choice.
ANSWERED = """([choice, head]) => {
  const links = [...document.querySelectorAll(".app-evidence a")];
  const made = links.map((a) => {
    const bytes = Uint8Array.from(atob(a.href.split(",")[1]), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)).app.choice;
  });
  const same = (one) => Object.entries(choice).every(([name, value]) => one[name] === value);
  const words = document.querySelector(".app-words")?.textContent ?? "";
  return made.length === 2 && made.every(same) && words.startsWith(head);
}"""


@dataclass
class Truth:
    """The cube, the zones and the silences of a workspace, in plain SQL: nothing of ours."""

    place: Place

    def __post_init__(self) -> None:
        pack = self.place.root / "data/cities" / CITY
        about = yaml.safe_load((pack / "city.yaml").read_text(encoding="utf-8"))
        self.end: dt.date = about["period"]["end"]
        self.divisions = {d["title"]: name for name, d in about["divisions"].items()}
        told = yaml.safe_load((pack / "themes.yaml").read_text(encoding="utf-8"))
        self.themes = {t["title"]: (name, t["source"]) for name, t in told["themes"].items()}

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Run a query in which {name} is the Parquet file of that name."""
        files = {
            "cube": "cube.parquet", "zones": "zones.parquet",
            "days": "derived/reliability/days.parquet",
            "indicators": "derived/trends/indicators.parquet",
        }  # fmt: skip
        paths = {name: f"'{self.place.data / path}'" for name, path in files.items()}
        return duckdb.sql(query.format(**paths), params=list(values)).fetchall()

    def count(self, theme: str, days: int, division: str, zone: str) -> int | None:
        """Return the facts of the last `days` days; None where the source was silent."""
        name, source = self.themes[theme]
        after = self.end + dt.timedelta(1)
        first = after - dt.timedelta(days)
        silent = self.rows(
            "SELECT count(*) FROM {days} WHERE source = ? AND division = 'ville' "
            "AND status = 'missing' AND day >= ? AND day < ?", source, first, after,
        )  # fmt: skip
        if int(str(silent[0][0])) > days * 0.05:
            return None
        found = self.rows(
            "SELECT coalesce(sum(n), 0) FROM {cube} WHERE theme = ? AND hour >= ? AND hour < ? "
            f"AND (? = 'ville' OR zone_{division} = ?)",
            name, first, after, zone, zone,
        )  # fmt: skip
        return int(str(found[0][0]))

    def zones(self, theme: str, division: str) -> list[tuple[str, str]]:
        """Return (code, name): the zone with most facts of the theme, one without any if any."""
        ranked = self.rows(
            "SELECT z.code, z.name, coalesce(sum(c.n), 0) AS n FROM {zones} z "
            f"LEFT JOIN {{cube}} c ON c.theme = ? AND c.zone_{division} = z.code "
            "WHERE z.division = ? GROUP BY ALL ORDER BY n DESC, z.code",
            self.themes[theme][0], division,
        )  # fmt: skip
        empty = [row for row in ranked if row[2] == 0]
        return [(str(code), str(name)) for code, name, _ in [ranked[0], *empty[:1]]]


class App:
    """The page's own controls, and what it says once it has answered them."""

    def __init__(self, page: Page, truth: Truth) -> None:
        self.page, self.truth = page, truth
        self.period, self.theme, self.division = "7 derniers jours", ALL, "quartiers"
        self.zone = ("ville", "")
        self.heard: list[tuple[str, ...]] = []

    def select(self, control: str) -> Locator:
        return self.page.get_by_label(control, exact=True)

    def options(self, control: str) -> list[str]:
        """Return what a list offers."""
        return [
            text.replace("\u00a0", " ")
            for text in self.select(control).locator("option").all_text_contents()
        ]

    def take(self, control: str, label: str) -> None:
        self.select(control).select_option(index=self.options(control).index(label))

    def choose(self, **choice: str | tuple[str, str]) -> None:
        """Change one control, wait for the answer, and hold it against the cube."""
        for name, value in choice.items():
            setattr(self, name, value)
            if name == "period":
                self.take("Période", str(value))
            elif name == "theme":
                at = [o.partition(" · ")[2] or o for o in self.options("Thème")].index(str(value))
                self.select("Thème").select_option(index=at)
            elif name == "division":
                self.zone = ("ville", "")
                self.take("Territoire", WHOLE[str(value)])
            else:
                self.take("Territoire", value[1] if value[0] != "ville" else WHOLE[self.division])
        self.check()

    def check(self) -> None:
        """Wait until map, curve and words answer the controls; compare the words with the cube."""
        days, (code, place) = PERIODS[self.period], self.zone
        every = self.theme == ALL
        head = "" if every else f"{self.theme}, {self.period.lower()} : "
        if code != "ville":
            head += f"{place} : "
        name = "" if every else self.truth.themes[self.theme][0]
        choice = {"période_jours": days, "thème": name, "découpage": self.division, "zone": code}
        self.page.wait_for_function(ANSWERED, arg=[choice, head])
        said = self.page.locator(".app-words").inner_text()
        assert self.page.locator(".app-failed, .app-stale").count() == 0, said
        self.agree()
        self.heard.append((self.theme, self.period, self.division, code))
        if every:
            return
        n = self.truth.count(self.theme, days, self.division, code)
        if n is None:
            assert "abstention (source muette)" in said
            assert "fait" not in said.partition("Fiabilité")[0]
            return
        told = TOLD.match(said, len(head))
        assert told, said
        shown, low, high = (int(told[k].replace("\u202f", "")) for k in ("n", "low", "high"))
        assert shown == n, (said, n)
        judged = n - int((told["aside"] or "0").replace("\u202f", ""))
        if told["chance"]:
            assert told["level"] is None, said
            assert (judged > high) if " : plus," in told["chance"] else (judged < low), said
        elif told["level"] is None:  # so wide that it says nothing
            assert low <= judged <= high, said
            assert high > 3 * max(low, 1), said
        elif "plus que" in told["level"]:
            assert judged > high, said
        elif told["level"] == "moins que":
            assert judged < low, said
        else:
            assert low <= judged <= high, said

    def agree(self) -> None:
        """Alerts, sentence and map say the same: no zone is coloured that no word names."""
        page = self.page
        level = str(page.locator(".app-words").get_attribute("class"))
        alerts = page.locator(".app-card").count()
        none = page.get_by_role("heading", name="Aucune alerte en vigueur").count()
        assert bool(none) == (alerts == 0)
        assert (alerts > 0) == ("app-alert" in level)
        if self.zone[0] == "ville":
            zones = page.locator(".app-wide path[tabindex]")
            kinds = set(zones.evaluate_all("e => e.map((z) => z.classList[1])"))
            if "app-usual" in level or "app-below" in level:
                assert not kinds & {"map-alert", "map-watch"}
            if "map-alert" in kinds:
                assert alerts


@pytest.fixture(scope="module")
def url(url: str) -> str:
    """The pages of the apps, by their notebooks' names."""
    return f"{url}voila/render/"


@contextmanager
def lit(place: Place) -> Iterator[list[dict[str, object]]]:
    """Light two alerts and six counts to look at, in zones of their own, for a while."""
    path = place.data / "derived/situation/alerts.parquet"
    before = path.read_bytes()
    table = pq.read_table(path)
    rows, taken = table.to_pylist(), []
    for row in sorted(rows, key=lambda r: (-(r["n"] or 0), r["theme"], r["zone"])):
        free = row["zone"] not in {one["zone"] for one in taken} | {"ville"}
        if row["division"] == "quartiers" and row["status"] == "ok" and row["n"] and free:
            row["alert" if len(taken) < 2 else "watch"] = True
            taken.append(row)
        if len(taken) == 8:
            break
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    try:
        yield taken
    finally:
        path.write_bytes(before)


@pytest.fixture(scope="module", params=[False, True], ids=["calm", "alerts"])
def first(
    request: pytest.FixtureRequest, built: Place
) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """The first page of a server of its own, and what is lit there: pages keep their edition."""
    env = {"PHARE_CITY": CITY, "PYTHONPATH": str(built.root / "src")}
    with contextlib.ExitStack() as stack:
        with lit(built) if request.param else nullcontext([]) as rows:
            notebook = built.root / "notebooks/apps/situation.ipynb"
            url = stack.enter_context(serve(notebook, env))
        yield url, rows


@needs_chromium
@pytest.mark.parametrize("size", [SCREEN, SMALL])
def test_first_fold_is_the_answer(
    built: Place, first: tuple[str, list[dict[str, object]]], size: tuple[int, int]
) -> None:
    """Without a click: sentence, alerts, map, indicators, the day, by their positions."""
    url, rows = first
    with open_page(url, size) as (page, log):
        wait_ready(page)
        page.locator(".app-words").wait_for()
        frame = ".app-wide" if size == SCREEN else ".app-narrow"
        page.locator(f"{frame} svg.map").wait_for(state="visible")
        parts = (
            ".app-simulated",
            "nav",
            ".app-bar",
            ".app-words",
            ".app-cards",
            f"{frame} svg.map",
        )
        for part in parts:
            assert bottom(page, part) <= size[1], part
        if size == SCREEN:
            assert bottom(page, ".app-tiles") <= size[1]
            assert bottom(page, ".app-on") <= size[1]
        else:  # the first indicators: the others are a swipe away
            assert bottom(page, ".app-tiles strong") <= size[1]
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        # On a phone, beside an alert, it stands below the fold.
        everything = page.locator("#rendered_cells").inner_text()
        assert everything.count("chances sur 100 d'une fausse alerte") == 1
        assert page.locator(".app-card").count() == min(len(rows), 2)
        names = {str(code): str(name) for code, name in Truth(built).rows(
            "SELECT code, name FROM {zones} WHERE division = 'quartiers'")}  # fmt: skip
        for row in rows[:2]:
            assert page.locator(".app-card", has_text=names[str(row["zone"])]).count() == 1
            assert page.locator(f"{frame} .map-label", has_text=names[str(row["zone"])]).count()
        kinds = page.locator(f"{frame} path[tabindex]")
        loud = kinds.evaluate_all(
            "e => e.filter((z) => z.matches('.map-alert, .map-watch')).length"
        )
        assert loud == len(rows)
        page.locator(".app-on summary").click()
        page.locator(".app-on li", has_text="Vigilance météo").wait_for()
        page.evaluate("scrollTo(0, 600)")
        page.wait_for_function("scrollY > 300")
        bar = page.locator(".app-bar").bounding_box()
        assert bar is not None
        assert abs(bar["y"]) <= 1, "the controls stay"
    log.assert_clean()


@needs_chromium
def test_every_kind_of_choice_says_what_the_cube_says(built: Place, url: str) -> None:
    """Each period, division and axis; the city, a zone with facts, one without."""
    truth = Truth(built)
    with open_page(f"{url}situation.ipynb") as (page, log):
        wait_ready(page)
        app = App(page, truth)
        app.check()
        offered = [option.split(" · ") for option in app.options("Thème")[1:]]
        assert {axis for axis, _ in offered} == set(AXES)
        of_axis = [next(theme for axis, theme in offered if axis == one) for one in AXES]
        emptiest = min(
            (theme for _, theme in offered),
            key=lambda theme: truth.rows(
                "SELECT count(DISTINCT zone_quartiers) FROM {cube} WHERE theme = ?",
                truth.themes[theme][0],
            ),
        )
        empty, periods = 0, itertools.cycle(reversed(PERIODS))
        for division in reversed(truth.divisions.values()):
            app.choose(division=division)
            app.choose(theme=ALL)
            for period in PERIODS:
                app.choose(period=period)
            for theme in dict.fromkeys([*of_axis, emptiest]):
                app.choose(theme=theme)
                zones = truth.zones(theme, division)
                empty += len(zones) - 1
                for zone in zones:
                    app.choose(zone=zone)
                    app.choose(period=next(periods))
                app.choose(division=division)
            for period in PERIODS:
                app.choose(period=period)
        assert empty, "aucune zone sans fait : l'essai n'en a vu aucune"
        for whole in (True, False):
            heard = [(p, d) for _, p, d, zone in app.heard if (zone == "ville") == whole]
            assert {period for period, _ in heard} == set(PERIODS)
            assert {division for _, division in heard} == set(truth.divisions.values())
    log.assert_clean()


@needs_chromium
def test_every_role_and_every_drill(built: Place, url: str) -> None:
    truth = Truth(built)
    with open_page(f"{url}situation.ipynb") as (page, log):
        wait_ready(page)
        app = App(page, truth)
        app.check()
        roles = {str(role) for (role,) in truth.rows("SELECT DISTINCT role FROM {indicators}")}
        assert set(app.options("Rôle")) == {role.capitalize() for role in roles}
        titles = {name: title for title, (name, _) in truth.themes.items()}
        for role in app.options("Rôle"):
            app.take("Rôle", role)
            page.wait_for_function("(role) => location.search.includes(`role=${role}`)",
                                   arg=role.lower())  # fmt: skip
            tiles = page.locator(".app-tiles")
            rows = truth.rows(
                "SELECT theme, measure, value, reliability, status FROM {indicators} "
                "WHERE role = ? ORDER BY position", role.lower(),
            )  # fmt: skip
            assert 4 <= tiles.locator("li").count() <= len(rows) <= 8
            for theme, measure, value, grade, status in rows:
                title = titles[str(theme)] if theme else "Toute la ville"
                mine = tiles.locator("li", has_text=title) if theme else tiles.locator("li")
                said = " ".join(mine.all_inner_texts())
                assert ("abstention" in said) == (status != "ok") or not theme, said
                if status == "ok":
                    assert f"fiabilité {grade}" in said, said
                if status == "ok" and measure != "change":
                    told = f"{float(str(value)):,.0f}".replace(",", "\u202f")
                    assert told in mine.locator("strong").all_inner_texts(), said
                if theme and status == "ok":
                    assert mine.locator("svg.app-spark").count() == 1
        drills = app.options("Exercice")
        assert drills[0] == "aucun"
        assert len(drills) > 1
        for drill in [*drills[1:], drills[0]]:
            app.take("Exercice", drill)
            exercise = page.get_by_text("EXERCICE, rien ne s'est passé")
            if drill == "aucun":
                exercise.first.wait_for(state="detached")
                continue
            page.locator(".app-sheets").get_by_role("heading", name=drill).wait_for()
            assert exercise.count() == 1
    log.assert_clean()


@needs_chromium
def test_the_map_answers_the_hand_and_the_keyboard(built: Place, url: str) -> None:
    with open_page(f"{url}situation.ipynb") as (page, log):
        wait_ready(page)
        app = App(page, Truth(built))
        app.check()
        zone = page.locator(".app-wide path[tabindex]").nth(40)
        zone.hover(force=True)
        tip = page.locator(".app-tip")
        tip.wait_for(state="visible")
        shown = tip.inner_text().partition(" : ")[0]
        there = page.locator(".app-wide [data-words^='" + shown.replace("'", "\\'") + "']").first
        label, pointed = (str(there.get_attribute(f"data-{one}")) for one in ("label", "zone"))
        page.mouse.move(0, 0)
        # The city's own words may name the zone: only the whole answer tells that it has come, and
        # a map that is drawn anew later would take the focus away.
        app.zone = (pointed, shown)
        app.take("Territoire", label)
        app.check()
        app.zone = ("ville", "")
        app.take("Territoire", WHOLE["quartiers"])
        app.check()
        page.locator(".app-wide path[tabindex='0']").focus()
        first = page.evaluate("document.activeElement.dataset.zone")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        code, label, named = page.evaluate(
            "(({dataset, ariaLabel}) => [dataset.zone, dataset.label, ariaLabel])"
            "(document.activeElement)"
        )
        assert code != first
        assert tip.inner_text() == named
        page.keyboard.press("Enter")
        page.wait_for_function("(code) => location.search.endsWith(code) || "
                               "location.search.includes(`${code}&`)", arg=code)  # fmt: skip
        chosen = app.select("Territoire").evaluate("e => e.selectedOptions[0].textContent")
        assert chosen.replace("\u00a0", " ") == label
        page.locator(".app-wide .map-chosen").first.wait_for(state="attached")  # twice, in an inset
        page.wait_for_function("(code) => document.activeElement.dataset.zone === code", arg=code)
        table = page.locator(".app-table", has_text="Le tableau derrière la carte")
        table.locator("summary").click()
        assert table.locator("tbody tr").count() == len(app.options("Thème")) - 1
    log.assert_clean()


@needs_chromium
def test_links_carry_the_choice_and_are_believed_in_nothing(built: Place, url: str) -> None:
    truth = Truth(built)
    theme, (name, _) = next(iter(truth.themes.items()))
    code, place = truth.zones(theme, "quartiers")[0]
    asked = f"theme={name}&territoire=quartiers/{code}&periode=28&role=analyste"
    with open_page(f"{url}situation.ipynb?{asked}") as (page, log):
        wait_ready(page)
        app = App(page, truth)
        app.period, app.theme, app.zone = "28 derniers jours", theme, (code, place)
        app.check()
        there = page.get_by_role("link", name="Tendances").get_attribute("href")
        assert there is not None
        kept = page.url
        log.assert_clean()
    with open_page(kept) as (page, log):  # the address kept says the same
        wait_ready(page)
        app = App(page, truth)
        app.period, app.theme, app.zone = "28 derniers jours", theme, (code, place)
        app.check()
        log.assert_clean()
    with open_page(f"{url}{there}") as (page, log):
        wait_ready(page)
        page.locator(".app-words", has_text=f"{theme}, {place}").wait_for()
        assert f"theme={name}" in page.url
        log.assert_clean()
    bad = "theme=%3Cimg%20src=x%20onerror=alert(1)%3E&territoire=../../etc&periode=nan&role=1e999"
    with open_page(f"{url}situation.ipynb?{bad}&periode=7&x=1") as (page, log):
        wait_ready(page)
        App(page, truth).check()
        page.get_by_text("Le lien demandait ce qui n'existe pas").wait_for()
        assert page.locator(".app-page img").count() == 0
        log.assert_clean()


@needs_chromium
@pytest.mark.parametrize(
    ("name", "title"),
    [("ou_et_quand", "Où et quand"), ("tendances", "Tendances"),
     ("actions_et_resultats", "Actions"), ("portefeuille", "Portefeuille"),
     ("confiance", "Confiance")],
)  # fmt: skip
def test_every_page_stands_in_the_same_shell(built: Place, url: str, name: str, title: str) -> None:
    with open_page(f"{url}{name}.ipynb", SMALL) as (page, log):
        wait_ready(page)
        words = page.locator(".app-words")
        words.wait_for()
        assert page.get_by_role("heading", level=1).inner_text().startswith(title)
        here = page.get_by_role("navigation").locator("a[aria-current=page]")
        assert here.inner_text() == title
        assert bottom(page, ".app-words") <= SMALL[1]
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALL[0]
        app = App(page, Truth(built))
        for option in app.options("Thème")[1:4]:
            theme = option.partition(" · ")[2]
            before = words.inner_text()
            app.take("Thème", option)
            page.wait_for_function(
                "(name) => location.search.includes(`theme=${name}`)",
                arg=app.truth.themes[theme][0],
            )
            assert page.locator(".app-failed, .app-stale").count() == 0
            assert theme in words.inner_text() or name == "portefeuille", (before, theme)
        # The page's address changes with each choice: what is painted by it must still be found.
        assert page.evaluate(ELSEWHERE) == []
    log.assert_clean()


ELSEWHERE = """() => ["fill", "stroke", "clip-path"].flatMap((name) =>
    [...document.querySelectorAll(`[${name}^="url("]`)].map((one) => one.getAttribute(name)))
    .filter((told) => !document.getElementById((/^url\\(#(.+)\\)$/.exec(told) ?? [])[1]))
"""
FAILING = """
import os

os.chdir({root!r})
from helpers.situation.judgement import Judgement

rows = Judgement.rows

def failing(self, division, days, theme=""):
    if theme == {theme!r}:
        raise ValueError("chemin interne")
    return rows(self, division, days, theme)

Judgement.rows = failing
"""


@needs_chromium
def test_a_choice_that_fails_is_said_and_the_next_one_recovers(
    built: Place, tmp_path: Path
) -> None:
    truth = Truth(built)
    notebook = json.loads((built.root / "notebooks/apps/situation.ipynb").read_text("utf-8"))
    broken, (name, _) = next(iter(truth.themes.items()))
    failing = {"cell_type": "code", "id": "essai", "metadata": {}, "outputs": [],
               "execution_count": None,
               "source": FAILING.format(root=str(built.root), theme=name)}  # fmt: skip
    notebook["cells"].insert(2, failing)
    page_path, said = tmp_path / "essai.ipynb", tmp_path / "serveur.log"
    page_path.write_text(json.dumps(notebook), "utf-8")
    env = {"PHARE_CITY": CITY, "PYTHONPATH": str(built.root / "src")}
    with serve(page_path, env, said) as url, open_page(url) as (page, log):
        wait_ready(page)
        app = App(page, truth)
        app.check()
        before = page.locator(".app-words").inner_text()
        titled = [option.partition(" · ")[2] for option in app.options("Thème")]
        page.get_by_label("Thème").select_option(index=titled.index(broken))
        alert = page.get_by_role("alert")
        alert.get_by_text("Ce choix n'a pas pu être affiché.").wait_for()
        assert page.locator(".app-stale .app-words").inner_text() == before
        faded = "e => Number(getComputedStyle(e).opacity)"
        assert page.locator(".app-stale").count() == 1
        assert page.locator(".app-stale").evaluate(faded) < 0.6
        for leak in ("ValueError", "chemin interne", "Traceback"):
            assert leak not in page.content()
        told = said.read_text("utf-8")
        assert "ValueError" in told, "whoever runs the pages finds the trace"
        assert "in failing" in told
        assert "chemin interne" not in told, "an error may quote what it was given"
        app.choose(theme=titled[2])
        assert alert.count() == 0
    log.assert_clean()
