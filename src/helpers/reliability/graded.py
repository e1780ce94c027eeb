"""What the methods of reliability hold of what they state, on known truths: nominal and observed.

    python -m helpers.reliability.graded [REPLICATES]

Three streams of random numbers, none of whose draws was seen while the methods were set. Nothing
here reads a city.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.core.base import commands
from helpers.core.stats import nowcast
from helpers.core.stats.breaks import STEP, find_breaks
from helpers.core.stats.nowcast import Triangle
from helpers.reliability import decay, drift, extraordinary

Floats = NDArray[np.float64]
SEEDS = (11, 5000, 9000)
WEEKS = 208
MONDAYS = [dt.date(2021, 1, 4) + dt.timedelta(weeks=i) for i in range(WEEKS)]
OTHERS = 12  # codes that do not move, beside the one that does
HORIZON = 180


@dataclass(frozen=True)
class Grade:
    """A share observed in `of` independent replicates, and the one stated."""

    what: str
    nominal: str
    share: float
    of: int

    @property
    def error(self) -> float:
        """The Monte-Carlo error of the share."""
        return float(np.sqrt(self.share * (1 - self.share) / max(self.of, 1)))


def _season(t: NDArray[np.int64], phase: float = 0.0) -> Floats:
    return np.asarray(1 + 0.3 * np.cos(2 * np.pi * t / 52.18 + phase))


def renaming(rng: np.random.Generator, rate: float, how: str) -> bool:
    """Tell whether a planted renaming is recognised: `clean`, `stray`, `strays` or `overlap`."""
    t = np.arange(WEEKS)
    at = int(rng.integers(60, WEEKS - 8))
    level = rate * _season(t, rng.uniform(0, 6)) * rng.gamma(25, 1 / 25, WEEKS)
    both, to_new = rng.poisson(level), np.where(t < at, 0.0, 1.0)
    if how == "overlap":
        to_new[at - 8 : at] = 0.5
    new = rng.binomial(both, to_new)
    old = both - new
    if how == "stray":
        new[int(rng.integers(0, at - 10))] += 1
    elif how == "strays":
        new += np.where(t < at, rng.poisson(0.02 * rate, WEEKS), 0)
        old += np.where(t >= at, rng.poisson(0.02 * rate, WEEKS), 0)
    means = rng.gamma(0.7, 40, (OTHERS, 1)) + 1
    rest = rng.poisson(means * rng.gamma(25, 1 / 25, (OTHERS, WEEKS)))
    n = np.vstack([rest, old, new]).astype(float)
    codes = [f"c{i}" for i in range(OTHERS)] + ["old", "new"]
    for row in drift.of_field(codes, MONDAYS, n, 0.05, 0.1):
        near = -9 * 7 <= (row["week"] - MONDAYS[at]).days <= 7
        if near and (row["kind"], row["code"], row["other"]) == ("renamed", "old", "new"):
            return True
    return False


def logs(rng: np.random.Generator, memory: float, ratio: float, at: int) -> Floats:
    """Return the logarithms of counts whose level is multiplied by `ratio` from week `at` on."""
    t, noise = np.arange(WEEKS), rng.normal(size=WEEKS) * 0.05
    for i in range(1, WEEKS):
        noise[i] = memory * noise[i - 1] + np.sqrt(1 - memory**2) * noise[i]
    level = 800 * np.exp(0.15 * np.cos(2 * np.pi * t / 52.18) + 0.1 * t / WEEKS + noise)
    return np.asarray(np.log(rng.poisson(level * np.where(t >= at, ratio, 1.0)) + 0.5))


def false_step(rng: np.random.Generator, memory: float) -> bool:
    """Tell whether a series without change shows one, at 1 %."""
    return bool(find_breaks(logs(rng, memory, 1.0, 0), seasonal=True, alpha=0.01, confidence=0.95))


def dated(rng: np.random.Generator, memory: float, ratio: float) -> bool | None:
    """Tell whether the span of a planted step's date holds it; None where no step is near."""
    at = int(rng.integers(30, WEEKS - 30))
    found = find_breaks(logs(rng, memory, ratio, at), seasonal=True, alpha=0.01, confidence=0.95)
    near = [one for one in found if one.kind == STEP and abs(one.at - at) <= 13]
    return near[0].first <= at <= near[0].last if near else None


