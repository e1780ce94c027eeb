"""St. Louis: thirteen years of offences, held against plain DuckDB over the publisher's files.

Counts of −1 take facts back; the month of coding is a real delay; 156 monthly files say the same
in five headers. Nothing of these data is kept: they are read in place, into temporary folders.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from helpers.collect import gate
from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.contract import load_contract
from helpers.core.place_time import calendar
from helpers.core.place_time.territory import project
from helpers.core.stage import params
from helpers.ingest import sort_rows
from helpers.ingest.cancelled_rows import CANCELLED, CANCELS, ORPHAN
from helpers.ingest.observations import observe
from helpers.reliability import delays, words
from tests.fixtures.made_up import door
from tests.fixtures.real import INGEST, ROOT

KNOBS = params.knobs("reliability", ROOT)
PACK = ROOT / "data/cities/stlouis"
# 17,434 rows repeat another without their house number, which is not there; 17,251 with it.
ROWS, NEGATIVE, REPEATED, UNDATED = 688_776, 10_401, 17_434, 17
RECENT = dt.date(2018, 1, 1)


@dataclass(frozen=True)
class Taken:
    """The offences through the door and sorted; view `s` of `con` is the file as received."""

    city: City
    con: duckdb.DuckDBPyConnection
    fates: dict[str, int]
    receipt: dict[str, Any]
    out: Path

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.con.execute(query).fetchall()


@pytest.fixture(scope="module")
def taken(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    path = shared / "stlouis/stl_crime_2008_2020_noaddr.parquet"
    if not path.is_file():
        pytest.skip(f"NO REAL DATA: {path} is absent, St. Louis is not checked")
    city, out = City(PACK), tmp_path_factory.mktemp("stlouis")
    contract = city.contracts["faits"]
    receipt = gate.take_in(door(), contract, [path], out / "raw")
    con = store.connect(spill=out)
    fates = sort_rows.sort_rows(con, contract, out / "raw/faits.parquet", out, city.about.timezone)
    con.execute(
        f"CREATE VIEW s AS SELECT *, CAST(\"Count\" AS INTEGER) AS net FROM read_parquet('{path}')"
    )
    for kind in ("accepted", "quarantined"):
        store.view(con, kind, out / kind / "faits.parquet")
    yield Taken(city, con, fates, receipt, out)
    con.close()


def test_facts_told_late_lie_outside_of_the_period(taken: Taken) -> None:
    """The files are by month of coding: some facts are older than the first of them.

    Of 2,037 before 2008, 45 are taken back by a row that tells their minute; 117 other rows take
    back facts coded before the first file, and stand alone.
    """
    start = f"TIMESTAMP '{taken.city.about.period.start}'"
    old = f"occurred < {start} AND occurred > TIMESTAMP '1900-01-01'"
    ((told, back),) = taken.rows(
        f"SELECT count(*) FILTER (net = 1), count(*) FILTER (net = -1) FROM s WHERE {old}"
    )
    ((paired,),) = taken.rows(
        f"SELECT count(*) FROM quarantined WHERE reason = '{CANCELLED}' "
        f"AND CAST(moment AS TIMESTAMP) < {start}"
    )
    assert (told, back, paired) == (2037, 162, 45)
    assert taken.rows(f"SELECT count(*) FROM accepted WHERE moment < {start}") == [(told - paired,)]


def test_every_row_has_a_fate(taken: Taken) -> None:
    assert taken.receipt["rows"] == ROWS == sum(taken.fates.values())
    assert taken.fates["manquant:moment"] == UNDATED
    assert taken.fates[CANCELS] + taken.fates[ORPHAN] == NEGATIVE
    assert taken.fates[CANCELS] == taken.fates[CANCELLED]
    assert set(taken.fates) == {"accepted", CANCELS, CANCELLED, ORPHAN, "manquant:moment"}


def test_refused_and_unnamed_columns_are_written_nowhere(taken: Taken) -> None:
    assert set(taken.receipt["columns_refused"]) == {"Complaint", "ILEADSStreet"}
    names = {row[0] for row in taken.rows("DESCRIBE accepted")}
    fields = set(taken.city.contracts["faits"].fields)
    assert names == fields | {"row_number", "record", "remark", "spot_sign"}


def test_net_of_each_month_and_offence_is_the_plain_sum_of_counts(taken: Taken) -> None:
    """All but the −1 that take back nothing here, most of a fact counted before 2008."""
    off = taken.rows(
        "SELECT month, Crime, a.n, b.n FROM (SELECT date_trunc('month', occurred) AS month, Crime, "
        "sum(net) AS n FROM s WHERE occurred > '1900-01-01' GROUP BY ALL HAVING n <> 0) a "
        "FULL JOIN (SELECT month, Crime, sum(n) AS n FROM (SELECT date_trunc('month', moment) AS "
        "month, code AS Crime, sum(nombre) AS n FROM accepted GROUP BY ALL UNION ALL "
        "SELECT date_trunc('month', CAST(moment AS TIMESTAMP)), code, -1 "
        f"FROM quarantined WHERE reason = '{ORPHAN}') GROUP BY ALL HAVING sum(n) <> 0) b "
        "USING (month, Crime) WHERE a.n IS DISTINCT FROM b.n"
    )
    assert off == []
    assert taken.rows("SELECT min(nombre), max(nombre) FROM accepted") == [(1, 1)]


def test_yearly_totals(taken: Taken) -> None:
    """The file itself, summed by hand: the years of the period, and the few facts before it."""
    ours = dict(taken.rows("SELECT year(moment), count(*) FROM accepted GROUP BY 1"))
    plain = dict(taken.rows("SELECT year(occurred), sum(net) FROM s GROUP BY 1"))
    gone = dict(
        taken.rows(
            "SELECT year(CAST(moment AS TIMESTAMP)), count(*) FROM quarantined "
            f"WHERE reason = '{ORPHAN}' GROUP BY 1"
        )
    )
    for year in range(2008, 2021):
        assert ours[year] == plain[year] + gone.get(year, 0)
    assert sum(ours.values()) == sum(plain.values()) - UNDATED + sum(gone.values())
    assert sum(n for year, n in gone.items() if year >= 2008) < 70


def test_a_taker_without_a_fact_has_none_left_to_take_back(taken: Taken) -> None:
    assert taken.rows(
        f"SELECT count(*) FROM (FROM quarantined WHERE reason = '{ORPHAN}') q JOIN accepted a "
        "ON a.code = q.code AND a.moment = CAST(q.moment AS TIMESTAMP)"
    ) == [(0,)]


def test_totals_by_district(taken: Taken) -> None:
    """A fact and the −1 that takes it back are in one district, but for some after the redraw."""
    off = taken.rows(
        "SELECT a.n - b.n FROM (SELECT CAST(District AS VARCHAR) AS District, sum(net) AS n FROM s "
        "WHERE occurred > '1900-01-01' GROUP BY 1) a JOIN (SELECT coalesce(district, '0') AS "
        "District, sum(n) AS n FROM (SELECT district, count(*) AS n FROM accepted GROUP BY 1 "
        "UNION ALL SELECT nullif(district, '0'), -count(*) FROM quarantined "
        f"WHERE reason = '{ORPHAN}' GROUP BY 1) GROUP BY 1) b USING (District)"
    )
    assert len(off) == 10
    assert sum(n for (n,) in off) == 0
    assert sum(abs(n) for (n,) in off) <= 2 * 55


def test_rows_that_say_the_same_are_kept_each_with_its_own_number(taken: Taken) -> None:
    plain = taken.rows("SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT * FROM s)) FROM s")
    assert plain == [(REPEATED,)]
    assert taken.rows("SELECT count(*) - count(DISTINCT record) FROM accepted") == [(0,)]


@pytest.fixture(scope="module")
def observed(taken: Taken) -> Taken:
    """The facts since 2018 as observations, and their delays (view and table of `taken.con`)."""
    contract = taken.city.contracts["faits"]
    part = taken.out / "recent.parquet"
    store.spill(taken.con, f"SELECT * FROM accepted WHERE moment >= DATE '{RECENT}'", part)
    query = observe(taken.con, taken.city, contract, part, {}, INGEST, taken.out / "placed")
    store.spill(taken.con, query, taken.out / "observations.parquet")
    store.view(taken.con, "observations", taken.out / "observations.parquet")
    delays.read_delays(taken.con, taken.city, KNOBS)
    return taken


def test_zones_are_those_that_the_police_tell(observed: Taken) -> None:
    """Codes without shapes, two divisions of them; 0 is no place."""
    for column, field in (("zone_quartiers", "quartier"), ("zone_districts", "district")):
        assert observed.rows(
            f"SELECT {column}, count(*) FROM observations GROUP BY 1 ORDER BY 1"
        ) == observed.rows(
            f"SELECT coalesce(CAST({field} AS VARCHAR), 'no_place'), count(*) FROM accepted "
            f"WHERE moment >= DATE '{RECENT}' GROUP BY 1 ORDER BY 1"
        )
    placed = observed.rows("SELECT count(*) FILTER (cell IS NOT NULL) / count(*) FROM observations")
    assert 0.96 < placed[0][0] < 0.99


def test_delay_curve_is_that_of_a_plain_count(observed: Taken) -> None:
    """Old facts, and how many days from each to the end of the month in which it was coded."""
    curve = delays.day_curves(observed.con, observed.city, {}, KNOBS)["faits"]
    late = "date_diff('day', CAST(occurred AS DATE), last_day(CAST(src_month || '-01' AS DATE)))"
    for days in (0, 7, 14, 30, 60, 120):
        plain = observed.rows(
            f"SELECT count(*) FILTER (greatest(0, {late}) <= {days}) / count(*) FROM s "
            f"WHERE net > 0 AND {late} <= 180 AND occurred >= '2018-07-01' "
            "AND occurred < '2020-07-01'"
        )[0][0]
        # The curve forgets: the last months count more than in the plain share of two years.
        assert curve[days] == pytest.approx(plain, abs=0.01)
    # What is in hand at the end of a month hangs on how near it lies, not on how late all seem.
    told = delays.curves_table(observed.con, observed.city, {"faits": curve}).to_pylist()
    for days, low, high in ((0, 0.55, 0.75), (6, 0.85, 0.95), (15, 0.9, 0.96)):
        plain = observed.rows(
            f"SELECT count(*) FILTER ({late} <= {days}) / count(*) FROM s WHERE net > 0 AND "
            f"{late} <= 180 AND date_diff('day', CAST(occurred AS DATE), "
            f"last_day(CAST(occurred AS DATE))) = {days} AND occurred >= '2018-07-01' "
            "AND occurred < '2020-07-01'"
        )[0][0]
        assert low < plain < high
        assert told[days]["in_hand"] == pytest.approx(plain, abs=0.02)
    ours = observed.rows(
        "SELECT median(date_diff('minute', ended_at, recorded_at)) / 1440 FROM observations"
    )
    plain = observed.rows(
        "SELECT median(date_diff('minute', occurred, CAST(src_month || '-01' AS DATE) + "
        f"INTERVAL 1 MONTH)) / 1440 FROM s WHERE net > 0 AND occurred >= DATE '{RECENT}'"
    )
    assert ours[0][0] == pytest.approx(plain[0][0], abs=0.1)
    assert 16 <= plain[0][0] <= 18
    assert "minimums" in words.delays(observed.city, {"faits": curve}, {}, 0.9)


def test_final_counts_of_recent_weeks_are_told_by_month(observed: Taken) -> None:
    """A step is a month: by days, the last weeks of a month would seem half empty."""
    table, checks = delays.find(observed.con, observed.city, {}, KNOBS)
    weeks = [r for r in table.to_pylist() if r["division"] == "ville"]
    december = [r for r in weeks if r["week"] >= dt.date(2020, 11, 30)]
    assert len(december) == 4
    assert all(0.85 < r["share_in"] < 0.97 for r in december)
    assert all(r["low"] <= r["value"] <= r["high"] for r in weeks)
    inside, total, periods = checks["faits"]
    assert 1 < periods < total
    assert total >= 150
    assert 0.8 <= inside / total <= 0.97


# --- The 156 files as received -------------------------------------------------------------------

# Two of each header, those with a mark of UTF-8, those with bytes of Windows, the first and last.
MONTHS = {
    "January2008": "2008-01", "April2009": "2009-04", "June2013": "2013-06",
    "August2013": "2013-08", "January2017": "2017-01", "May2017": "2017-05",
    "May2018": "2018-05", "November2020": "2020-11", "December2020": "2020-12",
}  # fmt: skip


@pytest.fixture(scope="module")
def monthly(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[duckdb.DuckDBPyConnection, dict[str, Any], set[bytes]]:
    """The chosen months through the door: raw rows (view `raw`), receipt, headers of them all."""
    archive = shared / "stlouis/raw_156_monthly_csv.tar.xz"
    if not archive.is_file():
        pytest.skip(f"NO REAL DATA: {archive} is absent, the monthly files are not checked")
    folder = tmp_path_factory.mktemp("monthly")
    headers, kept = [], []
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is None:
                continue
            headers.append(file.readline().strip())
            name = Path(member.name)
            if name.stem in MONTHS:
                file.seek(0)
                kept.append(folder / name.name)
                with kept[-1].open("wb") as copy:
                    shutil.copyfileobj(file, copy)
    assert len(headers) == 156
    contract = load_contract(ROOT / "tests/fixtures/crime_mensuel.yaml")
    receipt = gate.take_in(door(), contract, sorted(kept), folder / "out", [p.name for p in kept])
    con = duckdb.connect()
    con.execute(f"CREATE VIEW raw AS FROM '{folder / 'out/crime_mensuel.parquet'}'")
    path = shared / "stlouis/stl_crime_2008_2020_noaddr.parquet"
    con.execute(f"CREATE VIEW s AS FROM '{path}' WHERE src_month IN {tuple(MONTHS.values())}")
    return con, receipt, set(headers)


def test_five_headers_are_each_known(
    monthly: tuple[duckdb.DuckDBPyConnection, dict[str, Any], set[bytes]],
) -> None:
    _, receipt, headers = monthly
    assert len(headers) == 5
    editions = {Path(one["file"]).stem: one["edition"] for one in receipt["files"]}
    assert set(editions) == set(MONTHS)
    assert len(set(editions.values())) == 4  # the mark of UTF-8 is the fifth
    assert editions["May2018"] == editions["December2020"] != editions["November2020"]


def test_monthly_files_hold_the_same_facts(
    monthly: tuple[duckdb.DuckDBPyConnection, dict[str, Any], set[bytes]],
) -> None:
    """Rows, counts, offences, districts and moments of each month, compared both ways."""
    con, receipt, _ = monthly
    assert receipt["rows"] == con.execute("SELECT count(*) FROM s").fetchall()[0][0]
    ours = (
        "SELECT trim(mois_code) AS m, trim(nombre) AS n, trim(code) AS c, "
        "coalesce(district, '0') AS d, coalesce(quartier, '0') AS q, "
        "coalesce(strptime(moment, '%m/%d/%Y %H:%M'), "
        "TIMESTAMP '1900-01-01') AS t FROM raw"
    )
    theirs = 'SELECT CodedMonth, "Count", Crime, District, Neighborhood, occurred FROM s'
    for one, other in ((ours, theirs), (theirs, ours)):
        assert con.execute(f"SELECT count(*) FROM ({one} EXCEPT ALL {other})").fetchall() == [(0,)]


def test_house_numbers_and_streets_are_refused(
    monthly: tuple[duckdb.DuckDBPyConnection, dict[str, Any], set[bytes]],
) -> None:
    con, receipt, headers = monthly
    written = {row[0] for row in con.execute("DESCRIBE raw").fetchall()}
    named = {name for header in headers for name in header.decode("utf-8-sig").split(",")}
    homes = {n for n in named if any(part in n for part in ("Address", "Street", "Location"))}
    assert homes | {"Complaint"} == set(receipt["columns_refused"])
    assert len(homes) == 12
    assert not written & homes
    assert receipt["personal"] == {}


def test_feet_are_the_same_places_as_degrees(
    monthly: tuple[duckdb.DuckDBPyConnection, dict[str, Any], set[bytes]],
) -> None:
    con, _, _ = monthly
    told = con.execute(
        "SELECT DISTINCT CAST(XCoord AS DOUBLE) AS x, CAST(YCoord AS DOUBLE) AS y, lon, lat FROM s "
        "WHERE lon IS NOT NULL"
    ).fetchnumpy()
    ten_metres = 10 / 0.3048
    kept = con.execute("SELECT DISTINCT CAST(est AS DOUBLE) FROM raw WHERE est IS NOT NULL")
    east = {one for (one,) in kept.fetchall()}
    assert {round(round(x / ten_metres) * ten_metres, 1) for x in told["x"]} <= east
    assert len(told["x"]) > 15_000
    lon, lat = project(told["x"], told["y"], "EPSG:4326", "ESRI:102696")
    assert np.abs(lon - told["lon"]).max() < 1e-5
    assert np.abs(lat - told["lat"]).max() < 1e-5


# --- The pack ------------------------------------------------------------------------------------


def test_the_pack_says_that_it_is_for_tests_only() -> None:
    city = City(PACK)
    for text in (city.contracts["faits"].licence, city.contracts["faits"].attribution):
        assert "aucune licence déclarée : essais seulement, jamais montré" in text
    assert "essais seulement" in city.about.title


def test_home_games_are_event_days_for_as_long_as_they_are_told(shared: Path) -> None:
    city = City(PACK)
    path = shared / "events/mlb_home_games_2008_2018.csv"
    games = duckdb.sql(f"SELECT date FROM '{path}' WHERE home = 'SLN'").fetchall()
    assert len(games) == 891
    attribution = "obtained free of charge from and is copyrighted by Retrosheet"
    assert attribution in city.contracts["matchs"].attribution
    period = city.about.period
    kinds = calendar.day_kinds(
        city.about.holidays, period.start, period.end, {day for (day,) in games}
    )
    assert sum(kind == calendar.EVENT for kind in kinds.values()) == len({*games}) == 885
    assert max(kinds) == dt.date(2018, 12, 31)
