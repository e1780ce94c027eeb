"""Which edition of its contract a file received keeps to: the one whose columns are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.collect import wide
from helpers.connect import open_file
from helpers.connect.reading import Reading
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import Contract, Edition


@dataclass(frozen=True)
class Delivered:
    """One file as received, how it may be called, and the edition of the contract it keeps to."""

    path: Path
    shown: str
    edition: Edition
    reading: Reading
    offered: list[str]  # the columns of the file itself
    cells: list[str]  # those of a wide file, which became rows


def recognise(contract: Contract, path: Path, shown: str) -> Delivered:
    """Open the file with the edition of the contract that it fits.

    Its required columns are all there, and those that make an observation. Of several editions,
    that which finds the most of its other columns; then the first. Messages call the file `shown`.
    """
    tried: list[tuple[Edition, list[str]]] = []
    refusals: list[PhareError] = []
    fitting: list[tuple[int, Delivered]] = []
    for edition in contract.every_edition():
        columns = contract.columns(edition)
        try:
            reading, offered, cells = _opened(contract, edition, path)
        except PhareError as error:
            refusals.append(error)
            continue
        absent = _absent(contract, edition, reading.columns)
        tried.append((edition, absent))
        if not absent:
            found = len(set(columns.values()) & set(reading.columns))
            fitting.append((found, Delivered(path, shown, edition, reading, offered, cells)))
    if fitting:
        return max(fitting, key=lambda one: one[0])[1]  # the first of the greatest
    if not tried:
        raise redact.placed(refusals[0], place_of(contract, shown))
    edition, absent = min(tried, key=lambda one: len(one[1]))
    raise PhareError(
        f"colonne absente : {redact.known(absent, contract.columns(edition).values())}",
        place_of(contract, shown) + (f", édition {edition.version}" if contract.editions else ""),
        "vérifier le fichier livré, ou corriger le contrat : le nom qu'a choisi l'éditeur "
        "(`column`), ou une édition qui dit ce champ `absent`",
    )


def _opened(
    contract: Contract, edition: Edition, path: Path
) -> tuple[Reading, list[str], list[str]]:
    """Return the file as the edition reads it, the columns that it offers, those made rows."""
    columns, shapes = set(contract.columns(edition).values()), contract.kind == "division"
    reading = open_file(edition.file, path, columns, shapes=shapes)
    if edition.unpivot is None:
        return reading, reading.columns, []
    offered, cells = reading.columns, wide.wide_columns(contract, edition, reading.columns)
    whole = open_file(edition.file, path, {*columns, *cells})
    return wide.unpivoted(contract, edition, whole, cells), offered, cells


def place_of(contract: Contract, shown: str) -> str:
    """Return where an error in the file called `shown` happens."""
    return f"{shown}, source « {contract.source} »"


def _absent(contract: Contract, edition: Edition, offered: Sequence[str]) -> list[str]:
    observed = contract.observed_fields()
    return [
        column
        for name, column in contract.columns(edition).items()
        if (contract.fields[name].required or name in observed)
        and column not in offered
        and not column.startswith("@")
    ]
