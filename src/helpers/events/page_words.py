"""The page of one event, told in French, and the texts for residents, panels and partners."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

from helpers.core.base.french import number, plural, spoken
from helpers.core.base.markup import plain
from helpers.events import early_words, slot_words
from helpers.events.plan import Tables
from helpers.events.slot_words import Row, between, clock, spread
from helpers.events.words import (
    REASONS,
    Names,
    by_event,
    called,
    clashes,
    crowd,
    in_need,
    measures,
    similar_ones,
    until,
    when,
)  # fmt: skip


def page(tables: Tables, names: Names, event: str, panel_length: int) -> dict[str, str]:
    """Return the parts of an event's briefing, as Markdown; `panel` within so many characters."""
    row = by_event(tables, "calendar")[event]
    mine = {name: [r for r in table.to_pylist() if r.get("event") == event]
            for name, table in tables.items()}  # fmt: skip
    own: Tables = {
        name: table if name == "calendar" else table.filter(_of(table, event))
        for name, table in tables.items()
    }
    about = names.city.about
    needed = sentence(in_need(mine["sizing"][0], mine["shifts"]))
    return {
        "title": called(row, names),
        "notice": f"{plain(about.title)}{' : données simulées' if about.simulated else ''}. "
                  "Quantités supposées, modifiables dans events.yaml ; rien ici ne décrit des "
                  "personnes.",
        "answer": f"{sentence(crowd(row))}. {needed}. "
                  f"{early_words.of_event(tables['early'].to_pylist(), event, names)}".strip(),
        "shifts": _shifts(mine["shifts"], names),
        "outlook": outlook(mine["foreseen"][0]),
        "clashes": clashes(own, names),
        "measures": measures(own, names, alone=True),
        "similar": similar_ones(mine["similar"], names),
        "residents": residents(row, mine, names),
        "panel": plain(panel(row, names, panel_length)),
        "partners": partners(row, mine, names),
        "footer": f"Étape `events`, au {spoken(about.period.end)}. La même fiche existe en PDF, à "
                  "côté de cette page.",
    }  # fmt: skip


def foot(title: str, day: dt.date) -> str:
    """Return what every sheet of the PDF says at its foot."""
    return f"{title}, étape events, au {spoken(day)}"


def sentence(text: str) -> str:
    """Return a text with its first letter large, the rest as it is."""
    return text[:1].upper() + text[1:]


def _of(table: pa.Table, event: str) -> pa.Array:
    """Return which rows of a table are of an event; those of classes are of none."""
    if "event" not in table.column_names:
        return pa.array([False] * table.num_rows, pa.bool_())
    return pa.array([one == event for one in table.column("event").to_pylist()], pa.bool_())


def _shifts(rows: list[Row], names: Names) -> str:
    slots = names.city.about.slots
    lines = []
    for row in sorted(rows, key=lambda one: one["from_at"]):
        given = row["officers_low"], row["officers_high"]
        wanted = row["wanted_low"], row["wanted_high"]
        lack = f" ; **{slot_words.lacking(given, wanted)}**" if row["short"] else ""
        there = "" if row["there"] is None else f", {number(row['there'])} au plus peuvent venir"
        lines.append(
            f"- {slots[row['slot']].title}, de {clock(row['from_at'])} à {clock(row['to_at'])} : "
            f"{between(row['officers_low'], row['officers_high'], 'agent')} (d'après les "
            f"hypothèses : {spread(row['wanted_low'], row['wanted_high'])}{there})"
            f"{lack}."
        )
    return "\n".join(lines) or "Abstention : voir plus haut."


def outlook(row: Row) -> str:
    """Return the facts expected around an event, from a row of `foreseen`."""
    if row["status"] != "ok":
        return f"Abstention : {REASONS[row['reason']]}."
    ends = f"{number(row['count_low'])} à {plural(row['count_high'], 'fait')}"
    sure = row["low"] > 0 or row["high"] < 0
    told = f"{number(row['excess'], 1)} de plus que sans événement" if sure else (
        "aucun excès établi")  # fmt: skip
    return (
        f"{ends} autour de l'événement et sur le chemin de la foule, des heures qui le précèdent à "
        f"celles qui le suivent ({number(row['usual'], 1)} d'ordinaire aux mêmes heures) : "
        f"{told} (entre {number(row['low'], 1)} et {number(row['high'], 1)}). L'heure la plus "
        f"chargée : {when(row['peak_at'])}."
    )


def residents(row: Row, mine: dict[str, list[Row]], names: Names) -> str:
    """Return what those who live there are told."""
    closed = "stationnement ou circulation peuvent être limités" if row["orders"] else (
        "aucun arrêté n'est signé à ce jour")  # fmt: skip
    start, setup = row["start_at"], row["setup_at"]
    since = clock(setup) if setup.date() == start.date() else f"le {when(setup)}"
    around = [f"Montage dès {since}"] if setup != start else []  # the same: nobody told
    if row["teardown_at"] != row["end_at"]:
        around.append(f"démontage jusqu'{until(start, row['teardown_at'])}")
    told = f"{sentence(', '.join(around))}. " if around else ""
    return (
        f"Un événement a lieu près de chez vous : {called(row, names)}, "
        f"jusqu'{until(start, row['end_at'])}. {told}À proximité, {closed}. En cas de gêne, "
        "signalez-la au service de tranquillité publique."
    )


def panel(row: Row, names: Names, length: int) -> str:
    """Return the message of a road panel, within `length` characters: whole words only."""
    start = row["start_at"]
    place = names.zone(row["zone"])
    for text in (
        f"{start:%d/%m} {clock(start)}-{clock(row['end_at'])} {names.kind(row['kind'])} {place} "
        "accès difficile, évitez le secteur",
        f"{start:%d/%m} {clock(start)} {place} accès difficile",
        f"{start:%d/%m} {place}",
    ):
        if len(text) <= length:
            return text
    return f"{start:%d/%m} accès difficile"


def partners(row: Row, mine: dict[str, list[Row]], names: Names) -> str:
    """Return what partners are told: what, when, how many, what is lacking, who owes what."""
    owed = sorted({r["owner"] for r in mine["checklist"] if r["state"] != "taken"})
    waited = f" Attendus : {', '.join(plain(one) for one in owed)}." if owed else ""
    end = until(row["start_at"], row["end_at"])
    return (
        f"{called(row, names)}, jusqu'{end}. {sentence(crowd(row))}. "
        f"{sentence(in_need(mine['sizing'][0], mine['shifts']))}.{waited}"
    )
