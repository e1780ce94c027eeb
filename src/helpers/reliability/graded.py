"""What the methods of reliability hold of what they state. `make grade ROOMS=reliability`.

Known truths, drawn; and, where they were built, the real cities whose delays are known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from helpers.core.stats import nowcast
from helpers.core.stats.breaks import DRIFT, STEP, Break, find_breaks
from helpers.core.stats.grading import Asked, Line, Trial, seen
from helpers.core.stats.nowcast import Triangle
from helpers.reliability import decay, drift, extraordinary

Floats = NDArray[np.float64]
Told = tuple[
    float, float
]  # by the method, by the one that a reader would otherwise take; NaN: none
WEEKS = 208
MONDAYS = [dt.date(2021, 1, 4) + dt.timedelta(weeks=i) for i in range(WEEKS)]
OTHERS = 12  # codes that do not move, beside the one that does
HORIZON = 180
NEAR = 13  # weeks around a step, within which a break is its own
TRIANGLES = 25  # replicates for which one triangle of delays is drawn: it holds fifty-two forecasts
NONE = float("nan")


def _season(t: NDArray[np.int64], phase: float = 0.0) -> Floats:
    return np.asarray(1 + 0.3 * np.cos(2 * np.pi * t / 52.18 + phase))


def renaming(rng: np.random.Generator, rate: float, how: str) -> Told:
    """Tell whether a planted renaming is recognised: `clean`, `stray`, `strays` or `overlap`.

    Beside: the last week of the old code is the one before the first of the new, or nearly.
    """
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
    plain = abs(int(np.flatnonzero(new)[0]) - int(np.flatnonzero(old)[-1])) <= 2
    for row in drift.of_field(codes, MONDAYS, n, 0.05, 0.1):
        near = -9 * 7 <= (row["week"] - MONDAYS[at]).days <= 7
        if near and (row["kind"], row["code"], row["other"]) == ("renamed", "old", "new"):
            return 1.0, float(plain)
    return 0.0, float(plain)


def logs(
    rng: np.random.Generator, memory: float, ratio: float, at: int, *, weeks_it_takes: int = 1,
    noisy: float = 0.05,
) -> Floats:  # fmt: skip
    """Return the logarithms of counts whose level is multiplied by `ratio` from week `at` on."""
    t, noise = np.arange(WEEKS), rng.normal(size=WEEKS) * noisy
    for i in range(1, WEEKS):
        noise[i] = memory * noise[i - 1] + np.sqrt(1 - memory**2) * noise[i]
    way = np.clip((t - at + 1) / weeks_it_takes, 0.0, 1.0)
    level = 800 * np.exp(0.15 * np.cos(2 * np.pi * t / 52.18) + 0.1 * t / WEEKS + noise)
    return np.asarray(np.log(rng.poisson(level * ratio**way) + 0.5))


def _breaks(y: Floats) -> list[Break]:
    return find_breaks(y, seasonal=True, alpha=0.01, confidence=0.95)


def _without_season(y: Floats) -> Floats:
    t = np.arange(WEEKS)
    waves = [f(2 * np.pi * k * t / 52.18) for k in (1, 2) for f in (np.cos, np.sin)]
    columns = np.column_stack([np.ones(WEEKS), t, *waves])
    return np.asarray(y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0])


def false_step(rng: np.random.Generator, memory: float) -> Told:
    """Tell whether a series without change shows one, at 1 %.

    Beside: two means compared at the date that parts them best, season and slope out.
    """
    y = logs(rng, memory, 1.0, 0)
    left = _without_season(y)
    parted = [stats.ttest_ind(left[:at], left[at:]).pvalue for at in range(8, WEEKS - 8)]
    return float(bool(_breaks(y))), float(min(parted) <= 0.01)


def _near(found: list[Break], at: int) -> Break | None:
    return next((one for one in found if one.kind == STEP and abs(one.at - at) <= NEAR), None)


def dated(rng: np.random.Generator, memory: float, ratio: float) -> Told:
    """Tell whether the span of a planted step's date holds it; none where no step is near.

    Beside: the week found, give or take four.
    """
    at = int(rng.integers(30, WEEKS - 30))
    one = _near(_breaks(logs(rng, memory, ratio, at)), at)
    if one is None:
        return NONE, NONE
    return float(one.first <= at <= one.last), float(abs(one.at - at) <= 4)


def sized(rng: np.random.Generator, memory: float, ratio: float, noisy: float) -> Told:
    """Tell whether the interval of a planted step's ratio holds it; none where no step is near.

    Beside: the interval of two means, at that date, season and slope out.
    """
    at = int(rng.integers(30, WEEKS - 30))
    y = logs(rng, memory, ratio, at, noisy=noisy)
    one = _near(_breaks(y), at)
    if one is None:
        return NONE, NONE
    left = _without_season(y)
    before, after = left[: one.at], left[one.at :]
    error = np.sqrt(before.var(ddof=1) / len(before) + after.var(ddof=1) / len(after))
    apart = abs(after.mean() - before.mean() - np.log(ratio))
    return float(one.low <= ratio <= one.high), float(apart <= 1.96 * error)


def slow(rng: np.random.Generator, memory: float) -> Told:
    """Tell whether a fall by a third over two years is told as a drift, and as no dated step."""
    found = _breaks(logs(rng, memory, 0.67, int(rng.integers(20, 80)), weeks_it_takes=104))
    kinds = {one.kind for one in found}
    return float(kinds == {DRIFT}), NONE


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


def lessened(rng: np.random.Generator, left: float) -> Told:
    """Tell whether a feed of 30 a week that dies slowly, down to `left`, is told.

    Beside: a last week under half of the mean week of the year before.
    """
    t = np.arange(WEEKS)
    level = 30 * _season(t) * np.exp(np.log(left) * np.clip((t - 60) / 130, 0, 1))
    n = rng.poisson(level * rng.gamma(25, 1 / 25, WEEKS)).astype(float)
    found = decay.judge(n.tolist())
    told = found is not None and found[1][2] < decay.LESS
    return float(told), float(n[-1] < 0.5 * n[-53:-1].mean())


def ordinary(rng: np.random.Generator, mean: float) -> Told:
    """Tell whether four ordinary years show an extraordinary day.

    Beside: a day beyond the mean and four standard deviations.
    """
    days = 1461
    level = mean * (1 + 0.3 * np.cos(2 * np.pi * np.arange(days) / 365.25))
    n = rng.poisson(level * rng.gamma(10, 0.1, days))[None].astype(float)
    told = extraordinary.beyond(n, np.ones(n.shape), np.ones(n.shape, dtype=bool))[0].any()
    return float(told), float((n > n.mean() + 4 * n.std()).any())


def riot(rng: np.random.Generator, times: float) -> Told:
    """Tell whether a day of `times` its own count, in four ordinary years of 60 a day, is told."""
    n = rng.poisson(60 * rng.gamma(10, 0.1, 1461)).astype(float)
    at = int(rng.integers(40, 1420))
    n[at] = rng.poisson(60 * times)
    found = extraordinary.beyond(n[None], np.ones((1, 1461)), np.ones((1, 1461), dtype=bool))[0]
    return float(found[0, at]), float(n[at] > n.mean() + 4 * n.std())


def _line(
    seed: int, tries: int, what: str, setting: str, asked: Asked, usual: str,
    told: Callable[[np.random.Generator], Told],
) -> Line:  # fmt: skip
    rng = np.random.default_rng([seed, *f"{what} {setting}".encode()])
    found = np.array([told(rng) for _ in range(tries)])
    sound = np.isfinite(found[:, 1])
    beside = found[sound, 1] if usual and sound.any() else None
    return seen(what, setting, asked, found[:, 0], usual if beside is not None else "", beside)


def _codes(seed: int, tries: int) -> Iterator[Line]:
    words = {"clean": "net", "stray": "un relevé égaré", "strays": "des traînards (2 %)",
             "overlap": "huit semaines des deux"}  # fmt: skip
    for rate in (10, 60):
        for how, told in words.items():
            yield _line(
                seed, tries, "code renommé, reconnu", f"{rate} par semaine, {told}", (0.95, None),
                "fin de l'un, début de l'autre, à deux semaines",
                partial(renaming, rate=rate, how=how),
            )  # fmt: skip


def _steps(seed: int, tries: int) -> Iterator[Line]:
    for memory in (0.0, 0.3, 0.5):
        rho = f"ρ {memory:g}"
        yield _line(seed, tries, "rupture où il n'y en a pas", rho, (None, 0.01),
                    "deux moyennes, à la date qui les sépare le mieux",
                    partial(false_step, memory=memory))  # fmt: skip
        for ratio in (1.1, 1.15):
            yield _line(
                seed, tries, "date d'une marche, dans son intervalle à 95 %",
                f"+{100 * (ratio - 1):.0f} %, {rho}", (0.93, None),
                "la semaine trouvée, à quatre près", partial(dated, memory=memory, ratio=ratio),
            )  # fmt: skip
        yield _line(seed, tries, "rapport d'une marche vue, dans son intervalle à 95 %",
                    f"+8 %, bruit de 7 %, {rho}", (0.93, None), "deux moyennes, à cette date",
                    partial(sized, memory=memory, ratio=1.08, noisy=0.07))  # fmt: skip
        yield _line(seed, tries, "baisse lente dite dérive, sans marche datée",
                    f"un tiers en deux ans, {rho}", (0.9, None), "",
                    partial(slow, memory=memory))  # fmt: skip


def _to_come(seed: int, tries: int) -> Iterator[Line]:
    for holed in (False, True):
        rng = np.random.default_rng([seed, holed])
        inside = [
            nowcast.held_back(triangle(rng, holed=holed), 52, 7, 0.9).inside.mean()
            for _ in range(max(2, tries // TRIANGLES))
        ]
        setting = "jours sans saisie, un sur trois" if holed else "saisie régulière"
        yield seen("compte final, dans son intervalle à 90 %", setting, (0.87, 0.93), inside)


def _feeds(seed: int, tries: int) -> Iterator[Line]:
    usual = "dernière semaine sous la moitié de l'année"
    for left in (1.0, 0.3, 0.1):
        none = left == 1.0
        yield _line(seed, tries, f"flux qui s'éteint, dit{' à tort' * none}",
                    "30 par semaine" + ("" if none else f", jusqu'à {100 * left:.0f} %"),
                    (None, 0.01) if none else (0.9, None), usual,
                    partial(lessened, left=left))  # fmt: skip
    usual = "moyenne et quatre écarts types"
    for mean in (5, 60):
        yield _line(seed, tries, "jour hors de l'ordinaire, dit à tort en quatre ans",
                    f"{mean} par jour", (None, 0.01), usual,
                    partial(ordinary, mean=mean))  # fmt: skip
    yield _line(seed, tries, "jour hors de l'ordinaire, dit", "× 8, 60 par jour", (0.95, None),
                usual, partial(riot, times=8.0))  # fmt: skip


TRIALS = (
    Trial("codes", 200, _codes),
    Trial("steps", 150, _steps),
    Trial("to_come", 200, _to_come),
    Trial("feeds", 300, _feeds),
)
