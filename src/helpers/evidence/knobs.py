"""The knobs of `evidence`."""

from __future__ import annotations

from helpers.core.base.yaml_models import Strict


class Knobs(Strict):
    """The register has no knob; the block stands so that every stage has one."""
