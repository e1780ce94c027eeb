"""Simulated counters: closed to persons at the door, and every planted truth found again."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from helpers.collect import gate
from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.place_time import counters
from helpers.core.place_time.counters import CHANGED, DEAD, MISSING, OK
from helpers.ingest.sort_rows import sort_rows
from helpers.simulate.settings import load_settings
from helpers.simulate.settings_counting import Counting
from helpers.simulate.sources import comptage
from helpers.traffic import around_events, closures, fluidity, known, words
from helpers.traffic.around_events import AFTER, BEFORE, DURING
from helpers.traffic.knobs import Knobs
from tests.fixtures import counting
from tests.fixtures.made_up import door
from tests.fixtures.real import ROOT

PACK = ROOT / "data/cities/marseille"
RULES: Counting = load_settings(PACK).sources.comptage
TWO = {name: RULES.sites[name] for name in ("R01", "P01")}
NOTHING: dict[str, tuple[()]] = {"closed": (), "gatherings": (), "dead": (), "changed": ()}
SMALL = RULES.model_copy(update={"sites": TWO, **NOTHING})
NOBODY = comptage.Held(
    np.zeros(0, dtype=str), *(np.zeros(0, dtype="datetime64[m]"),) * 2, *(np.zeros(0),) * 2
)
FIRST, LAST = dt.date(2024, 1, 1), dt.date(2025, 12, 31)


def matches() -> comptage.Held:
    """Return a match a fortnight at the stadium, on Saturdays at 21 h."""
    start = np.datetime64("2024-02-03T21:00") + 14 * np.arange(45).astype("timedelta64[D]")
    size = len(start)
    return comptage.Held(
        np.full(size, "football"), start, start + np.timedelta64(120, "m"),
        np.full(size, 5.3959), np.full(size, 43.2698),
    )  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two years of all the counters, as accepted."""
    folder = tmp_path_factory.mktemp("counters")
    days = counting.days_of(FIRST, (LAST - FIRST).days + 1)
    tables = [t for _, t in comptage.measures(RULES, matches(), days, "Europe/Paris", 5)]
    found = {}
    con = store.connect()
    con.register("measures", pa.concat_tables(tables))
    con.register("channels", comptage.channels(RULES, "Europe/Paris"))
    con.register("sites", comptage.sites(RULES))
    moment = "strptime({0}, '%Y-%m-%dT%H:%M:%SZ') AS {0}".format
    queries = {
        "comptage_measure": f"SELECT channel_id, counter_id, {moment('start_datetime')}, "
        f"{moment('end_datetime')}, TRY_CAST(count AS DOUBLE) AS count, "
        "TRY_CAST(average_vehicle_speed AS DOUBLE) AS average_vehicle_speed FROM measures",
        "comptage_channel": f"SELECT channel_id, site_id, mobility_type, time_step, "
        f"{moment('started_at')}, NULL::TIMESTAMP AS ended_at FROM channels",
        "comptage_site": "SELECT site_id, CAST(xlong AS DOUBLE) AS longitude, "
        "CAST(ylat AS DOUBLE) AS latitude, infrastructure_type FROM sites",
    }
    for name, query in queries.items():
        found[name] = store.write(con, query, folder / f"{name}.parquet")
    con.close()
    return found


@pytest.fixture(scope="module")
def roads(files: dict[str, Path]) -> known.Roads:
    city, rules = counting.city(FIRST, LAST)
    con = store.connect()
    counting.no_zones(con)
    found = known.read(con, city, rules, files)
    con.close()
    assert found is not None
    return found


KNOBS = Knobs(
    window_days=28, reference_weeks=52, minimum_flow=20, event_reach_m=1100, event_crowd=5000,
    event_margin_h=2, event_reference_weeks=8, minimum_events=3, safety_weeks=52, minimum_facts=10,
    confidence=0.95,
)  # fmt: skip


