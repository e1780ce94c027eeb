"""What only scoring may read: written apart, from the same draws as the delivered files."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from helpers.simulate import truth_world
from helpers.simulate.delivery import file_name
from helpers.simulate.records import tell
from helpers.simulate.sources.lines import plain
from helpers.simulate.sources.telling import Piece
from helpers.simulate.world import build_world


class _Tables:
    """Parquet files that grow piece by piece: memory holds a year at most."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._writers: dict[str, pq.ParquetWriter] = {}

    def add(self, name: str, table: pa.Table, **told: str) -> None:
        """Add rows to the table `name`, with the same text in front of each for every `told`."""
        for column, text in reversed(told.items()):
            table = table.add_column(0, column, pa.array([text] * table.num_rows, pa.string()))
        table = plain(table)
        if name not in self._writers:
            path = self._folder / f"{name}.parquet"
            writer = pq.ParquetWriter(path, table.schema, compression="zstd")
            self._writers[name] = self._stack.enter_context(writer)
        self._writers[name].write_table(table)


def write_truth(pack: Path, folder: Path) -> None:
    """Write what only scoring may read into `folder`.

    Of the lines: `<source>_lines`, one row a delivered line (`file` and `line`, 1 for the first
    data row; id, incident, true type, moment in the local wall clock, place in degrees, the
    south-west corner of the cell in metres, and its defects); `traces`, source, id as delivered,
    incident; `personal`, the planted strings with line and column; `feeds.json`, outages,
    fadings, renamings, default points.

    Of the world: `incidents` (all that happened, who recorded it: nobody where empty), `expected`
    (first incidents expected of each kind and cell over the period, before events and actions),
    `actions` and `action_cells`, `events`, `presence` (agent-hours by day, slot, quarter),
    `context` (by what a step more of a feature of quarters multiplies a kind), `survey` (share of
    adults who feel quiet, by wave, quarter and age); `planted.json`, episodes, addresses, holidays;
    `counting.json`, what is planted at the counters; `shocks.json`, what inhabitants answer to
    grave facts.
    """
    world = build_world(pack)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        tables = _Tables(folder, stack)
        for name, table in truth_world.tables(world):
            tables.add(name, table)
        for piece in tell(world):
            _add(tables, piece, file_name(world.city, piece))
    rules = world.settings.sources.model_dump(mode="json")
    feeds = {name: rules[name] for name in ("outages", "fadings", "renamings", "default_points")}
    text = json.dumps(feeds, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    (folder / "feeds.json").write_text(text, encoding="utf-8")
    told = world.settings.model_dump(mode="json", include={"planted": True, "time": {"episodes"}})
    text = json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    (folder / "planted.json").write_text(text, encoding="utf-8")
    text = json.dumps(rules["shocks"], ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    (folder / "shocks.json").write_text(text, encoding="utf-8")
    planted = ("closed", "surges", "gatherings", "dead", "changed")
    told = {name: rules["comptage"][name] for name in planted}
    text = json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    (folder / "counting.json").write_text(text, encoding="utf-8")


def _add(tables: _Tables, piece: Piece, file: str) -> None:
    if piece.lines is not None:
        tables.add(f"{piece.source}_lines", piece.lines, file=file)
    if piece.planted is not None:
        tables.add("personal", piece.planted, source=piece.source, file=file)
    if piece.traces is not None:
        tables.add("traces", piece.traces, source=piece.source)
