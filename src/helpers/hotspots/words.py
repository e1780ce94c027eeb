"""What stands out, in words: hot cells, concentration beside chance, zones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, percent, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.hotspots.knobs import Knobs
from helpers.hotspots.zones import HIGH, LIKE_NEIGHBOURS, PER

SILENCES = (
    "Les taux des zones ne comptent que les semaines entendues. Une maille qui ne l'a pas été tout "
    "du long paraît moins chargée qu'elle ne l'est."
)
KINDS = {
    "high_among_high": "haut, parmi des hauts", "high_among_low": "haut, parmi des bas",
    "low_among_low": "bas, parmi des bas", "low_among_high": "bas, parmi des hauts",
    "like_neighbours": "non distinguable de ses voisines",
}  # fmt: skip
REASONS = {
    "no_cell": "aucun fait n'a de point précis : aucune maille à comparer",
    "no_outline": "le découpage principal n'a pas de contours : aucune maille à comparer",
    "not_covered": "la source ne couvre pas tous ces jours, ou pas toute la ville",
    "no_population": "pas de couche de population",
    "too_few": "moins de {minimum} faits {placed}",
}
IN_CELL, IN_ZONE = "localisés dans la période", "placés dans une zone"
UNSIZED = (
    "\nPas de couche de population : les mailles ne sont pas rapportées aux personnes présentes."
)


def _abstains(title: str, reason: str, minimum_count: int, placed: str) -> str:
    told = REASONS[reason].format(minimum=minimum_count, placed=placed)
    return f"- **{plain(title)}** : abstention ({told})."


def cells(found: Mapping[str, dict[str, Any]], city: City, knobs: Knobs) -> str:
    """Return the answer as Markdown: how concentrated each theme is, and where not to conclude.

    `found` is what `cells.by_theme` gives.
    """
    times, lines = number(knobs.times, int(knobs.times % 1 > 0)), []
    for name, theme in city.themes.items():
        row = found[name]
        if row["status"] != "ok":
            lines.append(_abstains(theme.title, row["reason"], knobs.minimum_count, IN_CELL))
        elif not row["hot"]:
            lines.append(
                f"- **{plain(theme.title)}** : aucune maille ne dépasse {times} fois la moyenne "
                "de façon établie."
            )
        else:
            lines.append(_hot(theme.title, row))
    if not any(row["sized"] for row in found.values()):
        lines.append(UNSIZED)
    rule = (
        "Une maille est à part quand il est établi que ses propres faits dépassent "
        f"{times} fois la moyenne du terrain étudié : les mailles à {number(knobs.radius_m)} m au "
        "plus d'un fait, quel que soit son thème."
    )
    return f"{rule}\n\n" + "\n".join(lines)


def _hot(title: str, row: dict[str, Any]) -> str:
    area, facts = row["hot"] / row["cells"], row["inside"] / row["n"]
    text = (
        f"- **{plain(title)}** : {plural(row['hot'], 'maille')} à part, soit {percent(area, 1)} du "
        f"terrain étudié et {percent(facts)} des {number(row['n'])} faits localisés ; "
        f"{number(row['in_area'])} dans un secteur chargé, {number(row['both_sizes'])} aussi en "
        "mailles deux fois plus larges"
    )
    if row["again"] is not None:
        text += f", environ {number(row['again'])} encore dans une autre année où rien ne change"
    if row["sized"]:
        text += f", {number(row['for_size'])} encore une fois comptées les personnes présentes"
    if row["before"]:
        text += (
            f" ; sur {plural(row['before'], 'maille')} à part la période d'avant, "
            f"{number(row['kept'])} toujours à part"
        )
    if row["one_place"]:
        text += f" ; {number(row['one_place'])} du fait d'un seul point"
    return f"{text}."


def concentration(table: pa.Table, city: City, minimum_count: int) -> str:
    """Return one Markdown line a theme: the share of cells that holds half the facts."""
    lines = []
    for row in table.to_pylist():
        title = city.themes[row["theme"]].title
        if row["status"] != "ok":
            lines.append(_abstains(title, row["reason"], minimum_count, IN_CELL))
            continue
        lines.append(
            f"- **{plain(title)}** : la moitié des faits dans {percent(row['share'], 1)} des "
            "mailles étudiées ; jetés au hasard sur elles, ils seraient dans "
            f"{percent(row['chance'], 1)} (de {percent(row['chance_low'], 1)} à "
            f"{percent(row['chance_high'], 1)})."
        )
    return "\n".join(lines)


def zones(
    table: pa.Table, city: City, names: Mapping[str, str], label: str, minimum_count: int
) -> str:
    """Return one Markdown line a theme; `label` says what the rate is brought to."""
    lines = []
    rows = table.to_pylist()
    for name, theme in city.themes.items():
        mine = [r for r in rows if r["theme"] == name]
        if mine[0]["status"] != "ok":
            lines.append(_abstains(theme.title, mine[0]["reason"], minimum_count, IN_ZONE))
            continue
        lines.append(f"- **{plain(theme.title)}** : {_apart(mine, names)}.")
    unit = f"Taux pour {number(PER)}, l'unité étant : {plain(label)}.\n\n" if label else ""
    return unit + "\n".join(lines)


def _apart(rows: list[dict[str, Any]], names: Mapping[str, str]) -> str:
    """Return how many of a theme's zones are apart, the three of highest rate, how many low."""
    apart = [r for r in rows if r["kind"] != LIKE_NEIGHBOURS]
    if not apart:
        return "aucune zone ne se distingue de ses voisines"
    high = sorted((r for r in apart if r["kind"] in HIGH), key=lambda r: (-r["rate"], r["zone"]))
    listed = ", ".join(
        f"{plain(names.get(r['zone'], r['zone']))} ({number(r['rate'], 1)} pour {number(PER)}, "
        f"de {number(r['low'], 1)} à {number(r['high'], 1)})"
        for r in high[:3]
    )
    told = (
        f"{plural(len(apart), 'zone')} à part de {'ses' if len(apart) == 1 else 'leurs'} voisines"
    )
    rest = f" et {plural(len(high) - 3, 'autre')}" if len(high) > 3 else ""
    low = f"{number(len(apart) - len(high))} en bas" if len(apart) > len(high) else ""
    if not high:
        return f"{told}, {low}"
    return f"{told}, en haut : {listed}{rest}" + (f" ; {low}" if low else "")
