"""Cells that stand out: the study area, abstentions, pure chance and a real crowd."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import shapely

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.place_time import territory
from helpers.core.place_time.points import Facts
from helpers.core.place_time.territory import project
from helpers.core.stage import maps, params
from helpers.core.stats import hot_cells
from helpers.hotspots import cells as hotspots_cells
from helpers.hotspots import concentration, figures, words
from helpers.hotspots.knobs import Knobs
from tests.fixtures.made_up import build_made_up, fact, middle
from tests.fixtures.real import ROOT, Built

SIDE = 40


def knobs(**changed: float) -> Knobs:
    """Return the published knobs, some changed; by default without other years drawn."""
    found: Knobs = params.knobs("hotspots", ROOT).model_copy(update={"draws": 0, **changed})
    return found


def lattice(side: int, step: float = 200.0) -> np.ndarray[Any, Any]:
    return np.array([(i * step, j * step) for i in range(side) for j in range(side)])


# --- Study area ------------------------------------------------------------------------------


def made_up_views(con: duckdb.DuckDBPyConnection, built: Built) -> None:
    store.view(con, "cube", built.out / "cube.parquet")
    store.view(con, "zones", built.out / "zones.parquet")


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Sixty facts in the middle of square A, twenty spread over D, one of them without place."""
    # A little apart: sixty facts at one point would be a default point, and no place.
    rows = [fact(i, lat=f"{43.2945 + i * 1e-6:.6f}") for i in range(60)]
    rng = np.random.default_rng(11)
    lon, lat = middle("D")
    rows += [
        fact(
            100 + i,
            lon=f"{lon + rng.uniform(-0.005, 0.005):.6f}",
            lat=f"{lat + rng.uniform(-0.004, 0.004):.6f}",
        )
        for i in range(19)
    ]
    rows += [fact(200, lon="", lat=""), fact(201, nature="depot")]
    return build_made_up(tmp_path_factory.mktemp("crowded"), rows)


def test_ground_covers_the_territory_empty_cells_too(
    crowded: Built, memory: duckdb.DuckDBPyConnection
) -> None:
    made_up_views(memory, crowded)
    cells, _ = hotspots_cells.study_ground(memory, crowded.city, 200)
    assert len(cells) == len(set(cells))
    area = memory.execute("SELECT sum(area_km2) FROM zones WHERE division = 'carres'").fetchall()
    assert len(cells) * 0.04 == pytest.approx(area[0][0], rel=0.1)
    with_facts = memory.execute("SELECT DISTINCT cell FROM cube WHERE cell NOT NULL").fetchall()
    assert len(with_facts) < 0.3 * len(cells)
    assert {cell for (cell,) in with_facts} <= set(cells)


def test_ground_of_denver_is_those_whose_middle_is_inside(
    denver: Built, memory: duckdb.DuckDBPyConnection
) -> None:
    made_up_views(memory, denver)
    cells, _ = hotspots_cells.study_ground(memory, denver.city, 200)
    shapes = [
        shapely.make_valid(shapely.from_wkb(bytes(row[0])))
        for row in memory.execute("SELECT geometry FROM zones ORDER BY code").fetchall()
    ]
    whole = shapely.transform(
        shapely.union_all(shapes),
        lambda xy: np.column_stack(project(xy[:, 0], xy[:, 1], "EPSG:26913")),
    )
    middles = shapely.points(territory.corners(cells) + 100.0)
    assert shapely.distance(middles, whole).max() < 1.0
    assert len(cells) * 0.04 == pytest.approx(shapely.area(whole) / 1e6, rel=0.01)


def test_the_crowd_is_found_and_what_is_too_thin_abstains(
    crowded: Built, memory: duckdb.DuckDBPyConnection
) -> None:
    made_up_views(memory, crowded)
    table = hotspots_cells.find(memory, crowded.city, knobs(radius_m=250), 1)
    rows = table.to_pylist()
    hot = {row["cell"] for row in rows if row["hot"]}
    crowd = memory.execute("SELECT cell FROM cube GROUP BY 1 ORDER BY sum(n) DESC").fetchall()[0][0]
    assert crowd in hot
    away = np.abs(territory.corners(sorted(hot)) - territory.corners([crowd])).max(axis=1)
    assert away.max() <= 250, "une maille loin de la foule se distingue"
    assert all(row["n"] > 0 for row in rows if row["hot"])
    noisy = [row for row in rows if row["theme"] == "bruit"]
    assert sum(row["n"] for row in noisy) == 79
    assert {row["status"] for row in noisy} == {"ok"}
    thin = [row for row in rows if row["theme"] == "depots"]
    assert [(row["cell"], row["n"], row["status"], row["hot"]) for row in thin] == [
        (None, 1, "abstained", None)
    ]
    assert thin[0]["reason"] == "too_few"
    told = words.cells(hotspots_cells.by_theme(memory, table), crowded.city, knobs())
    assert "**Dépôts** : abstention (moins de 30 faits localisés dans la période)." in told


