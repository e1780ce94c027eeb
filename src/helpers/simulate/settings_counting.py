"""The knobs of the simulated counters: block `sources.comptage` of a pack's `simulation.yaml`."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]


class Profile(Strict):
    """Relative weights of hours (0–23) and weekdays (Monday first), and of free days.

    `holidays`: the factor of school holidays; public holidays are as Sundays.
    """

    hours: tuple[Weight, ...] = Field(min_length=24, max_length=24)
    weekdays: tuple[Weight, ...] = Field(min_length=7, max_length=7)
    holidays: Positive


class CountingSite(Strict):
    """A place of counters: degrees, kind of road, profile, passages a day of each mobility.

    `speed_kmh`: mean speed of an empty road, where the counter tells speeds.
    """

    longitude: float
    latitude: float
    road: str
    profile: str
    daily: dict[str, Positive]
    speed_kmh: Positive | None = None


class RoadClosed(Strict):
    """A road closed on whole days: the share `kept`, and what of the rest goes to other sites."""

    title: str
    site: str
    start: dt.date
    end: dt.date
    kept: Share
    moved: dict[str, Share] = Field(default_factory=dict)


class Surge(Strict):
    """What an occasion does to counters within `reach_m`: factors before, during and after it.

    `span_h` hours on each side. `profile`: of which places.
    """

    occasion: str
    profile: str
    reach_m: Positive
    span_h: int = Field(ge=1, le=12)
    before: Positive
    during: Positive
    after: Positive


class Gathering(Strict):
    """A gathering that no event tells: passages `times` their own for some hours (wall clock)."""

    title: str
    site: str
    start: dt.datetime
    hours: int = Field(ge=1, le=48)
    times: Positive


class Dead(Strict):
    """A counter dead on whole days: no row, an empty count, or zeros that are none."""

    site: str
    start: dt.date
    end: dt.date
    how: Literal["no_row", "empty", "zero"]


class Changed(Strict):
    """A site that counts `factor` times as much from a day on: another machine, or another flow."""

    site: str
    start: dt.date
    factor: Positive
    machine: bool


class Counting(Strict):
    """The counters: from `since`; how days and hours vary (standard deviations of logarithms).

    `shared_sd`: what all places share on a day; `own_sd`: each one's own day, of which `drag`
    stays on the morrow; `hour_sd`: each hour. Beside these, counts are Poisson.
    """

    since: dt.date
    shared_sd: Weight
    own_sd: Weight
    drag: float = Field(ge=0, lt=1)
    hour_sd: Weight
    profiles: dict[str, Profile]
    sites: dict[str, CountingSite]
    closed: tuple[RoadClosed, ...] = ()
    surges: tuple[Surge, ...] = ()
    gatherings: tuple[Gathering, ...] = ()
    dead: tuple[Dead, ...] = ()
    changed: tuple[Changed, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Counting:
        named = {site for one in self.closed for site in (one.site, *one.moved)}
        named |= {one.site for one in self.gatherings} | {one.site for one in self.dead}
        named |= {one.site for one in self.changed}
        if unknown := sorted(named - self.sites.keys()):
            raise ValueError(f"comptage : points inconnus : {', '.join(unknown)}")
        profiles = {one.profile for one in self.sites.values()}
        profiles |= {one.profile for one in self.surges}
        if unknown := sorted(profiles - self.profiles.keys()):
            raise ValueError(f"comptage : profils inconnus : {', '.join(unknown)}")
        return self
