"""The knobs of `context`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict
from helpers.core.city.names import Origin


class Knobs(Strict):
    """The block `context` of `params.yaml`: units and meaning are told there, bounds here."""

    window_days: int = Field(ge=28, le=3650)
    origins: tuple[Origin, ...] = Field(min_length=1)
    confidence: float = Field(gt=0.5, lt=1)
    false_discovery_rate: float = Field(gt=0, le=0.5)
    minimum_count: int = Field(ge=100, le=1_000_000)
    minimum_zones: int = Field(ge=30, le=10_000)
    minimum_varied: int = Field(ge=5, le=10_000)
    inflation_max: float = Field(gt=1, le=10)
    neighbours: int = Field(ge=1, le=20)
    permutations: int = Field(ge=99, le=99_999)
    spatial_alpha: float = Field(gt=0, le=0.2)
