"""After a whole run, a search of all files that it left finds nobody: caches and logs too."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from helpers.simulate.truth import write_truth
from tests.fixtures.people import Matcher
from tests.journeys.place import CITY, Place

# Shorter strings are found by chance in compressed bytes; they are looked for in decoded values.
LONG = 9


@pytest.fixture(scope="module")
def planted(built: Place, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The personal strings that the simulation put in permitted columns, from its truth."""
    folder = tmp_path_factory.mktemp("truth")
    write_truth(built.root / "data/cities" / CITY, folder)
    rows = duckdb.sql(f"SELECT DISTINCT text FROM '{folder / 'personal.parquet'}'").fetchall()
    return {text for (text,) in rows}


def left_by(built: Place) -> Iterator[Path]:
    """Yield every file of the workspace that is not tracked: results, caches, logs, reports."""
    tracked = set(built.git("ls-files", "-z").split("\0"))
    for path in built.root.rglob("*"):
        name = path.relative_to(built.root).as_posix()
        if path.is_file() and name not in tracked and not name.startswith(".git/"):
            yield path


def test_no_planted_string_is_in_any_file(built: Place, planted: set[str]) -> None:
    assert len(planted) > 100
    matcher = Matcher(text for text in planted if len(text) >= LONG)
    looked = set()
    for path in left_by(built):
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        if hash(content) in looked:  # a result and its copy in the cache
            continue
        looked.add(hash(content))
        found = matcher.found(content)
        assert not found, f"{path.relative_to(built.root)} : {len(found)} chaînes"
    assert len(looked) > 100


def test_no_planted_string_is_in_any_decoded_value(built: Place, planted: set[str]) -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE planted (text VARCHAR)")
    con.executemany("INSERT INTO planted VALUES (?)", [(text,) for text in sorted(planted)])
    tables = sorted(built.data.rglob("*.parquet"))
    assert len(tables) > 40
    for path in tables:
        for name, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall():
            if kind != "VARCHAR":
                continue
            found = con.execute(
                f"SELECT count(*) FROM '{path}' WHERE \"{name}\" IN (SELECT text FROM planted)"
            ).fetchall()[0][0]
            assert found == 0, (path.name, name)
    con.close()


def test_what_was_taken_away_is_counted_and_told(built: Place, planted: set[str]) -> None:
    """Each planted line is set aside with a reason: nothing is lost, and nobody is named."""
    reasons = duckdb.sql(
        f"SELECT count(*) FROM '{built.data}/quarantined/main_courante.parquet' "
        "WHERE reason LIKE 'donnee_personnelle:%'"
    ).fetchall()[0][0]
    assert reasons > 50
    report = (built.data / "reports/collect.html").read_text(encoding="utf-8")
    assert "retirées à la porte" in report
    assert not [text for text in planted if len(text) >= LONG and text in report]
