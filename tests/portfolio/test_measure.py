"""The portfolio: questions written in a pack become pages, and their numbers are plain counts."""

from __future__ import annotations

import ast
import copy
import datetime as dt
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.context import effects
from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.questions import Hours, Question
from helpers.core.place_time.calendar import full_weeks
from helpers.core.stage import code_used, execute, params
from helpers.core.stage.run import Run
from helpers.patrol import shares
from helpers.portfolio import beside, figures, measure, words
from helpers.portfolio.pages import TEMPLATE
from helpers.trends import levels
from helpers.trends import words as trends_words
from helpers.trends.weekly_series import Weeks
from helpers.trends.words import LABELS
from tests.fixtures.made_up import CITY, THEMES, build_made_up, deliver, fact, middle, write_pack
from tests.fixtures.real import ROOT, Built, read_csv

PERIOD = {"start": "2023-01-01", "end": "2024-12-31"}
START, END = dt.date(2023, 1, 1), dt.date(2024, 12, 31)
NIGHT = [{"start_h": 22, "end_h": 6}]
ASKED: dict[str, Any] = {
    "petards_nuit": {
        "title": "Les pétards de nuit augmentent-ils ?",
        "theme": "bruit",
        "categories": ["petard"],
        "hours": NIGHT,
        "compare": {"days": "week-end", "against": "jour ouvré"},
        "actors": [{"who": "Jeunesse", "lever": "médiation"}],
    },
    "depots": {
        "title": "Où sont les dépôts ?",
        "theme": "depots",
        "division": "moities",
        "actors": [{"who": "Propreté", "lever": "collecte"}],
    },
}
SILENT = {
    "title": "Et le reste ?",
    "theme": "reste",
    "actors": [{"who": "Accueil", "lever": "écoute"}],
}
WHY = "« faits » est notée D, il faut C"
CITY_2Y = CITY | {"period": PERIOD}


def themes(questions: dict[str, Any]) -> dict[str, Any]:
    """Return the made-up themes, one more that is not in force, and these questions."""
    content = copy.deepcopy(THEMES)
    content["themes"]["reste"] = content["themes"]["depots"] | {"categories": ["x"]}
    return content | {"questions": copy.deepcopy(questions)}


def changed(name: str, **changes: Any) -> dict[str, Any]:
    asked = copy.deepcopy(ASKED)
    asked[name] |= changes
    return themes(asked)


@cache
def facts() -> list[dict[str, str]]:
    """Two years of made-up facts, one in four of which lasted, or was known, for some hours."""
    rng = np.random.default_rng(5)
    rows = []
    for i in range(2400):
        began = dt.datetime(2023, 1, 1) + dt.timedelta(minutes=int(rng.integers(730 * 1440)))
        lasted = dt.timedelta(hours=int(rng.integers(1, 30)))
        # Many facts on one very point would be taken for a default one.
        away = rng.uniform(-0.003, 0.003, 2)
        lon, lat = np.array(middle(str(rng.choice(list("AABC"))))) + away
        rows.append(
            fact(
                i,
                nature=str(rng.choice(["tapage", "petard", "petard", "depot"])),
                debut=began.isoformat(),
                fin=(began + lasted).isoformat() if rng.random() < 0.25 else "",
                lon=f"{lon:.6f}",
                lat=f"{lat:.6f}",
                qui=str(rng.choice(["habitant", "patrouille", ""])),
            )
        )
    return rows


