"""From a form to the register and afterwards: a match, a demonstration, a building site.

Three partners fill the form in, in Chromium. Their files go through the door and the pipeline as
anybody's; the page says what stands in the match's way, what lacks, how many officers. A measure is
entered in the register, and seen. A month later the match, which the city took over, is looked at.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helpers import simulate
from helpers.core.city.city import City
from helpers.workshop import entry_form
from tests.fixtures.browser import needs_chromium, open_page, serve
from tests.journeys.conftest import prepared
from tests.journeys.people.pages import settle, taken
from tests.journeys.place import CITY, ROOT, Place

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium
BEFORE, AFTER = "2025-11-30", "2025-12-31"  # the last day of data: before the match, and after it
ENTERED = "2025-11-15T09:00:00+01:00"
MATCH = {
    "partenaire": "club", "categorie": "sportif", "statut": "demande",
    "debut": "2025-12-13T21:00", "fin": "2025-12-13T23:00",
    "montage_debut": "2025-12-13T17:00", "demontage_fin": "2025-12-14T02:00",
    "affluence_prevue": "41000", "affluence_min": "38000", "affluence_max": "44000",
    "capacite": "67000",
}  # fmt: skip
OTHERS = {
    "demonstration": ("Parc Chanot", {
        "partenaire": "prefecture", "categorie": "manifestation_declaree", "statut": "demande",
        "debut": "2025-12-13T20:00", "fin": "2025-12-13T23:30", "affluence_prevue": "6000"}),
    "works": ("Stade Vélodrome", {
        "partenaire": "service_ville", "categorie": "chantier", "statut": "demande",
        "debut": "2025-12-10T08:00", "fin": "2025-12-20T18:00"}),
}  # fmt: skip
SAID = "#rendered_cells .app-words"


def entered(page: Page, venue: str, answers: dict[str, str], folder: Path) -> str:
    """Fill the form in as a partner does; save its file in `folder`, return the entry's number."""
    page.get_by_label(re.compile("^Lieu connu")).select_option(label=venue)
    for name, value in answers.items():
        control = page.locator(f"#{name}")
        if control.evaluate("(one) => one.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Enregistrer le fichier").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return str(json.loads(path.read_text(encoding="utf-8"))["saisies"][0]["id_evt"])


