"""The knobs of `collect`."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """What the door does to places: a point finer than the analyses need singles people out."""

    place_step_m: float = Field(ge=1, le=200)
