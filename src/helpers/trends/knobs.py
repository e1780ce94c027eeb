"""The knobs of `trends`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict
from helpers.core.city.names import Origin
from helpers.core.city.theme import AXES

# measure:target (helpers.trends.indicators); more than eight numbers are followed by nobody.
Indicator = Annotated[str, Field(pattern="^(level|change|week|rising|critical):[a-z][a-z0-9_]*$")]
MOST_INDICATORS = 8


Points = Annotated[float, Field(gt=0, le=1_000_000)]


class CriticalityWeights(Strict):
    """Exponents of the facts a week, of the severity, and of the ratio to the period before."""

    count: float = Field(ge=0, le=3)
    severity: float = Field(ge=0, le=3)
    trend: float = Field(ge=0, le=3)


class Knobs(Strict):
    """The block `trends` of `params.yaml`: units and meaning are told there, bounds here."""

    window_weeks: int = Field(ge=4, le=104)
    confidence: float = Field(gt=0.5, lt=1)
    minimum_count: int = Field(ge=0, le=1_000_000)
    power: float = Field(gt=0.5, lt=1)
    yearly_sway: float = Field(ge=0, le=0.2)
    stable_margin: float = Field(gt=0, le=0.5)
    false_discovery_rate: float = Field(gt=0, le=0.5)
    break_alpha: float = Field(gt=0, le=0.2)
    break_minimum_count: int = Field(ge=1, le=1_000_000)
    criticality_origins: tuple[Origin, ...] = Field(min_length=1)
    criticality_weights: CriticalityWeights
    criticality_thresholds: tuple[Points, Points]
    indicators: dict[str, tuple[Indicator, ...]]

    @model_validator(mode="after")
    def _readable(self) -> Knobs:
        if not self.criticality_thresholds[0] < self.criticality_thresholds[1]:
            raise ValueError("criticality_thresholds doit croître")
        for role, chosen in self.indicators.items():
            if len(chosen) > MOST_INDICATORS:
                raise ValueError(f"« {role} » suit plus de {MOST_INDICATORS} indicateurs")
            for asked in chosen:
                measure, target = asked.split(":")
                if measure in ("level", "change", "week") and target in ("all", *AXES):
                    raise ValueError(f"« {asked} » : {measure} demande un thème, non un ensemble")
            if len(set(chosen)) < len(chosen):
                raise ValueError(f"« {role} » suit deux fois le même indicateur")
        return self
