"""The state of a theme follows its sources: never better than the worst of what it needs."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.core.base import markup
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.theme import Grade
from helpers.core.stage import standing
from helpers.waves import states, words
from helpers.waves.knobs import Knobs
from tests.fixtures.made_up import FACTS, THEMES, write_pack

MONDAY = dt.date(2024, 1, 1)


def tables(
    con: duckdb.DuckDBPyConnection,
    grades: dict[str, tuple[str, int]],
    weeks: dict[str, str] | None = None,
) -> None:
    """Make views `grades` and `weeks`; a week is a letter: o(k) or m(issing)."""
    con.register(
        "grades",
        pa.table(
            {
                "source": pa.array(grades, pa.string()),
                "grade": [grade for grade, _ in grades.values()],
                "accepted": [n for _, n in grades.values()],
                "mute_since": pa.array(
                    [_mute_since((weeks or {}).get(source, "")) for source in grades], pa.date32()
                ),
            }
        ),
    )
    rows = [
        (source, MONDAY + dt.timedelta(weeks=i), "ok" if letter == "o" else "missing")
        for source, letters in (weeks or {}).items()
        for i, letter in enumerate(letters)
    ]
    con.register(
        "weeks",
        pa.table(
            {
                "source": pa.array([r[0] for r in rows], pa.string()),
                "week": pa.array([r[1] for r in rows], pa.date32()),
                "status": pa.array([r[2] for r in rows], pa.string()),
            }
        ),
    )


def _mute_since(letters: str) -> dt.date | None:
    heard = letters.rstrip("m")
    return None if heard == letters else MONDAY + dt.timedelta(weeks=len(heard))


def city(folder: Path, needs: dict[str, str] | None = None, **facts: Any) -> City:
    themes = copy.deepcopy(THEMES)
    if needs:
        themes["themes"]["bruit"]["needs"] = needs
    return write_pack(folder, themes=themes, facts={**copy.deepcopy(FACTS), **facts})


def state(con: duckdb.DuckDBPyConnection, pack: City, pilot_weeks: int = 10) -> tuple[str, str]:
    row = states.states(con, pack, Knobs(default_grade="C", pilot_weeks=pilot_weeks)).to_pylist()[0]
    assert row["theme"] == "bruit"
    return row["state"], standing.why(row, pack)


@pytest.mark.parametrize(
    ("grade", "accepted", "weeks", "expected", "why"),
    [
        ("A", 900, "o" * 20, "active", "notée A"),
        ("C", 900, "o" * 20, "active", "notée C"),
        ("D", 900, "o" * 20, "suspended", "notée D, il faut C"),
        ("A", 0, "", "not_yet", "rien n'est encore entré"),
        ("A", 900, "o" * 9, "pilot", "il en faut 10"),
        ("A", 900, "o" * 18 + "mm", "suspended", "se tait depuis le 6 mai 2024"),
        ("A", 900, "oo" + "mm" + "o" * 16, "active", "notée A"),
        ("A", 900, "", "active", "notée A"),  # a yearly source has no weeks
    ],
)
def test_state_follows_the_source(
    grade: str, accepted: int, weeks: str, expected: str, why: str,
    tmp_path: Path, memory: duckdb.DuckDBPyConnection,
) -> None:  # fmt: skip
    tables(memory, {"faits": (grade, accepted)}, {"faits": weeks} if weeks else None)
    found, reason = state(memory, city(tmp_path))
    assert found == expected
    assert why in reason


def test_every_source_that_a_theme_needs_counts(
    tmp_path: Path, memory: duckdb.DuckDBPyConnection
) -> None:
    pack = city(tmp_path, needs={"carres": "A"})
    tables(memory, {"faits": ("A", 9), "carres": ("B", 4)}, {"faits": "o" * 20})
    assert state(memory, pack) == ("suspended", "« Carrés inventés » est notée B, il faut A")
    tables(memory, {"faits": ("A", 9), "carres": ("A", 4)}, {"faits": "o" * 20})
    assert state(memory, pack)[0] == "active"
    tables(memory, {"faits": ("A", 9)}, {"faits": "o" * 20})
    assert state(memory, pack)[0] == "not_yet"


def test_a_sample_is_never_more_than_a_pilot(
    tmp_path: Path, memory: duckdb.DuckDBPyConnection
) -> None:
    tables(memory, {"faits": ("A", 9)}, {"faits": "o" * 20})
    assert state(memory, city(tmp_path, coverage="sample"))[0] == "pilot"


GRADES = st.sampled_from("ABCD")
SOURCES = st.fixed_dictionaries(
    {"faits": st.tuples(GRADES, st.integers(0, 3)), "carres": st.tuples(GRADES, st.integers(0, 3))}
)


@given(before=SOURCES, source=st.sampled_from(["faits", "carres"]), need=GRADES)
def test_a_better_source_never_worsens_a_theme(
    before: dict[str, tuple[Grade, int]], source: str, need: Grade, tmp_path_factory: Any
) -> None:
    pack = city(tmp_path_factory.mktemp("pack"), needs={"carres": need})
    con = duckdb.connect()
    tables(con, before, {"faits": "o" * 20})
    first = state(con, pack)[0]
    tables(con, {**before, source: ("A", 3)}, {"faits": "o" * 20})
    order = list(states.ORDER)
    assert order.index(state(con, pack)[0]) <= order.index(first)
    con.close()


def test_what_is_not_in_force_is_left_out_and_says_why(
    tmp_path: Path, memory: duckdb.DuckDBPyConnection
) -> None:
    pack = city(tmp_path)
    tables(memory, {"faits": ("D", 9)}, {"faits": "o" * 20})
    found = states.states(memory, pack, Knobs(default_grade="C", pilot_weeks=10))
    memory.register("states", found)
    kept = standing.restricted(pack, set())
    assert kept.themes == {}
    assert list(pack.themes) == ["bruit", "depots"]
    told = standing.left_out(memory, pack, kept)
    assert "**Bruit** (suspendu) : « Faits inventés » est notée D, il faut C." in told
    assert standing.left_out(memory, pack, pack) == ""
    assert "2 suspendus" in words.states(found, pack)


def test_a_need_names_a_source_of_the_city(tmp_path: Path) -> None:
    with pytest.raises(PhareError, match="nulle_part"):
        _ = city(tmp_path, needs={"nulle_part": "B"}).themes


def test_a_source_is_named_as_it_is_in_figures_and_reads_so_in_words(
    tmp_path: Path, memory: duckdb.DuckDBPyConnection
) -> None:
    pack = city(tmp_path)
    tables(memory, {"faits": ("D", 9)}, {"faits": "o" * 20})
    rows = states.states(memory, pack, Knobs(default_grade="C", pilot_weeks=10)).to_pylist()
    rows[0]["reasons"][0]["source"] = "faits_a_*b*"
    assert standing.why(rows[0], pack) == "« faits_a_*b* » est notée D, il faut C"
    told = markup.to_html(words.states(pa.Table.from_pylist(rows), pack))
    assert "« faits_a_*b* » est notée D, il faut C." in told
