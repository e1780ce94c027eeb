"""When, where, by whom: local time to UTC, intervals, origin, and the zone a source declares."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pyproj import Transformer

from tests.fixtures.made_up import FACTS, SQUARES, build_made_up, fact, middle
from tests.fixtures.real import Built, read_csv

PARIS = ZoneInfo("Europe/Paris")


def observed(built: Built, columns: str) -> list[tuple[Any, ...]]:
    """Return the columns of the observations in order of local hour, then of category."""
    return built.rows(f"SELECT {columns} FROM observations ORDER BY hour, category, n")


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2024-07-01T12:00:00", "2024-07-01T10:00:00"),
        ("2024-01-15T12:00:00", "2024-01-15T11:00:00"),
        ("2024-01-01T00:30:00", "2023-12-31T23:30:00"),
        ("2024-03-31T03:00:00", "2024-03-31T01:00:00"),
        ("2024-03-31T01:59:59", "2024-03-31T00:59:59"),
        ("2024-10-27T03:00:00", "2024-10-27T02:00:00"),
    ],
)
def test_local_time_becomes_utc_and_the_hour_stays_local(
    local: str, utc: str, tmp_path: Path
) -> None:
    built = build_made_up(tmp_path, [fact(1, debut=local)])
    started = dt.datetime.fromisoformat(local)
    instant = started.replace(tzinfo=PARIS).astimezone(dt.UTC).replace(tzinfo=None)
    assert instant == dt.datetime.fromisoformat(utc)
    assert observed(built, "started_at, ended_at, hour") == [
        (instant, instant, started.replace(minute=0, second=0))
    ]


def test_hours_that_come_twice_or_never_lose_nothing(tmp_path: Path) -> None:
    rows = [fact(i, debut=f"2024-10-27T02:{i:02d}:00") for i in range(10)]
    rows += [fact(10 + i, debut=f"2024-03-31T02:{i:02d}:00") for i in range(10)]
    built = build_made_up(tmp_path, rows)
    assert built.rows("SELECT hour, n FROM cube ORDER BY 1") == [
        (dt.datetime(2024, 3, 31, 3), 10),
        (dt.datetime(2024, 10, 27, 2), 10),
    ]
    assert built.rows("SELECT count(*) FROM observations WHERE started_at IS NULL") == [(0,)]


def test_interval_is_kept_from_end_to_end(tmp_path: Path) -> None:
    built = build_made_up(
        tmp_path,
        [
            fact(1, debut="2024-06-30T22:10:00", fin="2024-07-01T06:50:00"),
            fact(2, debut="2024-07-02T10:59:59", fin=""),
        ],
    )
    assert observed(built, "started_at, ended_at, hour, hour_end, time_precision") == [
        (
            dt.datetime(2024, 6, 30, 20, 10), dt.datetime(2024, 7, 1, 4, 50),
            dt.datetime(2024, 6, 30, 22), dt.datetime(2024, 7, 1, 6), "minute",
        ),
        (
            dt.datetime(2024, 7, 2, 8, 59, 59), dt.datetime(2024, 7, 2, 8, 59, 59),
            dt.datetime(2024, 7, 2, 10), dt.datetime(2024, 7, 2, 10), "minute",
        ),
    ]  # fmt: skip


def test_origin_follows_the_rule_and_is_unknown_elsewhere(tmp_path: Path) -> None:
    told = {"habitant": "citizen", "patrouille": "agent", "autre": "unknown", "": "unknown"}
    rows = [fact(i, qui=qui, nombre=str(i + 1)) for i, qui in enumerate(told)]
    built = build_made_up(tmp_path, rows)
    found = built.rows("SELECT n, origin FROM observations ORDER BY n")
    assert [origin for _, origin in found] == list(told.values())


def test_origin_may_be_the_same_for_a_whole_source(tmp_path: Path) -> None:
    facts = copy.deepcopy(FACTS)
    facts["observation"]["origin"] = {"value": "agent"}
    built = build_made_up(tmp_path, [fact(1), fact(2, qui="")], facts=facts)
    assert built.rows("SELECT DISTINCT origin FROM cube") == [("agent",)]


def test_count_column_weighs(tmp_path: Path) -> None:
    built = build_made_up(tmp_path, [fact(1, nombre="7"), fact(2, nombre="0"), fact(3)])
    assert built.rows("SELECT CAST(sum(n) AS BIGINT) FROM cube") == [(8,)]


def test_declared_zone_serves_only_where_there_is_no_point(tmp_path: Path) -> None:
    lon, lat = (f"{v:.6f}" for v in middle("B"))
    cases = [
        # point in B, A declared: the point wins
        ({"lon": lon, "lat": lat, "carre": "A"}, ("B", "est", "point")),
        # no point, D declared: the half that D is part of follows
        ({"lon": "", "lat": "", "carre": "D"}, ("D", "est", "zone")),
        # half a point is no point
        ({"lon": lon, "lat": "", "carre": "D"}, ("D", "est", "zone")),
        # a point outside every square stays outside, whatever is declared
        ({"lon": "5.70", "lat": "43.50", "carre": "A"}, ("outside", "outside", "point")),
        # neither point nor known zone
        ({"lon": "", "lat": "", "carre": "Z"}, ("no_place", "no_place", "none")),
        ({"lon": "", "lat": "", "carre": ""}, ("no_place", "no_place", "none")),
    ]
    rows = [fact(i, nombre=str(i + 1), **row) for i, (row, _) in enumerate(cases)]
    built = build_made_up(tmp_path, rows)
    found = built.rows(
        "SELECT zone_carres, zone_moities, place_precision FROM observations ORDER BY n"
    )
    assert found == [told for _, told in cases]
    cells = built.rows("SELECT cell IS NOT NULL FROM observations ORDER BY n")
    assert [c for (c,) in cells] == [told[2] == "point" for _, told in cases]


def test_point_falls_in_its_square_its_half_and_its_cell(tmp_path: Path) -> None:
    rows = []
    for i, code in enumerate(SQUARES):
        lon, lat = middle(code)
        rows.append(fact(i, lon=f"{lon:.6f}", lat=f"{lat:.6f}", nombre=str(i + 1)))
    built = build_made_up(tmp_path, rows)
    to = Transformer.from_crs("EPSG:4326", "EPSG:3035")
    for (cell, zone, half), (code, (column, _)) in zip(
        built.rows("SELECT cell, zone_carres, zone_moities FROM observations ORDER BY n"),
        SQUARES.items(),
        strict=True,
    ):
        lon, lat = middle(code)
        north, east = to.transform(round(lat, 6), round(lon, 6))
        assert zone == code
        assert half == ("ouest" if column == 0 else "est")
        assert cell == f"CRS3035RES200mN{int(north // 200) * 200}E{int(east // 200) * 200}"


def test_year_alone_spans_the_year_and_says_so(open_marseille: Built) -> None:
    found = open_marseille.rows(
        "SELECT DISTINCT hour, hour_end, time_precision FROM cube "
        "WHERE source = 'faits_par_service' ORDER BY 1"
    )
    assert [row[0].year for row in found] == list(range(2012, 2021))
    for first, last, precision in found:
        assert precision == "year"
        assert first == dt.datetime(first.year, 1, 1)
        assert last == dt.datetime(first.year, 12, 31, 23)


def test_declared_arrondissement_of_unplaced_accidents(open_marseille: Built, shared: Path) -> None:
    """Unplaced accidents of 2013 keep the arrondissement that the form names; 13055 is no zone."""
    rows = [
        row
        for row in read_csv(shared / "marseille/accidents_2013_2015_2020.csv")
        if row["echantillon"] == "complet"
    ]
    unplaced = [r for r in rows if r["lat"] in ("", "0.0") or r["lon"] in ("", "0.0")]
    listed = {str(code) for code in range(13201, 13217)}
    expected = sum(row["insee"] in listed for row in unplaced)
    found = open_marseille.rows(
        "SELECT place_precision, count(*) FROM observations WHERE source = 'accidents' "
        "GROUP BY 1 ORDER BY 1"
    )
    assert dict(found) == {
        "point": len(rows) - len(unplaced),
        "zone": expected,
        "none": len(unplaced) - expected,
    }
    assert expected > 0


def test_minutes_of_the_form_are_read_as_a_clock(open_marseille: Built, shared: Path) -> None:
    """710 is ten past seven; 5 is five past midnight."""
    rows = [
        row
        for row in read_csv(shared / "marseille/accidents_2013_2015_2020.csv")
        if row["echantillon"] == "complet"
    ]
    expected = sorted(
        dt.datetime(2013, int(r["mois"]), int(r["jour"]), *divmod(int(r["hrmn"]), 100))
        .replace(tzinfo=PARIS)
        .astimezone(dt.UTC)
        .replace(tzinfo=None)
        for r in rows
    )
    found = open_marseille.rows(
        "SELECT started_at FROM observations WHERE source = 'accidents' ORDER BY 1"
    )
    assert [row[0] for row in found] == expected
