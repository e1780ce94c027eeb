"""The page « Tendances »: what changes over a year, and what would not be seen to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import ipywidgets as widgets
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.apps import feeling, keep
from helpers.apps.choice import ALL_THEMES, Choice
from helpers.apps.parts import Panel, Proofs, Put, table, words
from helpers.apps.shell import Place
from helpers.core.base.french import change, number, plural
from helpers.core.base.markup import plain, to_html
from helpers.core.city.names import WHOLE
from helpers.core.stage import figure, params, standing
from helpers.situation import figures as situation_figures
from helpers.situation import held
from helpers.situation import levels as situation_levels
from helpers.situation import words as situation_words
from helpers.situation.expected import Forecasts
from helpers.trends import figures
from helpers.trends import words as trends_words

TABLES = (
    "cube.parquet",
    "zones.parquet",
    "derived/reliability/days.parquet",
    "derived/reliability/delays.parquet",
    "derived/reliability/extraordinary.parquet",
    "derived/trends/recorded.parquet",
    "derived/trends/levels.parquet",
    "derived/trends/breaks.parquet",
    "derived/patrol/themes.parquet",
    "derived/reliability/drift.parquet",
    "derived/reliability/decay.parquet",
)
PUBLISHED = {"changes": "trends/trends_levels", "weeks": "trends/trends_weekly"}
# What the evolutions and the curve are kept as.
CHANGE = ("thème", "évolution", "rapport", "de", "à")
WEEK = ("thème", "code", "zone", "semaine du", "faits", "de", "à")
WEEKS = 156  # drawn: three years
LISTED = 12  # zones told one by one


class Trends:
    """Each theme's evolution, then the weeks of the one chosen, and the zones that moved."""

    title: ClassVar[str] = "Tendances"
    question: ClassVar[str] = "Qu'est-ce qui change, et de combien ?"
    uses: ClassVar[tuple[str, ...]] = ("theme", "territoire")

    def __init__(self, place: Place) -> None:
        self.place, self.city, run = place, place.city, place.run
        self.con = run.view(*TABLES[2:6])
        self.knobs, self.situation_knobs = params.knobs("trends"), params.knobs("situation")
        read = {name: pq.read_table(run.read(name)) for name in TABLES[6:]}
        kept = [t in self.city.themes for t in read[TABLES[6]].column("theme").to_pylist()]
        self.levels = read[TABLES[6]].filter(pa.array(kept, pa.bool_()))
        self.breaks = read[TABLES[7]]
        by_agents, drift, decay = (read[name] for name in TABLES[8:])
        self.caveats = standing.caveats(by_agents, drift, decay, run.city)
        self.doubted = standing.doubted(drift, decay, run.city)
        self.rows = self.levels.to_pylist()
        self.whole = [row for row in self.rows if row["zone"] == WHOLE]
        # The same at each answer.
        self.drawn = figure.complete(
            figures.levels(self.levels, self.city, self.knobs.minimum_count).chart
        )
        self.series = cache(self._series)
        self.proofs = Proofs(run, TABLES, PUBLISHED)
        self.said, self.zones = widgets.HTML(), widgets.HTML()
        self.changes, self.weeks = Panel("changes"), Panel("weeks")
        felt, detail = widgets.HTML(feeling.told(run)), widgets.HTML(self._detail())
        parts = [self.said, self.changes.widget, self.weeks.widget, self.zones, felt, detail]
        self.widget = widgets.VBox(parts)
        self.first = self._first()

    def answer(self, choice: Choice) -> list[Put]:
        """Return what answers the choice, all of it."""
        told = {"thème": choice.theme, "découpage": choice.division, "zone": choice.zone}
        line, weeks, rows = self._weeks(choice, choice.theme or self.first)
        about = (
            f"Chaque thème, les faits de {trends_words.span(self.levels, self.knobs.window_weeks)} "
            "rapportés à ceux d'avant ; en gris, ce qui ne serait pas vu"
        )
        of, kept = self.proofs.of, self.place.kept
        published = self.proofs.published
        changed = of("changes", told, self.drawn)
        changed += kept(choice, (), published["changes"], CHANGE, self._kept())
        shown = of("weeks", told, weeks) + kept(choice, self.uses, published["weeks"], WEEK, rows)
        return [
            (self.said, "value", words(self._answer(choice), "usual")),
            *self.changes.put("Qu'est-ce qui change ?", about, self.drawn, changed),
            *self.weeks.put("Depuis quand ?", line, weeks, shown),
            (self.zones, "value", self._zones(choice)),
        ]

    def _first(self) -> str:
        """Return the theme whose evolution is established and largest, or else the first one."""
        moving = [row for row in self.whole if row["label"] in ("up", "down") and row["ratio"]]
        moving.sort(key=lambda row: (-max(row["ratio"], 1 / row["ratio"]), row["theme"]))
        dated = situation_levels.dated_themes(self.con, self.city)
        return next((row["theme"] for row in moving if row["theme"] in dated), dated[0])

    def _answer(self, choice: Choice) -> str:
        over = f"En {trends_words.span(self.levels, self.knobs.window_weeks)}"
        if choice.theme != ALL_THEMES:
            rows = [row for row in self.rows
                    if row["theme"] == choice.theme and row["zone"] == choice.zone]  # fmt: skip
            title = plain(self.city.themes[choice.theme].title)
            names = self.place.names(choice.division)
            where = plain(situation_words.place(choice.zone, names))
            if not rows:
                return f"**{title}, {where}** : l'évolution n'est jugée qu'au découpage principal."
            return f"**{title}, {where}** : {self._told(rows[0])}"
        told = []
        for label, title in (("up", "en hausse"), ("down", "en baisse")):
            mine = [
                plain(self.city.themes[r["theme"]].title) + self._seeming(r["theme"])
                for r in self.whole if r["label"] == label
            ]  # fmt: skip
            listed = ", ".join(mine[:3]) + (f" et {plural(len(mine) - 3, 'autre')}"
                                            if len(mine) > 3 else "")  # fmt: skip
            told.append(
                f"**{listed}** {title}" if mine else f"aucune {title.removeprefix('en ')} établie"
            )
        counts = Counter(row["label"] for row in self.whole)
        rest = f"{plural(counts['stable'], 'thème stable')}, {number(counts['unclear'])} sans rien "
        rest += "d'établi"
        if counts["abstained"]:
            rest += f", {number(counts['abstained'])} en abstention"
        return f"{over} : {', '.join(told)} ; {rest}."

    def _seeming(self, theme: str) -> str:
        return f" ({trends_words.SEEMING.strip()})" if theme in self.doubted else ""

    def _told(self, row: Mapping[str, Any]) -> str:
        if row["status"] != "ok":
            return f"abstention ({trends_words.reason(row, self.knobs.minimum_count)})."
        seen = trends_words.detectable(row["detectable"], row["detectable_fall"])
        if row["ratio"] is None or row["high"] is None:
            return f"{trends_words.LABELS[row['label']]}, aucun fait la période précédente."
        seeming = trends_words.SEEMING if row["theme"] in self.doubted else ""
        known = self.caveats.get(row["theme"], "")
        return (
            f"{trends_words.LABELS[row['label']]}{seeming}, {change(row['ratio'])} (de "
            f"{change(row['low'])} à {change(row['high'])}) ; {seen}."
            + (f" À savoir : {plain(known)}." if known else "")
        )

    def _kept(self) -> list[list[keep.Cell]]:
        """Return the evolutions of the whole city, as they are kept."""
        return [
            [self.city.themes[r["theme"]].title, trends_words.LABELS[r["label"]],
             r["ratio"], r["low"], r["high"]]
            for r in self.whole
        ]  # fmt: skip

    def _series(self, theme: str, division: str) -> list[tuple[held.Held, Forecasts]]:
        found = held.read(self.con, self.city, theme, division)
        return [(one, situation_levels.forecasts(one, 7)) for one in found]

    def _weeks(
        self, choice: Choice, theme: str
    ) -> tuple[str, dict[str, Any], list[list[keep.Cell]]]:
        """Return line, drawing and rows of a theme's weeks."""
        groups = self.series(theme, choice.division)
        series, past = next(one for one in groups if choice.zone in one[0].zones)
        weeks = situation_levels.weeks(series, choice.zone, self.situation_knobs, past)
        spec = situation_figures.recent_weeks(weeks, WEEKS, 190)
        where = situation_words.place(choice.zone, self.place.names(choice.division))
        line = (
            f"{self.city.themes[theme].title}, {where} : trois ans, semaine par semaine ; bande : "
            "l'habitude, dont une semaine sur vingt sort par hasard"
        )
        title = self.city.themes[theme].title
        return line, spec, [
            [title, choice.zone, where, str(one["first"]), one["n"], one["low"], one["high"]]
            for one in reversed(weeks[:WEEKS])
        ]  # fmt: skip

    def _zones(self, choice: Choice) -> str:
        """Return the zones established as moving, the most certain first, as a table."""
        main = self.city.about.main_division
        rows = [
            row for row in self.rows
            if row["zone"] != WHOLE and row["division"] == main and row["label"] in ("up", "down")
            and choice.theme in (ALL_THEMES, row["theme"])
        ]  # fmt: skip
        rows.sort(key=lambda row: (row["p"], row["theme"], row["zone"]))
        names = self.place.names(main)
        lines = [
            [names.get(r["zone"], situation_words.NO_PLACE), self.city.themes[r["theme"]].title,
             trends_words.LABELS[r["label"]],
             "sans rapport" if r["ratio"] is None else change(r["ratio"]),
             "" if r["low"] is None or r["high"] is None
             else f"{change(r['low'])} à {change(r['high'])}"]
            for r in rows[:LISTED]
        ]  # fmt: skip
        title = f"{plural(len(rows), 'évolution établie')} de zones"
        if not rows:
            return '<section class="app-table"><h2>Aucune évolution de zone établie</h2></section>'
        more = len(rows) - LISTED
        rest = f"<p>et {plural(more, 'autre')}.</p>" if more > 0 else ""
        heads = ("Zone", "Thème", "Évolution", "Rapport", "Intervalle")
        return f'<section class="app-table"><h2>{title}</h2>{table(heads, lines)}{rest}</section>'

    def _detail(self) -> str:
        whose = self.breaks.column("theme").to_pylist()
        known = pa.array([not one or one in self.city.themes for one in whose], pa.bool_())
        shown = self.breaks.filter(known)
        markdown = trends_words.in_words(
            self.levels, shown, self.caveats, self.city, self.knobs, self.doubted
        )
        inside = to_html(markdown)
        return (
            '<details class="app-table"><summary>Tous les thèmes et les ruptures, en mots</summary>'
            f"{inside}</details>"
        )
