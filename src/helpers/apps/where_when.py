"""The page « Où et quand »: cells that stand out, the week's hours, and what repeats nearby."""

from __future__ import annotations

from collections import Counter
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
from helpers.apps.parts import Panel, Proofs, evidence_line, words
from helpers.apps.shell import Place
from helpers.core.base.french import number, percent, plural
from helpers.core.base.markup import plain, to_html
from helpers.core.city.names import WHOLE
from helpers.core.place_time.calendar import window
from helpers.core.stage import figure, maps, palette, params, standing, zone_map
from helpers.repeats import words as repeats_words
from helpers.rhythms import figures as rhythms_figures
from helpers.rhythms import week as rhythms_week
from helpers.situation import levels
from helpers.situation import words as situation_words

TABLES = (
    "cube.parquet",
    "zones.parquet",
    "derived/reliability/days.parquet",
    "derived/reliability/weeks.parquet",
    "derived/reliability/grades.parquet",
    "derived/hotspots/cells.parquet",
    "derived/repeats/bands.parquet",
    "derived/repeats/risk.parquet",
)
PUBLISHED = {"map": "hotspots/hotspots_map", "rhythm": "rhythms/rhythms_week"}
FRAMES = {"wide": (600, 400), "narrow": (346, 220)}
# What the map and the week are kept as.
CELLS = ("thème", "maille", "faits")
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
        self.con = run.view(*TABLES[2:5])
        cells, bands, risk = (pq.read_table(run.read(name)) for name in TABLES[5:])
        self.cells = [row for row in cells.to_pylist() if row["status"] == "ok"]
        self.reasons = {r["theme"]: r["reason"] for r in cells.to_pylist() if r["status"] != "ok"}
        self.bands, self.risk = bands, risk
        self.knobs = params.knobs("rhythms")
        self.repeat_knobs = params.knobs("repeats")
        self.themes = levels.dated_themes(self.con, self.city)
        self.proofs = Proofs(run, TABLES, PUBLISHED)
        self.grounds: dict[str, dict[str, zone_map.Layout]] = {}
        self.answer, self.map, self.repeats = (widgets.HTML() for _ in range(3))
        self.rhythm = Panel("rhythm")
        self.map.add_class("app-map")
        beside = widgets.Box([self.map, self.rhythm.widget])
        beside.add_class("app-beside")
        self.widget = widgets.VBox([self.answer, beside, self.repeats])

    def show(self, choice: Choice) -> None:
        """Answer the choice; without a theme, the first one whose cells stand out."""
        hot = Counter(row["theme"] for row in self.cells if row["hot"])
        first = max(self.themes, key=lambda theme: (hot[theme], theme))
        theme = choice.theme or first
        said = {"thème": theme, "découpage": choice.division, "zone": choice.zone,
                "période_jours": choice.days}  # fmt: skip
        zones = self._zones(theme, choice)
        drawn = self._map(choice, zones, theme)
        line, week, hours = self._rhythm(choice, theme)
        repeats = self._repeats(theme)
        small = "" if choice.theme else "Le thème aux mailles à part les plus nombreuses."
        self.answer.value = words(self._answer(choice, theme, zones), "usual", small)
        proof = self.proofs.of("map", said, drawn)
        kept = self.place.kept(choice, self.uses[1:], proof, CELLS, self._kept(theme))
        self.map.value = f'{drawn}<div class="app-foot">{evidence_line(proof)}{kept}</div>'
        proof = self.proofs.of("rhythm", said, figure.complete(week))
        kept = self.place.kept(choice, self.uses, proof, HOURS, hours)
        self.rhythm.show("À quelles heures ?", line, week, proof, kept)
        self.repeats.value = repeats

    def _hot(self, theme: str) -> list[dict[str, Any]]:
        return [row for row in self.cells if row["theme"] == theme and row["hot"]]

    def _squares(self, theme: str) -> list[BaseGeometry]:
        rows = [{"cell": row["cell"]} for row in self._hot(theme)]
        squares = maps.cell_features(rows, self.city.about.crs)
        return [shapely.geometry.shape(one["geometry"]) for one in squares]

    def _zones(self, theme: str, choice: Choice) -> dict[str, int]:
        """Return zone → how many cells that stand out have their middle there, the most first."""
        features = maps.zone_features(self.con, choice.division)
        shapes = [shapely.geometry.shape(one["geometry"]) for one in features]
        middles = [square.centroid for square in self._squares(theme)]
        if not shapes or not middles:
            return {}
        tree = shapely.STRtree(np.array(shapes, dtype=object))
        _, inside = tree.query(np.array(middles, dtype=object), predicate="within")
        count = Counter(features[i]["properties"]["code"] for i in inside.tolist())
        return dict(sorted(count.items(), key=lambda one: (-one[1], one[0])))

    def _answer(self, choice: Choice, theme: str, zones: dict[str, int]) -> str:
        title = plain(self.city.themes[theme].title)
        mine = [row for row in self.cells if row["theme"] == theme]
        hot = self._hot(theme)
        if not mine:
            return f"**{title}** : abstention, trop peu de faits localisés pour une carte."
        names = self.place.names(choice.division)
        if not hot:
            return f"**{title}** : aucune maille à part ; les faits ne se concentrent pas."
        inside = sum(r["n"] for r in hot) / max(sum(r["n"] for r in mine), 1)
        listed = [f"{plain(names.get(code, situation_words.NO_PLACE))} ({n})"
                  for code, n in list(zones.items())[:3]]  # fmt: skip
        more = f" et {plural(len(zones) - 3, 'autre')}" if len(zones) > 3 else ""
        first = f" ; d'abord {', '.join(listed)}{more}" if listed else ""
        own = ""
        if choice.zone != WHOLE:
            own = (f" Dans {plain(names[choice.zone])} : "
                   f"{plural(zones.get(choice.zone, 0), 'maille')} à part.")  # fmt: skip
        return (
            f"**{title}**, sur un an : {plural(len(hot), 'maille')} à part sur "
            f"{number(len(mine))}, qui porte{'nt' * (len(hot) > 1)} {percent(inside)} des faits "
            f"localisés{first}.{own}"
        )

    def _map(self, choice: Choice, zones: dict[str, int], theme: str) -> str:
        names = self.place.names(choice.division)
        if choice.division not in self.grounds:
            features = maps.zone_features(self.con, choice.division)
            self.grounds[choice.division] = {
                name: zone_map.layout(features, *size) for name, size in FRAMES.items() if features
            }
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
        squares, parts = self._squares(theme), []
        for frame, ground in self.grounds[choice.division].items():
            svg = zone_map.svg(ground, shown, named, TITLE, choice.zone if choice.zone in shown
                               else "", ground.marks(squares))  # fmt: skip
            parts.append(f'<div class="app-{frame}">{svg}</div>')
        told = (
            f'<ul class="app-legend"><li><span style="background:{palette.HOT}"></span>'
            f"maille de {escape(self.city.themes[theme].title)} à part, sur un an</li></ul>"
        )
        return "".join(parts) + told if parts else "<p>Découpage sans contours : pas de carte.</p>"

    def _kept(self, theme: str) -> list[list[keep.Cell]]:
        """Return the theme's cells that stand out, as they are kept."""
        title = self.city.themes[theme].title
        return [[title, row["cell"], row["n"]] for row in self._hot(theme)]

    def _rhythm(self, choice: Choice, theme: str) -> tuple[str, Any, list[list[keep.Cell]]]:
        zone = None if choice.zone == WHOLE else (choice.division, choice.zone)
        enough, told = self.knobs.minimum_count, situation_words.period_title(choice.days)
        end = self.city.about.period.end
        week = rhythms_week.week(
            self.con, self.city, theme, window(end, choice.days), self.knobs, zone
        )
        if week.total < enough or week.thin.all():
            few = "compte trop peu de faits" if week.total < enough else "n'établit aucun écart"
            whole = window(end, self.knobs.window_days)
            week = rhythms_week.week(self.con, self.city, theme, whole, self.knobs, zone)
            told = f"sur douze mois, la période {few}"
        thin = week.thin
        if week.total < enough:
            thin, told = np.ones_like(thin), "abstention, trop peu de faits"
        rows = rhythms_figures.grid(week.weights, week.lived, thin)
        title = self.city.themes[theme].title
        line = f"{title} : {told}"
        hours = [[title, told, *(row[name] for name in HOURS[2:])] for row in rows]
        return line, rhythms_figures.heatmap(rows, 470, 190), hours

    def _repeats(self, theme: str) -> str:
        keep = pa.array(
            [one == theme for one in self.bands.column("theme").to_pylist()], pa.bool_()
        )
        city = standing.restricted(self.city, {theme})
        told = repeats_words.repeats(
            self.bands.filter(keep), self.risk.slice(0, 0), city, self.repeat_knobs.minimum_count
        )
        return f'<section class="app-table"><h2>Cela se répète-t-il ?</h2>{to_html(told)}</section>'
