"""Hot cells graded against the truth of the simulated city, and results against row order."""

from __future__ import annotations

import copy
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.place_time import territory
from helpers.core.place_time.places import Places
from helpers.core.stage import params
from helpers.hotspots import cells as hotspots_cells
from helpers.hotspots import concentration, zones
from helpers.ingest import ingest
from tests.fixtures.made_up import build_made_up, fact, middle
from tests.fixtures.real import INGEST, ROOT, Built
from tests.fixtures.simulated import Made
from tests.fixtures.tables import all_heard

FIVE_YEARS, RADIUS = 1826, 400
MUCH = 8  # times the mean of the ground, of the true intensity of a cell
FACTS = 15  # due in the window: below, no test of a cell's own count has the power


@pytest.fixture(scope="module")
def counted(
    made: Made, tmp_path_factory: pytest.TempPathFactory
) -> tuple[City, duckdb.DuckDBPyConnection]:
    """The small simulated city with its log, counted."""
    out = tmp_path_factory.mktemp("hotspots")
    city = copy.copy(made.city)
    wanted = {"quartiers", "main_courante"}
    city.__dict__["contracts"] = {n: c for n, c in made.city.contracts.items() if n in wanted}
    logged = {n: t for n, t in made.city.themes.items() if "main_courante" in t.sources}
    city.__dict__["themes"] = logged
    ingest.ingest(city, made.raw, out, INGEST)
    con = store.connect()
    store.view(con, "cube", out / "cube.parquet")
    store.view(con, "zones", out / "zones.parquet")
    return city, con


def test_hot_cells_are_those_of_the_truth(
    made: Made, counted: tuple[City, duckdb.DuckDBPyConnection]
) -> None:
    """True intensity of each cell, over the mean of the ground: what is hot has much of it.

    Precision: of the hot cells, those of which more than twice the mean is due. Recall: of the
    cells of which at least 8 times the mean and FACTS facts are due, those hot. Counts are of
    records, so that what is seen where depends on the patrols too: this is part of the test.
    """
    city, con = counted
    cells = hotspots_cells.study_cells(con, city, RADIUS)
    corner = territory.corners(cells)
    changed = {"window_days": FIVE_YEARS, "radius_m": RADIUS, "draws": 0}
    knobs = params.knobs("hotspots", ROOT).model_copy(update=changed)
    table = hotspots_cells.find(con, city, knobs, 1)
    right = said = missed = there = 0
    for theme, about in city.themes.items():
        rows = made.con.execute(
            "SELECT cell_east, cell_north, sum(expected) FROM "
            f"'{made.truth}/expected.parquet' WHERE list_contains(?, kind) GROUP BY ALL",
            [list(about.categories)],
        ).fetchall()
        due = {(east, north): mean for east, north, mean in rows}
        each = np.array([due.get((e, n), 0.0) for e, n in corner.tolist()])
        due_here = each / each.mean()
        mine = table.filter(pa.compute.equal(table["theme"], theme))
        assert mine["cell"].to_pylist() == cells
        hot = mine["hot"].to_numpy(zero_copy_only=False)
        said, right = said + int(hot.sum()), right + int((hot & (due_here > knobs.times)).sum())
        held = mine["n"].to_numpy().sum() * each / each.sum()
        busy = (due_here >= MUCH) & (held >= FACTS)
        there, missed = there + int(busy.sum()), missed + int((busy & ~hot).sum())
    assert said > 500
    assert right / said >= 0.95
    assert there > 150
    assert 1 - missed / there >= 0.9


# --- Order of rows -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Built:
    rng = np.random.default_rng(4)
    rows = []
    for square, n in zip("ABCD", (90, 40, 30, 20), strict=True):
        lon, lat = middle(square)
        for _ in range(n):
            x, y = lon + rng.uniform(-0.005, 0.005), lat + rng.uniform(-0.004, 0.004)
            rows.append(fact(len(rows), lon=f"{x:.6f}", lat=f"{y:.6f}"))
    return build_made_up(tmp_path_factory.mktemp("uneven"), rows)


def results(built: Built, order: str, out: Path) -> list[bytes]:
    """Return what the room would write, from the rows of cube and zones in the order asked for."""
    con = store.connect()
    for name in ("cube", "zones"):
        source = built.out / f"{name}.parquet"
        con.execute(
            f"CREATE TABLE {name} AS SELECT * EXCLUDE file_row_number FROM "
            f"read_parquet('{source}', file_row_number = true) ORDER BY {order}"
        )
    all_heard(con)
    exposure = np.array([900.0, 800.0, 1200.0, 700.0])
    centres = np.array([(0.0, 0.0), (1000.0, 0.0), (0.0, 1000.0), (1000.0, 1000.0)])
    places = Places(list("ABCD"), list("ABCD"), centres, exposure, {}, [], {}, 0)
    changed = {"radius_m": 250, "draws": 9, "permutations": 199, "neighbours": 2}
    knobs = params.knobs("hotspots", ROOT).model_copy(update=changed)
    shares, curves = concentration.find(con, built.city, knobs, 1)
    tables = {
        "cells": hotspots_cells.find(con, built.city, knobs, 1, places),
        "concentration": shares,
        "curves": curves,
        "zones": zones.find(con, built.city, places, knobs, 1),
    }
    written = []
    for name, table in tables.items():
        con.register("found", table)
        path = store.write(con, "SELECT * FROM found", out / f"{name}.parquet")
        written.append(path.read_bytes())
    con.close()
    return written


@pytest.mark.parametrize("order", ["hash(file_row_number)", "file_row_number DESC"])
def test_the_order_of_rows_changes_no_byte(uneven: Built, tmp_path: Path, order: str) -> None:
    """Rows in the order of the file, shuffled, and backwards."""
    assert results(uneven, order, tmp_path) == results(uneven, "file_row_number", tmp_path)
