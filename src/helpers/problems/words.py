"""What `problems` found, in French."""

from __future__ import annotations

import pyarrow as pa

from helpers.core.base.french import number, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.problems.knobs import Knobs


def in_words(table: pa.Table, city: City, knobs: Knobs) -> str:
    """Return the answer as Markdown: one line a theme."""
    lines = []
    for row in table.to_pylist():
        title = plain(city.themes[row["theme"]].title)
        if row["status"] == "too_few":
            few = f"{plural(row['n'], 'fait')} en {plural(row['days'], 'jour')}"
            lines.append(f"- **{title}** : abstention ({few}, il en faut {knobs.minimum_count}, "
                         "et des deux côtés).")  # fmt: skip
            continue
        ends = f"entre {number(row['low'], 2)} et {number(row['high'], 2)}"
        if row["low"] <= 1 <= row["high"]:
            lines.append(f"- **{title}** : pas de différence établie (rapport {ends}).")
        else:
            more = f"{number(row['ratio'], 2)} fois les faits d'un autre jour"
            lines.append(f"- **{title}** : un jour de week-end compte {more} ({ends}).")
    return "\n".join(lines) or "Aucun thème à étudier."
