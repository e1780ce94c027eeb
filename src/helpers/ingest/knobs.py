"""The knobs of `ingest`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The block `ingest` of `params.yaml`: units and meaning are told there, bounds here."""

    cell_size_m: int = Field(ge=50, le=2000)
    map_tolerance_m: float = Field(ge=0, le=200)
    default_point_share: float = Field(gt=0, le=1)
    staff_jump: float = Field(gt=1, le=10)
    staff_minimum: int = Field(ge=1, le=1000)
