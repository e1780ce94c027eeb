"""City packs: a folder that tells all that is particular to a city."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import Workspace
from helpers.core.base.yaml_models import Strict, among, parse
from helpers.core.city import lists
from helpers.core.city.contract import Contract, load_contract
from helpers.core.city.key import PUBLIC, Key, public, read
from helpers.core.city.questions import Question

THEMES = "themes.yaml"
Grade = Literal["A", "B", "C", "D"]
Axis = Literal["delinquance", "domaine_public", "circulation"]
AXES: dict[str, str] = {
    "delinquance": "Délinquance",
    "domaine_public": "Domaine public",
    "circulation": "Circulation",
}


class Period(Strict):
    """First and last day kept, both inclusive; the last one is the city's "today"."""

    start: dt.date
    end: dt.date


class Division(Strict):
    """A partition of the territory: drawn by a source, or grouping the zones of another one.

    `group_by` names the column of the parent's source that holds this division's code. `zones`
    gives code → name of its zones, or `names` the list of the pack (`lists/<names>.csv`) that does;
    a division without shapes (police services, say) is that list. No name comes from a delivery.
    """

    title: str
    source: str | None = None
    code: str = "code"
    names: str = ""
    grouping_of: str | None = None
    group_by: str | None = None
    zones: dict[str, str] = Field(default_factory=dict)


class Delivery(Strict):
    """Where a source's rows come from; an address is unverified until somebody has fetched it.

    `file` names one file, or several by a pattern (`faits_*.csv`, taken in the order of their
    names); `files` lists them in the order in which they were delivered. A record of a later file
    replaces that of an earlier one. A source with an address alone is read there.
    """

    file: str = ""
    files: tuple[str, ...] = ()
    url: str = ""
    url_verified: bool = False
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

    title: str
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


class EventsRule(Strict):
    """The source of events and its fields; those whose `status` is of `held` take place.

    An event is called by its `kind` (`titles`: kind → what readers see) and its place: no title
    that somebody wrote comes in.
    """

    source: str
    id: str
    kind: str
    titles: dict[str, str] = Field(default_factory=dict)
    start: str
    end: str
    longitude: str
    latitude: str
    size: str
    status: str
    held: tuple[str, ...]


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

    title: str
    start: dt.date
    end: dt.date | None = None
    sources: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    recording: bool = False
    closed: bool = False
    told_by: str

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


class Reporting(Strict):
    """The share of a theme's facts that habitants tell, as a range, and where it comes from."""

    low: float = Field(gt=0, le=1)
    high: float = Field(gt=0, le=1)
    source: str

    @model_validator(mode="after")
    def _ordered(self) -> Reporting:
        if self.low > self.high:
            raise ValueError("la part signalée : low dépasse high")
        return self


class Theme(Strict):
    """A theme: what is counted, of which source, under which of the three axes.

    `division` is where it is reported, if not in the city's main division. `wave` is when it comes
    into service, and `needs` the grade that each source must hold for that (`waves`). `sheet` is
    the reflex sheet (templates/fiches) that an alert on the theme opens. `reporting` is the range
    of the share of facts that habitants tell (`patrol`).
    """

    title: str
    axis: Axis
    source: str
    categories: tuple[str, ...]
    severity: int = Field(ge=1, le=5)
    division: str | None = None
    wave: int = Field(default=1, ge=1)
    needs: dict[str, Grade] = Field(default_factory=dict)
    sheet: str | None = None
    reporting: Reporting | None = None


class Themes(Strict):
    """`themes.yaml`, as written: what is counted, and the questions asked of it."""

    themes: dict[str, Theme]
    questions: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Question] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _disjoint(self) -> Themes:
        seen: dict[tuple[str, str], str] = {}
        for name, theme in self.themes.items():
            for category in theme.categories:
                other = seen.setdefault((theme.source, category), name)
                if other != name:
                    raise ValueError(f"« {category} » est dans deux thèmes : {other} et {name}")
        return self


class Slot(Strict):
    """A working slot of a day: its title and the local hour at which it starts."""

    title: str
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
    title: str
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


