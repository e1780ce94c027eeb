"""The mayor's chair: what was decided, done and obtained; did it work; what is to be decided.

The tables are read in plain SQL, the register in plain SQLite: nothing of ours.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

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
    from playwright.sync_api import Page

SAID = "#rendered_cells .app-words"
LISTED = "#rendered_cells .app-listed tbody tr"
DECIDED = "#rendered_cells .app-assumed:has(h2:text('Décider'))"
NAVIGATION = "#rendered_cells .app-heading ul"
TIERS = {"prevention": "prévention", "dissuasion": "dissuasion", "repression": "répression"}
VERDICTS = {"effet": "Effet", "pas_d_effet_demontre": "pas d'effet démontré",
            "non_concluant": "non concluant", "aucun": "pas encore de verdict"}  # fmt: skip
STATES = {"proposed": "proposée", "approved": "approuvée et à venir", "running": "en cours",
          "off": "éteinte", "refused": "refusée", "unregistered": "non enregistrée"}  # fmt: skip
# An action beside its effect; `tables` holds those of two stages.
BESIDE = (
    "SELECT a.*, coalesce(e.verdict, 'aucun') AS verdict, e.ratio, e.low, e.high, e.reason, "
    'coalesce(a.end_in_force, a."end") AS last, '
    "coalesce(a.exploratory, '') <> '' OR coalesce(e.exploratory, false) AS doubtful "
    "FROM {actions} a LEFT JOIN '{effects}' e ON e.scope = 'action' AND e.key = a.action "
)


def actions(built: Place, where: str = "true") -> list[dict[str, Any]]:
    """Return the actions, each beside its effect, for which `where` holds."""
    effects = str(built.data / "derived/impact/effects.parquet")
    query = BESIDE.replace("{effects}", effects) + f"WHERE {where} ORDER BY a.action"
    return built.results("actions", query)


def change(ratio: float) -> str:
    """Return a ratio as a French reader reads its change."""
    text = f"{100 * (ratio - 1):+.1f}".replace(".", ",").replace("-", "−")
    return f"{text}%"


def compared(page: Page, rows: list[dict[str, Any]]) -> None:
    """Hold the sentence, the tiles and the table against the rows of the choice."""
    said = plain(page.locator(SAID).inner_text())
    if not rows:
        assert said.startswith("Aucune action ne répond à ce choix")
        assert page.locator(LISTED).count() == 0
        return
    assert said.startswith(f"{len(rows)} action{'s' if len(rows) > 1 else ''} au ")
    for tier, told in TIERS.items():
        n = sum(row["tier"] == tier for row in rows)
        assert (f"{n} de {told}" in said) == bool(n), tier
    for verdict, told in VERDICTS.items():
        own = [row for row in rows if row["verdict"] == verdict]
        found = re.search(rf"{told} : (\d+)(?: \(([^)]*)\))?", said, re.IGNORECASE)
        assert found is not None, told
        assert int(found[1]) == len(own), told
        doubtful = sum(row["doubtful"] for row in own)
        if verdict != "aucun":
            assert bool(found[2]) == bool(doubtful), told
    lines = page.locator(LISTED).all_inner_texts()
    names = {line.split("\t")[0] for line in lines}
    assert names == {row["action"] for row in rows}


def waits(built: Place) -> dict[str, int]:
    """Return how many actions ask for each decision, by plain rules."""
    (told,) = built.results("results", "SELECT today FROM {register}")
    today = told["today"].isoformat()
    proposed = actions(built, "a.state = 'proposed'")
    soon = actions(built, f"a.state = 'running' AND coalesce(a.end_in_force, a.\"end\") <= "
                          f"DATE '{today}' + 28")  # fmt: skip
    past = actions(built, f"a.state = 'off' AND a.approvals >= 2 AND coalesce(a.end_in_force, "
                          f"a.\"end\") >= DATE '{today}' - 92")  # fmt: skip
    return {"à approuver": len(proposed), "28 jours": len(soon), "vient de passer": len(past)}


@needs_chromium
@pytest.mark.parametrize("size", [SCREEN, SMALL])
def test_the_first_fold_is_the_answer(built: Place, url: str, size: tuple[int, int]) -> None:
    rows = actions(built)
    with open_page(f"{url}voila/render/actions_et_resultats.ipynb", size) as (page, log):
        settle(page)
        compared(page, rows)
        said = plain(page.locator(SAID).inner_text())
        for told, n in waits(built).items():
            assert (told in said) == bool(n), told
            if n:
                assert re.search(rf"\b{n} [^,.]*{told}", said), told
        assert bottom(page, SAID) <= size[1]
        assert bottom(page, "#rendered_cells .app-tiles") <= size[1]
        tiles = page.locator("#rendered_cells .app-tiles li")
        assert 4 <= tiles.count() <= 8
        (whole,) = built.results("impact", "SELECT * FROM {effects} WHERE scope = 'all'")
        first = plain(tiles.first.inner_text())
        if not whole["reason"]:
            assert change(whole["ratio"]) in first
            assert f"de {change(whole['low'])} à {change(whole['high'])}" in first
        assert "exploratoire" in first
        titles = [one.inner_text() for one in tiles.locator("h3").all()]
        for title in ("Effet", "Pas d'effet démontré", "Non concluant", "Pas de verdict"):
            assert title in titles
        if size == SCREEN:
            assert bottom(page, "#rendered_cells .app-cards li") <= size[1]
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    log.assert_clean()


@needs_chromium
@pytest.mark.parametrize("wide", [1200, 1280])
def test_all_pages_are_named_in_one_line_of_a_wide_screen(url: str, wide: int) -> None:
    with open_page(f"{url}voila/render/actions_et_resultats.ipynb", (wide, 800)) as (page, _):
        settle(page)
        told = page.evaluate(
            "(selector) => { const ul = document.querySelector(selector);"
            "return [ul.scrollWidth <= ul.clientWidth, ul.getBoundingClientRect().height,"
            "[...ul.querySelectorAll('li')].every((e) => e.getBoundingClientRect().top === "
            "ul.firstElementChild.getBoundingClientRect().top)]; }",
            NAVIGATION,
        )
        assert told[0], "some pages are out of sight"
        assert told[1] < 40
        assert told[2]
        heading = page.get_by_role("heading", level=1).inner_text()
        assert heading.startswith("Actions et résultats")


@needs_chromium
def test_every_control_with_every_kind_of_value(built: Place, url: str) -> None:
    every = actions(built)
    zone, sector = (next(row[name] for row in every if row[name]) for name in ("zone", "sector"))
    tried: list[tuple[str, str, str]] = [
        ("Palier", "palier", one) for one in ("", *TIERS, "inconnu")
    ]
    tried += [("État", "etat", f"etat-{one}") for one in STATES]
    tried += [("État", "etat", f"verdict-{one}") for one in VERDICTS]
    tried += [("État", "etat", "")]
    tried += [("Thème", "theme", one) for one in sorted({row["theme"] for row in every})]
    tried += [("Thème", "theme", ""), ("Territoire", "territoire", f"quartiers/{zone}"),
              ("Territoire", "territoire", f"arrondissements/{sector}"),
              ("Territoire", "territoire", "quartiers")]  # fmt: skip
    kinds = {
        "palier": "coalesce(a.tier, 'inconnu') = '{}'", "theme": "a.theme = '{}'",
        "etat": "(a.state = substr('{0}', 6) OR coalesce(e.verdict, 'aucun') = substr('{0}', 9))",
    }  # fmt: skip
    with open_page(f"{url}voila/render/actions_et_resultats.ipynb") as (page, log):
        settle(page)
        offered = page.get_by_label("Thème", exact=True)
        values = {
            name: page.get_by_label(label, exact=True).locator("option").all_text_contents()
            for label, name in (("Palier", "palier"), ("État", "etat"))
        }
        assert len(values["palier"]) == 5
        assert len(values["etat"]) == 2 + len(STATES) + len(VERDICTS)
        assert offered.locator("option").count() > 1
        chosen: dict[str, str] = {}
        for _, name, value in tried:
            chosen = {**chosen, name: value}
            if name != "territoire" or value == "quartiers":
                chosen.pop("territoire", None)
            query = "&".join(f"{k}={v}" for k, v in chosen.items() if v)
            page.goto(f"{url}voila/render/actions_et_resultats.ipynb?{query}")
            settle(page)
            page.wait_for_function(
                "(query) => [...new URLSearchParams(query)].every(([k, v]) => new URLSearchParams("
                "document.querySelector('.app-heading').dataset.query).get(k) === v)",
                arg=query,
            )
            parts = [kinds[k].format(v) for k, v in chosen.items() if v and k in kinds]
            where = chosen.get("territoire", "")
            if where.startswith("quartiers/"):
                parts.append(f"a.zone = '{zone}'")
            elif where:
                parts.append(f"a.sector = '{sector}'")
            compared(page, actions(built, " AND ".join(parts) or "true"))
            if value == "" and name in ("palier", "etat", "theme"):
                chosen.pop(name)
        # By hand: the table follows the control, and the address says it.
        choose(page, "Palier", "Prévention")
        page.wait_for_function("() => location.search.includes('palier=prevention')")
        compared(page, actions(built, "a.tier = 'prevention'"))
        choose(page, "État", "À décider maintenant")
        page.wait_for_function("() => location.search.includes('etat=a_decider')")
        n = len(actions(built, "a.tier = 'prevention' AND a.state = 'proposed'"))
        if n:
            assert page.locator(LISTED).count() >= n
    assert (log.blocked, log.errors) == ([], [])


@needs_chromium
def test_did_the_lighting_action_work_in_three_clicks(built: Place, url: str) -> None:
    (row, *_) = actions(built, "a.response = 'amenagement_eclairage'")
    words = {"effet": "effet", "pas_d_effet_demontre": "pas d'effet démontré",
             "non_concluant": "non concluant", "aucun": "aucun verdict"}  # fmt: skip
    with open_page(url) as (page, log):
        hand = Clicks(page)
        hand.on(page.get_by_role("link", name=re.compile("^Actions et résultats")))
        control = page.get_by_label("Action", exact=True)
        control.locator("option").nth(1).wait_for(state="attached")
        label = next(one for one in control.locator("option").all_text_contents()
                     if one.startswith(row["action"]))  # fmt: skip
        assert "éclairage" in label
        hand.take("Action", label)
        page.locator(SAID, has_text=row["action"]).wait_for()
        assert hand.n <= 3
        said = plain(page.locator(SAID).inner_text())
        assert words[row["verdict"]] in said
        if row["ratio"] is not None:
            assert change(row["ratio"]) in said
            assert f"de {change(row['low'])} à {change(row['high'])}" in said
        assert ("exploratoire" in said) == row["doubtful"]
        assert bottom(page, SAID) <= SCREEN[1]
    assert (log.blocked, log.errors) == ([], [])


def other_readings(built: Place, row: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Return, by plain counting, what is told of an action's other readings: the line, the table.

    Six designs; a way is told by the ends of an interval, around 0 of what counts facts, 1 else.
    """
    found = built.results(
        "impact",
        "SELECT * FROM {beside} WHERE key = ? AND design <> 'month_before'", row["action"],
    )  # fmt: skip
    assert len(found) == 6
    ways = {"down": 0, "up": 0, "unclear": 0}
    table = {}
    for one in (one for one in found if not one["reason"]):
        facts = one["design"] == "weighted_displacement"
        ways["down" if one["high"] < (not facts) else "up" if one["low"] > (not facts) else
             "unclear"] += 1  # fmt: skip
        if facts:
            low, high = (f"{one[n]:+.0f}".replace("-", "−").replace("+0", "0").replace("−0", "0")
                         for n in ("low", "high"))  # fmt: skip
            table[one["design"]] = f"faits (de {low} à {high})"
        else:
            table[one["design"]] = f"{change(one['value'])} (de {change(one['low'])} à " \
                                   f"{change(one['high'])})"  # fmt: skip
    own = "down" if row["high"] < 1 else "up" if row["low"] > 1 else "unclear"
    n, of = ways[own], sum(ways.values())
    return (f"{n} lecture{'s' if n > 1 else ''} sur {of} " if n else f"aucune des {of} lectures",
            table)  # fmt: skip


