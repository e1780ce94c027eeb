"""The page « Moyens »: with what exists, where do hours go; what if; what is decided of it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import pyarrow.parquet as pq

from helpers.allocation import figures, staff_words, tables, usual_week
from helpers.allocation import words as told
from helpers.apps import means_words as said
from helpers.apps.choice import Choice
from helpers.apps.deciding import Deciding
from helpers.apps.events_map import FRAMES
from helpers.apps.keep import Cell
from helpers.apps.means_asked import Otherwise
from helpers.apps.means_decided import Recommended
from helpers.apps.parts import Panel, Proofs, Put, folded, table, words
from helpers.apps.shell import Place
from helpers.core.base.french import number, percent
from helpers.core.base.markup import to_html
from helpers.core.city import staff_rules
from helpers.core.place_time import calendar, places
from helpers.core.stage import figure, maps, palette, params, standing, zone_map

KEPT = ("plan", "summary", "conflicts", "prices", "recommendations", "staff")
TABLES = tuple(f"derived/allocation/{name}.parquet" for name in KEPT)
RELIABILITY = tuple(f"derived/reliability/{name}.parquet" for name in ("weeks", "grades"))
PUBLISHED = {"moved": "allocation/allocation_moved", "prices": "allocation/allocation_prices"}
MAP = "Carte : les heures que le plan ajoute ou retire"
SAME = 0.02  # share of its hours by which a zone has about as many
LEGEND = ((palette.MORE, "plus d'heures"), (palette.LESS, "moins"),
          (palette.LAND, f"à peu près autant (à {percent(SAME)} près)"))  # fmt: skip
WITHOUT = "Faits de plus si elle était levée, depuis le meilleur plan, coût des changements déduit"
NO_MAP = "<p>Découpage sans contours, ou aucun plan : pas de carte.</p>"
HEADS = ("zone", "plage", "aujourd'hui", "plan", "écart")


class Means:
    """The answer, where hours move, the map; the hours, what if, decisions, what rules cost."""

    title: ClassVar[str] = "Moyens"
    question: ClassVar[str] = "Avec ce qui existe, où mettre les heures ?"
    uses: ClassVar[tuple[str, ...]] = ()

    def __init__(self, place: Place) -> None:
        self.place, run = place, place.run
        self.city = run.city
        self.con = run.view("zones.parquet", *RELIABILITY)
        read = {path.rpartition("/")[2].split(".")[0]: pq.read_table(run.read(path))
                for path in TABLES}  # fmt: skip
        self.plan, self.prices = read["plan"], read["prices"]
        self.found = tables.read_summary(read["summary"], read["conflicts"])
        self.rows = self.plan.to_pylist()
        lineage = json.loads(run.read("derived/allocation/lineage.json").read_text("utf-8"))
        # Those that the plan was made with, whatever `params.yaml` says now.
        self.knobs = params.typed(
            "allocation", lineage["parameters"], "derived/allocation", run.root
        )
        self.slots = {code: slot.title for code, slot in self.city.about.slots.items()}
        self.names = said.Names(places.zone_names(self.con, self.city, every=True),
                                told.shifts(self.city))  # fmt: skip
        self.moves, self.staff = read["recommendations"].to_pylist(), read["staff"]
        self.proofs = Proofs(run, TABLES, PUBLISHED)
        self.map_of = cache(self._map)
        self.said, self.cards, self.map, self.tiles, self.more = (widgets.HTML() for _ in range(5))
        self.map.add_class("app-map")
        self.moved, self.cost = Panel("moved"), Panel("prices")
        fold = widgets.Box([self.cards, self.map, self.tiles])
        fold.add_class("app-fold")
        beside = widgets.Box([self.moved.widget, self.cost.widget])
        beside.add_class("app-beside")
        self.widget = widgets.VBox([self.said, fold, *self._acts(), beside, self.more])

    def _acts(self) -> list[widgets.DOMWidget]:
        """Return what a visitor tries and decides; nothing where there is no usual week."""
        week = usual_week.again(self.plan, self.city.about.slots)
        if week is None:
            return []
        shown = None
        if self.found.met:
            grid = usual_week.grid(self.rows, week.zones, week.slots, "planned_h")
            shown = grid.astype(np.int64)
        lasts = usual_week.hours_of(self.city.about.slots)
        hours = np.array([lasts[code] for _, code in week.slots], dtype=np.int64)
        acts: list[widgets.DOMWidget] = [
            Otherwise(week, shown, hours, self.knobs, self.names, self.slots, self._kept_other)
        ]
        if self.moves:
            offered = {
                row["recommendation"]: said.recommendation(row, self.slots, self.names)
                for row in sorted(self.moves, key=lambda r: (
                    -abs(r["planned_h"] - r["today_h"]), r["zone"], r["slot"]))
            }  # fmt: skip
            given = {row["recommendation"]: row["planned_h"] for row in self.moves}
            about, run = self.city.about, self.place.run
            kind = Recommended(offered, given, about.period.end.year, about.timezone)
            acts.append(Deciding(run.root, run.workspace.pack, kind))
        return acts

    def answer(self, choice: Choice) -> list[Put]:
        """Return the plan, the same for every choice; addresses that it holds carry the choice."""
        level = "watch" if self.found.conflicts else "usual"
        answer = told.answer(self.found, self.names.all()).replace("\n\n", " ")
        moved = figure.complete(figures.moved(self.plan, self.city, self.names.all()).chart)
        prices = figure.complete(figures.prices(self.prices).chart)
        feet = [self._foot(choice, "moved", moved, said.HOURS,
                           said.kept(self.rows, self.slots, self.names)),
                self._foot(choice, "prices", prices, said.PRICES, self._kept_prices())]  # fmt: skip
        return [
            (self.said, "value", words(answer, level, self._reliability())),
            (self.cards, "value", said.moves(self.moves, self.slots, self.names)),
            (self.map, "value", self.map_of()),
            (self.tiles, "value", said.tiles(self.found)),
            *self.moved.put("Où et quand ?", "Heures d'équipe ajoutées ou retirées, par semaine",
                            moved, feet[0]),
            *self.cost.put("Que coûte chaque règle ?", WITHOUT, prices, feet[1]),
            (self.more, "value", self._more()),
        ]  # fmt: skip

    def _foot(
        self, choice: Choice, area: str, spec: dict[str, Any], heads: tuple[str, ...],
        rows: list[list[Cell]],
    ) -> str:  # fmt: skip
        kept = self.place.kept(choice, self.uses, self.proofs.published[area], heads, rows)
        return self.proofs.of(area, {}, spec) + kept

    def _kept_prices(self) -> list[list[Cell]]:
        return [[told.KINDS[row["rule"]], row["low"], row["high"]]
                for row in self.prices.to_pylist()]  # fmt: skip

    def _kept_other(self, rows: list[list[Cell]]) -> str:
        return self.place.kept(self.place.offer.first, (), self.proofs.published["moved"],
                               said.OTHERS, rows, drawn=False)  # fmt: skip

    def _reliability(self) -> str:
        days = calendar.last_days(self.city, 7 * self.knobs.reference_weeks)
        badge = standing.badge(self.con, self.place.city.themed_sources(), *days)
        return f"Demande : {badge}." if badge else ""

    def _more(self) -> str:
        lines = [
            [self.names.zone(r["zone"]), self.slots[r["slot"]], number(r["today_h"]),
             number(r["planned_h"]), said.signed(r["planned_h"] - r["today_h"])]
            for r in sorted(self.moves, key=lambda r: (r["zone"], r["slot"]))
        ]  # fmt: skip
        trust = told.trust(self.found, self.city, self.names.all())
        rules = staff_rules.read_rules(self.city)
        return (
            (f'<section class="app-table"><h2>Ce que vaut ce plan</h2>{to_html(trust)}</section>'
             if trust else "")
            + (folded("Toutes les heures, par zone et plage, par semaine", "").replace(
                "</summary>", f"</summary>{table(HEADS, lines)}") if lines else "")
            + (folded("Les effectifs de la commune, en repère",
                      staff_words.told(self.staff, rules, self.city)) if rules else "")
        )  # fmt: skip

    def _map(self) -> str:
        """Return the map of hours by week that each zone wins or loses."""
        rule = self.city.about.patrols
        features = maps.zone_features(self.con, rule.division) if rule else []
        if not features or not self.found.met:
            return NO_MAP
        moved: dict[str, int] = {}
        today: dict[str, int] = {}
        for row in self.rows:
            zone, now = row["zone"], row["today_h"]
            moved[zone] = moved.get(zone, 0) + row["planned_h"] - now
            today[zone] = today.get(zone, 0) + now
        codes = [one["properties"]["code"] for one in features]
        zones = {code: _zone(code, moved.get(code, 0), today.get(code, 0), self.names)
                 for code in codes}  # fmt: skip
        named = {code: said.signed(moved[code]) for code in codes if moved.get(code)}
        drawn = "".join(
            f'<div class="app-{name}">'
            f"{zone_map.svg(zone_map.layout(features, *size), zones, named, MAP)}</div>"
            for name, size in FRAMES.items()
        )
        items = "".join(f'<li><span style="background:{colour}"></span>{text}</li>'
                        for colour, text in LEGEND)  # fmt: skip
        return f'{drawn}<ul class="app-legend">{items}</ul>'


def _zone(code: str, moved: int, today: int, names: said.Names) -> zone_map.Zone:
    words = said.zone_line(code, moved, names)
    if abs(moved) <= SAME * today:
        return zone_map.Zone(palette.LAND, "ground", words)
    fill, kind = (palette.MORE, "more") if moved > 0 else (palette.LESS, "less")
    return zone_map.Zone(fill, kind, words)