NO_ZONE_SILENT = pa.schema(
    [
        ("source", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("week", pa.date32()), ("missing_days", pa.int64()),
    ]
).empty_table()  # fmt: skip
NOTHING_LATE = pa.schema(
    [
        ("source", pa.string()), ("division", pa.string()), ("week", pa.date32()),
        ("share_in", pa.float64()), ("value", pa.float64()), ("low", pa.float64()),
        ("high", pa.float64()), ("status", pa.string()),
    ]
).empty_table()  # fmt: skip


def results(out: Path, city: City) -> None:
    """Write what the stages above leave, as if all were well: grades, weeks, states, patrol."""
    con = store.connect()
    store.view(con, "cube", out / "cube.parquet")
    weeks = full_weeks(START, END)
    some = len(weeks)
    given = {
        "reliability/weeks": pa.table(
            {"source": ["faits"] * some, "week": pa.array(weeks, pa.date32()), "n": [1] * some,
             "status": ["ok"] * some, "missing_days": [0] * some, "grade": ["A"] * some,
             "reason": [""] * some}
        ),
        "reliability/grades_weekly": NO_ZONE_SILENT,
        "reliability/nowcast": NOTHING_LATE,
        "reliability/grades": pa.table({"source": ["faits"], "grade": ["A"], "reason": [""]}),
        "waves/states": pa.table(
            {"theme": ["bruit", "depots", "reste"], "wave": [1, 1, 1],
             "state": ["active", "active", "suspended"], "sample": [False] * 3,
             "reasons": [[], [], [{"source": "faits", "reason": "below_need", "grade": "D",
                                   "needed_grade": "C"}]]}
        ),
        "patrol/themes": shares.measure(con, city, params.knobs("patrol", ROOT)),
        "context/effects": effects.EFFECTS.empty_table(),
        "context/checks": pa.Table.from_pylist(
            [{"theme": "bruit", "n": 0, "status": "abstained", "reason": "pas de couche"}],
            schema=effects.CHECKS,
        ),
    }  # fmt: skip
    for name, table in given.items():
        path = out / "derived" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
    con.close()


def workspace(folder: Path, rows: list[dict[str, str]], questions: dict[str, Any]) -> Path:
    """Return the root of a workspace that holds the made-up city, ready for the stage."""
    root = folder / "phare"
    for name in ("params.yaml", "dvc.yaml", "requirements.lock"):
        root.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    for name in ("notebooks", "templates"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("src", "docs"):
        (root / name).symlink_to(ROOT / name)
    cities = root / "data" / "cities"
    cities.mkdir(parents=True)
    city = write_pack(cities, CITY_2Y, themes(questions))
    deliver(folder, rows)
    built = build_made_up(folder / "built", rows, city=CITY_2Y, themes=themes(questions))
    shutil.copytree(built.out, root / "data" / "essai")
    (cities / "active.yaml").write_text("cities: {essai: {pack: data/cities/essai}}\n")
    results(root / "data" / "essai", city)
    return root


def executed(root: Path) -> Path:
    """Run the stage there; return the city's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(ROOT)]))
        for name in (*execute.STEADY, "PYDEVD_DISABLE_FILE_VALIDATION", "PHARE_STAGE"):
            patch.setenv(name, os.environ.get(name, ""))
        execute.run_stage("portfolio", "essai")
    return root / "data" / "essai"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return executed(workspace(tmp_path_factory.mktemp("once"), facts(), ASKED | {"reste": SILENT}))


@pytest.fixture
def run(once: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A run of the stage at work outside the pipeline, as an analyst's notebook has it."""
    monkeypatch.chdir(once.parents[1])
    found = Run("portfolio", {"city": "essai", **params.block("portfolio", ROOT)})
    yield found
    found.con.close()


def knobs() -> measure.Knobs:
    return measure.Knobs(**params.block("portfolio", ROOT))


# --- What a pack may ask ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            changed("depots", theme="depot"),
            r"questions\.depots\.theme.*« depot ».*\n.*essai/themes",
        ),
        (changed("petards_nuit", categories=["petards"]), r"petards_nuit\.categories.*« petards »"),
        (changed("petards_nuit", categories=["depot"]), r"petards_nuit\.categories.*« depot »"),
        (changed("depots", division="rues"), r"questions\.depots\.division.*« rues »"),
        (changed("depots", heures=NIGHT), r"clé inconnue : questions\.depots\.heures.*\n.*themes"),
        (changed("depots", title="Les dépôts"), r"questions\.depots\.title"),
        (changed("depots", actors=[]), r"questions\.depots\.actors"),
        (
            changed("depots", actors=[{"who": "Police municipale", "lever": "x"}]),
            r"autre que la police.*questions\.depots",
        ),
        (changed("depots", hours=[*NIGHT, {"start_h": 5, "end_h": 8}]), r"se recouvrent"),
        (
            changed("depots", compare={"days": "week-end", "against": "week-end"}),
            r"elle-même.*questions\.depots",
        ),
        (themes({"Depots": ASKED["depots"]}), r"questions\.Depots"),
    ],
)
def test_a_wrong_question_is_refused_with_its_file_and_key(
    tmp_path: Path, content: dict[str, Any], told: str
) -> None:
    with pytest.raises(PhareError) as caught:
        _ = write_pack(tmp_path, themes=content).questions
    assert re.search(told, str(caught.value))


