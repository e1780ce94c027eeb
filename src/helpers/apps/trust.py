"""The page « Confiance »: can these numbers be believed, and how is that proved?"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import ipywidgets as widgets
import pyarrow.parquet as pq

from helpers.apps import grades_words
from helpers.apps.choice import ALL_THEMES, Choice
from helpers.apps.parts import Put, table, words
from helpers.apps.shell import Place
from helpers.core.base.french import number, plural, spoken
from helpers.core.base.markup import plain, to_html
from helpers.core.stage import grades_table, standing
from helpers.evidence import words as evidence_words
from helpers.reliability import words as reliability_words
from helpers.waves import words as waves_words

LETTERS = (
    "De A, la plus sûre, à D, la moins sûre : la moindre de cinq notes, lignes valides, lieu "
    "connu, délai de saisie, jours manquants, dernières semaines contre les mêmes d'avant."
)

TABLES = ("reliability/grades", "reliability/decay", "waves/states", "evidence/register")


class Trust:
    """Each source's grade and why, the themes in force, the evidence of every figure."""

    title: ClassVar[str] = "Confiance"
    question: ClassVar[str] = "Peut-on croire ces chiffres ?"
    uses: ClassVar[tuple[str, ...]] = ("theme",)

    def __init__(self, place: Place) -> None:
        self.city, run = place.city, place.run
        self.whole = run.city
        read = {name: pq.read_table(run.read(f"derived/{name}.parquet")) for name in TABLES}
        self.grades = read["reliability/grades"].to_pylist()
        decay = read["reliability/decay"].to_pylist()
        self.faded = {r["source"]: standing.faded_words(r) for r in decay if r["status"] == "less"}
        self.said, self.sources = widgets.HTML(), widgets.HTML()
        states = to_html(waves_words.states(read["waves/states"], self.whole))
        register = read["evidence/register"]
        lines = [
            [row["title"], row["passport"], "rompue" if row["broken"] else "tient"]
            for row in register.to_pylist()
        ]
        proofs = table(("Figure", "Passeport", "Preuve"), lines)
        told = plain(evidence_words.answer(register))
        parts = [
            self.said,
            self.sources,
            widgets.HTML(
                f'<section class="app-table"><h2>Thèmes en service</h2>{states}</section>'
            ),
            widgets.HTML(f'<section class="app-table"><h2>Preuves</h2><p>{told}</p><details>'
                         f"<summary>Toutes les figures</summary>{proofs}</details></section>"),
            widgets.HTML(grades_words.block(grades_table.read(run.workspace.root))),
        ]  # fmt: skip
        self.widget = widgets.VBox(parts)

    def answer(self, choice: Choice) -> list[Put]:
        """Return what answers the choice: the sources of all themes, or that of one theme."""
        used = set(self.whole.themed_sources())
        if choice.theme != ALL_THEMES:
            used = set(self.city.themes[choice.theme].sources)
        rows = [row for row in self.grades if row["source"] in used]
        rows.sort(key=lambda row: (row["grade"], self._title(row)))
        heads = ("Source", "Note", "Pourquoi", "À savoir")
        lines = [
            [self._title(row), row["grade"], reliability_words.why(row), self._known(row)]
            for row in rows
        ]
        inside = table(heads, lines)
        return [
            (self.said, "value", words(self._answer(rows, choice), "usual", LETTERS)),
            (self.sources, "value",
             f'<section class="app-table"><h2>Sources</h2>{inside}</section>'),
        ]  # fmt: skip

    def _title(self, row: dict[str, Any]) -> str:
        return self.whole.contracts[row["source"]].title

    def _answer(self, rows: list[dict[str, Any]], choice: Choice) -> str:
        if choice.theme != ALL_THEMES:
            title = plain(self.city.themes[choice.theme].title)
            # The grade of a sum is that of its worst part.
            worst = max(row["grade"] for row in rows)
            named = [f"« {plain(self._title(row))} »" for row in rows]
            if len(rows) > 1:
                named = [f"{one} ({row['grade']})" for one, row in zip(named, rows, strict=True)]
            told = " et ".join(named)
            known = " ; ".join(
                (f"{named[i]}, " if len(rows) > 1 else "") + plain(self.faded[row["source"]])
                for i, row in enumerate(rows)
                if row["source"] in self.faded
            )
            theme = self.city.themes[choice.theme]
            twice = standing.doubled_words(theme, self.whole) if theme.may_double else ""
            added = twice or (standing.distinct_words(theme, self.whole) if theme.distinct else "")
            return (
                f"**{title}** : compté dans {told}, fiabilité {worst}"
                f"{f' ; mais {known}' if known else ''}{f' ; {plain(added)}' if added else ''}."
            )
        counts = Counter(row["grade"] for row in rows)
        told = ", ".join(f"{plural(n, 'notée')} {x}" for x, n in sorted(counts.items()))
        less = sum(row["source"] in self.faded for row in rows)
        known = f" ; {number(less)} apporte{'nt' * (less > 1)} bien moins qu'avant" if less else ""
        return f"**{plural(len(rows), 'source')}** dont un thème est compté : {told}{known}."

    def _known(self, row: dict[str, Any]) -> str:
        """Return what is to be known beside the grade: silences, and a feed that dies slowly."""
        told = [self.faded[row["source"]]] if row["source"] in self.faded else []
        if row["mute_since"]:
            told.append(f"se tait depuis le {spoken(row['mute_since'])}")
        elif row["silent_weeks"]:
            told.append(plural(row["silent_weeks"], "semaine muette"))
        return " ; ".join(told)
