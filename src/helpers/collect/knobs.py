"""The knobs of `collect`."""

from __future__ import annotations

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The door has no knob; the block stands so that every stage has one."""
