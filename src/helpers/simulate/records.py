"""From facts to the lines of each source, refused columns included: the door must meet them.

Whatever looks personal is generated from a number and says that it is fictive.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.simulate import columns
from helpers.simulate.defects import (
    Labels,
    Place,
    draw_labels,
    entry_delay_days,
    written_place,
)
from helpers.simulate.facts import Facts
from helpers.simulate.intensity import Ground
from helpers.simulate.rhythm import Clock
from helpers.simulate.settings import MainCourante, Signalement, Source
from helpers.simulate.streams import Bools, Floats, Ints, Moments, draw, stream

MINUTE, DAY = np.timedelta64(1, "m"), np.timedelta64(24 * 60, "m")
STATES = ("ouvert", "en_cours", "clos", "rejete")
AGENTS = 600  # fictive numbers of agents go up to here


@dataclass(frozen=True)
class Records:
    """What a source would deliver (`lines`, one row a record, repeats not yet added), and the
    truth about each record."""

    lines: pa.Table
    labels: Labels
    facts: Facts


def main_courante(
    facts: Facts, rules: MainCourante, ground: Ground, clock: Clock, seed: int
) -> Records:
    """Return the municipal police log as of the period's end, in the order of entry."""
    name = "main_courante"
    labels = draw_labels(len(facts.kind), rules.defects, seed, name)
    start, end, known = _interval(facts.moment, rules, clock, seed)
    rng = stream(seed, f"{name}/entry")
    delay = 1 + rng.exponential(rules.entry_delay_mean_min, len(start))
    late = entry_delay_days(labels, rules.defects, seed, name) * 24 * 60
    recorded = clock.existing(end + _minutes(delay + late))
    order = _delivered(recorded, clock)
    facts, labels = take(facts, order), labels.take(order)
    start, end, known, recorded = start[order], end[order], known[order], recorded[order]
    place = written_place(facts, labels, ground)
    number = np.arange(1, len(order) + 1)
    drawn = {
        column: columns.drawn_codes(weights, len(order), seed, f"{name}/{column}")
        for column, weights in rules.attributes.items()
    }
    lines = {
        "id_mc": columns.identifiers(rules.id_prefix, recorded),
        "origine": _origins(facts, rules, seed, name),
        "type_n1": columns.codes([t.family for t in rules.types.values()], facts.kind),
        "type_n2": _types(facts, labels, rules, seed, name),
        "debut": columns.moments(start),
        "fin": columns.moments(end, absent=known),
        "saisi_le": columns.moments(recorded),
        **_place_columns(place),
        "quartier": columns.codes(ground.territory.quarters.code, place.quarter),
        **drawn,
        "duree_min": pa.array(1 + stream(seed, f"{name}/duration").gamma(1.6, 18, len(order))).cast(
            pa.int64(), safe=False
        ),
        "matricule_agent": columns.numbered("AG-", number * 7919 % AGENTS, 5),
        "identite_requerant": columns.numbered("Personne fictive ", number),
        "identite_mis_en_cause": columns.numbered("Personne fictive M", number),
        "telephone_requerant": columns.numbered("00", number % 10**8, 8),
        "immatriculation": columns.numbered("FICTIVE-", number % 1000, 3),
        "numero_voie": pa.array(number * 31 % 200 + 1),
        "texte_libre": columns.numbered("Texte fictif ", number),
        "piece_jointe": columns.numbered("piece-fictive-", number, suffix=".pdf"),
    }
    return Records(pa.table(lines), labels, facts)


def signalement(
    facts: Facts, rules: Signalement, ground: Ground, clock: Clock, seed: int
) -> Records:
    """Return the citizens' reports as of the period's end, in the order received."""
    name = "signalement"
    labels = draw_labels(len(facts.kind), rules.defects, seed, name)
    order = _delivered(facts.moment, clock)
    facts, labels = take(facts, order), labels.take(order)
    place = written_place(facts, labels, ground)
    identifier = columns.identifiers(rules.id_prefix, facts.moment)
    number = np.arange(1, len(order) + 1)
    lines = {
        "id": identifier,
        "canal": _origins(facts, rules, seed, name),
        "service_code": columns.numbered("SV-", facts.kind + 1, 3),
        "type": columns.codes([t.family for t in rules.types.values()], facts.kind),
        "sous_type": _types(facts, labels, rules, seed, name),
        **_progress(facts.moment, rules, clock, seed),
        "service_responsable": columns.codes([t.service for t in rules.types.values()], facts.kind),
        "doublon_de": pc.take(identifier, _same_fact(facts, rules, seed)),
        **_place_columns(place),
        "description": columns.numbered("Texte fictif ", number),
        "media_url": columns.numbered("https://exemple.invalid/photo/", number, suffix=".jpg"),
        "contact": columns.numbered("fictif-", number, 6, "@exemple.invalid"),
        "numero_voie": pa.array(number * 31 % 200 + 1),
    }
    return Records(pa.table(lines), labels, facts)


