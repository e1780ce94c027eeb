"""The knobs of `actions`; those of the comparison that will judge are `impact`'s."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The block `actions` of `params.yaml`: units and meaning are told there, bounds here."""

    reference_weeks: int = Field(ge=4, le=104)
    minimum_weeks: int = Field(ge=2, le=52)
    confidence: float = Field(gt=0.5, lt=1)
    minimum_actions: int = Field(ge=1, le=100)
