"""What « Moyens » says: where hours move, what if, what was decided.

Names of zones go through `plain`, or `escape` where the text is HTML at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from helpers.allocation import words as told
from helpers.allocation.means import Ints
from helpers.allocation.tables import Summary
from helpers.allocation.usual_week import Week
from helpers.allocation.what_if import Asked, Other
from helpers.apps.keep import Cell
from helpers.core.base.french import THIN, change, number, percent, plural, trimmed
from helpers.core.base.markup import plain
from helpers.register.entries import Entry, Recommendation
from helpers.register.words import REASONS, ROLES

Row = dict[str, Any]
VERDICTS = {"accepted": "acceptée", "changed": "changée", "refused": "refusée"}
LISTED = 6
WON = (
    "La figure « Que coûte chaque règle ? » part du meilleur plan, non du plan montré, et déduit "
    "le coût des changements : son nombre peut différer un peu."
)
# What is kept of the figures and of a what-if.
HOURS = ("code", "zone", "jour", "plage", "heures d'équipe aujourd'hui", "heures d'équipe au plan",
         "écart", "chance d'avoir plus d'heures")  # fmt: skip
PRICES = ("règle", "gain sans elle, au moins", "gain sans elle, au plus")
OTHERS = ("code", "zone", "jour", "plage", "plan montré", "autre plan", "écart")


class Names:
    """Zones and slots of the week, as they are called."""

    def __init__(self, zones: Mapping[str, str], slots: Mapping[str, str]) -> None:
        self._zones, self._slots = zones, slots

    def zone(self, code: str) -> str:
        """Return a zone's name, as written."""
        return self._zones.get(code, code)

    def at(self, day: int, slot: str) -> str:
        """Return a slot of the week: « samedi, soir »."""
        return self._slots[f"{day}_{slot}"]

    def all(self) -> dict[str, str]:
        """Return what every code is called, in text that Markdown reads."""
        return {code: plain(name) for code, name in self._zones.items()} | dict(self._slots)


def signed(hours: int) -> str:
    """Return a difference with its sign: « +3 », « −3 »."""
    return f"{'+' if hours > 0 else '−' if hours < 0 else ''}{number(abs(hours))}"


def moves(rows: Iterable[Row], slots: Mapping[str, str], names: Names) -> str:
    """Return where most hours come and go as HTML, zone and slot of the day, over a week."""
    ranked = sorted(rows, key=lambda r: (-abs(r["planned_h"] - r["today_h"]), r["zone"], r["slot"]))
    if not ranked:
        return ""
    items = "".join(f"<li>{_move(row, slots, names)}</li>" for row in ranked[:LISTED])
    title = "Où les heures bougent le plus, par semaine"
    return (f'<section class="app-cards" aria-label="{title}"><h2>{title}</h2><ul>{items}</ul>'
            "</section>")  # fmt: skip


def _move(row: Row, slots: Mapping[str, str], names: Names) -> str:
    now, then = row["today_h"], row["planned_h"]
    return (f"{escape(names.zone(row['zone']))}, {escape(slots[row['slot']])} : {number(now)} → "
            f"{number(then)} h (<strong>{signed(then - now)}</strong>)")  # fmt: skip


def recommendation(row: Row, slots: Mapping[str, str], names: Names) -> str:
    """Return a recommendation in a line, as written: the plan of a zone in a slot of the day."""
    now, then = row["today_h"], row["planned_h"]
    if now == then:
        return f"{names.zone(row['zone'])}, {slots[row['slot']]} : {number(now)} h, autres jours"
    return (f"{names.zone(row['zone'])}, {slots[row['slot']]} : {number(now)} → {number(then)} h "
            f"({signed(then - now)})")  # fmt: skip


