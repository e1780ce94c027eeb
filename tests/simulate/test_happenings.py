"""What truly happens in the simulated city follows the laws it is drawn from.

Counts are compared with what the truth expects, within a few Poisson errors; shapes with the
figures published elsewhere that the settings quote.
"""

from __future__ import annotations

import itertools
import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import yaml
from scipy.spatial import KDTree

from helpers.core.base.errors import PhareError
from helpers.simulate.base import LOG, Kind
from helpers.simulate.incidents import COLUMNS, Incidents
from helpers.simulate.settings_world import Occasion
from helpers.simulate.world import AGENT, CITIZEN, INITIATORS, NOBODY, OTHER, World, build_world

PACK = Path(__file__).resolve().parents[2] / "data/cities/marseille"
SCALE = 0.5
ERRORS = 4  # standard errors: one test in 16,000 strays farther by chance
YEARS = 5
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def scaled(world: World, scale: float, **changes: Any) -> World:
    """Return the same city with another volume (or seed)."""
    update = {"scale": scale, **changes}
    return replace(world, settings=world.settings.model_copy(update=update))


@pytest.fixture(scope="module")
def world() -> World:
    return scaled(build_world(PACK), SCALE)


@pytest.fixture(scope="module")
def all_incidents(world: World) -> Incidents:
    return world.incidents()


@pytest.fixture(scope="module")
def initiator(world: World, all_incidents: Incidents) -> Ints:
    return world.recorded(all_incidents)


def position(world: World, code: str) -> int:
    return [kind.code for kind in world.kinds].index(code)


def kind_of(world: World, code: str) -> Kind:
    return world.kinds[position(world, code)]


def days_of(world: World, incidents: Incidents) -> Ints:
    return (incidents.moment.astype("datetime64[D]") - world.clock.days[0]).astype(np.int64)


def hours_of(world: World, incidents: Incidents) -> Ints:
    start = world.clock.days[0].astype("datetime64[h]")
    return (incidents.moment.astype("datetime64[h]") - start).astype(np.int64)


def first_ones(incidents: Incidents) -> Bools:
    """Incidents that neither repeat another, nor come from an event, nor were moved."""
    return (incidents.parent == -1) & (incidents.event == -1) & (incidents.action == -1)


def assert_poisson(found: float, expected: float) -> None:
    assert abs(found - expected) <= ERRORS * np.sqrt(expected), (found, expected)


# --- volumes, and who records ----------------------------------------------------------------


def test_records_are_those_of_the_published_figure(world: World, initiator: Ints) -> None:
    recorded = (initiator != NOBODY).sum() / YEARS / SCALE
    assert recorded == pytest.approx(300_000, rel=0.03)
    agents = (initiator == AGENT).sum() / (initiator != NOBODY).sum()
    assert agents == pytest.approx(0.5, abs=0.04)


def test_each_kind_has_its_reporting_rate_and_its_share_of_agents(
    world: World, all_incidents: Incidents, initiator: Ints
) -> None:
    before = all_incidents.moment < np.datetime64("2024-10-01")  # the change of tool
    for index, kind in enumerate(world.kinds):
        own = all_incidents.kind == index
        recorded = own & (initiator != NOBODY)
        agents = (initiator[recorded] == AGENT).mean()
        assert agents == pytest.approx(kind.about.agent, abs=0.03), kind.code
        if kind.about.mission:
            assert recorded.sum() == own.sum()
            continue
        told = np.isin(initiator[own & before], (CITIZEN, OTHER))
        error = np.sqrt(kind.reported * (1 - kind.reported) / told.size)
        assert abs(told.mean() - kind.reported) < ERRORS * error, kind.code


