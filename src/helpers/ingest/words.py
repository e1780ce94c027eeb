"""What became of each row received, in words."""

from __future__ import annotations

from helpers.core.base.french import number, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.names import DUPLICATE, NO_PLACE, OUTSIDE, REPLACED


def fates(city: City, told: dict[str, dict[str, int]]) -> str:
    """Return a Markdown table of what became of the rows of each source."""
    lines = [
        "| source | reçues | acceptées | en double | remplacées | écartées, par motif |",
        "|---|---|---|---|---|---|",
    ]
    for name, fate in told.items():
        reasons = {k: v for k, v in fate.items() if k not in ("accepted", DUPLICATE, REPLACED)}
        listed = ", ".join(f"{plain(reason)} : {number(n)}" for reason, n in reasons.items())
        counts = [fate.get(key, 0) for key in ("accepted", DUPLICATE, REPLACED)]
        lines.append(
            f"| {plain(city.contracts[name].title)} | {number(sum(fate.values()))} | "
            f"{' | '.join(number(n) for n in counts)} | {listed or 'aucune'} |"
        )
    return "\n".join(lines)


def totals(city: City, found: dict[str, dict[str, int]]) -> str:
    """Return a Markdown table of `ingest.totals`."""
    lines = [
        "| découpage | dans une zone | hors territoire | sans lieu | total |",
        "|---|---|---|---|---|",
    ]
    for name, row in found.items():
        title = "Mailles" if name == "cell" else plain(city.about.divisions[name].title)
        cells = [number(row[key]) for key in ("inside", OUTSIDE, NO_PLACE)]
        lines.append(f"| {title} | {' | '.join(cells)} | {number(sum(row.values()))} |")
    return "\n".join(lines)


def answer(told: dict[str, dict[str, int]], found: dict[str, dict[str, int]]) -> str:
    """Return the answer: rows in and their fates, and whether all divisions agree."""
    rows = sum(sum(fate.values()) for fate in told.values())
    accepted, doubles, replaced = (
        sum(fate.get(key, 0) for fate in told.values()) for key in ("accepted", DUPLICATE, REPLACED)
    )
    sums = {sum(row.values()) for row in found.values()}
    agree = "sont égaux" if len(sums) == 1 else "**diffèrent : c'est une erreur**"
    return (
        f"{plural(rows, 'ligne reçue')} = {plural(accepted, 'acceptée')} + "
        f"{plural(rows - accepted - doubles - replaced, 'écartée')} + "
        f"{number(doubles)} en double + {plural(replaced, 'remplacée')} par une version "
        "plus récente. "
        f"Les totaux des {len(found)} découpages {agree} ({number(max(sums))} faits)."
    )
