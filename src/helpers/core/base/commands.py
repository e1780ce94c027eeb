"""What every command does first, whatever it is for."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from helpers.core.base import redact, workspace


def begin() -> None:
    """Sweep what commands that were killed left behind; let no error of this one quote a value.

    Told to end (a closed terminal, `kill`, `timeout`), it tidies up as when interrupted.
    """
    redact.discreet()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # under `nohup`, a hang-up is nothing
            signal.signal(number, _end)
    workspace.sweep()


def _end(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # a second time, at once
    sys.exit(128 + number)
