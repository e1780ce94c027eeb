"""Formats of moments: read as they are meant, against Python's own strptime, or refused."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.core.city import contract_sql, formats, moments
from helpers.core.city.contract import FieldRule

READ = [
    "%Y-%m-%d", "%d/%m/%Y %H:%M", "%Y%m%d", "%Y%m%dT%H%M%S", "%d%m%y", "%Y-%m-%d %H%M",
    "%G-W%V-%u", "%Y-%j", "%d %b %Y", "%m/%d/%Y %I:%M:%S %p", "%a %d/%m/%Y", "%Y%j",
]  # fmt: skip


def rule(form: str) -> FieldRule:
    return FieldRule(type="timestamp", format=form)


def read(text: str, form: str) -> dt.datetime | None:
    value = contract_sql.typed("said", rule(form), ".", "Europe/Paris")
    found: dt.datetime | None = duckdb.execute(
        f"SELECT {value} FROM (SELECT ? AS said)", [text]
    ).fetchall()[0][0]
    return found


@given(
    st.sampled_from(READ),
    st.datetimes(dt.datetime(1999, 12, 27), dt.datetime(2051, 12, 31)),
)
def test_a_format_reads_what_python_wrote(form: str, when: dt.datetime) -> None:
    text = when.strftime(form)
    assert read(text, form) == dt.datetime.strptime(text, form)


@pytest.mark.parametrize(
    ("form", "level"),
    [("%G-W%V-%u", moments.DAY), ("%Y-%j", moments.DAY), ("%Y-%m", moments.MONTH),
     ("%Y-%m-%d %H", moments.HOUR), ("%d/%m/%Y %I:%M %p", moments.MINUTE), ("%Y", moments.YEAR)],
)  # fmt: skip
def test_a_format_knows_what_it_tells(form: str, level: int) -> None:
    assert moments.finest(rule(form)) == level


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ("%G-W%V", "une semaine s'écrit %G-W%V-%u"), ("%Y-W%W", "une semaine s'écrit %G-W%V-%u"),
        ("%Y-%U-%u", "une semaine s'écrit"), ("%G", "une semaine s'écrit"),
        ("%G-%m-W%V-%u", "dit déjà le jour"), ("%s", "les secondes comptées depuis 1970"),
        ("Q%q %Y", "« %q » n'est pas lu"), ("%Y-%m-%d %T", "écrire %H:%M:%S"),
        ("%d/%m", "sans année"), ("%H:%M", "sans année"), ("%d/%m/%Y %I:%M", "va avec %p"),
        ("%d/%m/%Y %H:%M %p", "va avec %p"), ("%Y %d", "jour sans mois"),
        ("%Y-%m %H", "heure sans jour"), ("%Y-%m-%d %M", "minutes sans heure"),
        ("%-d%-m%Y", "toutes leurs chiffres"),
    ],
)  # fmt: skip
def test_a_format_that_would_be_read_otherwise_is_refused(form: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"`format` : .*{why}"):
        rule(form)


@pytest.mark.parametrize(
    ("text", "form"),
    [("2024-03-05 115", "%Y-%m-%d %H%M"), ("11124", "%d%m%y"), ("2024115", "%Y%m%d"),
     ("20245", "%Y%m"), ("202424", "%Y%j")],
)  # fmt: skip
def test_digits_that_lost_a_zero_are_not_parted_at_random(text: str, form: str) -> None:
    """« 115 » as %H%M is a quarter past one, that DuckDB's strptime reads as 11 h 05."""
    assert read(text, form) is None


def test_day_and_month_are_interchanged_as_they_are_written() -> None:
    assert formats.interchanged("%d/%m/%Y %H:%M") == "%m/%d/%Y %H:%M"
    assert formats.interchanged("%Y-%-m-%-d") == "%Y-%-d-%-m"
    assert formats.interchanged("%d %b %Y") == formats.interchanged("%Y-%m") == ""
