"""The knobs of `backtest`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict
from helpers.core.city.names import Origin


class Knobs(Strict):
    """The block `backtest` of `params.yaml`: units and meaning are told there, bounds here."""

    origins: tuple[Origin, ...] = Field(min_length=1)
    minimum_count: int = Field(ge=1, le=1_000_000)
    complete_share: float = Field(gt=0.5, lt=1)
    training_weeks: int = Field(ge=26, le=520)
    training_step_weeks: int = Field(ge=1, le=13)
    named_share: float = Field(gt=0, lt=1)
    confidence: float = Field(gt=0.5, lt=1)
