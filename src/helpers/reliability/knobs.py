"""The knobs of `reliability`."""

from __future__ import annotations

from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The block `reliability` of `params.yaml`: units and meaning are told there, bounds here."""

    located_min: tuple[float, float, float]
    valid_min: tuple[float, float, float]
    delay_max_days: tuple[float, float, float]
    complete_min: tuple[float, float, float]
    missing_max: tuple[float, float, float]
    minimum_count: int = Field(ge=1)
    silence_share: float = Field(gt=0, lt=1)
    silence_alpha: float = Field(gt=0, le=0.05)
    silence_max_days: int = Field(ge=1)
    delay_weeks: int = Field(ge=26)
    delay_horizon_days: int = Field(ge=7, le=730)
    nowcast_confidence: float = Field(gt=0.5, lt=1)
    break_alpha: float = Field(gt=0, le=0.2)
    break_confidence: float = Field(gt=0.5, lt=1)
    break_minimum_count: int = Field(ge=1)
    drift_rate: float = Field(gt=0, le=0.5)
    drift_psi: float = Field(gt=0)

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
