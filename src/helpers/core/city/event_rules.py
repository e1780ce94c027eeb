"""What a city expects of its events: `events.yaml` of a pack, beside the agenda of `city.yaml`.

Which fields tell more of an event, which measures each class asks for and who owes them, how many
people and how much material a crowd is taken to need: assumptions, written where all can see them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict, Title, parse
from helpers.core.city.about import ClosuresRule, EventsRule
from helpers.core.city.checks import Faults
from helpers.core.city.city import City
from helpers.core.city.contract import FieldRule

FILE = "events.yaml"
REGISTER = "registre"  # the source that `make register-snapshot` makes of what people decided
YEAR_H = 8760

# No quantity is open: what nobody would ask for is a slip of the hand.
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Metres = Annotated[float, Field(gt=0, le=100_000)]
Crowd = Annotated[int, Field(gt=0, le=10_000_000)]
Quantity = Annotated[float, Field(ge=0, le=1000)]
Minutes = Annotated[float, Field(ge=0, le=1440)]

# Kinds of fields of a source, by the key that names one.
KINDS = {
    "setup": ("timestamp",), "teardown": ("timestamp",), "least": ("int",), "most": ("int",),
    "seen": ("int",), "capacity": ("int",), "outcome": ("enum", "str"), "field": ("enum",),
    "field_count": ("int", "float"),
}  # fmt: skip


def _ordered(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError("une fourchette va du moins au plus")
    return value


Range = Annotated[tuple[Quantity, Quantity], AfterValidator(_ordered)]
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


class Other(Strict):
    """A material that goes with whom is sent: so many (`number`) by officer or by crew."""

    title: Title
    per: Literal["officer", "crew"]
    number: Quantity


class Material(Strict):
    """The source of what the city owns, how it calls its barriers, and kind → other material."""

    source: str
    kind: str
    quantity: str
    barriers: str
    others: dict[str, Other] = Field(default_factory=dict)


class Point(Strict):
    """A place by its name, in degrees (WGS 84)."""

    title: Title
    longitude: Longitude
    latitude: Latitude


class Venue(Point):
    """A known place of events, and its zone of the main division."""

    zone: str


class Route(Strict):
    """The way a crowd comes and leaves: a line of points (degrees), followed within `width_m`."""

    title: Title
    kind: str
    points: tuple[tuple[Longitude, Latitude], ...] = Field(min_length=2)
    width_m: float = Field(gt=0, le=10_000)


class Measure(Strict):
    """A measure that a class of events asks for: who owes it, how long before the start.

    `field` holds its state in the source of events (`to_do`, `asked`, `taken`: the source's words),
    or `order` names the kind of order that must be signed; `field_count` says how much is wanted.
    `entered` is what the register calls it: what people entered there is a later word.
    """

    title: Title
    owner: Title
    due_h: float = Field(ge=0, le=YEAR_H)
    field: str = ""
    field_count: str = ""
    order: str = ""
    entered: str = ""

    @model_validator(mode="after")
    def _one_origin(self) -> Measure:
        if self.entered and not self.field:
            raise ValueError("`entered` va avec `field`")
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


class Class(Strict):
    """A class of events (a kind of the agenda): the measures it asks for, what it needs."""

    measures: tuple[Measure, ...] = ()
    need: Need | None = None
    works: bool = False


class Sudden(Strict):
    """What an accident or an obstruction is taken to need while it lasts, as ranges; who is told.

    Assumptions: officers, barriers and closures in all; `lasts_h` hours from when it happens;
    `shared_out`: the share of those present that may be sent, those at events counted.
    """

    title: Title
    officers: Range
    barriers: Range
    closures: Range
    lasts_h: Range
    shared_out: float = Field(gt=0, le=1)
    tell: tuple[Title, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _lasts(self) -> Sudden:
        if not 0 < self.lasts_h[1] <= 24:
            raise ValueError("lasts_h : plus de 0 heure, 24 au plus")
        return self


class States(Strict):
    """How the source of events says how far a measure is."""

    to_do: str
    asked: str
    taken: str

    @model_validator(mode="after")
    def _apart(self) -> States:
        if len({self.to_do, self.asked, self.taken}) < 3:
            raise ValueError("`to_do`, `asked` et `taken` sont trois mots différents")
        return self


class Separation(Strict):
    """From what distance and size on events stand in each other's way."""

    same_place_m: Metres
    near_m: Metres
    joint_crowd: Crowd
    works_m: Metres
    works_crowd: Crowd
    served_m: Metres
    served_crowd: Crowd
    blocked_m: Metres


class EventRules(Strict):
    """`events.yaml`, as written."""

    fields: MoreFields = MoreFields()
    signed: str
    dropped: tuple[str, ...] = ()
    states: States
    material: Material | None = None
    themes: tuple[str, ...] = Field(min_length=1)
    minutes_per_fact: Annotated[tuple[Minutes, Minutes], AfterValidator(_ordered)]
    crew: int = Field(ge=1, le=100)
    shared_out: float = Field(gt=0, le=1)
    least_left: int = Field(ge=0, le=1000)
    blocking_orders: tuple[str, ...] = ()
    closing_orders: tuple[str, ...] = ()
    separation: Separation
    tell: dict[Clash, tuple[Title, ...]]
    stops: tuple[Point, ...] = ()
    routes: tuple[Route, ...] = ()
    venues: tuple[Venue, ...] = ()
    classes: dict[str, Class]
    sudden: dict[str, Sudden] = Field(default_factory=dict)

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
    _check_columns(faults, city, found, events, orders)
    faults.tell()
    _check_codes(faults, city, found, events, orders)
    faults.tell()
    return found


def _check_columns(
    faults: Faults, city: City, found: EventRules, events: EventsRule, orders: ClosuresRule
) -> None:
    """Note what names no theme, no source, or no field of its source and of its kind."""
    held = city.contracts[events.source].fields
    for key, column in found.fields.model_dump(exclude_none=True).items():
        faults.column(f"fields.{key}", column, held, KINDS[key])
    faults.column("signed", found.signed, city.contracts[orders.source].fields, ("date",))
    for theme in found.themes:
        faults.among("themes", theme, city.themes)
    for name, one in found.classes.items():
        for i, measure in enumerate(one.measures):
            for key in ("field", "field_count"):
                if column := getattr(measure, key):
                    where = f"classes.{name}.measures.{i}.{key}"
                    faults.column(where, column, held, KINDS[key])
    own = found.material
    if own and faults.among("material.source", own.source, city.contracts):
        fields = city.contracts[own.source].fields
        faults.among("material.kind", own.kind, fields)
        faults.column("material.quantity", own.quantity, fields, ("int", "float"))


def _check_codes(
    faults: Faults, city: City, found: EventRules, events: EventsRule, orders: ClosuresRule
) -> None:
    """Note what names a class, a status, an order, a state or a material that no row bears."""
    held = city.contracts[events.source].fields
    kind = city.contracts[orders.source].fields[orders.kind]
    for key in ("blocking_orders", "closing_orders"):
        for order in getattr(found, key):
            faults.code(key, order, orders.kind, kind)
    for name, one in found.classes.items():
        faults.code("classes", name, events.kind, held[events.kind])
        for i, measure in enumerate(one.measures):
            if measure.order:
                faults.code(f"classes.{name}.measures.{i}.order", measure.order, orders.kind, kind)
    for status in found.dropped:
        faults.code("dropped", status, events.status, held[events.status])
        if status in events.held:
            faults.add(
                f"dropped nomme « {status} », que `agenda.events.held` dit avoir lieu",
                "le garder d'un côté",
            )
    for i, route in enumerate(found.routes):
        faults.among(f"routes.{i}.kind", route.kind, found.classes)
    _check_material(faults, city, found.material)
    _check_states(faults, found, held)
    _check_entered(faults, city, found)


def _check_material(faults: Faults, city: City, own: Material | None) -> None:
    """Note a material that no row of the source bears."""
    if own is None:
        return
    rule = city.contracts[own.source].fields[own.kind]
    faults.code("material.barriers", own.barriers, own.kind, rule)
    for what in own.others:
        faults.code("material.others", what, own.kind, rule)


def _check_entered(faults: Faults, city: City, found: EventRules) -> None:
    """Note a measure that the register, where it is a source, has no code for."""
    if REGISTER not in city.contracts:
        return
    codes = city.contracts[REGISTER].fields["measure"].values
    for one in sorted({m.entered for c in found.classes.values() for m in c.measures} - {""}):
        faults.among("classes : entered", one, codes)


def _check_states(faults: Faults, found: EventRules, held: Mapping[str, FieldRule]) -> None:
    """Note a state that no measured field can bear, and a measured field that can bear none.

    A measure of a misspelt state would be said unknown, or to do, for ever.
    """
    measured = {m.field for one in found.classes.values() for m in one.measures if m.field}
    codes = {field: held[field].values for field in sorted(measured)}
    states = found.states.model_dump()
    for key, state in states.items():
        if measured:
            known = dict.fromkeys(code for values in codes.values() for code in values)
            faults.among(f"states.{key}", state, known)
    for field, values in codes.items():
        if not set(values) & set(states.values()):
            faults.add(
                f"states : aucun des trois états n'est une valeur de « {field} », qu'une mesure "
                "nomme",
                "nommer un champ `enum` dont les valeurs disent l'état de la mesure",
            )


def sources(city: City, rules: EventRules | None) -> list[str]:
    """Return the sources that the rules rest on: events, entries, orders, material, patrols."""
    events, orders = city.about.agenda.events, city.about.agenda.closures
    if rules is None or events is None or orders is None:
        return []
    own = {events.source, orders.source}
    own |= {events.entries.source} if events.entries else set()
    own |= {REGISTER} if REGISTER in city.about.sources else set()
    own |= {rules.material.source} if rules.material else set()
    own |= {city.about.patrols.source} if city.about.patrols else set()
    return sorted(own)
