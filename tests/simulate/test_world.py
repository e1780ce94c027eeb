"""The ground of the simulated city, its settings, and the same draws wherever it is built."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import yaml
from pyproj import Transformer

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.simulate.settings import load_settings
from helpers.simulate.shapes import build_territory, write_geojson
from helpers.simulate.world import build_world

PACK = Path(__file__).resolve().parents[2] / "data/cities/marseille"
SETTINGS = yaml.safe_load((PACK / "simulation.yaml").read_text(encoding="utf-8"))
CELL_KM2 = 0.04


def changed_pack(folder: Path, **changes: Any) -> Path:
    """Return a copy of the pack whose simulation.yaml has `changes` at its root."""
    pack = folder / "marseille"
    shutil.copytree(PACK, pack)
    text = yaml.safe_dump(SETTINGS | changes, allow_unicode=True)
    (pack / "simulation.yaml").write_text(text, encoding="utf-8")
    return pack


@pytest.fixture(scope="module")
def quarters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("quarters") / "quartiers.geojson"
    write_geojson(build_territory(PACK, load_settings(PACK), City(PACK).about.crs), path)
    return path


@pytest.fixture(scope="module")
def shapes(quarters: Path) -> dict[str, shapely.Geometry]:
    """Code of the quarter → polygon in metres (EPSG:3035)."""
    features = json.loads(quarters.read_text(encoding="utf-8"))
    to_metres = Transformer.from_crs("EPSG:4326", "EPSG:3035", always_xy=True)
    return {
        f["properties"]["code"]: shapely.transform(
            shapely.geometry.shape(f["geometry"]),
            lambda xy: np.column_stack(to_metres.transform(xy[:, 0], xy[:, 1])),
        )
        for f in features["features"]
    }


# --- the same draws --------------------------------------------------------------------------

HASHED = """
import hashlib, sys
from pathlib import Path
from helpers.simulate.incidents import COLUMNS
from helpers.simulate.world import build_world
world, made = build_world(Path(sys.argv[1])), hashlib.sha256()
incidents = world.incidents(2024)
for name in COLUMNS:
    made.update(getattr(incidents, name).tobytes())
for values in (world.recorded(incidents), world.presence.hours, world.weather.t_c,
               world.events.start, world.events.cell, world.actions.zone_of):
    made.update(values.tobytes())
print(len(incidents), made.hexdigest())
"""


def test_same_draws_in_another_process_zone_and_locale(tmp_path: Path) -> None:
    pack = changed_pack(tmp_path, scale=0.02)
    surroundings = (
        {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"},
        {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "2"},
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", HASHED, str(pack)],
            check=True,
            env=os.environ | extra,
            capture_output=True,
            text=True,
        ).stdout
        for extra in surroundings
    ]
    assert said[0] == said[1]
    assert int(said[0].split()[0]) > 10_000


def test_another_seed_gives_other_facts_and_the_same_shapes(tmp_path: Path) -> None:
    one, other = (
        build_world(changed_pack(tmp_path / str(seed), scale=0.01, seed=seed)) for seed in (1, 2)
    )
    assert np.array_equal(one.territory.quarter, other.territory.quarter)
    assert not np.array_equal(one.kinds[0].place, other.kinds[0].place)
    assert one.incidents(2021).moment.tobytes() != other.incidents(2021).moment.tobytes()


@pytest.mark.parametrize("end", ["2021-01-01", "2021-01-09"])
def test_a_short_period_is_a_world_too(end: str, tmp_path: Path) -> None:
    pack = changed_pack(tmp_path, scale=0.2)
    about = yaml.safe_load((pack / "city.yaml").read_text(encoding="utf-8"))
    about["period"] = {"start": "2021-01-01", "end": end}
    text = yaml.safe_dump(about, allow_unicode=True)
    (pack / "city.yaml").write_text(text, encoding="utf-8")
    world = build_world(pack)
    assert len(world.actions) == 0, "aucune action ne commence dans la période"
    incidents = world.incidents()
    assert (world.recorded(incidents) >= 0).any()
    assert str(incidents.moment[0])[:10] == "2021-01-01"
    assert str(incidents.moment[-1])[:10] == end


@pytest.mark.parametrize(
    ("block", "change"),
    [
        ("place", {"local_share": 0.9}),
        ("time", {"night_ends_h": 13}),
        ("world", {"inconnu": 1}),
    ],
)
def test_a_wrong_setting_is_refused_with_its_file(
    block: str, change: dict[str, Any], tmp_path: Path
) -> None:
    pack = changed_pack(tmp_path, **{block: SETTINGS[block] | change})
    with pytest.raises(PhareError, match=r"simulation\.yaml"):
        load_settings(pack)


# --- shapes ----------------------------------------------------------------------------------


def test_every_quarter_has_the_area_of_its_fact(shapes: dict[str, shapely.Geometry]) -> None:
    with (PACK / "divisions/quartiers.csv").open(encoding="utf-8") as file:
        facts = {row["code_quartier"]: float(row["km2"]) for row in csv.DictReader(file)}
    assert shapes.keys() == facts.keys()
    assert len(facts) == 111
    for code, km2 in facts.items():
        assert abs(shapes[code].area / 1e6 - km2) < CELL_KM2, code


def test_quarters_are_whole_and_leave_neither_gap_nor_overlap(
    shapes: dict[str, shapely.Geometry],
) -> None:
    assert all(s.is_valid and s.geom_type == "Polygon" for s in shapes.values())
    city = shapely.union_all(list(shapes.values()))
    assert city.area == pytest.approx(sum(s.area for s in shapes.values()), rel=1e-6)
    parts = city.geoms if city.geom_type == "MultiPolygon" else [city]
    large_holes = [ring for p in parts for ring in p.interiors if shapely.Polygon(ring).area > 1000]
    assert len(parts) == 2, "la ville et ses îles"
    assert not large_holes


def test_quarters_carry_the_fields_of_their_contract(quarters: Path) -> None:
    features = json.loads(quarters.read_text(encoding="utf-8"))
    contract = City(PACK).contracts["quartiers"]
    fields = {*contract.fields, *contract.refused}  # the names, which the pack's list gives
    assert all(set(f["properties"]) == fields for f in features["features"])
    districts = {f["properties"]["arrondissement"] for f in features["features"]}
    assert districts == set(City(PACK).about.divisions["arrondissements"].zones)
