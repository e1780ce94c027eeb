"""An hour that comes back too often is said beside the rhythm that it makes."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow.parquet as pq
import pytest

from helpers.core.stage import heaps, notices
from helpers.ingest import delivery_remarks
from helpers.reliability import pile_ups
from tests.core.stage.test_notices import made as judged
from tests.fixtures.made_up import fact
from tests.fixtures.real import Built

AT_MIDNIGHT, OF = 60, 200  # facts of one category, of as many


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    rng = np.random.default_rng(5)
    rows = []
    for category, unknown, of in (("tapage", 0, 3000), ("depot", AT_MIDNIGHT, OF)):
        for i in range(of):
            when = dt.datetime(2024, 1, 1 + i % 28, int(rng.integers(24)), int(rng.integers(1, 60)))
            if i < unknown:
                when = when.replace(hour=0, minute=0)
            rows.append(fact(len(rows), nature=category, debut=when.isoformat()))
    return judged(tmp_path_factory.mktemp("heaps"), rows)


def test_the_theme_that_has_it_says_it_and_no_other(built: Built) -> None:
    con = built.connect()
    con.register("pile_ups", pile_ups.find(con, built.city))
    assert heaps.of_theme(con, built.city, "depots") == [heaps.Heap("midnight", AT_MIDNIGHT, OF)]
    assert heaps.of_theme(con, built.city, "bruit") == []
    said = heaps.caveat(con, built.city).replace("\u00a0", " ").replace("\u202f", " ")
    assert "Dépôts, 60 faits sur 200 (30 %) à 0 h 00 juste." in said
    assert "Bruit" not in said


def test_where_no_category_has_it_the_source_does(built: Built) -> None:
    con = built.connect()
    table = pile_ups.find(con, built.city).to_pylist()
    told = [row | {"told": row["category"] == "" and row["kind"] == "midnight"} for row in table]
    con.register("pile_ups", pile_ups.pa.Table.from_pylist(told, schema=pile_ups.SCHEMA))
    for theme in ("bruit", "depots"):
        (heap,) = heaps.of_theme(con, built.city, theme)
        assert (heap.n, heap.rows) == (AT_MIDNIGHT, 3000 + OF)


def test_a_run_ends_with_it(built: Built) -> None:
    counts = notices.count(built.city, built.out)
    assert counts.piled == (("faits", "depot", heaps.Heap("midnight", AT_MIDNIGHT, OF)),)
    (line,) = [one for one in notices.lines(built.city, counts) if "0 h 00 juste" in one]
    assert "« depot » : 60\u00a0faits sur 200" in line
    assert line.endswith("reliability.html")
    assert pq.read_table(built.out / "derived/reliability/pile_ups.parquet").num_rows
    assert delivery_remarks.remarks(built.city, built.out, built.raw) == []