def triangle(rng: np.random.Generator, *, holed: bool) -> Triangle:
    """Return 150 weeks of 1,000 records, delays gamma; `holed`: report days lost, one in three."""
    n = np.zeros((1, 150, HORIZON + 1))
    for week in range(150):
        late = rng.gamma(1.2, 15 * rng.gamma(50, 1 / 50), rng.poisson(1000 * rng.gamma(50, 1 / 50)))
        n[0, week] = np.bincount(np.minimum(late, HORIZON).astype(int), minlength=HORIZON + 1)
    age = np.arange(150, dtype=np.int64)[::-1] * 7
    if not holed:
        return Triangle(n, age, np.ones(150, dtype=bool))
    gone = np.repeat(rng.random((150 * 7 + HORIZON) // 20 + 1) < 1 / 3, 20)
    lost = gone[np.arange(150)[:, None] * 7 + np.arange(HORIZON + 1)[None, :]]
    lost[:, 0] = False
    return Triangle(np.where(lost[None], 0.0, n), age, np.ones(150, dtype=bool), lost)


def lessened(rng: np.random.Generator, left: float) -> bool:
    """Tell whether a feed of 30 a week that dies slowly, down to `left`, is told."""
    t = np.arange(WEEKS)
    level = 30 * _season(t) * np.exp(np.log(left) * np.clip((t - 60) / 130, 0, 1))
    found = decay.judge([float(k) for k in rng.poisson(level * rng.gamma(25, 1 / 25, WEEKS))])
    return found is not None and found[1][2] < decay.LESS


def ordinary(rng: np.random.Generator, mean: float) -> bool:
    """Tell whether four ordinary years show an extraordinary day."""
    days = 1461
    level = mean * (1 + 0.3 * np.cos(2 * np.pi * np.arange(days) / 365.25))
    n = rng.poisson(level * rng.gamma(10, 0.1, days))[None].astype(float)
    return bool(extraordinary.beyond(n, np.ones(n.shape), np.ones(n.shape, dtype=bool))[0].any())


def grades(seed: int, replicates: int) -> list[Grade]:
    """Return what each method holds, on one stream of random numbers."""

    def share(
        what: str, nominal: str, told: Callable[..., bool | None], *given: float | str
    ) -> Grade:
        rng = np.random.default_rng([seed, len(what), *what.encode()])
        found = [one for one in (told(rng, *given) for _ in range(replicates)) if one is not None]
        return Grade(what, nominal, float(np.mean(found)) if found else float("nan"), len(found))

    found = [
        share(f"renaming, {rate} a week, {how}", "≥ 0.95", renaming, rate, how)
        for rate in (10, 60)
        for how in ("clean", "stray", "strays", "overlap")
    ]
    for memory in (0.0, 0.3, 0.5):
        found.append(share(f"change where none, rho {memory}", "0.01", false_step, memory))
        found += [
            share(f"date held, +{ratio - 1:.0%}, rho {memory}", "0.93-0.97", dated, memory, ratio)
            for ratio in (1.1, 1.15)
        ]
    for holed in (False, True):
        rng = np.random.default_rng([seed, holed])
        past = [
            nowcast.coverage(nowcast.held_back(triangle(rng, holed=holed), 52, 7, 0.9))
            for _ in range(max(1, replicates // 25))
        ]
        inside, total, weeks = (sum(one[k] for one in past) for k in range(3))
        found.append(Grade(f"final count held, holed {holed}", "0.87-0.93", inside / total, weeks))
    found += [share(f"decay to {left:.0%} told", "", lessened, left) for left in (0.1, 0.3)]
    found.append(share("decay where none", "", lessened, 1.0))
    found += [
        share(f"extraordinary day where none, {mean} a day", "0.01", ordinary, mean)
        for mean in (5, 60)
    ]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print nominal and observed shares, one line a method, one column a seed."""
    asked = sys.argv[1:] if arguments is None else arguments
    replicates = int(asked[0]) if asked else 100
    columns = [grades(seed, replicates) for seed in SEEDS]
    for row in zip(*columns, strict=True):
        told = "  ".join(f"{one.share:.3f} ± {one.error:.3f} ({one.of})" for one in row)
        print(f"{row[0].what:<40} {row[0].nominal:>10}  {told}")
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
