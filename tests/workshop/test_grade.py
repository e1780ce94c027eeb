"""The grades: all trials run, every room with a note is graded or says why not, the page holds."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.apps import grades_words
from helpers.core.base.errors import PhareError
from helpers.core.stage import grades_table
from helpers.core.stage.grades_table import Row
from helpers.core.stats import grading
from helpers.core.stats.grading import SEEDS, Line, Trial, held, pooled, seen
from helpers.workshop import grade, grade_page
from tests.fixtures.real import ROOT

TRIALS = grade.trials(ROOT)
NOTES = sorted(p.stem for p in (ROOT / "docs/methodes").glob("*.md"))
PAGES = {"README", "grades"}
DRAWN = [one for one in TRIALS if one.trial.drawn]


@pytest.mark.parametrize("told", DRAWN, ids=lambda one: f"{one.room}:{one.trial.name}")
def test_every_trial_runs_and_its_lines_can_be_told_apart(told: grade.Told) -> None:
    rows = grade.measured(told, "tiny")
    assert rows
    assert len({(one.what, one.setting) for one in rows}) == len(rows)
    for one in rows:
        assert grades_table._sound(one), one
        assert one.observed is None or np.isfinite(one.observed)
        assert grade_page.said(one)


@pytest.mark.parametrize("note", [name for name in NOTES if name not in PAGES])
def test_a_room_with_a_note_is_graded_or_says_why_not(note: str) -> None:
    text = (ROOT / f"docs/methodes/{note}.md").read_text(encoding="utf-8")
    graded = note in {one.room for one in TRIALS}
    assert graded != ("**Pas d'épreuve**" in text)


def test_what_is_kept_is_of_trials_that_are_and_tells_the_seed_that_served_no_choice() -> None:
    rows = grades_table.read(ROOT)
    known = {(one.room, one.trial.name) for one in TRIALS}
    assert {(one.room, one.trial) for one in rows} <= known
    drawn = {(one.room, one.trial.name) for one in DRAWN}
    mine = [one for one in rows if (one.room, one.trial) in drawn]
    assert mine
    assert all(one.seeds[-1] == SEEDS[-1] for one in mine)
    page = (ROOT / grade_page.PAGE).read_text(encoding="utf-8")
    measured = {f"{one.room}:{one.trial}" for one in rows}
    for name in grade.known(ROOT):
        assert (name in measured) != (f"`make grade ROOMS={name}`" in page.partition("##")[0])


def test_the_page_is_that_of_the_table_and_a_change_of_either_is_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = grade.known(ROOT)
    assert grade_page.keep(ROOT, known, check=True) == 0
    shutil.copytree(ROOT / "docs/methodes", tmp_path / "docs/methodes")
    page = tmp_path / grade_page.PAGE
    page.write_text(page.read_text(encoding="utf-8").replace("oui", "non", 1), encoding="utf-8")
    assert grade_page.keep(tmp_path, known, check=True) == 1
    assert "make grade" not in capsys.readouterr().out
    table = tmp_path / grades_table.FILE
    table.write_text(table.read_text(encoding="utf-8").replace('"tried": ', '"tries": ', 1))
    with pytest.raises(PhareError, match="épreuves"):
        grades_table.read(tmp_path)


def test_a_trial_takes_the_place_of_its_own_rows_alone() -> None:
    told = DRAWN[0]
    kept = grades_table.read(ROOT)
    mine = [one for one in kept if (one.room, one.trial) == (told.room, told.trial.name)]
    new = [replace(one, observed=0.5) for one in mine[:1]]
    found = grade.merged(ROOT, kept, told, new)
    assert len(found) == len(kept) - len(mine) + 1
    assert [one for one in found if one not in new] == [one for one in kept if one not in mine]


def test_shares_and_means_have_their_errors() -> None:
    """A share of 30 in 100 strays by .046; none in 50 has an error too; a mean by its spread."""
    share = seen("", "", (None, None), [1.0] * 30 + [0.0] * 70)
    assert share.error == pytest.approx((0.302 * 0.698 / 100) ** 0.5, abs=2e-4)
    assert 0 < seen("", "", (None, None), np.zeros(50)).error < 0.03
    assert seen("", "", (None, None), np.zeros(50), share=False).error == 0, "counts, all alike"
    mean = seen("", "", (None, None), [1.0, 2.0, 3.0, np.nan], "autre", [4.0, 6.0])
    assert (mean.observed, mean.error, mean.tried, mean.beside) == (
        2.0, pytest.approx(1 / 3**0.5), 3, 5.0,
    )  # fmt: skip


def test_seeds_are_put_together_by_how_often_each_was_tried() -> None:
    one = pooled([Line("", "", (None, None), 0.2, 0.1, 30, "x", 0.4),
                  Line("", "", (None, None), 0.8, 0.1, 10, "x", 0.8)])  # fmt: skip
    assert (one.observed, one.beside) == (pytest.approx(0.35), pytest.approx(0.5))
    assert one.tried == 40
    assert one.error == pytest.approx(0.1 * (0.75**2 + 0.25**2) ** 0.5)


@pytest.mark.parametrize(
    ("observed", "asked", "told"),
    [(0.95, (0.93, 0.97), True), (0.89, (0.93, None), False), (0.92, (0.93, None), True),
     (0.08, (None, 0.05), False), (0.06, (None, 0.05), True), (0.5, (None, None), None),
     (float("nan"), (0.9, None), None)],
)  # fmt: skip
def test_a_promise_is_held_two_errors_apart(
    observed: float, asked: grading.Asked, told: bool | None
) -> None:
    assert held(observed, 0.01, asked) is told


def test_a_room_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(PhareError, match="inconnue"):
        list(grade.run(ROOT, ["inconnue"], "tiny"))


def test_what_needs_a_city_is_passed_over_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(seed: int, tries: int) -> list[Line]:
        raise AssertionError("what it needs is not there")

    only = [grade.Told("hotspots", Trial("year", 1, never, ("data/nulle_part/cube.parquet",)))]
    monkeypatch.setattr(grade, "trials", lambda root: only)
    ((_, rows, _),) = grade.run(tmp_path, [], "small")
    assert rows is None


def row(room: str, observed: float) -> Row:
    line = Line("une promesse <b>", "un monde", (None, 0.05), observed, 0.01, 20)
    return grades_table.row(room, "t", {SEEDS[-1]: line}, "make grade")


def test_the_page_of_trust_tells_what_is_held_and_what_is_not() -> None:
    told = grades_words.block([row("trends", 0.04), row("trends", 0.2), row("repeats", 0.01)])
    assert "2 sur 3\u00a0promesses" in told or "2 sur 3" in told
    assert "<td>Tendances</td><td>1 sur 2</td><td>40</td>" in told
    assert "une promesse &lt;b&gt; (un monde)" in told
    assert "au plus 0,05" in told
    assert "Celles qui ne le sont pas" not in grades_words.block([row("trends", 0.04)])
    assert grades_words.NOWHERE in grades_words.block([])


def test_the_names_of_rooms_are_those_of_trials() -> None:
    assert set(grades_words.ROOMS) == {one.room for one in TRIALS}
