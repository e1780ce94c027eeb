"""DuckDB over Parquet: in-memory connections, ordered writes, hashes of files.

No database file is ever shared or tracked. Every `COPY` is ordered by a full key, which makes
the bytes independent of the number of threads.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

NO_SPILL = {"temp_directory": ""}
MEMORY = "900MB"
PARQUET = "(FORMAT parquet, COMPRESSION zstd)"
PASSING = "(FORMAT parquet, COMPRESSION lz4)"


@cache
def _time_zones() -> Path:
    """Return DuckDB's ICU extension, which its PyPI package ships: nothing is downloaded."""
    folder = Path(str(files("duckdb_extension_icu"))) / "extensions"
    return next(folder.glob(f"v{duckdb.__version__}/icu.duckdb_extension"))


def connect(spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Return an in-memory connection with time zones at hand.

    It never writes to disk, unless `spill` is a folder where what exceeds `MEMORY` may go.
    """
    config = NO_SPILL
    if spill:
        # Keeping the order of rows would hold them in memory; what is kept is sorted when written.
        config = {
            "temp_directory": str(spill),
            "memory_limit": MEMORY,
            "preserve_insertion_order": "false",
        }
    con = duckdb.connect(":memory:", config=config)
    con.load_extension(str(_time_zones()))
    con.execute("SET TimeZone = 'UTC'")
    # In a notebook it leaves a widget for each long query: a report would tell how fast it ran.
    con.execute("SET enable_progress_bar = false")
    threads = os.environ.get("PHARE_THREADS")
    if threads:
        con.execute(f"SET threads = {int(threads)}")
    return con


def quote(name: str) -> str:
    """Return `name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | Path) -> str:
    """Return `value` as an SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def write(
    con: duckdb.DuckDBPyConnection, query: str, path: Path, order_by: Sequence[str] | None = None
) -> Path:
    """Write the rows of `query` to the Parquet file `path`, ordered by `order_by`.

    Without `order_by`, by all columns: then rows that tie are equal, and the bytes cannot depend
    on how the rows were found.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    key = "ALL" if order_by is None else ", ".join(quote(name) for name in order_by)
    con.execute(f"COPY (SELECT * FROM ({query}) ORDER BY {key}) TO {literal(path)} {PARQUET}")
    return path


def spill(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> Path:
    """Write the rows of `query` to a Parquet file of the moment, in no promised order.

    For what is read again and thrown away: nothing that is kept may be written so (`write`).
    """
    con.execute(f"COPY ({query}) TO {literal(path)} {PASSING}")
    return path


def view(con: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    """Make the Parquet file `path` readable as `name`."""
    con.execute(
        f"CREATE OR REPLACE VIEW {quote(name)} AS SELECT * FROM read_parquet({literal(path)})"
    )


def table(con: duckdb.DuckDBPyConnection, query: str, parameters: Any = None) -> pa.Table:
    """Return the rows of `query` as an Arrow table."""
    return con.execute(query, parameters).to_arrow_table()


def records(
    con: duckdb.DuckDBPyConnection, query: str, parameters: Any = None
) -> list[dict[str, Any]]:
    """Return the rows of `query` as dictionaries."""
    rows: list[dict[str, Any]] = table(con, query, parameters).to_pylist()
    return rows


def sha256(path: Path) -> str:
    """Return the SHA-256 of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