@needs_chromium
def test_other_readings_stand_by_the_verdict_and_open(built: Place, url: str) -> None:
    """Of an action that has a number: the line is a plain count, each number has its interval.

    Of one that has none, nothing was read otherwise, and nothing is said of it.
    """
    address = f"{url}voila/render/actions_et_resultats.ipynb"
    judged = actions(built, "e.ratio IS NOT NULL")
    (without, *_) = actions(built, "e.ratio IS NULL")
    with open_page(f"{address}?action={without['action']}") as (page, log):
        settle(page)
        page.locator(SAID, has_text=without["action"]).wait_for()
        assert page.get_by_text("aussi autrement").count() == 0
        for row in judged[:1]:
            line, table = other_readings(built, row)
            page.goto(f"{address}?action={row['action']}")
            settle(page)
            page.locator(SAID, has_text=row["action"]).wait_for()
            said = plain(page.locator(SAID).inner_text())
            assert f"Lue aussi autrement : {line if table else 'aucune lecture possible'}" in said
            held = page.locator(".app-thread details")
            assert not held.locator("table").is_visible()
            held.locator("summary").click()
            told = plain(held.locator("table").inner_text())
            assert [name for name, cell in table.items() if cell not in told] == []
            assert held.locator("tbody tr").count() == 6
        page.goto(address)
        settle(page)
        whole = page.locator(".app-judged details")
        assert whole.count() == bool(judged)
        for fold in whole.all():
            fold.locator("summary").click()
            (dose,) = built.results("results", "SELECT * FROM {by_dose}")
            shown = fold.inner_text()
            assert "Selon la dose" in shown
            assert ("rien n'est dit" in shown) == bool(dose["reason"])
    assert (log.blocked, log.errors) == ([], [])


