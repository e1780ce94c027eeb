"""The knobs of `results`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The block `results` of `params.yaml`: units and meaning are told there, bounds here."""

    period_days: int = Field(ge=28, le=3660)
    confidence: float = Field(gt=0.5, lt=1)
    minimum_doses: int = Field(ge=3, le=100)
