"""The days and months that did not come, in words: silences, closures, rows set aside here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from helpers.core.base.french import number, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.coverage import NOT_COVERED
from helpers.core.city.names import WHOLE
from helpers.reliability import in_part
from helpers.reliability.set_aside import SET_ASIDE

MOST_ZONES, MOST_NAMES = 6, 4  # silences of zones told, and zones named in one
DAYS_GONE = {
    ("nothing_received", "hardly_received"): "",
    (SET_ASIDE,): " dont les lignes sont venues et ont été écartées ici (source non muette)",
    (NOT_COVERED,): " que la source ne couvre pas, ou ne sait pas dater (contrat)",
}
MONTHS_GONE = {
    "nothing_received": "où rien n'est venu",
    "hardly_received": "où presque rien n'est venu, donc à tenir pour manquants",
    "not_covered": "hors de ce que la source couvre",
}


def silences(
    days: pa.Table, series: pa.Table, titles: dict[str, str], city: City, names: Mapping[str, str]
) -> str:
    """Return what was silent as Markdown: each source, then the zones silent on their own.

    `names`: code of a zone → its name.
    """
    lines = []
    for row in series.filter(pc.field("division") == WHOLE).to_pylist():
        source = row["source"]
        told = _missing_days(days, source)
        after = row["detectable_after_days"]
        soon = f"son silence se dit après {plural(after, 'jour')}" if after else "trop peu de faits"
        zones = series.filter((pc.field("source") == source) & (pc.field("division") != WHOLE))
        heard = zones.filter(pc.field("watched")).num_rows
        lines.append(f"- **{plain(titles[source])}** : {told} ; {soon} ; {_heard(heard, zones)}.")
    lines += _zone_silences(days, titles, city, names)
    return "\n".join(lines) or "Aucune source n'a de jours."


def _heard(heard: int, zones: pa.Table) -> str:
    """Return how many zones are listened to, and why the others are not."""
    if not heard:
        return f"aucune zone écoutée sur {zones.num_rows} : chacune apporte trop peu"
    others = ", les autres apportent trop peu" if heard < zones.num_rows else ""
    return f"{plural(heard, 'zone écoutée')} sur {zones.num_rows}{others}"


def _missing_days(days: pa.Table, source: str) -> str:
    """Return how many days of a source are missing, and why."""
    gone = days.filter(
        (pc.field("source") == source)
        & (pc.field("division") == WHOLE)
        & (pc.field("status") == "missing")
    ).to_pylist()
    told = []
    for reasons, why in DAYS_GONE.items():
        mine = [row["day"] for row in gone if row["reason"] in reasons]
        if mine:
            told.append(_span("jour manquant", mine, why))
    said = " ; ".join(told) or "aucun jour manquant"
    partly = sorted(in_part.days(days, source))
    if partly:
        said += f" ; {_span('jour', partly, ' peut-être à demi reçus')}"
    shut = [row["day"] for row in gone if row["reason"] == "closed"]
    return f"{said}, hors {_span('jour', shut)} (fermeture déclarée)" if shut else said


def _span(what: str, days: list[dt.date], why: str = "") -> str:
    first, last = min(days), max(days)
    said = f"{plural(len(days), what)}{why}"
    if (last - first).days + 1 > len(days):
        return f"{said}, entre le {spoken(first)} et le {spoken(last)}"
    when = f"le {spoken(first)}" if first == last else f"du {spoken(first)} au {spoken(last)}"
    return f"{said}, {when}"


def _zone_silences(
    days: pa.Table, titles: dict[str, str], city: City, names: Mapping[str, str]
) -> list[str]:
    """Return one line a silence of zones alone, the coarsest division first, the longest first.

    Zones of a division that were silent on the same days are told together.
    """
    runs: dict[tuple[str, str, str], list[dt.date]] = {}
    for row in days.filter(pc.field("division") != WHOLE).to_pylist():
        # What a contract does not cover is no silence, whoever spoke elsewhere.
        if row["status"] == "missing" and row["reason"] != NOT_COVERED:
            runs.setdefault((row["source"], row["division"], row["zone"]), []).append(row["day"])
    together: dict[tuple[str, str, tuple[dt.date, ...]], list[str]] = {}
    for (source, division, zone), gone in sorted(runs.items()):
        name = city.about.divisions[division].zones.get(zone) or names.get(zone, zone)
        together.setdefault((source, division, tuple(gone)), []).append(name)
    ranks = {name: (d.grouping_of is None, name) for name, d in city.about.divisions.items()}
    order = sorted(together, key=lambda key: (ranks[key[1]], -len(key[2]), key))
    lines = []
    for source, division, missed in order[:MOST_ZONES]:
        listed = together[source, division, missed]
        more = f" et {plural(len(listed) - MOST_NAMES, 'autre')}" if listed[MOST_NAMES:] else ""
        each = ", chacune" if len(listed) > 1 else ""
        lines.append(
            f"- **{plain(titles[source])}**, {plain(city.about.divisions[division].title)}, "
            f"{plain(', '.join(listed[:MOST_NAMES]))}{more} : "
            f"{_span('jour manquant', list(missed))}{each}, alors que la source parlait ailleurs."
        )
    if len(order) > MOST_ZONES:
        more = plural(len(order) - MOST_ZONES, "autre silence")
        lines.append(f"- {more} de zones : voir le tableau `days`.")
    return lines


def months(table: pa.Table, titles: dict[str, str]) -> str:
    """Return one Markdown line a source known by the month: its missing months, those not covered.

    Nothing where there is none.
    """
    lines = []
    for source in dict.fromkeys(table["source"].to_pylist()):
        rows = table.filter(pc.field("source") == source).to_pylist()
        told = [
            f"{number(len(mine))} {word} ({', '.join(month(row['month']) for row in mine[:3])}"
            f"{', …' if len(mine) > 3 else ''})"
            for reason, word in MONTHS_GONE.items()
            if (mine := [row for row in rows if row["reason"] == reason])
        ]
        lines.append(
            f"- **{plain(titles[source])}**, connue au mois seulement : "
            f"{number(len(rows))} mois, {' ; '.join(told) or 'tous reçus'}."
        )
    return "\n".join(lines)


def month(day: dt.date) -> str:
    """Return how a month is said: « mars 2024 »."""
    return spoken(day).split(" ", 1)[1]
