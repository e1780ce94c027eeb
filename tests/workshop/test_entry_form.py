"""A partner's chair: what the form lets through the door accepts, what the door refuses it refuses.

Chromium fills the form in; the door and the sorting of rows judge the same answers. The page is
opened as a partner does, from a file.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml

from helpers.collect import gate
from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.ingest.sort_rows import sort_rows
from helpers.workshop import entry_form
from tests.fixtures.browser import needs_chromium, open_page
from tests.fixtures.real import COLLECT, ROOT
from tests.fixtures.simulated import PACK

if TYPE_CHECKING:
    from playwright.sync_api import Page

SOURCE = "evenement_partenaire"
CONTRACT = yaml.safe_load((PACK / f"contracts/{SOURCE}.yaml").read_text(encoding="utf-8"))
DAY = "2026-05-{:02d}T{:02d}:{:02d}"
GOOD = {
    "partenaire": "club", "categorie": "sportif", "statut": "demande",
    "debut": DAY.format(9, 21, 0), "fin": DAY.format(9, 23, 0), "quartier": "1320808",
}  # fmt: skip
FILL = """(values) => { for (const [name, value] of Object.entries(values)) {
  document.getElementById(name).value = value; } }"""
READ = "(names) => Object.fromEntries(names.map((name) => [name, written(name)]))"
TOLD = "[...document.querySelectorAll('#faults a')].map((one) => one.dataset.reason)"


@dataclass(frozen=True)
class Judged:
    """What the door and the sorting made of rows: in order, accepted values and reasons."""

    accepted: dict[int, dict[str, Any]]
    refused: dict[int, str]


def judged(rows: list[dict[str, Any]], folder: Path, city: City) -> Judged:
    folder.mkdir()
    path = folder / "saisie_1.json"
    path.write_text(json.dumps({"saisies": rows}), encoding="utf-8")
    return taken([path], folder, city)


def taken(paths: list[Path], folder: Path, city: City) -> Judged:
    contract = city.contracts[SOURCE]
    door = gate.Gate(city.key(folder), COLLECT.place_step_m)
    gate.take_in(door, contract, paths, folder / "raw", ("saisie_*.json",))
    sort_rows(store.connect(), contract, folder / f"raw/{SOURCE}.parquet", folder / "out",
              city.about.timezone)  # fmt: skip
    told = [
        duckdb.sql(f"SELECT * FROM '{folder}/out/{kind}/{SOURCE}.parquet'").to_arrow_table()
        for kind in ("accepted", "quarantined")
    ]
    rows, out = (table.to_pylist() for table in told)
    return Judged({r["row_number"]: r for r in rows}, {r["row_number"]: r["reason"] for r in out})


@pytest.fixture(scope="module")
def city() -> City:
    return City(PACK)


@pytest.fixture(scope="module")
def form(city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("form") / "formulaire.html"
    path.write_text(entry_form.page(city, ROOT), encoding="utf-8")
    return path


@contextmanager
def opened(form: Path) -> Iterator[Page]:
    with open_page("about:blank") as (page, log):
        page.unroute("**/*")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(form.as_uri())
        yield page
        assert [one for one in asked if not one.startswith(("file:", "blob:"))] == []
        assert log.errors == []


def saved(page: Page, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Enregistrer le fichier").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


# --- The page itself ----------------------------------------------------------------------------


def test_the_lists_and_bounds_are_those_of_the_contract(city: City) -> None:
    """Against the YAML and the CSV as they are, not against our reading of them."""
    told = entry_form.spec(city)
    for name, rule in CONTRACT["fields"].items():
        if name in ("id_evt", "saisi_le", "revise_le"):
            assert name not in told["asked"]
            continue
        shown = told["fields"][name]
        assert shown["required"] == rule.get("required", False)
        assert (shown["minimum"], shown["maximum"]) == (rule.get("minimum"), rule.get("maximum"))
        if "values" in rule:
            assert [code for code, _ in shown["values"]] == rule["values"]
    quarters = (PACK / "lists/quartiers.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert {f"{code},{title}" for code, title in told["fields"]["quartier"]["values"]} == {
        *quarters
    }
    kept = [one["reason"] for one in told["checks"]]
    ours = [one["reason"] for one in CONTRACT["checks"]]
    assert kept == [one for one in ours if one != "incoherent:corrige_avant_saisi"]
    assert {one["said"] for one in told["checks"]}.isdisjoint({entry_form.NO_REASON})


def test_the_page_is_one_file_that_names_no_other(form: Path, city: City) -> None:
    text = form.read_text(encoding="utf-8")
    assert re.findall(r"(?:src|href|action)=[\"']", text) == []
    assert re.findall(r"https?://|url\(|@import|fetch\(|XMLHttp", text) == []
    assert "default-src 'none'" in text
    assert entry_form.page(City(PACK), ROOT) == text


def test_each_known_place_lies_in_its_quarter(city: City) -> None:
    from shapely.geometry import Point, shape

    drawn = json.loads((PACK / "divisions/quartiers.geojson").read_text(encoding="utf-8"))
    zones = {one["properties"]["code"]: shape(one["geometry"]) for one in drawn["features"]}
    venues = entry_form.spec(city)["venues"]
    assert venues
    for one in venues:
        assert zones[one["zone"]].contains(Point(one["longitude"], one["latitude"])), one


def test_a_city_without_entries_is_told_how_to_take_some() -> None:
    with pytest.raises(PhareError, match="ne reçoit pas de saisies"):
        entry_form.spec(City(ROOT / "data/cities/denver"))


# --- The form and the door ------------------------------------------------------------------------


def drawn(rng: random.Random) -> dict[str, str]:
    """Return answers, most of them sound, some of them not."""

    def one(sound: str, *others: str) -> str:
        return sound if rng.random() < 0.85 else rng.choice(["", *others])

    day, hour = rng.randint(1, 28), rng.randint(0, 22)
    return {
        "partenaire": one("club"), "categorie": one(rng.choice(["sportif", "erp"])),
        "statut": one(rng.choice(["demande", "annule"])),
        "debut": one(DAY.format(day, hour, 30), "1999-05-01T10:00", "2050-01-01T00:00"),
        "fin": one(DAY.format(day, hour + 1, 0), DAY.format(day, 0, 1), "2051-01-01T00:00"),
        "montage_debut": one("", DAY.format(day, hour, 0), DAY.format(day, 23, 59)),
        "demontage_fin": one("", DAY.format(day, 23, 45), DAY.format(day, 0, 0)),
        "quartier": one("1320101"),
        **rng.choice([
            {"longitude": "", "latitude": ""},
            {"longitude": one("5,3744", "abc", "4.99", "43.3"),
             "latitude": one("43.2955", "5.37", "43.61", "43.5e0", "4e")},
        ]),
        "affluence_prevue": one("", "0", "500000", "500001", "-1", "12.5", "1 200", "+7", "07"),
        "affluence_min": one("100", "99999999999999999999", "x"),
        "affluence_max": one("200", "100", "99", "1e3"), "capacite": one("", "60000", "-0", "６"),
    }  # fmt: skip


@needs_chromium
def test_what_the_form_lets_through_the_door_accepts_and_the_reverse(
    form: Path, city: City, tmp_path: Path
) -> None:
    rng = random.Random(7)
    cases = [{}, GOOD, *(drawn(rng) for _ in range(300))]
    asked = entry_form.spec(city)["asked"]
    rows: list[dict[str, Any]] = []
    reasons: list[list[str]] = []
    with opened(form) as page:
        page.evaluate(
            "() => { window.rows = []; URL.createObjectURL = (blob) => { "
            "window.rows.push(blob.text()); return '#'; }; }"
        )
        for number, case in enumerate(cases):
            page.evaluate(FILL, dict.fromkeys(asked, "") | case)
            typed = page.evaluate(READ, asked)
            page.evaluate("document.getElementById('form').requestSubmit()")
            page.evaluate("document.getElementById('which').hidden || "
                          "document.getElementById('other').click()")  # fmt: skip
            told = page.evaluate(TOLD)
            reasons.append(told)
            if told:
                entered = {n: v for n, v in typed.items() if v != ""}
                rows.append({"saisi_le": "2026-01-02T10:00:00Z", **entered,
                             "revise_le": "2026-01-02T10:00:00Z"})  # fmt: skip
            else:
                texts = page.evaluate("Promise.all(window.rows.splice(0))")
                rows.append(json.loads(texts[-1])["saisies"][0])
            rows[-1]["id_evt"] = f"PAR-{number:012x}"
    found = judged(rows, tmp_path / "door", city)
    told_both = sum(bool(one) for one in reasons)
    assert 80 < told_both < 260, "too few of one kind"
    half = 0
    for number, told in enumerate(reasons, 1):
        if told in (["manquant:longitude"], ["manquant:latitude"]):
            half += 1  # half a point is no place: the form alone says so
            continue
        if told:
            assert number in found.refused, (told, rows[number - 1])
            assert found.refused[number] in told
        else:
            assert number in found.accepted, (found.refused[number], rows[number - 1])
    kinds = {one.split(":")[0] for told in reasons for one in told}
    assert kinds == {"manquant", "hors_bornes", "illisible", "incoherent"}
    assert half


@needs_chromium
def test_an_entry_is_filled_in_by_the_keyboard_and_corrected_later(
    form: Path, city: City, tmp_path: Path
) -> None:
    with opened(form) as page:
        page.clock.set_fixed_time("2026-04-01T08:00:00+02:00")
        page.keyboard.press("Tab")  # the file to take up again
        for label, keys in (
            ("Lieu connu", "Stade"), ("Qui saisit", "Club"), ("Catégorie", "Événement sportif"),
            ("Annonce", "demande"),
        ):  # fmt: skip
            control = page.get_by_label(re.compile(f"^{label}")).first
            control.focus()
            control.press_sequentially(keys)
        for name in ("debut", "fin"):
            page.evaluate(FILL, {name: GOOD[name]})
        crowd = page.get_by_label("Affluence prévue (facultatif)")
        crowd.focus()
        crowd.press_sequentially("40 000")
        page.get_by_label("Début", exact=True).dispatch_event("change")
        assert "Annoncé 38 jours avant" in page.locator("#lead").inner_text()
        first = saved(page, tmp_path)
        page.reload()
        page.clock.set_fixed_time("2026-04-20T08:00:00+02:00")
        page.get_by_label("Fichier enregistré").set_input_files(first)
        page.get_by_text("Annonce reprise").wait_for()
        page.get_by_label("Affluence prévue (facultatif)").fill("50000")
        second = saved(page, tmp_path)
    assert first.name != second.name
    found = taken([first, second], tmp_path, city)
    assert list(found.refused.values()) == ["replaced"]
    (row,) = found.accepted.values()
    assert (row["affluence_prevue"], row["quartier"], row["partenaire"]) == (
        50_000, "1320808", "club"
    )  # fmt: skip
    assert row["saisi_le"].isoformat() == "2026-04-01T08:00:00"
    assert row["debut"].isoformat() == "2026-05-09T21:00:00"
    assert abs(row["longitude"] - 5.3959) < 0.01


@needs_chromium
def test_a_second_event_of_the_same_page_does_not_replace_the_first(
    form: Path, city: City, tmp_path: Path
) -> None:
    """A club announces two matches in a row; then corrects the second, which is one."""
    second = GOOD | {"debut": DAY.format(16, 21, 0), "fin": DAY.format(16, 23, 30)}
    with opened(form) as page:
        page.clock.set_fixed_time("2026-04-01T08:00:00+02:00")
        page.evaluate(FILL, GOOD)
        files_made = [saved(page, tmp_path)]
        page.evaluate(FILL, second)
        page.get_by_label("Fin", exact=True).dispatch_event("change")
        assert "Il dure 2,5 heures." in page.locator("#lead").inner_text()
        page.get_by_role("button", name="Enregistrer le fichier").click()
        page.get_by_text("diffèrent de l'annonce").wait_for()
        assert page.locator("#done").inner_text() == ""
        for name, values in (("C'est un autre", {}), ("C'est la même", {"quartier": "1320101"})):
            page.clock.set_fixed_time(f"2026-04-01T08:0{len(files_made)}:00+02:00")
            page.evaluate(FILL, values)
            if values:
                page.get_by_role("button", name="Enregistrer le fichier").click()
            with page.expect_download() as waiting:
                page.get_by_role("button", name=name).click()
            files_made.append(tmp_path / waiting.value.suggested_filename)
            waiting.value.save_as(files_made[-1])
    found = taken(files_made, tmp_path, city)
    assert list(found.refused.values()) == ["replaced"]
    kept = sorted((row["debut"].day, row["quartier"]) for row in found.accepted.values())
    assert kept == [(9, "1320808"), (16, "1320101")]


@needs_chromium
def test_another_quarter_than_the_known_place_s_keeps_no_point_of_it(form: Path) -> None:
    with opened(form) as page:
        page.get_by_label(re.compile("^Lieu connu")).select_option(label="Stade Vélodrome")
        assert page.locator("#longitude").input_value() == "5.3959"
        page.locator("#quartier").select_option("1320808")
        assert page.locator("#longitude").input_value() == "5.3959"
        page.locator("#quartier").select_option("1320101")
        left = ("#venue", "#longitude", "#latitude")
        assert [page.locator(one).input_value() for one in left] == ["", "", ""]


@needs_chromium
def test_a_file_of_another_kind_or_tampered_with_is_refused(form: Path, tmp_path: Path) -> None:
    row = {"id_evt": "PAR-0123456789ab", "saisi_le": "2026-04-01T06:00:00Z", **GOOD}
    files_given = {
        "autre.json": "{}", "texte.json": "Dupont",
        "numero.json": json.dumps({"saisies": [row | {"id_evt": "EVT-2026-0001"}]}),
        "code.json": json.dumps({"saisies": [row | {"statut": "autorise"}]}),
    }  # fmt: skip
    with opened(form) as page:
        for name, text in files_given.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
            page.get_by_label("Fichier enregistré").set_input_files(tmp_path / name)
            said = "Annonce reprise" if name == "code.json" else "rien n'a été repris"
            page.locator("#taken", has_text=said).wait_for()
        # A partner authorises nothing: that answer is not one of the list.
        page.get_by_role("button", name="Enregistrer le fichier").click()
        assert page.evaluate(TOLD) == ["manquant:statut"]
        assert page.locator("#faults").evaluate("(one) => one === document.activeElement")


@needs_chromium
def test_the_form_has_no_fault_of_access(form: Path) -> None:
    with opened(form) as page:
        page.get_by_role("button", name="Enregistrer le fichier").click()
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
        found = page.evaluate(
            "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
            ".map((one) => [one.id, one.nodes.length])"
        )
        assert found == []