def test_the_door_keeps_names_and_remarks_out_and_an_empty_count_empty(tmp_path: Path) -> None:
    """Free text is left outside, whatever is in it; an empty count goes in empty."""
    city = City(PACK)
    files = {
        "comptage_site": [
            "site_id,site_name,fr_insee_code,xlong,ylat,infrastructure_type",
            "R01,Chez Personne fictive,13055,5.3967,43.2655,MUNICIPAL ROAD",
            "Z99,Inconnu,13055,5.39,43.26,MUNICIPAL ROAD",
        ],
        "comptage_channel": [
            "channel_id,site_id,mobility_type,comment,temporality,started_at,ended_at,time_step",
            "R01-VL,R01,CAR,Pose par Personne fictive,PERMANENT,2023-12-31T23:00:00Z,,3600",
        ],
        "comptage_measure": [
            "channel_id,counter_id,start_datetime,end_datetime,count,license_plate",
            "R01-VL,CPT0001,2024-01-01T00:00:00Z,2024-01-01T01:00:00Z,0,AB-123-CD",
            "R01-VL,CPT0001,2024-01-01T01:00:00Z,2024-01-01T02:00:00Z,,AB-123-CD",
            "R01-VL,CPT0001,2024-01-01T02:00:00Z,2024-01-01T01:00:00Z,5,AB-123-CD",
        ],
    }
    kept = {}
    for name, lines in files.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        receipt = gate.take_in(door(), city.contracts[name], [tmp_path / f"{name}.csv"], tmp_path)
        raw = tmp_path / f"{name}.parquet"
        assert "fictive" not in str(pq.read_table(raw).to_pylist())
        assert "AB-123" not in str(pq.read_table(raw).to_pylist())
        out = tmp_path / "out"
        sort_rows(store.connect(), city.contracts[name], raw, out, "Europe/Paris")
        kept[name] = pq.read_table(out / f"accepted/{name}.parquet").to_pylist()
        if name == "comptage_measure":
            assert set(receipt["columns_refused"]) == {"license_plate"}
    assert [row["site_id"] for row in kept["comptage_site"]] == ["R01"]
    assert [row["count"] for row in kept["comptage_measure"]] == [0.0, None]
    assert kept["comptage_measure"][0]["start_datetime"] == dt.datetime(2024, 1, 1)


def test_the_same_knobs_make_the_same_counts_and_every_hour_lived_is_told_once() -> None:
    days = counting.days_of(dt.date(2025, 3, 29), 3)  # the clock goes forward on the 30th
    one, two = (list(comptage.measures(SMALL, NOBODY, days, "Europe/Paris", 1)) for _ in "ab")
    assert one[0][1].equals(two[0][1])
    told = one[0][1]
    pairs = set(zip(told["channel_id"].to_pylist(), told["start_datetime"].to_pylist(),
                    strict=True))  # fmt: skip
    assert len(pairs) == told.num_rows == 3 * 71
    autumn = counting.days_of(dt.date(2025, 10, 26), 1)
    assert next(comptage.measures(SMALL, NOBODY, autumn, "Europe/Paris", 1))[1].num_rows == 3 * 25


def test_dead_counters_send_what_is_planted() -> None:
    days = counting.days_of(dt.date(2025, 12, 30), 2)
    told = next(comptage.measures(RULES, NOBODY, days, "Europe/Paris", 1))[1]
    zeros = told.filter(pc.equal(pc.cast(told["channel_id"], pa.string()), "R11-VL"))
    assert set(zeros["count"].to_pylist()) == {"0"}
    empty = told.filter(pc.equal(pc.cast(told["channel_id"], pa.string()), "R13-VL"))
    assert set(empty["count"].to_pylist()) <= {None, ""}


def test_the_reader_knows_the_dead_the_mute_and_the_changed(roads: known.Roads) -> None:
    def why(site: str, day: dt.date) -> int:
        i = roads.index(site)
        assert i is not None
        return int(roads.hours.why[i, roads.hours.day(day), 12])

    assert why("R09", dt.date(2025, 3, 10)) == MISSING  # no row
    assert why("R13", dt.date(2025, 12, 20)) == MISSING  # an empty count
    assert why("R11", dt.date(2025, 12, 25)) == DEAD  # zeros
    assert why("R10", dt.date(2025, 12, 1)) == CHANGED
    assert why("R05", dt.date(2025, 10, 10)) == OK  # closed, not dead


