"""Random divisions: each point counted in one zone and the right one, or a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.core.base.errors import PhareError
from helpers.core.place_time.partition import Partition, partition
from helpers.core.place_time.territory import Zones, in_metres, project
from helpers.core.stage.remark_words import sentence

CRS = "EPSG:2154"
WEST, SOUTH = 5.36, 43.29
SIDE = 6  # squares a side of the lattice
STEP = 0.002  # degrees: some 160 m by 220 m
CELLS = [(i, j) for i in range(SIDE) for j in range(SIDE)]
OWNERS = st.lists(st.integers(0, 4), min_size=len(CELLS), max_size=len(CELLS))
POINTS = st.lists(
    st.tuples(st.floats(-0.5, SIDE + 0.5), st.floats(-0.5, SIDE + 0.5)), min_size=1, max_size=40
)


def square(i: float, j: float, width: float = 1, height: float = 1) -> shapely.Polygon:
    """Return a rectangle of the lattice, in degrees."""
    return shapely.box(
        WEST + i * STEP, SOUTH + j * STEP, WEST + (i + width) * STEP, SOUTH + (j + height) * STEP
    )


def checked(rows: Sequence[tuple[str, Any]]) -> Partition:
    codes = [code for code, _ in rows]
    return partition(codes, [shapely.to_wkb(s) for _, s in rows], CRS, "ici")


def tried(rows: Sequence[tuple[str, Any]]) -> tuple[Partition | None, str]:
    """Return the division, or None and why it is refused."""
    try:
        return checked(rows), ""
    except PhareError as error:
        return None, error.what


def placed(found: Partition, points: Sequence[tuple[float, float]]) -> list[str]:
    codes = np.asarray(found.codes, dtype=object)
    zones = Zones(codes, codes, found.shapes)
    lon = np.array([WEST + x * STEP for x, _ in points])
    lat = np.array([SOUTH + y * STEP for _, y in points])
    told: list[str] = zones.at(*project(lon, lat, CRS)).tolist()
    return told


@given(OWNERS, POINTS)
@settings(max_examples=60)
def test_any_division_of_the_lattice_counts_each_point_in_its_zone(
    owners: list[int], points: list[tuple[float, float]]
) -> None:
    """Rows are squares: a zone is all the squares of its owner, in one piece or in many."""
    rows = [(f"Z{owner}", square(*cell)) for cell, owner in zip(CELLS, owners, strict=True)]
    found = checked(rows)
    assert found.codes == sorted({code for code, _ in rows})
    total = shapely.area(found.shapes).sum()
    parts = in_metres(np.array([s for _, s in rows], object), CRS)
    assert total == pytest.approx(shapely.area(parts).sum(), rel=1e-9)
    several = {code for code, _ in rows if [c for c, _ in rows].count(code) > 1}
    assert all(any(f"« {code} »" in sentence(said) for said in found.told) for code in several)
    for (x, y), zone in zip(points, placed(found, points), strict=True):
        if min(abs(x - round(x)), abs(y - round(y))) < 1e-3:  # on an edge: either is right
            continue
        inside = 0 < x < SIDE and 0 < y < SIDE
        assert zone == (f"Z{owners[int(x) * SIDE + int(y)]}" if inside else "outside")


@given(st.floats(0, 5), st.floats(0, 5), st.floats(0.05, 3), st.floats(0.05, 3), POINTS)
@settings(max_examples=80)
def test_a_rectangle_over_others_is_refused_unless_it_is_a_sliver(
    i: float, j: float, width: float, height: float, points: list[tuple[float, float]]
) -> None:
    """Whether it was to be refused is computed on plain rectangles, in metres, by hand."""
    rows = [
        ("A", square(0, 0, 3, SIDE)),
        ("B", square(3, 0, 3, SIDE)),
        ("C", square(i, j, width, height)),
    ]
    metres_x, metres_y = STEP * 81_000, STEP * 111_100
    height_in = min(j + height, SIDE) - j
    overlaps = [min(i + width, 3) - i, min(i + width, SIDE) - max(i, 3)]
    smallest = [min(max(0.0, w) * metres_x, height_in * metres_y) for w in overlaps]
    found, why = tried(rows)
    if found is None:
        assert "recouvrent" in why
        assert "« C »" in why
        return
    assert max(smallest) < 10.5  # metres; the lattice is measured to a percent
    zones = placed(found, points)
    assert len(zones) == len(points)
    assert set(zones) <= {"A", "B", "C", "outside"}


@given(OWNERS, st.integers(0, len(CELLS) - 1), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_of_the_rows_has_no_part_in_it(
    owners: list[int], twice: int, shuffler: Any
) -> None:
    rows = [(f"Z{owner}", square(*cell)) for cell, owner in zip(CELLS, owners, strict=True)]
    rows.append(rows[twice])  # a part written twice counts once
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    one, other = checked(rows), checked(shuffled)
    assert one.codes == other.codes
    assert all(shapely.equals(one.shapes, other.shapes))
    assert one.told == other.told


@given(st.lists(st.tuples(st.floats(0, 6), st.floats(0, 6)), min_size=3, max_size=8))
@settings(max_examples=100)
def test_any_ring_is_a_zone_told_if_mended_or_refused(ring: list[tuple[float, float]]) -> None:
    drawn = shapely.Polygon([(WEST + x * STEP, SOUTH + y * STEP) for x, y in ring])
    found, why = tried([("A", drawn)])
    if found is None:
        assert "« A »" in why
        assert not drawn.is_valid or drawn.area < 1e-9
        return
    assert shapely.is_valid(found.shapes).all()
    assert bool(found.told) or drawn.is_valid
    before = shapely.area(in_metres(np.array([drawn], object), CRS))[0]
    assert shapely.area(found.shapes)[0] == pytest.approx(before, rel=0.0101)


def test_no_row_is_no_division() -> None:
    with pytest.raises(PhareError, match="aucune zone acceptée"):
        checked([])


def test_zones_far_from_what_the_reference_system_is_made_for_are_refused() -> None:
    with pytest.raises(PhareError, match="EPSG:2154"):
        checked([("A", shapely.box(-73.6, 45.5, -73.5, 45.6))])


SEEDS = st.lists(
    st.tuples(st.floats(0.1, SIDE - 0.1), st.floats(0.1, SIDE - 0.1)),
    min_size=3, max_size=14, unique_by=lambda one: (round(one[0], 1), round(one[1], 1)),
)  # fmt: skip


@given(SEEDS, st.lists(st.integers(0, 3), min_size=14, max_size=14), POINTS)
@settings(max_examples=60)
def test_any_division_by_the_nearest_of_some_places_counts_each_point_once(
    seeds: list[tuple[float, float]], owners: list[int], points: list[tuple[float, float]]
) -> None:
    """No lattice: edges at any angle, parts that touch at a corner; right is the nearest place."""
    box = square(0, 0, SIDE, SIDE)
    near = shapely.MultiPoint([(WEST + x * STEP, SOUTH + y * STEP) for x, y in seeds])
    parts = shapely.get_parts(shapely.voronoi_polygons(near, extend_to=box, ordered=True))
    rows = [
        (f"Z{owner}", part.intersection(box)) for owner, part in zip(owners, parts, strict=False)
    ]
    found = checked(rows)
    assert found.codes == sorted({code for code, _ in rows})
    for (x, y), zone in zip(points, placed(found, points), strict=True):
        if not (0.001 < x < SIDE - 0.001 and 0.001 < y < SIDE - 0.001):
            continue
        far = np.hypot(*(np.array(seeds) - (x, y)).T)
        first, second = np.argsort(far)[:2]
        if far[second] - far[first] > 1e-3 or owners[first] == owners[second]:
            assert zone == f"Z{owners[first]}"
