"""Formats of moments (strptime), as a contract may write them: each part is one that we read.

What a format would read otherwise than it is meant is refused when the contract loads: a week that
tells no day, an hour of twelve that does not tell its half, an instant counted in seconds.
"""

from __future__ import annotations

import itertools
import re

PART = re.compile("%-?[a-zA-Z]")
YEARS = ("%Y", "%y", "%G")
DAY_OF_WEEK = "%u"
# What tells each level, from the coarsest on: month, day, hour, minute (second, and less).
MONTHS = ("%m", "%-m", "%b", "%B")
OF_YEAR = ("%j", "%-j")
DAYS = ("%d", "%-d")
TWELVE = ("%I", "%-I")
HOURS = ("%H", "%-H", *TWELVE)
MINUTES, SECONDS, LESS = ("%M", "%-M"), ("%S", "%-S"), ("%f",)
NAMES = ("%a", "%A")  # of the day of the week: they add nothing
ISO_WEEK = ("%G", "%V", DAY_OF_WEEK)
KNOWN = {*YEARS, *MONTHS, *OF_YEAR, *DAYS, *HOURS, *MINUTES, *SECONDS, *LESS, *NAMES, *ISO_WEEK,
         "%p", "%z"}  # fmt: skip
DIGITS = KNOWN - {*NAMES, "%b", "%B", "%p", "%z"}
INSTEAD = {
    "%s": "les secondes comptées depuis 1970 ne sont pas lues : demander une date",
    "%T": "écrire %H:%M:%S", "%X": "écrire %H:%M:%S", "%R": "écrire %H:%M",
    "%D": "écrire %m/%d/%y", "%F": "écrire %Y-%m-%d", "%x": "écrire %Y-%m-%d",
    "%c": "écrire chaque partie", "%e": "écrire %-d", "%h": "écrire %b", "%Z": "écrire %z",
    "%W": "une semaine s'écrit %G-W%V-%u, avec son jour",
    "%U": "une semaine s'écrit %G-W%V-%u, avec son jour",
    "%w": "une semaine s'écrit %G-W%V-%u, avec son jour",
}  # fmt: skip


def parts(form: str) -> list[str]:
    """Return the parts of a format, in order."""
    return PART.findall(form)


def fault(form: str) -> str | None:
    """Return why a format would not be read as it is meant, with what to write; None else."""
    told = parts(form)
    unknown = next((part for part in told if part not in KNOWN), None)
    if unknown:
        return f"`format` : « {unknown} » n'est pas lu ; {INSTEAD.get(unknown, 'le remplacer')}"
    if not any(part in YEARS for part in told):
        return "`format` : sans année (%Y), aucun jour n'est connu"
    week = [part in told for part in ISO_WEEK]
    if any(week) and not all(week):
        return (
            "`format` : une semaine s'écrit %G-W%V-%u, avec le jour de la semaine ; d'une semaine "
            "seule, rien n'est compté : demander le jour, ou n'en garder que l'année (`extract`)"
        )
    if all(week) and any(part in (*MONTHS, *DAYS, *OF_YEAR) for part in told):
        return "`format` : une semaine (%G-W%V-%u) dit déjà le jour"
    if any(part in TWELVE for part in told) != ("%p" in told):
        return (
            "`format` : une heure de 1 à 12 (%I) va avec %p (AM, PM) ; sans lui, le matin et le "
            "soir sont confondus. Les heures de 0 à 23 s'écrivent %H"
        )
    return _gap(told) or _stuck(form)


def _gap(told: list[str]) -> str | None:
    """Return why a part says nothing: what it is a part of is not told."""
    day = any(part in (*OF_YEAR, DAY_OF_WEEK) for part in told)
    levels = [
        ("mois", day or any(part in MONTHS for part in told)),
        ("jour", day or any(part in DAYS for part in told)),
        ("heure", any(part in HOURS for part in told)),
        ("minutes", any(part in MINUTES for part in told)),
        ("secondes", any(part in SECONDS for part in told)),
    ]
    for (coarse, known), (fine, said) in itertools.pairwise(levels):
        if said and not known:
            return f"`format` : {fine} sans {coarse} ; la partie qui manque est à écrire"
    return None


def _stuck(form: str) -> str | None:
    """Return why digits that follow one another could be parted in two ways."""
    stuck = (form[one.start() : one.end()] for one in re.finditer("(?:%-?[a-zA-Z]){2,}", form))
    if any("%-" in run for run in stuck):
        return "`format` : sans rien qui les sépare, les parties ont toutes leurs chiffres (%d)"
    return None


def unparted(form: str) -> bool:
    """Tell whether two numbers follow one another: only their full width tells which is which."""
    return any(
        {one, other} <= DIGITS
        for run in re.findall("(?:%-?[a-zA-Z]){2,}", form)
        for one, other in itertools.pairwise(parts(run))
    )


def interchanged(form: str) -> str:
    """Return the format with day and month one for the other; empty where it has not both."""
    swap = {"%d": "%m", "%m": "%d", "%-d": "%-m", "%-m": "%-d"}
    told = parts(form)
    if not any(part in DAYS for part in told) or not any(part in ("%m", "%-m") for part in told):
        return ""
    return PART.sub(lambda one: swap.get(one[0], one[0]), form)