def take(facts: Facts, order: Ints) -> Facts:
    """Return the facts in `order`."""
    return Facts(*(getattr(facts, field.name)[order] for field in fields(facts)))


def _minutes(values: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.timedelta64]]:
    return values.astype(np.int64).astype("timedelta64[m]")


def _delivered(recorded: Moments, clock: Clock) -> Ints:
    """Return the order of entry; what is entered after the last day is not delivered yet."""
    order = np.argsort(recorded, kind="stable")
    delivered = recorded[order] < clock.days[-1] + np.timedelta64(1, "D")
    return np.asarray(order[delivered], dtype=np.int64)


def _interval(
    moment: Moments, rules: MainCourante, clock: Clock, seed: int
) -> tuple[Moments, Moments, Bools]:
    """Return start and end of what is known of each moment, and where the moment is known.

    The true moment lies evenly in its interval.
    """
    rng = stream(seed, "main_courante/interval")
    known = rng.random(len(moment)) >= rules.interval_share
    length = rules.interval_median_min * np.exp(
        rules.interval_log_sd * rng.standard_normal(len(moment))
    )
    before = np.where(known, 0.0, length * rng.random(len(moment)))
    start = np.maximum(moment - _minutes(before), clock.days[0].astype("datetime64[m]"))
    end = np.where(known, moment, np.maximum(start + _minutes(length), moment + MINUTE))
    # Moved out of the missing hour, a start could pass the moment itself.
    return np.minimum(clock.existing(start), moment), clock.existing(end), known


def _origins(facts: Facts, rules: Source, seed: int, name: str) -> pa.Array:
    """Return the origin's code, drawn among those of each record's initiator."""
    every = [code for weights in rules.initiators.values() for code in weights]
    position = np.zeros(len(facts.kind), dtype=np.int64)
    first = 0
    for index, (initiator, weights) in enumerate(rules.initiators.items()):
        own = facts.initiator == index
        rng = stream(seed, f"{name}/origin/{initiator}")
        drawn = draw(np.array(list(weights.values())), int(own.sum()), rng)
        position[own] = first + drawn
        first += len(weights)
    return columns.codes(every, position)


def _types(facts: Facts, labels: Labels, rules: Source, seed: int, name: str) -> pa.Array:
    """Return the type's code, or one that no list knows."""
    rng = stream(seed, f"{name}/unknown_code")
    unknown = rng.integers(0, len(rules.unknown_codes), len(facts.kind)) + len(rules.types)
    every = [*rules.types, *rules.unknown_codes]
    return columns.codes(every, np.where(labels.unknown_code, unknown, facts.kind))


def _place_columns(place: Place) -> dict[str, pa.Array]:
    return {
        "longitude": columns.degrees(place.longitude),
        "latitude": columns.degrees(place.latitude),
    }


def _progress(asked: Moments, rules: Signalement, clock: Clock, seed: int) -> dict[str, pa.Array]:
    """Return the state of each report as of the period's end, and its times."""
    rng = stream(seed, "signalement/progress")
    today = (clock.days[-1] + np.timedelta64(1, "D")).astype("datetime64[m]")
    days = rng.gamma(rules.resolution_gamma_shape, rules.resolution_gamma_scale_days, len(asked))
    closed_at = clock.existing(asked + _minutes(30 + days * 24 * 60))
    taken_at = clock.existing(asked + _minutes(15 + rng.exponential(24 * 60, len(asked))))
    closed, taken = closed_at < today, taken_at < today
    refused = closed & (rng.random(len(asked)) < rules.rejected_share)
    state = np.where(refused, 3, np.where(closed, 2, np.where(taken, 1, 0)))
    changed = np.where(closed, closed_at, np.where(taken, taken_at, asked))
    return {
        "statut": columns.codes(STATES, state),
        "demande_le": columns.moments(asked),
        "maj_le": columns.moments(changed),
        "prevu_le": columns.moments(clock.existing(asked + rules.target_days * DAY)),
        "cloture_le": columns.moments(closed_at, absent=~closed),
    }


def _same_fact(facts: Facts, rules: Signalement, seed: int) -> pa.Array:
    """Return the position of the report just before in the same cell, of the same type and
    recent, for the share that the service recognises; null elsewhere."""
    order = np.lexsort((facts.moment, facts.kind, facts.cell))
    before, here = order[:-1], order[1:]
    alike = (
        (facts.cell[before] == facts.cell[here])
        & (facts.kind[before] == facts.kind[here])
        & (facts.moment[here] - facts.moment[before] < rules.same_fact_days * DAY)
    )
    rng = stream(seed, "signalement/same_fact")
    alike &= rng.random(len(alike)) < rules.same_fact_share
    earlier = np.full(len(order), -1, dtype=np.int64)
    earlier[here[alike]] = before[alike]
    return pa.array(earlier, mask=earlier < 0)
