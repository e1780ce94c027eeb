"""`city.yaml`: what is particular to a city, checked key by key before anything runs."""

from __future__ import annotations

import datetime as dt
from typing import Literal
from zoneinfo import ZoneInfo

import holidays
from pydantic import Field, field_validator, model_validator
from pyproj import CRS
from pyproj.exceptions import CRSError

from helpers.core.base.yaml_models import Strict, Title, Words
from helpers.core.city.names import WHOLE

FIRST_YEAR, LAST_YEAR = 1850, 2100
SCHOOL_ZONES = ("A", "B", "C")
CELL = "cell"  # the grid, beside the divisions


def known_timezone(value: str) -> str:
    """Return the name of a time zone; ValueError where none is called so."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"fuseau horaire inconnu, « {value} » (Europe/Paris, par exemple)"
        ) from None
    return value


def known_crs(value: str) -> CRS:
    """Return the reference system of this name; ValueError where there is none."""
    try:
        return CRS.from_user_input(value)
    except CRSError:
        raise ValueError(f"système de coordonnées inconnu, « {value} »") from None


class Period(Strict):
    """First and last day kept, both inclusive; the last one is the city's "today"."""

    start: dt.date
    end: dt.date

    @model_validator(mode="after")
    def _ordered(self) -> Period:
        if self.start > self.end:
            raise ValueError("la période finit avant de commencer")
        if self.start.year < FIRST_YEAR or self.end.year > LAST_YEAR:
            raise ValueError(f"la période sort des années {FIRST_YEAR} à {LAST_YEAR}")
        return self


class Division(Strict):
    """A partition of the territory: drawn by a source, or grouping the zones of another one.

    `group_by` names the column of the parent's source that holds this division's code. `zones`
    gives code → name of its zones, or `names` the list of the pack (`lists/<names>.csv`) that does;
    a division without shapes (police services, say) is that list. No name comes from a delivery.
    `names_published_by` says who publishes the list of these names, where somebody has read that
    they are places: official names of districts (« Sant Martí ») may well be spelt like persons'.
    It lifts no other reason: neither numbers nor addresses are names.
    """

    title: Title
    source: str | None = None
    code: str = "code"
    names: str = ""
    names_published_by: Words = ""
    grouping_of: str | None = None
    group_by: str | None = None
    zones: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_kind(self) -> Division:
        if self.source and self.grouping_of:
            raise ValueError("donner `source` ou `grouping_of`, non les deux")
        if bool(self.grouping_of) != bool(self.group_by):
            raise ValueError("`grouping_of` va avec `group_by`, la colonne du groupe")
        if not (self.source or self.grouping_of or self.zones or self.names):
            raise ValueError("donner `source`, `grouping_of`, `zones` ou `names`")
        if self.zones and self.names:
            raise ValueError("donner `zones` ou `names`, non les deux")
        if self.names_published_by and not (self.source or self.grouping_of):
            raise ValueError("`names_published_by` est pour des zones qui ont un contour")
        return self


class Delivery(Strict):
    """Where a source's rows come from; an address is unverified until somebody has fetched it.

    `file` names one file, or several by a pattern (`faits_*.csv`, taken in the order of their
    names); `files` lists them in the order in which they were delivered. A record of a later file
    replaces that of an earlier one. A source with an address alone is read there. An `optional` one
    may have no file yet: it then has no row.
    """

    file: str = ""
    files: tuple[str, ...] = ()
    url: str = ""
    url_verified: bool = False
    optional: bool = False
    generator: Literal["", "simulation", "facts"] = ""

    @model_validator(mode="after")
    def _somewhere(self) -> Delivery:
        if self.file and self.files:
            raise ValueError("donner `file` ou `files`, non les deux")
        if not (self.file or self.files or self.url):
            raise ValueError("donner `file`, `files` ou `url`")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names or patterns of the files."""
        return self.files or ((self.file,) if self.file else ())


class EventDays(Strict):
    """Days that a context source names: `day` is its column of dates.

    `start` and `end`: the first and last day that the source tells of, where not the whole period.
    """

    title: Title
    source: str
    day: str
    start: dt.date | None = None
    end: dt.date | None = None


class Holidays(Strict):
    """Which public and school holidays apply (`school_zone` of the French calendar)."""

    country: str
    subdivision: str | None = None
    school_zone: str | None = None
    events: EventDays | None = None

    @model_validator(mode="after")
    def _known(self) -> Holidays:
        countries = holidays.list_supported_countries()
        if self.country not in countries:
            raise ValueError(f"pays inconnu, « {self.country} » (deux lettres : FR)")
        if self.subdivision is not None and self.subdivision not in countries[self.country]:
            raise ValueError(f"subdivision inconnue de {self.country}, « {self.subdivision} »")
        if self.school_zone is not None and (
            self.country != "FR" or self.school_zone not in SCHOOL_ZONES
        ):
            raise ValueError(
                f"zone scolaire inconnue, « {self.school_zone} » "
                f"({', '.join(SCHOOL_ZONES)}, en France seulement)"
            )
        return self


class EntriesRule(Strict):
    """The source of what partners enter early, and its fields, beside those of the events'.

    `entered` is when an entry was first made, `by` who made it, `zone` where the event is to be, of
    the main division. The events' own field `taken_over` names the entry that an event comes from.
    """

    source: str
    entered: str
    by: str
    titles: dict[str, str] = Field(default_factory=dict)
    zone: str
    taken_over: str


class EventsRule(Strict):
    """The source of events and its fields; those whose `status` is of `held` take place.

    An event is called by its `kind` (`titles`: kind → what readers see) and its place: no title
    that somebody wrote comes in.
    """

    source: str
    id: str
    kind: str
    titles: dict[str, Title] = Field(default_factory=dict)
    start: str
    end: str
    longitude: str
    latitude: str
    size: str
    status: str
    held: tuple[str, ...]
    entries: EntriesRule | None = None


class ClosuresRule(Strict):
    """The source of streets and places closed, and its fields; `event` is the event's number."""

    source: str
    id: str
    kind: str
    start: str
    end: str
    longitude: str
    latitude: str
    radius_m: str
    event: str


