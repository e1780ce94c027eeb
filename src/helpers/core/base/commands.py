"""What every command does first, whatever it is for."""

from __future__ import annotations

from helpers.core.base import redact, workspace


def begin() -> None:
    """Sweep what commands that were killed left behind; let no error of this one quote a value."""
    redact.discreet()
    workspace.sweep()
