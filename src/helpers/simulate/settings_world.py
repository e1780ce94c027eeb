"""The knobs of what truly happens: block `world` of a pack's `simulation.yaml`.

Shares are between 0 and 1, distances metres, times hours, days or weeks as the name says.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Part = Annotated[float, Field(gt=0, lt=1)]
Slot = Literal["matin", "apres_midi", "soir", "nuit"]
Feature = Literal["eclairage_pct", "commerces_n", "debits_boisson_n", "arrets_tc_n", "ecoles_n"]
Shade = Literal["prevention", "dissuasion", "repression"]


class NearRepeat(Strict):
    """Offspring of one incident: mean number, mean delay (exponential), spread (Gaussian)."""

    branching: float = Field(ge=0, lt=0.5)
    mean_days: Positive
    spread_m: Positive


class Climate(Strict):
    """A plausible weather: monthly means (°C), persistence, rain and wind."""

    monthly_c: tuple[float, ...] = Field(min_length=12, max_length=12)
    daily_range_c: Positive
    anomaly_sd_c: Positive
    anomaly_persistence: Share
    rain_days: tuple[Share, ...] = Field(min_length=12, max_length=12)
    rain_day_mm: Positive
    windy_days: Share
    calm_ms: Positive
    windy_ms: Positive
    gust_factor: float = Field(ge=1)
    hot_day_c: float
    hot_all: Positive
    hot_violence: Positive
    hot_property: Positive
    violence: tuple[str, ...]
    property: tuple[str, ...]


class Ring(Strict):
    """Within `radius_m` of an event, and beyond the ring before: the kinds' level is multiplied."""

    radius_m: Positive
    factor: float = Field(ge=1)


class Occasion(Strict):
    """A family of events: how many a year, when, how large, where, and what they bring.

    `category` is the code of the events' files. `venue` (degrees) is a fixed place; without it,
    `places` cells are drawn among the busiest. `weekday`s count from Monday (0).
    """

    title: str
    category: str
    per_year: tuple[int, int]
    venue: tuple[float, float] | None = None
    places: int = Field(default=1, ge=1)
    months: tuple[int, ...] = tuple(range(1, 13))
    weekdays: tuple[int, ...] = tuple(range(7))
    start_h: tuple[int, ...]
    duration_h: tuple[Positive, Positive]
    crowd: tuple[int, int]
    capacity: int = Field(ge=0)
    kinds: tuple[str, ...]
    rings: tuple[Ring, ...] = Field(min_length=1)
    before_h: float = Field(ge=0)
    after_h: float = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Occasion:
        radii = [ring.radius_m for ring in self.rings]
        if radii != sorted(radii):
            raise ValueError("donner les couronnes de la plus petite à la plus grande")
        return self


class ActionType(Strict):
    """A type of action: its shade of answer, weekly dose (agent-hours), and the kinds it aims at.

    `patrol_share` is the part of the dose that patrols the quarter, hence sees and records more.
    """

    shade: Shade
    dose_h: Positive
    kinds: tuple[str, ...] = Field(min_length=1)
    patrol_share: Share


class IdleAction(Strict):
    """An action that prevents nothing: a known null. Days from the start of the period."""

    type: str
    shade: Shade
    dose_h: Positive
    first_day: int = Field(ge=0)
    lasting_days: int = Field(gt=0)
    kinds: tuple[str, ...] = Field(min_length=1)


class ActionPlan(Strict):
    """Staggered actions on the busiest zones: what they do, and where the rest goes."""

    zones: int = Field(gt=0)
    zone_radius_m: Positive
    ring_m: Positive
    apart_m: Positive
    first_day: int = Field(ge=0)
    every_days: int = Field(gt=0)
    lasting_days: int = Field(gt=0)
    effect: Share
    half_life_weeks: Positive
    displacement: tuple[Share, ...] = Field(min_length=1)
    diffusion: Share
    types: dict[str, ActionType] = Field(min_length=1)
    idle: tuple[IdleAction, ...] = ()


class Patrols(Strict):
    """Agent-hours on patrol: a day's total, by slot, and how unevenly quarters get them."""

    hours_per_day: Positive
    slots: dict[Slot, Positive]
    follows_facts: Share
    daily_shape: Positive

    @model_validator(mode="after")
    def _all_slots(self) -> Patrols:
        if len(self.slots) != 4:
            raise ValueError("donner les quatre plages : matin, apres_midi, soir, nuit")
        return self


class Surrounding(Strict):
    """A true effect of what quarters hold: `step` more of `feature` multiplies the kinds' level.

    Hardship and income are not among the features: they cause nothing here.
    """

    feature: Feature
    kinds: tuple[str, ...] = Field(min_length=1)
    step: Positive
    ratio: Positive


class WorldSettings(Strict):
    """What truly happens, and what gets recorded.

    `reported` is the share of a kind's incidents that somebody tells; `records_per_year` counts
    those that reach the log, whoever starts the record, at scale 1.
    """

    records_per_year: Positive
    reported: dict[str, Part]
    near_repeat: dict[str, NearRepeat]
    climate: Climate
    occasions: dict[str, Occasion]
    actions: ActionPlan
    patrols: Patrols
    surroundings: tuple[Surrounding, ...] = ()

    def named_kinds(self) -> set[str]:
        """Return the kinds that the block names anywhere."""
        lists = [o.kinds for o in self.occasions.values()]
        lists += [a.kinds for a in self.actions.types.values()]
        lists += [a.kinds for a in self.actions.idle]
        lists += [s.kinds for s in self.surroundings]
        lists += [self.climate.violence, self.climate.property]
        return {*self.reported, *self.near_repeat, *(kind for kinds in lists for kind in kinds)}
