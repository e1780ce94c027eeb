"""What the tests share: the real data where they lie, two real cities built once, a made-up one.

The real data are read in place, beside the repository, and never written anywhere but in a
temporary folder. Where they are absent the tests that need them are skipped, and say so.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from helpers.collect import collect
from helpers.core.base import store
from helpers.core.city.city import City
from helpers.ingest import ingest

# In continuous integration the wild inputs are the same every time: a red run can be run again.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("wild", deadline=None)
settings.load_profile("steady" if os.environ.get("CI") else "wild")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
WALKED_APART = "test_pipeline.py"  # half of the journeys' time: a workspace of its own pays
SIMULATED = "Made, made"  # what a file of tests imports that needs the simulated city
CELL_M, TOLERANCE_M, DEFAULT_SHARE = 200, 15, 0.01


class Shared(LoadScopeScheduling):
    """Keeps together, on one worker, the tests that share something long to make.

    A scheduler of our own: the marks of `--dist loadgroup` have no effect with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if "/journeys/" in file and not file.endswith(WALKED_APART):
            return "journeys"
        return "simulated" if SIMULATED in (ROOT / file).read_text(encoding="utf-8") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shared:
    """Share the tests out in the order in which they were collected."""
    config.option.loadscopereorder = False
    return Shared(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest come first."""
    items.sort(key=lambda item: "journeys" not in item.path.parts)


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> Iterator[None]:
    """Take away what a person's shell may hold: tests see the defaults."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PHARE_FROM", "PHARE_FETCH", "PHARE_THREADS", "PHARE_STAGE", "PHARE_VARY"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data."""
    if not SHARED.is_dir():
        pytest.skip(f"NO REAL DATA: {SHARED} is absent, nothing is checked against real files")
    return SHARED


@dataclass(frozen=True)
class Built:
    """A city that has been through the door and counted, in a temporary folder."""

    city: City
    out: Path
    receipts: dict[str, dict[str, Any]]
    fates: dict[str, dict[str, int]]

    @property
    def raw(self) -> Path:
        return self.out / "raw"

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return a plain DuckDB connection with views `cube`, `observations` and `zones`."""
        con = duckdb.connect()
        for name in ("cube", "observations", "zones"):
            path = self.out / f"{name}.parquet"
            con.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{path}')")
        return con

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query over the views of `connect`."""
        con = self.connect()
        found: list[tuple[Any, ...]] = con.execute(query).fetchall()
        con.close()
        return found


def build(city: City, root: Path, out: Path) -> Built:
    """Take in and count a city under `out`; its files are looked for from `root`."""
    receipts = collect.collect(city, root, out / "raw")
    fates = ingest.ingest(city, out / "raw", out, CELL_M, TOLERANCE_M, DEFAULT_SHARE)
    return Built(city, out, receipts, fates)


@pytest.fixture(scope="session")
def denver(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Denver, really taken in and counted."""
    city = City(ROOT / "data/cities/denver")
    return build(city, ROOT, tmp_path_factory.mktemp("denver"))


@pytest.fixture(scope="session")
def open_marseille(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Marseille of open data, really taken in and counted."""
    city = City(ROOT / "data/cities/marseille_ouvert")
    return build(city, ROOT, tmp_path_factory.mktemp("marseille_ouvert"))


def read_csv(path: Path, **layout: Any) -> list[dict[str, str]]:
    """Return the rows of a CSV file as Python's own reader sees them."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, **layout))


# --- A made-up city: four squares of about a kilometre, two halves, one source of facts ---------

WEST, SOUTH, STEP_LON, STEP_LAT = 5.36, 43.29, 0.0125, 0.009
COLUMNS = ("id", "nature", "debut", "fin", "lon", "lat", "carre", "qui", "nombre", "temoin")
SQUARES = {
    "A": (0, 0),
    "B": (1, 0),
    "C": (0, 1),
    "D": (1, 1),
}

CITY: dict[str, Any] = {
    "name": "essai",
    "title": "Ville d'essai",
    "language": "fr",
    "timezone": "Europe/Paris",
    "crs": "EPSG:3035",
    "simulated": True,
    "period": {"start": "2024-01-01", "end": "2024-12-31"},
    "main_division": "carres",
    "divisions": {
        "carres": {"title": "Carrés", "source": "carres", "code": "code", "name": "nom"},
        "moities": {
            "title": "Moitiés",
            "grouping_of": "carres",
            "group_by": "moitie",
            "zones": {"ouest": "Ouest", "est": "Est"},
        },
    },
    "sources": {"carres": {"file": "carres.geojson"}, "faits": {"file": "faits.csv"}},
    "folders": ["livraison"],
    "holidays": {"country": "FR"},
}
THEMES: dict[str, Any] = {
    "themes": {
        "bruit": {
            "title": "Bruit",
            "axis": "delinquance",
            "source": "faits",
            "categories": ["tapage", "petard"],
            "severity": 2,
        },
        "depots": {
            "title": "Dépôts",
            "axis": "domaine_public",
            "source": "faits",
            "categories": ["depot"],
            "severity": 1,
        },
    }
}
ABOUT = {
    "version": "1",
    "publisher": "essai",
    "licence": "aucune",
    "attribution": "données inventées",
    "purpose": "essayer",
    "legal_basis": "aucune donnée réelle",
    "retention": "le temps de l'essai",
}
MOMENT = "%Y-%m-%dT%H:%M:%S"
FACTS: dict[str, Any] = {
    "source": "faits",
    "title": "Faits inventés",
    "kind": "observations",
    **ABOUT,
    "file": {"format": "csv", "separator": ";"},
    "timezone": "Europe/Paris",
    "key": ["id"],
    "fields": {
        "id": {"type": "str", "required": True},
        "nature": {"type": "enum", "required": True, "values": ["tapage", "petard", "depot", "x"]},
        "debut": {"type": "timestamp", "required": True, "format": MOMENT},
        "fin": {"type": "timestamp", "format": MOMENT},
        "lon": {"type": "float", "minimum": 5.0, "maximum": 5.8},
        "lat": {"type": "float", "minimum": 43.0, "maximum": 43.6},
        "carre": {"type": "str"},
        "qui": {"type": "str"},
        "nombre": {"type": "int", "required": True, "minimum": 0, "maximum": 50},
    },
    "refused": {"temoin": "identité d'une personne"},
    "observation": {
        "category": "nature",
        "started_at": "debut",
        "ended_at": "fin",
        "longitude": "lon",
        "latitude": "lat",
        "declared_zone": {"division": "carres", "field": "carre"},
        "origin": {"field": "qui", "citizen": ["habitant"], "agent": ["patrouille"]},
        "count": "nombre",
    },
}
SHAPES: dict[str, Any] = {
    "source": "carres",
    "title": "Carrés inventés",
    "kind": "division",
    **ABOUT,
    "file": {"format": "geojson"},
    "key": ["code"],
    "fields": {
        "code": {"type": "str", "required": True},
        "nom": {"type": "str", "required": True},
        "moitie": {"type": "str", "required": True},
    },
}


def squares() -> dict[str, Any]:
    """Return the four squares as GeoJSON, the last one first."""
    features = []
    for code, (column, row) in reversed(SQUARES.items()):
        west, south = WEST + column * STEP_LON, SOUTH + row * STEP_LAT
        east, north = west + STEP_LON, south + STEP_LAT
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        half = "ouest" if column == 0 else "est"
        features.append(
            {
                "type": "Feature",
                "properties": {"code": code, "nom": f"Carré {code}", "moitie": half, "maire": "?"},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def middle(code: str) -> tuple[float, float]:
    """Return the longitude and latitude of the middle of a square."""
    column, row = SQUARES[code]
    return WEST + (column + 0.5) * STEP_LON, SOUTH + (row + 0.5) * STEP_LAT


def fact(number: int, **changes: str) -> dict[str, str]:
    """Return a row that keeps to the contract, in the middle of square A."""
    lon, lat = middle("A")
    row = {
        "id": f"F{number}",
        "nature": "tapage",
        "debut": "2024-07-01T12:00:00",
        "fin": "",
        "lon": f"{lon:.6f}",
        "lat": f"{lat:.6f}",
        "carre": "",
        "qui": "habitant",
        "nombre": "1",
        "temoin": "Personne Imaginaire",
    }
    return row | changes


def write_pack(
    folder: Path,
    city: dict[str, Any] = CITY,
    themes: dict[str, Any] = THEMES,
    facts: dict[str, Any] = FACTS,
) -> City:
    """Write a pack called `essai` under `folder`; return it loaded."""
    pack = folder / "essai"
    (pack / "contracts").mkdir(parents=True, exist_ok=True)
    written = {
        "city": city,
        "themes": themes,
        "contracts/faits": facts,
        "contracts/carres": SHAPES,
    }
    for name, content in written.items():
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
        (pack / f"{name}.yaml").write_text(text, encoding="utf-8")
    return City(pack)


def deliver(folder: Path, rows: Sequence[dict[str, str]]) -> None:
    """Write the files of the made-up city, as a publisher would."""
    place = folder / "livraison"
    place.mkdir(parents=True, exist_ok=True)
    (place / "carres.geojson").write_text(json.dumps(squares()), encoding="utf-8")
    with (place / "faits.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def build_made_up(folder: Path, rows: Sequence[dict[str, str]], **pack: Any) -> Built:
    """Deliver, take in and count the made-up city under `folder`."""
    city = write_pack(folder, **pack)
    deliver(folder, rows)
    return build(city, folder, folder / "out")


@pytest.fixture
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection as the notebooks have, closed afterwards."""
    con = store.connect()
    yield con
    con.close()


def table_of_facts(con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Make table `cube` of facts given by hand: theme, hour, n and what else they tell."""
    con.execute(
        "CREATE OR REPLACE TABLE cube (theme VARCHAR, source VARCHAR, category VARCHAR, "
        "cell VARCHAR, zone_carres VARCHAR, zone_moities VARCHAR, hour TIMESTAMP, "
        "hour_end TIMESTAMP, time_precision VARCHAR, origin VARCHAR, n BIGINT)"
    )
    usual = {
        "theme": "bruit",
        "source": "faits",
        "category": "tapage",
        "cell": None,
        "zone_carres": "A",
        "zone_moities": "ouest",
        "time_precision": "minute",
        "origin": "citizen",
        "n": 1,
    }
    for row in rows:
        whole = usual | row
        whole.setdefault("hour_end", whole["hour"])
        names = ", ".join(whole)
        marks = ", ".join("?" for _ in whole)
        con.execute(f"INSERT INTO cube ({names}) VALUES ({marks})", list(whole.values()))


def nothing_late(con: duckdb.DuckDBPyConnection) -> None:
    """Make tables `grades_weekly` and `nowcast` of a city where no zone is silent, nothing late."""
    con.execute(
        "CREATE OR REPLACE TABLE grades_weekly (source VARCHAR, division VARCHAR, zone VARCHAR, "
        "week DATE, missing_days BIGINT)"
    )
    con.execute(
        "CREATE OR REPLACE TABLE nowcast (source VARCHAR, division VARCHAR, zone VARCHAR, "
        "week DATE, share_in DOUBLE, value DOUBLE, low BIGINT, high BIGINT, status VARCHAR)"
    )