def test_window_leaves_older_facts_out(crowded: Built, memory: duckdb.DuckDBPyConnection) -> None:
    """All the facts are of 1 July 2024; the period ends on 31 December."""
    made_up_views(memory, crowded)
    table = hotspots_cells.find(memory, crowded.city, knobs(window_days=183), 1)
    assert {row["status"] for row in table.to_pylist()} == {"abstained"}
    table = hotspots_cells.find(memory, crowded.city, knobs(window_days=184), 1)
    assert "ok" in {row["status"] for row in table.to_pylist()}


def test_ground_where_nothing_happens_moves_nothing(
    crowded: Built, memory: duckdb.DuckDBPyConnection
) -> None:
    """An airport's empty land, joined to the territory: the map of the rest is the same."""
    made_up_views(memory, crowded)
    before = hotspots_cells.find(memory, crowded.city, knobs(radius_m=250, draws=9), 1)
    land = shapely.box(5.50, 43.20, 5.60, 43.30)
    memory.execute("CREATE TABLE wider AS SELECT * FROM zones")
    memory.execute(
        "INSERT INTO wider (division, code, name, area_km2, geometry) VALUES (?, 'Z', 'Z', 90, ?)",
        [crowded.city.about.main_division, shapely.to_wkb(land)],
    )
    memory.execute("CREATE OR REPLACE VIEW zones AS SELECT * FROM wider")
    ground, _ = hotspots_cells.study_ground(memory, crowded.city, 200)
    after = hotspots_cells.find(memory, crowded.city, knobs(radius_m=250, draws=9), 1)
    assert len(ground) > len(set(after["cell"].to_pylist())) + 1000
    assert after.equals(before)


def test_what_was_hot_before_is_told_where_the_period_goes_back_so_far(
    crowded: Built, memory: duckdb.DuckDBPyConnection
) -> None:
    """All facts are of 1 July 2024, the period the year 2024: two windows of 183 days, not 184."""
    made_up_views(memory, crowded)
    con, city = memory, crowded.city
    period = city.about.period
    assert (period.start, period.end) == (dt.date(2024, 1, 1), dt.date(2024, 12, 31))
    cells = hotspots_cells.study_cells(con, city, 250)
    held = hotspots_cells.cell_counts(con, city, "bruit", 30, cells, dt.date(2024, 7, 1))
    assert held.sum() == 79
    eve = hotspots_cells.cell_counts(con, city, "bruit", 30, cells, dt.date(2024, 6, 30))
    assert eve.sum() == 0
    short = hotspots_cells.find(con, city, knobs(radius_m=250, window_days=184), 1)
    assert set(short["hot_before"].to_pylist()) == {None}
    thin = knobs(radius_m=250, window_days=183, minimum_count=0)
    told = [r for r in hotspots_cells.find(con, city, thin, 1).to_pylist() if r["theme"] == "bruit"]
    assert sum(r["n"] for r in told) == 0
    assert any(r["hot_before"] for r in told)
    assert not any(r["hot"] for r in told)


def test_a_cell_hot_by_one_address_is_told_apart() -> None:
    """Twenty facts of one point, and twenty over 170 m of a street; two of one are no matter."""
    city = City(ROOT / "data/cities/marseille")
    cells = [f"CRS3035RES200mN{2_260_000 + 200 * j}E{3_930_000 + 200 * i}"
             for i in range(20) for j in range(20)]  # fmt: skip
    x, y = [3_930_100.0] * 20, [2_260_100.0] * 20
    x += [3_930_802.0 + 9 * k for k in range(19)] + [3_930_802.0]
    y += [2_260_100.0] * 20
    nowhere = np.zeros(40, dtype=np.int64)
    facts = Facts(np.array(x), np.array(y), nowhere, nowhere)
    most = hotspots_cells.busiest_points(facts, cells, city)
    assert dict(zip(cells, most[:, 0], strict=True))["CRS3035RES200mN2260000E3930000"] == 20
    assert dict(zip(cells, most[:, 0], strict=True))["CRS3035RES200mN2260000E3930800"] == 6
    held = np.ones(400)
    held[[cells.index("CRS3035RES200mN2260000E3930000"),
          cells.index("CRS3035RES200mN2260000E3930800")]] = 20  # fmt: skip
    weights = hot_cells.neighbours(territory.corners(cells).astype(float), 400)
    judged = hotspots_cells.judge("t", cells, held, weights, knobs())
    told = hotspots_cells.with_one_place(judged, held, most, knobs()).to_pylist()
    assert [row["one_place"] for row in told if row["hot"]] == [True, False]
    assert {row["one_place"] for row in told if not row["hot"]} == {None}


