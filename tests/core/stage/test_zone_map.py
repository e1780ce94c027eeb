"""A map of zones: every zone in its place, small ones enlarged, names that hide nothing."""

from __future__ import annotations

import itertools
import re
from html import unescape
from typing import Any

import numpy as np
import pytest
import shapely

from helpers.core.stage import figure, maps, zone_map
from helpers.core.stage.zone_map import Zone


def city(large: int, small: int) -> list[dict[str, Any]]:
    """Return large squares in rows of five, degrees, and small ones in the first's place."""
    boxes = [shapely.box(5 + i % 5, 43 + i // 5, 6 + i % 5, 44 + i // 5) for i in range(large)]
    side = 0.12
    tiny = [
        shapely.box(5 + side * (i % 4), 43 + side * (i // 4), 5 + side * (i % 4 + 1),
                    43 + side * (i // 4 + 1))
        for i in range(small)
    ]  # fmt: skip
    shapes = [*boxes[1:], *tiny] if small else boxes
    return [
        {
            "type": "Feature",
            "properties": {"code": f"Z{i}", "nom": f"Zone {i}"},
            "geometry": shapely.geometry.mapping(shape),
        }
        for i, shape in enumerate(shapes)
    ]


def shown(features: list[dict[str, Any]], words: str = "mots") -> dict[str, Zone]:
    return {one["properties"]["code"]: Zone("#fff", "usual", words, "Nom") for one in features}


@pytest.mark.parametrize("size", [(600, 430), (346, 180)])
def test_shapes_keep_their_places_and_fill_the_frame(size: tuple[int, int]) -> None:
    features = city(25, 0)
    found = zone_map.layout(features, *size)
    assert found.frame is None
    boxes = np.array([one.shape.bounds for one in found.placed])
    assert boxes.min() >= 0
    assert boxes[:, 2].max() <= size[0]
    assert boxes[:, 3].max() <= size[1]
    filled = (boxes[:, 2].max() - boxes[:, 0].min()) / size[0]
    tall = (boxes[:, 3].max() - boxes[:, 1].min()) / size[1]
    assert max(filled, tall) > 0.9
    first, second, sixth = boxes[0], boxes[1], boxes[5]
    assert second[0] > first[0]  # east is to the right
    assert sixth[1] < first[1]  # north is up


def test_zones_too_small_to_be_seen_are_drawn_again_larger() -> None:
    features = city(25, 12)
    found = zone_map.layout(features, 600, 430)
    assert found.frame is not None
    larger = {one.code: one.shape.area for one in found.placed if one.inset}
    plain = {one.code: one.shape.area for one in found.placed if not one.inset}
    tiny = [f"Z{i}" for i in range(24, 36)]
    assert set(tiny[:9]) <= set(larger)
    assert all(larger[code] > 2 * plain[code] for code in tiny[:9])
    for one in (one for one in found.placed if one.inset):
        assert shapely.box(*found.frame).buffer(0.1).contains(one.shape)


def test_names_hide_no_other_and_stay_in_the_frame() -> None:
    features = city(25, 12)
    named = {one["properties"]["code"]: "Saint-Barthélemy" for one in features}
    for size in ((600, 430), (346, 180)):
        found = zone_map.layout(features, *size)
        labels = list(zone_map.labels(found, named))
        assert 3 <= len(labels) <= len(named)
        assert labels[0].code == "Z0", "the first to be named is served first"
        boxes = [shapely.box(*one.box) for one in labels]
        for a, b in itertools.combinations(boxes, 2):
            assert a.intersection(b).area < 1e-6
        for box in boxes:
            assert shapely.box(-1, -1, size[0] + 1, size[1] + 1).contains(box)


@pytest.mark.parametrize("size", [(600, 430), (346, 180)])
@pytest.mark.parametrize("codes", [("Z27",), ("Z24", "Z30", "Z35"), ("Z6", "Z7", "Z12")])
def test_names_leave_the_colours_of_their_zones_seen(
    size: tuple[int, int], codes: tuple[str, ...]
) -> None:
    """A name wider than its zone stands beside it: what the map says is a colour."""
    found = zone_map.layout(city(25, 12), *size)
    labels = list(zone_map.labels(found, dict.fromkeys(codes, "Saint-Barthélemy")))
    assert [one.code for one in labels] == list(codes)
    for code in codes:
        drawn = max((one.shape for one in found.placed if one.code == code), key=lambda s: s.area)
        for one in labels:
            hidden = drawn.intersection(shapely.box(*one.box)).area / drawn.area
            assert hidden < 0.4, (code, one.code)


def test_what_a_city_calls_its_zones_is_text() -> None:
    features = city(6, 0)
    trap = '"><img src=x onerror=alert(1)><b>'
    page = zone_map.svg(
        zone_map.layout(features, 600, 430), shown(features, trap), {"Z0": trap}, trap, "Z1"
    )
    assert "<img" not in page
    assert "<b>" not in page
    assert re.findall('aria-label="([^"]*)"', page)[0] != trap
    assert unescape(re.findall('data-words="([^"]*)"', page)[0]) == trap
    assert page.count('tabindex="0"') == 1
    assert page.count('tabindex="-1"') == 5
    assert page == zone_map.svg(
        zone_map.layout(features, 600, 430), shown(features, trap), {"Z0": trap}, trap, "Z1"
    )


def test_figures_draw_the_same_map_as_screens() -> None:
    features = city(25, 12)
    found = zone_map.layout(features, 600, 430)
    named = {"Z0": "Un", "Z30": "Deux"}
    classes = {one["properties"]["code"]: ("calme", "mots") for one in features}
    spec = figure.complete(maps.zone_chart(found, classes, {"calme": "#fff"}, named))
    drawn = [
        row["geometry"] for rows in spec["datasets"].values() for row in rows
        if row.get("properties", {}).get("classe")
    ]  # fmt: skip
    assert len(drawn) == len(found.placed)
    figures = [shapely.geometry.shape(row) for row in drawn]
    for one in found.placed:
        apart = min(other.symmetric_difference(one.shape).area for other in figures)
        assert apart <= 0.1 * one.shape.length
    texts = [row for rows in spec["datasets"].values() for row in rows if "nom" in row]
    on_screen = [(one.text, one.x, one.y) for one in zone_map.labels(found, named)]
    assert [(row["nom"], row["x"], row["y"]) for row in texts][: len(on_screen)] == on_screen
