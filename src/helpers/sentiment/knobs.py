"""The knobs of `sentiment`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The block `sentiment` of `params.yaml`: units and meaning are told there, bounds here."""

    confidence: float = Field(gt=0.5, lt=1)
    nonresponse_shift: float = Field(ge=0, le=0.5)
    minimum_answers: int = Field(ge=2, le=1_000_000)
    pooled_waves: int = Field(ge=1, le=20)
    false_discovery_rate: float = Field(gt=0, le=0.5)
    minimum_zones: int = Field(ge=15, le=10_000)
