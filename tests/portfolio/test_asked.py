"""What a pack may ask, and which facts a question keeps."""

from __future__ import annotations

import copy
import datetime as dt
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.questions import Hours, Question
from helpers.core.place_time.counts import counts
from helpers.core.stage.run import Run
from helpers.portfolio import asked
from tests.fixtures.made_up import write_pack
from tests.fixtures.portfolios import ASKED, END, NIGHT, answers, facts, themes
from tests.fixtures.real import ROOT, Built, read_csv


def changed(name: str, **changes: Any) -> dict[str, Any]:
    questions = copy.deepcopy(ASKED)
    questions[name] |= changes
    return themes(questions)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            changed("depots", theme="depot"),
            r"questions\.depots\.theme.*« depot ».*\n.*essai/themes",
        ),
        (changed("petards_nuit", categories=["petards"]), r"petards_nuit\.categories.*« petards »"),
        (changed("petards_nuit", categories=["depot"]), r"petards_nuit\.categories.*« depot »"),
        (changed("depots", called="dépôts"), r"il faut dire lesquelles.*questions\.depots"),
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
    question = Question(**ASKED["depots"], near="lampadaires")
    run.city.__dict__["questions"] = {"depots": question}
    with pytest.raises(PhareError, match=r"questions\.depots\.near nomme « lampadaires »"):
        asked.ask(run, "depots")


@pytest.mark.parametrize("pack", sorted((ROOT / "data/cities").glob("*/themes.yaml")))
def test_shipped_questions_are_sound_and_name_who_can_act(pack: Path) -> None:
    city = City(pack.parent)
    assert city.questions
    for name in city.questions:
        question = asked._question(city, name)
        assert question.actors
        if any(re.fullmatch(r"[a-z0-9_-]+", code) for code in question.categories):
            assert question.called, f"{name}: readers would be told a code of the source"


def test_a_pack_without_questions_has_none(tmp_path: Path) -> None:
    assert write_pack(tmp_path).questions == {}


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
    query = f"SELECT ({asked._surely(hours)}), ({asked._perhaps(hours)}) FROM f"
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


def test_published_denver_counted_plainly(denver: Built, shared: Path) -> None:
    """Night troubles of Denver as the file tells them, hour by hour, in Python."""
    about = denver.city.questions["troubles_nuit"]
    con = denver.connect()
    where = asked._surely(about.hours)
    view = asked.narrowed(con, about.theme, about.categories, where)
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
    assert counts(view, [], span=(first, after)) == [(expected,)]
    assert expected > 300
