"""The knobs of `forecast`; those of its methods are in the block of `backtest`, their judge."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The block `forecast` of `params.yaml`: units and meaning are told there, bounds here."""

    shown_zones: int = Field(ge=1, le=50)
