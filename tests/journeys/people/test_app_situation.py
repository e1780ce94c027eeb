"""The decision-maker's chair: the app « Situation » in a real browser, cut off from the world."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
import yaml

from tests.fixtures.browser import PHONE, needs_chromium, open_page, serve, wait_ready
from tests.journeys.place import CITY, Place

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

AREAS = ("map", "trend", "rhythm")


# What the buttons say → days, and the axes in the order of the city's file.
PERIODS = {
    "Dernier jour": 1,
    "7 derniers jours": 7,
    "28 derniers jours": 28,
    "12 derniers mois": 365,
}
AXES = ("Délinquance", "Domaine public", "Circulation")
WHOLE = "Toute la ville"
GREY = "#C4C9D0"  # an hour of which nothing is said: no colour of the scale
LEVELS = {"plus que": "app-above", "comme": "app-usual", "moins que": "app-below"}
TOLD = re.compile(
    r"(?P<n>[\d\u202f]+)\u00a0faits?(?:, dont (?P<aside>[\d\u202f]+) en [^,]+, mis à part)?, "
    r"(?P<level>plus que|comme|moins que) d'habitude "
    r"\(on en attendait entre (?P<low>[\d\u202f]+) et (?P<high>[\d\u202f]+)"
    r"(?:, intervalle si large qu'il ne dit presque rien)?\)"
)
# All three panels and the words answer the choice: the words are written last.
ANSWERED = """([choice, head]) => {
  const links = [...document.querySelectorAll(".app-panel .app-evidence a")];
  const made = links.map((a) => {
    const bytes = Uint8Array.from(atob(a.href.split(",")[1]), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)).app.choice;
  });
  const same = (one) => Object.entries(choice).every(([name, value]) => one[name] === value);
  const words = document.querySelector(".app-words").textContent;
  return made.length === 3 && made.every(same) && words.startsWith(head);
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
        self.period, self.division, self.zone = "28 derniers jours", "Quartiers", ("ville", WHOLE)
        self.theme = self.options("Thème")[0].partition(" · ")[2]
        self.heard: list[tuple[str, ...]] = []
        self.without_hours = 0

    def select(self, control: str) -> Locator:
        return self.page.get_by_label(control, exact=True)

    def options(self, control: str) -> list[str]:
        """Return what a list offers."""
        return [
            text.replace("\u00a0", " ")
            for text in self.select(control).locator("option").all_text_contents()
        ]

    def choose(self, **choice: str | tuple[str, str]) -> None:
        """Change one control, wait for the answer, and hold it against the cube."""
        for name, value in choice.items():
            setattr(self, name, value)
            if name == "period":
                self.page.get_by_role("button", name=str(value), exact=True).click()
            elif name == "theme":
                at = [o.partition(" · ")[2] for o in self.options("Thème")].index(str(value))
                self.select("Thème").select_option(index=at)
            elif name == "division":
                self.zone = ("ville", WHOLE)  # a zone of another division cannot stay
                at = self.options("Découpage").index(str(value))
                self.select("Découpage").select_option(index=at)
            else:
                at = self.options("Zone").index(value[1])
                self.select("Zone").select_option(index=at)
        self.check()

    def check(self) -> None:
        """Wait until panels and words answer the controls; compare the words with the cube."""
        days, division = PERIODS[self.period], self.truth.divisions[self.division]
        code, place = self.zone
        head = f"{self.theme}, {self.period.lower()} : "
        if code != "ville":
            head += f"{place} : "
        choice = {"période_jours": days, "thème": self.truth.themes[self.theme][0],
                  "découpage": division, "zone": code}  # fmt: skip
        self.page.wait_for_function(ANSWERED, arg=[choice, head])
        line = self.page.locator(".app-words")
        said = line.inner_text()
        assert self.page.locator(".app-failed, .app-stale").count() == 0, said
        chosen = self.select("Zone").evaluate("e => e.selectedOptions[0].textContent")
        assert chosen.replace("\u00a0", " ") == place
        if "Abstention" in self.page.locator(".app-rhythm h2").inner_text():
            hours = ".app-rhythm path[aria-roledescription='rect mark']"
            self.page.locator(f"{hours}:not([fill='{GREY}'])").first.wait_for(state="detached")
            assert self.page.locator(hours).count() == 7 * 24
            self.without_hours += 1
        n = self.truth.count(self.theme, days, division, code)
        if n is None:
            assert "abstention (source muette)" in said
            assert "fait" not in said.partition("Fiabilité")[0]
            return
        told = TOLD.match(said, len(head))
        assert told, said
        shown, low, high = (int(told[k].replace("\u202f", "")) for k in ("n", "low", "high"))
        assert shown == n, (said, n)
        judged = n - int((told["aside"] or "0").replace("\u202f", ""))
        level = "plus que" if judged > high else "moins que" if judged < low else "comme"
        assert told["level"] == level, said
        assert LEVELS[level] in str(line.get_attribute("class"))
        of_zones = "de leur habitude" in said or "aucune zone au-dessus" in said
        assert of_zones == (code == "ville"), said
        self.heard.append((self.theme, self.period, self.division, self.zone[0]))


@pytest.fixture(scope="module")
def url(built: Place) -> Iterator[str]:
    env = {"PHARE_CITY": CITY, "PYTHONPATH": str(built.root / "src")}
    with serve(built.root / "notebooks/apps/situation.ipynb", env) as url:
        yield url


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
def test_app_shows_and_follows_its_controls(built: Place, url: str) -> None:
    with open_page(url) as (page, log):
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
        page.get_by_text("Ce jour-là : événements, rues et lieux fermés").click()
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
def test_app_fits_a_phone(url: str) -> None:
    with open_page(url, PHONE) as (page, log):
        drawing(page, "map")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    log.assert_clean()


