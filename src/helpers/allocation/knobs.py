"""The knobs of `allocation`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict
from helpers.core.city.names import Origin

Share = Annotated[float, Field(gt=0, lt=1)]


class Knobs(Strict):
    """The block `allocation` of `params.yaml`: units and meaning are told there, bounds here."""

    reference_weeks: int = Field(ge=8, le=104)
    origins: tuple[Origin, ...] = Field(min_length=1)
    team_officers: int = Field(ge=1, le=20)
    answered_share: tuple[Share, Share, Share]
    most_hours: int = Field(ge=1, le=96)
    minimum_share: float = Field(ge=0, le=1)
    most_ratio: float = Field(ge=1, le=10)
    equity_band: float = Field(gt=0, lt=1)
    change_cost: float = Field(ge=0, le=10)
    tolerance: float = Field(ge=0, lt=0.5)
    draws: int = Field(ge=1, le=200)
    gap: float = Field(ge=0, le=0.05)
    staff_similar: float = Field(gt=1, le=10)

    @model_validator(mode="after")
    def _ordered(self) -> Knobs:
        if list(self.answered_share) != sorted(self.answered_share):
            raise ValueError("answered_share : de la plus petite part à la plus grande")
        return self