def test_an_address_is_one_point_though_phones_record_it_here_and_there() -> None:
    """Ninety facts within some 15 m of a door, a tenth elsewhere in the cell."""
    city = City(ROOT / "data/cities/marseille")
    cells = ["CRS3035RES200mN2260000E3930000", "CRS3035RES200mN2260200E3930000"]
    rng = np.random.default_rng(7)
    at = np.array([3_930_100.0, 2_260_100.0]) + rng.normal(0, 12, (90, 2))
    others = np.array([3_930_000.0, 2_260_000.0]) + rng.uniform(1, 199, (10, 2))
    at = np.round(np.concatenate([at, others]), -1)
    nowhere = np.zeros(100, dtype=np.int64)
    facts = Facts(at[:, 0], at[:, 1], nowhere, nowhere)
    spots = np.unique(at, axis=0, return_counts=True)[1]
    assert spots.max() < 20, "no recorded point holds them"
    near, around = hotspots_cells.busiest_points(facts, cells, city)[0]
    assert 55 <= near < around
    assert around >= 85


@pytest.mark.parametrize(("busiest", "told"), [(2, False), (40, True)])
def test_a_cell_barely_hot_is_not_put_down_to_a_point_that_holds_little(
    busiest: int, told: bool
) -> None:
    """One fact less and it would not be hot: that alone makes no address of it."""
    held = np.ones(400) * 10
    hot = np.zeros(400, dtype=bool)
    hot[0] = True
    held[0] = next(n for n in range(20, 90) if hot_cells.tail(
        np.array([float(n)]), 3990.0 + n, np.array([2 / 400]))[0] <= 0.05 / 400)  # fmt: skip
    columns = {f.name: pa.nulls(400, f.type) for f in hotspots_cells.SCHEMA}
    judged = pa.table(columns | {"hot": pa.array(hot)}, schema=hotspots_cells.SCHEMA)
    most = np.zeros((400, 2))
    most[0] = busiest
    found = hotspots_cells.with_one_place(judged, held, most, knobs())["one_place"].to_pylist()
    assert found[0] is told
    assert set(found[1:]) == {None}


def test_city_without_any_point_abstains_and_says_why(
    tmp_path: Path, memory: duckdb.DuckDBPyConnection
) -> None:
    """Zones alone, or points moved to crossings: maps abstain, and the run goes on."""
    built = build_made_up(tmp_path, [fact(i, lon="", lat="", carre="A") for i in range(90)])
    made_up_views(memory, built)
    assert territory.cell_size(memory) is None
    found = hotspots_cells.find(memory, built.city, knobs(), 1).to_pylist()
    told = [(row["theme"], row["status"], row["reason"]) for row in found]
    assert told == [(theme, "abstained", "no_cell") for theme in built.city.themes]
    shares, curves = concentration.find(memory, built.city, knobs(), 1)
    assert (set(shares["reason"].to_pylist()), curves.num_rows) == ({"no_cell"}, 0)
    said = words.concentration(shares, built.city, 30)
    assert "aucun fait n'a de point précis" in said
    figures.hot_cells(memory, hotspots_cells.find(memory, built.city, knobs(), 1), built.city)


def test_even_counts_have_no_hot_cell() -> None:
    weights = hot_cells.neighbours(lattice(8), 400)
    cells = [str(i) for i in range(64)]
    table = hotspots_cells.judge("t", cells, np.full(64, 5.0), weights, knobs(minimum_count=1))
    assert not any(table["hot"].to_pylist())


