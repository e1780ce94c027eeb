"""What a command was asked. A value that it cannot take is not said again: it may be anybody's.

An address with its password, a file called after somebody: what a terminal prints ends in a log.
"""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

REQUIRED = "the following arguments are required: "


class Parser(argparse.ArgumentParser):
    """A parser whose refusals name what was refused, by the names that the command gives."""

    def error(self, message: str) -> NoReturn:
        """Print how the command is called and what is wrong; end with 2, as argparse does."""
        # A prefix of one (`--up`) is quoted as it was written, and is told as any other.
        named = {"/".join(one.option_strings) or str(one.metavar or one.dest)
                 for one in self._actions}  # fmt: skip
        told = "un argument de trop, ou que la commande ne connaît pas"
        if message.startswith(REQUIRED):
            told = f"il manque {message.removeprefix(REQUIRED)}"
        for name in named:
            if message.startswith(f"argument {name}: "):
                told = f"« {name} » ne prend pas ce qui lui est donné"
        self.print_usage(sys.stderr)
        self.exit(2, f"Erreur : {told}\n")
