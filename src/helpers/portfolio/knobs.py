"""The knobs of `portfolio`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The block `portfolio` of `params.yaml`: units and meaning are told there, bounds here."""

    window_weeks: int = Field(ge=4, le=104)
    confidence: float = Field(gt=0.5, lt=1)
    minimum_count: int = Field(ge=1, le=1_000_000)
    shown_zones: int = Field(ge=3, le=40)
    max_interval_h: int = Field(ge=1, le=168)
    minimum_hours: int = Field(ge=0, le=1_000_000)
    thin_ratio: float = Field(gt=1, le=100)
    false_discovery_rate: float = Field(gt=0, le=0.5)
    permutations: int = Field(ge=199, le=99_999)
    neighbours: int = Field(ge=1, le=20)

    @property
    def window_days(self) -> int:
        """The window in days."""
        return 7 * self.window_weeks
