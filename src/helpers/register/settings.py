"""Where a city's register lies: SQLite beside the city's keys, or the PostgreSQL of the pack.

`register.yaml` in the pack, if there is one: `address: postgresql://serveur/base`. Credentials are
libpq's (PGUSER, PGPASSWORD, a password file): the address has none.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict, parse

FILE = "register.yaml"
FOLDER = Path("data/.registers")  # neither git nor DVC holds it
TAKEN = {"sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs", "host", "port",
         "passfile", "service", "channel_binding", "gssencmode"}  # fmt: skip
DRIVER = "postgresql+psycopg"


class RegisterFile(Strict):
    """`register.yaml`: the address of the base that holds the city's register."""

    address: str = Field(default="", description="postgresql://serveur/base, sans mot de passe")


def address(root: Path, pack: Path, city: str) -> URL:
    """Return the address of a city's register, for SQLAlchemy; PhareError where it is none."""
    path, here = pack / FILE, f"{pack.name}/{FILE}"
    # A link that leads nowhere is no leave to begin another register here.
    told = _told(path, here) if path.exists() or path.is_symlink() else ""
    if told:
        return _postgres(told, here)
    return URL.create("sqlite", database=str(root / FOLDER / f"{city}.sqlite"))


def _told(path: Path, here: str) -> str:
    """Return the address; an error quotes no key that may be one, with a password in it."""
    try:
        return str(parse(RegisterFile, path, here).address)
    except PhareError as error:
        if re.search("[@=/]", error.what):
            raise _unreadable(here) from None
        raise


def _postgres(told: str, here: str) -> URL:
    try:
        url = make_url(told)
    except (ArgumentError, ValueError):
        raise _unreadable(here) from None
    if url.password or {"password", "sslpassword"} & set(url.query):
        raise PhareError(
            "l'adresse contient un mot de passe",
            here,
            "l'ôter, et le donner par PGPASSWORD ou par un fichier (PGPASSFILE)",
        )
    if url.drivername not in ("postgresql", "postgres") or set(url.query) - TAKEN:
        raise _unreadable(here)
    # SQLAlchemy reads a port of its own, and takes one place by one host: else it fails later.
    # A base's name with "=" in it is a list of settings: a password may be one.
    if "=" in str(url.database) or not all(isinstance(one, str) for one in url.query.values()):
        raise _unreadable(here)
    if not all(_is_port(one) for one in (url.port, url.query.get("port")) if one is not None):
        raise _unreadable(here)
    return url.set(drivername=DRIVER)


def _is_port(told: object) -> bool:
    return bool(re.fullmatch("[0-9]{1,5}", str(told))) and 0 < int(str(told)) < 1 << 16


def _unreadable(here: str) -> PhareError:
    return PhareError(
        "adresse PostgreSQL illisible, ou qui a un paramètre inconnu",
        here,
        "écrire `address: postgresql://serveur/base`",
    )
