"""What a count is to be read beside: its theme's year, and why rows of it may be missing.

« As usual » and « falling » are both true of one theme, and contradict each other at sight: what
each compares is told where they meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow.parquet as pq

from helpers.core.base.french import change, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.stage import params, standing
from helpers.core.stage.run import Run
from helpers.situation.judgement import USUAL, Row
from helpers.trends import words as trends_words
from helpers.trends.levels import CORRECTED

TABLES = (
    "derived/trends/weekly.parquet",
    "derived/trends/levels.parquet",
    "derived/reliability/drift.parquet",
    "derived/reliability/decay.parquet",
)
LISTED = 2  # themes told one by one


class Beside:
    """Weeks, evolutions and doubts of the themes in force (`city`)."""

    def __init__(self, run: Run, city: City) -> None:
        weekly, levels, drift, decay = (pq.read_table(run.read(name)) for name in TABLES)
        self.city = city
        self.weekly: dict[str, list[float | None]] = {}
        for row in sorted(weekly.to_pylist(), key=lambda r: (r["theme"], r["week"])):
            self.weekly.setdefault(row["theme"], []).append(row["final"])
        self.span = trends_words.span(levels, params.knobs("trends").window_weeks)
        rows = levels.to_pylist()
        self.years: Mapping[tuple[str, str, str], dict[str, Any]] = {
            (row["theme"], row["zone"], row["division"]): row
            for row in rows if row["zone"] != WHOLE
        }  # fmt: skip
        self.whole = {row["theme"]: row for row in rows if row["zone"] == WHOLE}
        self.corrected = {
            theme for theme, row in self.whole.items()
            if any(one["kind"] == CORRECTED for one in row["remarks"])
        }  # fmt: skip
        self.doubted = standing.doubted(drift, decay, city)
        self.faded = standing.faded(decay, city)

    def direction(self, theme: str) -> tuple[str, str]:
        """Return a theme's evolution over the city: its label, and what is said of it."""
        label = self.whole[theme]["label"] if theme in self.whole else "abstained"
        return label, trends_words.evolution(label, doubted=theme in self.doubted)

    def of_theme(self, row: Row, division: str) -> str:
        """Return what is to be known with one count of a theme, as sentences; or nothing."""
        theme, zone = row["theme"], row["zone"]
        year = self.whole.get(theme) if zone == WHOLE else self.years.get((theme, zone, division))
        told = ""
        if year and year["ratio"] and year["label"] in ("up", "down") and row["tier"] == USUAL:
            way = trends_words.evolution(year["label"], doubted=theme in self.doubted)
            told = (
                f" Sur {self.span}, {way}, {change(year['ratio'])} : cette évolution compare un "
                "an au précédent, l'habitude tient compte de toutes les années passées."
            )
        known = self.doubted.get(theme, "")
        return told + (f" À savoir : {plain(known)}." if known else "")

    def of_all(self) -> str:
        """Return which counts may lack rows, as a sentence; or nothing. Their themes say why.

        Those of a source that fades first.
        """
        doubted = sorted(self.doubted, key=lambda one: (one not in self.faded, one))
        if not doubted:
            return ""
        told = ", ".join(plain(self.city.themes[theme].title) for theme in doubted[:LISTED])
        more = len(doubted) - LISTED
        rest = f" et {plural(more, 'autre')}" if more > 0 else ""
        head = "Compte peut-être incomplet" if len(doubted) == 1 else "Comptes peut-être incomplets"
        return f"{head} : {told}{rest}."
