"""What waves say in words."""

from __future__ import annotations

import pyarrow as pa

from helpers.core.base.french import plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.stage.standing import TITLES, why
from helpers.waves.states import ORDER

AGREE = ("pilot", "suspended")  # states whose word takes an s: « en service » does not


def states(table: pa.Table, city: City) -> str:
    """Return the answer as Markdown: how many themes are in each state, and the others' why."""
    rows = table.to_pylist()
    counts = {state: sum(row["state"] == state for row in rows) for state in ORDER}
    told = ", ".join(
        f"{n} {TITLES[state]}{'s' if n > 1 and state in AGREE else ''}"
        for state, n in counts.items()
        if n
    )
    lines = [f"Sur {plural(len(rows), 'thème')} : {told}."]
    lines += [
        f"- **{plain(city.themes[row['theme']].title)}** ({TITLES[row['state']]}) : "
        f"{plain(why(row, city))}."
        for row in rows
        if row["state"] != "active"
    ]
    return "\n".join(lines)
