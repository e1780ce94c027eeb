"""A first draft of a contract, from the columns of a file: what a person then reads and corrects.

Numbers, moments, places, short lists of codes and identifiers (hashed) are proposed as fields.
Everything else is proposed as refused: to let a text in is a decision, and a machine does not take
it. The draft copies no name of column that is not made of ordinary words, no text of a cell but
such codes, and not the file's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml

from helpers.core.base import store
from helpers.core.base.french import plural
from helpers.core.city.contract import POINT
from helpers.core.city.key import Key
from helpers.workshop.draft_reading import read_sample
from helpers.workshop.draft_rules import MARKS, NAME, PERSON, Column, Proposed, doubted, propose
from helpers.workshop.ordinary import is_ordinary

SINCE = 2000  # a contract's first year, if it does not say


@dataclass(frozen=True)
class Draft:
    """The YAML of a contract, and what to tell of it: fields, columns refused, and of these those
    called by their position: `unnamed` until a person vouches for their names (as for those of
    `vouched_for`), `doubted` even so."""

    text: str
    fields: int
    refused: int
    unnamed: tuple[int, ...]
    form: str
    vouched_for: tuple[int, ...] = ()
    doubted: tuple[int, ...] = ()

    @property
    def told(self) -> str:
        """One or two lines on what was proposed."""
        fields, refused = plural(self.fields, "champ proposé"), plural(self.refused, "colonne")
        lines = f"Ébauche : {fields}, {refused} en refus."
        if self.unnamed:
            shown = " ".join(map(str, self.unnamed))
            # Those already vouched for stay so: the command makes the draft anew.
            again = " ".join(map(str, sorted({*self.unnamed, *self.vouched_for})))
            lines += (
                f"\n  Nommées par leur position seulement : {shown}. Si leur nom, dans le fichier, "
                f'ne désigne\n  personne, recommencer avec COLUMNS="{again}" FORCE=1.'
            )
        if self.doubted:
            shown = " ".join(map(str, self.doubted))
            lines += (
                f"\n  Nommées par leur position, même ainsi : {shown}. Leur nom ressemble à celui "
                "de quelqu'un. S'il ne\n  désigne personne, écrire leur champ à la main dans le "
                "contrat, ce nom sous `column`."
            )
        return lines


def draft(
    name: str,
    title: str,
    file: Path,
    key: Key,
    vouched_for: Collection[int] = (),
    timezone: str = "Europe/Paris",
) -> Draft:
    """Draft the contract (kind: context, or division for surfaces) of `file`, of any form read.

    PhareError if unreadable. Encoding, separator and decimal mark are proposed too, from the file's
    beginning; `timezone` is the city's. A source of facts then needs `kind: observations` and its
    `observation` block. `vouched_for`: the positions (1 is the first) of columns whose names a
    person says to be nobody's; `key` hashes the others.
    """
    con = store.connect()
    sample = read_sample(con, file, vouched_for)
    names = sample.names
    twice = {one for one, n in Counter(names).items() if n > 1}
    fields: dict[str, Proposed] = {}
    refused: dict[str, str] = {}
    unnamed: list[int] = []
    sure: list[int] = []  # vouched for, and yet doubted
    for position, (place, column) in enumerate(zip(sample.places, names, strict=True), start=1):
        usual = is_ordinary(column)  # made of words that are nobody's: no detector knows better
        known = usual or position in vouched_for
        if not known or column in twice or (doubted(column) and not usual):
            (sure if position in vouched_for and column not in twice else unnamed).append(position)
            shown = f"colonne {position} ({key.hash(column)})" if column else f"colonne {position}"
            refused[shown] = NAME.format(position=position) if not known else PERSON
            continue
        proposed = propose(Column(con, place, column), name)
        if proposed.rule:
            fields[column] = proposed
        else:
            refused[column] = proposed.refused
    if sample.points:
        _add_points(con, fields)
    con.close()
    layout = sample.layout | ({"decimal": ","} if _one_mark(fields, refused) else {})
    about = {"kind": "division" if sample.surfaces else "context", "timezone": timezone}
    text = _yaml(name, title, about, layout, fields, refused)
    return Draft(
        text, len(fields), len(refused), tuple(unnamed), layout["format"],
        tuple(sorted(vouched_for)), tuple(sure),
    )  # fmt: skip


def _add_points(con: duckdb.DuckDBPyConnection, fields: dict[str, Proposed]) -> None:
    """Propose the point of each row, where the file draws points, as two fields."""
    for place, field in zip(POINT, ("longitude", "latitude"), strict=True):
        proposed = propose(Column(con, place, field), "")
        if proposed.rule:
            free = field if field not in fields else f"{field}_du_point"
            fields[free] = Proposed({**proposed.rule, "column": place})


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
    about: dict[str, str],
    layout: dict[str, str],
    fields: dict[str, Proposed],
    refused: dict[str, str],
) -> str:
    todo = "À compléter"
    years = [year for one in fields.values() if one.years for year in one.years]
    contract: dict[str, Any] = {
        "source": name,
        "title": title,
        "kind": about["kind"],
        "version": "1",
        **dict.fromkeys(
            ("publisher", "licence", "attribution", "purpose", "legal_basis", "retention"), todo
        ),
        "file": layout,
        "timezone": about["timezone"],
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