def tiles(found: Summary) -> str:
    """Return the few numbers of the plan as HTML; nothing where there is none."""
    if not found.met:
        return ""
    before, after = found.met[1]
    gain = change(after / before) if before else "–"
    ends = f" ; {told.changes(found.met)}" if before else ""
    beside = (f"{_by_hypothesis([now for now, _ in found.met])} aujourd'hui, "
              f"{_by_hypothesis([then for _, then in found.met])} avec le plan")  # fmt: skip
    items = [
        ("Heures d'équipe", number(found.hours), "par semaine, les mêmes avec le plan"),
        ("À changer de zone", number(found.moved), "heures par semaine"),
        ("Faits qui rencontrent une équipe", gain, f"par semaine, {beside}{ends}"),
        ("Preuve", f"à {percent(found.short, 2)} près", "aucun plan ne vaut mieux que cela"),
    ]  # fmt: skip
    inside = "".join(
        f'<li><h3>{title}</h3><p class="app-figure"><strong>{value}</strong></p>'
        f"<p>{escape(detail)}</p></li>"
        for title, value, detail in items
    )
    return ('<section class="app-tiles" aria-label="Le plan en chiffres"><h2>En chiffres</h2>'
            f'<ul tabindex="0" class="app-row">{inside}</ul></section>')  # fmt: skip


def _by_hypothesis(met: Sequence[float]) -> str:
    """Return what is met by the middle hypothesis, with the least and the most of all three."""
    ends = f"{number(min(met))} à {number(max(met))}"
    return f"{number(met[1])} ({ends})"


def zone_line(code: str, moved: int, names: Names) -> str:
    """Return what the map says of a zone, as written."""
    if not moved:
        return f"{names.zone(code)} : autant d'heures qu'aujourd'hui"
    more = "de plus" if moved > 0 else "de moins"
    return f"{names.zone(code)} : {plural(abs(moved), 'heure')} d'équipe {more} par semaine"


def kept(rows: Iterable[Row], slots: Mapping[str, str], names: Names) -> list[list[Cell]]:
    """Return the plan as it is kept (`HOURS`)."""
    return [
        [r["zone"], names.zone(r["zone"]), names.at(r["weekday"], r["slot"]).split(",")[0],
         slots[r["slot"]], r["today_h"], r["planned_h"], r["planned_h"] - r["today_h"],
         r["chance_more"]]
        for r in rows if r["status"] == "ok"
    ]  # fmt: skip


# --- What if ---------------------------------------------------------------------------------


def other(
    asked: Asked, usual: Asked, when: str, found: Other, week: Week, shown: Ints, names: Names
) -> str:
    """Return what a what-if comes to, as Markdown; `when`: the slots of the missing teams."""
    head = _supposed(asked, usual, when, found)
    if found.planned is None:
        why = " ".join(told.conflict(items, names.all()) for items in found.conflicts)
        return f"**{head} : aucun plan.** {why}"
    before, after = found.met[1]
    left = int(week.present.sum() - found.lost.sum())
    cells = int(shown.size)
    bare = {zone: int(n) for zone, n in zip(
        week.zones, (found.planned == 0).sum(axis=1), strict=True)}  # fmt: skip
    none = told.uncovered(bare, cells, "plan montré", int((shown == 0).sum()), names.all())
    none = none or f" Aucun des {number(cells)} couples de zone et plage n'est sans équipe."
    why = f" {WON}" if asked.looser(usual) else ""
    added, taken = _differences(found.planned, shown)
    differs = "aucune heure ne diffère du plan montré"
    if added or taken:
        differs = f"par rapport au plan montré, {_hours(taken)} en moins, {_hours(added)} en plus"
    return (
        f"**{head} : {differs}.** {number(after)} {told.UNIT} rencontreraient une équipe, au lieu "
        f"de {number(before)}{told.spread(found.met)}. Le plan emploie "
        f"{plural(int(found.planned.sum()), 'heure')} d'équipe des {number(left)} qui restent ; "
        f"aucun ne vaudrait plus de {percent(found.short, 2)} de mieux (prouvé).{none}{why}"
    )


