"""The small simulated city with its hours of patrol, counted once for both parts."""

from __future__ import annotations

import copy

import duckdb
import pytest

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.ingest import ingest
from tests.fixtures.real import INGEST
from tests.fixtures.simulated import Made


@pytest.fixture(scope="package")
def counted(
    made: Made, tmp_path_factory: pytest.TempPathFactory
) -> tuple[City, duckdb.DuckDBPyConnection]:
    """The small simulated city with its log and its hours of patrol, counted."""
    out = tmp_path_factory.mktemp("patrol")
    city = copy.copy(made.city)
    wanted = {"quartiers", "main_courante", "vacation"}
    city.__dict__["contracts"] = {n: c for n, c in made.city.contracts.items() if n in wanted}
    logged = {n: t for n, t in made.city.themes.items() if "main_courante" in t.sources}
    city.__dict__["themes"] = logged
    ingest.ingest(city, made.raw, out, INGEST)
    con = store.connect()
    store.view(con, "cube", out / "cube.parquet")
    store.view(con, "vacation", out / "accepted" / "vacation.parquet")
    return city, con
