"""Electronic fines: what agents do about what they meet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from helpers.simulate import columns
from helpers.simulate.defects import Durations, draw_labels, minutes
from helpers.simulate.settings_sources import Family
from helpers.simulate.sources import walls
from helpers.simulate.sources.arrays import concat, take
from helpers.simulate.sources.lines import Lines, Told, lost, made
from helpers.simulate.sources.scattered import expected_lines, scattered
from helpers.simulate.sources.scene import Facts, Part, Scene
from helpers.simulate.streams import Ints, stream

NAME = "pve"
AGENT = 1
YES_NO = ("N", "O")
MAKES = ("Fictive A", "Fictive B", "Fictive C")
SALT = 0x9E3779B97F4A7C15  # odd: multiplying by it modulo 2⁶⁴ never makes two numbers one


def fined(agents: Facts, scene: Scene, part: Part) -> Facts:
    """Return the fines of a year, of kinds that are positions in the settings' families.

    `agents` are the incidents that agents recorded on their own initiative. Part of the fines
    follow such an incident within minutes; the others are written where and when agents are.
    """
    rules, use = scene.rules.pve, f"{NAME}/{part.name}"
    found: Facts | None = None
    rng = stream(scene.seed, f"{use}/size")
    total = sum(family.share for family in rules.families.values())
    for index, (name, family) in enumerate(rules.families.items()):
        pool = take(agents, _met(agents, family, scene))
        yearly = rules.records_per_year * family.share / total * (1 - rules.defects.duplicate)
        size = int(rng.poisson(expected_lines(yearly, pool, scene)))
        linked = min(int(size * rules.from_log_share), len(pool.kind) // 2)
        chosen = rng.choice(len(pool.kind), linked, replace=False)
        own = take(pool, np.sort(chosen))
        own = _as(own, index, minutes(rng.gamma(2.0, 6.0, linked)), scene)
        kind = np.full(size - linked, index)
        alone = scattered(pool, size - linked, kind, AGENT, scene, f"{use}/{name}")
        both = concat(own, alone)
        found = both if found is None else concat(found, both)
    assert found is not None
    return found


def _met(agents: Facts, family: Family, scene: Scene) -> Ints:
    kinds = np.flatnonzero(np.isin(scene.kinds, family.after))
    return np.flatnonzero(np.isin(agents.kind, kinds))


def _as(facts: Facts, kind: int, later: Durations, scene: Scene) -> Facts:
    """Return facts of another source's kind, that come a little later."""
    return Facts(
        facts.incident,
        np.full(len(facts.kind), kind),
        np.full(len(facts.kind), AGENT),
        facts.cell,
        facts.east,
        facts.north,
        walls.existing(facts.moment + later, scene.timezone),
    )


def lines(facts: Facts, scene: Scene, part: Part) -> Lines:
    """Return the fines of a year, in the order in which they were written."""
    rules, seed, use = scene.rules.pve, scene.seed, f"{NAME}/{part.name}"
    facts = ordered(facts, scene, NAME)
    size, families = len(facts.kind), list(rules.families.values())
    labels = draw_labels(size, rules.defects, seed, use)
    labels.dst[walls.doubled(facts.moment, scene.timezone)] = 2
    place = scene.place(facts, labels, rules.place_sd_m, use)
    number = np.arange(1, size + 1)
    ids = _salted(number + (part.year * 100 + part.layer) * 10_000_000)
    rng = stream(seed, f"{use}/about")
    parking = facts.kind == list(rules.families).index("stationnement")
    quarter = columns.codes(scene.territory.quarters.code, scene.territory.quarter[facts.cell])
    segment = columns.numbered("", facts.cell % 97 * 4 + rng.integers(0, 4, size) + 1, 3)
    table = pa.table(
        {
            "id_pv": ids,
            "horodatage": columns.french(facts.moment, seconds=True),
            "natinf": _natinf(families, facts.kind, rng),
            "classe": np.array([one.level for one in families])[facts.kind],
            "famille": columns.codes(list(rules.families), facts.kind),
            "mode": columns.drawn(rules.modes, size, seed, f"{use}/mode"),
            "voie_segment": columns.joined(quarter, "-", segment),
            "état": columns.codes(
                ("émis", "annulé"), (rng.random(size) < rules.cancelled_share).astype(np.int64)
            ),
            "fourrière": columns.codes(
                YES_NO, (parking & (rng.random(size) < rules.removal_share)).astype(np.int64)
            ),
            "longitude": columns.with_comma(columns.degrees(place.longitude)),
            "latitude": columns.with_comma(columns.degrees(place.latitude)),
            "immatriculation": columns.numbered("FICTIVE-", number % 1000, 3),
            "contrevenant": columns.numbered("Personne fictive ", number),
            "marque_véhicule": columns.codes(MAKES, number % len(MAKES)),
            "matricule_agent": columns.numbered("AG-", number * 7919 % 600, 5),
        }
    )
    told = Told(ids, facts, labels, list(rules.families))
    return made(table, told, scene, rules.personal_columns, use)


def ordered(facts: Facts, scene: Scene, source: str) -> Facts:
    """Return the facts that a source tells by the period's end, in their order."""
    facts = take(facts, np.argsort(facts.moment, kind="stable"))
    return take(facts, ~lost(facts, scene, source) & (facts.moment < scene.end))


def _natinf(families: list[Family], kind: Ints, rng: np.random.Generator) -> Ints:
    most = max(len(one.natinf) for one in families)
    numbers = np.array([[*one.natinf, *([one.natinf[-1]] * most)][:most] for one in families])
    return np.asarray(numbers[kind, rng.integers(0, most, len(kind))])


def _salted(number: Ints) -> pa.Array:
    """Return 16 hexadecimal digits that tell nothing of the order, one text a number."""
    mixed = number.astype(np.uint64) * np.uint64(SALT)
    text = mixed.astype(">u8").tobytes().hex()
    return pa.StringArray.from_buffers(
        len(number),
        pa.array(np.arange(0, len(text) + 1, 16, dtype=np.int32)).buffers()[1],
        pa.py_buffer(text.encode()),
    )
