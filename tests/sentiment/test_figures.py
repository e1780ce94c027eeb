"""What the figures of the index show, and what they must not leave out."""

from __future__ import annotations

import numpy as np

from helpers.core.stage import figure
from helpers.sentiment import figures, index
from tests.fixtures.surveys import KNOBS, world


def test_zones_with_too_few_answers_stay_in_the_figure() -> None:
    told, *_ = world(np.random.default_rng(13))
    few = KNOBS.model_copy(update={"minimum_answers": 400})
    waves = index.by_wave(told, few)
    last = [row for row in waves.to_pylist() if row["wave"] == told.waves[-1]]
    silent = {row["zone"] for row in last if row["status"] != "ok"}
    assert 0 < len(silent) < 16
    drawn = figure.complete(figures.by_zone(waves, {}, few).chart)["datasets"]
    rows = [row for held in drawn.values() for row in held]
    assert {row["zone"] for row in rows} == set(told.groups)
    reasons = {row["zone"]: row["reason"] for row in rows if row["reason"]}
    assert reasons == dict.fromkeys(silent, "moins de 400 réponses")
