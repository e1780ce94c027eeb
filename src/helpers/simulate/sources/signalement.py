"""Citizens' reports (Open311 GeoReport v2): some tell incidents that others saw too."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from helpers.simulate import columns
from helpers.simulate.defects import Labels, draw_labels, minutes, wrong_kinds
from helpers.simulate.sources import walls
from helpers.simulate.sources.arrays import take
from helpers.simulate.sources.lines import Lines, Told, lost, made, renamed
from helpers.simulate.sources.scene import Facts, Part, Scene
from helpers.simulate.streams import Bools, Ints, Moments, stream

NAME = "signalement"
STATES = ("ouvert", "en_cours", "clos", "rejete")
CITIZEN = 0


def reported(incidents: Facts, scene: Scene, use: str) -> Facts:
    """Return the reports that citizens make of incidents: a Poisson number each, later."""
    rules, seed = scene.rules.signalement, scene.seed
    objects = list(rules.objects)
    chance = np.array([rules.seen[k][0] if k in rules.seen else 0.0 for k in scene.kinds])
    rng = stream(seed, f"{use}/seen")
    times = rng.poisson(chance[incidents.kind])
    of = take(incidents, np.repeat(np.arange(len(times)), times))
    kind = np.zeros(len(of.kind), dtype=np.int64)
    for index, name in enumerate(scene.kinds):
        own = np.flatnonzero(of.kind == index)
        if len(own):
            among = np.array([objects.index(one) for one in rules.seen[name][1]])
            kind[own] = among[rng.integers(0, len(among), len(own))]
    when = of.moment + minutes(rules.delay_min.draw(rng, len(kind)))
    return Facts(
        of.incident,
        kind,
        np.full(len(kind), CITIZEN),
        of.cell,
        of.east,
        of.north,
        walls.existing(when, scene.timezone),
    )


def withheld(facts: Facts, scene: Scene, use: str) -> Bools:
    """Return which reports inhabitants of a quarter keep to themselves after a grave fact."""
    found = np.zeros(len(facts.kind), dtype=bool)
    where = scene.territory
    rng = stream(scene.seed, f"{use}/shocks")
    for one in scene.rules.shocks:
        here = where.quarter[facts.cell] == where.quarters.code.index(one.quarter)
        own = np.flatnonzero(here & one.over(facts.moment))
        found[own] = rng.random(len(own)) >= one.reports
    return found


def lines(facts: Facts, scene: Scene, part: Part) -> Lines:
    """Return the reports asked in a year, in the order of asking; as of the period's end."""
    rules, seed, use = scene.rules.signalement, scene.seed, f"{NAME}/{part.name}"
    facts = take(facts, np.argsort(facts.moment, kind="stable"))
    facts = take(facts, ~lost(facts, scene, NAME))
    size, objects = len(facts.kind), list(rules.objects)
    labels = draw_labels(size, rules.defects, seed, use)
    labels.dst[walls.doubled(facts.moment, scene.timezone)] = 2
    kind = wrong_kinds(facts.kind, len(objects), labels, seed, use)
    place = scene.place(facts, labels, rules.place_sd_m, use)
    number = np.arange(1, size + 1)
    ids = part.numbers(f"{rules.id_prefix}-", size, 7)
    about = list(rules.objects.values())
    progress = _progress(facts.moment, scene, use)
    table = pa.table(
        {
            "service_request_id": ids,
            "status": progress.pop("status"),
            "status_notes": columns.numbered("Texte fictif ", number),
            "service_name": _objects(kind, labels, scene, facts.moment, use),
            "service_code": columns.numbered("SV-", kind + 1, 3),
            "description": columns.numbered("Texte fictif ", number),
            "agency_responsible": columns.codes([one.service for one in about], kind),
            "requested_datetime": walls.zoned(facts.moment, scene.timezone),
            "updated_datetime": progress.pop("updated_datetime"),
            "expected_datetime": progress.pop("expected_datetime"),
            "address": columns.numbered("", number * 31 % 200 + 1, suffix=" rue Fictive"),
            "lat": columns.degrees(place.latitude),
            "long": columns.degrees(place.longitude),
            "media_url": columns.numbered("https://exemple.invalid/photo/", number),
            "extended_attributes.canal": columns.drawn(rules.channels, size, seed, f"{use}/canal"),
            "extended_attributes.famille": columns.codes([one.family for one in about], kind),
            **{f"extended_attributes.{name}": column for name, column in progress.items()},
            "extended_attributes.doublon_de": ids.take(_same_incident(facts, scene, use)),
            "extended_attributes.lieu_dit": scene.landmarks(facts.cell, use),
            "extended_attributes.contact": columns.numbered(
                "fictif-", number, 6, "@exemple.invalid"
            ),
        }
    )
    return made(table, Told(ids, facts, labels, objects), scene, rules.personal_columns, use)


def _objects(kind: Ints, labels: Labels, scene: Scene, asked: Moments, use: str) -> pa.Array:
    """Return the object's code: renamed from a day on, or one that no list knows."""
    rules = scene.rules.signalement
    objects, strange = list(rules.objects), rules.unknown_codes
    unknown = stream(scene.seed, f"{use}/unknown").integers(0, len(strange), len(kind))
    position = np.where(labels.unknown_code, unknown + len(objects), kind)
    said = columns.codes([*objects, *strange], position)
    return renamed(said, scene, NAME, "sous_type", asked)


def _progress(asked: Moments, scene: Scene, use: str) -> dict[str, pa.Array]:
    """Return the state of each report as of the period's end, and its times."""
    rules, zone = scene.rules.signalement, scene.timezone
    rng = stream(scene.seed, f"{use}/progress")
    days = rules.resolution_days.draw(rng, len(asked))
    closed_at = walls.existing(asked + minutes(30 + days * 24 * 60), zone)
    taken_at = walls.existing(asked + minutes(15 + rng.exponential(24 * 60, len(asked))), zone)
    closed: Bools = closed_at < scene.end
    taken: Bools = taken_at < scene.end
    refused = closed & (rng.random(len(asked)) < rules.rejected_share)
    state = np.where(refused, 3, np.where(closed, 2, np.where(taken, 1, 0)))
    changed = np.where(closed, closed_at, np.where(taken, taken_at, asked))
    expected = walls.existing(asked + np.timedelta64(rules.target_days, "D"), zone)
    return {
        "status": columns.codes(("open", "closed"), closed.astype(np.int64)),
        "updated_datetime": walls.zoned(changed, zone),
        "expected_datetime": walls.zoned(expected, zone),
        "statut": columns.codes(STATES, state),
        "clos_le": walls.zoned(closed_at, zone, ~closed),
    }


def _same_incident(facts: Facts, scene: Scene, use: str) -> pa.Array:
    """Return the position of the first report of the same incident, for the share that the service
    recognises; null elsewhere."""
    order = np.argsort(facts.incident, kind="stable")  # reports are in order of time already
    same = facts.incident[order]
    first = np.concatenate(([True], same[1:] != same[:-1])) if len(order) else order.astype(bool)
    leader: Ints = order[np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))]
    earlier = np.full(len(order), -1, dtype=np.int64)
    later = ~first & (same >= 0)
    earlier[order[later]] = leader[later]
    share = scene.rules.signalement.recognised_share
    told = stream(scene.seed, f"{use}/recognised").random(len(order)) < share
    return pa.array(earlier, mask=(earlier < 0) | ~told)


def quarter_of_year(moments: Moments) -> Ints:
    """Return 1 to 4."""
    return moments.astype("datetime64[M]").astype(np.int64) % 12 // 3 + 1
