"""The knobs of `reliability`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[float, Field(ge=0, le=3650)]


class Knobs(Strict):
    """The block `reliability` of `params.yaml`: units and meaning are told there, bounds here."""

    located_min: tuple[Share, Share, Share]
    valid_min: tuple[Share, Share, Share]
    delay_max_days: tuple[Days, Days, Days]
    complete_min: tuple[Share, Share, Share]
    missing_max: tuple[Share, Share, Share]
    minimum_count: int = Field(ge=1, le=1_000_000)
    silence_share: float = Field(gt=0, lt=1)
    silence_alpha: float = Field(gt=0, le=0.05)
    silence_max_days: int = Field(ge=1, le=366)
    delay_weeks: int = Field(ge=26, le=520)
    delay_horizon_days: int = Field(ge=7, le=730)
    nowcast_confidence: float = Field(gt=0.5, lt=1)
    break_alpha: float = Field(gt=0, le=0.2)
    break_confidence: float = Field(gt=0.5, lt=1)
    break_minimum_count: int = Field(ge=1, le=1_000_000)
    drift_rate: float = Field(gt=0, le=0.5)
    drift_psi: float = Field(gt=0, le=10)

    @model_validator(mode="after")
    def _monotone(self) -> Knobs:
        for name in ("located_min", "valid_min", "complete_min"):
            values = getattr(self, name)
            if list(values) != sorted(values, reverse=True):
                raise ValueError(f"{name} doit décroître de A à C")
        for name in ("delay_max_days", "missing_max"):
            values = getattr(self, name)
            if list(values) != sorted(values):
                raise ValueError(f"{name} doit croître de A à C")
        return self
