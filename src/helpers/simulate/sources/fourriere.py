"""Removals of vehicles: some fines for parking end so."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from helpers.simulate import columns
from helpers.simulate.defects import draw_labels, minutes
from helpers.simulate.sources import walls
from helpers.simulate.sources.arrays import take
from helpers.simulate.sources.lines import Lines, Told, made
from helpers.simulate.sources.pve import ordered
from helpers.simulate.sources.scattered import expected_lines
from helpers.simulate.sources.scene import Facts, Part, Scene
from helpers.simulate.streams import draw, stream

NAME = "fourriere"


def removed(fines: Facts, scene: Scene, part: Part) -> Facts:
    """Return the removals of a year: within the hours after a fine for parking."""
    rules, use = scene.rules.fourriere, f"{NAME}/{part.name}"
    parking = list(scene.rules.pve.families).index("stationnement")
    pool = take(fines, np.flatnonzero(fines.kind == parking))
    rng = stream(scene.seed, f"{use}/size")
    yearly = rules.records_per_year * (1 - rules.defects.duplicate)
    size = min(int(rng.poisson(expected_lines(yearly, pool, scene))), len(pool.kind))
    own = take(pool, np.sort(rng.choice(len(pool.kind), size, replace=False)))
    later = minutes(15 + rng.gamma(2.0, 20.0, size))
    kind = draw(np.array([*rules.reasons.values()]), size, rng)
    return Facts(
        own.incident, kind, own.initiator, own.cell, own.east, own.north,
        walls.existing(own.moment + later, scene.timezone),
    )  # fmt: skip


def lines(facts: Facts, scene: Scene, part: Part) -> Lines:
    """Return the removals of a year, in their order, as of the period's end."""
    rules, seed, use = scene.rules.fourriere, scene.seed, f"{NAME}/{part.name}"
    facts = ordered(facts, scene, NAME)
    size, reasons = len(facts.kind), list(rules.reasons)
    labels = draw_labels(size, rules.defects, seed, use)
    labels.dst[walls.doubled(facts.moment, scene.timezone)] = 2
    place = scene.place(facts, labels, rules.place_sd_m, use)
    rng = stream(seed, f"{use}/collected")
    days = rules.collected_days.draw(rng, size)
    back = walls.existing(facts.moment + minutes(60 + days * 24 * 60), scene.timezone)
    kept = (rng.random(size) < rules.kept_share) | (back >= scene.end)
    number = np.arange(1, size + 1)
    ids = part.numbers(rules.id_prefix, size, 6)
    table = pa.table(
        {
            "N° de fiche": ids,
            "Enlevé le": columns.french(facts.moment),
            "Motif": columns.codes(reasons, facts.kind),
            "Lieu": scene.landmarks(facts.cell, use),
            "Longitude": columns.with_comma(columns.degrees(place.longitude)),
            "Latitude": columns.with_comma(columns.degrees(place.latitude)),
            "Restitué le": columns.french(back, kept),
            "Immatriculation": columns.numbered("FICTIVE-", number % 1000, 3),
            "Propriétaire": columns.numbered("Personne fictive ", number),
        }
    )
    told = Told(ids, facts, labels, reasons)
    return made(table, told, scene, rules.personal_columns, use)
