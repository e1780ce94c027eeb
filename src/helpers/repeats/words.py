"""Repeats, in words: where and when facts come back more than chance would have it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.stage.standing import distinct_words

SILENCES = "Ce qui s'est répété pendant ces semaines n'est pas compté."
REASONS = {
    "too_few": "moins de {minimum} faits datés et placés par un point",
    "may_double": "un même fait peut être dans deux de ses sources, et sembler revenir aussitôt",
}


def repeats(found: pa.Table, risk: pa.Table, city: City, minimum_count: int) -> str:
    """Return the answer as Markdown: a line a theme, of `found` (TABLE) and `risk` (RISK)."""
    rows, at = found.to_pylist(), risk.to_pylist()
    lines = []
    for name, theme in city.themes.items():
        mine, title = [r for r in rows if r["theme"] == name], plain(theme.title)
        if mine[0]["status"] != "ok":
            why = REASONS[mine[0]["reason"]].format(minimum=minimum_count)
            lines.append(f"- **{title}** : abstention ({why}).")
            continue
        once = f" ; {plain(distinct_words(theme, city))}" if theme.distinct else ""
        proven = [r for r in mine if r["proven"]]
        part = mine[0]["drawn"]
        draw_told = "" if part == 1 else f" (tirage de {number(100 * part)} % des faits)"
        if not proven:
            lines.append(
                f"- **{title}** : pas de répétition proche établie{draw_told}{_seen(mine)}{once}."
            )
            continue
        best = max(proven, key=lambda r: (r["ratio"], -r["from_m"], -r["from_days"]))
        cells = [r for r in at if r["theme"] == name]
        until = max((r["until"] for r in cells), default=None)
        told = (
            f" ; {plural(len(cells), 'maille')} à surveiller, au plus tard jusqu'au {spoken(until)}"
            if until
            else ""
        )
        lines.append(
            f"- **{title}** : les faits reviennent à moins de {best['to_m']} m et "
            f"{best['to_days']} jours {number(best['ratio'], 2)} fois autant qu'attendu dans "
            f"leur zone et leur saison (hasard : de {number(best['low'], 2)} à "
            f"{number(best['high'], 2)})"
            f"{draw_told}{told}{once}."
        )
    return "\n".join(lines)


def _seen(rows: list[dict[str, Any]]) -> str:
    """Return what could have been seen, nearest and soonest; nothing where chance has no pair."""
    first = next((r for r in rows if r["detectable"] is not None), None)
    if first is None:
        return ""
    return (
        f" ; à moins de {first['to_m']} m et {first['to_days']} jours, un rapport de "
        f"{number(first['detectable'], 2)} aurait été établi huit fois sur dix"
    )
