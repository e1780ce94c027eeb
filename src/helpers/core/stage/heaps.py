"""Hours that come back more than chance gives: said beside any rhythm that they may be making.

An hour that a publisher does not know is often written as midnight, or noon. What `reliability`
found of it (`pile_ups`) hangs on the contract to be set right; until then, a night that is busy for
that reason alone is no number to be read without a word.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from helpers.core.base.french import number, percent, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.names import MIDNIGHT, NOON

CLOCKS = {MIDNIGHT: "à 0 h 00 juste", NOON: "à 12 h 00 juste"}
WHOLE = ""  # all the categories of a source together


@dataclass(frozen=True)
class Heap:
    """Facts of `rows` of a theme, or of a source, at one moment (`kind` of CLOCKS)."""

    kind: str
    n: int
    rows: int

    @property
    def words(self) -> str:
        """The heap, as it is told."""
        return (
            f"{plural(self.n, 'fait')} sur {number(self.rows)} ({percent(self.n / self.rows)}) "
            f"{CLOCKS[self.kind]}"
        )


def of_theme(con: duckdb.DuckDBPyConnection, city: City, theme: str) -> list[Heap]:
    """Return the heaps told of the categories of a theme; or of its sources, where no category is.

    View `pile_ups`.
    """
    parts = city.themes[theme].parts
    found = []
    for kind in CLOCKS:
        rows = con.execute(
            "SELECT source, category, n, rows FROM pile_ups WHERE kind = ? AND told ORDER BY ALL",
            [kind],
        ).fetchall()
        own = [row for row in rows if row[1] in parts.get(row[0], ())]
        named = {row[0] for row in rows if row[1] != WHOLE}
        told = own or [r for r in rows if r[0] in parts and r[1] == WHOLE and r[0] not in named]
        if told:
            found.append(Heap(kind, sum(row[2] for row in told), sum(row[3] for row in told)))
    return found


def caveat(con: duckdb.DuckDBPyConnection, city: City) -> str:
    """Return, as Markdown put after the answer, the themes that have a heap. View `pile_ups`."""
    told = {
        theme.title: " et ".join(heap.words for heap in of_theme(con, city, name))
        for name, theme in city.themes.items()
    }
    lines = [f"{plain(title)}, {words}" for title, words in told.items() if words]
    if not lines:
        return ""
    return (
        f"\n\n**Heures qui reviennent trop** : {' ; '.join(lines)}. C'est sans doute ainsi que "
        "l'éditeur écrit une heure inconnue : tant que le contrat ne le dit pas (`unknown_hour`), "
        "ces heures paraissent plus chargées qu'elles ne sont."
    )
