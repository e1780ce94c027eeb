"""What happened, as each source of facts tells it. What is told later waits for its year."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from helpers.simulate.sources import (
    fourriere,
    intervention,
    main_courante,
    pve,
    signalement,
    vsi_alerte_agregee,
)
from helpers.simulate.sources.arrays import concat, take, year_of
from helpers.simulate.sources.lines import Lines, lost
from helpers.simulate.sources.main_courante import Corrections, Entries
from helpers.simulate.sources.scattered import expected_lines, scattered
from helpers.simulate.sources.scene import Facts, Part, Scene
from helpers.simulate.sources.vsi_alerte_agregee import Alerts
from helpers.simulate.streams import Bools, Ints, draw, stream

AGENT = 1


@dataclass(frozen=True)
class Happened:
    """Every incident of a chunk (a year, or a layer of it), and which of them the log records."""

    incidents: Facts
    recorded: Bools


@dataclass(frozen=True)
class Piece:
    """One file: its source, what sets its name apart, its table, and the truth about its lines.

    A layer of shapes has `draw`, which writes it, and no table. `lines` has a row a line, `planted`
    a row a personal string, `traces` a row an incident told.
    """

    source: str
    part: str
    table: pa.Table | None
    lines: pa.Table | None = None
    planted: pa.Table | None = None
    traces: pa.Table | None = None
    draw: Callable[[Path], None] | None = None


@dataclass
class Telling:
    """Tells chunk after chunk, in the order of time; keeps what is entered or asked later."""

    scene: Scene
    zones: Ints
    _entries: dict[int, Entries] = field(default_factory=dict)
    _reports: dict[int, Facts] = field(default_factory=dict)
    _corrections: list[Corrections] = field(default_factory=list)
    _alerts: list[Alerts] = field(default_factory=list)

    def tell(self, happened: Happened, part: Part) -> Iterator[Piece]:
        """Yield the files of a part of a year; with its last layer, those of the whole year."""
        scene = self.scene
        log, ids = self._log(happened, part)
        yield _piece(main_courante.NAME, part.name, log)
        recorded = take(happened.incidents, happened.recorded)
        dispatches = intervention.lines(recorded, ids, scene, part)
        yield _piece(intervention.NAME, part.name, dispatches)
        yield from self._asked(happened, part)
        agents = take(recorded, recorded.initiator == AGENT)
        fines = pve.fined(agents, scene, part)
        yield _piece(pve.NAME, part.name, pve.lines(fines, scene, part))
        removals = fourriere.removed(fines, scene, part)
        yield _piece(fourriere.NAME, part.name, fourriere.lines(removals, scene, part))
        found = vsi_alerte_agregee.alerts(happened.incidents, self.zones, scene, part)
        self._alerts.append(found)
        if part.layer == part.layers - 1:
            yield from self._counted(part.year)

    def _counted(self, year: int) -> Iterator[Piece]:
        every = self._alerts[0]
        for more in self._alerts[1:]:
            every = concat(every, more)
        self._alerts.clear()
        counts = vsi_alerte_agregee.counts(every, self.scene, year)
        if counts.table.num_rows:
            name = vsi_alerte_agregee.NAME
            yield Piece(name, str(year), counts.table, counts.truth, None, counts.traces)

    def corrections(self) -> Piece:
        """Return the last file of the log: later versions of entries, in the order in which they
        were made."""
        when = np.concatenate([one.when for one in self._corrections])
        order = pa.array(np.argsort(when, kind="stable"))
        table = pa.concat_tables([one.table for one in self._corrections]).take(order)
        truth = pa.concat_tables([one.truth for one in self._corrections]).take(order)
        number = pa.array(np.arange(1, truth.num_rows + 1))
        truth = truth.set_column(0, "line", number)
        return Piece(main_courante.NAME, "corrections", table, truth)

    def _log(self, happened: Happened, part: Part) -> tuple[Lines, pa.Array]:
        """Return the log's lines of a part, and the number of each incident recorded, if known."""
        recorded = take(happened.incidents, happened.recorded)
        told = take(recorded, ~lost(recorded, self.scene, main_courante.NAME))
        entered = main_courante.entries(told, self.scene, f"{main_courante.NAME}/{part.name}")
        if part.layer in self._entries:
            entered = concat(self._entries[part.layer], entered)
        due = (year_of(entered.recorded) <= part.year) & (entered.recorded < self.scene.end)
        self._entries[part.layer] = take(entered, ~due)
        now = take(entered, due)
        now = take(now, np.argsort(now.recorded, kind="stable"))
        lines, corrections, ids = main_courante.written(now, self.scene, part)
        self._corrections.append(corrections)
        return lines, _numbers(recorded.incident, now.facts.incident, ids)

    def _asked(self, happened: Happened, part: Part) -> Iterator[Piece]:
        """Yield the citizens' reports of a part, a file a quarter of its year."""
        reports = _reports(happened.incidents, self.scene, part)
        if part.layer in self._reports:
            reports = concat(self._reports[part.layer], reports)
        due = year_of(reports.moment) <= part.year
        self._reports[part.layer] = take(reports, ~due)
        lines = signalement.lines(take(reports, due), self.scene, part)
        quarter = signalement.quarter_of_year(lines.moment)
        for number in range(1, 5):
            own = np.flatnonzero(quarter == number)
            if len(own):
                name = part.name.replace(str(part.year), f"{part.year}T{number}", 1)
                yield _piece(signalement.NAME, name, _slice(lines, own))


