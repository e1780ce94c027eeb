"""The knobs of `episodes`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict

Metres = Annotated[int, Field(ge=1, le=5000)]
Minutes = Annotated[int, Field(ge=1, le=7 * 24 * 60)]


class Knobs(Strict):
    """The block `episodes` of `params.yaml`: units and meaning are told there, bounds here."""

    distance_levels_m: tuple[Metres, ...] = Field(min_length=1)
    gap_levels_min: tuple[Minutes, ...] = Field(min_length=1)
    max_interval_h: int = Field(ge=1, le=168)
    threshold: float = Field(gt=0, lt=1)
    max_extent_m: int = Field(ge=100, le=5000)
    max_span_h: int = Field(ge=1, le=168)
    shift_weeks: int = Field(ge=1, le=26)
    minimum_links: int = Field(ge=1, le=1_000_000)
    confidence: float = Field(gt=0.5, lt=1)

    @model_validator(mode="after")
    def _ascending(self) -> Knobs:
        for name in ("distance_levels_m", "gap_levels_min"):
            values = list(getattr(self, name))
            if values != sorted(set(values)):
                raise ValueError(f"{name} doit croître")
        return self
