"""Dispatches: the same facts as log entries, minutes and tens of metres away."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from helpers.simulate import columns
from helpers.simulate.defects import draw_labels, minutes, wrong_kinds
from helpers.simulate.sources import walls
from helpers.simulate.sources.arrays import take
from helpers.simulate.sources.lines import INITIATORS, Lines, Told, lost, made, origins
from helpers.simulate.sources.scene import Facts, Part, Scene
from helpers.simulate.streams import Bools, Moments, draw, stream

NAME = "intervention"
PRIORITIES = ("P1", "P2", "P3", "P4")


def lines(facts: Facts, log_ids: pa.Array, scene: Scene, part: Part) -> Lines:
    """Return the dispatches of a year's log entries, in the order of the calls.

    `log_ids` gives the entry's number where it has been entered by the end of the year.
    """
    rules, seed, use = scene.rules.intervention, scene.seed, f"{NAME}/{part.name}"
    sent, ids_mc = _sent(facts, log_ids, scene, use)
    rng = stream(seed, f"{use}/call")
    call = walls.existing(
        sent.moment + minutes(rules.call_delay_min.draw(rng, len(sent.moment))), scene.timezone
    )
    order = np.argsort(call, kind="stable")
    order = order[call[order] < scene.end]
    sent, ids_mc, call = take(sent, order), ids_mc.take(pa.array(order)), call[order]
    size = len(order)
    labels = draw_labels(size, rules.defects, seed, use)
    labels.dst[walls.doubled(call, scene.timezone)] = 2
    kind = wrong_kinds(sent.kind, len(scene.kinds), labels, seed, use)
    place = scene.place(sent, labels, rules.place_sd_m, use)
    codes = [rules.natures[name] for name in scene.kinds]
    ids = part.numbers(f"{rules.id_prefix}-", size, 7)
    number = np.arange(1, size + 1)
    drawn = {c: columns.drawn(w, size, seed, f"{use}/{c}") for c, w in rules.attributes.items()}
    urgency = [PRIORITIES.index(rules.priorities.get(name, "P3")) for name in scene.kinds]
    table = pa.table(
        {
            "id": ids,
            "id_mc": ids_mc,
            "code_nature": columns.codes(codes, kind),
            "priorite": columns.codes(PRIORITIES, np.array(urgency)[kind]),
            **_steps(call, scene, use),
            "nb_equipages": draw(np.array([0.86, 0.11, 0.03]), size, stream(seed, f"{use}/n")) + 1,
            **drawn,
            "origine": origins(scene.rules.main_courante.origins, sent.initiator, seed, use),
            "lieu.libelle": scene.landmarks(sent.cell, use),
            "lieu.lon": columns.degrees(place.longitude),
            "lieu.lat": columns.degrees(place.latitude),
            "appelant": columns.numbered("fictif-", number, 7, "@exemple.invalid"),
            "enregistrement": columns.numbered("appel-fictif-", number, suffix=".wav"),
            "equipage_matricules": columns.numbered("AG-", number * 7919 % 600, 5),
        }
    )
    told = Told(ids, sent, labels, scene.kinds)
    return made(table, told, scene, rules.personal_columns, use)


def _sent(facts: Facts, log_ids: pa.Array, scene: Scene, use: str) -> tuple[Facts, pa.Array]:
    """Return the facts for which a crew is sent, and the log's number where the sheet has it."""
    rules = scene.rules.intervention
    rng = stream(scene.seed, f"{use}/sent")
    share = np.array([rules.share[name] for name in INITIATORS])[facts.initiator]
    chosen = np.flatnonzero(rng.random(len(share)) < share)
    given = stream(scene.seed, f"{use}/given").random(len(chosen)) < rules.id_given_share
    known = np.where(given, chosen, -1)
    ids = log_ids.take(pa.array(known, mask=known < 0))
    kept = np.flatnonzero(~lost(take(facts, chosen), scene, NAME))
    return take(facts, chosen[kept]), ids.take(pa.array(kept))


def _steps(call: Moments, scene: Scene, use: str) -> dict[str, pa.Array]:
    """Return the times of a dispatch; nobody is sent to some calls."""
    rules = scene.rules.intervention
    rng = stream(scene.seed, f"{use}/steps")
    laws = (rules.engage_min, rules.travel_min, rules.on_site_min)
    steps = [call]
    for law in laws:
        steps.append(walls.existing(steps[-1] + minutes(law.draw(rng, len(call))), scene.timezone))
    nobody: Bools = rng.random(len(call)) < rules.nobody_sent_share
    names = ("appel_le", "engage_le", "arrivee_le", "fin_le")
    return {
        name: walls.zoned(when, scene.timezone, nobody if index else None)
        for index, (name, when) in enumerate(zip(names, steps, strict=True))
    }
