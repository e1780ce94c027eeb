"""Both stores behind one layer: connections, the one writer at a time, the schema kept up to date.

No connection is kept between two uses: a page is divided for its readers, and a connection cannot
be; and what comes after a base that stopped finds it again by itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from helpers.core.base.errors import PhareError
from helpers.register.tables import ENTRIES, NEWEST

PATIENCE_S = 30  # for the other writers
CONNECT_S = 5
LOCK = 0x5068617265  # PostgreSQL's advisory lock of whoever writes; one base, one register
MADE = 1  # length of the lock's file once a register lies beside it
ANY = "SELECT 1 FROM entries LIMIT 1"
# Functions outlive the table whose triggers call them.
MADE_BEFORE = (
    "SELECT EXISTS (SELECT 1 FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace "
    "WHERE nspname = current_schema AND proname = 'entries_refuse')"
)
VERSIONS = "SELECT version_num FROM alembic_version"
NOW = {
    "sqlite": "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
    "postgresql": "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
    '\'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\')',
}
# Each trigger with all that it does, and when: one of the same name might do nothing.
TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'entries'",
    # 'A' in tgenabled: it fires in a session that replays another's changes too.
    "postgresql": "SELECT tgname, concat_ws('|', tgenabled, tgtype, tgattr, tgqual, prosrc) "
    "FROM pg_trigger JOIN pg_proc p ON p.oid = tgfoid "
    "WHERE tgrelid = 'entries'::regclass AND NOT tgisinternal",
}
HELD = {
    "sqlite": "SELECT name FROM pragma_table_info('entries')",
    "postgresql": "SELECT attname FROM pg_attribute WHERE attrelid = 'entries'::regclass "
    "AND attnum > 0 AND NOT attisdropped",
}
# What the migrations make: SHA-256 of the above, 16 digits.
GUARDS = {
    "sqlite": {
        "entries_update": "c9ac7a7634abfd56",
        "entries_delete": "208418678632b2c8",
        "entries_follow": "7e01127f199594c3",
        "entries_fork": "04714d51c7fdaecc",
        "entries_moment": "f6d856a97bfa685a",
        "entries_held": "5b1a16d897d23b55",
        "entries_forms": "72dfb22592ca4126",
        "entries_names": "2bf34980cd39a85c",
    },
    "postgresql": {
        "entries_kept": "d210207106912010",
        "entries_follow": "c05f00a25e429aa7",
        "entries_fork": "3949c317f86c0aac",
        "entries_whole": "d4217b05afef86a1",
        "entries_moment": "13e6c798e18477c0",
        "entries_held": "2233d6cd502135a2",
        "entries_forms": "07b375443b7fbf59",
        "entries_names": "664231bf4087be42",
    },
}
# What a server says before there is a session has no code in psycopg's error, but its words, which
# are looked at and never told; in another language, the general sentence stands.
AT_THE_DOOR = {
    "28P01": "password authentication failed|no password supplied"
    "|authentification par mot de passe échouée|aucun mot de passe fourni",
    "28000": 'role ".*" does not exist|no pg_hba.conf entry|le rôle «.*» n\'existe pas',
    "3D000": 'database ".*" does not exist|la base de données «.*» n\'existe pas',
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
    # What is not UTF-8 is read all the same: it is told by its number, and its hash does not fit.
    connection.text_factory = _text
    connection.isolation_level = None  # `_begin` says when: the driver would begin late, and lose
    connection.execute("PRAGMA synchronous = FULL")  # what is entered outlives a power cut


def _text(held: bytes) -> str:
    return held.decode("utf-8", "surrogateescape")


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
        with connection.begin() as transaction:
            yield connection
            transaction.rollback()  # nothing to commit, nothing to lose by it


def keep_up(engine: Engine, where: str) -> bool:
    """Bring the base to the newest schema; PhareError where a later Phare made it, or it is gone.

    False where the base holds entries and nothing beside it tells that it lay here before: the mark
    was taken away, or the file brought from elsewhere (`vouch` once it is checked).
    """
    if engine.dialect.name == "postgresql":
        _upgrade_where_late(engine, where)
        return True
    path = Path(str(engine.url.database))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Two that open a new base at once fight for the change to write-ahead logging, and SQLite does
    # not wait for that: of 720 so opened, 12 at a time, 5 were turned away.
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _hold(lock, where)
        made = os.fstat(lock).st_size > 0
        if made and not path.exists():
            raise _gone(where, "le registre a disparu", path)
        path.touch(mode=0o600)
        with engine.connect() as connection:
            raw: Any = connection.connection
            raw.execute("PRAGMA journal_mode = WAL")
        _upgrade_where_late(engine, where, path if made else None)
        with reading(engine) as connection:
            unsure = not made and connection.execute(text(ANY)).first() is not None
        if not unsure:
            os.truncate(lock, MADE)
        return not unsure
    finally:
        os.close(lock)


def vouch(engine: Engine) -> None:
    """Mark beside the file of SQLite that the register lies here."""
    os.truncate(Path(str(engine.url.database)).with_suffix(".lock"), MADE)


def _hold(lock: int, where: str) -> None:
    """Take the lock of who opens; PhareError where another keeps it longer than PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise PhareError(
                    "un autre programme ouvre le registre, et n'en finit pas",
                    where,
                    "attendre qu'il finisse, ou l'arrêter, puis recommencer",
                ) from None
            time.sleep(0.02)
        else:
            return


