"""St. Louis, thirteen years to the minute: what is subtracted, what repeats, when it was coded.

No licence is stated: nothing of it is shown, and these tests hold totals alone.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from helpers.city import City
from tests.conftest import ROOT, Built, build

FILE = "stlouis/stl_crime_2008_2020_noaddr.parquet"


@pytest.fixture(scope="module")
def stlouis(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The pack, really taken in and counted."""
    return build(City(ROOT / "data/cities/stlouis"), ROOT, tmp_path_factory.mktemp("stlouis"))


@pytest.fixture(scope="module")
def published(shared: Path) -> duckdb.DuckDBPyConnection:
    """The file itself, read by plain DuckDB."""
    con = duckdb.connect()
    con.execute(
        'CREATE VIEW published AS SELECT *, CAST("Count" AS INT) AS net, '
        "regexp_extract(\"Crime\", '^([0-9]{1,2})[0-9]{4}$', 1) AS kind "
        f"FROM '{shared / FILE}'"
    )
    return con


def test_every_row_has_a_fate_and_those_of_victims_are_kept(stlouis: Built) -> None:
    assert stlouis.receipts["faits"]["rows"] == 688_776
    assert stlouis.fates["faits"] == {"accepted": 688_776}
    assert set(stlouis.receipts["faits"]["columns_refused"]) == {"Complaint", "ILEADSStreet"}
    assert stlouis.fates["matchs"] == {"accepted": 891, "autre_ville": 5347}


def test_withdrawn_facts_are_subtracted_month_by_month(
    stlouis: Built, published: duckdb.DuckDBPyConnection
) -> None:
    ours = stlouis.rows(
        "SELECT category, date_trunc('month', hour), sum(n) FROM observations "
        "GROUP BY ALL ORDER BY ALL"
    )
    theirs = published.execute(
        "SELECT kind, date_trunc('month', occurred), sum(net) FROM published "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert ours == theirs
    assert sum(row[2] for row in ours) == 678_375 - 10_401


def test_the_cube_tells_the_net_number_of_each_district(
    stlouis: Built, published: duckdb.DuckDBPyConnection
) -> None:
    ours = dict(stlouis.rows("SELECT zone_districts, sum(n) FROM cube GROUP BY 1"))
    theirs = dict(
        published.execute('SELECT "District", sum(net) FROM published GROUP BY 1').fetchall()
    )
    assert {zone: ours[zone] for zone in theirs} == theirs


def test_the_delay_is_that_of_the_coding_month(
    stlouis: Built, published: duckdb.DuckDBPyConnection
) -> None:
    """Known by the month alone, a coding stands for its last day: half are in after 17 days."""
    median = stlouis.rows(
        "SELECT median(date_diff('day', CAST(hour AS DATE), CAST(recorded_at AS DATE))) "
        "FROM observations"
    )[0][0]
    expected = published.execute(
        "SELECT median(date_diff('day', CAST(occurred AS DATE), "
        "last_day(strptime(\"CodedMonth\", '%Y-%m')))) FROM published"
    ).fetchall()[0][0]
    assert median == expected
    assert 15 <= median <= 18


def test_no_street_and_no_case_number_is_at_rest(stlouis: Built) -> None:
    names = {row[0] for row in duckdb.sql(
        f"DESCRIBE SELECT * FROM '{stlouis.raw}/faits.parquet'"
    ).fetchall()}  # fmt: skip
    assert not names & {"Complaint", "ILEADSStreet"}
