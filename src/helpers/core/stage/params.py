"""Typed parameters: `params.yaml`, one block a notebook, unknown keys refused."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import find_root
from helpers.core.base.yaml_models import Strict, parse
from helpers.core.city.city import AXES, Grade

Origin = Literal["citizen", "agent", "unknown"]
# measure:target (helpers.trends.indicators); more than eight numbers are followed by nobody.
Indicator = Annotated[str, Field(pattern="^(level|change|week|rising|critical):[a-z][a-z0-9_]*$")]
MOST_INDICATORS = 8


class Collect(Strict):
    """The door has no knob; the block stands so that every stage has one."""


class Ingest(Strict):
    cell_size_m: int = Field(ge=50, le=2000)
    map_tolerance_m: float = Field(ge=0, le=200)
    default_point_share: float = Field(gt=0, le=1)


class Reliability(Strict):
    located_min: tuple[float, float, float]
    valid_min: tuple[float, float, float]
    delay_max_days: tuple[float, float, float]
    complete_min: tuple[float, float, float]
    missing_max: tuple[float, float, float]
    minimum_count: int = Field(ge=1)
    silence_share: float = Field(gt=0, lt=1)
    silence_alpha: float = Field(gt=0, le=0.05)
    silence_max_days: int = Field(ge=1)
    delay_weeks: int = Field(ge=26)
    delay_horizon_days: int = Field(ge=7, le=730)
    nowcast_confidence: float = Field(gt=0.5, lt=1)
    break_alpha: float = Field(gt=0, le=0.2)
    break_confidence: float = Field(gt=0.5, lt=1)
    break_minimum_count: int = Field(ge=1)
    drift_rate: float = Field(gt=0, le=0.5)
    drift_psi: float = Field(gt=0)

    @model_validator(mode="after")
    def _monotone(self) -> Reliability:
        for name in ("located_min", "valid_min", "complete_min"):
            values = getattr(self, name)
            if list(values) != sorted(values, reverse=True):
                raise ValueError(f"{name} doit décroître de A à C")
        for name in ("delay_max_days", "missing_max"):
            values = getattr(self, name)
            if list(values) != sorted(values):
                raise ValueError(f"{name} doit croître de A à C")
        return self


class Episodes(Strict):
    distance_levels_m: tuple[PositiveInt, ...] = Field(min_length=1)
    gap_levels_min: tuple[PositiveInt, ...] = Field(min_length=1)
    max_interval_h: int = Field(ge=1, le=168)
    threshold: float = Field(gt=0, lt=1)
    max_extent_m: int = Field(ge=100, le=5000)
    max_span_h: int = Field(ge=1, le=168)
    shift_weeks: int = Field(ge=1, le=26)
    minimum_links: int = Field(ge=1)
    confidence: float = Field(gt=0.5, lt=1)

    @model_validator(mode="after")
    def _ascending(self) -> Episodes:
        for name in ("distance_levels_m", "gap_levels_min"):
            values = list(getattr(self, name))
            if values != sorted(set(values)):
                raise ValueError(f"{name} doit croître")
        return self


class Waves(Strict):
    default_grade: Grade
    pilot_weeks: int = Field(ge=1)


class CriticalityWeights(Strict):
    """Exponents of the facts a week, of the severity, and of the ratio to the period before."""

    count: float = Field(ge=0, le=3)
    severity: float = Field(ge=0, le=3)
    trend: float = Field(ge=0, le=3)


class Trends(Strict):
    window_weeks: int = Field(ge=4, le=104)
    confidence: float = Field(gt=0.5, lt=1)
    minimum_count: int = Field(ge=0)
    power: float = Field(gt=0.5, lt=1)
    stable_margin: float = Field(gt=0, le=0.5)
    false_discovery_rate: float = Field(gt=0, le=0.5)
    break_alpha: float = Field(gt=0, le=0.2)
    break_minimum_count: int = Field(ge=1)
    explained_within_weeks: int = Field(ge=0, le=26)
    criticality_origins: tuple[Origin, ...] = Field(min_length=1)
    criticality_weights: CriticalityWeights
    criticality_thresholds: tuple[float, float]
    indicators: dict[str, tuple[Indicator, ...]]

    @model_validator(mode="after")
    def _readable(self) -> Trends:
        if not 0 < self.criticality_thresholds[0] < self.criticality_thresholds[1]:
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


class Hotspots(Strict):
    window_days: int = Field(ge=7)
    radius_m: int = Field(ge=100, le=2000)
    false_discovery_rate: float = Field(gt=0, le=0.5)
    minimum_count: int = Field(ge=0)
    draws: int = Field(ge=0, le=999)
    confidence: float = Field(gt=0.5, lt=1)
    permutations: int = Field(ge=199, le=99_999)
    neighbours: int = Field(ge=1, le=20)


class Rhythms(Strict):
    window_days: int = Field(ge=7)
    max_interval_h: int = Field(ge=1, le=168)
    confidence: float = Field(gt=0.5, lt=1)
    minimum_count: int = Field(ge=0)
    thin_ratio: float = Field(gt=1)


class Repeats(Strict):
    window_days: int = Field(ge=28)
    distance_edges_m: tuple[PositiveInt, ...] = Field(min_length=1)
    day_edges: tuple[PositiveInt, ...] = Field(min_length=1)
    permutations: int = Field(ge=99, le=9999)
    maximum_pairs: int = Field(ge=1000)
    minimum_count: int = Field(ge=10)
    significance: float = Field(gt=0, le=0.2)

    @model_validator(mode="after")
    def _ascending(self) -> Repeats:
        for name in ("distance_edges_m", "day_edges"):
            values = list(getattr(self, name))
            if values != sorted(set(values)):
                raise ValueError(f"{name} doit croître")
        return self


class Context(Strict):
    window_days: int = Field(ge=28)
    origins: tuple[Origin, ...] = Field(min_length=1)
    confidence: float = Field(gt=0.5, lt=1)
    false_discovery_rate: float = Field(gt=0, le=0.5)
    minimum_count: int = Field(ge=100)
    minimum_zones: int = Field(ge=30)
    minimum_varied: int = Field(ge=5)
    inflation_max: float = Field(gt=1, le=10)
    neighbours: int = Field(ge=1, le=20)
    permutations: int = Field(ge=99, le=99_999)
    spatial_alpha: float = Field(gt=0, le=0.2)


class Patrol(Strict):
    window_days: int = Field(ge=28)
    confidence: float = Field(gt=0.5, lt=1)
    driven_share: float = Field(gt=0, lt=1)
    minimum_count: int = Field(ge=1)


class Sentiment(Strict):
    confidence: float = Field(gt=0.5, lt=1)
    nonresponse_shift: float = Field(ge=0, le=0.5)
    minimum_answers: int = Field(ge=2)
    pooled_waves: int = Field(ge=1, le=20)
    false_discovery_rate: float = Field(gt=0, le=0.5)
    minimum_zones: int = Field(ge=15)


class Portfolio(Strict):
    window_weeks: int = Field(ge=4, le=104)
    confidence: float = Field(gt=0.5, lt=1)
    minimum_count: int = Field(ge=1)
    shown_zones: int = Field(ge=3, le=40)
    max_interval_h: int = Field(ge=1, le=168)
    minimum_hours: int = Field(ge=0)
    thin_ratio: float = Field(gt=1)
    false_discovery_rate: float = Field(gt=0, le=0.5)
    permutations: int = Field(ge=199, le=99_999)
    neighbours: int = Field(ge=1, le=20)


class Situation(Strict):
    periods_days: tuple[PositiveInt, ...] = Field(min_length=1)
    reference_periods: int = Field(ge=3, le=104)
    minimum_references: int = Field(ge=2)
    confidence: float = Field(gt=0.5, lt=1)
    alert_periods_days: tuple[PositiveInt, ...] = Field(min_length=1)
    alert_reference_weeks: int = Field(ge=8, le=52)
    alert_memory_weeks: int = Field(ge=12, le=208)
    false_alert_rate: float = Field(gt=0, le=0.5)
    drill: str

    @model_validator(mode="after")
    def _once(self) -> Situation:
        if len(set(self.periods_days)) < len(self.periods_days):
            raise ValueError("periods_days nomme deux fois la même période")
        return self


class Evidence(Strict):
    """The register has no knob; the block stands so that every stage has one."""


class Params(Strict):
    """The whole of `params.yaml`."""

    seed: int
    collect: Collect
    ingest: Ingest
    reliability: Reliability
    episodes: Episodes
    waves: Waves
    trends: Trends
    hotspots: Hotspots
    rhythms: Rhythms
    repeats: Repeats
    context: Context
    patrol: Patrol
    sentiment: Sentiment
    portfolio: Portfolio
    situation: Situation
    evidence: Evidence


def load(root: Path | None = None) -> Params:
    """Read and check `params.yaml`; a misspelt key or a value out of bounds raises PhareError."""
    params: Params = parse(Params, (root or find_root()) / "params.yaml", "params.yaml")
    return params


def block(stage: str, root: Path | None = None) -> dict[str, Any]:
    """Return the knobs of `stage` as plain values, in the order of its model."""
    found = getattr(load(root), stage, None)
    if not isinstance(found, Strict):
        raise PhareError(
            f"aucun bloc « {stage} »", "params.yaml", f"ajouter un bloc `{stage}:` à params.yaml"
        )
    return found.model_dump(mode="json")


def read(stage: str, *names: str) -> Any:
    """Return the named knobs of `stage` (one value alone, or a tuple), for a `parameters` cell."""
    knobs = block(stage)
    unknown = set(names) - set(knobs)
    if unknown:
        raise _unknown(stage, unknown, knobs)
    values = tuple(knobs[name] for name in names)
    return values[0] if len(values) == 1 else values


def _unknown(stage: str, names: Iterable[str], knobs: Iterable[str]) -> PhareError:
    return PhareError(
        f"paramètre inconnu : {', '.join(sorted(names))}",
        f"bloc « {stage} » de params.yaml",
        f"choisir parmi : {', '.join(knobs)}",
    )
