"""What days events are held against: one that a source did not tell is no quiet day."""

from __future__ import annotations

import datetime as dt

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.events.history import days_of
from tests.fixtures.simulated import PACK


def test_a_day_that_a_source_did_not_tell_is_no_reference_though_its_week_was_heard() -> None:
    city = City(PACK)
    start = city.about.period.start
    silent, other, zone = (start + dt.timedelta(days=n) for n in (40, 60, 80))
    (source,) = city.themes["bruit"].sources
    con = store.connect()
    con.execute("CREATE TABLE days (source VARCHAR, zone VARCHAR, day DATE, status VARCHAR)")
    con.executemany(
        "INSERT INTO days VALUES (?, ?, ?, ?)",
        [(source, "ville", silent, "missing"), (source, "1321501", zone, "missing"),
         ("another", "ville", other, "missing"), (source, "ville", other, "ok")],
    )  # fmt: skip
    heard = days_of(con, city, ["bruit"]).heard
    assert [int(i) for i in (~heard).nonzero()[0]] == [40, 80]
