"""The knobs of `waves`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict
from helpers.core.city.theme import Grade


class Knobs(Strict):
    """The block `waves` of `params.yaml`: units and meaning are told there, bounds here."""

    default_grade: Grade
    pilot_weeks: int = Field(ge=1, le=520)
