"""Random divisions through the door and into the cube: zones add up to what was placed, or no."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.core.base.errors import PhareError
from tests.fixtures import made_up
from tests.fixtures.made_up import build_made_up, fact

WEST, EAST, SOUTH, NORTH = 5.36, 5.385, 43.29, 43.308
PARTS = st.floats(0.1, 0.9)
PLACES = st.lists(st.tuples(st.floats(-0.2, 1.2), st.floats(-0.2, 1.2)), min_size=5, max_size=30,
                  unique=True)  # fmt: skip
Box = tuple[float, float, float, float]  # west, south, east, north: shares of the whole


def cut(boxes: list[Box], at: float, which: int) -> list[Box]:
    """Return the boxes, one of them cut in two: across where `which` is odd."""
    west, south, east, north = boxes.pop(which % len(boxes))
    if which % 2:
        x = west + at * (east - west)
        return [*boxes, (west, south, x, north), (x, south, east, north)]
    y = south + at * (north - south)
    return [*boxes, (west, south, east, y), (west, y, east, north)]


def feature(code: str, box: Box) -> dict[str, Any]:
    x = [WEST + one * (EAST - WEST) for one in (box[0], box[2])]
    y = [SOUTH + one * (NORTH - SOUTH) for one in (box[1], box[3])]
    ring = [[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]], [x[0], y[0]]]
    told = {"code": code, "moitie": "ouest" if code in "AB" else "est"}
    return {"type": "Feature", "properties": told,
            "geometry": {"type": "Polygon", "coordinates": [ring]}}  # fmt: skip


@settings(
    max_examples=12, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    cuts=st.lists(st.tuples(PARTS, st.integers(0, 7)), min_size=3, max_size=7),
    owners=st.lists(st.sampled_from("ABCD"), min_size=8, max_size=8),
    over=st.none() | st.tuples(st.floats(0, 0.7), st.floats(0, 0.7), st.floats(0.01, 0.3)),
    places=PLACES,
)  # fmt: skip
def test_totals_over_zones_are_the_facts_placed_or_the_division_is_refused(
    monkeypatch: pytest.MonkeyPatch, cuts: list[tuple[float, int]], owners: list[str],
    over: tuple[float, float, float] | None, places: list[tuple[float, float]],
) -> None:  # fmt: skip
    boxes: list[Box] = [(0.0, 0.0, 1.0, 1.0)]
    for at, which in cuts:
        boxes = cut(boxes, at, which)
    owners = ["A", "B", "C", "D", *owners][: len(boxes)]
    drawn = list(zip(owners, boxes, strict=True))
    if over:  # one more part of D, wherever it falls: over others, but where D is alone
        drawn.append(("D", (over[0], over[1], over[0] + over[2], over[1] + over[2])))
    layer = {"type": "FeatureCollection", "features": [feature(*one) for one in drawn]}
    monkeypatch.setattr(made_up, "squares", lambda: json.loads(json.dumps(layer)))
    rows = [
        fact(i, lon=f"{WEST + x * (EAST - WEST):.7f}", lat=f"{SOUTH + y * (NORTH - SOUTH):.7f}")
        for i, (x, y) in enumerate(places)
    ]
    rows += [fact(len(rows) + i, lon="", lat="") for i in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        why = ""
        try:
            built = build_made_up(Path(folder), rows)
        except PhareError as error:
            why = error.what
        if why:
            assert over
            assert "recouvrent" in why
            return
        totals = [
            dict(built.rows(f"SELECT zone_{name}, CAST(sum(n) AS INT) FROM cube GROUP BY 1"))
            for name in ("carres", "moities")
        ]
        told = built.rows("SELECT zone_carres, zone_moities, n FROM cube")
    assert [sum(one.values()) for one in totals] == [len(rows)] * 2
    assert totals[0]["no_place"] == totals[1]["no_place"] == 3
    half = Counter[str]()
    for zone, of, n in told:
        assert of == {"A": "ouest", "B": "ouest", "C": "est", "D": "est"}.get(zone, zone)
        half[of] += n
    assert dict(half) == totals[1]
    step = 2e-3  # the grid of the door, of ten metres, in shares of the side
    for code in "ABCD":
        sure, maybe = (
            sum(any(owner == code and w + e < x < r - e and s + e < y < t - e
                    for owner, (w, s, r, t) in drawn) for x, y in places)
            for e in (step * 4, -step * 4)
        )  # fmt: skip
        assert sure <= totals[0].get(code, 0) <= maybe
