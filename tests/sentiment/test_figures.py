"""What the figures of the index show, and what they must not leave out."""

from __future__ import annotations

import json
import re

import numpy as np
import vl_convert as vlc

from helpers.core.city.names import WHOLE
from helpers.core.stage import figure
from helpers.sentiment import figures, index
from tests.fixtures.surveys import KNOBS, world

# A zone's label on its axis: how far down it stands, and the number its name begins with.
LABEL = re.compile(
    r'<text text-anchor="end" transform="translate\([^,]*,([0-9.]+)\)"[^>]*>(\d\d) l'
)


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


def test_zones_of_any_name_are_drawn_in_order() -> None:
    told, *_ = world(np.random.default_rng(13))
    waves = index.by_wave(told, KNOBS)
    last = [row for row in waves.to_pylist() if row["wave"] == told.waves[-1]]
    here = [row for row in last if row["zone"] != WHOLE and row["status"] == "ok"]
    assert len(here) > 3
    order = [row["zone"] for row in sorted(here, key=lambda row: row["value"])]
    names = {zone: f'{99 - n} l\'"y" `z`\u2028 x[0].y\\' for n, zone in enumerate(order)}
    spec = figure.complete(figures.by_zone(waves, names, KNOBS).chart)
    drawn = vlc.vegalite_to_svg(json.dumps(spec))
    shown = [(float(y), int(n)) for y, n in LABEL.findall(drawn)]
    assert [n for _, n in sorted(shown)] == [99 - n for n in range(len(order))]
