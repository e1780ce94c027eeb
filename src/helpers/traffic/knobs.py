"""The knobs of `traffic`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The block `traffic` of `params.yaml`: units and meaning are told there, bounds here."""

    window_days: int = Field(ge=7, le=365)
    reference_weeks: int = Field(ge=26, le=260)
    minimum_flow: float = Field(ge=1, le=100_000)
    event_reach_m: float = Field(ge=50, le=10_000)
    event_crowd: int = Field(ge=0, le=1_000_000)
    event_margin_h: int = Field(ge=1, le=12)
    event_reference_weeks: int = Field(ge=4, le=52)
    minimum_events: int = Field(ge=3, le=1000)
    safety_weeks: int = Field(ge=4, le=260)
    minimum_facts: int = Field(ge=1, le=1_000_000)
    confidence: float = Field(gt=0.5, lt=1)
