"""A division is right as a whole, or refused with a sentence: no count is wrong in silence."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyproj
import pytest
import shapely
from shapely.geometry import shape

from helpers.core.base.errors import PhareError
from helpers.core.city import remark
from helpers.core.city.city import City
from helpers.core.stage import remark_words
from helpers.ingest import remarks as odd
from helpers.ingest import words
from tests.fixtures.given import case, city_of, write_facts, write_zones
from tests.fixtures.real import ROOT, Built, build

WEST, SOUTH, EAST, NORTH = 5.36, 43.29, 5.385, 43.308
MIDDLE_X, MIDDLE_Y = 5.3725, 43.299
FOUR = [
    ("S1", shapely.box(WEST, SOUTH, MIDDLE_X, MIDDLE_Y)),
    ("S2", shapely.box(MIDDLE_X, SOUTH, EAST, MIDDLE_Y)),
    ("S3", shapely.box(WEST, MIDDLE_Y, MIDDLE_X, NORTH)),
    ("S4", shapely.box(MIDDLE_X, MIDDLE_Y, EAST, NORTH)),
]
# Two facts in the middle of each zone but the last, which has one: no snapping moves them out.
POINTS = [(5.366, 43.294), (5.367, 43.295), (5.378, 43.294), (5.379, 43.295),
          (5.366, 43.303), (5.367, 43.304), (5.378, 43.303)]  # fmt: skip
RIGHT = {"S1": 2, "S2": 2, "S3": 2, "S4": 1}


def built(city: City) -> Built:
    return build(city, ROOT, city.pack.parent / "out")


def counted(city: City) -> dict[str, int]:
    """Return zone → facts of the city once taken in."""
    return dict(built(city).rows("SELECT zone_secteurs, CAST(sum(n) AS INT) FROM cube GROUP BY 1"))


def by_hand(folder: Path) -> dict[str, int]:
    """Return zone → facts of a delivery, point by point in Shapely; rows of one code together."""
    features = json.loads((folder / "secteurs.geojson").read_text("utf-8"))["features"]
    shapes = [(f["properties"]["code"], shape(f["geometry"])) for f in features]
    with (folder / "faits.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    points = [shapely.Point(float(r["longitude"]), float(r["latitude"])) for r in rows]
    held = [next((c for c, s in shapes if s.intersects(p)), "outside") for p in points]
    return dict(Counter(held))


def refused(city: City) -> PhareError:
    with pytest.raises(PhareError) as caught:
        built(city)
    return caught.value


def made(folder: Path, zones: list[tuple[Any, Any]], **changes: dict[str, Any]) -> City:
    city = city_of(folder, **changes)
    write_zones(city, zones)
    write_facts(city, POINTS)
    return city


def remarks(city: City, out: Path) -> list[str]:
    """Return what is odd, in words, as the table keeps it and gives it back."""
    kept = remark.table(odd.remarks(city, out)).to_pylist()
    return [remark_words.sentence(one) for one in remark.read(kept)]


def told(city: City) -> list[str]:
    return remarks(city, built(city).out)


# --- Zones over one another ------------------------------------------------------------------


def test_parent_and_children_in_one_layer_are_refused_by_name(tmp_path: Path) -> None:
    city = city_of(tmp_path, case("01-overlapping-zones/livraison"))
    error = refused(city)
    assert "recouvrent" in error.what
    assert all(f"« S{i} » et « S9 »" in error.what for i in (1, 2, 3, 4))
    assert "ôter « S9 »" in error.todo
    assert "secteurs" in error.where


@pytest.mark.parametrize("metres", [11, 60, 400])
def test_neighbours_that_overlap_are_refused(metres: float, tmp_path: Path) -> None:
    wider = shapely.box(WEST, SOUTH, MIDDLE_X + metres / 81_000, MIDDLE_Y)
    error = refused(made(tmp_path, [("S1", wider), *FOUR[1:]]))
    assert "« S1 » et « S2 »" in error.what
    assert "S3" not in error.what


def test_the_same_zone_under_two_codes_is_refused(tmp_path: Path) -> None:
    error = refused(made(tmp_path, [*FOUR, ("S7", FOUR[2][1])]))
    assert "« S3 » et « S7 »" in error.what


def test_a_zone_smaller_than_the_tolerance_is_not_swallowed(tmp_path: Path) -> None:
    kiosk = shapely.Point(5.366, 43.294).buffer(4 / 111_000)
    assert "« S1 » et « S8 »" in refused(made(tmp_path, [*FOUR, ("S8", kiosk)])).what


def test_slivers_are_counted_once_and_told(tmp_path: Path) -> None:
    wider = shapely.box(WEST, SOUTH, MIDDLE_X + 5 / 81_000, MIDDLE_Y)
    city = made(tmp_path, [("S1", wider), *FOUR[1:]])
    assert counted(city) == RIGHT
    (said,) = remarks(city, tmp_path / "out")
    assert "1 recouvrement de moins de 10 m" in said.replace("\u00a0", " ")


# --- A zone in several rows ------------------------------------------------------------------


def test_parts_of_a_zone_are_united_and_told(tmp_path: Path) -> None:
    folder = case("02-zone-in-several-rows/livraison")
    city = city_of(tmp_path, folder)
    assert counted(city) == by_hand(folder) == {"S1": 8, "S2": 12, "S3": 12, "S4": 8}
    (said,) = remarks(city, tmp_path / "out")
    assert "« S1 » (2\u00a0lignes)" in said


def test_parts_with_other_fields_and_another_key_are_united(tmp_path: Path) -> None:
    """The key of the rows need not be the code of the zones."""
    left, right = shapely.box(WEST, SOUTH, 5.3665, MIDDLE_Y), shapely.box(5.3665, SOUTH, MIDDLE_X,
                                                                          MIDDLE_Y)  # fmt: skip
    city = made(tmp_path, [("S1", left), ("S1", right), *FOUR[1:]], secteurs={"key": []})
    assert counted(city) == RIGHT


def test_a_row_written_twice_is_a_duplicate_and_no_part(tmp_path: Path) -> None:
    city = made(tmp_path, [*FOUR, FOUR[0]])
    assert built(city).fates["secteurs"] == {"accepted": 4, "duplicate": 1}
    assert told(city) == []


def test_a_later_delivery_replaces_all_the_parts_of_a_zone(tmp_path: Path) -> None:
    left, right = shapely.box(WEST, SOUTH, 5.3665, MIDDLE_Y), shapely.box(5.3665, SOUTH, MIDDLE_X,
                                                                          MIDDLE_Y)  # fmt: skip
    names = ["a.geojson", "secteurs.geojson"]
    city = made(
        tmp_path, [("S1", left), ("S1", right), *FOUR[1:]],
        city={"sources.secteurs": {"files": names}},
    )  # fmt: skip
    folder = city.pack / "livraison"
    (folder / "secteurs.geojson").rename(folder / "a.geojson")
    write_zones(city, [("S1", left)])
    assert built(city).fates["secteurs"] == {"accepted": 4, "duplicate": 1, "replaced": 1}
    found = counted(city)
    assert found == RIGHT | {"S1": 1, "outside": 1}


# --- Outlines --------------------------------------------------------------------------------


def test_a_ring_that_crosses_itself_by_little_is_mended_and_told(tmp_path: Path) -> None:
    spike = shapely.Polygon(
        [(WEST, SOUTH), (MIDDLE_X, SOUTH), (MIDDLE_X, MIDDLE_Y), (WEST, MIDDLE_Y),
         (WEST - 0.001, 43.2951), (WEST, 43.295), (WEST - 0.0005, 43.29505), (WEST, 43.294)]
    )  # fmt: skip
    assert not spike.is_valid
    city = made(tmp_path, [("S1", spike), *FOUR[1:]])
    assert counted(city) == RIGHT
    (said,) = remarks(city, tmp_path / "out")
    assert "« S1 »" in said
    assert "avant" in said
    assert "après" in said


def test_a_bow_tie_is_refused_with_its_areas(tmp_path: Path) -> None:
    tie = shapely.Polygon(
        [(WEST, SOUTH), (MIDDLE_X, MIDDLE_Y), (MIDDLE_X, SOUTH), (WEST, MIDDLE_Y)]
    )
    error = refused(made(tmp_path, [("S1", tie), *FOUR[1:]]))
    assert "« S1 »" in error.what
    assert "km² avant" in error.what


def test_a_flat_ring_is_refused(tmp_path: Path) -> None:
    flat = shapely.Polygon([(5.40, 43.29), (5.41, 43.29), (5.42, 43.29)])
    assert "« S1 »" in refused(made(tmp_path, [("S1", flat), *FOUR[1:]])).what


@pytest.mark.parametrize(
    "wrong",
    [
        shapely.Point(5.366, 43.294),
        shapely.LineString([(5.36, 43.29), (5.37, 43.29)]),
        shapely.MultiPoint([(5.366, 43.294), (5.367, 43.294)]),
        shapely.GeometryCollection([FOUR[0][1], shapely.Point(5.4, 43.3)]),
        shapely.LinearRing([(5.36, 43.29), (5.37, 43.29), (5.37, 43.3)]),
    ],
    ids=lambda one: one.geom_type,
)
def test_points_and_lines_are_no_zones(wrong: Any, tmp_path: Path) -> None:
    error = refused(made(tmp_path, [("S1", wrong), *FOUR[1:]]))
    assert "« S1 »" in error.what
    assert "surfaces" in error.what


def test_a_collection_of_polygons_is_a_zone(tmp_path: Path) -> None:
    left, right = shapely.box(WEST, SOUTH, 5.3665, MIDDLE_Y), shapely.box(5.3665, SOUTH, MIDDLE_X,
                                                                          MIDDLE_Y)  # fmt: skip
    both = shapely.GeometryCollection([left, right])
    assert counted(made(tmp_path, [("S1", both), *FOUR[1:]])) == RIGHT


def test_zones_with_longitude_and_latitude_interchanged_are_refused(tmp_path: Path) -> None:
    turned = [(c, shapely.transform(s, lambda xy: xy[:, ::-1])) for c, s in FOUR]
    error = refused(made(tmp_path, turned))
    assert "interverties" in error.what
    assert "EPSG:3035" in error.what


# --- Zones that the contract sets aside, codes, names -----------------------------------------


def test_zones_set_aside_stop_the_run(tmp_path: Path) -> None:
    """A UTF-8 shapefile without .cpg: two of four names are not those of the contract."""
    named = {"type": "enum", "values": ["Centre-Église", "Gare d'Été", "Port", "Collines"]}
    city = city_of(
        tmp_path, case("03-zones-set-aside-silently/livraison"),
        city={"sources.secteurs.file": "secteurs.shp"},
        secteurs={"file": {"format": "shp"}, "fields.nom": named, "refused": {}},
    )  # fmt: skip
    error = refused(city)
    assert "2\u00a0zones écartées sur 4" in error.what
    assert "hors_liste:nom : 2" in error.what
    assert "contracts/secteurs.yaml" in error.todo


def test_no_zone_left_is_refused(tmp_path: Path) -> None:
    """Codes lost their leading zero: 1001 for 01001."""
    digits = {"fields.code.pattern": "[0-9]{5}"}
    city = city_of(tmp_path, case("04-no-zone-left/livraison"), secteurs=digits)
    error = refused(city)
    assert "aucune zone acceptée" in error.what
    assert "hors_forme:code : 4" in error.what
    assert "zéros de tête" in error.todo


@pytest.mark.parametrize("codes", [[1001.5, 1002.5, 1003.5, 1004.5], ["13001.0", "13002", "13003",
                                                                       "13004"]])  # fmt: skip
def test_codes_that_lost_their_type_are_refused(codes: list[Any], tmp_path: Path) -> None:
    zones = [(code, s) for code, (_, s) in zip(codes, FOUR, strict=True)]
    error = refused(made(tmp_path, zones, secteurs={"fields.code.pattern": "[0-9]{5}"}))
    assert "hors_forme:code" in error.what


def test_codes_of_another_kind_than_the_names_are_refused(tmp_path: Path) -> None:
    zones = [(1001 + i, s) for i, (_, s) in enumerate(FOUR)]
    as_int = {"type": "int", "minimum": 1000, "maximum": 99999}
    city = made(tmp_path, zones, secteurs={"fields.code": as_int})
    rows = "".join(f"0{1001 + i},Zone {i}\n" for i in range(4))
    (city.pack / "lists/secteurs.csv").write_text(f"code,nom\n{rows}", encoding="utf-8")
    error = refused(city)
    assert "« 1001 »" in error.what
    assert "« 01001 »" in error.what


def test_a_zone_without_a_name_and_a_name_without_a_zone_are_told(tmp_path: Path) -> None:
    city = made(tmp_path, FOUR)
    listed = "code,nom\nS1,Un\nS2,Deux\nS3,Trois\nS6,Six\n"
    (city.pack / "lists/secteurs.csv").write_text(listed, encoding="utf-8")
    assert counted(city) == RIGHT
    lacking, absent = remarks(city, tmp_path / "out")
    assert "« S4 »" in lacking
    assert "« S6 »" in absent


def test_a_zone_without_a_code_is_refused(tmp_path: Path) -> None:
    zones = [(None, FOUR[0][1]), *FOUR[1:]]
    city = made(tmp_path, zones, secteurs={"fields.code.required": False, "key": []})
    assert "sans code" in refused(city).what


@pytest.mark.parametrize("code", ["outside", "no_place", "ville"])
def test_a_code_that_means_no_zone_is_refused(code: str, tmp_path: Path) -> None:
    zones = [(code, FOUR[0][1]), *FOUR[1:]]
    values = {"fields.code": {"type": "enum", "values": [code, "S2", "S3", "S4"]}}
    assert f"« {code} »" in refused(made(tmp_path, zones, secteurs=values)).what


def grouped(folder: Path, groups: list[Any], **group: Any) -> City:
    rule = {"type": "enum", "values": ["ouest", "est"], **group}
    moities = {"title": "Moitiés", "grouping_of": "secteurs", "group_by": "moitie",
               "zones": {"ouest": "Ouest", "est": "Est"}}  # fmt: skip
    city = city_of(folder, city={"divisions.moities": moities}, secteurs={"fields.moitie": rule})
    features = [
        {"type": "Feature", "properties": {"code": c, "moitie": g, "nom": "?"},
         "geometry": json.loads(shapely.to_geojson(s))}
        for (c, s), g in zip(FOUR, groups, strict=True)
    ]  # fmt: skip
    path = city.pack / "livraison/secteurs.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    write_facts(city, POINTS)
    return city


def test_a_zone_without_a_group_is_refused(tmp_path: Path) -> None:
    error = refused(grouped(tmp_path, ["ouest", None, "ouest", "est"]))
    assert "« S2 »" in error.what
    assert "groupe" in error.what


def test_groups_count_the_facts_of_their_zones(tmp_path: Path) -> None:
    found = built(grouped(tmp_path, ["ouest", "est", "ouest", "est"]))
    rows = found.rows("SELECT zone_moities, CAST(sum(n) AS INT) FROM cube GROUP BY 1 ORDER BY 1")
    assert rows == [("est", 3), ("ouest", 4)]


# --- What sources say of zones ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "hint"), [("1001", True), ("01001.0", True), ("Centre", False), ("99999", False)]
)
def test_declared_zones_that_do_not_exist_are_told_with_their_facts(
    said: str, hint: bool, tmp_path: Path
) -> None:
    codes = [f"0{1001 + i}" for i in range(4)]
    zones = [(code, s) for code, (_, s) in zip(codes, FOUR, strict=True)]
    values = {"type": "enum", "values": [said, "01002"]}
    city = made(
        tmp_path, zones,
        secteurs={"fields.code.pattern": "[0-9]{5}"},
        faits={"fields.commune": values, "observation.declared_zone":
               {"division": "secteurs", "field": "commune"}},
    )  # fmt: skip
    rows = "".join(f"{code},Zone {code}\n" for code in codes)
    (city.pack / "lists/secteurs.csv").write_text(f"code,nom\n{rows}", encoding="utf-8")
    lines = ["id;nature;debut;longitude;latitude;origine;commentaire;commune"]
    lines += [f"F{i};depot;2025-01-02T08:15:00;;;habitant;x;{said if i < 3 else '01002'}"
              for i in range(5)]  # fmt: skip
    (city.pack / "livraison/faits.csv").write_text("\n".join(lines) + "\n", "utf-8")
    found = counted(city)
    assert found == {"01002": 2, "no_place": 3}
    (sentence,) = remarks(city, tmp_path / "out")
    assert "3\u00a0faits" in sentence
    assert f"« {said} »" in sentence
    assert ("zéro de tête" in sentence) == hint
    assert said in words.remarks(odd.remarks(city, tmp_path / "out"))


def test_facts_mostly_outside_of_the_zones_are_told(tmp_path: Path) -> None:
    city = made(tmp_path, FOUR)
    write_facts(city, [*POINTS, *[(5.45, 43.35 + i / 1000) for i in range(9)]])
    assert counted(city) == RIGHT | {"outside": 9}
    (said,) = remarks(city, tmp_path / "out")
    assert "9 sur 16" in said


# --- Longitude and latitude ------------------------------------------------------------------

WIDE = {"fields.longitude.minimum": -180, "fields.longitude.maximum": 180,
        "fields.latitude.minimum": -90, "fields.latitude.maximum": 90}  # fmt: skip


def test_interchanged_coordinates_are_seen_whatever_the_bounds(tmp_path: Path) -> None:
    city = city_of(tmp_path, faits=WIDE)
    write_zones(city, FOUR)
    given = case("10-swapped-lon-lat-template-bounds/livraison/faits.csv")
    (city.pack / "livraison/faits.csv").write_bytes(given.read_bytes())
    assert built(city).fates["faits"] == {"interverties:longitude": 20}


def test_only_the_interchanged_are_set_aside(tmp_path: Path) -> None:
    """A point near the city, or far from it whichever way it is read, is not interchanged."""
    city = city_of(tmp_path, faits=WIDE)
    write_zones(city, FOUR)
    near, far = (5.39, 43.30), (-70.0, 12.0)
    write_facts(city, [*POINTS, near, far, (43.294, 5.366), (43.31, 5.37)])
    found = built(city)
    assert found.fates["faits"]["interverties:longitude"] == 1
    rows = dict(found.rows("SELECT zone_secteurs, CAST(sum(n) AS INT) FROM cube GROUP BY 1"))
    assert rows == RIGHT | {"outside": 3}


def test_interchanged_metres_are_seen(tmp_path: Path) -> None:
    """Lambert 93: east is some 890 000 m, north some 6 250 000 m."""
    metres = {
        "fields.longitude": {"type": "longitude", "unit": "mètres", "minimum": 0,
                             "maximum": 9000000},
        "fields.latitude": {"type": "latitude", "unit": "mètres", "minimum": 0,
                            "maximum": 9000000},
        "observation.coordinates_crs": "EPSG:2154",
    }  # fmt: skip
    city = city_of(tmp_path, faits=metres)
    write_zones(city, FOUR)
    move = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True).transform
    points = [move(*point) for point in POINTS]
    write_facts(city, [*points, points[0][::-1]])
    found = built(city)
    assert found.fates["faits"] == {"accepted": 7, "interverties:longitude": 1}
    rows = dict(found.rows("SELECT zone_secteurs, CAST(sum(n) AS INT) FROM cube GROUP BY 1"))
    assert rows == RIGHT
