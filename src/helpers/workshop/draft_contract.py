"""A first draft of a contract, from the columns of a file: what a person then reads and corrects.

Numbers, dates and short lists of codes are proposed as fields. Everything else is proposed as
refused: to let a text in is a decision, and a machine does not take it.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml
from charset_normalizer import from_bytes

from helpers.collect import persons
from helpers.connect import bytes as connect_bytes
from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.base.store import literal, quote
from helpers.core.base.workspace import scratch

CODES = 40  # distinct values at most: more is no list of codes
CODE_LENGTH = 60
START_BYTES, TOLD_BYTES = 32_000_000, 500_000
SEPARATORS = (",", ";", "\t", "|")
# What French tools write. Left to choose among all, a few words of French pass for cp1250.
ENCODINGS = ("cp1252", "mac_roman", "utf_16")
POINT, COMMA = r"[0-9]*[.][0-9]+", r"[0-9]*,[0-9]+"
REFUSED = "à décider : un texte peut désigner une personne"
DATES = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M",
         "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y")  # fmt: skip


def draft(name: str, title: str, file: Path) -> str:
    """Return the YAML of a contract (kind: context) for the CSV `file`; PhareError if unreadable.

    Encoding, separator and decimal mark are proposed too, from the file's beginning. A source of
    facts then needs `kind: observations` and its `observation` block.
    """
    start = _start(file)
    encoding = _encoding(start)
    con = store.connect()
    with scratch() as folder:
        (folder / "start.csv").write_bytes(start.decode(encoding, "replace").encode())
        separator = _load(con, folder / "start.csv", file.name)
    columns = [row[0] for row in con.execute("DESCRIBE sample").fetchall()]
    rules = {column: _rule(con, column) for column in columns}
    floats = [column for column, rule in rules.items() if rule and rule["type"] == "float"]
    commas = [column for column in floats if _all_match(con, column, f"^[+-]?{COMMA}$")]
    if commas != floats:  # two marks in one file: the contract has one
        rules |= dict.fromkeys(commas)
        commas = []
    layout = {
        "format": "csv",
        **({} if encoding == "utf_8" else {"encoding": encoding}),
        "separator": separator,
        **({"decimal": ","} if commas else {}),
    }
    todo = "À compléter"
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
        "fields": {column: rule for column, rule in rules.items() if rule},
        "refused": {column: REFUSED for column, rule in rules.items() if not rule},
    }
    head = (
        f"# Ébauche d'après les colonnes de {file.name} : à relire champ par champ.\n"
        "# Une source de faits : kind: observations, puis le bloc observation (voir templates/).\n"
    )
    return head + yaml.safe_dump(contract, allow_unicode=True, sort_keys=False, width=100)


def _start(file: Path) -> bytes:
    """Return the beginning of the file, unpacked, up to the end of a line."""
    held = b""
    with closing(connect_bytes.chunks(file)) as pieces:
        for piece in pieces:
            held += piece
            if len(held) > START_BYTES:
                return held[: held.rfind(b"\n") + 1]
    return held


def _encoding(start: bytes) -> str:
    """Return the encoding to propose; the door obeys the contract, but for UTF-8's mark."""
    if connect_bytes.is_utf8(start):
        return "utf_8"
    best = from_bytes(start[:TOLD_BYTES], cp_isolation=list(ENCODINGS)).best()
    return best.encoding if best else ENCODINGS[0]


def _load(con: duckdb.DuckDBPyConnection, text: Path, shown: str) -> str:
    """Make table `sample` of the file's first rows, all of it text; return its separator.

    That of the header: a comma among digits may be a decimal mark.
    """
    header = text.open(encoding="utf-8").readline()
    separator = max(SEPARATORS, key=header.count)
    try:
        con.execute(
            f"CREATE TABLE sample AS SELECT * FROM read_csv({literal(text)}, delim = "
            f"{literal(separator)}, header = true, all_varchar = true) LIMIT 100000"
        )
        rows = con.execute("SELECT count(*) FROM sample").fetchall()[0][0]
    except duckdb.Error:
        raise PhareError(
            "fichier CSV illisible", f"fichier {shown}", "partir du modèle, sans FILE="
        ) from None
    if not header.strip() or not rows:
        raise PhareError("fichier sans aucune ligne", f"fichier {shown}", "en donner un rempli")
    return separator


def _all_match(con: duckdb.DuckDBPyConnection, column: str, pattern: str) -> bool:
    """Tell whether every value of the column matches; not so without a value."""
    text = f"nullif(trim({quote(column)}), '')"
    query = f"SELECT count({text}) > 0 AND bool_and(regexp_matches({text}, ?)) FROM sample"
    return bool(con.execute(query, [pattern]).fetchall()[0][0])


def _rule(con: duckdb.DuckDBPyConnection, column: str) -> dict[str, Any] | None:
    """Return the field's rule where its values are numbers, dates or codes; else None."""
    text = f"nullif(trim({quote(column)}), '')"

    def all_are(value: str) -> bool:
        return bool(
            con.execute(
                f"SELECT count({text}) > 0 AND count({text}) = count({value}) FROM sample"
            ).fetchall()[0][0]
        )

    if _all_match(con, column, "^[+-]?[0-9]{1,8}$"):
        leading = con.execute(f"SELECT count({text}) FROM sample WHERE {text} ~ '[+-]?0[0-9]+'")
        return {"type": "str" if leading.fetchall()[0][0] else "int", "label": column}
    if _all_match(con, column, f"^[+-]?({COMMA}|{POINT})$"):
        return {"type": "float", "label": column}
    for form in DATES:
        if all_are(f"try_strptime({text}, {literal(form)})"):
            kind = "timestamp" if "%H" in form else "date"
            return {"type": kind, "format": form, "label": column}
    codes = [
        row[0]
        for row in con.execute(
            f"SELECT {text} AS code FROM sample WHERE code IS NOT NULL GROUP BY 1 ORDER BY 1 "
            f"LIMIT {CODES + 1}"
        ).fetchall()
    ]
    if not codes or len(codes) > CODES or max(map(len, codes)) > CODE_LENGTH:
        return None
    rows = con.execute(f"SELECT count({text}) FROM sample").fetchall()[0][0]
    if rows < 5 * len(codes) or persons.screen(pa.array(codes, pa.string())).null_count < len(
        codes
    ):
        return None
    return {"type": "enum", "values": codes, "label": column}