class WarningsRule(Strict):
    """The source of weather warnings: its moment, its level, levels worth telling, worst first.

    `sheet` is the reflex sheet that a warning opens.
    """

    source: str
    moment: str
    level: str
    levels: tuple[str, ...]
    sheet: str | None = None


class Patrols(Strict):
    """The source of the hours of patrol, and its fields: `hours` of agents in a `zone` of
    `division`, a working `slot` and a working `day`."""

    source: str
    division: str
    hours: str
    zone: str
    slot: str
    day: str


class Agenda(Strict):
    """Where what is on today is told; each part where the city has a source for it."""

    events: EventsRule | None = None
    closures: ClosuresRule | None = None
    warnings: WarningsRule | None = None


class Milestone(Strict):
    """Something known to have changed the counts: its days, what it touches, who says so.

    Without `sources` and `themes` it touches all. `end` (inclusive) makes it an exception, whose
    weeks are set aside; without it, it lasts. `recording`: what changed is how facts are recorded,
    not what happens. `closed`: the sources are closed from `start` to `end`, and their silence
    then is no failure.
    """

    title: Title
    start: dt.date
    end: dt.date | None = None
    sources: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    recording: bool = False
    closed: bool = False
    told_by: Words = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> Milestone:
        if self.end and self.end < self.start:
            raise ValueError(f"« {self.title} » finit avant de commencer")
        if self.closed and not (self.end and self.sources):
            raise ValueError(f"« {self.title} » : une fermeture a une fin et des sources")
        return self


class PublishedFigure(Strict):
    """A number published elsewhere, that situates the city's own; `year` where it has one."""

    name: str
    label: str
    value: float
    unit: str
    source: str
    year: int | None = None


class Slot(Strict):
    """A working slot of a day: its title and the local hour at which it starts."""

    title: Title
    start_h: int = Field(ge=0, le=23)


# Without a city's own: the four shifts of a municipal police.
SLOTS = {
    "matin": Slot(title="matin", start_h=6),
    "apres_midi": Slot(title="après-midi", start_h=13),
    "soir": Slot(title="soir", start_h=19),
    "nuit": Slot(title="nuit", start_h=23),
}


class CityFile(Strict):
    """`city.yaml`, as written."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Title
    language: Literal["fr"]
    timezone: str
    crs: str
    simulated: bool
    key: Literal["privee", "publique"] = "privee"
    period: Period
    main_division: str
    divisions: dict[str, Division]
    sources: dict[str, Delivery]
    folders: tuple[str, ...] = ()
    how_to_get: str = ""
    holidays: Holidays
    slots: dict[str, Slot] = Field(default_factory=lambda: dict(SLOTS))
    agenda: Agenda = Field(default_factory=Agenda)
    milestones: tuple[Milestone, ...] = ()
    patrols: Patrols | None = None
    published_figures: tuple[PublishedFigure, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _timezone_known(cls, value: str) -> str:
        return known_timezone(value)

    @field_validator("crs")
    @classmethod
    def _in_metres(cls, value: str) -> str:
        system = known_crs(value)
        units = {axis.unit_conversion_factor for axis in system.axis_info}
        if not system.is_projected or units != {1.0}:
            raise ValueError(
                f"« {value} » n'est pas en mètres (au choix : EPSG:3035 en Europe, une zone UTM "
                "ailleurs)"
            )
        if system.to_epsg() is None:
            raise ValueError(f"« {value} » n'a pas de code EPSG, dont les mailles portent le nom")
        return value

    @field_validator("slots")
    @classmethod
    def _apart(cls, value: dict[str, Slot]) -> dict[str, Slot]:
        starts = [one.start_h for one in value.values()]
        if not starts or len(set(starts)) < len(starts):
            raise ValueError("des créneaux : un au moins, chacun à son heure de début")
        return value

    @field_validator("divisions")
    @classmethod
    def _not_reserved(cls, value: dict[str, Division]) -> dict[str, Division]:
        taken = sorted({WHOLE, CELL} & value.keys())
        if taken:
            raise ValueError(f"nom réservé, « {taken[0]} »")
        return value
