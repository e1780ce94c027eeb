"""The page « Tendances »: what changes over a year, and what would not be seen to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from html import escape
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

VIEWED = (
    "derived/reliability/days.parquet",
    "derived/reliability/delays.parquet",
    "derived/reliability/extraordinary.parquet",
    "derived/trends/recorded.parquet",
)
FOUND = ("derived/trends/levels.parquet", "derived/trends/breaks.parquet")
CAVEATS = (
    "derived/patrol/themes.parquet",
    "derived/reliability/drift.parquet",
    "derived/reliability/decay.parquet",
)
TABLES = ("cube.parquet", "zones.parquet", *VIEWED, *FOUND, *CAVEATS)
PUBLISHED = {"changes": "trends/trends_levels", "weeks": "trends/trends_weekly"}
# What the evolutions and the curve are kept as.
CHANGE = ("thème", "évolution", "rapport", "de", "à", "à savoir")
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
        self.con = run.view(*VIEWED)
        self.knobs, self.situation_knobs = params.knobs("trends"), params.knobs("situation")
        every, self.breaks = (pq.read_table(run.read(name)) for name in FOUND)
        kept = [theme in self.city.themes for theme in every.column("theme").to_pylist()]
        self.levels = every.filter(pa.array(kept, pa.bool_()))
        by_agents, drift, decay = (pq.read_table(run.read(name)) for name in CAVEATS)
        self.caveats = standing.caveats(by_agents, drift, decay, run.city)
        self.doubted = standing.doubted(drift, decay, run.city)
        self.rows = self.levels.to_pylist()
        # The same at each answer.
        self.drawn, self.series = cache(self._drawn), cache(self._series)
        self.proofs = Proofs(run, TABLES, PUBLISHED)
        self.said, self.zones = widgets.HTML(), widgets.HTML()
        self.changes, self.weeks = Panel("changes"), Panel("weeks")
        felt, detail = widgets.HTML(feeling.told(run)), widgets.HTML(self._detail())
        parts = [self.said, self.changes.widget, self.weeks.widget, self.zones, felt, detail]
        self.widget = widgets.VBox(parts)
        self.first = cache(self._first)

    def answer(self, choice: Choice) -> list[Put]:
        """Return what answers the choice, all of it."""
        told = {"thème": choice.theme, "découpage": choice.division, "zone": choice.zone}
        line, weeks, rows = self._weeks(choice, choice.theme or self.first(choice.zone))
        judged = choice if self._rows(choice.division, choice.zone) else self._whole(choice)
        where = situation_words.place(judged.zone, self.place.names(choice.division))
        about = (
            f"{where[:1].upper()}{where[1:]}, chaque thème : les faits de "
            f"{trends_words.span(self.levels, self.knobs.window_weeks)} rapportés à ceux d'avant ; "
            "en gris, ce qui ne serait pas vu"
        )
        of, kept = self.proofs.of, self.place.kept
        published, drawn = self.proofs.published, self.drawn(judged.division, judged.zone)
        changed = of("changes", told | {"thème": ALL_THEMES, "zone": judged.zone}, drawn)
        changed += kept(
            judged, ("territoire",) if judged.zone != WHOLE else (), published["changes"], CHANGE,
            self._kept(judged),
        )  # fmt: skip
        shown = of("weeks", told, weeks) + kept(choice, self.uses, published["weeks"], WEEK, rows)
        return [
            (self.said, "value", words(self._answer(choice), "usual", self._chance(choice))),
            *self.changes.put("Qu'est-ce qui change ?", about, drawn, changed),
            *self.weeks.put("Depuis quand ?", line, weeks, shown),
            (self.zones, "value", self._zones(choice, judged.zone, where)),
        ]

    def _first(self, zone: str) -> str:
        """Return the theme whose evolution there is established and largest.

        Where none is, that of the whole city.
        """
        moving = [row for row in self.rows if row["zone"] == zone
                  and row["label"] in ("up", "down") and row["ratio"]]  # fmt: skip
        if not moving and zone != WHOLE:
            return self.first(WHOLE)
        moving.sort(key=lambda row: (-max(row["ratio"], 1 / row["ratio"]), row["theme"]))
        dated = situation_levels.dated_themes(self.con, self.city)
        return next((row["theme"] for row in moving if row["theme"] in dated), dated[0])

    def _rows(self, division: str, zone: str) -> list[dict[str, Any]]:
        """Return a place's evolutions, a row a theme; nothing where none is judged."""
        return [
            row for row in self.rows
            if row["zone"] == zone and (zone == WHOLE or row["division"] == division)
        ]  # fmt: skip

    def _whole(self, choice: Choice) -> Choice:
        return choice.with_value("territoire", choice.division)

    def _drawn(self, division: str, zone: str) -> dict[str, Any]:
        rows = pa.Table.from_pylist(self._rows(division, zone), schema=self.levels.schema)
        where = situation_words.place(zone, self.place.names(division))
        enough = self.knobs.minimum_count
        return figure.complete(figures.levels(rows, self.city, enough, zone, where).chart)

    def _answer(self, choice: Choice) -> str:
        rows = [
            row for row in self._rows(choice.division, choice.zone)
            if choice.theme in (ALL_THEMES, row["theme"])
        ]  # fmt: skip
        where = plain(situation_words.place(choice.zone, self.place.names(choice.division)))
        about = self.city.about
        main = plain(about.divisions[about.main_division].title.lower())
        elsewhere = f"l'évolution n'est jugée que pour la ville et ses {main}"
        if choice.theme != ALL_THEMES:
            title = plain(self.city.themes[choice.theme].title)
            return f"**{title}, {where}** : {self._told(rows[0]) if rows else f'{elsewhere}.'}"
        span = trends_words.span(self.levels, self.knobs.window_weeks)
        head = f"En {span}" + ("" if choice.zone == WHOLE else f", **{where}**")
        return f"{head} : {_of_all(rows, self._title) if rows else elsewhere}."

    def _title(self, theme: str) -> str:
        return plain(self.city.themes[theme].title) + self._seeming(theme)

    def _chance(self, choice: Choice) -> str:
        """Return what of the evolutions told of zones would be there by chance, as a sentence."""
        judged = [row for row in self.rows if row["zone"] != WHOLE and row["status"] == "ok"
                  and choice.theme in (ALL_THEMES, row["theme"])]  # fmt: skip
        if not judged:
            return ""
        rate = number(100 * self.knobs.false_discovery_rate)
        return (
            f"Zones : {plural(len(judged), 'évolution comparée')}, et sur tant le hasard seul en "
            "ferait ressortir. Celles dites établies sont assez nettes pour que, thème par thème, "
            f"{rate} sur 100 au plus soient fausses, en moyenne."
        )

    def _seeming(self, theme: str) -> str:
        return f" ({trends_words.SEEMING.strip()})" if theme in self.doubted else ""

    def _told(self, row: Mapping[str, Any]) -> str:
        if row["status"] != "ok":
            return f"abstention ({trends_words.reason(row, self.knobs.minimum_count)})."
        seen = trends_words.detectable(row["detectable"], row["detectable_fall"])
        if row["ratio"] is None or row["high"] is None:
            return f"{self._label(row)}, aucun fait la période précédente."
        known, taken = self.caveats.get(row["theme"], ""), trends_words.remark(row)
        return (
            f"{self._label(row)}, {change(row['ratio'])} (de "
            f"{change(row['low'])} à {change(row['high'])}) ; {seen}"
            f"{f' ; {plain(taken)}' if taken else ''}."
            + (f" À savoir : {plain(known)}." if known else "")
        )

    def _label(self, row: Mapping[str, Any]) -> str:
        return trends_words.evolution(row["label"], doubted=row["theme"] in self.doubted)

    def _kept(self, choice: Choice) -> list[list[keep.Cell]]:
        """Return the evolutions of a place, as they are kept."""
        return [
            [self.city.themes[r["theme"]].title, self._label(r),
             r["ratio"], r["low"], r["high"], self.doubted.get(r["theme"])]
            for r in self._rows(choice.division, choice.zone)
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

    def _zones(self, choice: Choice, place: str, where: str) -> str:
        """Return the zones established as moving, the most certain first, as a table.

        `place`: the one told of, called `where`, or all.
        """
        main = self.city.about.main_division
        rows = [
            row for row in self.rows
            if row["zone"] != WHOLE and row["division"] == main and row["label"] in ("up", "down")
            and choice.theme in (ALL_THEMES, row["theme"]) and place in (WHOLE, row["zone"])
        ]  # fmt: skip
        rows.sort(key=lambda row: (row["p"], row["theme"], row["zone"]))
        names = self.place.names(main)
        lines = [
            [names.get(r["zone"], situation_words.NO_PLACE), self.city.themes[r["theme"]].title,
             self._label(r),
             "sans rapport" if r["ratio"] is None else change(r["ratio"]),
             "" if r["low"] is None or r["high"] is None
             else f"{change(r['low'])} à {change(r['high'])}"]
            for r in rows[:LISTED]
        ]  # fmt: skip
        of = " de zones" if place == WHOLE else ""
        title = f"{plural(len(rows), 'évolution établie')}{of}" if rows else (
            f"aucune évolution{of[:-1]} établie"
        )  # fmt: skip
        head = f"<h2>{escape(where[:1].upper() + where[1:])} : {title}</h2>"
        if not rows:
            return f'<section class="app-table">{head}</section>'
        more = len(rows) - LISTED
        rest = f"<p>et {plural(more, 'autre')}.</p>" if more > 0 else ""
        heads = ("Zone", "Thème", "Évolution", "Rapport", "Intervalle")
        return f'<section class="app-table">{head}{table(heads, lines)}{rest}</section>'

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


def _of_all(rows: Sequence[Mapping[str, Any]], title: Callable[[str], str]) -> str:
    """Return what moves among the evolutions of one place, a row a theme, then what does not."""
    told = []
    for label, said in (("up", "en hausse"), ("down", "en baisse")):
        mine = [title(row["theme"]) for row in rows if row["label"] == label]
        more = f" et {plural(len(mine) - 3, 'autre')}" if len(mine) > 3 else ""
        told.append(
            f"**{', '.join(mine[:3])}{more}** {said}" if mine
            else f"aucune {said.removeprefix('en ')} établie"
        )  # fmt: skip
    counts = Counter(row["label"] for row in rows)
    rest = [
        f"{plural(counts[label], 'thème')} {said}"
        for label, said in (("stable", "sans changement"), ("unclear", "sans rien d'établi"),
                            ("abstained", "en abstention")) if counts[label]
    ]  # fmt: skip
    return " ; ".join([", ".join(told), *([", ".join(rest)] if rest else [])])
