"""Every knob of the simulated city, typed: `simulation.yaml` of a pack."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from helpers.simulate.streams import Floats
from helpers.strict import Strict, parse

Share = Annotated[float, Field(ge=0, le=1)]
Weights = dict[str, Annotated[float, Field(ge=0)]]
Weight = Annotated[float, Field(ge=0)]
Initiator = Literal["citizen", "agent", "other"]


class Shapes(Strict):
    """How the quarters' shapes are built from facts (file within the pack, metres, cells)."""

    facts: str
    cell_m: int = Field(gt=0)
    closing_cells: int = Field(ge=0)


class Place(Strict):
    """The log-Gaussian intensity over cells: how concentrated, and how smooth."""

    town_hall: tuple[float, float]
    half_in_share: float = Field(gt=0, lt=0.5)
    centre_share: Share
    smooth_share: Share
    local_share: Share
    smooth_length_m: float = Field(gt=0)
    centre_length_m: float = Field(gt=0)
    common_share: Share
    field_share: Share
    presence_share: Share
    built_share: dict[str, Share]
    coast_quarters: tuple[str, ...]

    @model_validator(mode="after")
    def _shares(self) -> Place:
        scales = self.centre_share + self.smooth_share + self.local_share
        fields = self.common_share + self.field_share + self.presence_share
        if not (math.isclose(scales, 1) and math.isclose(fields, 1)):
            raise ValueError("les parts de variance doivent faire 1, par échelle et par champ")
        return self


class Rhythm(Strict):
    """Relative weights of hours (0–23), weekdays (Monday first) and months."""

    hours: tuple[Weight, ...] = Field(min_length=24, max_length=24)
    weekdays: tuple[Weight, ...] = Field(min_length=7, max_length=7)
    months: tuple[Weight, ...] = Field(min_length=12, max_length=12)


class Episode(Strict):
    """A factor on some types of a source between two days; a level break has no end."""

    title: str
    source: str
    start: dt.date
    end: dt.date | None = None
    types: tuple[str, ...] | None = None
    factor: float = Field(gt=0)


class Time(Strict):
    """When facts happen."""

    night_ends_h: int = Field(ge=0, le=12)
    coast_by_month: tuple[Weight, ...] = Field(min_length=12, max_length=12)
    rhythms: dict[str, Rhythm]
    episodes: tuple[Episode, ...] = ()


class Defects(Strict):
    """How often each defect strikes, as a share of the lines (days for the delays)."""

    no_place: Share
    default_point: Share
    quarter_only: Share
    swapped: Share
    duplicate: float = Field(ge=0, lt=1)
    unknown_code: Share
    late: Share
    late_after_days: int = Field(ge=0)
    late_gamma_shape: float = Field(gt=0)
    late_gamma_scale_days: float = Field(gt=0)


class TypeOfFact(Strict):
    """One type of fact: its volume, who starts the record, when and where it happens.

    `agent` and `other` are the shares started by agents and passed on by third parties; the rest
    comes from citizens. `trend` is the yearly change (0.02 = +2 %).
    """

    family: str
    share: float = Field(gt=0)
    agent: Share = 0.0
    other: Share = 0.0
    rhythm: str
    field: str
    trend: float = Field(gt=-1)
    service: str = ""

    def initiator_share(self, initiator: Initiator) -> float:
        """Return the share of this type's records that `initiator` starts."""
        shares = {"agent": self.agent, "other": self.other}
        return shares.get(initiator, 1.0 - self.agent - self.other)


class Source(Strict):
    """What every simulated source of facts has."""

    records_per_year: float = Field(gt=0)
    id_prefix: str
    defects: Defects
    unknown_codes: tuple[str, ...] = Field(min_length=1)
    initiators: dict[Initiator, Weights]
    types: dict[str, TypeOfFact]


class MainCourante(Source):
    """The municipal police log: intervals, delays of entry, descriptive attributes."""

    interval_share: Share
    interval_median_min: float = Field(gt=0)
    interval_log_sd: float = Field(gt=0)
    entry_delay_mean_min: float = Field(gt=0)
    attributes: dict[str, Weights]


class Signalement(Source):
    """Citizens' reports: resolution, targets, reports of the same fact."""

    resolution_gamma_shape: float = Field(gt=0)
    resolution_gamma_scale_days: float = Field(gt=0)
    target_days: int = Field(gt=0)
    rejected_share: Share
    same_fact_days: int = Field(gt=0)
    same_fact_share: Share


class Sources(Strict):
    main_courante: MainCourante
    signalement: Signalement


class Settings(Strict):
    """`simulation.yaml`, as written. `scale` is the part of the volume that is produced."""

    seed: int = Field(ge=0)
    scale: float = Field(gt=0)
    shapes: Shapes
    place: Place
    time: Time
    sources: Sources

    @model_validator(mode="after")
    def _names(self) -> Settings:
        for name in Sources.model_fields:
            source: Source = getattr(self.sources, name)
            for code, kind in source.types.items():
                if kind.rhythm not in self.time.rhythms:
                    raise ValueError(f"{name}.{code} : rythme inconnu « {kind.rhythm} »")
                if kind.agent + kind.other > 1:
                    raise ValueError(f"{name}.{code} : agent + other dépasse 1")
        return self


def load_settings(pack: Path) -> Settings:
    """Read and check the pack's `simulation.yaml`; raise `PhareError` where it is wrong."""
    shown_as = f"{pack.name}/simulation.yaml"
    settings: Settings = parse(Settings, pack / "simulation.yaml", shown_as)
    return settings


def as_probabilities(weights: tuple[float, ...] | list[float]) -> Floats:
    """Return `weights` divided by their sum."""
    values = np.array(weights, dtype=np.float64)
    return np.asarray(values / values.sum(), dtype=np.float64)
