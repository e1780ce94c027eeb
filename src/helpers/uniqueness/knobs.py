"""The knobs of `uniqueness`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The block `uniqueness` of `params.yaml`: units and meaning are told there, bounds here."""

    smallest_group: int = Field(ge=2, le=1000)
    tolerated_share: float = Field(ge=0, lt=1, allow_inf_nan=False)
