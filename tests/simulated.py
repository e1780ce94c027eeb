"""The simulated city at a small scale: delivered, taken in at the door, sorted, and its truth."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from helpers.collect import collect, gate
from helpers.core.base import store
from helpers.core.city.city import City
from helpers.ingest.sort_rows import sort_rows
from helpers.simulate import deliver, write_truth
from tests.conftest import ROOT

PACK = ROOT / "data/cities/marseille"
SETTINGS = yaml.safe_load((PACK / "simulation.yaml").read_text(encoding="utf-8"))
RULES = SETTINGS["sources"]
SCALE = 0.02
YEARS = 5
LOG = "main_courante"
FACTS = (LOG, "pve", "signalement", "intervention", "fourriere")


def small_pack(folder: Path, scale: float) -> Path:
    """Return a copy of the pack that makes less."""
    pack = folder / "marseille"
    shutil.copytree(PACK, pack)
    text = yaml.safe_dump(SETTINGS | {"scale": scale}, allow_unicode=True, sort_keys=False)
    (pack / "simulation.yaml").write_text(text, encoding="utf-8")
    return pack


@dataclass(frozen=True)
class Made:
    """The small city: as delivered, taken in, sorted; and the truth.

    `con` has, for each source of facts, a table of what the door let in beside the truth of the
    same line (`true_…`); `sorted_<source>` the accepted rows.
    """

    city: City
    delivered: Path
    truth: Path
    raw: Path
    out: Path
    receipts: dict[str, dict[str, Any]]
    fates: dict[str, dict[str, int]]
    con: duckdb.DuckDBPyConnection

    def number(self, query: str) -> float:
        row = self.con.execute(query).fetchone()
        assert row is not None
        return float(row[0])


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The city, made once for all the files of tests that import this fixture."""
    return _make(tmp_path_factory.getbasetemp() / "simulated")


@cache
def _make(folder: Path) -> Made:
    pack = small_pack(folder, SCALE)
    city = City(pack)
    raw, out, truth = folder / "raw", folder / "out", folder / "truth"
    deliver(pack, folder / "delivered")
    write_truth(pack, truth)
    raw.mkdir()
    receipts = {
        name: gate.take_in(contract, collect.received([folder / "delivered"], files.file), raw)
        for (name, contract), files in zip(
            city.contracts.items(), city.about.sources.values(), strict=True
        )
    }
    con = store.connect()
    fates = {
        name: sort_rows(con, contract, raw / f"{name}.parquet", out, city.about.timezone)
        for name, contract in city.contracts.items()
    }
    for name in city.contracts:
        con.execute(f"CREATE TABLE sorted_{name} AS SELECT * FROM '{out}/accepted/{name}.parquet'")
    for name in FACTS:
        files = ", ".join(
            f"('{one['file']}', {i})" for i, one in enumerate(receipts[name]["files"], 1)
        )
        told = con.execute(f"DESCRIBE SELECT * FROM '{truth}/{name}_lines.parquet'").fetchall()
        columns = ", ".join(f"t.{c[0]} AS true_{c[0]}" for c in told if c[0] != "file")
        con.execute(
            f"CREATE TABLE {name} AS WITH files(file, delivery) AS (VALUES {files}), "
            "r AS (SELECT *, row_number() OVER (PARTITION BY delivery ORDER BY row_number) AS line "
            f"FROM '{raw}/{name}.parquet') SELECT r.*, {columns} FROM r JOIN files USING (delivery)"
            f" FULL JOIN '{truth}/{name}_lines.parquet' t "
            "ON (t.file, t.line) = (files.file, r.line)"
        )
    return Made(city, folder / "delivered", truth, raw, out, receipts, fates, con)
