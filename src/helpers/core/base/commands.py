"""What every command does first, and how it tells what went wrong, whatever it is for."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import ParamSpec

from helpers.core.base import redact, workspace
from helpers.core.base.errors import PhareError

Asked = ParamSpec("Asked")


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


class Told:
    """Makes a command print an error that can be acted on, and end with `code`."""

    def __init__(self, code: int) -> None:
        self.code = code

    def __call__(self, main: Callable[Asked, int]) -> Callable[Asked, int]:
        """Return the command, errors told."""

        @functools.wraps(main)
        def command(*arguments: Asked.args, **named: Asked.kwargs) -> int:
            try:
                return main(*arguments, **named)
            except PhareError as error:
                print(error, file=sys.stderr)
                return self.code

        return command


told = Told(1)
