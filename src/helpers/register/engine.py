"""Both stores behind one layer: connections, the one writer at a time, the schema kept up to date.

No connection is kept between two uses: a page is divided for its readers, and a connection cannot
be; and what comes after a base that stopped finds it again by itself.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from helpers.core.base.errors import PhareError
from helpers.register.tables import NEWEST

PATIENCE_S = 30  # for the other writers
CONNECT_S = 5
LOCK = 0x5068617265  # PostgreSQL's advisory lock of whoever writes; one base, one register
VERSIONS = "SELECT version_num FROM alembic_version"
NOW = {
    "sqlite": "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
    "postgresql": "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
    '\'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\')',
}
NETWORK = {"connect_timeout": CONNECT_S, "application_name": "phare", "keepalives_idle": 10,
           "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000,
           "options": f"-c lock_timeout={PATIENCE_S}s -c search_path=public -c TimeZone=UTC"
                      " -c client_encoding=UTF8"}  # fmt: skip


def make(url: URL) -> Engine:
    """Return the engine of a register: SQLite (written ahead, synced) or PostgreSQL."""
    if url.get_backend_name() == "postgresql":
        return create_engine(url, poolclass=NullPool, connect_args=NETWORK, hide_parameters=True)
    engine = create_engine(
        url, poolclass=NullPool, connect_args={"timeout": PATIENCE_S}, hide_parameters=True
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # `_begin` says when: the driver would begin late, and lose
    connection.execute("PRAGMA synchronous = FULL")  # what is entered outlives a power cut


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that writes alone until the block ends, whole or not at all."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that reads one state of the register."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


def keep_up(engine: Engine, where: str) -> None:
    """Bring the base to the newest schema; PhareError where a later Phare made it."""
    if engine.dialect.name == "postgresql":
        _upgrade_where_late(engine, where)
        return
    path = Path(str(engine.url.database))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Two that open a new base at once fight for the change to write-ahead logging, and SQLite does
    # not wait for that: of 720 so opened, 12 at a time, 5 were turned away.
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_size and not path.exists():
            # A new one in its place would pass for a register in which nothing was decided.
            raise PhareError(
                "le registre a disparu",
                where,
                "reprendre sa dernière sauvegarde ; pour en commencer un autre, effacer aussi "
                f"{path.with_suffix('.lock').name}",
            )
        path.touch(mode=0o600)
        with engine.connect() as connection:
            raw: Any = connection.connection
            raw.execute("PRAGMA journal_mode = WAL")
        _upgrade_where_late(engine, where)
        os.truncate(lock, 1)  # made
    finally:
        os.close(lock)


def _upgrade_where_late(engine: Engine, where: str) -> None:
    with reading(engine) as connection:
        version = _version(connection)
    if version == NEWEST:
        return
    if version is not None and version > NEWEST:
        raise PhareError(
            f"le registre est d'un Phare plus récent (schéma {version}, ici {NEWEST})",
            where,
            "mettre cet atelier à jour",
        )
    with writing(engine) as connection:
        upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text(VERSIONS)).scalar()


def upgrade(connection: Connection, to: str = NEWEST) -> None:
    """Run the versions of the schema that are missing, up to `to`, within the transaction."""
    from alembic import command  # who opens a register that is up to date does not pay for it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def now(connection: Connection) -> str:
    """Return the server's time (UTC, ISO 8601, to the millisecond)."""
    return str(connection.execute(text(NOW[connection.dialect.name])).scalar_one())


def code_of(error: DBAPIError) -> str:
    """Return PostgreSQL's SQLSTATE of an error, or SQLite's name of it; nothing where none."""
    told = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
    return str(told or "")
