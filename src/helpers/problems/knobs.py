"""The knobs of `problems`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict
from helpers.core.city.names import Origin


class Knobs(Strict):
    """The block `problems` of `params.yaml`: units and meaning are told there, bounds here."""

    origins: tuple[Origin, ...] = Field(min_length=1)
    window_weeks: int = Field(ge=4, le=104)
    confidence: float = Field(gt=0.5, lt=1)
    minimum_count: int = Field(ge=1, le=1_000_000)
    heard_share: float = Field(gt=0.5, le=1)
    recent_days: int = Field(ge=1, le=1000)
