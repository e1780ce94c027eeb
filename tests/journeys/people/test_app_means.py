"""The director's chair: where hours go, what if crews are missing, what is decided of it.

The tables are read in plain SQL, the register in plain SQLite: nothing of ours.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from helpers.apps.means import Means
from helpers.apps.shell import Shell
from tests.fixtures.browser import needs_chromium, open_page, serve
from tests.journeys.people.test_app_access import Clicks, rows_of, settle, taken
from tests.journeys.people.test_app_situation import SCREEN, SMALL, bottom
from tests.journeys.place import CITY, Place

if TYPE_CHECKING:
    from playwright.sync_api import Page

SAID = "#rendered_cells .app-words"
OTHER = "#rendered_cells .app-assumed:has(h2:text('Et si')) .app-resized"
DECIDED = "#rendered_cells .app-assumed:has(h2:text('Décider'))"
DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
HOURS = {"matin": 7, "apres_midi": 6, "soir": 4, "nuit": 7}  # 6 h, 13 h, 19 h, 23 h
TITLES = {"matin": "matin", "apres_midi": "après-midi", "soir": "soir", "nuit": "nuit"}


@pytest.fixture(scope="module")
def url(built: Place) -> Iterator[str]:
    """The list of pages."""
    env = {"PHARE_CITY": CITY, "PYTHONPATH": str(built.root / "src")}
    with serve(built.root / "notebooks/apps", env) as url:
        yield url


def plain(text: str) -> str:
    return text.replace("\u202f", "").replace("\u00a0", " ")


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).select_option(label=option)


def entered(built: Place) -> list[tuple[Any, ...]]:
    """Return what the register's file holds."""
    file = built.root / f"data/.registers/{CITY}.sqlite"
    with sqlite3.connect(file) as base:
        return base.execute(
            "SELECT seq, role, kind, subject, payload, supersedes FROM entries ORDER BY seq"
        ).fetchall()


@needs_chromium
@pytest.mark.parametrize("size", [SCREEN, SMALL])
def test_where_hours_go_is_what_the_tables_say(
    built: Place, url: str, size: tuple[int, int]
) -> None:
    (sums,) = built.results("allocation", "SELECT sum(today_h) AS now, sum(planned_h) AS then, "
                   "sum(greatest(planned_h - today_h, 0)) AS moved FROM {plan}")  # fmt: skip
    (row,) = built.results("allocation", "SELECT * FROM {summary}")
    over = built.results("allocation", "SELECT weekday, slot FROM {plan} GROUP BY ALL "
                "HAVING sum(planned_h) > sum(today_h)")  # fmt: skip
    assert over == []
    with open_page(f"{url}voila/render/moyens.ipynb", size) as (page, log):
        settle(page)
        said = plain(page.locator(SAID).inner_text())
        if row["moved"]:
            assert f"{sums['now']} heures d'équipe" in said
            assert f"en changer {sums['moved']} de zone" in said
            assert f"de {row['met_today'][1]:.0f} à {row['met_planned'][1]:.0f} " in said
        assert bottom(page, SAID) <= size[1]
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        _, text = taken(page, page.locator("#rendered_cells .app-moved .app-keep a"))
        kept = rows_of(text)
        assert sum(int(one["heures d'équipe au plan"]) for one in kept) == sums["then"]
        assert sum(int(one["heures d'équipe aujourd'hui"]) for one in kept) == sums["now"]
        if size == SCREEN:
            frame = page.locator("#rendered_cells .app-wide svg.map")
            assert bottom(page, ".app-wide svg.map") <= size[1]
            changed = built.results("allocation", "SELECT zone FROM {plan} GROUP BY ALL "
                           "HAVING sum(planned_h) <> sum(today_h)")  # fmt: skip
            assert frame.count() == 1
            assert frame.locator(".map-label").count() <= len(changed)
    log.assert_clean()


@needs_chromium
def test_what_if_two_crews_are_missing_in_three_clicks(built: Place, url: str) -> None:
    """The page, two teams, the slot with most hours; hours that are left are never exceeded."""
    (most, *_) = built.results(
        "allocation",
        "SELECT weekday, slot, sum(today_h)::INT AS hours FROM {plan} "
        "GROUP BY ALL ORDER BY hours DESC, weekday, slot",
    )
    lost = min(2 * HOURS[most["slot"]], most["hours"])
    (whole,) = built.results("allocation", "SELECT sum(today_h)::INT AS n FROM {plan}")
    with open_page(url) as (page, log):
        hand = Clicks(page)
        hand.on(page.get_by_role("link", name=re.compile("^Moyens")))
        page.get_by_label("Équipes absentes", exact=True).wait_for()
        settle(page)
        choose(page, "Équipes absentes", "2\u00a0équipes")
        when = f"{DAYS[most['weekday']]}, {TITLES[most['slot']]}"
        choose(page, "Quand", when)
        hand.n += 2
        page.locator(OTHER, has_text=f"2\u00a0équipes de moins, {when}").wait_for()
        assert hand.n <= 3
        said = plain(page.locator(OTHER).inner_text())
        assert f"(−{lost} heures)" in said
        used, left = re.findall(r"emploie (\d+) heures d'équipe des (\d+) qui restent", said)[0]
        assert int(left) == whole["n"] - lost
        assert int(used) <= int(left)
        foot = page.locator("#rendered_cells .app-assumed:has(h2:text('Et si')) .app-keep a")
        _, text = taken(page, foot)
        differ = rows_of(text)
        fewer = [
            int(one["écart"].lstrip("'"))
            for one in differ
            if (one["jour"], one["plage"]) == (DAYS[most["weekday"]], TITLES[most["slot"]])
        ]
        (slot,) = built.results(
            "allocation",
            "SELECT sum(planned_h)::INT AS n FROM {plan} WHERE weekday = ? AND slot = ?",
            most["weekday"],
            most["slot"],
        )
        assert slot["n"] + sum(fewer) <= most["hours"] - lost
        assert page.locator(f"{OTHER} + .app-scroll tbody tr").count() == min(12, len(differ))
    log.assert_clean()


