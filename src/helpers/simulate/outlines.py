"""The official outlines of quarters, simplified together, as a pack may carry them.

    python -m helpers.simulate.outlines <published.geojson> <the pack's file>

Neighbours are simplified as one coverage (Visvalingam and Whyatt 1993, by triangles' areas, as in
GEOS): a border that two quarters share stays one line, so that no gap or overlap opens.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from helpers.core.base import commands
from helpers.core.base.errors import PhareError
from helpers.core.place_time.territory import in_metres, unproject

TOLERANCE_M = 10.0  # a corner goes if its triangle is smaller than the square of this
FRENCH_METRES = "EPSG:2154"
DECIMALS = 6  # about ten centimetres
CODE, NAME, DISTRICT = "code_qua", "nom", "DEPCO"  # as the publisher calls them


def simplified(published: dict[str, Any]) -> str:
    """Return the text of the GeoJSON file that holds the quarters of `published`, by code.

    `published` is a collection of polygons in WGS 84 with the publisher's properties. Raises
    `PhareError` where the result, its degrees rounded, is no coverage.
    """
    features = sorted(published["features"], key=lambda one: str(one["properties"][CODE]))
    shapes = shapely.from_geojson([json.dumps(one["geometry"]) for one in features])
    metres = shapely.coverage_simplify(in_metres(shapes, FRENCH_METRES), TOLERANCE_M)
    exact = unproject(metres, FRENCH_METRES)
    degrees = shapely.transform(exact, lambda xy: np.round(xy, DECIMALS))
    if not (shapely.is_valid(degrees).all() and shapely.coverage_is_valid(degrees)):
        raise PhareError(
            "une fois simplifiés, des contours se croisent ou s'écartent",
            "quartiers",
            "réduire la tolérance, ou reprendre le fichier de l'éditeur",
        )
    return _collection([one["properties"] for one in features], shapely.normalize(degrees))


def _collection(properties: list[dict[str, str]], shapes: npt.NDArray[np.object_]) -> str:
    """Return the collection, a quarter a line, under the names of the city's contract."""
    lines = [
        json.dumps(
            {
                "type": "Feature",
                "properties": {
                    "code": one[CODE],
                    "nom": one[NAME],
                    "arrondissement": one[DISTRICT],
                },
                "geometry": json.loads(shapely.to_geojson(shapely.orient_polygons(shape))),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for one, shape in zip(properties, shapes, strict=True)
    ]
    body = ",\n".join(lines)
    return f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n'


def main(arguments: list[str] | None = None) -> None:
    """Write the simplified outlines of the first file into the second."""
    parser = argparse.ArgumentParser(description="Simplifie ensemble les contours des quartiers")
    parser.add_argument("published", type=Path, help="le fichier de l'éditeur (GeoJSON, WGS 84)")
    parser.add_argument("target", type=Path, help="le fichier à écrire")
    asked = parser.parse_args(arguments)
    text = simplified(json.loads(asked.published.read_text(encoding="utf-8")))
    asked.target.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    commands.begin()
    main()
