"""Events and the orders that go with them; some plainly lack a measure, or stand in each other's
way: what a check must find is told apart, in the truth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from helpers.simulate import columns
from helpers.simulate.sources import walls
from helpers.simulate.sources.scene import Scene
from helpers.simulate.streams import Ints, Moments, stream

NAME, ORDERS = "evenement", "arrete"
# What a thousand expected people ask for: measure → quantity (a usual order of magnitude, assumed).
MEASURES = {
    "barrieres": 40.0, "agents_pm": 4.0, "fourriere": 3.0, "secours": 0.4, "nettoyage": 1.0,
    "info_riverains": 1.5, "deviation": 0.3,
}  # fmt: skip
RISKS, LARGE = ("faible", "modere", "eleve", "tres_eleve"), (2_000, 10_000, 40_000)
ORDER_TYPES = ("stationnement", "circulation", "occupation_domaine", "debit_boissons")
TODO, ASKED, TAKEN = 0, 1, 2
STATES = ("a_faire", "demandee", "prise")
REACH_M = (50, 100, 150, 300)  # how far around its point an order applies


@dataclass(frozen=True)
class Events:
    """One row an event: what and where it is, its moments (local wall clock), its crowd."""

    category: Sequence[str]
    title: Sequence[str]
    cell: Ints
    start: Moments
    end: Moments
    expected: Ints
    seen: Ints
    capacity: Ints


@dataclass(frozen=True)
class Filed:
    """The events' file, the orders (properties and shapes), and what a check must find."""

    table: pa.Table
    properties: list[dict[str, Any]]
    shapes: list[dict[str, Any]]
    truth: pa.Table


def filed(events: Events, planned: Events, scene: Scene) -> Filed:
    """Return the events in the order of their start, those of the period first, their orders.

    `planned` are those of the weeks after: they are drawn apart, and numbered on.
    """
    rules = scene.rules.evenement
    held = _filed(events, scene, NAME, rules.incompatible_share, rules.missing_measure_share)
    shares = rules.ahead.incompatible_share, rules.ahead.missing_measure_share
    number = held.table.num_rows, len(held.properties)
    coming = _filed(planned, scene, f"{NAME}/ahead", *shares, number)
    return Filed(
        pa.concat_tables([held.table, coming.table]), held.properties + coming.properties,
        held.shapes + coming.shapes, pa.concat_tables([held.truth, coming.truth]),
    )  # fmt: skip


def _filed(
    events: Events, scene: Scene, use: str, incompatible: float, lacking_share: float,
    before: tuple[int, int] = (0, 0),
) -> Filed:  # fmt: skip
    """Return events and orders, numbered after those of `before`; `use` names their chance."""
    events, twin = _with_twins(events, scene, use, incompatible)
    size = len(events.cell)
    rng = stream(scene.seed, use)
    years = events.start.astype("datetime64[Y]").astype(np.int64) + 1970
    ids = columns.joined(
        "EVT-",
        columns.numbered("", years),
        "-",
        columns.numbered("", before[0] + np.arange(1, size + 1), 4),
    )
    quantity = {
        name: np.rint(per * events.expected / 1000).astype(np.int64)
        for name, per in MEASURES.items()
    }
    lacking = (rng.random(size) < lacking_share) & (quantity["barrieres"] > 0)
    past = events.end < scene.end
    state = {name: np.where(past, TAKEN, rng.integers(TODO, TAKEN + 1, size)) for name in MEASURES}
    state["barrieres"] = np.where(lacking, TODO, state["barrieres"])
    table = _table(events, ids, quantity, state, past, scene, rng)
    properties, shapes = _orders(events, ids, scene, rng, before[1])
    return Filed(table, properties, shapes, _truth(ids, twin, lacking))


