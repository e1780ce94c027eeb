"""How a city tells of its counters: `traffic.yaml` of a pack, the sources and their fields.

Sites, channels and measures are those of the national schema of mobility counts (etalab,
schema-comptage-mobilites, 0.2.3): a site is a place, a channel what is counted there, a measure a
count between two moments. Counts are of vehicles or walkers by class; nothing here is of anybody.
"""

from __future__ import annotations

import datetime as dt

from pydantic import Field, model_validator

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict, among, parse
from helpers.core.city import lists
from helpers.core.city.about import Slot
from helpers.core.city.city import City

FILE = "traffic.yaml"
HOURS = 24


class Sites(Strict):
    """The source of sites and its fields; `names`: the list of the pack that names them."""

    source: str
    id: str
    longitude: str
    latitude: str
    road: str
    names: str


class Channels(Strict):
    """The source of channels and its fields; `step`: the seconds that a measure lasts."""

    source: str
    id: str
    site: str
    mobility: str
    start: str
    end: str
    step: str


class Measures(Strict):
    """The source of measures and its fields.

    `counter`: which machine counted; `speed`: the mean speed (km/h), None where no source tells it:
    the national schema does not.
    """

    source: str
    channel: str
    counter: str
    start: str
    end: str
    count: str
    speed: str | None = None


class CountedClass(Strict):
    """What is counted as one: its title, and the types of mobility it adds up."""

    title: str
    mobility: tuple[str, ...] = Field(min_length=1)


class Closure(Strict):
    """A road closed on some days, and the roads which, as the city knows, run beside it."""

    title: str
    road: str
    start: dt.date
    end: dt.date
    parallel: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> Closure:
        if self.end < self.start:
            raise ValueError("la fermeture finit avant de commencer")
        if self.road in self.parallel:
            raise ValueError("une voie n'est pas parallèle à elle-même")
        return self


class TrafficRules(Strict):
    """`traffic.yaml`, as written.

    `flow`: the class whose fluidity is told; `crowd`: the class whose gatherings are looked for,
    None for none; `permits`: the orders that allow one; `safety`: themes of road safety; `slots`:
    those of the day, in order.
    """

    sites: Sites
    channels: Channels
    measures: Measures
    classes: dict[str, CountedClass]
    flow: str
    crowd: str | None = None
    permits: tuple[str, ...] = ()
    safety: tuple[str, ...] = ()
    slots: dict[str, Slot] = Field(min_length=1)
    closures: tuple[Closure, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> TrafficRules:
        told = [one for about in self.classes.values() for one in about.mobility]
        if len(set(told)) < len(told):
            raise ValueError("une mobilité est comptée dans deux classes")
        for name in filter(None, (self.flow, self.crowd)):
            if name not in self.classes:
                raise ValueError(f"classe inconnue : « {name} »")
        if sum(len(self.slot_hours(name)) for name in self.slots) != HOURS:
            raise ValueError("les créneaux se suivent, et font le tour du jour une fois")
        return self

    @property
    def sources(self) -> tuple[str, str, str]:
        """The sources of sites, channels and measures."""
        return self.sites.source, self.channels.source, self.measures.source

    def slot_hours(self, slot: str) -> tuple[int, ...]:
        """Return the hours of a slot, in order: the last one goes on until the first begins."""
        names = list(self.slots)
        start = self.slots[slot].start_h
        after = self.slots[names[(names.index(slot) + 1) % len(names)]].start_h
        end = after if after > start else after + HOURS
        return tuple(hour % HOURS for hour in range(start, end))


def read_rules(city: City) -> TrafficRules | None:
    """Return the pack's `traffic.yaml`, None where it has none; raise PhareError where wrong."""
    if not (city.pack / FILE).exists():
        return None
    here = f"{city.pack.name}/{FILE}"
    found: TrafficRules = parse(TrafficRules, city.pack / FILE, here)
    for key in ("sites", "channels", "measures"):
        about = getattr(found, key)
        among(here, f"{key}.source", about.source, city.contracts)
        held = city.contracts[about.source].fields
        for name, column in about.model_dump(exclude={"source", "names"}).items():
            if column is not None:
                among(here, f"{key}.{name}", column, held)
    known = city.contracts[found.channels.source].fields[found.channels.mobility].values
    for name, one in found.classes.items():
        for mobility in one.mobility:
            among(here, f"classes.{name}", mobility, known)
    orders = city.about.agenda.closures
    for kind in found.permits:
        known = city.contracts[orders.source].fields[orders.kind].values if orders else ()
        among(here, "permits", kind, known)
    for theme in found.safety:
        among(here, "safety", theme, city.themes)
    _check_roads(city, found, here)
    return found


def _check_roads(city: City, found: TrafficRules, here: str) -> None:
    """Raise PhareError where a closure names a site that the pack's list does not."""
    known = lists.read(city.pack, found.sites.names)
    for one in found.closures:
        for road in (one.road, *one.parallel):
            if road not in known:
                raise PhareError(
                    f"la fermeture « {one.title} » nomme le point de comptage « {road} », inconnu",
                    here, f"choisir parmi ceux de {lists.shown(found.sites.names)}",
                )  # fmt: skip
