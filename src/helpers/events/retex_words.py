"""Plan against fact, told in French: what was expected of each past event, and what happened."""

from __future__ import annotations

from collections.abc import Iterable

from helpers.core.base.french import number, plural, spoken
from helpers.core.base.markup import plain
from helpers.events.slot_words import Row, between, spread
from helpers.events.words import Names

LISTED = 12
NONE = "Aucun événement passé à confronter."


def past(rows: Iterable[Row], names: Names, listed: int = LISTED) -> str:
    """Return one line an event, the last ones first: rows of `retex`."""
    every = sorted(rows, key=lambda row: (row["start_at"], row["event"]), reverse=True)
    lines = [f"- {_event(row, names)}." for row in every[:listed]]
    if rest := len(every) - listed:
        lines += [f"- et {plural(rest, 'événement')} de plus, dans la table."] if rest > 0 else []
    return "\n".join(lines) or NONE


def _event(row: Row, names: Names) -> str:
    head = (f"{spoken(row['start_at'].date())}, {plain(names.kind(row['kind']))}, "
            f"{plain(names.zone(row['zone']))}")  # fmt: skip
    parts = [_crowd(row), _officers(row), _facts(row), _measures(row)]
    if row["outcome"]:
        parts.append(plain(row["outcome"].replace("_", " ")))
    return f"{head} : {' ; '.join(part for part in parts if part)}"


def _crowd(row: Row) -> str:
    told = "affluence non annoncée" if row["expected"] is None else (
        f"{plural(row['expected'], 'personne attendue')}")  # fmt: skip
    seen = "affluence constatée non dite" if row["seen"] is None else (
        f"{number(row['seen'])} venue{'s' if row['seen'] >= 2 else ''}")  # fmt: skip
    return f"{told}, {seen}"


def _officers(row: Row) -> str:
    if row["sized_low"] is None:
        return ""
    return (f"{between(row['sized_low'], row['sized_high'], 'agent')} d'après l'annonce, "
            f"{spread(row['asked_low'], row['asked_high'])} d'après la foule venue")  # fmt: skip


def _facts(row: Row) -> str:
    counted = f"{number(row['n'])} compté{'s' if row['n'] >= 2 else ''}"
    if row["status"] != "ok":
        return f"faits : pas de prévision, {counted}"
    return f"{spread(row['low'], row['high'])} {'faits' if row['high'] >= 2 else 'fait'} prévu" + (
        f"{'s' if row['high'] >= 2 else ''}, {counted}"
    )


def _measures(row: Row) -> str:
    if not row["measures"]:
        return ""
    return f"{number(row['measures_taken'])} sur {plural(row['measures'], 'mesure')} prises"
