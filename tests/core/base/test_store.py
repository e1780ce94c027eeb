"""Same rows, same bytes: whatever the order they came in and the number of threads."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.core.base import store
from tests.fixtures.real import ROOT

COPY = re.compile(r"\bCOPY\s*\(.*?\bTO\b", re.DOTALL)
AWKWARD = ["a", 'a"b', "select", "a b", "é", "a;b", "a'b"]
ROWS = st.lists(
    st.tuples(
        st.integers(-3, 3),
        st.sampled_from(["x", "y", None, "é'"]),
        st.integers(-8, 8).map(lambda quarter: quarter / 4),
    ),
    max_size=40,
)


def write(rows: list[tuple[int, str | None, float]], path: Path) -> bytes:
    con = store.connect()
    con.execute("CREATE TABLE t (a INTEGER, b VARCHAR, c DOUBLE)")
    if rows:
        con.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    store.write(con, "SELECT * FROM t", path)
    con.close()
    return path.read_bytes()


@settings(max_examples=15, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(rows=ROWS, seed=st.randoms(use_true_random=False))
def test_order_of_arrival_changes_no_byte(
    rows: list[tuple[int, str | None, float]], seed: object, tmp_path: Path
) -> None:
    shuffled = list(rows)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    first = write(rows, tmp_path / "a.parquet")
    assert write(shuffled, tmp_path / "b.parquet") == first
    back = duckdb.sql(f"SELECT * FROM '{tmp_path / 'a.parquet'}'").fetchall()
    assert sorted(back, key=repr) == sorted(rows, key=repr)


def test_number_of_threads_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query = (
        "SELECT (i * 7919) % 1000 AS a, hash(i) % 97 AS b, i AS c FROM range(300000) r(i) "
        "WHERE hash(i) % 3 != 0"
    )
    found = set()
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("PHARE_THREADS", threads)
        con = store.connect()
        assert con.execute("SELECT current_setting('threads')").fetchall() == [(int(threads),)]
        found.add(store.write(con, query, tmp_path / f"{threads}.parquet").read_bytes())
        con.close()
    assert len(found) == 1


def test_order_by_orders_the_rows(tmp_path: Path) -> None:
    con = store.connect()
    path = store.write(
        con, "SELECT * FROM (VALUES (2, 1), (1, 9), (3, 0)) t(a, b)", tmp_path / "t.parquet", ["b"]
    )
    assert con.execute(f"SELECT a FROM '{path}'").fetchall() == [(3,), (2,), (1,)]


def test_folder_is_made_and_file_is_compressed(tmp_path: Path) -> None:
    con = store.connect()
    path = store.write(con, "SELECT 1 AS a", tmp_path / "new" / "folder" / "t.parquet")
    found = con.execute(f"SELECT DISTINCT compression FROM parquet_metadata('{path}')").fetchall()
    assert found == [("ZSTD",)]


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_and_texts_survive(name: str, tmp_path: Path) -> None:
    con = store.connect()
    path = tmp_path / f"{name}.parquet"
    store.write(con, f"SELECT {store.literal(name)} AS {store.quote(name)}", path, [name])
    store.view(con, name, path)
    assert store.records(con, f"SELECT * FROM {store.quote(name)}") == [{name: name}]


def test_connection_is_in_memory_in_utc_and_spills_nowhere() -> None:
    con = store.connect()
    told = con.execute(
        "SELECT current_setting('TimeZone'), current_setting('temp_directory')"
    ).fetchall()
    assert told == [("UTC", "")]
    files = con.execute("SELECT path FROM duckdb_databases() WHERE path IS NOT NULL").fetchall()
    assert files == []
    there = con.execute(
        "SELECT timezone('UTC', timezone('Europe/Paris', TIMESTAMP '2024-07-01 12:00:00'))"
    ).fetchall()
    assert str(there[0][0]).startswith("2024-07-01 10:00:00")


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "f"
    content = b"phare\x00" * 100_000
    path.write_bytes(content)
    assert store.sha256(path) == hashlib.sha256(content).hexdigest()
    path.write_bytes(content + b"!")
    assert store.sha256(path) != hashlib.sha256(content).hexdigest()


def test_every_copy_in_the_code_is_ordered() -> None:
    """Only `store` may write Parquet: `write` orders, `spill` is for what is thrown away."""
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "notebooks").rglob("*.ipynb")]
    copies: dict[str, list[str]] = {}
    for path in files:
        for statement in COPY.findall(path.read_text(encoding="utf-8")):
            copies.setdefault(path.relative_to(ROOT).as_posix(), []).append(statement)
    assert list(copies) == ["src/helpers/core/base/store.py"], "un COPY hors de store"
    ordered, spilled = copies["src/helpers/core/base/store.py"]
    assert "ORDER BY" in ordered
    assert spilled == "COPY ({query}) TO"


def test_rows_of_the_moment_are_never_kept() -> None:
    """`store.spill` promises no order: only temporary folders may hold what it writes."""
    users = {
        path.name: path.read_text(encoding="utf-8")
        for path in (ROOT / "src").rglob("*.py")
        if "store.spill(" in path.read_text(encoding="utf-8")
    }
    assert users
    for name, text in users.items():
        assert "with scratch() as folder" in text, name


def test_no_other_parquet_writer_and_no_database_file() -> None:
    banned = re.compile(
        r"write_table|to_parquet|write_parquet|write_dataset|duckdb\.connect\((?!\":memory:\")"
    )
    found = [
        path.name
        for path in (ROOT / "src").rglob("*.py")
        if "simulate" not in path.parts  # plays the publisher: its files are read by the door
        # a page is one table, written as it came; the door writes rows as they are numbered
        and path.name not in ("spool.py", "gate.py")
        and banned.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_no_progress_bar_is_left_in_a_report() -> None:
    shown = store.connect().execute("SELECT current_setting('enable_progress_bar')").fetchall()
    assert shown == [(False,)]
