"""The truth about the world, whoever records it: tables that only scoring may read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from helpers.simulate.actions import Actions
from helpers.simulate.columns import codes
from helpers.simulate.incidents import Incidents
from helpers.simulate.presence import SLOTS
from helpers.simulate.streams import Floats, Ints
from helpers.simulate.world import INITIATORS, World


def tables(world: World) -> Iterator[tuple[str, pa.Table]]:
    """Yield name and rows; the incidents come chunk by chunk, under one name."""
    yield "expected", _expected(world)
    yield "actions", _actions(world)
    yield "action_cells", _action_cells(world)
    yield "events", _events(world)
    yield "presence", _presence(world)
    yield "context", _context(world)
    yield "survey", _survey(world)
    for year, layer in world.chunks:
        incidents = world.incidents(year, layer)
        yield "incidents", _incidents(world, incidents)


def _corners(world: World, cell: Ints) -> dict[str, Ints]:
    """Return the south-west corners of cells, metres in the city's CRS."""
    where = world.territory
    return {
        "cell_east": where.east[cell] * where.cell_m,
        "cell_north": where.north[cell] * where.cell_m,
    }


def _expected(world: World) -> pa.Table:
    ground, kinds = world.ground, world.kinds
    size = len(ground.cells)

    def mean(kind: int) -> Floats:
        about = kinds[kind]
        hours = np.where(ground.coast, about.coast.sum(), about.inland.sum())
        return np.asarray(about.place * hours * world.settings.scale, dtype=np.float64)

    cell = np.tile(ground.cells, len(kinds))
    return pa.table(
        {
            "kind": codes([k.code for k in kinds], np.repeat(np.arange(len(kinds)), size)),
            **_corners(world, cell),
            "quarter": codes(world.territory.quarters.code, world.territory.quarter[cell]),
            "expected": np.concatenate([mean(kind) for kind in range(len(kinds))]),
        }
    )


def _actions(world: World) -> pa.Table:
    """Return one row an action; those that prevent nothing last."""
    own = _told(world, world.actions, 0)
    return pa.concat_tables([own, _told(world, world.idle, own.num_rows)])


def _told(world: World, actions: Actions, before: int) -> pa.Table:
    zero = world.clock.days[0].astype("datetime64[D]")
    codes_of = [kind.code for kind in world.kinds]
    aims = [
        "|".join(code for code, aimed in zip(codes_of, row, strict=True) if aimed)
        for row in actions.aims
    ]
    number = before + np.arange(1, len(actions) + 1)
    return pa.table(
        {
            "action": number - 1,
            "id": pa.array([f"ACT-{n:03d}" for n in number.tolist()], pa.string()),
            "type": pa.array(actions.type, pa.string()),
            "kinds": pa.array(aims, pa.string()),
            "first_day": zero + actions.first_day.astype("m8[D]"),
            "last_day": zero + actions.last_day.astype("m8[D]"),
            "effect": actions.effect,
            "half_life_days": np.full(len(actions), actions.half_life_days),
            "displacement": actions.displacement,
            "diffusion": np.full(len(actions), actions.diffusion),
            "patrol_h": actions.patrol_h,
        }
    )


def _action_cells(world: World) -> pa.Table:
    actions = world.actions
    parts = [
        (index, role, _whole(world, cells))
        for index in range(len(actions))
        for role, cells in enumerate((actions.zones[index], actions.rings[index]))
    ]
    size = [len(cells) for *_, cells in parts]
    return pa.table(
        {
            "action": np.repeat([index for index, *_ in parts], size),
            "part": codes(("zone", "ring"), np.repeat([role for _, role, _ in parts], size)),
            **_corners(world, np.concatenate([cells for *_, cells in parts])),
        }
    )


def _whole(world: World, cells: Ints) -> Ints:
    """Return the cells but for those that are another quarter's part of one already there."""
    corners = np.column_stack(list(_corners(world, cells).values()))
    _, firsts = np.unique(corners, axis=0, return_index=True)
    return np.asarray(cells[np.sort(firsts)], dtype=np.int64)


def _events(world: World) -> pa.Table:
    events = world.events
    return pa.table(
        {
            "event": np.arange(len(events)),
            "occasion": codes(events.names, events.occasion),
            "start": events.start.astype("datetime64[s]"),
            "end": events.end.astype("datetime64[s]"),
            **_corners(world, events.cell),
            "attendance": events.attendance,
            "radius_m": events.radius_m,
            "factor": events.factor,
        }
    )


def _presence(world: World) -> pa.Table:
    hours, quarters = world.presence.hours, world.territory.quarters.code
    day, slot, quarter = (axis.ravel() for axis in np.indices(hours.shape))
    return pa.table(
        {
            "day": world.clock.days[day].astype("datetime64[D]"),
            "slot": codes(SLOTS, slot),
            "quarter": codes(quarters, quarter),
            "agent_hours": hours.ravel(),
        }
    )


def _context(world: World) -> pa.Table:
    """Return the true effects of what quarters hold; kinds and features without a row have none."""
    rows = [
        (kind, one.feature, one.step, one.ratio)
        for one in world.settings.world.surroundings
        for kind in one.kinds
    ]
    kind, feature, step, ratio = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table(
        {
            "kind": pa.array(kind, pa.string()),
            "feature": pa.array(feature, pa.string()),
            "step": pa.array(step, pa.float64()),
            "ratio": pa.array(ratio, pa.float64()),
        }
    )


def _survey(world: World) -> pa.Table:
    """Return the true share of adults who feel quiet, by wave, quarter and age."""
    asked, rules = world.survey, world.settings.sources.enquete_tranquillite
    wave, place, age = (axis.ravel() for axis in np.indices(asked.share.shape))
    return pa.table(
        {
            "wave": codes([one.isoformat() for one in rules.waves], wave),
            "quarter": codes(world.territory.quarters.code, place),
            "age": codes(list(rules.ages), age),
            "adults": asked.adults.ravel(),
            "share": asked.share.ravel(),
        }
    )


def _incidents(world: World, incidents: Incidents) -> pa.Table:
    def known(values: Ints) -> pa.Array:
        return pa.array(values, mask=values < 0)

    return pa.table(
        {
            "incident": incidents.id,
            "kind": codes([kind.code for kind in world.kinds], incidents.kind),
            "initiator": codes(INITIATORS, world.recorded(incidents)),
            "moment": incidents.moment.astype("datetime64[s]"),
            "east": np.round(incidents.east, 1),
            "north": np.round(incidents.north, 1),
            **_corners(world, incidents.cell),
            "parent": known(incidents.parent),
            "event": known(incidents.event),
            "action": known(incidents.action),
        }
    )
