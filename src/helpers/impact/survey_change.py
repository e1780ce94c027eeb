"""Whether people of a zone feel less quiet at the wave after a grave fact than at the one before.

Shares of the zone, brought to the same ages at both waves; beside the change of zones without a
fact, which also tells by how much zones move of themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base.store import literal, quote
from helpers.core.city.shock_rules import Shock
from helpers.core.city.survey import SurveyRule
from helpers.core.stats.event_ratio import Ratio
from helpers.impact.effects import TOO_FEW
from helpers.impact.knobs import Knobs

Floats = NDArray[np.float64]
NO_WAVE, FEW_CONTROLS = "no_wave", "few_controls"
FEWEST = 4  # zones without a fact, which tell how zones differ


@dataclass(frozen=True)
class Asked:
    """A survey's counts (waves, zones, strata), NaN where not told; `adults` of each stratum."""

    waves: Sequence[dt.date]
    zones: Sequence[str]
    adults: Floats
    answers: Floats
    quiet: Floats


def read(con: duckdb.DuckDBPyConnection, rule: SurveyRule, path: Path) -> Asked:
    """Return what the accepted rows of a survey say."""
    names = (rule.wave, rule.zone, rule.stratum, rule.adults, rule.answers, rule.quiet)
    rows = con.execute(
        f"SELECT {', '.join(map(quote, names))} FROM read_parquet({literal(path)}) ORDER BY ALL"
    ).fetchall()
    waves, zones, strata = (sorted({row[k] for row in rows}) for k in range(3))
    at = [{name: k for k, name in enumerate(axis)} for axis in (waves, zones, strata)]
    counts = np.full((3, len(waves), len(zones), len(strata)), np.nan)
    for wave, zone, stratum, *told in rows:
        where = at[0][wave], at[1][zone], at[2][stratum]
        counts[(slice(None), *where)] = [np.nan if v is None else float(v) for v in told]
    return Asked(waves, zones, *counts)


def change(asked: Asked, fact: Shock, treated: Collection[str], knobs: Knobs) -> Ratio | str:
    """Return by how much the share changed beyond other zones (`value`, a difference), or why not.

    Controls are the zones without a fact (`treated` have one). Error: that of the zone's answers,
    and how zones without a fact differ beyond theirs (moments, DerSimonian & Laird 1986).
    """
    after = next((k for k, day in enumerate(asked.waves) if day > fact.day), None)
    soon = after is not None and (asked.waves[after] - fact.day).days <= 7 * knobs.wave_weeks
    if not after or not soon or fact.zone not in asked.zones:
        return NO_WAVE
    moved, variance, answers = _moved(asked, after)
    enough = answers >= knobs.minimum_answers
    i = asked.zones.index(fact.zone)
    if not enough[i] or not np.isfinite(moved[i]):
        return TOO_FEW
    free = np.array([zone not in treated for zone in asked.zones])
    others = np.flatnonzero(free & enough & np.isfinite(moved))
    if len(others) < FEWEST:
        return FEW_CONTROLS
    usual, m = moved[others].mean(), len(others)
    square = float(((moved[others] - usual) ** 2).sum()) / (m - 1)
    between = max(square - float(variance[others].mean()), 0.0)
    error = np.sqrt(variance[i] + between + square / m)
    return Ratio(float(moved[i] - usual), float(error), m - 1)


def _moved(asked: Asked, after: int) -> tuple[Floats, Floats, Floats]:
    """Return change of the share, its variance, and the fewest answers of both waves; (zones,)."""
    pair = slice(after - 1, after + 1)
    told = np.isfinite(asked.answers[pair]).all(axis=0)  # (zones, strata)
    n = np.where(told, asked.answers[pair], 0.0)
    quiet = np.where(told, asked.quiet[pair], 0.0)
    weight = np.where(told, np.nan_to_num(asked.adults[after]), 0.0)
    total = weight.sum(axis=1, keepdims=True)
    weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    share = quiet / np.maximum(n, 1)
    inside = (quiet + 0.5) / (n + 1)
    each = inside * (1 - inside) / np.maximum(n - 1, 1)
    level = (weight * share).sum(axis=2)
    moved = np.where(total[:, 0] > 0, level[1] - level[0], np.nan)
    return moved, (weight**2 * each).sum(axis=(0, 2)), n.sum(axis=2).min(axis=0)