def test_what_agents_see_grows_with_their_hours(
    world: World, all_incidents: Incidents, initiator: Ints
) -> None:
    """Ensign et al. 2018: Poisson(λ(1−r)(1−exp(−δ·hours))), whatever the place."""
    code = "stationnement_genant"
    own = all_incidents.kind == position(world, code)
    own &= all_incidents.moment < np.datetime64("2024-10-01")
    untold = own & ~np.isin(initiator, (CITIZEN, OTHER))
    hour = hours_of(world, all_incidents)[untold]
    quarter = world.territory.quarter[all_incidents.cell[untold]]
    hours = world.presence.at(hour // 24, hour % 24, quarter)
    seen = initiator[untold] == AGENT
    _, delta, _ = world._chances
    rate = delta[position(world, code)]
    edges = np.quantile(hours, [0.0, 0.25, 0.5, 0.75, 1.0])
    shares = []
    for low, high in itertools.pairwise(edges.tolist()):
        inside = (hours >= low) & (hours <= high)
        expected = 1 - np.exp(-rate * hours[inside])
        error = np.sqrt((expected * (1 - expected)).sum())
        assert abs(seen[inside].sum() - expected.sum()) < ERRORS * error
        shares.append(seen[inside].mean())
    assert shares[3] > 1.5 * shares[0], "les quartiers patrouillés paraissent pires qu'ils ne sont"


def test_a_change_of_tool_changes_the_record_alone(
    world: World, all_incidents: Incidents, initiator: Ints
) -> None:
    code = position(world, "tapage_diurne")
    after = all_incidents.moment >= np.datetime64("2024-10-01")
    own = all_incidents.kind == code
    told = np.isin(initiator, (CITIZEN, OTHER))
    ratio = told[own & after].mean() / told[own & ~after].mean()
    assert ratio == pytest.approx(1.06, abs=0.03)
    expected = kind_of(world, "tapage_diurne")
    share = expected.inland[hours_before(world, "2024-10-01") :].sum() / expected.inland.sum()
    count = (own & after).sum()
    assert count / own.sum() == pytest.approx(share, rel=ERRORS / np.sqrt(count))


def hours_before(world: World, day: str) -> int:
    return int((np.datetime64(day) - world.clock.days[0]).astype(int)) * 24


# --- places ----------------------------------------------------------------------------------


def half_in(counts: Ints) -> float:
    """Return the share of places that hold half of the facts (Weisburd 2015)."""
    ordered = np.sort(counts)[::-1]
    return float((np.cumsum(ordered) < ordered.sum() / 2).sum() + 1) / len(ordered)


def test_half_of_facts_in_few_cells_and_the_null_beside(
    world: World, all_incidents: Incidents, initiator: Ints
) -> None:
    place = np.searchsorted(world.ground.cells, all_incidents.cell)
    size = len(world.ground.cells)
    rng = np.random.default_rng(1)
    for rows in (np.ones(len(place), dtype=bool), initiator != NOBODY):
        counts = np.bincount(place[rows], minlength=size)
        assert 0.02 <= half_in(counts) <= 0.06
        uniform = rng.poisson(counts.mean(), size)
        assert half_in(uniform) > 0.4
    # The trap: with 0.1 facts a place, a uniform city seems concentrated too (4.5 %, computed).
    assert half_in(rng.poisson(0.1, 1_000_000)) == pytest.approx(0.045, abs=0.005)


def test_every_quarter_has_records(world: World, all_incidents: Incidents, initiator: Ints) -> None:
    recorded = world.territory.quarter[all_incidents.cell[initiator != NOBODY]]
    assert len(np.unique(recorded)) == len(world.territory.quarters.code) == 111


def test_points_lie_in_their_cell_and_cells_are_built(
    world: World, all_incidents: Incidents
) -> None:
    where, side = world.territory, world.territory.cell_m
    own = slice(0, None, 7)
    cell = all_incidents.cell[own]
    assert np.array_equal(np.floor(all_incidents.east[own] / side), where.east[cell])
    assert np.array_equal(np.floor(all_incidents.north[own] / side), where.north[cell])
    first = all_incidents.parent == -1
    assert np.isin(np.unique(all_incidents.cell[first]), world.ground.cells).all()


# --- times -----------------------------------------------------------------------------------


def test_friday_and_saturday_nights_are_noisier(world: World, all_incidents: Incidents) -> None:
    own = all_incidents.kind == position(world, "tapage_nocturne")
    evening = (all_incidents.moment[own] - np.timedelta64(6, "h")).astype("datetime64[D]")
    nights = np.bincount((evening.astype(np.int64) + 3) % 7, minlength=7)
    usual = nights[:4].mean()
    assert all(1.15 < nights[day] / usual < 1.25 for day in (4, 5)), nights / usual


def test_night_noise_peaks_between_22_and_02(world: World, all_incidents: Incidents) -> None:
    own = all_incidents.kind == position(world, "tapage_nocturne")
    hours = np.bincount(hours_of(world, all_incidents)[own] % 24, minlength=24)
    assert set(np.argsort(hours)[-4:].tolist()) == {22, 23, 0, 1}


def test_the_coast_is_busier_in_summer(world: World, all_incidents: Incidents) -> None:
    coastal = np.isin(all_incidents.cell, world.ground.cells[world.ground.coast])
    month = all_incidents.moment.astype("datetime64[M]").astype(np.int64) % 12 + 1
    summer, winter = np.isin(month, (7, 8)), np.isin(month, (1, 2))

    def ratio(rows: Bools) -> float:
        return float((rows & summer).sum() / (rows & winter).sum())

    assert ratio(coastal) > 1.8 * ratio(~coastal)


def test_rows_are_in_time_and_no_clock_shows_the_missing_hour(
    world: World, all_incidents: Incidents
) -> None:
    ends = np.cumsum([size for *_, size in all_incidents.chunks])
    for (year, _, size), end in zip(all_incidents.chunks, ends.tolist(), strict=True):
        moment = all_incidents.moment[end - size : end]
        assert (moment[1:] >= moment[:-1]).all()
        assert {str(moment[0])[:4], str(moment[-1])[:4]} == {str(year)}
    shown = all_incidents.moment.astype("datetime64[h]")
    for day in ("2021-03-28", "2022-03-27", "2023-03-26", "2024-03-31", "2025-03-30"):
        assert not (shown == np.datetime64(f"{day}T02")).any()
        assert (shown == np.datetime64(f"{day}T03")).any()


def test_heat_raises_violence_and_leaves_property(world: World, all_incidents: Incidents) -> None:
    """Some kinds rise as the settings say, the others do not."""
    climate = world.settings.world.climate
    hot = world.weather.t_c.reshape(-1, 24).max(axis=1) > 29.4
    assert 15 <= hot.sum() / YEARS <= 75
    day = days_of(world, all_incidents)
    first = first_ones(all_incidents)
    coast = world.ground.coast
    found: dict[float, list[float]] = {}
    for index, kind in enumerate(world.kinds):
        if kind.about.mission:
            continue
        # What the calendar alone would give, without the weather.
        usual = sum(
            kind.place[coast == c].sum()
            * world.clock.weights(LOG, kind.code, kind.about, coast=c).reshape(-1, 24).sum(axis=1)
            for c in (False, True)
        )
        effect = climate.hot_violence if kind.code in climate.violence else climate.hot_all
        effect = climate.hot_property if kind.code in climate.property else effect
        own = first & (all_incidents.kind == index)
        counts = np.bincount(day[own], minlength=len(hot))
        sums = found.setdefault(effect, [0.0, 0.0])
        sums[0] += counts[hot].sum()
        sums[1] += usual[hot].sum() * SCALE
    assert set(found) == {climate.hot_violence, climate.hot_all, climate.hot_property}
    for effect, (count, usual_count) in found.items():
        # Actions take away a little, less than one in a hundred.
        error = ERRORS / np.sqrt(usual_count) + 0.005
        assert count / usual_count == pytest.approx(effect, abs=error), effect


def test_the_nights_of_june_2023(world: World, all_incidents: Incidents) -> None:
    own = all_incidents.kind == position(world, "degradation")
    day = all_incidents.moment[own].astype("datetime64[D]")
    inside = (day >= np.datetime64("2023-06-29")) & (day <= np.datetime64("2023-07-02"))
    before = (day >= np.datetime64("2023-06-01")) & (day <= np.datetime64("2023-06-28"))
    assert 2.3 < inside.sum() / 4 / (before.sum() / 28) < 3.7


def test_weather_keeps_its_months(world: World) -> None:
    month = world.clock.days.astype("datetime64[M]").astype(np.int64) % 12
    mean = world.weather.t_c.reshape(-1, 24).mean(axis=1)
    wanted = world.settings.world.climate.monthly_c
    for m in range(12):
        assert mean[month == m].mean() == pytest.approx(wanted[m], abs=1.5)
    assert (world.weather.rain_mm >= 0).all()
    assert (world.weather.gust_ms >= world.weather.wind_ms).all()


# --- repeats ---------------------------------------------------------------------------------


def test_repeats_follow_their_parent_in_time_and_space(
    world: World, all_incidents: Incidents
) -> None:
    for code, rules in world.settings.world.near_repeat.items():
        own = np.flatnonzero(all_incidents.kind == position(world, code))
        own = own[np.argsort(all_incidents.id[own])]
        assert (np.diff(all_incidents.id[own]) > 0).all()
        child = own[all_incidents.parent[own] >= 0]
        assert_poisson(len(child), len(own) * rules.branching)
        at = np.searchsorted(all_incidents.id[own], all_incidents.parent[child])
        parent = own[at]
        assert np.array_equal(all_incidents.id[parent], all_incidents.parent[child])
        days = (all_incidents.moment[child] - all_incidents.moment[parent]).astype(float) / 1440
        assert (days > 0).all()
        assert np.mean(days) == pytest.approx(rules.mean_days, rel=0.1)
        east = all_incidents.east[child] - all_incidents.east[parent]
        assert np.std(east) == pytest.approx(rules.spread_m, rel=0.05)
    branching = [position(world, code) for code in world.settings.world.near_repeat]
    assert not (all_incidents.parent[~np.isin(all_incidents.kind, branching)] >= 0).any()


BANDS_M, BANDS_DAYS = ((0.0, 200.0), (400.0, 600.0)), ((0.0, 14.0), (60.0, 90.0))
PERMUTATIONS = 29
LATER = np.datetime64("2023-06-01")  # before the riots, which gather facts in time


def knox(world: World, incidents: Incidents, rows: Bools) -> list[tuple[float, float]]:
    """Return the Knox ratio of the bands of space × time, and how many standard errors above 1.

    Pairs in the band over their mean when moments are shuffled among places. The first band is the
    nearest in both. Inland only: the coast has a season of its own, which a shuffle would break.
    """
    coastal = world.ground.cells[world.ground.coast]
    rows = rows & (incidents.moment < LATER) & ~np.isin(incidents.cell, coastal)
    points = np.column_stack([incidents.east[rows], incidents.north[rows]])
    when = incidents.moment[rows].astype(np.float64) / 1440
    pairs = KDTree(points).query_pairs(BANDS_M[-1][1], output_type="ndarray")
    away = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    rng = np.random.default_rng(5)
    found = []
    for low, high in BANDS_M:
        one, other = pairs[(away >= low) & (away < high)].T
        counts = [
            _counted(np.abs(times[one] - times[other]))
            for times in (when, *(rng.permutation(when) for _ in range(PERMUTATIONS)))
        ]
        mean, error = np.mean(counts[1:], axis=0), np.std(counts[1:], axis=0)
        found += list(zip(counts[0] / mean, (counts[0] - mean) / error, strict=True))
    return found


def _counted(gap: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.array([((gap >= low) & (gap < high)).sum() for low, high in BANDS_DAYS], float)


def test_knox_ratio_is_high_near_alone_and_for_repeated_kinds_alone(world: World) -> None:
    """Johnson 2007: an excess within 200 m and two weeks. Dense kinds hide it: a tenth of them."""
    incidents = scaled(world, 0.05).incidents()
    repeated = incidents.kind == position(world, "degradation")
    (ratio, errors), *others = knox(world, incidents, repeated)
    assert ratio > 1.08
    assert errors > 6
    assert all(abs(e) < ERRORS for _, e in others), others
    alone = knox(world, incidents, incidents.kind == position(world, "tapage_diurne"))
    assert all(abs(e) < ERRORS for _, e in alone), alone


def test_what_is_recorded_shows_the_repeats_of_a_rare_kind(
    world: World, all_incidents: Incidents, initiator: Ints
) -> None:
    own = (all_incidents.kind == position(world, "squat")) & (initiator != NOBODY)
    (ratio, errors), *others = knox(world, all_incidents, own)
    assert ratio > 1.08
    assert errors > 6
    assert all(abs(e) < ERRORS for _, e in others), others


# --- events ----------------------------------------------------------------------------------


def test_matches_are_as_many_and_as_large_as_published(world: World) -> None:
    events = world.events
    own = np.array(events.category) == "sportif"
    years = events.start[own].astype("datetime64[Y]").astype(int) + 1970
    per_year = np.bincount(years)[2021:]
    assert ((per_year >= 19) & (per_year <= 27)).all()
    assert ((events.attendance[own] >= 62_000) & (events.attendance[own] <= 63_500)).all()
    assert (events.end > events.start).all()
    assert set(events.category) == {"sportif", "marche", "culturel", "chantier"}


def excess_of(world: World, kind: Kind, rule: Occasion, of: Bools) -> float:
    """Return the incidents that the events `of` an occasion add: (factor − 1) × the usual ones."""
    events, ground, where = world.events, world.ground, world.territory
    total = 0.0
    for cell in np.unique(events.cell[of]):
        here = of & (events.cell == cell)
        away = where.cell_m * np.hypot(
            where.east[ground.cells] - where.east[cell],
            where.north[ground.cells] - where.north[cell],
        )
        more = np.zeros(len(away))
        for ring in reversed(rule.rings):
            more[away <= ring.radius_m] = ring.factor - 1
        for on_coast, weights in ((False, kind.inland), (True, kind.coast)):
            place = (kind.place * more)[ground.coast == on_coast].sum()
            windows = zip(events.first_hour[here], events.last_hour[here], strict=True)
            total += place * sum(weights[first:last].sum() for first, last in windows)
    return float(total)


@pytest.mark.parametrize("occasion", ["football", "marche", "festival", "chantier"])
def test_the_excess_around_events_is_recovered(
    occasion: str, world: World, all_incidents: Incidents
) -> None:
    """What happens in the rings, during, over what would have happened: the factors."""
    events = world.events
    of = events.occasion == events.names.index(occasion)
    rule = events.rules[events.names.index(occasion)]
    excess = SCALE * sum(excess_of(world, kind_of(world, code), rule, of) for code in rule.kinds)
    found = np.flatnonzero((all_incidents.event >= 0) & (all_incidents.parent == -1))
    found = found[of[all_incidents.event[found]]]
    assert_poisson(len(found), excess)
    event, hour = all_incidents.event[found], hours_of(world, all_incidents)[found]
    assert ((hour >= events.first_hour[event]) & (hour < events.last_hour[event])).all()
    where, moved = world.territory, all_incidents.action[found] >= 0
    cell, centre = all_incidents.cell[found], events.cell[event]
    away = np.hypot(where.east[cell] - where.east[centre], where.north[cell] - where.north[centre])
    assert (away * where.cell_m <= events.radius_m[event])[~moved].all()
    assert set(all_incidents.kind[found].tolist()) <= {position(world, c) for c in rule.kinds}


def test_matches_bring_between_a_fifth_and_a_half_more(
    world: World, all_incidents: Incidents
) -> None:
    """Counted without the truth's own labels: rings of the ground, during, against the base."""
    events, ground = world.events, world.ground
    matches = np.flatnonzero(np.array(events.category) == "sportif")
    centre = events.cell[matches[0]]
    where = world.territory
    away = where.cell_m * np.hypot(
        where.east[ground.cells] - where.east[centre],
        where.north[ground.cells] - where.north[centre],
    )
    kinds = [position(world, c) for c in events.rules[events.names.index("football")].kinds]
    hour = hours_of(world, all_incidents)
    during = np.zeros(len(world.clock.days) * 24, dtype=bool)
    for first, last in zip(events.first_hour[matches], events.last_hour[matches], strict=True):
        during[first:last] = True
    alone = (all_incidents.event == -1) | np.isin(all_incidents.event, matches)
    rows = during[hour] & alone & np.isin(all_incidents.kind, kinds)
    rows &= all_incidents.parent == -1
    for low, high, factor in ((-1.0, 350.0, 1.5), (350.0, 700.0, 1.2)):
        ring = (away > low) & (away <= high)
        expected = SCALE * sum(
            world.kinds[k].place[ring & (ground.coast == c)].sum() * weights[during].sum()
            for k in kinds
            for c, weights in ((False, world.kinds[k].inland), (True, world.kinds[k].coast))
        )
        found = (rows & np.isin(all_incidents.cell, ground.cells[ring])).sum()
        assert_poisson(found, expected * factor)


# --- actions ---------------------------------------------------------------------------------


def in_actions(
    world: World, incidents: Incidents, parts: tuple[Ints, ...], start: Ints, end: Ints
) -> tuple[float, float]:
    """Return first incidents aimed at in `parts` of the actions between days, and the expected."""
    actions, ground = world.actions, world.ground
    day, first = days_of(world, incidents), first_ones(incidents)
    found = expected = 0.0
    near = np.flatnonzero(first & np.isin(incidents.cell, np.concatenate(parts)))
    kinds, cells, days = incidents.kind[near], incidents.cell[near], day[near]
    for a, part in enumerate(parts):
        place = np.searchsorted(ground.cells, part)
        aims = np.flatnonzero(actions.aims[a])
        inside = np.isin(cells, part) & (days >= start[a]) & (days <= end[a])
        found += float((inside & np.isin(kinds, aims)).sum())
        limits = np.array([start[a] * 24]), np.array([(end[a] + 1) * 24])
        for k in aims.tolist():
            for on_coast in (False, True):
                here = place[ground.coast[place] == on_coast]
                mass = world.kinds[k].weight(on_coast, *limits)[0]
                expected += SCALE * float(world.kinds[k].place[here].sum() * mass)
    return found, expected


def test_actions_prevent_what_they_should(world: World, all_incidents: Incidents) -> None:
    """Braga and Weisburd 2020: −16 % in the zone; nothing before; half as much 12 weeks later."""
    actions = world.actions
    assert len(actions) == 20
    assert len(set(actions.first_day.tolist())) == 20, "échelonnées"
    args = world, all_incidents, actions.zones
    found, expected = in_actions(*args, actions.first_day - 182, actions.first_day - 1)
    assert_poisson(found, expected)
    found, expected = in_actions(*args, actions.first_day, actions.last_day)
    assert_poisson(found, 0.84 * expected)
    assert 1 - found / expected > 3 / np.sqrt(expected), "l'effet se voit"
    later = np.minimum(actions.last_day + 168, len(world.clock.days) - 1)
    mean = np.mean(0.16 * 0.5 ** (np.arange(1, 169) / 84))
    found, expected = in_actions(*args, actions.last_day + 1, later)
    assert_poisson(found, (1 - mean) * expected)


def test_what_moves_goes_to_the_ring(world: World, all_incidents: Incidents) -> None:
    actions = world.actions
    moved = all_incidents.action >= 0
    assert set(actions.displacement.tolist()) == {0.0, 0.25, 0.5}
    assert (actions.displacement[all_incidents.action[moved]] > 0).all()
    assert (actions.ring_of[all_incidents.cell[moved]] == all_incidents.action[moved]).all()
    expected = 0.0
    for a in range(len(actions)):
        limits = actions.first_day.copy(), actions.last_day.copy()
        only = tuple(z if i == a else z[:0] for i, z in enumerate(actions.zones))
        _, base = in_actions(world, all_incidents, only, *limits)
        expected += base * 0.16 * actions.displacement[a]
    day = days_of(world, all_incidents)[moved]
    a = all_incidents.action[moved]
    usual = (day <= actions.last_day[a]) & (all_incidents.event[moved] == -1)
    assert_poisson(usual.sum(), expected)


def test_the_ring_gets_a_tenth_of_the_effect(world: World) -> None:
    actions = world.actions
    for a in range(len(actions)):
        kind = int(np.flatnonzero(actions.aims[a])[0])
        cells = np.array([actions.zones[a][0], actions.rings[a][0]])
        days = np.repeat(actions.first_day[a], 2)
        action, share = actions.prevented(kind, cells, days)
        assert action.tolist() == [a, a]
        assert share == pytest.approx([0.16, 0.016])
        assert actions.prevented(kind, cells, days - 1)[1].tolist() == [0.0, 0.0]


# --- the same world --------------------------------------------------------------------------


def same(one: Incidents, other: Incidents) -> bool:
    return all(getattr(one, c).tobytes() == getattr(other, c).tobytes() for c in COLUMNS)


def test_same_pack_same_world_in_any_order(world: World, all_incidents: Incidents) -> None:
    again = scaled(build_world(PACK), SCALE)
    chunk = again.incidents(2023, 0)
    sizes = [size for *_, size in all_incidents.chunks]
    part = slice(sum(sizes[:2]), sum(sizes[:3]))
    alone = replace(all_incidents, **{c: getattr(all_incidents, c)[part] for c in COLUMNS})
    assert same(chunk, alone)
    assert again.recorded(chunk).tobytes() == world.recorded(chunk).tobytes()
    assert again.weather.t_c.tobytes() == world.weather.t_c.tobytes()
    assert again.presence.hours.tobytes() == world.presence.hours.tobytes()
    for field in fields(again.events):
        one, other = getattr(again.events, field.name), getattr(world.events, field.name)
        assert np.array_equal(one, other), field.name
    assert not same(scaled(world, SCALE, seed=2).incidents(2023), chunk)


def test_volume_follows_the_scale_in_layers_that_fit_in_memory(world: World) -> None:
    expected = sum(kind.yearly for kind in world.kinds)
    for scale, layers in ((0.01, 1), (0.1, 1), (100.0, 100)):
        large = scaled(world, scale)
        assert large.layers == layers
        found = large.incidents(2022, layers - 1)
        assert len(found) == pytest.approx(expected * scale / layers, rel=0.03)
    double = scaled(world, 1.1)
    two = double.incidents(2022)
    assert len(two.chunks) == 2
    assert len(two) == pytest.approx(1.1 * expected, rel=0.03)
    assert len(np.unique(two.id)) == len(two) == len(double.recorded(two))


def test_initiators_are_those_of_the_sources() -> None:
    assert INITIATORS == ("citizen", "agent", "other")
    assert (CITIZEN, AGENT, OTHER) == (0, 1, 2)


@pytest.mark.parametrize(
    ("block", "value", "said"),
    [
        ("reported", {"tapage_nocturne": 0.2}, "world.reported"),
        ("near_repeat", {"vol": {"branching": 0.2, "mean_days": 8, "spread_m": 90}}, "vol"),
    ],
)
def test_a_wrong_block_is_refused_in_words(
    block: str, value: dict[str, Any], said: str, tmp_path: Path
) -> None:
    pack = tmp_path / "marseille"
    shutil.copytree(PACK, pack)
    settings = yaml.safe_load((PACK / "simulation.yaml").read_text(encoding="utf-8"))
    settings["world"][block] = value
    text = yaml.safe_dump(settings, allow_unicode=True)
    (pack / "simulation.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PhareError, match=said):
        build_world(pack)


def test_more_agents_than_patrols_can_see_is_refused(world: World) -> None:
    kinds = dict(world.settings.kinds)
    about = kinds["rixe"].model_copy(update={"agent": 0.79, "other": 0.2})
    changed = tuple(replace(k, about=about) if k.code == "rixe" else k for k in world.kinds)
    with pytest.raises(PhareError, match="rixe"):
        replace(world, kinds=changed).recorded(world.incidents(2021))