def test_fluidity_finds_the_change_planted_and_no_other(roads: known.Roads) -> None:
    rows = fluidity.measure(roads, KNOBS).to_pylist()
    apart = {row["site"] for row in rows if row["level"] in (fluidity.MORE, fluidity.LESS)}
    assert apart == {"R08"}
    own = [row for row in rows if row["site"] == "R08" and row["measure"] == fluidity.FLOW]
    assert all(row["low"] <= 0.75 <= row["high"] for row in own)
    reasons = {row["site"]: row["reason"] for row in rows if row["measure"] == fluidity.FLOW}
    assert reasons["R10"] == fluidity.MOVED
    assert reasons["R13"] == fluidity.MUTE
    told = words.fluid(fluidity.measure(roads, KNOBS), roads, KNOBS)
    assert "Boulevard National" in told
    assert "compteur changé" in told
    assert "Avenue de la Capelette (16 jours sur 28)" in told


def test_a_closure_moves_what_is_planted_to_the_roads_named(roads: known.Roads) -> None:
    rows = closures.measure(roads, KNOBS).to_pylist()
    long, alone = ([r for r in rows if r["closure"].startswith(n)] for n in ("Trav", "Corn"))
    daily = {name: sum(RULES.sites[name].daily.values()) for name in ("R05", "R06", "R07")}
    truth = {"R05": 0.05}
    for name, share in RULES.closed[0].moved.items():
        truth[name] = 1 + 0.95 * share * daily["R05"] / daily[name]
    for row in long:
        assert row["low"] <= truth[row["site"]] <= row["high"], row
    assert [row["level"] for row in long] == [fluidity.LESS, fluidity.MORE, fluidity.MORE]
    # One draw may miss its interval one time in twenty: coverage is held in tests/traffic.
    assert long[0]["moved"] == pytest.approx(0.65, abs=0.15)
    assert long[0]["moved_low"] > 0.4
    assert alone[1]["level"] == fluidity.USUAL, "nothing was moved there"
    assert alone[0]["moved_low"] <= 0 <= alone[0]["moved_high"]


def test_events_bring_what_is_planted_before_during_and_after(roads: known.Roads) -> None:
    zero = np.datetime64(FIRST, "h")
    held, at = matches(), roads.places[roads.index("R01") or 0]
    hours = [(m.astype("datetime64[h]") - zero).astype(int) for m in (held.start, held.end)]
    events = [
        around_events.Event("sportif", int(a), int(b), at.x, at.y)
        for a, b in zip(*hours, strict=True)
    ]
    rows = around_events.measure(roads, events, KNOBS).to_pylist()
    truth = {BEFORE: 1.35, DURING: 0.90, AFTER: 1.45}
    told = {row["part"]: row for row in rows if row["site"] == "R01"}
    for part, factor in truth.items():
        assert told[part]["low"] <= factor <= told[part]["high"], told[part]
    assert told[BEFORE]["level"] == told[AFTER]["level"] == fluidity.MORE
    assert told[DURING]["level"] == fluidity.LESS


def test_quiet_events_show_nothing(roads: known.Roads) -> None:
    """Evenings drawn at random, at a road that no event touches: nothing is established."""
    rng, at = np.random.default_rng(8), roads.places[roads.index("R13") or 0]
    starts = rng.choice(np.arange(200, 600), 30, replace=False) * 24 + 19
    events = [around_events.Event("culturel", int(s), int(s) + 3, at.x, at.y) for s in starts]
    rows = around_events.measure(roads, events, KNOBS).to_pylist()
    assert {row["level"] for row in rows if row["site"] == "R13"} == {fluidity.USUAL}


def test_walkers_are_no_vehicles(memory: duckdb.DuckDBPyConnection, files: dict[str, Path]) -> None:
    city, rules = counting.city(FIRST, LAST)
    counting.no_zones(memory)
    found = counters.read(memory, city, rules, files, "pietons")
    assert {one.site[0] for one in found.places} == {"P"}
