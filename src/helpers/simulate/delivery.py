"""Writing the simulated city: what a vendor would deliver, and apart, the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from helpers.city import City
from helpers.simulate import columns, records
from helpers.simulate.defects import PLACE_DEFECTS
from helpers.simulate.facts import Stratum, draw_facts, strata
from helpers.simulate.intensity import Ground, build_ground
from helpers.simulate.records import Records
from helpers.simulate.rhythm import Clock, build_clock
from helpers.simulate.settings import Settings, Source, load_settings
from helpers.simulate.shapes import Territory, build_territory, write_geojson
from helpers.simulate.streams import Ints

CSV = pacsv.WriteOptions(delimiter=";", quoting_style="none", quoting_header="none")


@dataclass(frozen=True)
class Simulation:
    """A pack with its settings, and what they determine before any fact is drawn."""

    city: City
    settings: Settings

    @cached_property
    def territory(self) -> Territory:
        return build_territory(self.city.pack, self.settings, self.city.about.crs)

    @cached_property
    def ground(self) -> Ground:
        return build_ground(self.territory, self.settings)

    @cached_property
    def clock(self) -> Clock:
        about = self.city.about
        return build_clock(about.period.start, about.period.end, self.settings.time, about.timezone)

    def sources(self) -> Iterator[tuple[str, Source, list[Stratum], Records]]:
        """Yield each source of facts: its name, rules, expected facts, and records."""
        rules, seed = self.settings.sources, self.settings.seed
        for name in type(rules).model_fields:
            source: Source = getattr(rules, name)
            found = strata(self.ground, self.clock, name, source, self.settings.scale)
            facts = draw_facts(self.ground, self.clock, found, seed, name)
            dress = getattr(records, name)
            yield name, source, found, dress(facts, source, self.ground, self.clock, seed)


def deliver(pack: Path, folder: Path) -> None:
    """Write the files of the pack's simulated city into `folder`, as a vendor would.

    `quartiers.geojson` (WGS 84), `main_courante.csv` and `signalement.csv` (UTF-8, `;`, local
    wall times, degrees with six decimals), under the names that city.yaml gives. They hold
    columns that the contracts refuse, and defects. Same pack, same bytes. Raises `PhareError`
    where the pack is wrong.
    """
    simulation = Simulation(City(pack), load_settings(pack))
    files = {name: folder / s.file for name, s in simulation.city.about.sources.items()}
    folder.mkdir(parents=True, exist_ok=True)
    write_geojson(simulation.territory, files["quartiers"])
    for name, _, _, made in simulation.sources():
        lines = made.lines.take(pa.array(_line_order(made)))
        pacsv.write_csv(lines, files[name], CSV)


def write_truth(pack: Path, folder: Path) -> None:
    """Write what only scoring may read into `folder`, as two Parquet files a source.

    `<source>_lines`: one row a delivered line, in the file's order: record (0-based), true type,
    moment (local wall clock), place (degrees), cell (south-west corner, metres), and defects.
    `<source>_expected`: expected facts by type, initiator and cell over the period (a coastal
    cell has its own season).
    """
    simulation = Simulation(City(pack), load_settings(pack))
    folder.mkdir(parents=True, exist_ok=True)
    for name, source, found, made in simulation.sources():
        pq.write_table(
            _true_lines(simulation.territory, source, made), folder / f"{name}_lines.parquet"
        )
        pq.write_table(
            _expected(simulation.territory, source, found), folder / f"{name}_expected.parquet"
        )


def _line_order(made: Records) -> Ints:
    """Return the record of each line: a repeated record comes twice in a row."""
    return np.repeat(np.arange(made.lines.num_rows), 1 + made.labels.repeated.astype(np.int64))


def _true_lines(territory: Territory, source: Source, made: Records) -> pa.Table:
    order = _line_order(made)
    facts, labels = records.take(made.facts, order), made.labels.take(order)
    again = np.concatenate(([False], order[1:] == order[:-1]))
    return pa.table(
        {
            "record": order,
            "type": columns.codes(list(source.types), facts.kind),
            "initiator": columns.codes(list(source.initiators), facts.initiator),
            "moment": facts.moment.astype("datetime64[s]"),
            "longitude": facts.longitude,
            "latitude": facts.latitude,
            "cell_east": territory.east[facts.cell] * territory.cell_m,
            "cell_north": territory.north[facts.cell] * territory.cell_m,
            "place_defect": columns.codes(PLACE_DEFECTS, labels.place),
            "unknown_code": labels.unknown_code,
            "late": labels.late,
            "duplicate": again,
        }
    )


def _expected(territory: Territory, source: Source, found: list[Stratum]) -> pa.Table:
    cells = np.concatenate([s.cells for s in found])

    def each(values: list[int]) -> Ints:
        return np.repeat(np.array(values, dtype=np.int64), [len(s.cells) for s in found])

    return pa.table(
        {
            "type": columns.codes(list(source.types), each([s.kind for s in found])),
            "initiator": columns.codes(list(source.initiators), each([s.initiator for s in found])),
            "cell_east": territory.east[cells] * territory.cell_m,
            "cell_north": territory.north[cells] * territory.cell_m,
            "quarter": columns.codes(territory.quarters.code, territory.quarter[cells]),
            "expected": np.concatenate([s.place for s in found]),
        }
    )
