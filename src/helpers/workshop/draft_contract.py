"""A first draft of a contract, from the columns of a file: what a person then reads and corrects.

Numbers, dates and short lists of codes are proposed as fields. Everything else is proposed as
refused: to let a text in is a decision, and a machine does not take it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from helpers.collect import persons
from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.base.store import literal, quote

CODES = 40  # distinct values at most: more is no list of codes
CODE_LENGTH = 60
REFUSED = "à décider : un texte peut désigner une personne"
DATES = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M",
         "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y")  # fmt: skip


def draft(name: str, title: str, file: Path) -> str:
    """Return the YAML of a contract (kind: context) for the CSV `file`; PhareError if unreadable.

    A source of facts then needs `kind: observations` and its `observation` block.
    """
    con = store.connect()
    try:
        sniffed = con.execute(
            f"SELECT Delimiter FROM sniff_csv({literal(file)}, all_varchar = true)"
        ).fetchall()[0][0]
        con.execute(
            f"CREATE TABLE sample AS SELECT * FROM read_csv({literal(file)}, delim = "
            f"{literal(sniffed)}, header = true, all_varchar = true) LIMIT 100000"
        )
    except duckdb.Error:
        raise PhareError(
            "fichier CSV illisible", f"fichier {file.name}", "partir du modèle, sans FILE="
        ) from None
    columns = [row[0] for row in con.execute("DESCRIBE sample").fetchall()]
    rules = {column: _rule(con, column) for column in columns}
    todo = "À compléter"
    contract: dict[str, Any] = {
        "source": name,
        "title": title,
        "kind": "context",
        "version": "1",
        **dict.fromkeys(
            ("publisher", "licence", "attribution", "purpose", "legal_basis", "retention"), todo
        ),
        "file": {"format": "csv", "separator": sniffed},
        "timezone": "Europe/Paris",
        "fields": {column: rule for column, rule in rules.items() if rule},
        "refused": {column: REFUSED for column, rule in rules.items() if not rule},
    }
    head = (
        f"# Ébauche d'après les colonnes de {file.name} : à relire champ par champ.\n"
        "# Une source de faits : kind: observations, puis le bloc observation (voir templates/).\n"
    )
    return head + yaml.safe_dump(contract, allow_unicode=True, sort_keys=False, width=100)


def _rule(con: duckdb.DuckDBPyConnection, column: str) -> dict[str, Any] | None:
    """Return the field's rule where its values are numbers, dates or codes; else None."""
    text = f"nullif(trim({quote(column)}), '')"

    def all_are(value: str) -> bool:
        return bool(
            con.execute(
                f"SELECT count({text}) > 0 AND count({text}) = count({value}) FROM sample"
            ).fetchall()[0][0]
        )

    if all_are(f"TRY_CAST(regexp_extract({text}, '^[+-]?[0-9]{{1,8}}$') AS BIGINT)"):
        return {"type": "int", "label": column}
    if all_are(f"TRY_CAST(regexp_extract({text}, '^[+-]?[0-9]*[.][0-9]+$') AS DOUBLE)"):
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