@needs_chromium
def test_a_thread_goes_from_the_problem_to_what_followed(built: Place, url: str) -> None:
    """One that was refused, one with a dose measured: what the page says, and what tables say."""
    (refused, *_) = actions(built, "a.state = 'refused'")
    doses = built.results("actions", "SELECT * FROM {doses} WHERE reason = '' ORDER BY action")
    address = f"{url}voila/render/actions_et_resultats.ipynb?action="
    with open_page(f"{address}{refused['action']}") as (page, log):
        settle(page)
        page.locator(SAID, has_text=refused["action"]).wait_for()
        steps = [one.inner_text() for one in page.locator(".app-thread h3").all()]
        assert [one.partition(". ")[2] for one in steps] == [
            "Le problème", "La décision", "La dose", "Le verdict", "Ce qui a suivi"
        ]  # fmt: skip
        told = plain(page.locator(".app-thread").inner_text())
        (problem,) = built.results(
            "problems", "SELECT * FROM {files} WHERE problem = ?", refused["problem"]
        )
        assert refused["problem"] in told
        assert f"{problem['recent']} faits" in told
        against = built.results(
            "results", "SELECT * FROM {steps} WHERE action = ? AND decision = 'refused'",
            refused["action"],
        )  # fmt: skip
        assert len(against) == 1
        assert "Contre : " in told
        assert ("sans motif inscrit" in told) == (against[0]["motive"] is None)
        assert "quand ?" in page.locator(".app-effect h2").inner_text().lower()
        row = doses[0]
        page.goto(f"{address}{row['action']}")
        settle(page)
        page.locator(SAID, has_text=row["action"]).wait_for()
        told = plain(page.locator(".app-thread").inner_text())
        assert f"faite {row['done_h']:.0f} h (de {row['done_low']:.0f} à " in told
        file, text = taken(page, page.locator("#rendered_cells .app-effect .app-keep a"))
        assert row["action"] in file
        (kept,) = rows_of(text)
        judged = actions(built, f"a.action = '{row['action']}'")[0]
        assert (kept["rapport"] == "") == (judged["ratio"] is None)
        proof = page.locator("#rendered_cells .app-effect .app-evidence a")
        _, proved = taken(page, proof)
        assert json.loads(proved)["passport"] == proof.inner_text()
    assert (log.blocked, log.errors) == ([], [])