def test_an_unknown_feature_of_places_is_refused(run: Run) -> None:
    asked = Question(**ASKED["depots"], near="lampadaires")
    run.city.__dict__["questions"] = {"depots": asked}
    with pytest.raises(PhareError, match=r"questions\.depots\.near nomme « lampadaires »"):
        measure.ask(run, "depots", 364)


@pytest.mark.parametrize("pack", sorted((ROOT / "data/cities").glob("*/themes.yaml")))
def test_shipped_questions_are_sound_and_name_who_can_act(pack: Path) -> None:
    city = City(pack.parent)
    assert city.questions
    for name in city.questions:
        assert measure._question(city, name).actors


def test_a_pack_without_questions_has_none(tmp_path: Path) -> None:
    assert write_pack(tmp_path).questions == {}


# --- Which facts a question keeps -------------------------------------------------------------

SPANS = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda s: s[0] != s[1] % 24)


@given(SPANS, st.integers(0, 23), st.integers(0, 60))
@settings(max_examples=60)
def test_a_fact_is_in_the_hours_where_each_hour_it_touches_is(
    span: tuple[int, int], first: int, more: int
) -> None:
    """By walking the hours of the interval one by one, and of one span in one go."""
    hours = [Hours(start_h=span[0], end_h=span[1])]
    held = {(span[0] + i) % 24 for i in range(hours[0].length)}
    touched = [(first + i) % 24 for i in range(more + 1)]
    inside = [hour in held for hour in touched]
    began = dt.datetime(2024, 5, 1, first)
    con = duckdb.connect()
    con.execute("CREATE TABLE f (hour TIMESTAMP, hour_end TIMESTAMP, time_precision VARCHAR)")
    con.execute("INSERT INTO f VALUES (?, ?, 'minute')", [began, began + dt.timedelta(hours=more)])
    query = f"SELECT ({measure._surely(hours)}), ({measure._perhaps(hours)}) FROM f"
    assert con.execute(query).fetchall() == [(all(inside), any(inside))]
    con.close()


def nights(theme_natures: set[str], first: dt.date, after: dt.date) -> tuple[int, int]:
    """Return how many of `facts` are surely at night, and how many perhaps: plain Python."""
    surely = perhaps = 0
    for row in facts():
        began = dt.datetime.fromisoformat(row["debut"])
        ended = dt.datetime.fromisoformat(row["fin"] or row["debut"])
        if row["nature"] not in theme_natures or not first <= began.date() < after:
            continue
        hour, at_night = began.replace(minute=0), []
        while hour <= ended:
            at_night.append(hour.hour >= 22 or hour.hour < 6)
            hour += dt.timedelta(hours=1)
        surely += all(at_night)
        perhaps += any(at_night) and not all(at_night)
    return surely, perhaps


def answers(data: Path) -> dict[str, dict[str, Any]]:
    rows = pq.read_table(data / "derived/portfolio/answers.parquet").to_pylist()
    return {row["question"]: row for row in rows}


def test_each_question_of_the_pack_has_a_page_with_the_plain_count(once: Path) -> None:
    """A question added to themes.yaml, and nothing else, is all that the two pages come from."""
    found = {name: row for name, row in answers(once).items() if name != "reste"}
    assert set(found) == set(ASKED)
    first, after = END - dt.timedelta(days=363), END + dt.timedelta(days=1)
    night = found["petards_nuit"]
    assert (night["n"], night["unsure"]) == nights({"petard"}, first, after)
    assert night["unsure"] > 20
    depots = sum(
        row["nature"] == "depot" and first <= dt.date.fromisoformat(row["debut"][:10]) < after
        for row in facts()
    )
    assert (found["depots"]["n"], found["depots"]["unsure"]) == (depots, 0)
    for name, row in found.items():
        page = (once / f"reports/portfolio/{name}.html").read_text(encoding="utf-8")
        assert row["title"].replace("'", "&#39;") in page or row["title"] in page
        assert re.search(rf"\b{row['n']}\b", page)


