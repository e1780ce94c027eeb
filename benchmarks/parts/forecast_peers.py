"""What one would otherwise take to forecast a week of counts by zone and slot: two kept libraries.

Each returns what came and its forecast means (52 origins, slots, zones each), of the year that
`rolled` judges, and knows at each origin what our methods know: the days before it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from helpers.core.stats.count_levels import Panel
from helpers.core.stats.rolling import Block

Floats = NDArray[np.float64]
PAST_DAYS = (7, 28, 91, 364)
LEARNT_WEEKS = 104
LENGTH = 7


def _past(counts: Floats, at: NDArray[np.int64]) -> Floats:
    """Return the sums of past days at each origin (origins, slots, zones, sums)."""
    sums = np.concatenate([np.zeros_like(counts[:1]), counts.cumsum(axis=0)])
    return np.stack([sums[at] - sums[at - days] for days in PAST_DAYS], axis=-1)


def _rows(counts: Floats, at: NDArray[np.int64]) -> Floats:
    """Return one row a forecast: past sums, slot, zone."""
    past = _past(counts, at)
    slot, zone = (
        np.broadcast_to(np.arange(past.shape[i]).reshape(shape), past.shape[:3])
        for i, shape in ((1, (1, -1, 1)), (2, (1, 1, -1)))
    )
    columns = [*np.moveaxis(past, -1, 0), slot, zone]
    return np.stack([np.ravel(column) for column in columns], axis=1)


def lightgbm(panel: Panel, block: Block, lead: int) -> tuple[Floats, Floats]:
    """Return the means of boosted trees under Poisson's loss, as they come, fitted once."""
    import lightgbm

    counts = panel.counts
    last = int(block.at.min()) - lead - LENGTH
    at = last - 7 * np.arange(LEARNT_WEEKS)[::-1]
    target = np.stack([counts[one + lead : one + lead + LENGTH].sum(axis=0) for one in at])
    model = lightgbm.LGBMRegressor(objective="poisson", n_jobs=1, verbose=-1, random_state=1)
    model.fit(_rows(counts, at), target.ravel(), categorical_feature=[4, 5])
    came = block.came[:, : counts.shape[1]]
    return came, np.asarray(model.predict(_rows(counts, block.at))).reshape(came.shape)


def statsforecast(panel: Panel, block: Block, lead: int) -> tuple[Floats, Floats]:
    """Return the means of exponential smoothing, chosen and fitted a series, then rolled.

    Its origins are all of one weekday; ours turn, in the same year.
    """
    import pandas as pd
    from statsforecast import StatsForecast
    from statsforecast.models import AutoETS

    days, slots, zones = panel.counts.shape
    frame = pd.DataFrame({
        "unique_id": np.repeat(np.arange(slots * zones), days),
        "ds": np.tile(np.arange(days), slots * zones),
        "y": panel.counts.reshape(days, -1).T.ravel(),
    })  # fmt: skip
    whole = StatsForecast(models=[AutoETS(season_length=7)], freq=1, n_jobs=1)
    found = whole.cross_validation(
        df=frame, h=lead + LENGTH, step_size=7, n_windows=len(block.at), refit=False
    )
    shape = (slots, zones, len(block.at), lead + LENGTH)
    came, mean = (
        np.moveaxis(found[name].to_numpy().reshape(shape)[..., lead:].sum(axis=-1), -1, 0)
        for name in ("y", "AutoETS")
    )
    return came, mean