def _with_twins(events: Events, scene: Scene, use: str, share: float) -> tuple[Events, Ints]:
    """Return the events, some with another one planted at the same place and time.

    Beside, the position of the event that each one stands in the way of, or −1.
    """
    size = len(events.cell)
    rng = stream(scene.seed, f"{use}/twins")
    first = np.flatnonzero(rng.random(size) < share)
    order = np.concatenate([np.arange(size), first])
    extra = np.arange(size + len(first)) >= size
    categories = [events.category[i] for i in order.tolist()]
    titles = [events.title[i] for i in order.tolist()]
    shift = np.where(extra, 30, 0).astype("timedelta64[m]")
    start = walls.existing(events.start[order] + shift, scene.timezone)
    end = np.maximum(events.end[order], start + np.timedelta64(30, "m"))
    twins = Events(
        ["tournage" if e else c for e, c in zip(extra.tolist(), categories, strict=True)],
        ["Tournage" if e else t for e, t in zip(extra.tolist(), titles, strict=True)],
        events.cell[order], start, end,
        np.where(extra, 60, events.expected[order]), np.where(extra, 60, events.seen[order]),
        events.capacity[order],
    )  # fmt: skip
    by_start = np.argsort(start, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[by_start] = np.arange(len(order))
    other = np.where(extra, rank[order], -1)[by_start]
    return _ordered(twins, by_start), other


def _ordered(events: Events, order: Ints) -> Events:
    def moved(values: Any) -> Any:
        return values[order] if isinstance(values, np.ndarray) else [values[i] for i in order]

    return Events(*(moved(getattr(events, name)) for name in Events.__annotations__))


def _table(
    events: Events,
    ids: pa.Array,
    quantity: dict[str, Ints],
    state: dict[str, Ints],
    past: Any,
    scene: Scene,
    rng: np.random.Generator,
) -> pa.Table:
    size, zone = len(events.cell), scene.timezone
    hours = rng.integers(2, 7, size).astype("timedelta64[h]")
    longitude, latitude = scene.centres(events.cell)
    risk = np.searchsorted(LARGE, events.expected, side="right")
    number = np.arange(1, size + 1)
    cancelled = rng.random(size) < 0.02
    status = np.where(cancelled, 0, np.where(past, 1, 2))
    return pa.table(
        {
            "id_evt": ids,
            "saisie": pa.nulls(size, pa.string()),  # no partner's entry was taken over
            "categorie": pa.array(events.category),
            "titre_public": pa.array(events.title),
            "debut": walls.zoned(events.start, zone),
            "fin": walls.zoned(events.end, zone),
            "montage.debut": walls.zoned(walls.existing(events.start - hours, zone), zone),
            "demontage.fin": walls.zoned(walls.existing(events.end + hours, zone), zone),
            "lieu.quartier": columns.codes(
                scene.territory.quarters.code, scene.territory.quarter[events.cell]
            ),
            "lieu.lon": columns.degrees(longitude),
            "lieu.lat": columns.degrees(latitude),
            "affluence.prevue": events.expected,
            "affluence.min": (events.expected * 0.8).astype(np.int64),
            "affluence.max": (events.expected * 1.25).astype(np.int64),
            "affluence.constatee": pa.array(events.seen, mask=~past | cancelled),
            "capacite": events.capacity,
            **_measures(quantity, state),
            "statut": columns.codes(("annule", "tenu", "autorise"), status),
            "niveau_risque": columns.codes(RISKS, risk),
            "retex": columns.codes(
                ("sans_incident", "incidents_mineurs", "incidents_graves"),
                np.where(past & ~cancelled, (rng.random(size) < 0.15).astype(np.int64), -1),
            ),
            "organisateur.nom": columns.numbered("Personne fictive ", number),
            "organisateur.telephone": columns.numbered("00", number, 8),
            "organisateur.courriel": columns.numbered("fictif-", number, 5, "@exemple.invalid"),
        }
    )


def _measures(quantity: dict[str, Ints], state: dict[str, Ints]) -> dict[str, pa.Array]:
    """Return how much of each measure is wanted, and how far it is; no state where none is."""
    return {
        f"mesures.{name}.{what}": column
        for name in MEASURES
        for what, column in (
            ("quantite", pa.array(quantity[name])),
            ("statut", columns.codes(STATES, np.where(quantity[name] > 0, state[name], -1))),
        )
    }


def _orders(
    events: Events, ids: pa.Array, scene: Scene, rng: np.random.Generator, before: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the orders of events: in force from twelve hours before until the end."""
    size = len(events.cell)
    each = np.minimum(rng.poisson(scene.rules.evenement.orders_per_event, size), len(ORDER_TYPES))
    of = np.repeat(np.arange(size), each)
    kind = np.concatenate([np.arange(n) for n in each]) if len(of) else of
    from_, to = events.start[of] - np.timedelta64(12, "h"), events.end[of]
    from_ = walls.existing(from_, scene.timezone)
    signed = (from_ - rng.integers(5, 30, len(of)).astype("timedelta64[D]")).astype("M8[D]")
    longitude, latitude = scene.centres(events.cell[of])
    begin, finish = (walls.zoned(m, scene.timezone).to_pylist() for m in (from_, to))
    event = ids.take(pa.array(of)).to_pylist()
    properties, shapes = [], []
    for i, day in enumerate(signed.astype("datetime64[D]").tolist()):
        assert isinstance(day, dt.date)
        properties.append(
            {
                "numero": f"{day.year}-{before + i + 1:05d}",
                "id_evt": event[i],
                "type": ORDER_TYPES[kind[i]],
                "signe_le": day.isoformat(),
                "rayon_m": REACH_M[kind[i]],
                "effet_debut": begin[i],
                "effet_fin": finish[i],
                "signataire": f"Personne fictive {i + 1}",
                "beneficiaire": f"Personne fictive B{i + 1}",
            }
        )
        point = [round(float(longitude[i]), 6), round(float(latitude[i]), 6)]
        shapes.append({"type": "Point", "coordinates": point})
    return properties, shapes


def _truth(ids: pa.Array, twin: Ints, lacking: Any) -> pa.Table:
    return pa.table(
        {
            "id": ids,
            "in_the_way_of": ids.take(pa.array(twin, mask=twin < 0)),
            "measure_missing": lacking,
        }
    )
