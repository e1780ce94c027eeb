"""The knobs of `hotspots`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class ZoneKnobs(Strict):
    """What zones are compared by: all that `portfolio`, which has no cells, asks of this room."""

    window_days: int = Field(ge=7, le=3650)
    false_discovery_rate: float = Field(gt=0, le=0.5)
    minimum_count: int = Field(ge=0, le=1_000_000)
    confidence: float = Field(gt=0.5, lt=1)
    permutations: int = Field(ge=199, le=99_999)
    neighbours: int = Field(ge=1, le=20)


class Knobs(ZoneKnobs):
    """The block `hotspots` of `params.yaml`: units and meaning are told there, bounds here."""

    radius_m: int = Field(ge=100, le=2000)
    times: float = Field(ge=1, le=20)
    draws: int = Field(ge=0, le=999)
