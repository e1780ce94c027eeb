"""Every knob of the simulated city, typed: `simulation.yaml` of a pack."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict, parse
from helpers.simulate.settings_planted import Planted
from helpers.simulate.settings_sources import Defects, Sources
from helpers.simulate.settings_world import WorldSettings

Share = Annotated[float, Field(ge=0, le=1)]
Weights = dict[str, Annotated[float, Field(ge=0)]]
Weight = Annotated[float, Field(ge=0)]
Initiator = Literal["citizen", "agent", "other"]


class Shapes(Strict):
    """The quarters' outlines (file within the pack), and the side of a cell in metres."""

    outlines: str
    cell_m: int = Field(gt=0, multiple_of=10)


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
    """A factor on some types of a source between two days; a level break has no end.

    With `recording`, what happens stays the same: only what is written of it changes.
    """

    title: str
    source: str
    start: dt.date
    end: dt.date | None = None
    types: tuple[str, ...] | None = None
    factor: float = Field(gt=0)
    recording: bool = False


class Time(Strict):
    """When facts happen."""

    night_ends_h: int = Field(ge=0, le=12)
    coast_by_month: tuple[Weight, ...] = Field(min_length=12, max_length=12)
    rhythms: dict[str, Rhythm]
    episodes: tuple[Episode, ...] = ()


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

    @property
    def mission(self) -> bool:
        """Whether it is what agents are sent to do: always recorded, never a demand."""
        return self.family == "mission"


class Settings(Strict):
    """`simulation.yaml`, as written. `scale` is the part of the volume that is produced."""

    seed: int = Field(ge=0)
    scale: float = Field(gt=0)
    shapes: Shapes
    place: Place
    time: Time
    kinds: dict[str, TypeOfFact]
    world: WorldSettings
    planted: Planted = Planted()
    defects: Defects
    sources: Sources

    @model_validator(mode="after")
    def _names(self) -> Settings:
        missions = {code for code, kind in self.kinds.items() if kind.mission}
        named = self.world.named_kinds()
        if unknown := sorted(named - self.kinds.keys()):
            raise ValueError(f"world : natures inconnues : {', '.join(unknown)}")
        if self.world.reported.keys() != self.kinds.keys() - missions:
            raise ValueError("world.reported : donner toutes les natures, sauf les missions")
        if unknown := sorted(self.planted.named_kinds() - self.kinds.keys()):
            raise ValueError(f"planted : natures inconnues : {', '.join(unknown)}")
        if unknown := sorted(self.sources.named_kinds() - self.kinds.keys()):
            raise ValueError(f"sources : natures inconnues : {', '.join(unknown)}")
        for code, kind in self.kinds.items():
            if kind.rhythm not in self.time.rhythms:
                raise ValueError(f"{code} : rythme inconnu « {kind.rhythm} »")
            if kind.agent + kind.other > 1:
                raise ValueError(f"{code} : agent + other dépasse 1")
        return self


def load_settings(pack: Path) -> Settings:
    """Read and check the pack's `simulation.yaml`; raise `PhareError` where it is wrong."""
    shown_as = f"{pack.name}/simulation.yaml"
    settings: Settings = parse(Settings, pack / "simulation.yaml", shown_as)
    return settings
