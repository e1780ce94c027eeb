"""What a city expects of its events: `events.yaml` of a pack, beside the agenda of `city.yaml`.

Which fields tell more of an event, which measures each class asks for and who owes them, how many
people and how much material a crowd is taken to need: assumptions, written where all can see them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict, parse
from helpers.core.city.about import ClosuresRule, EventsRule
from helpers.core.city.checks import Faults
from helpers.core.city.city import City

FILE = "events.yaml"
Range = tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]]
Clash = Literal["same_place", "crowds", "over_capacity", "order", "works", "transport"]
CLASHES: tuple[Clash, ...] = (
    "same_place", "crowds", "over_capacity", "order", "works", "transport"
)  # fmt: skip


class MoreFields(Strict):
    """Fields of the source of events beyond the agenda's: each where the source has it.

    Without `setup` and `teardown` a place is taken from `start` to `end`; without `least` and
    `most` the crowd is the one expected; `seen`, `capacity` and `outcome` are then unknown.
    """

    setup: str | None = None
    teardown: str | None = None
    least: str | None = None
    most: str | None = None
    seen: str | None = None
    capacity: str | None = None
    outcome: str | None = None


class Material(Strict):
    """The source of what the city owns, and how it calls its barriers."""

    source: str
    kind: str
    quantity: str
    barriers: str


class Point(Strict):
    """A place by its name, in degrees (WGS 84)."""

    title: str
    longitude: float
    latitude: float


class Route(Strict):
    """The way a crowd comes and leaves: a line of points (degrees), followed within `width_m`."""

    title: str
    kind: str
    points: tuple[tuple[float, float], ...] = Field(min_length=2)
    width_m: float = Field(gt=0)


class Measure(Strict):
    """A measure that a class of events asks for: who owes it, how long before the start.

    `field` holds its state in the source of events (`to_do`, `asked`, `taken`: the source's words),
    or `order` names the kind of order that must be signed; `field_count` says how much is wanted.
    """

    title: str
    owner: str
    due_h: float = Field(ge=0)
    field: str = ""
    field_count: str = ""
    order: str = ""

    @model_validator(mode="after")
    def _one_origin(self) -> Measure:
        if bool(self.field) == bool(self.order):
            raise ValueError("donner `field` ou `order`, non les deux")
        return self


class Need(Strict):
    """What a class of events is taken to need, as ranges (least, most): assumptions.

    By thousand people expected: `officers`, `barriers`. `closures`: orders of closure. `before_h`
    and `after_h`: how long officers are there beside the event itself.
    """

    officers_per_thousand: Range
    barriers_per_thousand: Range
    closures: Range
    before_h: float = Field(ge=0, le=24)
    after_h: float = Field(ge=0, le=24)

    @model_validator(mode="after")
    def _ordered(self) -> Need:
        for low, high in (self.officers_per_thousand, self.barriers_per_thousand, self.closures):
            if low > high:
                raise ValueError("une fourchette va du moins au plus")
        return self


class Class(Strict):
    """A class of events (a kind of the agenda): the measures it asks for, what it needs."""

    measures: tuple[Measure, ...] = ()
    need: Need | None = None
    works: bool = False


class States(Strict):
    """How the source of events says how far a measure is."""

    to_do: str
    asked: str
    taken: str


class Separation(Strict):
    """From what distance and size on events stand in each other's way."""

    same_place_m: float = Field(gt=0)
    near_m: float = Field(gt=0)
    joint_crowd: int = Field(gt=0)
    works_m: float = Field(gt=0)
    works_crowd: int = Field(gt=0)
    served_m: float = Field(gt=0)
    served_crowd: int = Field(gt=0)
    blocked_m: float = Field(gt=0)


class EventRules(Strict):
    """`events.yaml`, as written."""

    fields: MoreFields = MoreFields()
    signed: str
    dropped: tuple[str, ...] = ()
    states: States
    material: Material | None = None
    themes: tuple[str, ...] = Field(min_length=1)
    minutes_per_fact: Range
    crew: int = Field(ge=1)
    shared_out: float = Field(gt=0, le=1)
    least_left: int = Field(ge=0)
    blocking_orders: tuple[str, ...] = ()
    closing_orders: tuple[str, ...] = ()
    separation: Separation
    tell: dict[Clash, tuple[str, ...]]
    stops: tuple[Point, ...] = ()
    routes: tuple[Route, ...] = ()
    classes: dict[str, Class]

    @model_validator(mode="after")
    def _all_told(self) -> EventRules:
        if missing := [name for name in CLASHES if not self.tell.get(name)]:
            raise ValueError(f"tell : dire qui prévenir pour {', '.join(missing)}")
        return self


def read_rules(city: City) -> EventRules | None:
    """Return the pack's `events.yaml`, None where it has none; raise PhareError where wrong."""
    if not (city.pack / FILE).exists():
        return None
    here = f"{city.pack.name}/{FILE}"
    found: EventRules = parse(EventRules, city.pack / FILE, here)
    events, orders = city.about.agenda.events, city.about.agenda.closures
    if events is None or orders is None:
        raise PhareError(
            "aucune source d'événements ou d'arrêtés", f"{city.pack.name}/city.yaml",
            "donner `agenda.events` et `agenda.closures`",
        )  # fmt: skip
    faults = Faults(here)
    held = city.contracts[events.source].fields
    for key, column in found.fields.model_dump(exclude_none=True).items():
        faults.among(f"fields.{key}", column, held)
    faults.among("signed", found.signed, city.contracts[orders.source].fields)
    for theme in found.themes:
        faults.among("themes", theme, city.themes)
    if found.material:
        faults.among("material.source", found.material.source, city.contracts)
    _check_classes(faults, city, found, events, orders)
    faults.tell()
    return found


def _check_classes(
    faults: Faults, city: City, found: EventRules, events: EventsRule, orders: ClosuresRule
) -> None:
    """Note the classes, fields and orders named by the rules that no source has."""
    held = city.contracts[events.source].fields
    kinds = city.contracts[orders.source].fields[orders.kind].values
    for name in (*found.blocking_orders, *found.closing_orders):
        faults.among("orders", name, kinds)
    for name, one in found.classes.items():
        faults.among("classes", name, held[events.kind].values)
        for measure in one.measures:
            if measure.order:
                faults.among(f"classes.{name}", measure.order, kinds)
            for column in filter(None, (measure.field, measure.field_count)):
                faults.among(f"classes.{name}", column, held)


def sources(city: City, rules: EventRules | None) -> list[str]:
    """Return the sources that the rules rest on: events, orders, material, hours of patrol."""
    events, orders = city.about.agenda.events, city.about.agenda.closures
    if rules is None or events is None or orders is None:
        return []
    own = {events.source, orders.source}
    own |= {rules.material.source} if rules.material else set()
    own |= {city.about.patrols.source} if city.about.patrols else set()
    return sorted(own)
