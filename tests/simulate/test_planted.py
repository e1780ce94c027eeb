"""What the pack plants truly happens, where and when its settings say, and nothing else does."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from vacances_scolaires_france import SchoolHolidayDates

from helpers.core.base.errors import PhareError
from helpers.core.place_time.territory import project
from helpers.simulate import planted
from helpers.simulate.incidents import Incidents, joined
from helpers.simulate.settings import load_settings
from helpers.simulate.world import World, build_world
from tests.fixtures.simulated import Made
from tests.simulate.test_world import SETTINGS, changed_pack

RULES = SETTINGS["planted"]
RISE = next(one for one in RULES["local"] if str(one["start"]) < "2025-12-01")
SURGE = next(one for one in RULES["local"] if str(one["start"]) > "2025-12-01")
ADDRESS = RULES["addresses"][0]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(changed_pack(tmp_path_factory.mktemp("planted"), scale=0.3))


@pytest.fixture(scope="module")
def incidents(world: World) -> Incidents:
    """All that happens in 2024 and 2025, in the order of time."""
    return joined([world.incidents(year) for year in (2024, 2025)])


def of_kinds(world: World, incidents: Incidents, kinds: list[str]) -> np.ndarray:
    codes = [kind.code for kind in world.kinds]
    return np.isin(incidents.kind, [codes.index(one) for one in kinds])


def zones_of(world: World, incidents: Incidents) -> np.ndarray:
    return np.array(world.territory.quarters.code)[world.territory.quarter[incidents.cell]]


def test_a_rise_is_in_its_districts_alone(world: World, incidents: Incidents) -> None:
    codes = zones_of(world, incidents)
    here = np.array([code.startswith(tuple(RISE["places"])) for code in codes])
    late = incidents.moment >= np.datetime64(RISE["start"])
    mine = of_kinds(world, incidents, RISE["kinds"])
    for place, factor in ((here, RISE["factor"]), (~here, 1.0)):
        own = mine & place
        before, after = (own & ~late).sum(), (own & late).sum()
        spread = 4 * np.sqrt(1 / before + 1 / after) + 4 * RULES["yearly_sway_sd"]
        assert np.log(after / before) == pytest.approx(np.log(factor), abs=spread)


def test_the_last_week_surges_in_one_quarter_alone(world: World, incidents: Incidents) -> None:
    codes, mine = zones_of(world, incidents), of_kinds(world, incidents, SURGE["kinds"])
    here = np.isin(codes, SURGE["places"])
    week = incidents.moment >= np.datetime64(SURGE["start"])
    season = np.isin(incidents.moment.astype("M8[M]").astype(int) % 12, (10, 11))
    year = incidents.moment.astype("M8[Y]").astype(int) == 2025 - 1970
    weeks = (30 + 24) / 7
    usual = (mine & here & season & year & ~week).sum() / weeks
    assert (mine & here & week).sum() == pytest.approx(SURGE["factor"] * usual, rel=0.35)
    elsewhere = (mine & ~here & season & year & ~week).sum() / weeks
    assert (mine & ~here & week).sum() == pytest.approx(elsewhere, rel=0.2)


def test_an_address_comes_again_at_one_point(world: World, incidents: Incidents) -> None:
    mine = of_kinds(world, incidents, [ADDRESS["kind"]])
    east, north = project(
        np.array([ADDRESS["longitude"]]), np.array([ADDRESS["latitude"]]), world.territory.crs
    )
    there = np.hypot(incidents.east - east, incidents.north - north) < 1
    assert (there & ~mine).sum() == 0
    mean = ADDRESS["yearly"] * world.settings.scale * 2
    assert (there & mine).sum() == pytest.approx(mean, abs=4 * np.sqrt(mean))


def test_an_address_in_the_sea_is_refused(tmp_path: Path) -> None:
    lost = ADDRESS | {"longitude": 5.20, "latitude": 43.20}
    pack = changed_pack(tmp_path, scale=0.01, planted=RULES | {"addresses": [lost]})
    with pytest.raises(PhareError, match="dans aucun quartier"):
        build_world(pack).incidents(2024)


def test_holidays_touch_the_kinds_named_and_their_days_alone(world: World) -> None:
    school = SchoolHolidayDates()
    days = world.clock.days
    closed = np.array(
        [school.is_holiday_for_zone(day, "B") for day in days.astype("M8[D]").tolist()]
    )
    factor = planted.holiday_factor(days, 0.8)
    assert np.array_equal(factor, np.where(closed, 0.8, 1.0))
    assert 0.25 < closed.mean() < 0.40


def test_levels_sway_from_year_to_year_and_not_from_day_to_day() -> None:
    days = np.arange("2021-01-01", "2061-01-01", dtype="datetime64[D]")
    sway = np.log(planted.yearly_sway(days, 0.02, "bruit", 1))
    assert np.abs(np.diff(sway)).max() < 0.02 * 8 / 365
    yearly = sway[182::365][:40]
    assert yearly.std() == pytest.approx(0.02, rel=0.4)
    assert (planted.yearly_sway(days, 0.0, "bruit", 1) == 1).all()


def test_unknown_kinds_are_refused(tmp_path: Path) -> None:
    pack = changed_pack(tmp_path, planted=RULES | {"school_holidays": {"inconnue": 1.2}})
    with pytest.raises(PhareError, match="inconnue"):
        load_settings(pack)


def test_a_pack_that_plants_nothing_is_a_city_too(tmp_path: Path) -> None:
    text = {key: value for key, value in SETTINGS.items() if key != "planted"}
    pack = changed_pack(tmp_path)
    bare = yaml.safe_dump(text | {"scale": 0.01}, allow_unicode=True)
    (pack / "simulation.yaml").write_text(bare, encoding="utf-8")
    assert len(build_world(pack).incidents(2021))


def test_a_fading_source_halves_and_silent_citizens_are_those_of_their_district(
    made: Made,
) -> None:
    fading = {one["source"] + one.get("district", ""): one for one in
              SETTINGS["sources"]["fadings"]}  # fmt: skip
    tow = fading["fourriere"]
    before, after = (
        made.number(f"SELECT count(*) FROM sorted_fourriere WHERE horodatage::DATE {when}")
        for when in (f"< '{tow['start']}'", ">= '2025-09-01'")
    )
    days = (dt.date.fromisoformat(str(tow["start"])) - dt.date(2021, 1, 1)).days
    first = (dt.date(2025, 9, 1) - dt.date.fromisoformat(str(tow["start"]))).days
    kept = 0.5 ** (np.arange(first, first + 122) / tow["half_life_days"])
    mean = before / days * kept.sum()
    assert after == pytest.approx(mean, abs=4 * np.sqrt(mean))
    assert mean < 0.4 * 122 * before / days
    hush = fading["main_courante13216"]
    for sign, low, high in ((">=", 0.0, 0.2), ("<", 0.4, 0.9)):
        share = made.number(
            "SELECT avg((true_initiator = 'citizen')::INT) FROM main_courante "
            f"WHERE starts_with(quartier, '13216') AND debut {sign} '{hush['start']}'"
        )
        assert low <= share <= high, sign


def test_the_truth_tells_what_is_planted(made: Made) -> None:
    told = json.loads((made.truth / "planted.json").read_text(encoding="utf-8"))
    titles = [one["title"] for one in told["planted"]["local"]]
    assert titles == [one["title"] for one in RULES["local"]]
    assert told["planted"]["addresses"][0]["yearly"] == ADDRESS["yearly"]
