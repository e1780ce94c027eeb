"""The simulated city keeps the promises of its settings: shapes, volumes, rhythms, defects."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import shapely
import yaml
from pyproj import Transformer

from helpers.city import City
from helpers.errors import PhareError
from helpers.simulate import deliver, write_truth

PACK = Path(__file__).parents[1] / "data/cities/marseille"
SETTINGS = yaml.safe_load((PACK / "simulation.yaml").read_text(encoding="utf-8"))
FILES = ("main_courante.csv", "quartiers.geojson", "signalement.csv")
SOURCES = ("main_courante", "signalement")
CELL_KM2 = 0.04
STANDARD_ERRORS = 4


def changed_pack(folder: Path, **changes: Any) -> Path:
    """Return a copy of the pack whose simulation.yaml has `changes` at its root."""
    pack = folder / "marseille"
    shutil.copytree(PACK, pack)
    text = yaml.safe_dump(SETTINGS | changes, allow_unicode=True)
    (pack / "simulation.yaml").write_text(text, encoding="utf-8")
    return pack


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("delivered")
    deliver(PACK, folder)
    return folder


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth")
    write_truth(PACK, folder)
    return folder


@pytest.fixture(scope="module")
def base(delivered: Path, truth: Path) -> duckdb.DuckDBPyConnection:
    """The lines as delivered, all text, beside the truth of each line (`true_…`)."""
    connection = duckdb.connect()
    for source in SOURCES:
        connection.execute(
            f"CREATE TABLE {source} AS SELECT * FROM read_csv('{delivered / source}.csv', "
            "delim=';', header=true, all_varchar=true, parallel=false)"
        )
        connection.execute(
            f"CREATE TABLE true_{source} AS SELECT * FROM '{truth / source}_lines.parquet'"
        )
    return connection


@pytest.fixture(scope="module")
def shapes(delivered: Path) -> dict[str, shapely.Geometry]:
    """Code of the quarter → polygon in metres (EPSG:3035)."""
    features = json.loads((delivered / "quartiers.geojson").read_text(encoding="utf-8"))
    to_metres = Transformer.from_crs("EPSG:4326", "EPSG:3035", always_xy=True)
    return {
        f["properties"]["code"]: shapely.transform(
            shapely.geometry.shape(f["geometry"]),
            lambda xy: np.column_stack(to_metres.transform(xy[:, 0], xy[:, 1])),
        )
        for f in features["features"]
    }


def number(base: duckdb.DuckDBPyConnection, query: str) -> float:
    row = base.sql(query).fetchone()
    assert row is not None
    return float(row[0])


def assert_share(found: float, expected: float, trials: float) -> None:
    error = math.sqrt(expected * (1 - expected) / trials)
    assert abs(found - expected) <= STANDARD_ERRORS * error, (found, expected, error)


# --- the same bytes --------------------------------------------------------------------------


def test_same_bytes_in_another_process_zone_and_locale(tmp_path: Path) -> None:
    pack = changed_pack(tmp_path, scale=0.02)
    code = (
        "import sys; from pathlib import Path; from helpers.simulate import deliver;"
        "deliver(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    surroundings = (
        {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"},
        {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "2"},
    )
    for index, extra in enumerate(surroundings):
        command = [sys.executable, "-c", code, str(pack), str(tmp_path / str(index))]
        subprocess.run(command, check=True, env=os.environ | extra)
    for name in FILES:
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes(), name


def test_another_seed_gives_other_facts_and_the_same_shapes(tmp_path: Path) -> None:
    for seed in (1, 2):
        deliver(changed_pack(tmp_path / f"p{seed}", scale=0.01, seed=seed), tmp_path / str(seed))
    same = {
        n: (tmp_path / "1" / n).read_bytes() == (tmp_path / "2" / n).read_bytes() for n in FILES
    }
    assert same == {
        "main_courante.csv": False,
        "signalement.csv": False,
        "quartiers.geojson": True,
    }


def test_a_wrong_setting_is_refused_with_its_file(tmp_path: Path) -> None:
    pack = changed_pack(tmp_path, place=SETTINGS["place"] | {"local_share": 0.9})
    with pytest.raises(PhareError, match=r"simulation\.yaml"):
        deliver(pack, tmp_path / "out")


# --- the door is exercised -------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_every_column_is_allowed_or_refused(source: str, delivered: Path) -> None:
    contract = City(PACK).contracts[source]
    with (delivered / f"{source}.csv").open(encoding="utf-8") as file:
        header = next(csv.reader(file, delimiter=";"))
    assert len(set(header)) == len(header)
    assert set(header) == set(contract.fields) | set(contract.refused)


def test_quarters_carry_the_fields_of_their_contract(delivered: Path) -> None:
    features = json.loads((delivered / "quartiers.geojson").read_text(encoding="utf-8"))
    fields = set(City(PACK).contracts["quartiers"].fields)
    assert all(set(f["properties"]) == fields for f in features["features"])
    districts = {f["properties"]["arrondissement"] for f in features["features"]}
    assert districts == set(City(PACK).about.divisions["arrondissements"].zones)


@pytest.mark.parametrize("source", SOURCES)
def test_codes_are_those_of_the_contract(source: str, base: duckdb.DuckDBPyConnection) -> None:
    contract = City(PACK).contracts[source]
    rule = contract.observation
    assert rule is not None
    for column, field in contract.fields.items():
        if field.type == "enum":
            found = {v for (v,) in base.sql(f"SELECT DISTINCT {column} FROM {source}").fetchall()}
            extra = set(SETTINGS["sources"][source]["unknown_codes"])
            assert found - set(field.values) == (extra if column == rule.category else set())


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


def test_points_lie_in_the_quarter_they_name(
    base: duckdb.DuckDBPyConnection, shapes: dict[str, shapely.Geometry]
) -> None:
    rows = base.sql(
        "SELECT m.quartier, m.longitude::DOUBLE AS x, m.latitude::DOUBLE AS y "
        "FROM main_courante AS m POSITIONAL JOIN true_main_courante AS t "
        "WHERE t.place_defect = 'none'"
    ).fetchnumpy()
    to_metres = Transformer.from_crs("EPSG:4326", "EPSG:3035", always_xy=True)
    points = shapely.points(*to_metres.transform(rows["x"], rows["y"]))
    named = np.array([shapes[code] for code in rows["quartier"]])
    assert shapely.contains(named, points).all()


# --- volumes, places, hours ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "start"), [("main_courante", "debut"), ("signalement", "demande_le")]
)
def test_lines_per_year(source: str, start: str, base: duckdb.DuckDBPyConnection) -> None:
    wanted = SETTINGS["sources"][source]["records_per_year"]
    lines = number(base, f"SELECT count(*) FROM {source}")
    assert lines / 3 == pytest.approx(wanted, rel=0.01)
    years = base.sql(f"SELECT left({start}, 4), count(*) FROM {source} GROUP BY 1").fetchall()
    assert {year for year, _ in years} == {"2023", "2024", "2025"}
    assert all(count == pytest.approx(wanted, rel=0.15) for _, count in years)


@pytest.mark.parametrize("source", SOURCES)
def test_half_of_facts_lie_in_few_cells(source: str, base: duckdb.DuckDBPyConnection) -> None:
    cells = base.sql(
        f"SELECT count(*) AS n FROM true_{source} GROUP BY cell_east, cell_north"
    ).fetchnumpy()["n"]
    ordered = np.sort(cells)[::-1]
    half = int((np.cumsum(ordered) < ordered.sum() / 2).sum()) + 1
    assert 0.02 <= half / len(cells) <= 0.06


def test_every_quarter_has_facts(base: duckdb.DuckDBPyConnection) -> None:
    assert number(base, "SELECT count(DISTINCT quartier) FROM main_courante") == 111


def test_night_noise_peaks_between_22_and_02(base: duckdb.DuckDBPyConnection) -> None:
    hours = base.sql(
        "SELECT substr(debut, 12, 2)::INT AS hour FROM main_courante "
        "WHERE type_n2 = 'tapage_nocturne' AND fin IS NULL "
        "GROUP BY 1 ORDER BY count(*) DESC LIMIT 4"
    ).fetchall()
    assert {hour for (hour,) in hours} == {22, 23, 0, 1}


def test_friday_and_saturday_nights_are_noisier_after_midnight_too(
    base: duckdb.DuckDBPyConnection,
) -> None:
    for hours in ("hour(debut::TIMESTAMP) >= 18", "hour(debut::TIMESTAMP) < 6"):
        nights = dict(
            base.sql(
                "SELECT isodow(debut::TIMESTAMP - INTERVAL 6 HOUR), count(*) FROM main_courante "
                f"WHERE type_n2 = 'tapage_nocturne' AND fin IS NULL AND {hours} GROUP BY 1"
            ).fetchall()
        )
        usual = sum(nights[day] for day in (1, 2, 3, 4)) / 4
        assert all(1.10 < nights[day] / usual < 1.45 for day in (5, 6)), nights


def test_the_coast_is_busier_in_summer(base: duckdb.DuckDBPyConnection) -> None:
    coast = ",".join(f"'{code}'" for code in SETTINGS["place"]["coast_quarters"])
    ratio = (
        "SELECT count(*) FILTER (month(debut::TIMESTAMP) IN (7, 8))"
        " / count(*) FILTER (month(debut::TIMESTAMP) IN (1, 2)) FROM main_courante"
        " WHERE quartier {} IN (" + coast + ")"
    )
    assert number(base, ratio.format("")) > 1.8 * number(base, ratio.format("NOT"))


def test_about_half_is_initiated_by_agents(base: duckdb.DuckDBPyConnection) -> None:
    agents = "('patrouille_initiative', 'csu')"
    share = number(base, f"SELECT avg((origine IN {agents})::INT) FROM main_courante")
    assert share == pytest.approx(0.5, abs=0.05)


def test_times_exist_and_follow_each_other(base: duckdb.DuckDBPyConnection) -> None:
    missing_hour = "'(2023-03-26|2024-03-31|2025-03-30)T02'"
    for column in ("debut", "fin", "saisi_le"):
        query = f"SELECT count(*) FROM main_courante WHERE regexp_matches({column}, {missing_hour})"
        assert number(base, query) == 0
    before = "SELECT count(*) FROM main_courante WHERE NOT (debut <= coalesce(fin, debut)"
    assert number(base, f"{before} AND coalesce(fin, debut) <= saisi_le)") == 0
    assert number(base, "SELECT count(*) FROM main_courante WHERE saisi_le >= '2026'") == 0


# --- defects ---------------------------------------------------------------------------------

TOWN_HALL = [f"{degrees:.6f}" for degrees in SETTINGS["place"]["town_hall"]]
SEEN = {
    "no_place": "longitude IS NULL AND quartier IS NULL",
    "quarter_only": "longitude IS NULL AND quartier IS NOT NULL",
    "default_point": f"coalesce(longitude || latitude = '{''.join(TOWN_HALL)}', false)",
    "swapped": "coalesce(longitude::DOUBLE > latitude::DOUBLE, false)",
}


@pytest.mark.parametrize("defect", SEEN)
def test_defects_of_place_are_seen_and_labelled(
    defect: str, base: duckdb.DuckDBPyConnection
) -> None:
    lines = number(base, "SELECT count(*) FROM main_courante")
    share = number(base, f"SELECT avg(({SEEN[defect]})::INT) FROM main_courante")
    assert_share(share, SETTINGS["sources"]["main_courante"]["defects"][defect], lines)
    other = number(
        base,
        f"SELECT count(*) FROM (SELECT {SEEN[defect]} AS seen FROM main_courante) "
        f"POSITIONAL JOIN true_main_courante WHERE seen <> (place_defect = '{defect}')",
    )
    assert other == 0


@pytest.mark.parametrize("source", SOURCES)
def test_repeated_lines_and_unknown_codes(source: str, base: duckdb.DuckDBPyConnection) -> None:
    rules = SETTINGS["sources"][source]
    lines = number(base, f"SELECT count(*) FROM {source}")
    different = number(base, f"SELECT count(*) FROM (SELECT DISTINCT * FROM {source})")
    assert_share(1 - different / lines, rules["defects"]["duplicate"], lines)
    assert lines - different == number(base, f"SELECT sum(duplicate::INT) FROM true_{source}")
    category = {"main_courante": "type_n2", "signalement": "sous_type"}[source]
    codes = ",".join(f"'{code}'" for code in rules["unknown_codes"])
    unknown = number(base, f"SELECT avg(({category} IN ({codes}))::INT) FROM {source}")
    assert_share(unknown, rules["defects"]["unknown_code"], lines)


def test_intervals_and_late_entries(base: duckdb.DuckDBPyConnection) -> None:
    rules = SETTINGS["sources"]["main_courante"]
    # Late entries of the last months are not delivered yet: count where all have arrived.
    settled = "FROM main_courante WHERE debut < '2025-06'"
    lines = number(base, f"SELECT count(*) {settled}")
    interval = number(base, f"SELECT avg((fin IS NOT NULL)::INT) {settled}")
    assert_share(interval, rules["interval_share"], lines)
    delay = "saisi_le::TIMESTAMP - coalesce(fin, debut)::TIMESTAMP > INTERVAL 30 DAY"
    late = number(base, f"SELECT avg(({delay})::INT) {settled}")
    assert_share(late, rules["defects"]["late"], lines)


def test_the_true_moment_lies_in_its_interval(base: duckdb.DuckDBPyConnection) -> None:
    outside = (
        "SELECT count(*) FROM main_courante POSITIONAL JOIN true_main_courante "
        "WHERE NOT moment BETWEEN debut::TIMESTAMP AND coalesce(fin, debut)::TIMESTAMP"
    )
    assert number(base, outside) == 0


def test_expected_facts_add_up_to_the_lines(base: duckdb.DuckDBPyConnection, truth: Path) -> None:
    for source in SOURCES:
        query = f"SELECT sum(expected) FROM '{truth / source}_expected.parquet'"
        facts = number(base, f"SELECT count(*) FROM true_{source} WHERE NOT duplicate")
        assert facts == pytest.approx(number(base, query), rel=0.01)
