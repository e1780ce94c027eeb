"""From the world to every delivered file: who knows what of it, and in which table they write it.

The sources of facts come chunk by chunk (a year, or a layer of one at large scales), so that
memory holds one chunk; the others are small, and come first.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from helpers.register import snapshot
from helpers.simulate.happenings import Happenings
from helpers.simulate.incidents import Incidents
from helpers.simulate.sources import (
    comptage,
    evenement,
    files,
    meteo,
    registre,
    service,
    statistics,
    surroundings,
)
from helpers.simulate.sources.action import action
from helpers.simulate.sources.enquete_tranquillite import enquete_tranquillite
from helpers.simulate.sources.evenement import Events
from helpers.simulate.sources.scene import Facts, Part, Scene
from helpers.simulate.sources.telling import Happened, Piece, Telling
from helpers.simulate.sources.vsi_alerte_agregee import zones_filmed
from helpers.simulate.streams import Floats, Ints
from helpers.simulate.world import World

QUARTERS = "quartiers"
SPORT = "sportif"


def tell(world: World) -> Iterator[Piece]:
    """Yield every file of the city, with the truth about its lines; the log's corrections last."""
    scene = build_scene(world)
    yield from _context(world, scene)
    telling = Telling(scene, zones_filmed(_busy(world), scene))
    for year, layer in world.chunks:
        incidents = world.incidents(year, layer)
        initiator = world.recorded(incidents)
        happened = Happened(_facts(incidents, initiator), initiator >= 0)
        yield from telling.tell(happened, Part(year, layer, world.layers))
    yield telling.corrections()


def build_scene(world: World) -> Scene:
    """Return what vendors' files rest on."""
    settings = world.settings
    return Scene(
        world.territory,
        world.clock.days,
        world.clock.timezone,
        settings.seed,
        world.layer_scale,
        {code: kind.family for code, kind in settings.kinds.items()},
        settings.sources,
    )


def _facts(incidents: Incidents, initiator: Ints) -> Facts:
    return Facts(
        incidents.id,
        incidents.kind,
        initiator,
        incidents.cell,
        incidents.east,
        incidents.north,
        incidents.moment,
    )


def _busy(world: World) -> Floats:
    """Return the expected incidents of each quarter, up to a factor: cameras go there."""
    quarter = world.territory.quarter[world.ground.cells]
    place = np.sum([kind.place for kind in world.kinds], axis=0)
    count = len(world.territory.quarters.code)
    return np.asarray(np.bincount(quarter, place, count), dtype=np.float64)


def _context(world: World, scene: Scene) -> Iterator[Piece]:
    """Yield the files that no chunk of facts is needed for."""
    rules, seed, days = scene.rules, scene.seed, scene.days
    quarters = world.territory.quarters
    outlines = world.city.pack / world.settings.shapes.outlines
    yield Piece(QUARTERS, "", None, draw=partial(shutil.copyfile, outlines))
    yield from _events(world, scene)
    delivered = action(world.actions, scene), action(world.idle, scene, len(world.actions))
    yield Piece("action", "", pa.concat_tables(delivered))
    if registre.SOURCE in world.city.about.sources:
        held, cases = _register(world)
        yield Piece(registre.SOURCE, "", None, cases, draw=partial(snapshot.write, held.entries))
    yield Piece("moyen", "", service.moyen(scene.districts, rules.service, seed))
    hours = _by_district(world.presence.hours, scene)
    vacation = service.vacation(scene.districts, hours, days, rules.service, seed)
    yield Piece("vacation", "", vacation)
    cameras = service.camera(quarters, _busy(world), days, rules.service, seed)
    yield Piece("camera", "", cameras)
    weather = meteo.meteo(days, world.weather, rules.meteo, scene.timezone, seed)
    yield Piece("meteo", "", weather)
    calendar = surroundings.calendrier(days, _matches(world), scene.timezone)
    yield Piece("calendrier", "", calendar)
    yield Piece("contexte_zone", "", surroundings.contexte_zone(quarters, world.held))
    crime = statistics.ssmsi_commune(scene.districts, rules.ssmsi_commune, seed)
    yield Piece("ssmsi_commune", "", crime)
    partners, below = statistics.partenaire_agrege(
        scene.districts, days, rules.partenaire_agrege, seed
    )
    line = np.arange(1, partners.num_rows + 1)
    truth = pa.table({"line": line, "below_k": np.isin(line - 1, below)})
    yield Piece("partenaire_agrege", "", partners, truth)
    survey = enquete_tranquillite(world.survey, rules.enquete_tranquillite, quarters.code)
    yield Piece("enquete_tranquillite", "", survey)
    yield from _counters(world, scene)


def _register(world: World) -> tuple[registre.Held, pa.Table]:
    """Return the register of the city, and what case each of its actions is."""
    city, quarters = world.city, world.territory.quarters.code
    theme_of = {kind: name for name, theme in city.themes.items() for kind in theme.categories}
    period, themes = city.about.period, [theme_of.get(kind.code, "") for kind in world.kinds]
    parts = world.actions, world.idle
    decided = registre.plans(parts, (period.start, period.end), quarters, themes)
    held = registre.fill(city.about.name, list(city.themes), decided, period.end)
    cases = pa.table({"action": [f"ACT-{one.number:03d}" for one in decided],
                      "case": [one.case for one in decided]})  # fmt: skip
    return held, cases


def _events(world: World, scene: Scene) -> Iterator[Piece]:
    filed = evenement.filed(_told(world.events, world), _told(world.planned, world), scene)
    yield Piece(evenement.NAME, "", filed.table, filed.truth)
    draw = partial(files.write_features, filed.properties, filed.shapes)
    yield Piece(evenement.ORDERS, "", None, draw=draw)


def _counters(world: World, scene: Scene) -> Iterator[Piece]:
    """Yield the sites, the channels, and the measures of each year."""
    rules, events = scene.rules.comptage, world.events
    names = np.array(events.names)[events.occasion] if len(events) else np.zeros(0, dtype=str)
    held = comptage.Held(names, events.start, events.end, events.longitude, events.latitude)
    yield Piece(comptage.SITES, "", comptage.sites(rules))
    yield Piece(comptage.CHANNELS, "", comptage.channels(rules, scene.timezone))
    for year, table in comptage.measures(
        rules, held, scene.days, scene.timezone, scene.seed, scene.rules.shocks
    ):
        yield Piece(comptage.MEASURES, str(year), table)


def _told(events: Happenings, world: World) -> Events:
    """Return events as an organiser tells them."""
    quarters = world.territory.quarters
    titles = zip(events.title, world.territory.quarter[events.cell].tolist(), strict=True)
    return Events(
        events.category,
        [f"{title}, {quarters.name[quarter]}" for title, quarter in titles],
        events.cell, events.start, events.end, events.attendance_expected, events.attendance,
        events.capacity,
    )  # fmt: skip


def _matches(world: World) -> set[dt.date]:
    sport = np.array([category == SPORT for category in world.events.category])
    days: list[dt.date] = world.events.start[sport].astype("datetime64[D]").tolist()
    return set(days)


def _by_district(hours: Floats, scene: Scene) -> Floats:
    """Return the hours of quarters summed by district, rounded as they were; last axis."""
    total = np.zeros((*hours.shape[:2], len(scene.districts)))
    for quarter, district in enumerate(scene.district_of.tolist()):
        total[:, :, district] += hours[:, :, quarter]
    return np.asarray(np.round(total, 1), dtype=np.float64)
