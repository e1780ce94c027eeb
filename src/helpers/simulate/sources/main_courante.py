"""The municipal police log: one file a year of entry, then one of corrections.

Refused columns are there, filled with what says that it is fictive: the door must meet them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from helpers.simulate import columns
from helpers.simulate.defects import (
    MINUTE,
    Labels,
    draw_labels,
    entry_delay,
    minutes,
    written_in_missing_hour,
    wrong_kinds,
)
from helpers.simulate.sources import walls
from helpers.simulate.sources.arrays import take
from helpers.simulate.sources.lines import (
    CORRECTED,
    Lines,
    Told,
    made,
    origins,
    plain,
    renamed,
    truth_of,
)
from helpers.simulate.sources.scene import Facts, Part, Scene
from helpers.simulate.streams import Bools, Ints, Moments, stream

NAME = "main_courante"
AGENTS = 600  # fictive numbers of agents go up to here


@dataclass(frozen=True)
class Entries:
    """Entries of the log: the facts, their labels, what is known of the moment, and when entered.

    The fact lies between `start` and `end`; where its moment is known, both are it.
    """

    facts: Facts
    labels: Labels
    start: Moments
    end: Moments
    known: Bools
    recorded: Moments


@dataclass(frozen=True)
class Corrections:
    """Later versions of entries: when each was made, its line, the truth about it."""

    when: Moments
    table: pa.Table
    truth: pa.Table


def entries(facts: Facts, scene: Scene, use: str) -> Entries:
    """Return the entries that agents make of the facts, whenever they make them."""
    rules, seed = scene.rules.main_courante, scene.seed
    labels = draw_labels(len(facts.kind), rules.defects, seed, use)
    start, end, known = _interval(facts.moment, scene, use)
    missing = walls.missing_hours(scene.timezone)
    slow = known & written_in_missing_hour(facts.moment, missing, rules.defects.dst_hour, seed, use)
    rng = stream(seed, f"{use}/entry")
    delay = 1 + rng.exponential(rules.entry_delay_mean_min, len(start))
    recorded = end + minutes(delay) + entry_delay(labels, rules.defects, seed, use)
    labels.dst[slow] = 1
    labels.dst[walls.doubled(start, scene.timezone)] = 2
    hour = np.where(slow, np.timedelta64(60, "m"), np.timedelta64(0, "m"))
    return Entries(
        facts, labels, start - hour, end - hour, known, walls.existing(recorded, scene.timezone)
    )


def _interval(moment: Moments, scene: Scene, use: str) -> tuple[Moments, Moments, Bools]:
    """Return start and end of what is known of each moment, and where the moment is known.

    The true moment lies evenly in its interval, whose length is log-normal.
    """
    rules = scene.rules.main_courante
    rng = stream(scene.seed, f"{use}/interval")
    known = rng.random(len(moment)) >= rules.interval_share
    spread = rules.interval_log_sd * rng.standard_normal(len(moment))
    length = rules.interval_median_min * np.exp(spread)
    before = np.where(known, 0.0, length * rng.random(len(moment)))
    first = scene.days[0].astype("datetime64[m]")
    start = np.maximum(moment - minutes(before), first)
    end = np.where(known, moment, np.maximum(start + minutes(length), moment + MINUTE))
    # Moved out of the missing hour, a start could pass the moment itself.
    start = np.minimum(walls.existing(start, scene.timezone), moment)
    return start, walls.existing(end, scene.timezone), known


def written(entered: Entries, scene: Scene, part: Part) -> tuple[Lines, Corrections, pa.Array]:
    """Return the lines entered in `year` (entries in the order of entry), what corrects them later,
    and the number of each entry."""
    rules, seed, use = scene.rules.main_courante, scene.seed, f"{NAME}/{part.name}"
    facts, labels, size = entered.facts, entered.labels, len(entered.recorded)
    kind = wrong_kinds(facts.kind, len(scene.kinds), labels, seed, use)
    place = scene.place(facts, labels, rules.place_sd_m, use)
    drawn = {c: columns.drawn(w, size, seed, f"{use}/{c}") for c, w in rules.attributes.items()}
    duration = 1 + stream(seed, f"{use}/duration").gamma(1.6, 18, size)
    ids = part.numbers(f"{rules.id_prefix}-", size, 7)
    recorded = columns.iso(entered.recorded)
    table = pa.table(
        {
            "id_mc": ids,
            "origine": origins(rules.origins, facts.initiator, seed, use),
            "type_n1": _families(kind, scene),
            "type_n2": _types(kind, labels, scene, entered.recorded, use),
            "debut": columns.iso(entered.start),
            "fin": columns.iso(entered.end, absent=entered.known),
            "saisi_le": recorded,
            "maj_le": recorded,
            "longitude": columns.degrees(place.longitude),
            "latitude": columns.degrees(place.latitude),
            "quartier": columns.codes(scene.territory.quarters.code, place.quarter),
            "lieu_dit": scene.landmarks(facts.cell, use),
            **drawn,
            "duree_min": np.minimum(duration, 1440).astype(np.int64),
            **_refused(np.arange(1, size + 1) + part.year * 1_000_000),
        }
    )
    later = _corrections(table, ids, entered, scene, use)
    told = Told(ids, facts, labels, scene.kinds)
    return made(table, told, scene, rules.personal_columns, use), later, ids


def _corrections(
    table: pa.Table, ids: pa.Array, entered: Entries, scene: Scene, use: str
) -> Corrections:
    """Return the later versions of some entries: closed, and of the right category."""
    rows = np.flatnonzero(entered.labels.copies == CORRECTED)
    law = scene.rules.main_courante.correction_days
    days = law.draw(stream(scene.seed, f"{use}/correction"), len(rows))
    when = walls.existing(entered.recorded[rows] + minutes(1 + days * 24 * 60), scene.timezone)
    due = when < scene.end
    rows, when = rows[due], when[due]
    facts = take(entered.facts, rows)
    right = {
        "type_n1": _families(facts.kind, scene),
        "type_n2": renamed(columns.codes(scene.kinds, facts.kind), scene, NAME, "type_n2", when),
        "maj_le": columns.iso(when),
        "etat": columns.constant("vert_cloture", len(rows)),
    }
    lines = table.take(pa.array(rows))
    lines = pa.table({n: right.get(n, lines[n]) for n in lines.column_names})
    told = Told(ids.take(pa.array(rows)), facts, take(entered.labels, rows), scene.kinds)
    return Corrections(when, plain(lines), truth_of(told, np.full(len(rows), CORRECTED), scene))


def _families(kind: Ints, scene: Scene) -> pa.Array:
    return columns.codes([scene.families[name] for name in scene.kinds], kind)


def _refused(number: Ints) -> dict[str, pa.Array]:
    return {
        "matricule_agent": columns.numbered("AG-", number * 7919 % AGENTS, 5),
        "identite_requerant": columns.numbered("Personne fictive ", number),
        "identite_mis_en_cause": columns.numbered("Personne fictive M", number),
        "telephone_requerant": columns.numbered("00", number % 10**8, 8),
        "immatriculation": columns.numbered("FICTIVE-", number % 1000, 3),
        "numero_voie": pa.array(number * 31 % 200 + 1),
        "texte_libre": columns.numbered("Texte fictif ", number),
        "piece_jointe": columns.numbered("piece-fictive-", number, suffix=".pdf"),
    }


def _types(kind: Ints, labels: Labels, scene: Scene, recorded: Moments, use: str) -> pa.Array:
    """Return the type's code: renamed from a day on, or one that no list knows."""
    rules = scene.rules.main_courante
    rng = stream(scene.seed, f"{use}/unknown_code")
    unknown = rng.integers(0, len(rules.unknown_codes), len(kind)) + len(scene.kinds)
    every = [*scene.kinds, *rules.unknown_codes]
    said = columns.codes(every, np.where(labels.unknown_code, unknown, kind))
    return renamed(said, scene, NAME, "type_n2", recorded)
