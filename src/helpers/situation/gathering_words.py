"""Gatherings that nothing announces, in words; names of places go through `plain`."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, plural
from helpers.core.base.markup import plain
from helpers.situation import gatherings

Row = dict[str, Any]
WATCHED = 10  # counts to look at told one by one
UNTOLD = {
    gatherings.ZEROS: "En panne, zéros qui n'en sont pas",
    gatherings.MUTE: "Muets, et non vides",
    gatherings.TOTALS: "Envoie son total, non les passages",
    gatherings.MOVED: "Compteur changé ce jour-là",
    gatherings.TOO_FEW_WEEKS: "Trop peu de semaines comparables",
}


def gathered(table: pa.Table) -> str:
    """Return, as Markdown, the counters far above their usual where nothing is announced."""
    rows = table.to_pylist()
    if not rows:
        return "Aucun compteur de piétons : la ville n'en déclare pas."
    found, look = gatherings.lit(table), gatherings.to_watch(table)
    tested = sum(row["status"] == "ok" for row in rows)
    head = f"**{plural(len(found), 'alerte') if found else 'Aucune alerte'}**"
    promise = (
        f"{plural(tested, 'comparaison')} de plus, de compteur et de créneau, jugées avec celles "
        "des thèmes : le même budget de fausses alertes les tient toutes"
    )
    lines = [_gathering(row) for row in found]
    if look:
        lines += ["", "À regarder, sans alerte :", "", *(_gathering(row) for row in look[:WATCHED])]
    return "\n".join([f"{head} ({promise}).", *(["", *lines] if lines else []), "", _untold(rows)])


def _gathering(row: Row) -> str:
    return (
        f"- **{plain(row['name'])}**, de {hour_range(row)} : {plural(row['n'], 'passage')}, "
        f"{number(row['expected'])} attendus (de {number(row['low'])} à {number(row['high'])}). "
        "Aucun événement ni arrêté connu pour ce lieu et cette heure : à vérifier sur place."
    )


def hour_range(row: Row) -> str:
    """Return the hours of a row of `gatherings`, as read: « 15 h à 18 h »."""
    return f"{row['hour']} h à {row['hour'] + row['hours']} h"


def _untold(rows: list[Row]) -> str:
    """Return where nothing is said, and why; what an event explains apart."""
    known = sorted({plain(row["name"]) for row in rows if row["reason"] == gatherings.KNOWN})
    lines = []
    if known:
        lines.append(f"Expliqués par un événement ou un arrêté, et non jugés : {', '.join(known)}.")
    for reason, said in UNTOLD.items():
        names = sorted({plain(row["name"]) for row in rows if row["reason"] == reason})
        if names:
            lines.append(f"{said} : {', '.join(names)}.")
    return "\n\n".join(lines) or "Tous les compteurs parlent, et rien n'était annoncé près d'eux."
