"""What one run of a simulated city published, and what is said of each thing planted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from helpers.core.city.city import City
from helpers.simulate.settings import Settings
from helpers.simulate.world import build_world

Row = dict[str, Any]
YEAR = 364  # days
NOTHING = "—"


@dataclass(frozen=True)
class Said:
    """A thing planted (`due`) or left alone, where it is looked for, what is said, and if right."""

    what: str
    due: bool
    where: str
    sentence: str
    right: bool


@dataclass(frozen=True)
class Published:
    """What one run of a city published, beside what its pack plants."""

    city: City
    settings: Settings
    folder: Path

    def table(self, name: str) -> list[Row]:
        """Return the rows of a stage's table (`trends/levels`)."""
        rows: list[Row] = pq.read_table(self.folder / "derived" / f"{name}.parquet").to_pylist()
        return rows

    def line(self, stage: str, *parts: str) -> str:
        """Return the first line of a stage's report that holds all the parts; "—" if none does."""
        lines = self._lines[stage] if stage in self._lines else self._read(stage)
        return next((line for line in lines if all(part in line for part in parts)), NOTHING)

    @cached_property
    def hours(self) -> dict[str, float]:
        """Return quarter → ratio of the last year's true agent-hours to the year's before."""
        world = build_world(self.city.pack)
        daily = world.presence.hours.sum(axis=1)
        last, before = daily[-YEAR:].sum(axis=0), daily[-2 * YEAR : -YEAR].sum(axis=0)
        codes = [str(one) for one in world.territory.quarters.code]
        return dict(zip(codes, (last / np.maximum(before, 1e-9)).tolist(), strict=True))

    @cached_property
    def _lines(self) -> dict[str, list[str]]:
        return {}

    def _read(self, stage: str) -> list[str]:
        path = self.folder / "reports" / f"{stage}.ipynb"
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts = [
            "".join(output["data"]["text/markdown"])
            for cell in cells
            for output in cell.get("outputs", [])
            if "text/markdown" in output.get("data", {})
        ]
        self._lines[stage] = [line.strip(" -") for text in texts for line in text.splitlines()]
        return self._lines[stage]

    @cached_property
    def names(self) -> dict[str, str]:
        """Code of a zone → its name."""
        rows = pq.read_table(self.folder / "zones.parquet", columns=["code", "name"]).to_pylist()
        return {row["code"]: row["name"] for row in rows}