# --- Chance ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mean", [0.03, 0.1, 0.5, 3.0])
def test_chance_alone_stands_out_no_more_often_than_said(mean: float) -> None:
    """Complete spatial randomness: any discovery is false, so the rate bounds runs with one.

    The means are those of real themes: at 200 m most cells of a city hold none or one.
    """
    rng = np.random.default_rng(int(1000 * mean))
    weights = hot_cells.neighbours(lattice(SIDE), 400)
    cells = [str(i) for i in range(SIDE * SIDE)]
    runs, rate, wrong = 200, 0.05, 0
    some = knobs(false_discovery_rate=rate, minimum_count=1)
    for _ in range(runs):
        counts = rng.poisson(mean, SIDE * SIDE).astype(float)
        table = hotspots_cells.judge("t", cells, counts, weights, some)
        wrong += any(table["hot"].to_pylist())
    assert wrong / runs <= rate + 3 * np.sqrt(rate * (1 - rate) / runs)


def test_a_real_crowd_is_found_among_sparse_counts() -> None:
    """Power: without this, never finding anything would pass the test above."""
    rng = np.random.default_rng(5)
    weights = hot_cells.neighbours(lattice(SIDE), 400)
    cells = [str(i) for i in range(SIDE * SIDE)]
    middle_cell = SIDE * SIDE // 2 + SIDE // 2
    near = weights[[middle_cell]].toarray().ravel() > 0
    found = 0
    for _ in range(50):
        mean = np.where(near, 10.0, 0.1)
        held = rng.poisson(mean).astype(float)
        table = hotspots_cells.judge("t", cells, held, weights, knobs(minimum_count=1))
        found += bool(table["hot"].to_pylist()[middle_cell])
    assert found >= 45


def test_shapes_to_draw_are_the_cells_themselves() -> None:
    name = "CRS3035RES200mN2250000E3940000"
    feature = maps.cell_features([{"cell": name, "n": 3}], "EPSG:3035")[0]
    ring = np.array(feature["geometry"]["coordinates"][0])
    x, y = project(ring[:, 0], ring[:, 1], "EPSG:3035")
    assert (x.min(), y.min()) == pytest.approx((3940000, 2250000), abs=1.5)
    assert (x.max(), y.max()) == pytest.approx((3940200, 2250200), abs=1.5)
    assert feature["properties"]["n"] == 3
    assert maps.cell_features([], "EPSG:3035") == []


def test_zone_features_bear_code_and_name(
    crowded: Built, memory: duckdb.DuckDBPyConnection
) -> None:
    made_up_views(memory, crowded)
    features = maps.zone_features(memory, "carres")
    assert [f["properties"] for f in features] == [
        {"code": code, "nom": f"Carré {code}"} for code in "ABCD"
    ]
    where = [shapely.geometry.shape(f["geometry"]).centroid for f in features]
    for point, code in zip(where, "ABCD", strict=True):
        assert (point.x, point.y) == pytest.approx(middle(code), abs=1e-4)


def test_stability_and_the_other_size_are_told_of_hot_cells_alone(
    crowded: Built, memory: duckdb.DuckDBPyConnection
) -> None:
    made_up_views(memory, crowded)
    some = knobs(radius_m=250, draws=19)
    table = hotspots_cells.find(memory, crowded.city, some, 3)
    rows = [row for row in table.to_pylist() if row["theme"] == "bruit"]
    hot = [row for row in rows if row["hot"]]
    assert hot
    assert all(0 <= row["stability"] <= 1 for row in hot)
    assert max(row["stability"] for row in hot) == 1, "soixante faits en un endroit : chaque fois"
    assert all(row["stability"] is None and row["hot_coarse"] is None for row in rows
               if not row["hot"])  # fmt: skip
    assert all(row["hot_coarse"] in (True, False) for row in hot)
    again = hotspots_cells.find(memory, crowded.city, some, 3)
    assert again.equals(table)


def test_a_crowd_is_hot_at_both_sizes_and_chance_at_neither() -> None:
    names = [f"CRS3035RES200mN{200 * j}E{200 * i}" for i in range(SIDE) for j in range(SIDE)]
    coarse = hotspots_cells.Coarse.over(names)
    assert coarse.size.tolist() == [4.0] * (SIDE**2 // 4)
    counts = np.random.default_rng(2).poisson(0.5, SIDE**2).astype(float)
    assert not coarse.hot(counts, knobs()).any()
    counts[SIDE * 20 + 20 : SIDE * 20 + 24] += 15
    hot = coarse.hot(counts, knobs())
    assert hot[SIDE * 20 + 20]
    assert hot.mean() < 0.1