@needs_chromium
def test_the_account_is_the_one_of_the_results(built: Place, url: str) -> None:
    (whole,) = built.results("results", "SELECT * FROM {sums} WHERE \"by\" = 'all'")
    with open_page(f"{url}voila/render/actions_et_resultats.ipynb") as (page, log):
        settle(page)
        page.locator("#rendered_cells details", has_text="Par palier").locator("summary").click()
        table = page.locator("#rendered_cells details table").first
        lines = [line.split("\t") for line in table.locator("tbody tr").all_inner_texts()]
        tiers = built.results("results", "SELECT * FROM {sums} WHERE \"by\" = 'tier'")
        assert {line[0]: int(line[1]) for line in lines} == {
            TIERS[row["key"]]: row["actions"] for row in tiers
        }
        for row in tiers:
            shown = next(line for line in lines if line[0] == TIERS[row["key"]])
            for at, name in ((2, "planned"), (3, "done")):
                told = "non connues" if row[name] is None else f"{row[name]:.0f}"
                if name == "done" and row[name] is not None:
                    told += f" (de {row['done_low']:.0f} à {row['done_high']:.0f})"
                assert plain(shown[at]) == told, (row["key"], name)
        if whole["done"] is not None:
            tile = plain(page.locator("#rendered_cells .app-tiles").inner_text())
            assert f"{whole['done']:.0f} h faites" in tile
        file, page_of = taken(page, page.get_by_role("link", name="la page du conseil local"))
        assert page_of == (built.data / "derived/problems/conseil/ville.html").read_bytes()
        assert file.endswith(".html")
        _, kept = taken(page, page.locator("#rendered_cells .app-hours .app-keep a"))
        rows = built.results("results", "SELECT * FROM {account}")
        assert len(rows_of(kept)) == len(rows)
    log.assert_clean()


