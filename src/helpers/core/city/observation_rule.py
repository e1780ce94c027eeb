"""How an accepted row becomes an observation: its moment, its place, its category, its origin."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import field_validator, model_validator

from helpers.core.base.yaml_models import Strict

Origin = Literal["citizen", "agent", "unknown"]
# From the finest to the coarsest: a row that is known less well than its source says so.
TimePrecision = Literal["minute", "hour", "day", "month", "year"]
CLOCK = re.compile("(?:[01][0-9]|2[0-3]):[0-5][0-9]")
DAY = re.compile("(?:(?:0[1-9]|1[0-2])-)?(?:0[1-9]|[12][0-9]|3[01])")


class OriginRule(Strict):
    """Who started the record. Agent activity is not demand: this is never left out."""

    value: Origin | None = None
    field: str | None = None
    citizen: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _either(self) -> OriginRule:
        if (self.value is None) == (self.field is None):
            raise ValueError("donner `value`, ou bien `field` avec `citizen` et `agent`")
        return self


class TimeParts(Strict):
    """A moment spread over several columns; what a row leaves empty is unknown, never zero.

    The day is a `date`, or a `year` with its `month` and `day`. The hour is a `time` (14:30),
    `hhmm` the digits of 24 h time (930 for half past nine), or an `hour` with its `minute`.
    `hour_24` is what 24 h, 24:00 or 2400 stands for: the midnight that ends the day (`next_day`),
    the one that begins it (`same_day`), or an `unknown` hour; such rows are set aside without it.
    """

    date: str | None = None
    year: str | None = None
    month: str | None = None
    day: str | None = None
    time: str | None = None
    hhmm: str | None = None
    hour: str | None = None
    minute: str | None = None
    hour_24: Literal["next_day", "same_day", "unknown"] | None = None

    @model_validator(mode="after")
    def _one_day_one_hour(self) -> TimeParts:
        if (self.date is None) == (self.year is None):
            raise ValueError("donner `date`, ou bien `year` (avec `month` et `day`)")
        if self.date and (self.month or self.day):
            raise ValueError("`month` et `day` vont avec `year`, pas avec `date`")
        if self.day and not self.month:
            raise ValueError("`day` va avec `month`")
        clocks = [name for name in (self.time, self.hhmm, self.hour) if name]
        if len(clocks) > 1:
            raise ValueError("l'heure est `time`, `hhmm` ou `hour` : une seule des trois")
        if self.minute and not self.hour:
            raise ValueError("`minute` va avec `hour`")
        if clocks and not (self.date or self.day):
            raise ValueError("une heure va avec un jour : `date`, ou `year`, `month` et `day`")
        if self.hour_24 and not clocks:
            raise ValueError("`hour_24` va avec `time`, `hhmm` ou `hour`")
        return self

    @property
    def fields(self) -> list[str]:
        """The fields of the contract that tell the moment."""
        parts = self.model_dump(exclude={"hour_24"})
        return [name for name in parts.values() if name]


class DeclaredZone(Strict):
    """The zone that the source names; used where the record has no point, or a snapped one."""

    division: str
    field: str


class ObservationRule(Strict):
    """How an accepted row becomes an observation. Values are fields of the contract.

    `time_precision` is the best that the source knows; a row that tells less says so. A clock that
    reads one of `unknown_hour` (« 00:00 ») is an hour that the publisher does not know; a day of
    `unknown_day` (« 01 », « 01-01 » for the first of January), a day, or a month, that it does not.
    `quiet_days`: days of next to nothing among whole ones are truly quiet, not received in part.
    `longitude` and `latitude` may be metres or feet: `coordinates_crs` says so. `snapped_points`:
    the publisher moved the points (to crossings, to the middle of streets); they tell the zone,
    unless the source names it (`declared_zone`), not the cell. A row of negative `count` takes back
    a row of the opposite count that says the same of all fields of a list of `cancels`; the lists
    are tried in order (`cancelling`).
    """

    category: str
    started_at: str | TimeParts
    ended_at: str | TimeParts | None = None
    recorded_at: str | None = None
    time_precision: TimePrecision = "minute"
    unknown_hour: tuple[str, ...] = ()
    unknown_day: tuple[str, ...] = ()
    quiet_days: bool = False
    longitude: str | None = None
    latitude: str | None = None
    coordinates_crs: str = "EPSG:4326"
    snapped_points: bool = False
    declared_zone: DeclaredZone | tuple[DeclaredZone, ...] = ()
    origin: OriginRule
    count: str | None = None
    cancels: tuple[tuple[str, ...], ...] = ()

    @field_validator("unknown_hour", "unknown_day", mode="before")
    @classmethod
    def _quoted(cls, value: Any) -> Any:
        if isinstance(value, list) and not all(isinstance(one, str) for one in value):
            raise ValueError('écrire chaque valeur entre guillemets : ["00:00"], ["01-01"]')
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _sensible(self) -> ObservationRule:
        if not all(map(CLOCK.fullmatch, self.unknown_hour)):
            raise ValueError('`unknown_hour` donne des heures de 00:00 à 23:59 : ["00:00"]')
        if not all(map(DAY.fullmatch, self.unknown_day)):
            raise ValueError('`unknown_day` donne des jours, « JJ » ou « MM-JJ » : ["01-01"]')
        if self.snapped_points and not self.longitude:
            raise ValueError("`snapped_points` va avec `longitude` et `latitude`")
        if self.cancels and not self.count:
            raise ValueError("`cancels` va avec `count`, le champ qui porte le signe")
        if not all(self.cancels):
            raise ValueError("une liste de `cancels` nomme au moins un champ")
        divisions = [zone.division for zone in self.declared_zones]
        if len(set(divisions)) < len(divisions):
            raise ValueError("`declared_zone` donne au plus un champ par découpage")
        return self

    @property
    def declared_zones(self) -> tuple[DeclaredZone, ...]:
        """The zones that the source itself names, one a division."""
        told = self.declared_zone
        return (told,) if isinstance(told, DeclaredZone) else told
