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
from scipy.spatial import KDTree

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.place_time.territory import in_metres, project
from helpers.simulate.settings import load_settings
from helpers.simulate.territory import SQUARE_M, Territory, build_territory
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


# --- the ground ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ground() -> Territory:
    return build_territory(PACK, load_settings(PACK), City(PACK).about.crs)


@pytest.fixture(scope="module")
def outlines() -> dict[str, shapely.Geometry]:
    """Code of the quarter → official outline in metres (EPSG:3035)."""
    text = (PACK / "divisions/quartiers.geojson").read_text(encoding="utf-8")
    features = json.loads(text)["features"]
    shapes = shapely.from_geojson([json.dumps(one["geometry"]) for one in features])
    codes = [one["properties"]["code"] for one in features]
    return dict(zip(codes, in_metres(shapes, "EPSG:3035").tolist(), strict=True))


def test_points_of_a_quarter_lie_in_its_official_outline(
    ground: Territory, outlines: dict[str, shapely.Geometry]
) -> None:
    cell = np.repeat(np.arange(len(ground.east)), 20)
    east, north = ground.points(cell, np.random.default_rng(1))
    code = np.array(ground.quarters.code)[ground.quarter[cell]]
    for one, shape in outlines.items():
        own = code == one
        assert own.any()
        assert shapely.contains_xy(shape, east[own], north[own]).all(), one
    assert np.array_equal(np.floor(east / ground.cell_m), ground.east[cell])
    assert np.array_equal(np.floor(north / ground.cell_m), ground.north[cell])
    assert np.array_equal(ground.settled(east, north)[0], cell)


def test_the_parts_of_cells_make_up_the_quarters(
    ground: Territory, outlines: dict[str, shapely.Geometry]
) -> None:
    parts = np.unique(np.column_stack([ground.east, ground.north, ground.quarter]), axis=0)
    assert len(parts) == len(ground.east)
    km2 = np.bincount(ground.quarter, ground.area) * CELL_KM2
    for index, (code, shape) in enumerate(outlines.items()):
        area = shapely.area(shape) / 1e6
        strip = shapely.length(shape) * SQUARE_M / 1e6  # along borders, where no point falls
        assert area - strip < km2[index] < area, code


def test_points_outside_the_city_have_no_cell(ground: Territory) -> None:
    sea, far = (3_900_000.0, 2_245_000.0), (0.0, 0.0)
    cell, *_ = ground.settled(*np.array([sea, far]).T)
    assert cell.tolist() == [-1, -1]


def test_the_town_hall_is_in_its_quarter(ground: Territory) -> None:
    found = ground.quarter[ground.nearest(*SETTINGS["place"]["town_hall"])]
    assert ground.quarters.name[found] == "Hôtel-de-Ville"


def test_facts_happen_where_streets_are(shared: Path) -> None:
    """Streets are looked at, never carried: one point a name, hills and coves have nearly none."""
    world = build_world(PACK)
    with (shared / "marseille/rues.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    longitude, latitude = (np.array([float(r[name]) for r in rows]) for name in ("lon", "lat"))
    built = KDTree(world.ground.centres())
    away, _ = built.query(np.column_stack(project(longitude, latitude, "EPSG:3035")))
    assert np.mean(away < 300) > 0.97


def test_inhabitants_live_in_the_districts_where_they_are_counted(shared: Path) -> None:
    """Facts of INSEE place the city's inhabitants; the simulation only lets density fall off."""
    world = build_world(PACK)
    with (shared / "marseille/population.csv").open(encoding="utf-8") as file:
        counted = {row["codgeo"]: float(row["p20_pop"]) for row in csv.DictReader(file)}
    where = world.territory.quarters.district
    drawn = dict.fromkeys(counted, 0.0)
    for district, inhabitants in zip(where, world.held.inhabitants.tolist(), strict=True):
        drawn[district] += inhabitants
    total = sum(counted.values())
    misplaced = sum(
        abs(drawn[one] / world.held.inhabitants.sum() - counted[one] / total) for one in counted
    )
    assert misplaced / 2 < 0.24, "0.21 was seen; 0.25 where density falls off nowhere"