@needs_chromium
def test_every_kind_of_choice_says_what_the_cube_says(built: Place, url: str) -> None:
    """Each period, division and axis; the city, a zone with facts, one without; stale zones."""
    truth = Truth(built)
    with open_page(url) as (page, log):
        wait_ready(page)
        drawing(page, "map")
        app = App(page, truth)
        app.check()
        offered = [option.split(" · ") for option in app.options("Thème")]
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
        for division in reversed(truth.divisions):
            app.choose(division=division)  # the second time from a zone that is not one of its own
            for period in PERIODS:
                app.choose(period=period)
            for theme in dict.fromkeys([*of_axis, emptiest]):
                app.choose(theme=theme)
                zones = truth.zones(theme, truth.divisions[division])
                empty += len(zones) - 1
                for zone in zones:
                    app.choose(zone=zone)
                    app.choose(period=next(periods))
            for period in PERIODS:
                app.choose(period=period)  # of a zone, without facts where there is one
        assert app.without_hours, "aucun rythme sans assez de faits : l'essai n'en a vu aucun"
        assert empty, "aucune zone sans fait : l'essai n'en a vu aucune"
        for whole in (True, False):
            heard = [(p, d) for _, p, d, zone in app.heard if (zone == "ville") == whole]
            assert {period for period, _ in heard} == set(PERIODS)
            assert {division for _, division in heard} == set(truth.divisions)
    log.assert_clean()


@needs_chromium
def test_every_role_and_every_drill(built: Place, url: str) -> None:
    truth = Truth(built)
    with open_page(url) as (page, log):
        wait_ready(page)
        drawing(page, "map")
        app = App(page, truth)
        roles = {str(role) for (role,) in truth.rows("SELECT DISTINCT role FROM {indicators}")}
        assert set(app.options("Rôle")) == roles
        for role in app.options("Rôle"):
            page.get_by_label("Rôle").select_option(label=role)
            part = page.locator(".app-folded", has_text=f"Les indicateurs suivis : {role}")
            part.locator("summary").click()
            rows = truth.rows(
                "SELECT theme, measure, value, reliability, status FROM {indicators} "
                "WHERE role = ? ORDER BY position", role,
            )  # fmt: skip
            lines = part.locator("li").all_inner_texts()
            assert len(lines) == len(rows) > 0
            titles = {name: title for title, (name, _) in truth.themes.items()}
            for line, (theme, measure, value, grade, status) in zip(lines, rows, strict=True):
                assert line.startswith(f"{titles[str(theme)]} : " if theme else ""), line
                assert ("abstention, " in line) == (status != "ok"), line
                if status == "ok":
                    assert line.endswith(f"(fiabilité {grade})"), line
                if status == "ok" and measure != "change":
                    told = f"{float(str(value)):,.0f}".replace(",", "\u202f")
                    assert f" : {told} " in line, line
        drills = app.options("Exercice")
        assert drills[0] == "aucun"
        assert len(drills) > 1
        for drill in [*drills[1:], drills[0]]:
            page.get_by_label("Exercice").select_option(index=drills.index(drill))
            exercise = page.get_by_text("EXERCICE, rien ne s'est passé")
            if drill == "aucun":
                exercise.first.wait_for(state="detached")
                continue
            sheet = page.locator(".app-folded", has_text="Exercice : fiche réflexe")
            sheet.get_by_role("heading", name=drill).wait_for()
            assert exercise.count() == 1
    log.assert_clean()


FAILING = """
import os

os.chdir({root!r})
from helpers.situation import levels

assess = levels.assess

def failing(con, city, theme, *rest):
    if theme == list(city.themes)[1]:
        raise ValueError("chemin interne")
    return assess(con, city, theme, *rest)

levels.assess = failing
"""


@needs_chromium
def test_a_choice_that_fails_is_said_and_the_next_one_recovers(
    built: Place, tmp_path: Path
) -> None:
    notebook = json.loads((built.root / "notebooks/apps/situation.ipynb").read_text("utf-8"))
    failing = {"cell_type": "code", "id": "essai", "metadata": {}, "outputs": [],
               "execution_count": None, "source": FAILING.format(root=str(built.root))}  # fmt: skip
    notebook["cells"].insert(-1, failing)
    page_path, said = tmp_path / "essai.ipynb", tmp_path / "serveur.log"
    page_path.write_text(json.dumps(notebook), "utf-8")
    env = {"PHARE_CITY": CITY, "PYTHONPATH": str(built.root / "src")}
    with serve(page_path, env, said) as url, open_page(url) as (page, log):
        wait_ready(page)
        drawing(page, "map")
        app = App(page, Truth(built))
        app.check()
        before = page.locator(".app-words").inner_text()
        page.get_by_label("Thème").select_option(index=1)
        alert = page.get_by_role("alert")
        alert.get_by_text("Ce choix n'a pas pu être affiché.").wait_for()
        assert page.locator(".app-stale .app-words").inner_text() == before
        assert page.locator(".app-panel.app-stale").count() == 3
        faded = "e => Number(getComputedStyle(e).opacity)"
        for stale in page.locator(".app-stale").all():
            assert stale.evaluate(faded) < 0.6
        for leak in ("ValueError", "chemin interne", "Traceback"):
            assert leak not in page.content()
            assert leak in said.read_text("utf-8")
        app.choose(theme=app.options("Thème")[2].partition(" · ")[2])
        assert alert.count() == 0
    log.assert_clean()
