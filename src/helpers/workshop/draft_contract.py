"""A first draft of a contract, from the columns of a file: what a person then reads and corrects.

Numbers, moments, places, short lists of codes and identifiers (hashed) are proposed as fields.
Everything else is proposed as refused: to let a text in is a decision, and a machine does not take
it. The draft copies no name of column that is not made of ordinary words, no text of a cell but
such codes, and not the file's name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml
from charset_normalizer import from_bytes

from helpers.connect import bytes as connect_bytes
from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.base.french import plural
from helpers.core.base.store import literal
from helpers.core.base.workspace import scratch
from helpers.core.city.key import Key
from helpers.workshop.draft_rules import MARKS, NAME, PERSON, Column, Proposed, doubted, propose
from helpers.workshop.ordinary import is_ordinary

START_BYTES, TOLD_BYTES = 32_000_000, 500_000
ROWS = 100_000
SEPARATORS = (",", ";", "\t", "|")
# What French tools write. Left to choose among all, a few words of French pass for cp1250.
ENCODINGS = ("cp1252", "mac_roman", "utf_16")
GIVEN = "le fichier donné par FILE="
VALUE = re.compile(r"[+-]?[0-9][0-9 .,:/T+-]*")  # a number or a moment: no column is called so
SINCE = 2000  # a contract's first year, if it does not say


@dataclass(frozen=True)
class Draft:
    """The YAML of a contract, and what to tell of it: fields, columns refused, and of these those
    called by their position."""

    text: str
    fields: int
    refused: int
    unnamed: tuple[int, ...]

    @property
    def told(self) -> str:
        """One or two lines on what was proposed."""
        fields, refused = plural(self.fields, "champ proposé"), plural(self.refused, "colonne")
        lines = f"Ébauche : {fields}, {refused} en refus."
        if self.unnamed:
            shown = " ".join(map(str, self.unnamed))
            lines += (
                f"\n  Nommées par leur position seulement : {shown}. Si leur nom, dans le fichier, "
                f'ne désigne\n  personne, recommencer avec COLUMNS="{shown}" FORCE=1.'
            )
        return lines


def draft(name: str, title: str, file: Path, key: Key, vouched_for: Collection[int] = ()) -> Draft:
    """Draft the contract (kind: context) of the CSV `file`; PhareError if unreadable.

    Encoding, separator and decimal mark are proposed too, from the file's beginning. A source of
    facts then needs `kind: observations` and its `observation` block. `vouched_for`: the positions
    (1 is the first) of columns whose names a person says to be nobody's; `key` hashes the others.
    """
    start = _start(file)
    encoding = _encoding(start)
    con = store.connect()
    with scratch() as folder:
        (folder / "start.csv").write_bytes(start.decode(encoding, "replace").encode())
        separator = _load(con, folder / "start.csv")
    names = _header(con, vouched_for)
    twice = {one for one, n in Counter(names).items() if n > 1}
    fields: dict[str, Proposed] = {}
    refused: dict[str, str] = {}
    unnamed = []
    for position, (place, column) in enumerate(zip(_places(con), names, strict=True), start=1):
        known = is_ordinary(column) or position in vouched_for
        if not known or column in twice or doubted(column):
            unnamed.append(position)
            shown = f"colonne {position} ({key.hash(column)})" if column else f"colonne {position}"
            refused[shown] = NAME.format(position=position) if not known else PERSON
            continue
        proposed = propose(Column(con, place, column), name)
        if proposed.rule:
            fields[column] = proposed
        else:
            refused[column] = proposed.refused
    con.close()
    comma = _one_mark(fields, refused)
    layout = {
        "format": "csv",
        **({} if encoding == "utf_8" else {"encoding": encoding}),
        "separator": separator,
        **({"decimal": ","} if comma else {}),
    }
    return Draft(_yaml(name, title, layout, fields, refused), len(fields), len(refused),
                 tuple(unnamed))  # fmt: skip


def _one_mark(fields: dict[str, Proposed], refused: dict[str, str]) -> bool:
    """Return whether the file's decimal mark is a comma; of two marks, commas are refused."""
    marks = {one.comma for one in fields.values() if one.comma is not None}
    if len(marks) > 1:
        for column in [column for column, one in fields.items() if one.comma]:
            del fields[column]
            refused[column] = MARKS
    return marks == {True}