@needs_chromium
def test_a_link_to_an_action_that_is_not_there_is_refused(built: Place, url: str) -> None:
    asked = "action=ACT-999&etat=%3Cscript%3E&palier=prevention"
    with open_page(f"{url}voila/render/actions_et_resultats.ipynb?{asked}") as (page, log):
        settle(page)
        page.get_by_text("Le lien demandait ce qui n'existe pas").wait_for()
        compared(page, actions(built, "a.tier = 'prevention'"))
    log.assert_clean()


# --- Decided ---------------------------------------------------------------------------------


def enter(built: Place, role: str, subject: str, **payload: Any) -> None:
    """Enter a draft by the command, as a person would."""
    file = built.root / "decision.json"
    file.write_text(json.dumps({"role": role, "subject": subject, "payload": payload}), "utf-8")
    done = built.python("helpers.workshop.register", CITY, "--add", str(file))
    file.unlink()
    assert done.returncode == 0, done.stderr


def asked_in_turn(built: Place, page: Page) -> None:
    """Decide of the one action of the register: each refusal is a sentence, then an entry."""
    shown = page.locator(DECIDED)
    button = page.get_by_role("button", name="Inscrire au registre")
    button.click()
    page.get_by_text("À choisir d'abord : action à décider, décision, rôle").wait_for()
    page.get_by_label("Action à décider", exact=True).select_option(index=1)
    choose(page, "Décision", "Approuver")
    choose(page, "Rôle", "Chef de service")
    button.click()
    shown.locator(".app-failed", has_text="n'approuve pas sa propre").wait_for()
    choose(page, "Rôle", "Direction")
    button.click()
    page.get_by_text("Inscrit sous le numéro 3").wait_for()
    button.click()
    page.get_by_text("déjà inscrite").wait_for()
    choose(page, "Décision", "Refuser")
    choose(page, "Rôle", "Élu")
    button.click()
    page.get_by_text("À choisir d'abord : motif").wait_for()
    assert len(entered(built)) == 3
    choose(page, "Motif", "autre priorité")
    button.click()
    page.get_by_text("Inscrit sous le numéro 4 : ACT-901, refusée").wait_for()
    choose(page, "Décision", "Prolonger")
    button.click()
    page.get_by_text("À choisir d'abord : prolonger").wait_for()
    choose(page, "Prolonger", "de 8\u00a0semaines")
    choose(page, "Rôle", "Direction")
    button.click()
    page.get_by_text("Inscrit sous le numéro 5").wait_for()


