"""Smart video: alerts counted by zone and hour, within the windows that an order allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from helpers.simulate import columns
from helpers.simulate.settings_sources import Window
from helpers.simulate.sources import walls
from helpers.simulate.sources.arrays import concat, take
from helpers.simulate.sources.lines import lost
from helpers.simulate.sources.scene import Facts, Part, Scene
from helpers.simulate.streams import Floats, Ints, Moments, draw, stream

NAME = "vsi_alerte_agregee"
TYPES = (
    "objet_abandonne", "arme", "sens_interdit", "intrusion_zone", "personne_au_sol",
    "mouvement_foule", "densite", "depart_feu",
)  # fmt: skip
HEARTBEAT = TYPES.index("densite")
NOON = np.timedelta64(12, "h")
HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class Counts:
    """Hourly counts: the lines, the truth about each, and the incidents behind some (traces)."""

    table: pa.Table
    truth: pa.Table
    traces: pa.Table


@dataclass(frozen=True)
class Alerts:
    """One row an alert, or a sign of life (`alerts` 0): zone, hour, type, and what it was."""

    zone: Ints
    hour: Moments
    type: Ints
    alerts: Ints
    true: Ints
    window: Ints
    incident: Ints


def zones_filmed(weights: Floats, scene: Scene) -> Ints:
    """Return the quarters that have smart video: those of the largest weights, ascending."""
    count = scene.rules.vsi_alerte_agregee.zones
    return np.sort(np.argsort(-weights, kind="stable")[:count])


def alerts(incidents: Facts, zones: Ints, scene: Scene, part: Part) -> Alerts:
    """Return the alerts of a part of a year, true and false, and its signs of life."""
    windows, use = scene.rules.vsi_alerte_agregee.windows, f"{NAME}/{part.name}"
    first, last = (np.datetime64(f"{y}-01-01", "h") for y in (part.year, part.year + 1))
    spans = [
        (max(np.datetime64(w.start, "h"), first), min(np.datetime64(w.end, "h") + HOUR, last))
        for w in windows
    ]
    hours = np.concatenate([np.arange(a, max(a, b)) for a, b in spans])
    of = np.repeat(np.arange(len(spans)), [max(0, int((b - a).astype(int))) for a, b in spans])
    found = concat(
        _seen(incidents, zones, windows, scene, use), _false(hours, of, zones, scene, use)
    )
    if part.layer == 0:
        found = concat(found, _signs_of_life(hours, of, zones))
    return _silenced(found, scene)


def _silenced(every: Alerts, scene: Scene) -> Alerts:
    """Return the alerts without those of an outage, found by zone and hour as facts are."""
    cell_of = {int(q): i for i, q in reversed([*enumerate(scene.territory.quarter)])}
    cells = np.array([cell_of[int(zone)] for zone in every.zone], dtype=np.int64)
    none = np.zeros(len(cells))
    facts = Facts(cells, cells, cells, cells, none, none, every.hour)
    return take(every, ~lost(facts, scene, NAME))


def _seen(
    incidents: Facts, zones: Ints, windows: Sequence[Window], scene: Scene, use: str
) -> Alerts:
    rules = scene.rules.vsi_alerte_agregee
    chance = np.array([rules.seen[k][0] if k in rules.seen else 0.0 for k in scene.kinds])
    kind = np.array([TYPES.index(rules.seen[k][1]) if k in rules.seen else 0 for k in scene.kinds])
    drawn = stream(scene.seed, f"{use}/seen").random(len(incidents.kind)) < chance[incidents.kind]
    own = take(incidents, np.flatnonzero(drawn))
    quarter, hour = scene.territory.quarter[own.cell], own.moment.astype("datetime64[h]")
    window = np.full(len(hour), -1)
    for index, one in enumerate(windows):
        inside = (hour >= np.datetime64(one.start, "h")) & (hour <= np.datetime64(one.end, "h"))
        window[inside] = index
    kept = np.flatnonzero(np.isin(quarter, zones) & (window >= 0))
    one_each = np.ones(len(kept), dtype=np.int64)
    return Alerts(
        quarter[kept], hour[kept], kind[own.kind[kept]], one_each, one_each, window[kept],
        own.incident[kept],
    )  # fmt: skip


def _false(hours: Moments, of: Ints, zones: Ints, scene: Scene, use: str) -> Alerts:
    """Return alerts of nothing, some of them sent for hours outside the window."""
    rules = scene.rules.vsi_alerte_agregee
    rng = stream(scene.seed, f"{use}/false")
    size = int(rng.poisson(rules.false_per_zone_day * len(zones) * len(hours) / 24 * scene.scale))
    at = rng.integers(0, max(1, len(hours)), size)
    hour, window = hours[at], of[at]
    outside = np.flatnonzero(rng.random(size) < rules.outside_window_share)
    ends = np.array([np.datetime64(one.end, "h") for one in rules.windows])
    hour = hour.copy()
    hour[outside] = ends[window[outside]] + rng.integers(1, 13, len(outside)).astype("m8[h]")
    names = np.array([TYPES.index(name) for name in rules.false_types])
    return Alerts(
        zones[rng.integers(0, len(zones), size)],
        walls.existing(hour, scene.timezone),
        names[draw(np.array([*rules.false_types.values()]), size, rng)],
        np.ones(size, dtype=np.int64),
        np.zeros(size, dtype=np.int64),
        window,
        np.full(size, -1),
    )


def _signs_of_life(hours: Moments, of: Ints, zones: Ints) -> Alerts:
    """Return a count of nothing at noon, each day and zone: silence then means a dead feed."""
    noon = np.flatnonzero(hours - hours.astype("datetime64[D]") == NOON)
    size = len(noon) * len(zones)
    none = np.zeros(size, dtype=np.int64)
    return Alerts(
        np.tile(zones, len(noon)),
        np.repeat(hours[noon], len(zones)),
        np.full(size, HEARTBEAT),
        none,
        none,
        np.repeat(of[noon], len(zones)),
        np.full(size, -1),
    )


def counts(every: Alerts, scene: Scene, year: int) -> Counts:
    """Return the counts of a year, ordered by hour, zone and type."""
    windows, use = scene.rules.vsi_alerte_agregee.windows, f"{NAME}/{year}"
    rules, zone_codes = scene.rules.vsi_alerte_agregee, scene.territory.quarters.code
    hour = every.hour.astype("datetime64[h]").astype(np.int64)
    # One number a row sorts ten times faster than three.
    packed, of = np.unique((hour * 1000 + every.zone) * 10 + every.type, return_inverse=True)
    rows = np.column_stack([packed // 10_000, packed // 10 % 1000, packed % 10])
    count = len(rows)
    alerts, true = (
        np.bincount(of, weights=values, minlength=count).astype(np.int64)
        for values in (every.alerts, every.true)
    )
    window = np.zeros(count, dtype=np.int64)
    window[of] = every.window
    rng = stream(scene.seed, f"{use}/confirmed")
    confirmed = rng.binomial(true, rules.confirmed_share)
    when = rows[:, 0].astype("datetime64[h]")
    spans = np.array([[np.datetime64(w.start, "s"), np.datetime64(w.end, "s")] for w in windows])
    outside = (when > spans[window, 1]) | (when < spans[window, 0])
    zone = columns.codes(zone_codes, rows[:, 1])
    text = columns.iso(when)
    kind = columns.codes(TYPES, rows[:, 2])
    ids = columns.joined(zone, "|", text, "|", kind)
    table = _table(rows, alerts, true, confirmed, window, spans, scene, rng)
    truth = pa.table(
        {"line": np.arange(1, count + 1), "id": ids, "true_alerts": true, "outside_window": outside}
    )
    behind = np.flatnonzero(every.incident >= 0)
    traces = pa.table({"id": ids.take(pa.array(of[behind])), "incident": every.incident[behind]})
    return Counts(table, truth, traces)


def _table(
    rows: Ints,
    alerts: Ints,
    true: Ints,
    confirmed: Ints,
    window: Ints,
    spans: Moments,
    scene: Scene,
    rng: np.random.Generator,
) -> pa.Table:
    """Return the lines; `rows` has hour, zone and type, `spans` start and end of each window."""
    count = len(rows)
    number = np.arange(count)
    orders = [one.order for one in scene.rules.vsi_alerte_agregee.windows]
    return pa.table(
        {
            "zone_id": columns.codes(scene.territory.quarters.code, rows[:, 1]),
            "heure": rows[:, 0].astype("datetime64[h]").astype("datetime64[s]"),
            "type": columns.codes(TYPES, rows[:, 2]),
            "technique": columns.codes(
                ("comptage", "ligne_franchie"), np.where(rows[:, 2] == HEARTBEAT, 0, 1)
            ),
            "nb_alertes": alerts,
            "nb_confirmees": confirmed,
            "nb_fausses": alerts - true,
            "nb_cameras_actives": rng.integers(4, 30, count),
            "dispo_pct": np.round(100 - rng.gamma(1.2, 3.0, count).clip(0, 90), 1),
            "base_legale": columns.codes(orders, window),
            "fenetre_debut": spans[window, 0],
            "fenetre_fin": spans[window, 1],
            "vignette": columns.numbered("vignette-fictive-", number, suffix=".jpg"),
            "plaque_lue": columns.numbered("FICTIVE-", number % 1000, 3),
            "gabarit_visage": columns.numbered("gabarit-fictif-", number),
        }
    )