class City:
    """A loaded pack: `about` (city.yaml), its contracts and its themes."""

    def __init__(self, pack: Path) -> None:
        self.pack = pack
        self.about: CityFile = parse(CityFile, pack / "city.yaml", f"{pack.name}/city.yaml")
        self._expect("main_division", self.about.main_division, self.about.divisions, "city.yaml")
        for name, division in self.about.divisions.items():
            here = f"divisions.{name}"
            if division.source:
                self._expect(f"{here}.source", division.source, self.about.sources, "city.yaml")
            if division.grouping_of:
                drawn = [n for n, d in self.about.divisions.items() if d.source]
                self._expect(f"{here}.grouping_of", division.grouping_of, drawn, "city.yaml")
        if self.about.patrols:
            told = self.about.patrols
            self._expect("patrols.source", told.source, self.about.sources, "city.yaml")
            self._expect("patrols.division", told.division, self.about.divisions, "city.yaml")
        for one in self.about.milestones:
            for source in one.sources:
                self._expect(f"milestones « {one.title} »", source, self.about.sources, "city.yaml")

    def _expect(self, key: str, value: str, known: Iterable[str], file: str) -> None:
        """Raise PhareError where `value`, found under `key`, names nothing known."""
        among(f"{self.pack.name}/{file}", key, value, known)

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        """Return the contract of each source of the pack, in the order of city.yaml."""
        folder = self.pack / "contracts"
        found = {name: load_contract(folder / f"{name}.yaml") for name in self.about.sources}
        for name, contract in found.items():
            if contract.source != name:
                raise PhareError(
                    f"le contrat dit « source: {contract.source} »",
                    f"{self.pack.name}/contracts/{name}.yaml",
                    f"écrire « source: {name} » ou renommer le fichier",
                )
            file = f"contracts/{name}.yaml"
            for zone in contract.observation.declared_zones if contract.observation else ():
                self._expect("declared_zone.division", zone.division, self.about.divisions, file)
        return found

    @cached_property
    def _themes(self) -> Themes:
        found: Themes = parse(Themes, self.pack / THEMES, f"{self.pack.name}/{THEMES}")
        return found

    @cached_property
    def themes(self) -> dict[str, Theme]:
        """Return the themes of the pack, in the file's order."""
        for name, theme in self._themes.themes.items():
            self._expect(f"{name}.source", theme.source, self.about.sources, THEMES)
            division = theme.division or self.about.main_division
            self._expect(f"{name}.division", division, self.about.divisions, THEMES)
            for source in theme.needs:
                self._expect(f"{name}.needs", source, self.about.sources, THEMES)
        for one in self.about.milestones:
            for touched in one.themes:
                here = f"milestones « {one.title} »"
                self._expect(here, touched, self._themes.themes, "city.yaml")
        return self._themes.themes

    @cached_property
    def questions(self) -> dict[str, Question]:
        """Return the questions of the pack's portfolio, in the file's order; often none."""
        for name, question in self._themes.questions.items():
            here = f"questions.{name}"
            self._expect(f"{here}.theme", question.theme, self.themes, THEMES)
            for category in question.categories:
                known = self.themes[question.theme].categories
                self._expect(f"{here}.categories", category, known, THEMES)
            if question.division:
                self._expect(f"{here}.division", question.division, self.about.divisions, THEMES)
        return self._themes.questions

    @property
    def has_public_key(self) -> bool:
        """Whether the city has nothing to hide: its key follows from its name."""
        return self.about.simulated or self.about.key == PUBLIC

    def key(self, root: Path) -> Key:
        """Return the key by which the door hashes identifiers, of the workspace at `root`."""
        if self.has_public_key:
            return public(self.about.name)
        return read(root, self.about.name)

    def zone_names(self, division: str) -> dict[str, str]:
        """Return code → name of the zones that the pack names; of others, the code is all."""
        told = self.about.divisions[division]
        return lists.read(self.pack, told.names) if told.names else told.zones

    def themed_sources(self) -> list[str]:
        """Return the sources that the themes count."""
        return sorted({theme.source for theme in self.themes.values()})

    def observed_sources(self) -> list[str]:
        """Return the sources that bring observations."""
        return [n for n, c in self.contracts.items() if c.kind == "observations"]


def load_city(workspace: Workspace) -> City:
    """Load the pack of the workspace's city."""
    return City(workspace.pack)
