"""The knobs of `impact`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict
from helpers.core.city.names import Origin
from helpers.core.stats.staggered_counts import Spans


class Knobs(Strict):
    """The block `impact` of `params.yaml`: units and meaning are told there, bounds here."""

    zone_m: float = Field(ge=50, le=5000)
    ring_m: float = Field(ge=50, le=5000)
    before_weeks: int = Field(ge=4, le=260)
    gap_weeks: int = Field(ge=1, le=52)
    after_weeks: int = Field(ge=4, le=260)
    origins: list[Origin] = Field(min_length=1)
    confidence: float = Field(gt=0.5, lt=1)
    power: float = Field(gt=0.5, lt=1)
    sought: float = Field(gt=0, lt=1)
    minimum_count: int = Field(ge=1, le=1_000_000)
    heard_share: float = Field(gt=0.5, le=1)
    minimum_areas: int = Field(ge=3, le=1000)
    placebo_places: int = Field(ge=0, le=500)
    draws: int = Field(ge=99, le=99_999)
    shock_before_weeks: int = Field(ge=4, le=260)
    shock_after_weeks: int = Field(ge=2, le=104)
    wave_weeks: int = Field(ge=1, le=104)
    minimum_answers: int = Field(ge=5, le=100_000)
    placebo_excess: float = Field(gt=0, lt=0.5)

    @property
    def spans(self) -> Spans:
        """The weeks counted before, left out, and counted after."""
        return Spans(self.before_weeks, self.gap_weeks, self.after_weeks)

    @property
    def shock_spans(self) -> Spans:
        """The weeks around a grave fact, whose own week is left out."""
        return Spans(self.shock_before_weeks, 1, self.shock_after_weeks)
