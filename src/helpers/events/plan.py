"""All that the city knows and may expect of its events to come, as tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from helpers.core.city.city import City
from helpers.core.city.event_rules import REGISTER, EventRules, read_rules, sources
from helpers.core.place_time import occasions
from helpers.core.stage.run import Run
from helpers.events import (
    around,
    checklist,
    clashes,
    early,
    excess,
    ratios,
    retex,
    sharing,
    similar,
    sizing,
)
from helpers.events.entered import with_entered
from helpers.events.excess import Outlook
from helpers.events.history import History, days_of, history, lasting_long, why_few
from helpers.events.known import CALENDAR, Event, Order, calendar, read_events, read_orders
from helpers.events.means import MEANS, Means, read_means
from helpers.events.ratios import Found

NO_COUNTS = "no_counts"
SCHEMAS = {
    "calendar": CALENDAR, "clashes": clashes.CLASHES, "checklist": checklist.CHECKLIST,
    "ratios": ratios.RATIOS, "excess": excess.EXCESS, "foreseen": excess.FORESEEN,
    "similar": similar.SIMILAR, "sizing": sizing.SIZING, "shifts": sizing.SHIFTS,
    "means": MEANS, "early": early.EARLY,
    "thin": sharing.THIN, "retex": retex.RETEX, "scores": retex.SCORES,
}  # fmt: skip
Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class Known:
    """What the sources tell: the rules, all events and orders, which are to come, and when is now.

    Without rules (a pack without `events.yaml`) nothing is known.
    """

    rules: EventRules | None
    events: list[Event]
    orders: list[Order]
    now: dt.datetime
    early: pa.Table

    @property
    def coming(self) -> list[Event]:
        """The events that are not over."""
        return [event for event in self.events if event.end > self.now]


def read(run: Run) -> Known:
    """Return what the sources tell, past and to come, within the horizon. View `zones`."""
    rules, period = read_rules(run.city), run.city.about.period
    now = dt.datetime.combine(period.end + dt.timedelta(days=1), dt.time())
    agenda = run.city.about.agenda
    if rules is None or agenda.events is None or agenda.closures is None:
        return Known(None, [], [], now, early.EARLY.empty_table())
    span = period.start, period.end + dt.timedelta(days=run.knobs.horizon_days)
    files = {name: run.read(f"accepted/{name}.parquet") for name in sources(run.city, rules)}
    orders = read_orders(run.con, run.city, rules, files[agenda.closures.source], *span)
    own, told = files[agenda.events.source], agenda.events.entries
    entries = files[told.source] if told else None
    events = read_events(run.con, run.city, rules, own, orders, *span, entries)
    if REGISTER in files:
        events = with_entered(run.con, rules, files[REGISTER], events)
    measured = early.EARLY.empty_table()
    if entries is not None:
        measured = early.table(run.con, run.city, rules, own, entries)
    return Known(rules, events, orders, now, measured)


def counted(city_now: City, known: Known) -> list[str]:
    """Return the sources of the facts that events are held against."""
    themes = known.rules.themes if known.rules else ()
    used = [city_now.themes[name].sources for name in themes if name in city_now.themes]
    return sorted({source for sources in used for source in sources})


def tables(run: Run, city_now: City, known: Known) -> Tables:
    """Return a table of each name of `SCHEMAS`; empty ones where no event is known.

    `city_now`: the city with the themes in force. Views `cube`, `zones`, `days`.
    """
    if known.rules is None:
        return {name: schema.empty_table() for name, schema in SCHEMAS.items()}
    rules, coming, knobs = known.rules, known.coming, run.knobs
    past, found = _learnt(run, city_now, known)
    until = (known.now.date() - run.city.about.period.start).days
    outlooks = {
        event.id: excess.outlook(past, found, event, until) if past else Outlook([], NO_COUNTS)
        for event in coming
    }
    slots = run.city.about.slots
    means = _means(run, rules)
    sized = _sized(run, city_now, known, outlooks, means)
    why = {kind: why_few(past, kind, known.events) if past else NO_COUNTS for kind in rules.classes}
    met = clashes.find(coming, known.orders, rules, run.city.about.crs)
    told, scores = retex.measure(past, found, rules) if past else (None, None)
    return {
        "calendar": calendar(coming, run.city.about.period.end),
        "clashes": clashes.table(met, rules),
        "checklist": checklist.checklist(coming, rules, known.now),
        "ratios": ratios.table(found, why, knobs),
        "excess": excess.by_slot(outlooks, slots, knobs.confidence),
        "foreseen": excess.summary(outlooks, knobs.confidence),
        "similar": similar.similar(past, coming, knobs.similar) if past else _none("similar"),
        "sizing": sized.sizing, "shifts": sized.shifts, "thin": sized.thin,
        "means": means.table(), "early": known.early,
        "retex": told if told is not None else _none("retex"),
        "scores": scores if scores is not None else _none("scores"),
    }  # fmt: skip


def _none(name: str) -> pa.Table:
    return SCHEMAS[name].empty_table()


def _learnt(run: Run, city_now: City, known: Known) -> tuple[History | None, Found]:
    """Return the past to learn from, and its ratios; none where no cell tells of facts."""
    assert known.rules is not None
    facts = around.read(run.con, city_now, known.rules, run.knobs)
    if facts is None:
        return None, {}
    short = [event for event in known.events if not lasting_long(event, run.knobs)]
    spots = around.places(short, facts, known.rules, run.knobs, run.city.about.crs)
    days = days_of(run.con, city_now, facts.themes)
    past = history(known.events, facts, spots, days, run.knobs)
    return past, ratios.find(past, known.rules)


def _means(run: Run, rules: EventRules) -> Means:
    """Return the officers usually there, and the barriers owned."""
    patrols = run.city.about.patrols
    owned = [rules.material.source] if rules.material else []
    for name in [*owned, *([patrols.source] if patrols else [])]:
        run.view(f"accepted/{name}.parquet")
    return read_means(run.con, run.city, rules, run.knobs.baseline_weeks)


def _sized(
    run: Run, city_now: City, known: Known, outlooks: dict[str, Outlook], means: Means
) -> sizing.Sized:
    """Return the sizing of the events to come. View `cube`."""
    assert known.rules is not None
    rules = known.rules
    usual = sizing.usual_facts(run.con, city_now, rules, run.knobs)
    home = homes(run.con, run.city, known.coming)
    return sizing.size(known.coming, outlooks, means, rules, home, usual, run.city.about.slots,
                       run.knobs.confidence)  # fmt: skip


def homes(con: duckdb.DuckDBPyConnection, city: City, events: Sequence[Event]) -> dict[str, str]:
    """Return event → the sector of patrol that it is in, of those that have one. View `zones`."""
    patrols = city.about.patrols
    if patrols is None:
        return {}
    degrees = np.array([[e.longitude, e.latitude] for e in events], dtype=float)
    longitude, latitude = degrees.reshape(-1, 2).T
    sectors = occasions.zones_at(con, city, longitude, latitude, patrols.division)
    return {e.id: s for e, s in zip(events, sectors, strict=True) if s is not None}