def _reports(incidents: Facts, scene: Scene, part: Part) -> Facts:
    """Return the reports that incidents give rise to, and those of facts that nobody else sees."""
    rules, use = scene.rules.signalement, f"{signalement.NAME}/{part.name}"
    seen = signalement.reported(incidents, scene, use)
    yearly = rules.records_per_year * (1 - rules.defects.duplicate)
    wanted = expected_lines(yearly, incidents, scene)
    rng = stream(scene.seed, f"{use}/alone")
    size = int(rng.poisson(max(0.0, wanted - len(seen.kind))))
    shares = np.array([one.share for one in rules.objects.values()])
    kind = draw(shares, size, rng)
    pool = take(incidents, incidents.initiator == signalement.CITIZEN)
    every = concat(seen, scattered(pool, size, kind, signalement.CITIZEN, scene, use))
    return take(every, ~signalement.withheld(every, scene, use))


def _numbers(incidents: Ints, entered: Ints, ids: pa.Array) -> pa.Array:
    """Return the id of the entry of each incident; null where it has not been entered."""
    order = np.argsort(entered, kind="stable")
    if not len(order):
        return pa.nulls(len(incidents), pa.string())
    at = np.minimum(np.searchsorted(entered[order], incidents), len(order) - 1)
    known = entered[order[at]] == incidents
    return ids.take(pa.array(order[at], mask=~known))


def _slice(lines: Lines, own: Ints) -> Lines:
    """Return some lines in a row as a file of their own, numbered from 1."""
    first, count = int(own[0]), len(own)
    number = pa.array(np.arange(1, count + 1))
    truth = lines.truth.slice(first, count).set_column(0, "line", number)
    at = lines.planted["line"].to_numpy() - first
    here = np.flatnonzero((at >= 1) & (at <= count))
    planted = lines.planted.take(pa.array(here)).set_column(0, "line", pa.array(at[here]))
    return Lines(lines.table.slice(first, count), truth, planted, lines.moment[own])


def _piece(source: str, part: str, lines: Lines) -> Piece:
    truth = lines.truth
    told = truth.filter(
        pa.compute.and_(
            pa.compute.is_valid(truth["incident"]), pa.compute.equal(truth["duplicate"], "none")
        )
    )
    traces = told.select(["id", "incident"])
    return Piece(source, part, lines.table, truth, lines.planted, traces)
