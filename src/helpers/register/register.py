"""The register of a city: opened, added to, read, checked. The one way in, for pages and commands.

    register = open_register(root, pack)
    entry = register.append(draft)

An entry is in when `append` returns it. Where it raises `Unreachable`, the error says whether
nothing was entered or whether that is not known; in both cases the same draft, which keeps its key,
can be appended again: it is never entered twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import INBOX
from helpers.core.city.city import City
from helpers.register import chain, engine, rules, settings, snapshot
from helpers.register.entries import Draft, Entry, refused
from helpers.register.tables import ENTRIES

SAID = {
    "28P01": "mot de passe refusé",
    "28000": "connexion refusée à cet utilisateur",
    "3D000": "base inconnue",
    "42501": "droit refusé (il faut lire et ajouter dans la table `entries`)",
    "53300": "trop de connexions au serveur",
    "55P03": "trop de personnes écrivent à la fois",
    "23001": "écriture faite à côté du registre",
    "23505": "écriture faite à côté du registre",
    "SQLITE_CONSTRAINT_TRIGGER": "écriture faite à côté du registre",
    "42703": "table changée à côté du registre",
    "42P07": "table changée à côté du registre",
    "42723": "table changée à côté du registre",
    "SQLITE_ERROR": "table changée à côté du registre",
    "SQLITE_BUSY": "trop de personnes écrivent à la fois",
    "SQLITE_FULL": "disque plein",
    "SQLITE_READONLY": "droit d'écrire refusé",
    "SQLITE_CORRUPT": "fichier abîmé",
    "SQLITE_NOTADB": "fichier abîmé",
}
Row = Mapping[str, Any]
NOTHING = "rien n'a été inscrit"
UNKNOWN = "l'inscription est peut-être faite"


class Unreachable(PhareError):
    """The store does not answer. `entered`: False where nothing was, None where nobody knows."""

    def __init__(self, why: str, where: str, entered: bool | None) -> None:
        self.entered = entered
        told = UNKNOWN if entered is None else NOTHING
        super().__init__(
            f"le registre ne répond pas ({why}) : {told}",
            where,
            "recommencer la même inscription quand il répondra : elle ne sera pas faite deux fois",
        )


class Register:
    """The decisions of one city, in one store."""

    def __init__(self, city: str, themes: tuple[str, ...], store: Engine, where: str) -> None:
        self.city, self.themes, self.where = city, themes, where
        self._engine = store
        self._seen: chain.Link | None = None  # up to where this object found the chain whole
        self.unsure = False  # nothing beside the store tells that it was not put in another's place

    def append(self, draft: Draft) -> Entry:
        """Enter a draft and return it as entered; the entry there already, if its key is.

        PhareError where it breaks a rule (`rules`), its key serves another draft, or the chain that
        it would follow does not hold; Unreachable where the store stops.
        """
        try:
            # A warning would quote what is not of the model; the error below quotes nothing.
            checked = Draft.model_validate_json(draft.model_dump_json(warnings=False))
        except ValidationError as error:
            raise refused(error) from None
        # Before the lock: the whole chain, the first time. Under it, what was entered since.
        with self._asking(), engine.reading(self._engine) as connection:
            self._seen = self._whole(connection)
        committing = False
        try:
            with engine.writing(self._engine) as connection:
                entry = self._enter(connection, checked)
                committing = True
        except SQLAlchemyError as error:
            raise self._told(error, None if committing else False) from None
        if entry.seq == (self._seen.seq if self._seen else 0) + 1:
            self._seen = chain.Link(entry.seq, entry.hash, entry.at)
        return entry

    def entries(self, upto: int | None = None) -> list[Entry]:
        """Return the entries in order, up to the sequence number `upto` where given."""
        return self._entries(self.rows(upto))

    def rows(self, upto: int | None = None) -> list[Row]:
        """Return the entries as the store holds them, in order, unjudged."""
        with self._asking(), engine.reading(self._engine) as connection:
            return _rows(connection, true() if upto is None else ENTRIES.c.seq <= upto)

    def last(self, count: int) -> list[Row]:
        """Return the last entries as the store holds them, in order, unjudged."""
        with self._asking(), engine.reading(self._engine) as connection:
            return _last(connection, count)

    def sound(self) -> list[Entry]:
        """Return the entries in order; PhareError where their chain, or a trigger, is not whole."""
        with self._asking(), engine.reading(self._engine) as connection:
            rows = _rows(connection, true())
            found = chain.faults(self.city, rows, engine.now(connection))
            found += engine.unguarded(connection)
        if found:
            raise PhareError(snapshot.few(found), self.where, self._see())
        return self._entries(rows)

    def faults(self) -> list[str]:
        """Return what is wrong with the register, in sentences; nothing where all holds.

        What was removed from the end shows beside a snapshot alone (`snapshot.differs`).
        """
        with self._asking(), engine.reading(self._engine) as connection:
            rows = _rows(connection, true())
            found = chain.faults(self.city, rows, engine.now(connection))
        return found or rules.broken(self._entries(rows))

    def vouch(self) -> None:
        """Mark that the register, found whole, lies here; nothing where it is so marked."""
        if self.unsure:
            engine.vouch(self._engine)
            self.unsure = False

    def unguarded(self) -> list[str]:
        """Return, in sentences, the triggers without which the base lets itself be changed."""
        with self._asking(), engine.reading(self._engine) as connection:
            return engine.unguarded(connection)

    def standings(self, today: dt.date) -> list[rules.Standing]:
        """Return how each action stands on the day `today`."""
        return rules.standings(self.entries(), today)

    def ready(self) -> None:
        """Make the store, or bring it up to date; PhareError where it is another city's."""
        try:
            self.unsure = not engine.keep_up(self._engine, self.where)
            with engine.reading(self._engine) as connection:
                row = connection.execute(select(ENTRIES).where(ENTRIES.c.seq == 1)).first()
        except (SQLAlchemyError, OSError) as error:
            raise self._told(error, False) from None
        if row is not None and row.previous != chain.first(self.city):
            raise PhareError(
                "ce registre est celui d'une autre ville",
                self.where,
                "donner à chaque ville sa propre base",
            )

    def _enter(self, connection: Connection, draft: Draft) -> Entry:
        with_key = connection.execute(select(ENTRIES).where(ENTRIES.c.key == draft.key))
        known = self._entries([dict(row) for row in with_key.mappings()])
        if known and known[0].draft != draft:
            raise PhareError(
                f"la clé de cette inscription est celle de l'inscription {known[0].seq}",
                self.where,
                "faire une nouvelle inscription, avec sa propre clé",
            )
        if known:
            return known[0]
        last = self._whole(connection) or chain.Link(0, chain.first(self.city), "")
        # A server whose clock went back does not make an entry older than the one before.
        at = max(engine.now(connection), last.at)
        before = self._entries(_rows(connection, _bears_on(draft)))
        rules.check(draft, before, self.themes, dt.date.fromisoformat(at[:10]))
        row = chain.row_of(draft, last.seq + 1, at, last.hash)
        connection.execute(ENTRIES.insert(), row)
        if _rows(connection, ENTRIES.c.seq == row["seq"]) != [row]:
            raise PhareError(
                "la base n'a pas gardé l'inscription telle quelle, rien n'a été inscrit",
                self.where,
                self._see(),
            )
        return chain.entry_of(row)

    def _whole(self, connection: Connection) -> chain.Link | None:
        """Return what the next entry follows, of a register that has any; PhareError at a fault."""
        seen, now = self._seen, engine.now(connection)
        rows = _rows(connection, true() if seen is None else ENTRIES.c.seq >= seen.seq)
        found = engine.unguarded(connection)
        if seen is not None:
            if not rows or chain.link_of(rows[0]) != seen:
                found.append(f"inscription {seen.seq} : ôtée ou changée depuis qu'elle a été lue")
            rows = rows[1:]
        found += chain.faults(self.city, rows, now, seen)
        if found:
            raise PhareError(
                f"le registre n'est plus entier, rien n'a été inscrit : {snapshot.few(found)}",
                self.where,
                self._see(),
            )
        return chain.link_of(rows[-1]) if rows else seen

    def _see(self) -> str:
        return f"voir tout : `make register-check CITY={self.city}`"

    def _entries(self, rows: list[Row]) -> list[Entry]:
        try:
            return [chain.read(row) for row in rows]
        except ValueError:
            raise PhareError(
                "une inscription n'est pas telle que le registre l'a écrite",
                self.where,
                self._see(),
            ) from None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise self._told(error, False) from None

    def _told(self, error: Exception, entered: bool | None) -> PhareError:
        if isinstance(error, OSError):
            return Unreachable("son fichier ou son dossier ne s'ouvre pas", self.where, entered)
        code = engine.code_of(error) if isinstance(error, DBAPIError) else ""
        return Unreachable(SAID.get(code, "connexion perdue ou refusée"), self.where, entered)