def _supposed(asked: Asked, usual: Asked, when: str, found: Other) -> str:
    parts = []
    if asked.missing:
        gone = plural(int(found.lost.sum()), "heure")
        parts.append(f"avec {plural(asked.missing, 'équipe')} de moins, {when} (−{gone})")
    if asked.minimum_share != usual.minimum_share:
        share = f"{trimmed(100 * asked.minimum_share)}{THIN}%"
        parts.append(f"en gardant à chaque zone au moins {share} de ses heures de la semaine")
    if asked.most_ratio != usual.most_ratio:
        parts.append(f"avec au plus {trimmed(asked.most_ratio)} fois les heures d'aujourd'hui "
                     "par zone")  # fmt: skip
    if asked.equity_band != usual.equity_band:
        parts.append(f"à {points(asked.equity_band)} au plus de la part de demande")
    told_parts = " et ".join(parts) or "sans rien changer"
    return told_parts[:1].upper() + told_parts[1:]


def points(share: float) -> str:
    """Return a difference of shares (0 to 1) in points: « 5 points », « 1,5 point »."""
    return f"{trimmed(100 * share)} point{'s' if 100 * share >= 2 else ''}"


def _hours(count: int) -> str:
    return plural(count, "heure") if count else "aucune"


def _differences(planned: Ints, shown: Ints) -> tuple[int, int]:
    moved = planned - shown
    return int(np.maximum(moved, 0).sum()), int(np.maximum(-moved, 0).sum())


def differing(found: Other, week: Week, shown: Ints, slots: Mapping[str, str], names: Names
              ) -> list[list[Cell]]:  # fmt: skip
    """Return each zone and slot of the week where the plans differ, as it is kept (`OTHERS`)."""
    if found.planned is None:
        return []
    cells = sorted((int(t), int(z)) for z, t in np.argwhere(found.planned != shown))
    return [
        [week.zones[z], names.zone(week.zones[z]), names.at(*week.slots[t]).split(",")[0],
         slots[week.slots[t][1]], int(shown[z, t]), int(found.planned[z, t]),
         int(found.planned[z, t] - shown[z, t])]
        for t, z in cells
    ]  # fmt: skip


# --- Decided ---------------------------------------------------------------------------------


def decision(entry: Entry, what: str, zone: str) -> list[str]:
    """Return a decision as a line of a table, as written; `zone`: of the city's clocks."""
    at = dt.datetime.fromisoformat(entry.at).astimezone(ZoneInfo(zone))
    payload = entry.draft.payload
    if not isinstance(payload, Recommendation):
        raise TypeError("no decision on a recommendation")
    why = REASONS[payload.reason] if payload.reason else ""
    if payload.reference:
        why += f" (note {payload.reference.year}-{payload.reference.number})"
    return [what, VERDICTS[payload.verdict], _hours_of(payload.proposed),
            _hours_of(payload.decided), why.strip(), ROLES[entry.draft.role],
            f"{at:%d/%m/%Y %H:%M}", str(entry.seq)]  # fmt: skip


def _hours_of(count: int | None) -> str:
    return "–" if count is None else f"{number(count)} h"


DECIDED = ("recommandation", "décision", "recommandé", "décidé", "motif", "rôle", "quand",
           "inscription")  # fmt: skip


def undecided(count: int, of: int) -> str:
    """Return how many recommendations are decided, of how many."""
    if not count:
        return f"Aucune des {plural(of, 'recommandation')} n'a encore de décision."
    verb = "a une décision" if count == 1 else "ont une décision"
    return f"{number(count)} des {plural(of, 'recommandation')} {verb}."


def several(rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
    """Return the rows of a what-if as a table shows them."""
    return [[str(r[1]), f"{r[2]}, {r[3]}", str(r[4]), str(r[5]), signed(int(str(r[6])))]
            for r in rows]  # fmt: skip
