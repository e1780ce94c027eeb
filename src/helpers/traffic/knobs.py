"""The knobs of `traffic`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The block `traffic` of `params.yaml`: units and meaning are told there, bounds here."""

    window_days: int = Field(ge=28, le=3650)
    confidence: float = Field(gt=0.5, lt=1)
    minimum_count: int = Field(ge=1, le=1_000_000)
