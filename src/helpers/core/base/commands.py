"""What every command does first, and how it tells what went wrong, whatever it is for."""

from __future__ import annotations

import functools
import io
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import ParamSpec

from helpers.core.base import machine, redact, workspace
from helpers.core.base.errors import PhareError

Asked = ParamSpec("Asked")
UNREAD = 128 + signal.SIGPIPE


def begin() -> None:
    """Sweep what commands that were killed left behind; let no error of this one quote a value.

    Told to end (a closed terminal, `kill`, `timeout`), it tidies up as when interrupted. A sign
    that the terminal has not is written by its number.
    """
    redact.discreet()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # under `nohup`, a hang-up is nothing
            signal.signal(number, _end)
    workspace.sweep()


def _end(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # a second time, at once
    sys.exit(128 + number)


class Told:
    """Makes a command print an error that can be acted on, and end with `code`.

    One of the machine too: the code of a command whose 1 says something else stays true. Where
    nobody reads any more what it prints (`… | head`), it ends as the system would end it.
    """

    def __init__(self, code: int) -> None:
        self.code = code

    def __call__(self, main: Callable[Asked, int]) -> Callable[Asked, int]:
        """Return the command, errors told."""

        @functools.wraps(main)
        def command(*arguments: Asked.args, **named: Asked.kwargs) -> int:
            try:
                code = main(*arguments, **named)
                sys.stdout.flush()
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return UNREAD
            except Exception as error:
                ours = error if isinstance(error, PhareError) else machine.of_error(error)
                if ours is None:
                    raise
                print(ours, file=sys.stderr)
                return self.code
            return code

        return command


told = Told(1)
