"""Officers told slot by slot: the fullest one with its own hours, then what the others are given.

A peak is never said of the whole time that an event takes: at night fewer are there to be sent.
Rows are those of `shifts`, of one event.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from helpers.core.base.french import FIXED, number, plural
from helpers.core.base.markup import plain
from helpers.core.place_time.calendar import FULL_DAYS
from helpers.events.means import UNTOLD

Row = dict[str, Any]
Range = tuple[int, int]
TOLD = 2  # other hours told one by one; of more, the least and the most are
ASSUMED = "d'après les hypothèses"


def clock(at: dt.datetime) -> str:
    """Return an hour as it is said: « 21 h », « 8 h 30 »."""
    minutes = f"\u00a0{at.minute:02d}" if at.minute else ""
    return f"{at.hour}\u00a0h{minutes}"


def between(low: int, high: int, word: str) -> str:
    """Return a range as it is said: « 14 à 16 agents », « 2 agents » where both are one."""
    return plural(high, word) if low == high else f"{number(low)} à {plural(high, word)}"


def spread(low: int, high: int) -> str:
    """Return a range without its word: « 14 à 16 », « 2 » where both are one."""
    return number(low) if low == high else f"{number(low)} à {number(high)}"


def lacking(given: Range, wanted: Range, word: str = "") -> str:
    """Return how many are lacking, the least to the most: « 1 à 39 agents manquent ».

    « jusqu'à 3 manquent » where none may be, by the lower assumption; nothing where none is.
    """
    least = max(0, wanted[0] - given[0])
    most = max(least, wanted[1] - given[1])
    if not most:
        return ""
    verb = "manque" if most < 2 else "manquent"
    what = f"{FIXED}{word}{'s' if most >= 2 else ''}" if word else ""
    ends = spread(least, most) if least else f"jusqu'à {number(most)}"
    return f"{ends}{what} {verb}"


class Part(NamedTuple):
    """Slots one after the other of which the same numbers hold; `hours` as they are said."""

    hours: str
    numbers: tuple[int, ...]


def _parts(rows: Sequence[Row], *names: str) -> list[Part]:
    """Return the slots in their order, those alike in these columns as one; days where several."""
    ordered = sorted(rows, key=lambda row: row["from_at"])
    runs: list[tuple[dt.datetime, dt.datetime, tuple[int, ...]]] = []
    for row in ordered:
        numbers = tuple(row[name] or 0 for name in names)
        start, alike = row["from_at"], False
        if runs:
            start, last, held = runs[-1]
            alike = last == row["from_at"] and held == numbers
        if alike:
            runs[-1] = start, row["to_at"], numbers
        else:
            runs.append((row["from_at"], row["to_at"], numbers))
    lasts = ordered[-1]["to_at"] - ordered[0]["from_at"]
    dated = lasts > dt.timedelta(days=1)
    return [Part(f"de {_at(start, dated)} à {_at(end, dated)}", n) for start, end, n in runs]


def _at(at: dt.datetime, dated: bool) -> str:
    return f"{FULL_DAYS[at.weekday()]} {clock(at)}" if dated else clock(at)


def _fullest(parts: Sequence[Part]) -> Part:
    """Return the part with the most officers, then with the largest least, then the first."""
    return max(parts, key=lambda one: (one.numbers[1], one.numbers[0]))


def _others(rest: Sequence[Part], told: Sequence[str]) -> str:
    """Return what is given at other hours: each as told, or the least and the most of many."""
    if len(rest) <= TOLD:
        return ", ".join(told)
    ends = min(one.numbers[0] for one in rest), max(one.numbers[1] for one in rest)
    return f"{spread(*ends)} aux autres heures"


def hours(rows: Sequence[Row]) -> str:
    """Return when the most officers are needed, and how many at other hours.

    « de 19 h à 0 h », or « au plus fort, de 19 h à 23 h ; 6 de 23 h à 2 h ».
    """
    parts = _parts(rows, "officers_low", "officers_high")
    top = _fullest(parts)
    if len(parts) == 1:
        return top.hours
    rest = [one for one in parts if one is not top]
    told = [f"{spread(*one.numbers)} {one.hours}" for one in rest]
    return f"au plus fort, {top.hours} ; {_others(rest, told)}"


def peak(rows: Sequence[Row]) -> str:
    """Return the hours when the most officers are needed: « de 19 h à 23 h »."""
    return _fullest(_parts(rows, "officers_low", "officers_high")).hours


def officers(rows: Sequence[Row], crews: str) -> str:
    """Return how many officers at what hours, and what the assumptions ask for where it is more.

    `crews`: how many crews the most of them make, as it is said.
    """
    parts = _parts(rows, "officers_low", "officers_high", "wanted_low", "wanted_high")
    top, asked = _fullest(parts), {one.numbers[2:] for one in parts}
    rest = [one for one in parts if one is not top]
    instead = {
        one: f"au lieu de {spread(*one.numbers[2:])} {ASSUMED}" if _below(one) else ""
        for one in parts
    }
    tail = ""
    if any(instead.values()) and len(asked) == 1:
        always = " à toute heure" if rest else ""
        tail = f", au lieu de {spread(*asked.pop())}{always} {ASSUMED}"
        instead = dict.fromkeys(parts, "")
    elif len(rest) > TOLD and any(instead[one] for one in rest):
        tail = f" (à certaines, moins que {ASSUMED})"
    head = between(top.numbers[0], top.numbers[1], "agent") + (" au plus fort," if rest else "")
    lack = _lack(top, "agent")
    head += f" {top.hours} ({crews}{f' ; {lack}' if lack else ''})"
    head += f", {instead[top]}" if instead[top] else ""
    told = []
    for one in rest:
        beside = " ; ".join(part for part in (_lack(one), instead[one]) if part)
        given = f"{spread(one.numbers[0], one.numbers[1])} {one.hours}"
        told.append(f"{given} ({beside})" if beside else given)
    worst = max(parts, key=_short)
    if len(rest) > TOLD and worst is not top and _short(worst):
        tail += f" ; {_lack(worst, 'agent')} {worst.hours}, au pire"
    return head + (f" ; {_others(rest, told)}" if rest else "") + tail


def _short(part: Part) -> int:
    """Return how many are lacking at least."""
    given, _, wanted, _ = part.numbers
    return wanted - given


def _lack(part: Part, word: str = "") -> str:
    """Return how many are lacking, as Markdown, where some are by the lower assumption too."""
    low, high, wanted_low, wanted_high = part.numbers
    told = lacking((low, high), (wanted_low, wanted_high), word)
    return f"**{told}**" if _short(part) > 0 else ""


def _below(part: Part) -> bool:
    """Return whether less is given than the assumptions ask for at most."""
    _, given, _, wanted = part.numbers
    return wanted > given


def instead(rows: Sequence[Row]) -> tuple[str, str]:
    """Return how many the assumptions ask for where the most are sent, and how many lack there.

    Nothing, twice, where all that they ask for is sent.
    """
    top = _fullest(_parts(rows, "officers_low", "officers_high", "wanted_low", "wanted_high"))
    if not _below(top):
        return "", ""
    low, high, least, most = top.numbers
    return spread(least, most), lacking((low, high), (least, most))


def untold(means: Sequence[Row], called: Callable[[str], str]) -> str:
    """Return, as Markdown, the sectors whose roster is silent on some days; nothing where none is.

    `means`: rows of MEANS; `called` names a zone.
    """
    gone = [f"{plain(called(row['zone']))} ({plural(row['number'], 'jour')})"
            for row in means if row["means"] == UNTOLD]  # fmt: skip
    if not gone:
        return ""
    return ("\n\nVacations non dites : " + ", ".join(gone) + ". Les agents y sont supposés aussi "
            "nombreux que les autres jours.")  # fmt: skip
