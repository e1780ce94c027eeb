"""Runs one validation library on the ten rules of `contracts.py`.

Runs in an environment of its own (benchmarks/requirements-contracts.txt), which knows nothing of
the project: `python contract_engines.py ENGINE FOLDER`. Each engine reads FOLDER/received.csv, all
text, and writes, as far as it can, the accepted rows with types and, in rejects.parquet, each
rejected row with its rule (row_number, rule). Prints one line of JSON.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

MOMENT = "%Y-%m-%dT%H:%M:%S"
ID = "^MC[0-9]{9}$"
MOMENTS = ("debut", "fin", "saisi_le")
INTEGERS = ("nb_agents", "duree_min")
FLOATS = ("longitude", "latitude")
AGENTS, LONGITUDE = (1, 20), (5.0, 5.8)
ALL = 10**9  # every rejected row, where a library keeps a few by default


def lists(folder: Path) -> dict[str, list[str]]:
    """Return the codes allowed, field by field, that the bench wrote beside the data."""
    found: dict[str, list[str]] = json.loads((folder / "codes.json").read_text(encoding="utf-8"))
    return found


# Each engine: the module that holds it, the package that carries its version, and what is imported
# before the clock starts.
ENGINES = {
    "dataframely": ("contract_frames", "dataframely", ("dataframely", "polars")),
    "dataframely_lazy": ("contract_frames", "dataframely", ("dataframely", "polars")),
    "pandera_polars": ("contract_frames", "pandera", ("pandera.polars", "polars")),
    "pandera_ibis": ("contract_frames", "pandera", ("pandera.ibis", "ibis", "duckdb")),
    "pointblank": ("contract_frames", "pointblank", ("pointblank", "polars")),
    "patito": ("contract_frames", "patito", ("patito", "polars")),
    "great_expectations": ("contract_rows", "great_expectations", ("great_expectations",)),
    "pydantic": ("contract_rows", "pydantic", ("pydantic", "pyarrow.parquet")),
    "frictionless": ("contract_rows", "frictionless", ("frictionless", "pyarrow.parquet")),
}


def main() -> None:
    """Run one engine on one folder; its imports are not counted, its reading and writing are."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    holder, package, modules = ENGINES[name]
    for module in modules:
        import_module(module)
    work = getattr(import_module(holder), name)
    wall, cpu = time.perf_counter(), time.process_time()
    work(folder)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"seconds": wall, "cpu": cpu, "version": version(package)}))


if __name__ == "__main__":
    main()
