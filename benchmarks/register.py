"""The register under twenty writers, some killed, on both stores; what its layers cost.

For each store: entries, writers killed, what was lost (nothing, or it fails). Then, by one writer
alone, the time of an entry against a bare INSERT in a transaction of the driver, as durable; and
how many of twenty writers that read before they lock (SQLite's own default) are turned away.

`python -m benchmarks.register [--size full]`
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.parts import crowd
from benchmarks.parts.measure import Size, best, parser, show_ratio
from tests.fixtures import servers

SECONDS: dict[Size, int] = {"tiny": 2, "small": 15, "full": 60}
ALONE: dict[Size, int] = {"tiny": 20, "small": 200, "full": 1000}
COLUMNS = "seq INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h, i"


@contextmanager
def stores(folder: Path) -> Iterator[dict[str, str]]:
    """Yield store → address: SQLite, and a real PostgreSQL where there is one."""
    found = {"SQLite": f"sqlite:///{folder}/registre/essai.sqlite"}
    place = folder / "base"
    try:
        with servers.postgres(place, "secret-imaginaire") as port:
            secret = folder / "passe"
            secret.write_text("*:*:*:phare:secret-imaginaire\n", encoding="utf-8")
            secret.chmod(0o600)
            address = f"postgresql+psycopg://phare@127.0.0.1:{port}/postgres?passfile={secret}"
            yield {**found, "PostgreSQL": address}
    except pytest.skip.Exception:
        print("  non mesuré : PostgreSQL (make postgres)", flush=True)
        yield found


def alone(url: str, count: int) -> float:
    """Return the seconds of `count` entries, by one writer."""
    register = crowd.register_at(url)
    drafts = [crowd.measure((1 << 60) + number) for number in range(count)]
    return best(lambda: [register.append(draft) for draft in drafts])[0]


def bare(folder: Path, count: int) -> float:
    """Return the seconds of `count` rows, each in a transaction of the driver alone."""
    path = folder / "nu.sqlite"
    _open(path).execute(f"CREATE TABLE entries ({COLUMNS})")

    def insert() -> None:
        for _ in range(count):
            connection = _open(path)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO entries (a) VALUES (?)", ("x" * 400,))
            connection.execute("COMMIT")
            connection.close()

    return best(insert)[0]


def turned_away(folder: Path, begin: str, turns: int) -> int:
    """Return how many of 20 × `turns` transactions that read, then write, SQLite refuses."""
    path = folder / f"{begin}.sqlite"
    _open(path).execute(f"CREATE TABLE entries ({COLUMNS})")
    refused = []

    def write() -> None:
        connection = _open(path)
        for _ in range(turns):
            try:
                connection.execute(begin)
                (last,) = connection.execute("SELECT max(seq) FROM entries").fetchone()
                connection.execute("INSERT INTO entries (seq) VALUES (?)", ((last or 0) + 1,))
                connection.execute("COMMIT")
            except sqlite3.OperationalError:
                refused.append(1)
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        connection.close()

    crowd_of = [threading.Thread(target=write) for _ in range(20)]
    for one in crowd_of:
        one.start()
    for one in crowd_of:
        one.join()
    return len(refused)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def main() -> None:
    """Print what each store kept, then the ratios."""
    size: Size = parser(__doc__).parse_args().size
    seconds, count = SECONDS[size], ALONE[size]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with stores(folder) as addresses:
            took = {}
            for name, url in addresses.items():
                told = folder / name
                told.mkdir()
                found = crowd.run(url, told, seconds)
                lost = crowd.lost(crowd.register_at(url), found)
                if lost:
                    raise AssertionError(f"{name} : {lost}")
                print(f"{name}, 20 écrivains, {seconds} s : {len(found.entered)} inscriptions "
                      f"dites faites, {found.killed} écrivains tués, rien de perdu")  # fmt: skip
                took[name] = alone(url, count) / count
        for begin in ("BEGIN", "BEGIN IMMEDIATE"):
            refused = turned_away(folder, begin, count)
            print(f"{begin}, 20 écrivains qui lisent puis écrivent : {refused} transactions "
                  f"refusées sur {20 * count}")  # fmt: skip
        show_ratio("une inscription, registre / INSERT nu (SQLite)",
                   took["SQLite"], bare(folder, count) / count)  # fmt: skip
        if "PostgreSQL" in took:
            show_ratio("une inscription, PostgreSQL / SQLite", took["PostgreSQL"], took["SQLite"])


if __name__ == "__main__":
    main()
