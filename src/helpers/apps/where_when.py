"""The page « Où et quand »: cells that stand out, the week's hours, and what repeats nearby."""

from __future__ import annotations

from collections import Counter
from functools import cache
from html import escape
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from shapely.geometry.base import BaseGeometry

from helpers.apps import keep
from helpers.apps.choice import Choice
from helpers.apps.parts import Panel, Proofs, Put, words
from helpers.apps.shell import Place
from helpers.core.base import store
from helpers.core.base.french import number, percent, plural
from helpers.core.base.markup import plain, to_html
from helpers.core.city.names import WHOLE
from helpers.core.place_time.calendar import last_window
from helpers.core.stage import (
    figure,
    heaps,
    maps,
    palette,
    params,
    silence_words,
    standing,
    zone_map,
)
from helpers.hotspots import words as hotspots_words
from helpers.repeats import words as repeats_words
from helpers.rhythms import figures as rhythms_figures
from helpers.rhythms import week as rhythms_week
from helpers.situation import levels
from helpers.situation import words as situation_words

GRADES = ("days", "weeks", "grades", "grades_weekly")
HEARD = tuple(f"derived/reliability/{name}.parquet" for name in (*GRADES, "pile_ups"))
FOUND = (
    "derived/hotspots/cells.parquet",
    "derived/repeats/bands.parquet",
    "derived/repeats/risk.parquet",
)
TABLES = ("cube.parquet", "zones.parquet", *HEARD, *FOUND)
PUBLISHED = {"map": "hotspots/hotspots_map", "rhythm": "rhythms/rhythms_week"}
FRAMES = {"wide": (600, 400), "narrow": (346, 220)}
# What the map and the week are kept as.
CELLS = ("thème", "code", "zone", "maille", "faits")
HOURS = ("thème", "période", "jour", "heure", "faits", "indice", "sûr")
NAMED = 6  # zones named on the map at most
TITLE = "Carte : mailles à part, par quartier"


