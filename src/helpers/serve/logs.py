"""What the server's log keeps: our own words; of the rest, that it was said, and where.

A web server logs addresses, bodies and headers; an error quotes what a page was sent. Each may be
somebody's name.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

from helpers.core.base import redact

OURS = Path(__file__).resolve().parents[1]  # the project's code, whose messages quote nothing


class Discreet(logging.Formatter):
    """Tells our messages as they are, of others the place, of an error its trace alone."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; the record itself is another handler's too."""
        told = logging.makeLogRecord(record.__dict__)
        told.exc_text = told.stack_info = None  # as another handler wrote them
        if not Path(record.pathname).is_relative_to(OURS):
            told.msg, told.args = f"{record.module}:{record.lineno} ({redact.UNSAID})", ()
        return super().format(told)

    def formatException(self, ei: Any) -> str:  # the library's name
        """Return the trace of an error without what it says."""
        return redact.trace(ei[1]) if ei[1] is not None else ""


def begin() -> None:
    """Have this process log on standard error, discreetly."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Discreet())
    logging.basicConfig(handlers=[handler])