def _yaml(
    name: str,
    title: str,
    layout: dict[str, str],
    fields: dict[str, Proposed],
    refused: dict[str, str],
) -> str:
    todo = "À compléter"
    years = [year for one in fields.values() if one.years for year in one.years]
    contract: dict[str, Any] = {
        "source": name,
        "title": title,
        "kind": "context",
        "version": "1",
        **dict.fromkeys(
            ("publisher", "licence", "attribution", "purpose", "legal_basis", "retention"), todo
        ),
        "file": layout,
        "timezone": "Europe/Paris",
        **({"since": min(years)} if years and min(years) < SINCE else {}),
        "fields": {column: one.rule for column, one in fields.items()},
        "refused": refused,
    }
    head = (
        "# Ébauche d'après un fichier : à relire champ par champ (bornes, années, codes).\n"
        "# Une source de faits : kind: observations, puis le bloc observation (voir templates/).\n"
        "# Les codes vus une seule fois n'y sont pas : `make codes` les montre.\n"
    )
    return head + yaml.safe_dump(contract, allow_unicode=True, sort_keys=False, width=100)


def _start(file: Path) -> bytes:
    """Return the beginning of the file, unpacked, up to the end of a line."""
    held = b""
    try:
        connect_bytes.check(file.resolve())
        with closing(connect_bytes.chunks(file)) as pieces:
            for piece in pieces:
                held += piece
                if len(held) > START_BYTES:
                    return held[: held.rfind(b"\n") + 1]
    except (PhareError, OSError) as error:  # both name the file, whose name may be somebody's
        what = error.what if isinstance(error, PhareError) else "fichier illisible"
        raise PhareError(what, GIVEN, "donner le chemin d'un fichier CSV, lisible") from None
    return held


def _encoding(start: bytes) -> str:
    """Return the encoding to propose; the door obeys the contract, but for UTF-8's mark."""
    if connect_bytes.is_utf8(start):
        return "utf_8"
    best = from_bytes(start[:TOLD_BYTES], cp_isolation=list(ENCODINGS)).best()
    return best.encoding if best else ENCODINGS[0]


def _load(con: duckdb.DuckDBPyConnection, text: Path) -> str:
    """Make table `sample` of the file's first rows, all of it text, `header` of its first line.

    Return the separator, that of the header: a comma among digits may be a decimal mark.
    """
    first = text.open(encoding="utf-8").readline()
    bare = re.sub('"[^"]*"', "", first)
    separator = max(SEPARATORS, key=bare.count)
    read = (
        f"read_csv({literal(text)}, delim = {literal(separator)}, quote = '\"', escape = '\"', "
        "header = false, skip = 0, all_varchar = true)"
    )
    try:
        con.execute(f"CREATE TABLE sample AS SELECT * FROM {read} LIMIT {ROWS + 1}")
        con.execute("CREATE TABLE header AS SELECT * FROM sample LIMIT 1")
        con.execute("DELETE FROM sample WHERE rowid = 0")
        rows = con.execute("SELECT count(*) FROM sample").fetchall()[0][0]
    except duckdb.Error:
        raise PhareError("fichier CSV illisible", GIVEN, "partir du modèle, sans FILE=") from None
    if not first.strip() or not rows:
        raise PhareError("fichier sans aucune ligne", GIVEN, "en donner un rempli")
    return separator


def _places(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in con.execute("DESCRIBE sample").fetchall()]


def _header(con: duckdb.DuckDBPyConnection, vouched_for: Collection[int]) -> list[str]:
    """Return the names of the columns; PhareError where the first line names none."""
    names = [cell or "" for cell in con.execute("SELECT * FROM header").fetchall()[0]]
    names = [name.removeprefix("\ufeff") for name in names]
    values = any(VALUE.fullmatch(name.strip()) for name in names)
    if values or not (vouched_for or any(is_ordinary(name) for name in names)):
        raise PhareError(
            "la première ligne ne semble pas nommer les colonnes, mais dire déjà des données",
            GIVEN,
            "y ajouter une première ligne de noms de colonnes (date, nature, quartier…), puis "
            "recommencer ; si elle les nomme bien, donner leurs positions : "
            'COLUMNS="1 2 3"',
        )
    return names