def _rows(connection: Connection, which: ColumnElement[bool]) -> list[Row]:
    query = select(ENTRIES).where(which).order_by(ENTRIES.c.seq)
    return [dict(row) for row in connection.execute(query).mappings()]


def _last(connection: Connection, count: int) -> list[Row]:
    query = select(ENTRIES).order_by(ENTRIES.c.seq.desc()).limit(count)
    found: list[Row] = [dict(row) for row in connection.execute(query).mappings()]
    return found[::-1]


def _bears_on(draft: Draft) -> ColumnElement[bool]:
    """Return which entries the rules look at: those on the subject, and on problems for theirs."""
    if draft.payload.kind in rules.GOVERNED:
        return ENTRIES.c.kind.in_(rules.GOVERNED)
    return ENTRIES.c.subject == draft.subject


def open_register(root: Path, pack: Path) -> Register:
    """Open the register of the city whose pack is given, in the workspace `root`.

    It is made now if there is none. PhareError where its store cannot be reached, is another
    city's, is of a later Phare, or was emptied.
    """
    city = City(pack)
    url = settings.address(root, pack, city.about.name)
    where = (
        f"{settings.FOLDER}/{city.about.name}.sqlite"
        if url.get_backend_name() == "sqlite"
        else f"{pack.name}/{settings.FILE}"
    )
    found = Register(city.about.name, tuple(city.themes), engine.make(url), where)
    found.ready()
    delivered = pack / INBOX / snapshot.FILE
    if delivered.is_file() and not found.last(1):
        raise PhareError(
            f"le registre n'a aucune inscription, et l'instantané {snapshot.FILE} de la ville en a",
            where,
            "reprendre sa dernière sauvegarde ; pour en commencer un autre, ôter cet instantané",
        )
    return found


def at_hand(root: Path, pack: Path) -> bool:
    """Tell whether the city's register can be asked from here, without making one."""
    url = settings.address(root, pack, City(pack).about.name)
    if url.get_backend_name() == "postgresql":
        return True
    path = Path(str(url.database))
    return path.exists() or path.with_suffix(".lock").exists()
