"""IPython without a kernel of Jupyter's: it runs a page's cells, then shows what callbacks say."""

from __future__ import annotations

import logging
import sys
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

log = logging.getLogger("phare.page")
FAILED = "Cette demande n'a pas abouti. Changez de réglage ou rechargez la page."


class PagePublisher(DisplayPublisher):  # type: ignore[misc]  # IPython's traits are untyped
    """What a cell displays is kept; what a callback displays goes to the page that asked."""

    def publish(self, data: Any, metadata: Any = None, **keys: Any) -> None:
        """Keep rich data, or send them to the page."""
        told = {"data": data, "metadata": metadata or {}}
        if self.shell.kernel.line is None:
            self.shell.shown.append({"output_type": "display_data", **told})
        else:
            self.shell.kernel.publish("display_data", {**told, "transient": {}})

    def clear_output(self, wait: bool = False) -> None:
        """Clear the output that is being written."""
        self.shell.kernel.publish("clear_output", {"wait": wait})


class PageHook(DisplayHook):  # type: ignore[misc]
    """A cell's last value is displayed as any other."""

    def __call__(self, result: Any = None) -> None:
        """Publish the value's rich forms; nothing for None."""
        if result is not None:
            data, metadata = self.compute_format_data(result)
            self.shell.display_pub.publish(data, metadata)


class PageShell(InteractiveShell):  # type: ignore[misc]
    """An error is told to the server's log; a page reads a sentence."""

    kernel: Any = None
    shown: list[dict[str, Any]]

    def showtraceback(self, exc_tuple: Any = None, *_: Any, **__: Any) -> None:
        """Log the exception; where a page listens, say that its request failed."""
        log.error("A cell or a callback failed", exc_info=exc_tuple or sys.exc_info())
        told = {"ename": "", "evalue": "", "traceback": [FAILED]}
        self.kernel.publish("error", told)

    showsyntaxerror = showtraceback


def make(kernel: Any, folder: str) -> PageShell:
    """Return the process's shell; it keeps no history and leaves nothing in `folder`."""
    settings = Config()
    settings.HistoryManager.enabled = False
    settings.HistoryManager.hist_file = ":memory:"
    settings.InteractiveShell.colors = "nocolor"
    made: PageShell = PageShell.instance(
        config=settings, ipython_dir=folder,
        displayhook_class=PageHook, display_pub_class=PagePublisher,
    )  # fmt: skip
    made.kernel = kernel
    return made
