"""How an accepted row becomes an observation: its moment, its place, its category, its origin."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from helpers.core.base.yaml_models import Strict

Origin = Literal["citizen", "agent", "unknown"]
TimePrecision = Literal["minute", "hour", "day", "month", "year"]


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
    """A moment spread over several columns (`hhmm` as the digits of 24 h time)."""

    year: str
    month: str | None = None
    day: str | None = None
    hhmm: str | None = None


class DeclaredZone(Strict):
    """The zone that the source itself names; used only where the record has no point."""

    division: str
    field: str


class ObservationRule(Strict):
    """How an accepted row becomes an observation. Values are fields of the contract.

    `longitude` and `latitude` may be metres or feet: `coordinates_crs` says so. A row of negative
    `count` takes back a row of the opposite count that says the same of all fields of a list of
    `cancels`; the lists are tried in order (`cancelling`).
    """

    category: str
    started_at: str | TimeParts
    ended_at: str | None = None
    recorded_at: str | None = None
    time_precision: TimePrecision = "minute"
    longitude: str | None = None
    latitude: str | None = None
    coordinates_crs: str = "EPSG:4326"
    declared_zone: DeclaredZone | tuple[DeclaredZone, ...] = ()
    origin: OriginRule
    count: str | None = None
    cancels: tuple[tuple[str, ...], ...] = ()

    @model_validator(mode="after")
    def _sensible(self) -> ObservationRule:
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
