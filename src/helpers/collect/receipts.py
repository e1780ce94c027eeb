"""Receipts: what was received, what of it came in, and what did not, told without naming it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from helpers.core.city.contract import Contract, Edition
from helpers.core.city.names import LISTED

PERSON = "donnee_personnelle"  # reason code: donnee_personnelle:<what>:<field>


def of_source(
    contract: Contract, files: list[dict[str, Any]], order: str = LISTED
) -> dict[str, Any]:
    """Return the receipt of a source from those of its files, whose `order` is told by what."""
    return {
        "files": files,
        "order": order,
        "rows": sum(one["rows"] for one in files),
        "columns_kept": _union(files, "columns_kept"),
        "columns_refused": {c: contract.refused[c] for c in _union(files, "columns_refused")},
        "columns_not_named": _union(files, "columns_not_named"),
        "personal": _summed(files),
        "contract_version": contract.version,
        "publisher": contract.publisher,
        "licence": contract.licence,
        "attribution": contract.attribution,
    }


def personal(faults: Mapping[str, int]) -> dict[str, int]:
    """Return, of the faults counted, the values of persons met: `<what>:<field>` → how many."""
    start = f"{PERSON}:"
    return {
        fault.removeprefix(start): n
        for fault, n in sorted(faults.items())
        if fault.startswith(start)
    }


def columns_told(
    contract: Contract, edition: Edition, offered: Sequence[str], cells: Sequence[str] = ()
) -> dict[str, list[str]]:
    """Return which of the columns offered are kept, refused, or not named by the contract.

    These are told by their hash alone: `offered` is as `Gate.called` calls them. `cells` are the
    columns of a wide file that became rows.
    """
    permitted = {*contract.columns(edition).values(), *cells}
    return {
        "columns_kept": [c for c in offered if c in permitted],
        "columns_refused": [c for c in offered if c in contract.refused],
        "columns_not_named": [
            c for c in offered if c not in permitted and c not in contract.refused
        ],
    }


def _union(files: list[dict[str, Any]], key: str) -> list[str]:
    return list(dict.fromkeys(column for one in files for column in one[key]))


def _summed(files: list[dict[str, Any]]) -> dict[str, int]:
    reasons = sorted({reason for one in files for reason in one["personal"]})
    return {r: sum(one["personal"].get(r, 0) for one in files) for r in reasons}
