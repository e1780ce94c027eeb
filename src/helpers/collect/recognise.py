"""Which edition of its contract a file received keeps to: the one whose columns are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from helpers.collect import headers, wide
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
    otherwise: list[str] = field(default_factory=list)  # those that the file writes otherwise

    def absent(self, contract: Contract) -> dict[str, int]:
        """Return field → place of the header nearest to its column, which the file does not have.

        The place is 0 where no header is near. What the edition says to be absent is not told.
        """
        columns = contract.columns(self.edition)
        named = {*columns.values(), *contract.refused, *self.cells}
        return {
            name: headers.nearest(column, self.offered, named)
            for name, column in columns.items()
            if column not in self.reading.columns and not column.startswith("@")
        }


def recognise(contract: Contract, path: Path, shown: str) -> Delivered:
    """Open the file with the edition of the contract that it fits.

    Its required columns are all there, and those that make an observation. Of several editions,
    that which finds the most of its other columns, lacks the fewest, and finds the most of them as
    they are written; then the first. Messages call the file `shown`.
    """
    tried: list[tuple[Edition, list[str]]] = []
    refusals: dict[str, PhareError] = {}  # form → why it is not read in it
    fitting: list[tuple[tuple[int, int, int], Delivered]] = []
    for edition in contract.every_edition():
        columns = contract.columns(edition)
        try:
            one = _opened(contract, edition, path, shown)
        except PhareError as error:
            refusals.setdefault(edition.file.format, error)
            continue
        absent = _absent(contract, edition, one.reading.columns)
        tried.append((edition, absent))
        if not absent:
            wanted = {column for column in columns.values() if not column.startswith("@")}
            found = len(wanted & set(one.reading.columns))
            fitting.append(((found, found - len(wanted), -len(one.otherwise)), one))
    if fitting:
        return max(fitting, key=lambda fit: fit[0])[1]  # the first of the greatest
    if not tried:
        raise redact.placed(_in_no_form(refusals), place_of(contract, shown))
    edition, absent = min(tried, key=lambda one: len(one[1]))
    raise _lacking(contract, edition, absent, shown)


def insist(contract: Contract, edition: Edition, offered: Sequence[str], shown: str) -> None:
    """Raise PhareError where a column that facts depend on is not among those offered."""
    absent = _absent(contract, edition, offered)
    if absent:
        raise _lacking(contract, edition, absent, shown)


def _lacking(contract: Contract, edition: Edition, absent: list[str], shown: str) -> PhareError:
    columns = contract.columns(edition)
    fields = [f for f, column in columns.items() if column in absent and f != column]
    wanted = f" (champ {', '.join(fields)})" if fields else ""
    return PhareError(
        f"colonne absente : {redact.known(absent, columns.values())}{wanted}",
        place_of(contract, shown) + (f", édition {edition.version}" if contract.editions else ""),
        "vérifier le fichier livré, ou corriger le contrat : le nom qu'a choisi l'éditeur "
        "(`column`), ou une édition qui dit ce champ `absent`",
    )


def _in_no_form(refusals: Mapping[str, PhareError]) -> PhareError:
    """Return why a file cannot be read: in each form, where the editions have several."""
    first, *others = refusals.values()
    if not others:
        return first
    told = " ; ".join(f"lu comme {form} : {error.what}" for form, error in refusals.items())
    mended = " ; ou ".join(dict.fromkeys(error.todo for error in refusals.values()))
    return PhareError(told, redact.FILE, mended)


def _opened(contract: Contract, edition: Edition, path: Path, shown: str) -> Delivered:
    """Return the file as the edition reads it, its columns called as the contract writes them."""
    columns, shapes = set(contract.columns(edition).values()), contract.kind == "division"
    reading = open_file(edition.file, path, columns, shapes=shapes)
    cells = wide.wide_columns(contract, edition, reading.columns)
    wanted = columns - set(wide.made(contract, edition))
    other = headers.alike(wanted, reading.columns, {*contract.refused, *cells})
    if other:
        again = open_file(edition.file, path, {*columns, *other}, shapes=shapes)
        reading = headers.renamed(again, other)
    offered, otherwise = reading.columns, list(other.values())
    if edition.unpivot is not None:
        whole = headers.renamed(open_file(edition.file, path, {*columns, *other, *cells}), other)
        reading = wide.unpivoted(contract, edition, whole, cells)
    return Delivered(path, shown, edition, reading, offered, cells, otherwise)


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
