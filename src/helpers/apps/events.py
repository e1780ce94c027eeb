"""The page « Événements »: is one covered, how many at what hour, where, what is to be settled."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import PurePosixPath
from string import Template
from typing import Any, ClassVar

import ipywidgets as widgets
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.apps import events_map as ground
from helpers.apps import events_words as said
from helpers.apps.assumptions import Assumptions
from helpers.apps.choice import Choice
from helpers.apps.parts import Panel, Proofs, Put, folded, taken, words
from helpers.apps.shell import Place, link
from helpers.apps.sudden import Now
from helpers.core.base.french import number, plural
from helpers.core.base.markup import to_html
from helpers.core.city.event_rules import read_rules
from helpers.core.place_time import places
from helpers.core.stage import figure, maps, palette, params, zone_map
from helpers.events import (
    again,
    briefing,
    briefing_pdf,
    dates_words,
    early_words,
    figures,
    retex_words,
    score_words,
)
from helpers.events import words as told
from helpers.events.plan import SCHEMAS, Tables, homes
from helpers.events.slot_words import Row

TABLES = ("zones.parquet", *(f"derived/events/{name}.parquet" for name in SCHEMAS))
PUBLISHED = {"map": "events/events_effects", "needs": "events/events_officers"}
WORTH = "Ce que valait notre dimensionnement"
AFTER = "Ce qui était prévu, ce qui s'est passé"
NAMED = 7  # zones named on the map at most
WIDTH = 420  # of the chart's labels, in pixels
MAP = "Carte : le lieu et ses couronnes"
CITY_MAP = "Carte : les événements à venir"
NO_MAP = "<p>Lieu non précisé, ou découpage sans contours : pas de carte.</p>"
NOBODY = "<p>Aucun événement à placer sur une carte.</p>"


class Events:
    """The answer, what is to be settled, the map, the numbers; below them the rest of it."""

    title: ClassVar[str] = "Événements"
    question: ClassVar[str] = "Que se prépare-t-il, et est-ce couvert ?"
    uses: ClassVar[tuple[str, ...]] = ("evenement",)

    def __init__(self, place: Place) -> None:
        self.place, run = place, place.run
        self.city = run.city  # all themes: what an event brings is not of those in force alone
        self.con = run.view("zones.parquet")
        self.names = told.Names(self.city, places.zone_names(self.con, self.city, every=True))
        self.tables: Tables = {n: pq.read_table(run.read(f"derived/events/{n}.parquet"))
                               for n in SCHEMAS}  # fmt: skip
        lineage = json.loads(run.read("derived/events/lineage.json").read_text(encoding="utf-8"))
        # Those that the tables were made with, whatever `params.yaml` says now.
        self.knobs = params.typed("events", lineage["parameters"], "derived/events", run.root)
        self.rules = read_rules(self.city)
        self.calendar = told.by_event(self.tables, "calendar")
        self.own = said.each(self.tables)
        self.files = briefing.file_names(self.tables, self.knobs.sheets)
        self.features = maps.zone_features(self.con, self.city.about.main_division)
        self.proofs = Proofs(run, TABLES, PUBLISHED)
        self.sheet = cache(self._sheet)
        self.said, self.cards, self.map, self.tiles, self.more = (widgets.HTML() for _ in range(5))
        self.map.add_class("app-map")
        self.needs = Panel("needs")
        self.assumed = Assumptions(
            self.tables, self.rules, self.city.about.slots, self.knobs.confidence
        )  # fmt: skip
        known, period = again.events_of(self.tables)[0], self.city.about.period
        self.now = Now(
            self.tables, self.rules, self.city.about.slots, self.knobs.confidence,
            homes(self.con, self.city, known), self.names, period.end + dt.timedelta(days=1),
            self.knobs.horizon_days,
        )  # fmt: skip
        fold = widgets.Box([self.cards, self.map, self.tiles])
        fold.add_class("app-fold")
        fold.add_class("app-event")
        parts = [self.said, fold, self.needs.widget, self.assumed, self.now, self.more]
        self.widget = widgets.VBox(parts)

    def answer(self, choice: Choice) -> list[Put]:
        """Return what answers the choice: one event, or all of those to come."""
        own = self.own.get(choice.event)
        if own is None:
            answer, level, small = self._all()
            clashes = self.tables["clashes"].to_pylist()
            rows = sorted(self.tables["checklist"].to_pylist(), key=lambda row: row["rank"])
            missing = [row for row in rows if row["late"]]
            tiles, more = self._greatest(choice), self._later()
        else:
            (answer, level), small = said.answer(own, self.names), said.ASSUMED
            early = self.tables["early"].to_pylist()
            small = f"{early_words.of_event(early, choice.event, self.names)} {small}".lstrip()
            clashes, missing = own.rows["clashes"], own.missing
            tiles, more = said.tiles(own), self._more(own)
        ours = said.ours(self.own.values(), self.rules)
        settled = said.to_settle(
            clashes, missing, self.calendar, self.names, ours, alone=own is not None
        ) if self.calendar else ""  # fmt: skip
        return [
            (self.said, "value", words(answer, level, small)),
            (self.cards, "value", settled),
            (self.map, "value", self._map(choice, own)),
            (self.tiles, "value", tiles),
            *self._needs(choice, own),
            (self.assumed, "asked", choice.event),
            (self.more, "value", more),
        ]

    # --- All of them ---------------------------------------------------------------------------

    def _all(self) -> tuple[str, str, str]:
        """Return what is said of all events to come, how grave it is, and what to know with it."""
        if self.rules is None:
            return said.NO_RULES, "usual", ""
        if not self.calendar:
            return said.NONE, "usual", ""
        late = any(self.tables["checklist"].column("late").to_pylist())
        level = "watch" if late or self.tables["clashes"].num_rows else "usual"
        answer = told.answer(self.tables, self.names, self.knobs.horizon_days)
        return (
            answer.replace("\n\n", " "),
            level,
            said.CHOOSE,
        )

    def _greatest(self, choice: Choice) -> str:
        """Return the events that ask for most officers, as HTML; each leads to its own answer."""
        ranked = sorted(
            (own for own in self.own.values() if own.sizing["status"] == "ok"),
            key=lambda own: told.demanding(own.sizing, own.row),
        )
        items = "".join(
            f'<li><h3><a href="{escape(link("evenements", choice, evenement=own.row["event"]))}">'
            f"{escape(told.short(own.row, self.names))}</a></h3>"
            f"<p>{escape(told.crowd(own.row))}</p></li>"
            for own in ranked[:6]
        )
        title = "Les plus exigeants"
        return (
            f'<section class="app-tiles" aria-label="{title}"><h2>{title}</h2>'
            f'<ul tabindex="0" class="app-row">{items}</ul></section>'
        ) if items else ""  # fmt: skip

    def _later(self) -> str:
        if self.rules is None:
            return ""
        return (
            folded(
                "Tous les événements connus, les vacances et les jours fériés",
                told.calendar(self.tables, self.names)
                + dates_words.coming(self.city, self.knobs.horizon_days),
            )
            + folded("Annoncés par des partenaires", early_words.report(self.tables, self.names))
            + folded("Ce qui resterait dégarni", told.thin(self.tables, self.names))
            + folded(AFTER, retex_words.past(self.tables["retex"].to_pylist(), self.names))
            + folded(WORTH, score_words.scores(self.tables, self.names))
        )

    # --- One of them ---------------------------------------------------------------------------

    def _more(self, own: said.Own) -> str:
        """Return the briefing, the past events most like it, what is left elsewhere, our worth."""
        similar = told.similar_ones(own.rows["similar"], self.names)
        keys = {(row["day"], row["slot"]) for row in own.rows["shifts"]}
        thin = _where(self.tables["thin"], lambda row: (row["day"], row["slot"]) in keys)
        scores = _where(self.tables["scores"], lambda row: row["kind"] == own.row["kind"])
        alike = _where(self.tables["retex"], lambda row: row["kind"] == own.row["kind"])
        one = {"thin": thin, "scores": scores, "means": self.tables["means"]}
        return (
            f"{self.sheet(own.row['event'])}"
            f'<section class="app-table"><h2>Les plus semblables</h2>{to_html(similar)}</section>'
            + folded("Ce qui resterait dégarni aux mêmes heures", told.thin(one, self.names))
            + folded(AFTER, retex_words.past(alike.to_pylist(), self.names))
            + folded(WORTH, score_words.scores(one, self.names))
        )

    def _sheet(self, event: str) -> str:
        """Return the link to the event's page: as the pipeline wrote it, or else made as it does.

        The page is whole in its link, as what is kept of a figure is: no address more is served.
        """
        run, name, length = self.place.run, self.files.get(event), self.knobs.panel_length
        if name is not None:
            path = f"derived/events/{briefing.FOLDER}/{name}"
            page = run.read(path).read_bytes()
            pdf = run.read(str(PurePosixPath(path).with_suffix(".pdf"))).read_bytes()
        else:
            name = f"{self.calendar[event]['start_at']:%Y-%m-%d}_{event[:8]}.html"
            template = Template((run.root / briefing.TEMPLATE).read_text(encoding="utf-8"))
            page = briefing.filled(template, self.tables, self.names, event, length).encode()
            sheet = (run.root / briefing_pdf.TEMPLATE).read_bytes()
            pdf = briefing.printed(sheet, self.tables, self.names, event, length)
        file = f"{run.workspace.city}-fiche-{name}"
        whole = taken(file, "text/html;charset=utf-8", page, "Emporter la fiche de l'événement")
        sheets = taken(file.replace(".html", ".pdf"), "application/pdf", pdf, "la même en PDF (A4)")
        return (
            f'<p class="app-sheet">{whole}, ou {sheets} : une page à imprimer, avec les textes '
            "pour les riverains, les panneaux et les partenaires.</p>"
        )

    # --- Figures -------------------------------------------------------------------------------

    def _needs(self, choice: Choice, own: said.Own | None) -> list[Put]:
        """Return the chart of officers by slot, of one event or of the slots that ask for most."""
        if own is None:
            every = self.tables["shifts"].to_pylist()
            every.sort(key=lambda r: (-r["wanted_high"], r["from_at"], r["event"]))
            rows = every[: figures.SHOWN]
            shown = [figures.shift(row, self.calendar[row["event"]], self.names) for row in rows]
        else:  # named above: the moment is enough
            rows = sorted(own.rows["shifts"], key=lambda r: r["from_at"])
            shown = [figures.shift(row, None, self.names) for row in rows]
        spec = figure.complete(figure.nothing("aucun événement dimensionné"))
        if shown:
            spec = figure.drawn(figures.wanted_beside_there, (shown,), WIDTH)
        foot = self.proofs.of("needs", {"événement": choice.event}, spec)
        kept = said.shifts(rows, self.calendar, self.names)
        foot += self.place.kept(
            choice, self.uses, self.proofs.published["needs"], said.SHIFTS, kept
        )
        line = "Agents demandés (barres) et agents qu'on peut envoyer (traits), par plage"
        return self.needs.put("À quelles heures ?", line, spec, foot)

    def _map(self, choice: Choice, own: said.Own | None) -> str:
        """Return the map of an event and its rings, or of all places where one is to come."""
        shapes = self._city_map() if own is None else self._event_map(own)
        rows = self.tables["excess"].to_pylist() if own is None else own.rows["excess"]
        drawn = "".join(f'<div class="app-{name}">{svg}</div>' for name, svg in shapes.items())
        drawn = drawn or (NO_MAP if self.calendar else NOBODY)
        legend = self._legend(own) if shapes else ""
        proof = self.proofs.of("map", {"événement": choice.event}, drawn)
        kept = self.place.kept(
            choice, self.uses, self.proofs.published["map"], said.ZONES,
            said.zones(rows, self.names),
        )  # fmt: skip
        return f'{drawn}{legend}<div class="app-foot">{proof}{kept}</div>'

    def _event_map(self, own: said.Own) -> dict[str, str]:
        crs, radii = self.city.about.crs, self.knobs.rings_m
        at = ground.here(own.row, crs)
        if at is None:
            return {}
        by_zone: dict[str, list[Row]] = {}
        for row in own.rows["excess"]:
            if row["status"] == "ok":
                by_zone.setdefault(row["zone"], []).append(row)
        zones = {}
        for code, name in self.place.names(self.city.about.main_division).items():
            rows = by_zone.get(code, [])
            sure = said.established(rows)
            fill = palette.AREA if sure else palette.LAND
            zones[code] = zone_map.Zone(fill, "more" if sure else "ground",
                                        said.zone(name, rows, self.names))  # fmt: skip
        ranked = sorted(by_zone, key=lambda code: (
            code != own.row["zone"], -sum(row["usual"] + row["excess"] for row in by_zone[code]),
            code,
        ))  # fmt: skip
        first = [own.row["zone"]] if own.row["zone"] not in by_zone else []
        named = [code for code in (*first, *ranked) if code in zones][:NAMED]
        marks = ground.rings(at, radii, crs)
        found = ground.around(self.features, at, radii[-1], crs)
        return _drawn(found, zones, {code: self.names.zone(code) for code in named}, MAP, marks)

    def _city_map(self) -> dict[str, str]:
        counts: dict[str, int] = {}
        for row in self.calendar.values():
            counts[row["zone"]] = counts.get(row["zone"], 0) + 1
        zones = {
            code: zone_map.Zone(palette.LAND, "ground",
                                f"{name} : {plural(counts.get(code, 0), 'événement')}")
            for code, name in self.place.names(self.city.about.main_division).items()
        }  # fmt: skip
        ranked = sorted((code for code in counts if code in zones),
                        key=lambda code: (-counts[code], code))  # fmt: skip
        crs = self.city.about.crs
        at = [one for row in self.calendar.values() if (one := ground.here(row, crs))]
        if not self.features or not at:
            return {}
        found = {n: zone_map.layout(self.features, *size) for n, size in ground.FRAMES.items()}
        named = {code: self.names.zone(code) for code in ranked[:NAMED]}
        return _drawn(found, zones, named, CITY_MAP, ground.spots(at, crs))

    def _legend(self, own: said.Own | None) -> str:
        if own is None:
            items = [(palette.HOT, "un lieu où un événement est à venir")]
        else:
            metres = " et ".join(number(one) for one in self.knobs.rings_m)
            items = [(palette.HOT, f"le lieu, ses couronnes de {metres} mètres"),
                     (palette.AREA, "plus de faits que d'ordinaire, établi"),
                     (palette.LAND, "rien d'établi")]  # fmt: skip
        told_items = "".join(f'<li><span style="background:{colour}"></span>{text}</li>'
                             for colour, text in items)  # fmt: skip
        return f'<ul class="app-legend">{told_items}</ul>'


def _drawn(
    found: Mapping[str, zone_map.Layout], zones: Mapping[str, zone_map.Zone],
    named: Mapping[str, str], title: str, marks: Sequence[Any],
) -> dict[str, str]:  # fmt: skip
    """Return frame → the map as SVG."""
    return {name: zone_map.svg(one, zones, named, title, marks=one.marks(marks))
            for name, one in found.items()}  # fmt: skip


def _where(table: pa.Table, test: Any) -> pa.Table:
    """Return the rows of a table that pass a test."""
    return table.filter(pa.array([test(row) for row in table.to_pylist()], pa.bool_()))