def _gone(where: str, what: str, path: Path | None) -> PhareError:
    # A new one in its place would pass for a register in which nothing was decided.
    files = f"{path.name} et {path.with_suffix('.lock').name}" if path else ""
    anew = f" ; pour en commencer un autre, effacer {files}" if path else ""
    return PhareError(what, where, f"reprendre sa dernière sauvegarde{anew}")


def _upgrade_where_late(engine: Engine, where: str, made: Path | None = None) -> None:
    """Bring the schema up; `made`: the file, where the lock beside it tells that it held one."""
    with reading(engine) as connection:
        version = _version(connection)
        held = inspect(connection).has_table("entries")
        before = made is not None or (
            engine.dialect.name == "postgresql" and connection.execute(text(MADE_BEFORE)).scalar()
        )
    if (before or held or version) and not (held and version):
        raise _gone(where, "le registre a été vidé : il y manque des tables", made)
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
    """Return the version of the schema; none where what stands in its place is no number of one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    told = connection.execute(text(VERSIONS)).scalar()
    return told if isinstance(told, str) and re.fullmatch("(?!0000)[0-9]{4}", told) else None


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


def unguarded(connection: Connection) -> list[str]:
    """Return, in sentences, what of the table is not as the migrations make it.

    Triggers by SHA-256 of what they do (16 digits), columns by name: another column would hold what
    no model looks at. What is not ours is not named.
    """
    dialect = connection.dialect.name
    guards = GUARDS[dialect]
    rows = connection.execute(text(TRIGGERS[dialect])).all()
    found = {row[0]: row[1] for row in rows}
    gone = [
        name
        for name, digest in guards.items()
        if hashlib.sha256(str(found.get(name)).encode()).hexdigest()[:16] != digest
    ]
    s = "s" if len(gone) > 1 else ""
    told = (
        f"déclencheur{s} {', '.join(gone)} absent{s}, inactif{s} ou changé{s} : la base se "
        "laisserait changer"
    )
    others = "un déclencheur qui n'est pas du registre : il changerait ce qui s'inscrit"
    columns = set(connection.execute(text(HELD[dialect])).scalars())
    odd = "des colonnes qui ne sont pas celles du registre"
    return [
        *([told] if gone else []),
        *([others] if found.keys() - guards else []),
        *([odd] if columns != {*ENTRIES.columns.keys()} else []),
    ]


def code_of(error: DBAPIError) -> str:
    """Return PostgreSQL's SQLSTATE of an error, or SQLite's name of it; nothing where none."""
    told = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
    if told is None:
        said = str(error.orig)
        told = next((code for code, like in AT_THE_DOOR.items() if re.search(like, said)), None)
    return str(told or "")
