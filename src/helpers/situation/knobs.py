"""The knobs of `situation`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from helpers.core.base.workspace import find_root
from helpers.core.base.yaml_models import Strict
from helpers.core.city import sheets

Days = Annotated[int, Field(ge=1, le=3650)]


class Knobs(Strict):
    """The block `situation` of `params.yaml`: units and meaning are told there, bounds here."""

    periods_days: tuple[Days, ...] = Field(min_length=1)
    reference_periods: int = Field(ge=3, le=104)
    minimum_references: int = Field(ge=2, le=104)
    minimum_years: int = Field(ge=2, le=50)
    stable_margin: float = Field(ge=0, lt=1)
    confidence: float = Field(gt=0.5, lt=1)
    alert_periods_days: tuple[Days, ...] = Field(min_length=1)
    alert_reference_weeks: int = Field(ge=8, le=52)
    alert_memory_weeks: int = Field(ge=12, le=208)
    false_alert_rate: float = Field(gt=0, le=0.5)
    watch_false_a_day: float = Field(gt=0, le=10)
    gathering_hours: int = Field(ge=1, le=6)
    gathering_reach_m: float = Field(ge=0, le=5000)
    gathering_margin_h: int = Field(ge=0, le=24)
    drill: str

    @field_validator("drill")
    @classmethod
    def _sheet(cls, value: str) -> str:
        known = sheets.names(find_root())
        if value and value not in known:
            raise ValueError(f"aucune fiche « {value} » (au choix : {', '.join(known)})")
        return value

    @field_validator("gathering_hours")
    @classmethod
    def _round(cls, value: int) -> int:
        if 24 % value:
            raise ValueError("gathering_hours divise le jour : 1, 2, 3, 4 ou 6")
        return value

    @model_validator(mode="after")
    def _once(self) -> Knobs:
        if len(set(self.periods_days)) < len(self.periods_days):
            raise ValueError("periods_days nomme deux fois la même période")
        return self