def test_the_weeks_compared_are_those_counted_by_hand(once: Path) -> None:
    row = answers(once)["depots"]
    weeks = full_weeks(START, END)
    days = [dt.date.fromisoformat(r["debut"][:10]) for r in facts() if r["nature"] == "depot"]
    counted = Counter(day - dt.timedelta(days=day.weekday()) for day in days)
    recent, before = (sum(counted[w] for w in span) for span in (weeks[-52:], weeks[-104:-52]))
    assert (row["recent"], row["before"]) == (recent, before)
    # Nothing silent, nothing late, the same season in both years: close to the plain ratio.
    assert row["ratio"] == pytest.approx(recent / before, rel=0.02)
    assert row["level"] == pytest.approx(recent / 52, rel=0.1)
    assert row["level_low"] < row["level"] < row["level_high"]
    assert (row["unit"], row["status"]) == ("par semaine", "ok")


def test_a_question_about_a_whole_theme_is_answered_as_trends_does(run: Run) -> None:
    asked = measure.ask(run, "depots", 364)
    found = measure.evolution(asked, run, knobs())
    rules = params.knobs("trends", ROOT)
    told_at = params.block("reliability", ROOT)["nowcast_confidence"]
    whole = levels.levels(Weeks(run.con, asked.city, 52, told_at), rules).to_pylist()
    french = ("reason", "remark")
    assert [{k: v for k, v in row.items() if k not in french} for row in found] == [
        {k: v for k, v in row.items() if k not in french} for row in whole
    ]
    assert [row["reason"] for row in found] == [trends_words.reason(row, 30) for row in whole]
    assert [row["zone"] for row in found] == ["ville", "est", "ouest"]


def test_zones_and_origins_are_those_of_the_plain_count(once: Path, run: Run) -> None:
    asked = measure.ask(run, "depots", 364)
    first, after = asked.span
    kept = [
        row for row in facts()
        if row["nature"] == "depot" and first <= dt.date.fromisoformat(row["debut"][:10]) < after
    ]  # fmt: skip
    between = (middle("A")[0] + middle("B")[0]) / 2
    expected = Counter("ouest" if float(row["lon"]) < between else "est" for row in kept)
    zones = pq.read_table(once / "derived/portfolio/zones/depots.parquet").to_pylist()
    assert {row["zone"]: row["n"] for row in zones} == expected
    top = max(zones, key=lambda row: row["n"])
    exact = (stats.chi2.ppf(0.025, 2 * top["n"]) / 2, stats.chi2.ppf(0.975, 2 * top["n"] + 2) / 2)
    assert (top["low"], top["high"]) == pytest.approx(exact, abs=1e-5)
    origin = beside.origins(asked, knobs())
    who = Counter(row["qui"] for row in kept)
    told = tuple(origin[f"n_{one}"] for one in ("citizen", "agent", "unknown"))
    assert told == (who["habitant"], who["patrouille"], who[""])
    test = stats.binomtest(who["patrouille"], who["patrouille"] + who["habitant"])
    exact_share = test.proportion_ci(0.95, method="exact")
    assert (origin["agent_low"], origin["agent_high"]) == pytest.approx(exact_share, abs=1e-5)


