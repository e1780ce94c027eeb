"""From records to lines: codes of origin, renamings, outages, repeats, planted strings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.simulate import columns
from helpers.simulate.defects import COPIES, DST, PLACE_DEFECTS, Labels
from helpers.simulate.settings_sources import Fading, Initiator, Origins, Outage, Weights
from helpers.simulate.sources.arrays import take
from helpers.simulate.sources.personal import personal_strings
from helpers.simulate.sources.scene import Facts, Scene
from helpers.simulate.streams import Bools, Floats, Ints, Moments, draw, stream

INITIATORS: tuple[Initiator, ...] = ("citizen", "agent", "other")
REPEATED, CORRECTED = (COPIES.index(name) for name in ("repeated", "corrected"))


@dataclass(frozen=True)
class Told:
    """Records of a source: their ids, the facts behind them (their kinds in `kinds`), labels."""

    ids: pa.Array
    facts: Facts
    labels: Labels
    kinds: Sequence[str]


@dataclass(frozen=True)
class Lines:
    """Lines in a file's order: the table as delivered, and the truth about each.

    `truth` has a row a line: id, incident, true moment and place, labels; `planted` a row a
    personal string: its line (1-based), id, column, kind, text; `moment` is the true one.
    """

    table: pa.Table
    truth: pa.Table
    planted: pa.Table
    moment: Moments


def origins(weights: Origins, initiator: Ints, seed: int, use: str) -> pa.Array:
    """Return the origin's code, drawn among those of each record's initiator."""
    every = [code for codes in weights.values() for code in codes]
    position = np.zeros(len(initiator), dtype=np.int64)
    first = 0
    for name, codes in weights.items():
        own = np.flatnonzero(initiator == INITIATORS.index(name))
        rng = stream(seed, f"{use}/origin/{name}")
        position[own] = first + draw(np.array([*codes.values()]), len(own), rng)
        first += len(codes)
    return columns.codes(every, position)


def renamed(said: pa.Array, scene: Scene, source: str, column: str, written: Moments) -> pa.Array:
    """Return the codes with those renamed by the day on which they were written, but for strays."""
    for rule in scene.rules.renamings:
        if (rule.source, rule.column) == (source, column):
            old = pc.equal(said.cast(pa.string()), rule.old)
            right = _chances(written, scene, f"{source}/stray/{rule.old}") >= rule.stray_share
            since = pa.array((written >= np.datetime64(rule.start)) & right)
            said = pc.if_else(pc.and_(old, since), rule.new, said.cast(pa.string()))
    return said


def lost(facts: Facts, scene: Scene, source: str) -> Bools:
    """Tell which facts an outage or a fading of the source loses: they are never written."""
    found = np.zeros(len(facts.moment), dtype=np.bool_)
    for outage in scene.rules.outages:
        if outage.source == source:
            found |= _silent(facts, scene, outage)
    for fading in scene.rules.fadings:
        if fading.source == source:
            found |= _faded(facts, scene, fading)
    return found


def _chances(moment: Moments, scene: Scene, use: str) -> Floats:
    """Return a number between 0 and 1 for each row of a part, which its first moment names."""
    if not len(moment):
        return np.zeros(0)
    return stream(scene.seed, f"{use}/{moment.min()}").random(len(moment))


def _faded(facts: Facts, scene: Scene, fading: Fading) -> Bools:
    since = (facts.moment.astype("datetime64[D]") - np.datetime64(fading.start)).astype(np.float64)
    kept = np.full(len(since), fading.kept, dtype=np.float64)
    if fading.half_life_days is not None:
        kept *= 0.5 ** (np.maximum(since, 0) / fading.half_life_days)
    chances = _chances(facts.moment, scene, f"{fading.source}/faded/{fading.title}")
    gone = (since >= 0) & (chances >= kept)
    if fading.initiator is not None:
        gone &= facts.initiator == INITIATORS.index(fading.initiator)
    return np.asarray(gone & _in_district(facts, scene, fading.district))


def _in_district(facts: Facts, scene: Scene, district: str | None) -> Bools:
    if district is None:
        return np.ones(len(facts.moment), dtype=np.bool_)
    found = scene.district_of[scene.territory.quarter[facts.cell]]
    return np.asarray(found == scene.districts.index(district))


def _silent(facts: Facts, scene: Scene, outage: Outage) -> Bools:
    day = facts.moment.astype("datetime64[D]")
    within = (day >= np.datetime64(outage.start)) & (day <= np.datetime64(outage.end))
    return np.asarray(within & _in_district(facts, scene, outage.district))


def made(table: pa.Table, told: Told, scene: Scene, weights: Weights, use: str) -> Lines:
    """Return the lines of records: personal strings planted, repeated records twice in a row."""
    ids, labels = told.ids, told.labels
    rows = np.flatnonzero(labels.personal) if weights else np.zeros(0, dtype=np.int64)
    strings = personal_strings(len(rows), scene.seed, f"{use}/personal")
    names = list(weights)
    which = (
        draw(np.array([*weights.values()]), len(rows), stream(scene.seed, f"{use}/column"))
        if names
        else rows
    )
    for index, name in enumerate(names):
        own = np.flatnonzero(which == index)
        texts = strings.cell.take(pa.array(own))
        at = table.column_names.index(name)
        column = table[name].combine_chunks()
        table = table.set_column(at, name, columns.put(column, rows[own], texts))
    repeated = labels.copies == REPEATED
    order = np.repeat(np.arange(table.num_rows), 1 + repeated.astype(np.int64))
    again = np.concatenate(([False], order[1:] == order[:-1])) if len(order) else repeated
    held = np.flatnonzero(np.isin(order, rows))
    string = np.searchsorted(rows, order[held])
    planted = pa.table(
        {
            "line": held + 1,
            "id": ids.take(pa.array(order[held])),
            "column": columns.codes(names, which[string]).cast(pa.string()),
            "kind": strings.kind.take(pa.array(string)),
            "text": strings.text.take(pa.array(string)),
        }
    )
    return Lines(
        table.take(pa.array(order)) if repeated.any() else table,
        truth_of(taken(told, order), again * REPEATED, scene),
        planted,
        told.facts.moment[order],
    )


def taken(told: Told, order: Ints) -> Told:
    """Return the records in `order`."""
    ids = told.ids.take(pa.array(order))
    return Told(ids, take(told.facts, order), take(told.labels, order), told.kinds)


def truth_of(told: Told, copies: Ints, scene: Scene) -> pa.Table:
    """Return the truth about lines, one row each; `copies` are positions in `COPIES`."""
    ids, facts, labels = told.ids, told.facts, told.labels
    longitude, latitude = scene.degrees(facts.cell, facts.east, facts.north)
    where = scene.territory
    return pa.table(
        {
            "line": np.arange(1, len(ids) + 1),
            "id": ids,
            "incident": pa.array(facts.incident, mask=facts.incident < 0),
            "type": columns.codes(told.kinds, facts.kind),
            "initiator": columns.codes(INITIATORS, facts.initiator),
            "moment": facts.moment.astype("datetime64[s]"),
            "longitude": np.round(longitude, 6),
            "latitude": np.round(latitude, 6),
            "cell_east": where.east[facts.cell] * where.cell_m,
            "cell_north": where.north[facts.cell] * where.cell_m,
            "place_defect": columns.codes(PLACE_DEFECTS, labels.place),
            "dst": columns.codes(DST, labels.dst),
            "unknown_code": labels.unknown_code,
            "wrong_category": labels.wrong_category,
            "late": labels.late,
            "personal": labels.personal,
            "duplicate": columns.codes(COPIES, copies),
        }
    )


def nested(table: pa.Table) -> pa.Table:
    """Return the table with columns `a.b` gathered as members of a record `a`, in first place."""
    tops: dict[str, list[str]] = {}
    for name in table.column_names:
        tops.setdefault(name.split(".")[0], []).append(name)
    made: dict[str, pa.Array] = {}
    for top, names in tops.items():
        parts = [table[name].combine_chunks() for name in names]
        if names == [top]:
            made[top] = parts[0]
            continue
        inner = pa.table(parts, [name.split(".", 1)[1] for name in names])
        flat = nested(inner)
        arrays = [flat[name].combine_chunks() for name in flat.column_names]
        made[top] = pa.StructArray.from_arrays(arrays, flat.column_names)
    return pa.table(made)


def plain(table: pa.Table) -> pa.Table:
    """Return the table with codes as plain text, so that tables of several years can be joined."""
    return pa.table(
        {
            name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )
