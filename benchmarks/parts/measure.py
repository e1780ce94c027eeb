"""What the benchmarks share: the size asked for, seconds, ratios taken side by side in one run."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeVar

ROOT = Path(__file__).resolve().parents[2]
Size = Literal["tiny", "small", "full"]
SIZES: tuple[Size, ...] = ("tiny", "small", "full")
Found = TypeVar("Found")


def parser(about: str | None) -> argparse.ArgumentParser:
    """Return a command line with `--size`: tiny is a trial of seconds, full what decisions cite."""
    made = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--size", choices=SIZES, default="small")
    return made


def best(work: Callable[[], Found], rounds: int = 1) -> tuple[float, Found]:
    """Return the seconds of the quickest of some rounds (one at least), and what the last found."""
    quickest = math.inf
    for _ in range(max(1, rounds)):
        began = time.perf_counter()
        found = work()
        quickest = min(quickest, time.perf_counter() - began)
    return quickest, found


def show_ratio(name: str, ours: float, other: float) -> None:
    """Print a ratio, what a benchmark is read by: seconds alone depend on the machine."""
    print(f"  {name} : ×{ours / other:.4g}", flush=True)


def at_hand(package: str, requirements: str) -> bool:
    """Return whether a peer is installed; say what is not measured when it is not."""
    if find_spec(package):
        return True
    print(f"  non mesuré : {package} (pip install -r benchmarks/{requirements})", flush=True)
    return False