def test_days_are_compared_in_the_hours_and_out_of_them(run: Run) -> None:
    """A ratio of daily means, by plain Python; weekends are those of the calendar."""
    asked = measure.ask(run, "petards_nuit", 364)
    rows = beside.contrast(asked, run, knobs())
    assert [row["where"] for row in rows] == ["in", "out", "own"]
    inside, out, own = rows
    assert own["ratio"] == pytest.approx(inside["ratio"] / out["ratio"], abs=1e-5)
    assert own["low"] < min(own["ratio"], inside["low"] / out["ratio"])
    plain = asked.facts.execute(
        "SELECT isodow(hour) >= 6, sum(n) FROM cube WHERE hour < '2024-12-30' GROUP BY 1"
    ).fetchall()
    by_kind = dict(plain)
    # Public holidays (23 weekdays and weekends in two years) are apart: the ratio is close to
    assert inside["ratio"] == pytest.approx(by_kind[True] / by_kind[False] * 5 / 2, rel=0.05)


def test_the_ratio_of_two_ratios_covers_the_truth() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(400):
        rows = []
        for true in (1.3, 1.1):
            a, b = rng.poisson(4 * true, 300), rng.poisson(4, 200)
            value, low, high = beside.rate_ratio(a, b, 0.95)
            rows.append({"ratio": value, "low": low, "high": high})
        found = beside._against(*rows)
        inside += found["low"] <= 1.3 / 1.1 <= found["high"]
    assert 0.93 <= inside / 400 <= 0.98


def test_published_denver_counted_plainly(denver: Built, shared: Path) -> None:
    """Night troubles of Denver as the file tells them, hour by hour, in Python."""
    about = denver.city.questions["troubles_nuit"]
    con = denver.connect()
    where = measure._surely(about.hours)
    view = measure.narrowed(con, about.theme, about.categories, where)
    first, after = dt.date(2018, 6, 19), dt.date(2019, 6, 18)
    form, expected = "%m/%d/%Y %I:%M:%S %p", 0
    for row in read_csv(shared / "denver/crime.csv.gz"):
        if row["OFFENSE_CATEGORY_ID"] not in about.categories:
            continue
        began = dt.datetime.strptime(row["FIRST_OCCURRENCE_DATE"], form)
        last = row["LAST_OCCURRENCE_DATE"]
        ended = max(dt.datetime.strptime(last, form) if last else began, began)
        hour, at_night = began.replace(minute=0, second=0), []
        while hour <= ended and all(at_night):
            at_night.append(hour.hour >= 22 or hour.hour < 6)
            hour += dt.timedelta(hours=1)
        expected += all(at_night) and first <= began.date() < after
    assert measure._count(view, (first, after)) == expected
    assert expected > 300


# --- Pages ------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a page is made of: its language, its headings, its links, what it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.headings: list[int] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.language = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags[tag] += 1
        if tag == "html":
            self.language = told.get("lang") or ""
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "a" and told.get("href"):
            self.links.append(str(told["href"]))
        if tag in ("script", "link", "img", "iframe"):
            self.fetched.append(str(told.get("src") or told.get("href") or tag))


def test_pages_are_accessible_and_ask_nothing_of_the_network(once: Path) -> None:
    pages = [once / "reports/portfolio.html", *sorted(once.glob("reports/portfolio/*.html"))]
    assert len(pages) == 1 + len(ASKED)
    for path in pages:
        text = path.read_text(encoding="utf-8")
        page = Page(text)
        assert page.language == "fr"
        assert page.tags["main"] == 1
        assert page.headings.count(1) == 1
        assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
        assert [one for one in page.fetched if not one.startswith("data:")] == []
        assert "données simulées" in text
        assert "Réponse" in text
    index = Page(pages[0].read_text(encoding="utf-8"))
    local = {link for link in index.links if link.startswith("portfolio/")}
    assert local == {f"portfolio/{name}.html" for name in ASKED}


def test_the_page_s_first_words_are_its_question(once: Path) -> None:
    for name, asked in ASKED.items():
        page = json.loads((once / f"reports/portfolio/{name}.ipynb").read_text(encoding="utf-8"))
        first = "".join(page["cells"][0]["source"])
        assert first.splitlines()[0] == f"# {asked['title']}"
        assert "**Pour qui**" in first
        assert "**Jusqu'où s'y fier**" in first
        assert page["metadata"]["title"] == asked["title"]


