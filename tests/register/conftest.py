"""The register on both stores: a file, and a database of a real PostgreSQL."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from benchmarks.parts.crowd import register_at

from helpers.register.register import Register
from tests.fixtures import servers

SECRET = "secret-imaginaire"
NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A server's address but for the base, with its password in a file."""
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.postgres(Path(folder) / "base", SECRET) as port,
    ):
        secret = Path(folder) / "passe"
        secret.write_text(f"*:*:*:phare:{SECRET}\n", encoding="utf-8")
        secret.chmod(0o600)
        yield f"postgresql+psycopg://phare@127.0.0.1:{port}/{{base}}?passfile={secret}"


def plain(url: str) -> str:
    """Return the address as PostgreSQL's own tools take it."""
    return url.replace("+psycopg", "")


def asked(server: str, statement: str) -> None:
    with psycopg.connect(plain(server.format(base="postgres")), autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(scope="session")
def ready(server: str) -> str:
    """The base of an empty register: a copy of it takes a third of the time of its migrations."""
    asked(server, "CREATE DATABASE modele")
    register_at(server.format(base="modele"))
    asked(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'modele'")
    return "modele"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new, empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/registre/essai.sqlite"
    server, base = request.getfixturevalue("server"), f"essai{next(NUMBERS)}"
    model = request.getfixturevalue("ready") if "register" in request.fixturenames else "template1"
    asked(server, f"CREATE DATABASE {base} TEMPLATE {model}")
    return str(server.format(base=base))


@pytest.fixture
def register(url: str) -> Register:
    return register_at(url)
