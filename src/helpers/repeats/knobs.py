"""The knobs of `repeats`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict

Metres = Annotated[int, Field(ge=1, le=5000)]
Days = Annotated[int, Field(ge=1, le=366)]


class Knobs(Strict):
    """The block `repeats` of `params.yaml`: units and meaning are told there, bounds here."""

    window_days: int = Field(ge=28, le=3650)
    distance_edges_m: tuple[Metres, ...] = Field(min_length=1)
    day_edges: tuple[Days, ...] = Field(min_length=1)
    season_days: int = Field(ge=14, le=366)
    permutations: int = Field(ge=99, le=9999)
    maximum_pairs: int = Field(ge=1000, le=10_000_000)
    minimum_count: int = Field(ge=10, le=1_000_000)
    significance: float = Field(gt=0, le=0.2)

    @model_validator(mode="after")
    def _ascending(self) -> Knobs:
        for name in ("distance_edges_m", "day_edges"):
            values = list(getattr(self, name))
            if values != sorted(set(values)):
                raise ValueError(f"{name} doit croître")
        return self
