"""The knobs of `rhythms`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The block `rhythms` of `params.yaml`: units and meaning are told there, bounds here."""

    window_days: int = Field(ge=7, le=3650)
    max_interval_h: int = Field(ge=1, le=168)
    confidence: float = Field(gt=0.5, lt=1)
    minimum_count: int = Field(ge=0, le=1_000_000)
    thin_ratio: float = Field(gt=1, le=100)
