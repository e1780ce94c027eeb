"""What inhabitants answer to a planted grave fact, and that nothing else in the city moves."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.core.base.errors import PhareError
from helpers.simulate.records import build_scene
from helpers.simulate.settings import load_settings
from helpers.simulate.sources import comptage, signalement
from helpers.simulate.sources.scene import Facts
from helpers.simulate.world import build_world
from tests.fixtures import counting
from tests.fixtures.simulated import Made
from tests.simulate.test_comptage import NOBODY, RULES
from tests.simulate.test_world import PACK, SETTINGS, changed_pack

SHOCKS = load_settings(PACK).sources.shocks
FULL = SHOCKS[0]  # reports, walkers, survey


def test_reports_are_kept_to_oneself_in_the_quarter_and_weeks_told_alone() -> None:
    scene = replace(build_scene(build_world(PACK)))
    codes = scene.territory.quarters.code
    rng = np.random.default_rng(1)
    size = 200_000
    here = np.flatnonzero(scene.territory.quarter == codes.index(FULL.quarter))
    cell = np.where(np.arange(size) % 2, rng.choice(here, size),
                    rng.integers(0, len(scene.territory.quarter), size))  # fmt: skip
    moment = np.datetime64("2024-07-01T00:00") + rng.integers(0, 300 * 1440, size).astype("m8[m]")
    none = np.zeros(size, dtype=np.int64)
    facts = Facts(none, none, none, cell, none * 1.0, none * 1.0, moment)
    gone = signalement.withheld(facts, scene, "essai")
    day = moment.astype("datetime64[D]")
    told = np.isin(cell, here) & (day >= np.datetime64("2024-09-16"))
    told &= day <= np.datetime64("2024-11-24")
    assert not gone[~told].any()
    assert gone[told].mean() == pytest.approx(0.5, abs=4 * (0.25 / told.sum()) ** 0.5)


def test_walkers_of_the_sites_named_alone_are_fewer() -> None:
    days = counting.days_of(dt.date(2024, 9, 1), 120)
    with_it, without = (
        comptage.expected(RULES, NOBODY, days, 5, shocks)[0] for shocks in ([FULL], [])
    )
    names = [site for _, site, _ in comptage.channel_names(RULES)]
    ratio = (with_it / without).reshape(len(names), 120, 24)
    own = names.index("P08")
    began = (FULL.start - dt.date(2024, 9, 1)).days
    lasts = (FULL.end - FULL.start).days + 1
    assert ratio[own, began : began + lasts] == pytest.approx(0.75)
    ratio[own, began : began + lasts] = 1.0
    assert ratio == pytest.approx(1.0)


def test_fewer_feel_quiet_in_the_quarter_at_the_wave_told_alone(tmp_path: Path) -> None:
    asked = build_world(PACK).survey
    calm = changed_pack(tmp_path, sources=SETTINGS["sources"] | {"shocks": []})
    before = build_world(calm).survey
    world = build_world(PACK)
    place = world.territory.quarters.code.index(FULL.quarter)
    assert (asked.answers == before.answers).all()
    same = np.ones(asked.quiet.shape[:2], dtype=bool)
    same[3, place] = False  # the wave of November 2024
    assert (asked.quiet[same] == before.quiet[same]).all()
    assert asked.share[3, place] == pytest.approx(0.55 * before.share[3, place])
    assert asked.quiet[3, place].sum() < 0.8 * before.quiet[3, place].sum()


def test_the_truth_tells_them_and_a_point_that_does_not_exist_is_refused(
    made: Made, tmp_path: Path
) -> None:
    told = json.loads((made.truth / "shocks.json").read_text(encoding="utf-8"))
    assert [one["quarter"] for one in told] == [one.quarter for one in SHOCKS]
    wrong = {**SETTINGS["sources"]["shocks"][0], "sites": ["P99"]}
    pack = changed_pack(tmp_path, sources=SETTINGS["sources"] | {"shocks": [wrong]})
    with pytest.raises(PhareError, match="P99"):
        load_settings(pack)
