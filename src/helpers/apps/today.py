"""The page « Aujourd'hui »: what stands out, where, since when; what to do; what is on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from html import escape
from typing import Any, ClassVar

import ipywidgets as widgets
import pyarrow.parquet as pq
import shapely
from shapely.geometry.base import BaseGeometry

from helpers.apps import beside, keep
from helpers.apps import today_words as told
from helpers.apps.choice import ALL_THEMES, Choice
from helpers.apps.drills import Sheets
from helpers.apps.morrow import Morrow
from helpers.apps.parts import Panel, Proofs, Put, aside, words
from helpers.apps.shell import Place, link
from helpers.apps.tiles import OWN_SPAN, tiles
from helpers.core.base import store
from helpers.core.base.french import number, plural
from helpers.core.base.markup import plain, to_html
from helpers.core.city.names import WHOLE
from helpers.core.place_time.calendar import last_window
from helpers.core.place_time.counts import counts
from helpers.core.stage import maps, params, standing, zone_map
from helpers.situation import agenda, figures, held, levels
from helpers.situation import words as situation_words
from helpers.situation.expected import Forecasts
from helpers.situation.judgement import (
    ABSTAINED,
    ALERT,
    TIERS,
    USUAL,
    Judgement,
    Row,
    order,
    since,
    worst,
)

VIEWED = (
    "derived/reliability/days.parquet",
    "derived/reliability/grades.parquet",
    "derived/reliability/delays.parquet",
    "derived/reliability/extraordinary.parquet",
    "derived/trends/recorded.parquet",
)
JUDGED_ROWS = ("derived/situation/alerts.parquet", "derived/situation/levels.parquet")
TABLES = ("cube.parquet", "zones.parquet", *VIEWED, *JUDGED_ROWS, *beside.TABLES)
# Each area shows, for a choice, what this figure of the pipeline shows for the whole city.
PUBLISHED = {"map": "situation/situation_map", "trend": "trends/trends_weekly"}
FRAMES = {
    "wide": (600, 430),
    "narrow": (346, 180),
}  # of the map, in pixels, on a screen and a phone
MAP = "Carte : chaque zone jugée contre son habitude"
NAMED = 8  # zones named on the map at most
BACK = 28  # days over which « since when » is looked for
# What the map and the curve are kept as.
JUDGED = ("code", "zone", "thème", "jours", "faits", "attendus", "de", "à", "jugement")
WEEK = ("thème", "code", "zone", "semaine du", "faits", "de", "à")
FIRST = 60  # counts in the table of all themes and zones
WEEKS, YEARS = 16, 104  # drawn for periods up to BACK days, and for longer ones


class Today:
    """The answer, alerts, map, indicators and the day; below them the trend, the table, sheets."""

    title: ClassVar[str] = "Aujourd'hui"
    question: ClassVar[str] = "Que se passe-t-il, et est-ce plus que d'habitude ?"
    uses: ClassVar[tuple[str, ...]] = ("periode", "theme", "territoire", "role")

    def __init__(self, place: Place) -> None:
        self.place, self.city, run = place, place.city, place.run
        self.con = run.view(*VIEWED)
        tables = {
            name: store.table(
                run.view(f"derived/situation/{name}.parquet"), f'SELECT * FROM "{name}"'
            )
            for name in ("alerts", "levels", *agenda.SCHEMAS)
        }
        self.knobs, self.trend_knobs = params.knobs("situation"), params.knobs("trends")
        main = self.city.about.main_division
        themes = set(levels.dated_themes(self.con, self.city))
        kept = {n: _of(tables[n], themes) for n in ("alerts", "levels")}
        self.judged = Judgement(kept["alerts"], kept["levels"], main, self.knobs)
        lit = [row for row in self.judged.alerts.to_pylist() if row["alert"]]
        self.lit = sorted(lit, key=lambda row: row["division"] != main)
        self.today = agenda.of_tables(self.city.about.period.end, tables)
        self.indicators = pq.read_table(run.read("derived/trends/indicators.parquet")).to_pylist()
        self.beside = beside.Beside(run, self.city)
        self.proofs = Proofs(run, TABLES, PUBLISHED)
        self.sheets = Sheets(run, self.judged, self.today, place.names(main))
        self.said, self.cards, self.map, self.tiles, self.on, self.table, self.known = (
            widgets.HTML() for _ in range(7)
        )
        # Asked again at each answer, and the same each time; `cache` on a method would keep pages.
        self.layouts, self.series = cache(self._layouts), cache(self._series)
        self.lately, self.shapes = cache(self._lately), cache(self._shapes)
        self.day = cache(self._day)
        self.trend = Panel("trend")
        morrow = Morrow(run, self.said)
        fold = widgets.Box([self.cards, self.map, self.tiles])
        fold.add_class("app-fold")
        self.map.add_class("app-map")
        self.known.add_class("app-narrow")  # on a phone the first screen has no room for it
        parts = [self.said, fold, self.known, self.on, widgets.HTML(aside(OWN_SPAN)), morrow]
        parts += [self.trend.widget, self.table, self.sheets.widget]
        self.widget = widgets.VBox(parts)

    def answer(self, choice: Choice) -> list[Put]:
        """Return what answers the choice, all of it."""
        names = self.place.names(choice.division)
        rows = self.judged.rows(choice.division, choice.days, choice.theme)
        found = self.judged.standing_out(choice.division, choice.days, choice.theme)
        low = self.judged.fallen(choice.division, choice.days, choice.theme)
        if choice.zone != WHOLE:
            found = [row for row in found if row["zone"] in (choice.zone, WHOLE)]
            low = [row for row in low if row["zone"] in (choice.zone, WHOLE)]
        began = self._since(found)
        (answer, level), small = self._answer(choice, found, low, names, began), self._small(choice)
        cards = self._cards(choice, found, names, began)
        line, spec, weeks = self._trend(choice, names)
        proof = self.proofs.of("trend", _as_told(choice), spec)
        published = self.proofs.published["trend"]
        kept = self.place.kept(choice, self.uses[:3], published, WEEK, weeks)
        return [
            (self.said, "value", words(answer, level, small)),
            (self.known, "value", aside(small) if level in TIERS[:2] else ""),
            (self.cards, "value", cards),
            (self.map, "value", self._map(choice, rows, names)),
            (self.tiles, "value", self._tiles(choice)),
            (self.on, "value", self.day(choice.division, choice.zone)),
            *self.trend.put("Depuis quand ?", line, spec, proof + kept),
            (self.table, "value", self._table(choice, names)),
        ]

    def _answer(
        self, choice: Choice, found: Sequence[Row], low: Sequence[Row], names: told.Names,
        began: told.Since,
    ) -> tuple[str, str]:  # fmt: skip
        """Return the answer as Markdown, and the gravest tier that it tells."""
        gravest = min([*found, *low], key=order)["tier"] if found or low else USUAL
        if choice.theme == ALL_THEMES:
            mute = self.judged.unsaid(choice.division, choice.days, choice.zone)
            themes = self.judged.themes(choice.days)
            said = told.of_the_day(found, low, choice, self.city, names, began, mute, themes)
            return said, gravest if found or low or len(mute) < themes else ABSTAINED
        theme = self.city.themes[choice.theme]
        rows = self.judged.exact(choice.division, choice.days, choice.theme)
        row = next(row for row in rows if row["zone"] == choice.zone)
        where = "" if choice.zone == WHOLE else f"{plain(names[choice.zone])} : "
        badge = standing.badge(self.con, theme.sources)
        head = f"**{plain(theme.title)}, {situation_words.period_title(choice.days)}** : {where}"
        known = self.beside.of_theme(row, choice.division)
        said = head + told.of_theme(row, found, low, choice, names, began, badge, known)
        return said, min([row["tier"], gravest], key=TIERS.index)

    def _small(self, choice: Choice) -> str:
        """Return what is to be known with the answer: counts that may lack rows, and chance."""
        doubts = self.beside.of_all() if choice.theme == ALL_THEMES else ""
        compared = self.judged.compared(choice.division, choice.days)
        return f"{doubts} {told.promise(self.judged, choice) if compared else ''}".strip()

    def _since(self, found: Sequence[Row]) -> dict[tuple[str, str, int], dt.date]:
        """Return since when each count that stands out over days has most likely been so."""
        began = {}
        for row in found:
            if row["period_days"] <= BACK:
                daily = self._daily(row)
                usual, now = (row[name] / row["period_days"] for name in ("expected", "n"))
                began[told.key(row)] = since(daily, usual, now)
        return began

    def _daily(self, row: Row) -> list[tuple[dt.date, int]]:
        first, after = last_window(self.city, BACK)
        by_day: dict[dt.date, int] = {}
        for zone, day, n in self.lately(row["division"]).get(row["theme"], ()):
            if row["zone"] in (WHOLE, zone):
                by_day[day] = by_day.get(day, 0) + n
        days = [first + dt.timedelta(days=i) for i in range((after - first).days)]
        return [(day, by_day.get(day, 0)) for day in days]

    def _lately(self, division: str) -> dict[str, list[tuple[str, dt.date, int]]]:
        """Return theme → zone, day and facts, of the last days that any card tells of."""
        span = last_window(self.city, max(BACK, *self.judged.short))
        found: dict[str, list[tuple[str, dt.date, int]]] = {}
        for theme, *row in counts(self.con, ["theme", "zone", "day"], division=division, span=span):
            found.setdefault(theme, []).append((row[0], row[1], row[2]))
        return found

    def _cards(
        self, choice: Choice, found: Sequence[Row], names: told.Names, began: told.Since
    ) -> str:
        shown = [row for row in found if row["tier"] == ALERT]
        hidden = self._hidden(shown)
        around = {told.key(row): self._around(row, names) for row in shown}
        there = told.on_there(self.today, self.city)
        everywhere = ""
        if hidden:
            where = hidden[0]["division"] if hidden[0]["zone"] != WHOLE else choice.division
            target = choice.with_value("theme", ALL_THEMES).with_value("territoire", where)
            everywhere = link("situation", target) if target != choice else ""
        return told.cards(
            found, len(hidden), everywhere, self.city, names, began, around, there,
            tested=self.judged.tested,
        )  # fmt: skip

    def _hidden(self, shown: Sequence[Row]) -> list[Row]:
        """Return the alerts in force that are not among those shown, each told once.

        One theme's alerts of a zone, of what holds it or over other days are one alert.
        """
        apart: list[Row] = []
        for row in self.lit:
            if not any(self._same(row, one) for one in (*shown, *apart)):
                apart.append(row)
        return apart

    def _same(self, one: Row, other: Row) -> bool:
        if one["theme"] != other["theme"]:
            return False
        if one["zone"] == other["zone"] or one["division"] == other["division"]:
            return bool(one["zone"] == other["zone"] and one["division"] == other["division"])
        mine, its = (self.shapes(row["division"]).get(row["zone"]) for row in (one, other))
        return mine is not None and its is not None and mine.intersection(its).area > 0

    def _around(self, row: Row, names: told.Names) -> str:
        """Return what else was recorded on the days of an alert, in its zone and beside it."""
        if row["zone"] == WHOLE:
            return ""
        ring = {row["zone"], *self._near(row["division"], row["zone"], row["division"])}
        total: dict[str, int] = {}
        first, _ = last_window(self.city, row["period_days"])
        for theme, days in self.lately(row["division"]).items():
            if theme in self.city.themes and theme != row["theme"]:
                n = sum(n for zone, day, n in days if zone in ring and day >= first)
                total |= {theme: n} if n else {}
        ranked = sorted(total.items(), key=lambda one: (-one[1], one[0]))[: told.LISTED]
        listed = ", ".join(f"{self.city.themes[t].title} ({n})" for t, n in ranked)
        return f"Les mêmes jours, là et autour : {listed}" if listed else ""

    def _near(self, division: str, zone: str, among: str) -> list[str]:
        """Return the zones of the division `among` that a zone holds, is held by or touches."""
        own = self.shapes(division).get(zone)
        if own is None:
            return []
        return [code for code, shape in self.shapes(among).items() if own.intersects(shape)]

    def _shapes(self, division: str) -> dict[str, BaseGeometry]:
        rows = self.con.execute(
            "SELECT code, geometry FROM zones WHERE division = ? AND geometry IS NOT NULL "
            "ORDER BY code", [division]
        ).fetchall()  # fmt: skip
        return {code: shapely.from_wkb(shape) for code, shape in rows}

    def _map(self, choice: Choice, rows: Sequence[Row], names: told.Names) -> str:
        kept = sorted(rows, key=lambda r: (order(r), r["surprise"], r["theme"]))
        by_zone: dict[str, list[Row]] = {}
        for row in kept:
            by_zone.setdefault(row["zone"], []).append(row)
        shown = worst(rows)
        called = {value: label for label, value in self.place.offer.options["territoire"]}
        zones = {
            code: zone_map.Zone(
                figures.TIER_COLOURS[shown[code]["tier"]], shown[code]["tier"],
                told.zone_words(by_zone[code], self.city, name, choice.theme),
                called.get(f"{choice.division}/{code}", ""),
            )
            for code, name in names.items() if code in shown
        }  # fmt: skip
        loud = [row for row in shown.values() if row["tier"] in TIERS[:2] and row["zone"] in zones]
        named = {row["zone"]: names[row["zone"]] for row in loud[:NAMED]}
        if choice.zone in zones:
            named = {choice.zone: names[choice.zone], **named}
        drawn = self._drawn(choice, zones, named)
        more = len(loud) - NAMED
        if more > 0:
            drawn += f"<p>et {plural(more, 'autre')} dans le tableau, plus bas.</p>"
        proof = self.proofs.of("map", _as_told(choice), drawn)
        lines = [
            [code, names[code], self.city.themes[row["theme"]].title, row["period_days"], row["n"],
             row["expected"], row["low"], row["high"], told.SHORT[row["tier"]]]
            for code, row in sorted(shown.items()) if code in zones
        ]  # fmt: skip
        offered = self.place.kept(
            choice, self.uses[:3], self.proofs.published["map"], JUDGED, lines
        )
        return f'{drawn}{_legend()}<div class="app-foot">{proof}{offered}</div>'

    def _drawn(
        self, choice: Choice, zones: Mapping[str, zone_map.Zone], named: Mapping[str, str]
    ) -> str:
        """Return the map for a screen and for a phone; which one is seen is for the style sheet."""
        chosen = choice.zone if choice.zone in zones else ""
        return (
            "".join(
                f'<div class="app-{name}">{zone_map.svg(ground, zones, named, MAP, chosen)}</div>'
                for name, ground in self.layouts(choice.division, frozenset(zones)).items()
            )
            or "<p>Découpage sans contours : pas de carte, voir le tableau.</p>"
        )

    def _layouts(self, division: str, zones: frozenset[str]) -> dict[str, zone_map.Layout]:
        features = maps.zone_features(self.con, division)
        features = [one for one in features if one["properties"]["code"] in zones]
        return {n: zone_map.layout(features, *size) for n, size in FRAMES.items() if features}

    def _series(self, theme: str, division: str) -> list[tuple[held.Held, Forecasts]]:
        found = held.read(self.con, self.city, theme, division)
        return [(one, levels.forecasts(one, 7)) for one in found]

    def _trend(
        self, choice: Choice, names: told.Names
    ) -> tuple[str, dict[str, Any], list[list[keep.Cell]]]:
        """Return line, drawing and rows of the theme chosen, or of what is least expected."""
        theme, zone = choice.theme, choice.zone
        if theme == ALL_THEMES:
            rows = self.judged.rows(choice.division, choice.days)
            if zone != WHOLE:
                rows = [row for row in rows if row["zone"] == zone]
            first = min(rows, key=lambda r: (order(r), r["surprise"], r["theme"], r["zone"]))
            theme, zone = first["theme"], first["zone"]
        groups = self.series(theme, choice.division)
        series, past = next(one for one in groups if zone in one[0].zones)
        count = WEEKS if choice.days <= BACK else YEARS
        weeks = levels.weeks(series, zone, self.knobs, past)
        spec = figures.recent_weeks(weeks, count, 190)
        where = situation_words.place(zone, names)
        about = f"{self.city.themes[theme].title}, {where}"
        if choice.theme == ALL_THEMES:
            about += " (le compte le moins attendu)"
        line = (
            f"{about} : {plural(count, 'dernière semaine')}. Bande : l'habitude, dont une semaine "
            "sur vingt sort par hasard ; en gris, les mêmes semaines des années passées"
        )
        title = self.city.themes[theme].title
        return line, spec, [
            [title, zone, where, str(one["first"]), one["n"], one["low"], one["high"]]
            for one in reversed(weeks[:count])
        ]  # fmt: skip

    def _table(self, choice: Choice, names: told.Names) -> str:
        rows = self.judged.rows(choice.division, choice.days, choice.theme)
        if choice.zone != WHOLE:
            rows = [row for row in rows if row["zone"] == choice.zone]
        rows = sorted(rows, key=lambda r: (order(r), r["surprise"], r["theme"], r["zone"]))
        inside = ""
        if choice.theme == ALL_THEMES and choice.zone == WHOLE:
            whole = [row for row in rows if row["zone"] == WHOLE]
            inside = told.table(whole, self.city, names, "Toute la ville, thème par thème")
            rows = [row for row in rows if row["zone"] != WHOLE]
        caption = f"{plural(len(rows), 'compte')}, le moins attendu d'abord"
        if choice.theme == ALL_THEMES and len(rows) > FIRST:
            caption = f"Les {number(FIRST)} comptes les moins attendus, sur {number(len(rows))}"
            rows = rows[:FIRST]
        inside += told.table(rows, self.city, names, caption)
        return (
            '<details class="app-table"><summary>Le tableau derrière la carte</summary>'
            f"{inside}</details>"
        )

    def _tiles(self, choice: Choice) -> str:
        rows = [row for row in self.indicators if row["role"] == choice.role]
        if not rows:
            return ""
        offered = {value for _, value in self.place.offer.options["theme"]}

        def there(theme: str) -> str:
            return link("confiance", choice, theme=theme if theme in offered else ALL_THEMES)

        return tiles(
            rows, self.beside, self.city, self.trend_knobs, there, elsewhere=choice.zone != WHOLE
        )

    def _day(self, division: str, zone: str) -> str:
        """Return what is on in the city, or in the zone chosen and around it."""
        main = self.city.about.main_division
        names, today, where = self.place.names(main), self.today, ""
        if zone != WHOLE:
            near = {*self._near(division, zone, main)}
            today = replace(
                today,
                events=[row for row in today.events if row["zone"] in near],
                closures=[row for row in today.closures if row["zone"] in near],
            )
            where = f"{self.place.names(division)[zone]} et autour"
        line = told.day_line(today, self.city, names, where)
        inside = to_html(situation_words.day(self.city, today, names))
        return f'<details class="app-on"><summary>{escape(line)}</summary>{inside}</details>'


def _of(table: Any, themes: set[str]) -> Any:
    keep = [theme in themes for theme in table.column("theme").to_pylist()]
    return table.filter(keep)


def _legend() -> str:
    items = "".join(
        f'<li><span style="background:{figures.TIER_COLOURS[tier]}"></span>{escape(title)}</li>'
        for tier, title in told.SHORT.items()
    )
    return f'<ul class="app-legend">{items}</ul>'


def _as_told(choice: Choice) -> dict[str, Any]:
    return {
        "période_jours": choice.days, "thème": choice.theme, "découpage": choice.division,
        "zone": choice.zone,
    }  # fmt: skip