def test_the_question_s_notebook_keeps_the_house_rules() -> None:
    cells = code_used.read_notebook(ROOT / TEMPLATE)["cells"]
    for cell in cells:
        text = code_used.source_of(cell)
        if cell["cell_type"] == "code":
            assert len([line for line in text.splitlines() if line.strip()]) <= 15
            assert not re.search(r"\bdef |\blambda\b|\bclass ", text)
    (tagged,) = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    names = [
        one.id
        for node in ast.walk(ast.parse(code_used.source_of(tagged)))
        if isinstance(node, ast.Assign)
        for target in node.targets
        for one in ast.walk(target)
        if isinstance(one, ast.Name)
    ]
    assert sorted(names) == sorted(["city", "question", *params.block("portfolio", ROOT)])


def test_what_a_page_rests_on_is_what_the_stage_declares() -> None:
    """DVC, the seal and the passport look at the stage: what pages import is its own."""
    stage = code_used.notebook_path(ROOT, "portfolio")
    assert stage is not None
    told = set(code_used.notebook_helpers(stage, ROOT))
    assert {"src/helpers/portfolio/beside.py", "src/helpers/portfolio/words.py"} <= told
    declared = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    deps = set(declared["stages"]["portfolio"]["do"]["deps"])
    assert told | {TEMPLATE.parent.as_posix()} <= deps
    files = code_used.stage_files(ROOT, "portfolio", ["x"])
    assert files == [stage.relative_to(ROOT).as_posix(), TEMPLATE.as_posix(), "x"]
    assert code_used.stage_files(ROOT, "trends", ["x"]) == ["notebooks/yesterday/trends.ipynb", "x"]


def test_permuted_rows_elsewhere_give_the_same_bytes(once: Path, tmp_path: Path) -> None:
    rows = list(facts())
    np.random.default_rng(8).shuffle(rows)
    again = executed(workspace(tmp_path, rows, ASKED | {"reste": SILENT}))
    for part in ("derived/portfolio", "figures/portfolio", "reports"):
        mine = {p.relative_to(once): p for p in sorted((once / part).rglob("*")) if p.is_file()}
        theirs = {p.relative_to(again): p for p in (again / part).rglob("*") if p.is_file()}
        assert set(mine) == set(theirs)
        assert len(mine) >= 6
        for name, path in mine.items():
            assert path.read_bytes() == theirs[name].read_bytes(), name


def test_a_theme_that_is_not_in_force_is_not_computed_and_its_card_says_why(once: Path) -> None:
    row = answers(once)["reste"]
    assert (row["status"], row["n"]) == ("abstained", None)
    text = (once / "reports/portfolio.html").read_text(encoding="utf-8")
    assert f"abstention (suspendu, {WHY})" in text
    assert "portfolio/reste.html" not in text
    assert not (once / "reports/portfolio/reste.html").exists()


def test_a_pack_without_questions_gives_a_page_that_says_so(tmp_path: Path) -> None:
    data = executed(workspace(tmp_path, facts()[:50], {}))
    text = (data / "reports/portfolio.html").read_text(encoding="utf-8")
    assert "Aucune question n'est posée" in text
    assert "Rien à montrer ici" in text
    assert pq.read_table(data / "derived/portfolio/answers.parquet").num_rows == 0
    assert list((data / "reports").glob("portfolio/*")) == []


def test_peak_is_told_where_it_stands_out_and_not_for_chance(run: Run) -> None:
    asked = measure.ask(run, "depots", 364)
    rng = np.random.default_rng(4)
    flat = [[{"weight": float(n), "status": "ok"} for n in rng.poisson(3, 168)] for _ in range(200)]
    said = sum(words.peak(rows, asked, 0.95) is not None for rows in flat)
    assert said <= 20
    busy = [dict(row) for row in flat[0]]
    for hour in range(40, 46):
        busy[hour]["weight"] += 9.0
    assert words.peak(busy, asked, 0.95) == (40, 6)


def test_a_label_is_never_a_colour_alone() -> None:
    """And each ink on white passes 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    for ink in figures.INKS.values():
        channels = [int(ink[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        light = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
        assert 1.05 / (light + 0.05) >= 4.5
    assert set(figures.SIGNS) == set(figures.INKS) == set(LABELS)
