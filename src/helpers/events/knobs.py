"""The knobs of `events`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict
from helpers.core.city.names import Origin

Metres = Annotated[int, Field(ge=50, le=50_000)]
Hours = Annotated[int, Field(ge=1, le=24)]


class Knobs(Strict):
    """The block `events` of `params.yaml`: units and meaning are told there, bounds here."""

    horizon_days: int = Field(ge=1, le=365)
    rings_m: tuple[Metres, ...] = Field(min_length=1, max_length=4)
    control_m: tuple[Metres, Metres]
    before_h: int = Field(ge=1, le=12)
    after_h: tuple[Hours, Hours]
    reference_weeks: int = Field(ge=4, le=52)
    baseline_weeks: int = Field(ge=8, le=104)
    longest_h: int = Field(ge=1, le=72)
    origins: tuple[Origin, ...] = Field(min_length=1)
    confidence: float = Field(gt=0.5, lt=1)
    minimum_events: int = Field(ge=5, le=10_000)
    minimum_count: int = Field(ge=1, le=1_000_000)
    similar: int = Field(ge=1, le=50)
    retex_days: int = Field(ge=28, le=3650)
    sheets: int = Field(ge=1, le=100)
    panel_length: int = Field(ge=40, le=500)

    @model_validator(mode="after")
    def _ordered(self) -> Knobs:
        if list(self.rings_m) != sorted(set(self.rings_m)):
            raise ValueError("rings_m : des couronnes de la plus petite à la plus grande")
        if not self.rings_m[-1] <= self.control_m[0] < self.control_m[1]:
            raise ValueError("control_m : au-delà de la dernière couronne, du moins au plus")
        if not 0 < self.after_h[0] < self.after_h[1] <= 24:
            raise ValueError("after_h : deux moments après la fin, dans l'ordre")
        return self