@needs_chromium
def test_a_recommendation_is_decided_and_stays(built: Place, url: str) -> None:
    """Entered for real by a page's process, refused without a reason, read fresh by the next."""
    shutil.rmtree(built.root / "data/.registers", ignore_errors=True)
    (built.root / "data/.registers").mkdir()
    many = built.results(
        "allocation",
        "SELECT * FROM {recommendations} ORDER BY abs(planned_h - today_h) DESC, zone, slot",
    )
    address = f"{url}voila/render/moyens.ipynb"
    with open_page(address) as (page, log):
        settle(page)
        shown = page.locator(DECIDED)
        page.get_by_text("Aucune des").wait_for()
        assert "Phare ne le vérifie pas" in shown.inner_text()
        enter = page.get_by_role("button", name="Inscrire au registre")
        enter.click()
        page.get_by_text("À choisir d'abord : recommandation, décision, rôle").wait_for()
        page.get_by_label("Recommandation", exact=True).select_option(index=1)
        choose(page, "Décision", "Refuser")
        choose(page, "Rôle", "Direction")
        enter.click()
        page.get_by_text("À choisir d'abord : motif").wait_for()
        assert entered(built) == []
        choose(page, "Motif", "autre priorité")
        enter.click()
        page.get_by_text("Inscrit sous le numéro 1").wait_for()
        enter.click()
        page.get_by_text("déjà inscrite").wait_for()
        choose(page, "Décision", "Accepter")
        enter.click()
        page.get_by_text("Inscrit sous le numéro 2").wait_for()
    log.assert_clean()
    first, second = entered(built)
    subject = many[0]["recommendation"]
    assert first[:4] == (1, "direction", "recommendation", subject)
    assert first[4] == '{"kind":"recommendation","reason":"autre_priorite","verdict":"refused"}'
    assert second[3:] == (subject, '{"kind":"recommendation","verdict":"accepted"}', 1)
    with open_page(address) as (page, log):
        settle(page)
        line = page.locator(f"{DECIDED} tbody tr")
        line.first.wait_for()
        assert line.count() == 1
        told = plain(line.inner_text())
        assert "acceptée" in told
        assert "Direction" in told
        assert f"{many[0]['today_h']} → {many[0]['planned_h']} h" in told
    log.assert_clean()


@needs_chromium
def test_what_the_register_refuses_is_a_sentence(built: Place, url: str) -> None:
    """Another entry in force, written by another meanwhile; then a file that is none."""
    held = built.root / "data/.registers"
    shutil.rmtree(held, ignore_errors=True)
    held.mkdir()
    with open_page(f"{url}voila/render/moyens.ipynb") as (page, log):
        settle(page)
        page.get_by_text("Aucune des").wait_for()
        for file in held.iterdir():
            file.unlink()
        (held / f"{CITY}.sqlite").write_bytes(b"this is no register at all, and never was one" * 99)
        page.get_by_label("Recommandation", exact=True).select_option(index=1)
        choose(page, "Décision", "Accepter")
        choose(page, "Rôle", "Élu")
        page.get_by_role("button", name="Inscrire au registre").click()
        told = page.locator(f"{DECIDED} .app-failed", has_text="La décision n'est pas inscrite")
        told.wait_for()
        assert "fichier abîmé" in told.inner_text()
    log.assert_clean()
    shutil.rmtree(held)
    held.mkdir()


def test_hours_are_never_exceeded_whatever_is_chosen(
    built: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each value of each control, the others as they were: by plain sums of the plan."""
    monkeypatch.chdir(built.root)
    shell = Shell(CITY, Means)
    assert shell.page is not None
    (box,) = [one for one in shell.page.widget.children if hasattr(one, "what_if")]
    there = "SELECT weekday, slot, sum(today_h)::INT AS n FROM {plan} GROUP BY ALL"
    exists = {(one["weekday"], one["slot"]): one["n"] for one in built.results("allocation", there)}
    answers = []
    held = box.what_if.answer
    monkeypatch.setattr(box.what_if, "answer", lambda asked: answers.append(held(asked)) or
                        answers[-1])  # fmt: skip
    box.missing.value = 2
    for control in (box.missing, box.when, box.least, box.most, box.band):
        before = control.value
        for _, value in control.options:
            control.value = value
        control.value = before
    assert len(answers) > 30
    for found in answers:
        assert found.planned is not None or found.conflicts
        if found.planned is not None:
            for t, at in enumerate(box.week.slots):
                assert found.planned[:, t].sum() <= exists[at] - found.lost[t]
                assert (found.planned[:, t] >= 0).all()