@needs_chromium
def test_actions_are_approved_refused_and_put_off(built: Place, url: str) -> None:
    """Entered for real; refused without a reason, or by who proposed it; read by the next page."""
    shutil.rmtree(built.root / "data/.registers", ignore_errors=True)
    (built.root / "data/.registers").mkdir()
    address = f"{url}voila/render/actions_et_resultats.ipynb"
    with open_page(address) as (page, log):
        settle(page)
        page.get_by_text("Ce registre n'a encore aucune action").wait_for()
        assert "instantané" in page.locator(DECIDED).inner_text()
    log.assert_clean()
    today = dt.datetime.now(dt.UTC).date()
    end = today + dt.timedelta(days=30)
    held = {"goal": "baisse_des_faits", "criterion": {"theme": "bruit", "fall": 0.2},
            "least_effect": 0.2, "end": end.isoformat()}  # fmt: skip
    enter(built, "analyste", "PB-901", kind="problem", **held)
    enter(built, "chef_de_service", "ACT-901", kind="action", problem="PB-901", tier="prevention",
          start=today.isoformat(), **held)  # fmt: skip
    with open_page(address) as (page, log):
        settle(page)
        page.locator(f"{DECIDED} td", has_text="ACT-901").wait_for()
        assert "Phare ne le vérifie pas" in page.locator(DECIDED).inner_text()
        asked_in_turn(built, page)
    log.assert_clean()
    _, _, approved, refused, renewed = entered(built)
    assert approved[1:4] == ("direction", "approval", "ACT-901")
    assert json.loads(approved[4]) == {"kind": "approval", "entry": 2, "opinion": "approved"}
    assert json.loads(refused[4]) == {
        "kind": "approval", "entry": 2, "opinion": "refused", "reason": "autre_priorite"
    }  # fmt: skip
    assert refused[1] == "elu"
    told = json.loads(renewed[4])
    assert told["end"] == (end + dt.timedelta(weeks=8)).isoformat()
    assert {k: v for k, v in told.items() if k != "end"} == {
        k: v for k, v in json.loads(entered(built)[1][4]).items() if k != "end"
    }
    assert renewed[5] == 2
    with open_page(f"{address}?palier=prevention") as (page, log):
        settle(page)
        lines = page.locator(f"{DECIDED} tbody tr")
        lines.first.wait_for()
        shown = [plain(line) for line in lines.all_inner_texts()]
        assert len(shown) == 4
        assert "prolongée" in shown[0]
        assert "refusée\tautre priorité\tÉlu" in shown[1]
    log.assert_clean()


@needs_chromium
def test_a_register_that_does_not_answer_is_a_sentence(built: Place, url: str) -> None:
    held = built.root / "data/.registers"
    shutil.rmtree(held, ignore_errors=True)
    held.mkdir()
    (held / f"{CITY}.sqlite").write_bytes(b"this is no register at all, and never was one" * 99)
    with open_page(f"{url}voila/render/actions_et_resultats.ipynb") as (page, log):
        settle(page)
        told = page.locator(f"{DECIDED} .app-failed", has_text="ne se lisent pas ici")
        told.wait_for()
        assert "fichier abîmé" in told.inner_text()
        compared(page, actions(built))
    log.assert_clean()
    shutil.rmtree(held)
    held.mkdir()
