"""Points, cells and zones, against PROJ, Shapely and the published names and areas."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely.geometry import shape

from helpers.core.place_time.territory import Zones, cell_names, project, unproject

INSEE = re.compile(r"^CRS3035RES200mN(\d+)E(\d+)$")
# Hôtel de ville de Marseille: 43.2965 N, 5.3698 E.
HALL = (5.3698, 43.2965)


def boxes(side: float = 1000.0) -> Zones:
    """Return four squares that share edges and a corner, in metres, in order of code."""
    corners = {"A": (0, 0), "B": (1, 0), "C": (0, 1), "D": (1, 1)}
    shapes = [
        shapely.box(x * side, y * side, (x + 1) * side, (y + 1) * side) for x, y in corners.values()
    ]
    codes = np.array(list(corners), dtype=object)
    return Zones(codes, codes, np.array(shapes, dtype=object))


def at(zones: Zones, *points: tuple[float, float]) -> list[str | None]:
    x, y = (np.array(axis, dtype=float) for axis in zip(*points, strict=True))
    found: list[str | None] = zones.at(x, y).tolist()
    return found


@pytest.fixture(scope="module")
def quarters(shared: Path) -> Zones:
    features = json.loads((shared / "marseille/quartiers.geojson").read_text("utf-8"))["features"]
    codes = [f["properties"]["code_qua"] for f in features]
    names = [f["properties"]["nom"] for f in features]
    wkb = [shapely.to_wkb(shape(f["geometry"])) for f in features]
    return Zones.read(codes, names, wkb, "EPSG:3035")


def test_cell_bears_the_insee_name_of_its_lower_left_corner() -> None:
    """The projected point is computed here by PROJ, straight."""
    north, east = Transformer.from_crs("EPSG:4326", "EPSG:3035").transform(HALL[1], HALL[0])
    x, y = project(np.array([HALL[0]]), np.array([HALL[1]]), "EPSG:3035")
    assert (x[0], y[0]) == pytest.approx((east, north), abs=1e-6)
    name = cell_names(x, y, "EPSG:3035", 200)[0].as_py()
    assert name == f"CRS3035RES200mN{int(north // 200 * 200)}E{int(east // 200 * 200)}"
    # The city stands about 2.25 million metres north and 3.94 million east of the grid's origin.
    assert re.match(r"CRS3035RES200mN22\d{5}E39\d{5}$", name)


@given(
    st.lists(st.tuples(st.floats(5.0, 5.8), st.floats(43.0, 43.6)), min_size=1, max_size=30),
)
@settings(max_examples=40, deadline=None)
def test_every_point_lies_in_the_cell_that_bears_its_name(
    points: list[tuple[float, float]],
) -> None:
    lon, lat = (np.array(axis) for axis in zip(*points, strict=True))
    x, y = project(lon, lat, "EPSG:3035")
    for name, east, north in zip(cell_names(x, y, "EPSG:3035", 200).to_pylist(), x, y, strict=True):
        match = INSEE.match(name)
        assert match
        low_north, low_east = int(match[1]), int(match[2])
        assert low_north % 200 == low_east % 200 == 0
        assert low_north <= north < low_north + 200
        assert low_east <= east < low_east + 200


def test_points_west_and_south_of_the_origin_are_named_downwards() -> None:
    names = cell_names(np.array([-1.0]), np.array([-201.0]), "EPSG:26913", 200).to_pylist()
    assert names[0] == "CRS26913RES200mN-400E-200"


def test_no_place_gives_no_cell_and_no_zone() -> None:
    nan = np.array([np.nan, 500.0, np.inf, 500.0])
    other = np.array([500.0, np.nan, 500.0, 500.0])
    assert cell_names(nan, other, "EPSG:3035", 200).to_pylist()[:3] == [None, None, None]
    assert boxes().at(nan, other).tolist() == [None, None, None, "A"]
    x, y = project(np.array([np.nan]), np.array([43.3]), "EPSG:3035")
    assert not np.isfinite(x[0]) or not np.isfinite(y[0])


def test_point_on_a_shared_edge_goes_to_the_smallest_code_only() -> None:
    zones = boxes()
    assert at(zones, (1000, 500), (500, 1000), (1000, 1000), (1500, 1000)) == ["A", "A", "A", "B"]
    assert at(zones, (500, 500), (1500, 500), (500, 1500), (1500, 1500)) == ["A", "B", "C", "D"]
    assert at(zones, (2000.1, 500), (-0.1, 0)) == ["outside", "outside"]


@given(st.lists(st.tuples(st.integers(-2, 22), st.integers(-2, 22)), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_each_point_has_one_zone_that_really_holds_it(points: list[tuple[int, int]]) -> None:
    """Points on a 100 m lattice fall on edges and corners as often as inside."""
    zones = boxes()
    where = [(100.0 * a, 100.0 * b) for a, b in points]
    by_code = dict(zip(zones.codes, zones.shapes, strict=True))
    for point, code in zip(where, at(zones, *where), strict=True):
        holders = [c for c, s in by_code.items() if s.intersects(shapely.Point(point))]
        assert code == (min(holders) if holders else "outside")


def test_zones_are_ordered_by_code_whatever_the_file() -> None:
    degrees = [shapely.to_wkb(shapely.box(5 + i, 43, 6 + i, 44)) for i in range(3)]
    zones = Zones.read(["10", "9", "2"], ["dix", "neuf", "deux"], degrees, "EPSG:3035")
    assert zones.codes.tolist() == sorted(["10", "9", "2"])
    assert dict(zip(zones.codes, zones.names, strict=True)) == {
        "10": "dix", "9": "neuf", "2": "deux"
    }  # fmt: skip
    x, y = project(np.array([5.5, 6.5, 7.5]), np.array([43.5] * 3), "EPSG:3035")
    assert zones.at(x, y).tolist() == ["10", "9", "2"]


def test_groups_are_the_union_of_their_children() -> None:
    zones = boxes()
    groups = zones.grouped(["ouest", "est", "ouest", "est"], {"ouest": "Ouest"})
    assert groups.codes.tolist() == ["est", "ouest"]
    assert groups.names.tolist() == ["est", "Ouest"]
    assert groups.area_km2().tolist() == [2.0, 2.0]
    assert at(groups, (500, 500), (1500, 1500), (500, 1500)) == ["ouest", "est", "ouest"]


def test_quarters_of_marseille_have_their_published_areas(quarters: Zones, shared: Path) -> None:
    with (shared / "marseille/quartiers_faits.csv").open(encoding="utf-8") as file:
        facts = {row["code_quartier"]: float(row["km2"]) for row in csv.DictReader(file)}
    assert len(quarters.codes) == len(facts) == 111
    for code, area in zip(quarters.codes, quarters.area_km2(), strict=True):
        assert area == pytest.approx(facts[code], rel=0.003, abs=0.001), code
    assert quarters.area_km2().sum() == pytest.approx(240.6, abs=3)  # the commune, INSEE


def test_arrondissements_are_the_sums_of_their_quarters(quarters: Zones, shared: Path) -> None:
    parents = [code[:5] for code in quarters.codes]
    groups = quarters.grouped(parents, {})
    assert len(groups.codes) == 16
    for code, area in zip(groups.codes, groups.area_km2(), strict=True):
        children = [
            a for c, a in zip(quarters.codes, quarters.area_km2(), strict=True) if c[:5] == code
        ]
        assert area == pytest.approx(sum(children), abs=0.001 * len(children))
    # The same 16, dissolved by other means.
    features = json.loads((shared / "marseille/arrondissements.geojson").read_text("utf-8"))
    centres = [shape(f["geometry"]).representative_point() for f in features["features"]]
    x, y = project(np.array([p.x for p in centres]), np.array([p.y for p in centres]), "EPSG:3035")
    found = groups.at(x, y).tolist()
    told = [
        next(str(v) for v in f["properties"].values() if re.fullmatch(r"132\d\d", str(v)))
        for f in features["features"]
    ]
    assert found == told


def test_drawn_shapes_are_lighter_and_neighbours_still_touch(quarters: Zones) -> None:
    # Rounding to a metre may make a ring touch itself: whoever reads the shapes mends that.
    drawn = shapely.make_valid(quarters.drawable("EPSG:3035", 15))
    before = shapely.get_num_coordinates(quarters.shapes).sum()
    assert shapely.get_num_coordinates(drawn).sum() < 0.7 * before
    tree = shapely.STRtree(quarters.shapes)
    left, right = tree.query(quarters.shapes, predicate="touches")
    edges = shapely.length(shapely.intersection(quarters.shapes[left], quarters.shapes[right]))
    pairs = [(a, b) for a, b, e in zip(left, right, edges, strict=True) if a < b and e > 100]
    assert len(pairs) > 200
    apart = [
        (quarters.names[a], quarters.names[b])
        for a, b in pairs
        if shapely.length(shapely.intersection(drawn[a], drawn[b])) == 0
    ]
    assert apart == []
    # No hole and no overlap has opened: the whole is as large as the parts.
    square_degrees = [shapely.area(shapely.union_all(drawn)), shapely.area(drawn).sum()]
    assert square_degrees[0] == pytest.approx(square_degrees[1], rel=1e-6)
    moved = shapely.hausdorff_distance(
        shapely.transform(
            drawn, lambda xy: np.column_stack(project(xy[:, 0], xy[:, 1], "EPSG:3035"))
        ),
        quarters.shapes,
    )
    assert moved.max() < 120  # fifteen metres of tolerance, areas kept by triangles


def test_drawn_rings_run_clockwise_and_coordinates_are_short(quarters: Zones) -> None:
    drawn = quarters.drawable("EPSG:3035", 15)
    for one in drawn:
        for part in getattr(one, "geoms", [one]):
            assert not part.exterior.is_ccw
    xy = shapely.get_coordinates(drawn)
    assert np.array_equal(xy, np.round(xy, 5))


def test_there_and_back_again() -> None:
    here = shapely.box(5.3, 43.2, 5.4, 43.3)
    x, y = project(*shapely.get_coordinates(here).T, "EPSG:3035")  # type: ignore[call-arg]
    metres = shapely.polygons(np.column_stack([x, y]))
    back = unproject(np.array([metres], dtype=object), "EPSG:3035")[0]
    assert shapely.hausdorff_distance(back, here) < 1e-7
