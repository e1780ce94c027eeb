"""The director's chair: where hours go, what if crews are missing, what is decided of it.

The tables are read in plain SQL, the register in plain SQLite: nothing of ours.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from helpers.apps.means import Means
from helpers.apps.shell import Shell
from tests.fixtures.browser import needs_chromium, open_page
from tests.journeys.people.pages import (
    SCREEN,
    SMALL,
    Clicks,
    bottom,
    choose,
    entered,
    plain,
    rows_of,
    settle,
    taken,
)
from tests.journeys.place import CITY, Place

if TYPE_CHECKING:
    pass

SAID = "#rendered_cells .app-words"
OTHER = "#rendered_cells .app-assumed:has(h2:text('Et si')) .app-resized"
DECIDED = "#rendered_cells .app-assumed:has(h2:text('Décider'))"
DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
HOURS = {"matin": 7, "apres_midi": 6, "soir": 4, "nuit": 7}  # 6 h, 13 h, 19 h, 23 h
TITLES = {"matin": "matin", "apres_midi": "après-midi", "soir": "soir", "nuit": "nuit"}


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
    hours = many[0]["planned_h"]
    assert json.loads(first[4]) == {"kind": "recommendation", "reason": "autre_priorite",
                                    "proposed": hours, "verdict": "refused"}  # fmt: skip
    assert second[3] == subject
    assert second[5] == 1
    assert json.loads(second[4]) == {"kind": "recommendation", "verdict": "accepted",
                                     "proposed": hours, "decided": hours}  # fmt: skip
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
def test_a_changed_recommendation_keeps_both_numbers(built: Place, url: str) -> None:
    """What was recommended, what was decided, why, by which role, when: in the file and shown."""
    shutil.rmtree(built.root / "data/.registers", ignore_errors=True)
    (built.root / "data/.registers").mkdir()
    many = built.results(
        "allocation",
        "SELECT * FROM {recommendations} ORDER BY abs(planned_h - today_h) DESC, zone, slot",
    )
    address = f"{url}voila/render/moyens.ipynb"
    # Of hours that are some: the page tells those chosen from none chosen yet.
    at, one = next((i, row) for i, row in enumerate(many) if row["planned_h"])
    hours = one["planned_h"]
    with open_page(address) as (page, log):
        settle(page)
        page.get_by_text("Aucune des").wait_for()
        asked = page.get_by_label("Heures décidées, par semaine", exact=True)
        assert not asked.is_visible()
        choose(page, "Décision", "Changer")
        page.get_by_label("Recommandation", exact=True).select_option(index=at + 1)
        choose(page, "Motif", "connaissance du terrain")
        choose(page, "Rôle", "Chef de service")
        asked.wait_for()
        page.wait_for_function("(e) => e.value !== '0'", arg=asked.element_handle())
        assert asked.input_value() == str(hours)
        enter = page.get_by_role("button", name="Inscrire au registre")
        enter.click()
        page.get_by_text("un nombre d'heures autre que celui recommandé").wait_for()
        assert entered(built) == []
        asked.fill(str(hours + 3))
        asked.press("Tab")
        enter.click()
        done = page.get_by_text("Inscrit sous le numéro 1")
        done.wait_for()
        assert f"{hours + 3} h au lieu de {hours} h" in plain(done.inner_text())
    log.assert_clean()
    ((seq, role, kind, subject, payload, _),) = entered(built)
    assert (seq, role, kind) == (1, "chef_de_service", "recommendation")
    assert subject == one["recommendation"]
    assert json.loads(payload) == {
        "kind": "recommendation", "verdict": "changed", "reason": "connaissance_du_terrain",
        "proposed": hours, "decided": hours + 3,
    }  # fmt: skip
    with open_page(address) as (page, log):
        settle(page)
        line = page.locator(f"{DECIDED} tbody tr")
        line.first.wait_for()
        cells = [plain(one) for one in line.locator("th, td").all_inner_texts()]
        assert cells[1:6] == ["changée", f"{hours} h", f"{hours + 3} h",
                              "connaissance du terrain", "Chef de service"]  # fmt: skip
        assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d", cells[6])
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
