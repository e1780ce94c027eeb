"""A theme, a source and a city more, by three commands, run end to end; the code is not touched.

Every text of that city, and of what it is delivered, is a trap besides: in none of its pages does
anything run, and everything reads as text. It lives outside the workspace, beside another city.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml

from tests.fixtures.browser import needs_chromium, serve, wait_ready
from tests.journeys.people.trap import READ, add_events, trap, unguarded, wrong
from tests.journeys.place import ALL, CITY, Place, bytes_of, stages_run

NAME = "port_neuf"


@pytest.fixture(scope="module")
def new_city(built: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The results of a city made by three commands, its texts trapped; put back after.

    Its pack is then moved out of the workspace, and given as a folder.
    """
    before = built.git("status", "--porcelain", "src")
    register = built.root / "data/cities/active.yaml"
    text, lock = register.read_text(encoding="utf-8"), (built.root / "dvc.lock").read_bytes()
    try:
        for arguments in (
            ("city", NAME),
            ("source", "bornes", "--city", NAME),
            ("theme", "appels", "--city", NAME, "--source", "bornes"),
        ):
            done = built.python("helpers.workshop.new", *arguments)
            assert done.returncode == 0, done.stderr
            assert f"make run CITY={NAME}" in done.stdout
        add_events(built.root / "data/cities" / NAME, "2025-12-31")
        trap(built.root / "data/cities" / NAME)
        pack = tmp_path_factory.mktemp("elsewhere") / NAME
        shutil.move(built.root / "data/cities" / NAME, pack)
        other = bytes_of(built.data)
        done = built.run(str(pack))
        assert done.returncode == 0, done.stdout + done.stderr
        assert stages_run(done.stdout) == ALL
        assert bytes_of(built.data) == other
        assert built.git("status", "--porcelain", "src") == before
        assert NAME in yaml.safe_load(register.read_text(encoding="utf-8"))["cities"]
        yield built.root / "data" / NAME
    finally:
        for folder in (built.root / "data/cities" / NAME, built.root / "data" / NAME):
            shutil.rmtree(folder, ignore_errors=True)
        register.write_text(text, encoding="utf-8")
        (built.root / "dvc.lock").write_bytes(lock)


def test_three_commands_make_a_city_that_runs(new_city: Path) -> None:
    cube = duckdb.sql(f"SELECT DISTINCT theme FROM '{new_city / 'cube.parquet'}'").fetchall()
    assert {theme for (theme,) in cube} == {"bruit", "depots", "appels"}
    states = duckdb.sql(
        f"SELECT theme, state FROM '{new_city / 'derived/waves/states.parquet'}'"
    ).fetchall()
    assert dict(states).keys() == {"bruit", "depots", "appels"}
    assert len(list((new_city / "figures").glob("*/*.svg"))) >= 8
    report = (new_city / "reports/trends.html").read_text(encoding="utf-8")
    assert "Traceback" not in report


def test_it_lives_beside_the_other(built: Place, new_city: Path) -> None:
    name = "figures/trends/trends_weekly"
    evidence = json.loads((new_city / f"{name}.evidence.json").read_text(encoding="utf-8"))
    assert evidence["city"] == NAME
    assert "Marseille" not in (new_city / f"{name}.svg").read_text(encoding="utf-8")
    assert "up to date" in built.python("dvc", "status").stdout
    for city in (CITY, NAME):
        again = built.run(city)
        assert again.returncode == 0, again.stdout + again.stderr
        assert stages_run(again.stdout) == set()


@needs_chromium
def test_nothing_runs_in_reports_and_figures(new_city: Path) -> None:
    reports = sorted(new_city.glob("reports/**/*.html"))
    figures = sorted(new_city.glob("figures/**/*.svg"))
    assert "nuit" in {path.stem for path in reports}, "the portfolio has its page"
    found, read = {}, []
    with unguarded() as (page, did):
        for path in itertools.chain(reports, figures):
            did.clear()
            page.goto(path.as_uri())
            if wrong(page, did):
                found[path.name] = wrong(page, did)[:3]
            if READ in page.evaluate("document.documentElement.textContent"):
                read.append(path.stem)
    assert found == {}
    assert {"collect", "situation", "trends", "waves", "nuit", "portfolio"} <= set(read)


@needs_chromium
def test_nothing_runs_in_the_app(built: Place, new_city: Path) -> None:
    env = {"PHARE_CITY": NAME, "PYTHONPATH": str(built.root / "src")}
    with (
        serve(built.root / "notebooks/apps", env) as url,
        unguarded() as (page, did),
    ):
        page.goto(f"{url}voila/render/situation.ipynb", timeout=60_000)
        page.locator(".app-wide svg.map").wait_for(timeout=60_000)
        page.locator(".app-on summary").click()
        page.get_by_label("Thème", exact=True).select_option(index=1)
        territories = page.get_by_label("Territoire", exact=True)
        at = next(i for i, one in enumerate(territories.locator("option").all_text_contents())
              if "Centre" in one)  # fmt: skip
        territories.select_option(index=at)
        page.locator(".app-words", has_text="Centre").wait_for()
        page.locator(".app-wide path[aria-label*=Centre]").first.hover(force=True)
        page.locator(".app-tip", has_text="Centre").wait_for()
        assert wrong(page, did) == []
        for part in (".app-heading", ".app-words", ".app-on"):
            assert READ in (page.locator(part).first.text_content() or ""), part
        for name in (
            "ou_et_quand",
            "tendances",
            "evenements",
            "moyens",
            "actions_et_resultats",
            "portefeuille",
            "confiance",
        ):
            page.goto(f"{url}voila/render/{name}.ipynb", timeout=60_000)
            wait_ready(page)  # what was prepared gives way to what answers
            page.locator(".app-words").wait_for(timeout=60_000)
            for folded in page.locator(".app-page summary").all():
                folded.click()
            assert wrong(page, did) == [], name
            assert READ in (page.locator(".app-page").text_content() or ""), name
            if name == "moyens":
                page.get_by_text("Cette ville ne dit pas ses heures de patrouille").wait_for()
            if name == "actions_et_resultats":
                page.get_by_text("Aucune action connue").wait_for()
                page.get_by_text("La ville n'a pas de fichier actions.yaml").wait_for()
            if name == "evenements":
                page.get_by_text("Cette ville ne décrit pas encore ses événements").wait_for()