def until(pack: Path, day: str) -> None:
    """Let the city's data end on a day."""
    about = pack / "city.yaml"
    text = about.read_text(encoding="utf-8")
    about.write_text(re.sub(r"(period: \{start: \S+ end:) [0-9-]+", rf"\1 {day}", text), "utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, warmed: tuple[tuple[str, str], ...]) -> Place:
    """The small city on the eve; its own events come as a file, so that it may take one over."""
    found = prepared(tmp_path_factory.mktemp("chain"), warmed)
    pack = found.root / "data/cities" / CITY
    until(pack, BEFORE)
    settings = pack / "simulation.yaml"
    text = settings.read_text(encoding="utf-8")
    assert "\nscale: 0.03 " in text  # three runs: smaller still
    settings.write_text(text.replace("\nscale: 0.03 ", "\nscale: 0.01 "), encoding="utf-8")
    simulate.deliver(pack, found.root / "made")
    (pack / "livraison").mkdir()
    (found.root / "made/evenement.json").rename(pack / "livraison/evenement.json")
    about = pack / "city.yaml"
    text = about.read_text(encoding="utf-8")
    held = "evenement: {file: evenement.json, generator: simulation}"
    assert held in text
    about.write_text(text.replace(held, "evenement: {file: evenement.json}"), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def numbers(place: Place) -> dict[str, str]:
    """The three entries, made with the city's own form: which → the number it was given."""
    form = place.root / "formulaire.html"
    done = place.python("helpers.workshop.entry_form", CITY, "--to", str(form))
    assert done.returncode == 0, done.stderr
    pack = place.root / "data/cities" / CITY
    assert form.read_text(encoding="utf-8") == entry_form.page(City(pack), ROOT)
    found = {}
    for name, (venue, answers) in {"match": ("Stade Vélodrome", MATCH), **OTHERS}.items():
        with open_page("about:blank") as (page, log):
            page.unroute("**/*")
            page.clock.set_fixed_time(ENTERED)
            page.goto(form.as_uri())
            found[name] = entered(page, venue, answers, pack / "livraison")
        assert log.errors == []
    return found


def ran(place: Place) -> None:
    done = place.python("helpers.workshop.run_city", CITY, "--only", "events")
    assert done.returncode == 0, done.stdout + done.stderr


def hashed(place: Place, number: str) -> str:
    return City(place.root / "data/cities" / CITY).key(place.root).hash(number)


def opened(place: Place, event: str) -> Iterator[Page]:
    env = {"PHARE_CITY": CITY, "PYTHONPATH": str(place.root / "src")}
    with (
        serve(place.root / "notebooks/apps/evenements.ipynb", env) as url,
        open_page(f"{url}voila/render/evenements.ipynb?evenement={event}") as (page, log),
    ):
        settle(page)
        page.locator(SAID, has_text="Événement sportif").wait_for()
        yield page
        assert (log.blocked, log.errors) == ([], [])


def plain(text: str) -> str:
    return text.replace("\u202f", "").replace("\u00a0", " ")


def announced(place: Place, events: dict[str, str]) -> None:
    """What stands in the match's way, and what lacks: in the tables, then as the page says it."""
    own = place.results("events", "SELECT * FROM {calendar} WHERE event = ?", events["match"])[0]
    assert (own["expected"], own["allowed"], own["zone"]) == (41_000, False, "1320808")
    early = place.results("events", "SELECT * FROM {early} WHERE event = ?", events["match"])
    assert [row["lead_h"] for row in early] == [28 * 24 + 12]
    told = {(row["clash"], frozenset((row["event"], row["other"])))
            for row in place.results("events", "SELECT * FROM {clashes}")}  # fmt: skip
    assert ("crowds", frozenset((events["match"], events["demonstration"]))) in told
    assert ("works", frozenset((events["match"], events["works"]))) in told
    lacking = checklist(place, events["match"])
    assert {row["state"] for row in lacking} == {"unknown", "to_do"}
    (sized,) = place.results("events", "SELECT * FROM {sizing} WHERE event = ?", events["match"])
    assert sized["status"] == "ok"
    for page in opened(place, events["match"]):
        said = plain(page.locator("#rendered_cells").inner_text())
        assert "41000 personnes attendues" in said
        assert "Saisie d'un partenaire (Club), 28 jours avant, pas encore reprise" in said
        assert f"{len(lacking)} des {len(lacking)} mesures attendues" in said
        settled = plain(page.locator("#rendered_cells .app-cards").inner_text())
        assert "Manifestation déclarée" in settled
        assert "travaux" in settled
        assert f"{sized['officers_high']} agent" in said
        assert f"{sized['barriers_high']} barrière" in said
        name, content = taken(page, page.locator("#rendered_cells .app-sheet a").nth(1))
        assert name.endswith(".pdf")
        assert content.startswith(b"%PDF")


def checklist(place: Place, event: str) -> list[dict[str, Any]]:
    return place.results(
        "events", "SELECT * FROM {checklist} WHERE event = ? ORDER BY measure", event
    )


def decided(place: Place, event: str, folder: Path) -> None:
    """A measure is decided: entered in the register, listed, made a source."""
    payload = {"kind": "measure_taken", "measure": "barrieres", "state": "prise"}
    content = {"role": "direction", "subject": event, "key": "5f0c1de2a97b4c3f8e6d0a1b2c3d4e5f",
               "payload": payload}  # fmt: skip
    (folder / "decision.json").write_text(json.dumps(content), encoding="utf-8")
    for more in (["--add", str(folder / "decision.json")], ["--snapshot"], []):
        done = place.python("helpers.workshop.register", CITY, *more)
        assert done.returncode == 0, done.stderr
    assert "barrières, prise" in done.stdout


def seen(place: Place, event: str) -> None:
    """The measure is the last word, in the tables and on the page."""
    every = checklist(place, event)
    (taken_one,) = [row for row in every if row["state"] == "taken"]
    assert (taken_one["measure"], taken_one["reason"]) == ("barrières", "register_says")
    for page in opened(place, event):
        said = plain(page.locator(SAID).inner_text())
        assert f"{len(every) - 1} des {len(every)} mesures attendues" in said


def taken_over(place: Place, number: str) -> str:
    """The city takes the entry over, and the match is held; return its own number, hashed."""
    path = place.root / "data/cities" / CITY / "livraison/evenement.json"
    filed = json.loads(path.read_text(encoding="utf-8"))
    filed["evenements"].append({
        "id_evt": "EVT-2025-990001", "saisie": number, "categorie": "sportif",
        "debut": "2025-12-13T21:00:00+01:00", "fin": "2025-12-13T23:00:00+01:00",
        "lieu": {"quartier": "1320808", "lon": 5.3959, "lat": 43.2698}, "statut": "tenu",
        "affluence": {"prevue": 41000, "constatee": 40250}, "retex": "incidents_mineurs",
    })  # fmt: skip
    path.write_text(json.dumps(filed), encoding="utf-8")
    return hashed(place, "EVT-2025-990001")


def looked_at(place: Place, event: str, entry: str) -> None:
    """Afterwards: what was planned beside what was seen, once, with the measure of the register."""
    (row,) = place.results("events", "SELECT * FROM {retex} WHERE event = ?", event)
    assert (row["expected"], row["seen"], row["outcome"]) == (41_000, 40_250, "incidents_mineurs")
    assert row["measures_taken"] == 1, "the barriers that were entered for the partner's entry"
    assert row["start_at"] == dt.datetime(2025, 12, 13, 21)
    assert place.results("events", "SELECT * FROM {retex} WHERE event = ?", entry) == []
    (early,) = place.results("events", "SELECT * FROM {early} WHERE event = ?", entry)
    assert early["taken_over"] == event


def test_from_the_form_to_the_register_and_afterwards(
    place: Place, numbers: dict[str, str], tmp_path: Path
) -> None:
    events = {name: hashed(place, number) for name, number in numbers.items()}
    ran(place)
    announced(place, events)
    decided(place, events["match"], tmp_path)
    ran(place)
    seen(place, events["match"])
    own = taken_over(place, numbers["match"])
    until(place.root / "data/cities" / CITY, AFTER)
    ran(place)
    looked_at(place, own, events["match"])
