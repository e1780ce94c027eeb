"""Visitors without a browser who click on a city's page, each waiting for its answer."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.serve.visitor import Talk, parts

CONTROLS = ("Période", "Thème", "Territoire", "Rôle")
STATUS_BYTES = 4096  # no status is longer: what a figure needs is not read
PATIENCE_S = 120.0
FAILED = b"app-failed"


@dataclass
class Clicker:
    """One visitor: the controls of its page, by name, and how many values each offers."""

    talk: Talk
    seed: int
    controls: dict[str, tuple[str, int]] = field(default_factory=dict)
    failed: int = 0

    def __post_init__(self) -> None:
        self._draws = random.Random(self.seed)
        self._at: dict[str, int] = {}
        for name, one in self.talk.states().items():
            if one.get("description") in CONTROLS and len(one["_options_labels"]) > 1:
                self.controls[one["description"]] = (name, len(one["_options_labels"]))
                self._at[one["description"]] = one["index"]
        # What is heard from here on answers a click: nothing of the page's own questions is left.
        self.talk.say("kernel_info_request", {})
        self.talk.hear("kernel_info_reply")
        self.talk.until_idle()

    def click(self, control: str) -> float:
        """Choose another value of a control, at random; return how long its answer took, s."""
        name, count = self.controls[control]
        index = self._draws.randrange(count - 1)
        index += index >= self._at[control]
        self._at[control] = index
        began = time.perf_counter()
        self.talk.choose(name, {"index": index})
        while not self._idle():
            pass
        return time.perf_counter() - began

    def any(self) -> str:
        """Return one of its page's controls, at random."""
        return self._draws.choice(sorted(self.controls))

    def _idle(self) -> bool:
        told = self.talk.line.recv(timeout=PATIENCE_S)
        assert isinstance(told, bytes)
        self.failed += FAILED in told
        if len(told) > STATUS_BYTES:
            return False
        header, content = parts(told)
        return header["msg_type"] == "status" and content["execution_state"] == "idle"


def together(clickers: Sequence[Clicker], seconds: float, thinking: float) -> list[float]:
    """Return how long each answer took while all click, s; `thinking` s after each answer."""
    took: list[float] = []
    until = time.monotonic() + seconds

    def one(clicker: Clicker) -> None:
        while time.monotonic() < until:
            took.append(clicker.click(clicker.any()))
            time.sleep(thinking)

    threads = [threading.Thread(target=one, args=(clicker,)) for clicker in clickers]
    for thread in threads:
        thread.start()
        time.sleep(thinking / len(clickers))
    for thread in threads:
        thread.join()
    return took


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile, s."""
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]
