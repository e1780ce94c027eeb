"""What methods hold of what they promise, as the page « Confiance » says it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from helpers.apps.parts import table
from helpers.core.base.french import number, plural
from helpers.core.base.markup import plain
from helpers.core.stage.grades_table import Row

TITLE = "Nos méthodes, mises à l'épreuve"
# The rooms that a reader of these pages meets, in the order of its questions.
ROOMS = {
    "reliability": "Fiabilité", "situation": "Situation et alertes", "trends": "Tendances",
    "hotspots": "Où", "rhythms": "Quand", "repeats": "Répétitions", "episodes": "Épisodes",
    "context": "Traits des lieux", "patrol": "Activité des agents", "sentiment": "Sentiment",
    "events": "Événements", "traffic": "Circulation", "backtest": "Prévisions",
    "impact": "Effet des actions",
}  # fmt: skip
NOWHERE = "Rien n'a encore été mesuré."


def block(rows: Sequence[Row]) -> str:
    """Return the block: how many promises were held, by question, and those that were not."""
    judged = [one for one in rows if one.held is not None]
    if not judged:
        return _framed(f"<p>{NOWHERE}</p>")
    missed = [one for one in judged if not one.held]
    kept = len(judged) - len(missed)
    told = (
        "Des vérités connues, tirées au sort ou attendues un an, disent ce qu'une méthode tient de "
        f"ses promesses : {number(kept)} sur {plural(len(judged), 'promesse')}, à deux erreurs de "
        "simulation près."
    )
    order = list(ROOMS)
    place = {room: order.index(room) if room in ROOMS else len(order) for room in _rooms(judged)}
    judged = sorted(judged, key=lambda one: (place[one.room], one.room))
    lines = []
    for room, mine in groupby(judged, key=lambda one: one.room):
        listed = list(mine)
        held, tried = sum(bool(x.held) for x in listed), sum(one.tried for one in listed)
        lines.append([ROOMS.get(room, room), f"{held} sur {len(listed)}", number(tried)])
    inside = table(("Question", "Promesses tenues", "Tirages"), lines)
    not_kept = [[one.label, _asked(one), number(one.observed or 0.0, 3)] for one in missed]
    more = table(("Promesse", "Promis", "Vu"), not_kept) if missed else ""
    shut = f"<details><summary>Celles qui ne le sont pas</summary>{more}</details>" if more else ""
    return _framed(f"<p>{plain(told)}</p>{inside}{shut}")


def _rooms(rows: Sequence[Row]) -> set[str]:
    return {one.room for one in rows}


def _asked(one: Row) -> str:
    least, most = (None if end is None else number(end, 2) for end in one.asked)
    if least is None:
        return f"au plus {most}"
    return f"au moins {least}" if most is None else f"{least} à {most}"


def _framed(inside: str) -> str:
    return f'<section class="app-table"><h2>{plain(TITLE)}</h2>{inside}</section>'
