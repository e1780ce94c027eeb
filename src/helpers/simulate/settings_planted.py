"""The knobs of what a pack plants for its reports to find: block `planted` of `simulation.yaml`.

`yearly` is a change a year (0.1 = +10 %), or a number of incidents a year for an address.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict

Factor = Annotated[float, Field(gt=0, le=20)]


class LocalEpisode(Strict):
    """More of some kinds in some quarters or districts (beginnings of codes) between two days.

    The level is `factor` on the first day, and then grows by `yearly`; no end: until the period's.
    """

    title: str
    kinds: tuple[str, ...] = Field(min_length=1)
    places: tuple[str, ...] = Field(min_length=1)
    start: dt.date
    end: dt.date | None = None
    factor: float = Field(default=1, ge=1, le=20)
    yearly: float = Field(default=0, ge=0, le=2)


class Address(Strict):
    """One address where a kind comes again and again, `yearly` incidents a year (degrees)."""

    title: str
    kind: str
    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)
    yearly: float = Field(gt=0, le=10_000)
    start: dt.date
    end: dt.date

    @model_validator(mode="after")
    def _ordered(self) -> Address:
        if self.end < self.start:
            raise ValueError("l'adresse finit avant de commencer")
        return self


class Shock(Strict):
    """What inhabitants of a quarter answer to a grave fact, between two days: they hold back.

    `reports`, `passages`, `quiet`: the share that is kept of their reports, of the passages at the
    counters `sites`, and of those who would say in a survey of these days that they feel quiet.
    """

    title: str
    quarter: str
    start: dt.date
    end: dt.date
    reports: float = Field(default=1, gt=0, le=1)
    passages: float = Field(default=1, gt=0, le=1)
    sites: tuple[str, ...] = ()
    quiet: float = Field(default=1, gt=0, le=1)

    def over(self, days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        """Return which days, or moments, lie between the first and the last one."""
        day = days.astype("datetime64[D]")
        return np.asarray((day >= np.datetime64(self.start)) & (day <= np.datetime64(self.end)))


class Planted(Strict):
    """Local episodes, addresses, what school holidays multiply, and the sway of years (log sd)."""

    local: tuple[LocalEpisode, ...] = ()
    addresses: tuple[Address, ...] = ()
    school_holidays: dict[str, Factor] = Field(default_factory=dict)
    yearly_sway_sd: float = Field(default=0, ge=0, le=0.2)

    def named_kinds(self) -> set[str]:
        """Return the kinds that the block names."""
        local = {kind for one in self.local for kind in one.kinds}
        return local | {one.kind for one in self.addresses} | set(self.school_holidays)