class WhereWhen:
    """The theme's cells that stand out, its week, and its repeats."""

    title: ClassVar[str] = "Où et quand"
    question: ClassVar[str] = "Où et à quelles heures ?"
    uses: ClassVar[tuple[str, ...]] = ("periode", "theme", "territoire")

    def __init__(self, place: Place) -> None:
        self.place, self.city, run = place, place.city, place.run
        self.con = run.view(*HEARD)
        cells, bands, risk = (pq.read_table(run.read(name)) for name in FOUND)
        self.cells: dict[str, list[dict[str, Any]]] = {}
        for row in cells.to_pylist():
            if row["status"] == "ok":
                self.cells.setdefault(row["theme"], []).append(row)
        self.bands, self.risk = bands, risk
        self.knobs = params.knobs("rhythms")
        self.repeat_knobs, self.cell_knobs = params.knobs("repeats"), params.knobs("hotspots")
        themes = levels.dated_themes(self.con, self.city)
        self._hold()
        self.first = max(themes, key=lambda theme: (len(self._hot(theme)), theme))
        # Asked again at each answer, and the same each time; `cache` on a method would keep pages.
        self.squares, self.zones = cache(self._squares), cache(self._zones)
        self.inside = cache(self._inside)
        self.layouts, self.shapes = cache(self._layouts), cache(self._shapes)
        self.spots = cache(self._spots)
        self.repeated, self.week = cache(self._repeats), cache(self._week)
        self.silent = cache(lambda why: figure.complete(figure.nothing(why)))
        self.proofs = Proofs(run, TABLES, PUBLISHED)
        self.said, self.map, self.repeats = (widgets.HTML() for _ in range(3))
        self.rhythm = Panel("rhythm")
        self.map.add_class("app-map")
        beside = widgets.Box([self.map, self.rhythm.widget])
        beside.add_class("app-beside")
        self.widget = widgets.VBox([self.said, beside, self.repeats])

    def _hold(self) -> None:
        """Put what any week is counted from in memory, where all visitors' processes share it.

        Read from its file, it would take most of the time of an answer.
        """
        offered = (int(days) for _, days in self.place.offer.options["periode"])
        first, after = last_window(self.city, max(self.knobs.window_days, *offered))
        zones = ", ".join(store.quote(f"zone_{name}") for name in self.city.about.divisions)
        self.con.execute(
            f"CREATE TEMP TABLE cube AS SELECT theme, hour, hour_end, time_precision, {zones}, "
            "sum(n)::BIGINT AS n FROM cube WHERE hour >= ? AND hour < ? GROUP BY ALL ORDER BY ALL",
            [first, after],
        )
        self.con.execute("CREATE TEMP TABLE weeks AS SELECT * FROM weeks ORDER BY ALL")

    def answer(self, choice: Choice) -> list[Put]:
        """Return what answers the choice; without a theme, the first whose cells stand out."""
        theme = choice.theme or self.first
        told = {"thème": theme, "découpage": choice.division, "zone": choice.zone,
                "période_jours": choice.days}  # fmt: skip
        zones = self.zones(theme, choice.division)
        drawn = self._map(choice, zones, theme)
        line, week, hours = self._rhythm(choice, theme)
        small = "" if choice.theme else "Le thème aux mailles à part les plus nombreuses. "
        small = f"{small}{self._chance(theme)} {self._span(choice)}".strip()
        of, kept, published = self.proofs.of, self.place.kept, self.proofs.published
        foot = of("map", told, drawn)
        # The map shows all the city's cells, whichever zone is chosen: so do its figures.
        whole = choice.with_value("territoire", choice.division)
        rows = self._kept(theme, choice.division)
        foot += kept(whole, self.uses[1:], published["map"], CELLS, rows)
        shown = of("rhythm", told, week)
        shown += kept(choice, self.uses, published["rhythm"], HOURS, hours)
        return [
            (self.said, "value", words(self._answer(choice, theme, zones), "usual", small)),
            (self.map, "value", f'{drawn}<div class="app-foot">{foot}</div>'),
            *self.rhythm.put("À quelles heures ?", line, week, shown),
            (self.repeats, "value", self.repeated(theme)),
        ]

    def _hot(self, theme: str) -> list[dict[str, Any]]:
        return [row for row in self.cells.get(theme, ()) if row["hot"]]

    def _squares(self, theme: str) -> list[BaseGeometry]:
        rows = [{"cell": row["cell"]} for row in self._hot(theme)]
        squares = maps.cell_features(rows, self.city.about.crs)
        return [shapely.geometry.shape(one["geometry"]) for one in squares]

    def _shapes(self, division: str) -> tuple[list[str], shapely.STRtree]:
        """Return the codes of the division's drawn zones, and a tree of their shapes."""
        features = maps.zone_features(self.con, division)
        shapes = [shapely.geometry.shape(one["geometry"]) for one in features]
        tree = shapely.STRtree(np.array(shapes, dtype=object))
        return [one["properties"]["code"] for one in features], tree

    def _inside(self, theme: str, division: str) -> list[str]:
        """Return, for each cell that stands out, the zone that holds its middle, or nothing."""
        codes, tree = self.shapes(division)
        middles = [square.centroid for square in self.squares(theme)]
        found = [""] * len(middles)
        if codes and middles:
            for cell, zone in tree.query(np.array(middles, dtype=object), predicate="within").T:
                found[cell] = codes[zone]
        return found

    def _zones(self, theme: str, division: str) -> dict[str, int]:
        """Return zone → how many cells that stand out have their middle there, the most first."""
        count = Counter(code for code in self.inside(theme, division) if code)
        return dict(sorted(count.items(), key=lambda one: (-one[1], one[0])))

    def _chance(self, theme: str) -> str:
        """Return what of the cells told would be there by chance, as a sentence; or nothing."""
        if not self._hot(theme):
            return ""
        times, rate = self.cell_knobs.times, 100 * self.cell_knobs.false_discovery_rate
        return (
            f"À part : plus de {number(times)} fois la moyenne, assez nettement pour que, de tant "
            f"de mailles comparées, {number(rate)} sur 100 au plus soient dites à part à tort, en "
            "moyenne."
        )

    def _span(self, choice: Choice) -> str:
        """Return what follows the period chosen, where the cells are those of a longer one."""
        if choice.days == self.cell_knobs.window_days:
            return ""
        return (
            f"Mailles : toujours sur {self._lasting(self.cell_knobs.window_days)}, une période plus"
            " courte ayant trop peu de faits par maille ; la période choisie règle les heures."
        )

    def _answer(self, choice: Choice, theme: str, zones: dict[str, int]) -> str:
        title = plain(self.city.themes[theme].title)
        mine = self.cells.get(theme, [])
        hot = self._hot(theme)
        if not mine:
            return f"**{title}** : abstention, trop peu de faits localisés pour une carte."
        names = self.place.names(choice.division)
        if not hot:
            return f"**{title}** : aucune maille à part ; les faits ne se concentrent pas."
        inside = sum(r["n"] for r in hot) / max(sum(r["n"] for r in mine), 1)
        listed = [f"{plain(names.get(code, situation_words.NO_PLACE))} ({plural(n, 'maille')})"
                  for code, n in list(zones.items())[:3]]  # fmt: skip
        more = f" et {plural(len(zones) - 3, 'autre')}" if len(zones) > 3 else ""
        first = f" ; d'abord {', '.join(listed)}{more}" if listed else ""
        own = ""
        if choice.zone != WHOLE:
            own = (f" {plain(names[choice.zone])} : "
                   f"{plural(zones.get(choice.zone, 0), 'maille')} à part.")  # fmt: skip
        return (
            f"**{title}**, sur {self._lasting(self.cell_knobs.window_days)} : "
            f"{plural(len(hot), 'maille')} à part sur "
            f"{number(len(mine))}, qui porte{'nt' * (len(hot) > 1)} {percent(inside)} des faits "
            f"localisés{first}.{own}"
        )

    def _map(self, choice: Choice, zones: dict[str, int], theme: str) -> str:
        names = self.place.names(choice.division)
        called = {value: label for label, value in self.place.offer.options["territoire"]}
        shown = {
            code: zone_map.Zone(
                palette.LAND, "ground",
                f"{name} : {plural(zones.get(code, 0), 'maille')} à part",
                called.get(f"{choice.division}/{code}", ""),
            )
            for code, name in names.items()
        }  # fmt: skip
        named = {code: names[code] for code in list(zones)[:NAMED] if code in names}
        if choice.zone in names:
            named = {choice.zone: names[choice.zone], **named}
        parts, spots = [], self.spots(theme, choice.division)
        for frame, ground in self.layouts(choice.division).items():
            svg = zone_map.svg(ground, shown, named, TITLE, choice.zone if choice.zone in shown
                               else "", spots[frame])  # fmt: skip
            parts.append(f'<div class="app-{frame}">{svg}</div>')
        span = self._lasting(self.cell_knobs.window_days)
        told = (
            f'<ul class="app-legend"><li><span style="background:{palette.HOT}"></span>'
            f"maille à part ({escape(self.city.themes[theme].title)}), sur {span}</li></ul>"
        )
        return "".join(parts) + told if parts else "<p>Découpage sans contours : pas de carte.</p>"

    def _kept(self, theme: str, division: str) -> list[list[keep.Cell]]:
        """Return the theme's cells that stand out, each in its zone, as they are kept."""
        title, names = self.city.themes[theme].title, self.place.names(division)
        inside = self.inside(theme, division)
        return [
            [title, code, names.get(code, situation_words.NO_PLACE), row["cell"], row["n"]]
            for row, code in zip(self._hot(theme), inside, strict=True)
        ]

    def _spots(self, theme: str, division: str) -> dict[str, str]:
        squares = self.squares(theme)
        return {name: ground.marks(squares) for name, ground in self.layouts(division).items()}

    def _layouts(self, division: str) -> dict[str, zone_map.Layout]:
        features = maps.zone_features(self.con, division)
        return {n: zone_map.layout(features, *size) for n, size in FRAMES.items() if features}

    def _week(self, theme: str, days: int, zone: tuple[str, str] | None) -> rhythms_week.Week:
        span = last_window(self.city, days)
        least = self.knobs.minimum_count
        return rhythms_week.week(self.con, self.city, theme, span, self.knobs, zone, least)

    def _rhythm(
        self, choice: Choice, theme: str
    ) -> tuple[str, dict[str, Any], list[list[keep.Cell]]]:
        """Return line, drawing and rows of the theme's week; of an abstention, its words alone."""
        zone = None if choice.zone == WHOLE else (choice.division, choice.zone)
        enough, told = self.knobs.minimum_count, situation_words.period_title(choice.days)
        week, year = self.week(theme, choice.days, zone), self._lasting(self.knobs.window_days)
        if week.thin.all() and choice.days != self.knobs.window_days:
            few = "compte trop peu de faits" if week.total < enough else "n'établit aucun écart"
            week = self.week(theme, self.knobs.window_days, zone)
            told = f"sur {year}, car la période choisie {few}"
        title = self.city.themes[theme].title
        if week.total < enough:
            told = f"abstention, trop peu de faits, même sur {year}"
            # No hour is drawn: none is kept.
            return f"{title} : {told}", self.silent(told), [[title, told, *[None] * len(HOURS[2:])]]
        if week.thin.all():
            told = f"aucun écart établi entre heures, même sur {year}"
        else:
            told = " ; ".join(
                [told, *(h.words for h in heaps.of_theme(self.con, self.city, theme))]
            )
        rows = rhythms_figures.grid(week.weights, week.lived, week.thin)
        hours = [[title, told, *(row[name] for name in HOURS[2:])] for row in rows]
        spec = figure.drawn(rhythms_figures.heatmap, (rows,), 470, 190)
        return f"{title} : {told}", spec, hours

    def _lasting(self, window_days: int) -> str:
        """Return how long a window is: what the city has, if that is less."""
        period = self.city.about.period
        return situation_words.lasting(min(window_days, (period.end - period.start).days + 1))

    def _repeats(self, theme: str) -> str:
        keep = pa.array(
            [one == theme for one in self.bands.column("theme").to_pylist()], pa.bool_()
        )
        city = standing.restricted(self.city, {theme})
        told = repeats_words.repeats(
            self.bands.filter(keep), self.risk.slice(0, 0), city, self.repeat_knobs.minimum_count
        )
        told += silence_words.unheard(
            self.con, city, self.cell_knobs.window_days, hotspots_words.SILENCES
        )
        return f'<section class="app-table"><h2>Cela se répète-t-il ?</h2>{to_html(told)}</section>'
