"""When an entry was made: one form, after the one before, not after now. The base refuses others.

Each text tried is entered beside the register, well chained, as who reaches the base could.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from helpers.core.base.errors import PhareError
from helpers.register import chain, engine
from helpers.register.register import Register
from helpers.register.tables import ENTRIES
from helpers.workshop import register as command
from tests.register.made import made
from tests.register.test_store import without_triggers

LATER = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
# By a name of its own: a moment read from the clock differs among those who share the tests.
NAMED = pytest.param(LATER, id="in an hour")
ODD = [
    "Yann Kermadec 0612345678", "2020-01-01 Kermadec", "20200101T080000Z", "",
    "2020-02-30T08:00:00.000Z", "2020-01-01T24:00:00.000Z", "2020-01-01T08:00:60.000Z",
    "2020-01-01T08:00:00Z", "2020-01-01T08:00:00.000+02:00", "2020-01-01 08:00:00.000Z",
    "2020-01-01T08:00:00.000Z Kermadec", "2020-01-01T08:00:00.000Z\n", "٢020-01-01T08:00:00.000Z",
]  # fmt: skip
FORM = "écrite sans passer par le registre"


def beside(register: Register, at: Any) -> dict[str, Any]:
    """Return a row that follows the last one in all but its moment."""
    last = register.last(1)[0]
    return chain.row_of(made("measure_taken", subject="e" * 20), last["seq"] + 1, at, last["hash"])


def enter(register: Register, row: dict[str, Any]) -> None:
    with engine.writing(register._engine) as connection:
        connection.execute(ENTRIES.insert(), row)


@pytest.fixture
def begun(register: Register) -> Register:
    register.append(made("problem"))
    return register


@pytest.mark.parametrize("at", [*ODD, "2020-01-01T08:00:00.000Z", NAMED])
def test_the_base_refuses_a_moment_that_is_none(begun: Register, at: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        enter(begun, beside(begun, at))
    assert len(begun.rows()) == 1


def test_the_base_takes_what_follows(begun: Register) -> None:
    """The same row, of the moment of the last: what the base refuses above is the moment."""
    enter(begun, beside(begun, begun.last(1)[0]["at"]))
    assert begun.faults() == []


@pytest.mark.parametrize(
    ("at", "said"),
    [*((one, FORM) for one in ODD),
     pytest.param(LATER, "datée de plus tard que maintenant", id="in an hour"),
     ("2020-01-01T08:00:00.000Z", "datée d'avant la précédente")],
)  # fmt: skip
def test_a_moment_that_is_none_is_told_and_nothing_follows_it(
    url: str, begun: Register, at: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_triggers(url)
    enter(begun, beside(begun, at))
    assert begun.faults() == [f"inscription 2 : {said}"]
    monkeypatch.setattr(engine, "unguarded", lambda _: [])
    for use in (
        lambda: command.told(begun, "Europe/Paris", 9),
        lambda: command.check(begun, None),
        lambda: begun.append(made("measure_taken")),
    ):
        with pytest.raises(PhareError, match=said) as error:
            use()
        assert "Kermadec" not in str(error.value)
    assert len(begun.rows()) == 2


def test_an_hour_a_clock_may_run_ahead_is_five_minutes(begun: Register) -> None:
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    enter(begun, beside(begun, soon))
    assert begun.faults() == []
