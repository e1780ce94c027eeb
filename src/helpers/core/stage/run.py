"""A notebook's run: its city, its knobs, what it reads, what it writes, and where that came from.

Each stage leaves `derived/<stage>/lineage.json`: the hashes of what it read and wrote. Following
these from a figure leads to the hash of each file as it was received.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import Workspace, find_root
from helpers.core.city.city import City, load_city
from helpers.core.stage import code_used, params
from helpers.core.stage.receipts import read_receipts

if TYPE_CHECKING:
    from helpers.core.stage.figure import Figure

LINEAGE = "lineage.json"
OF_INGEST = ("accepted", "quarantined", "observations", "cube", "zones")


class Run:
    """What a notebook needs: `city`, `knobs`, `view`, `keep`, `figure`, `finish`."""

    def __init__(self, stage: str, namespace: Mapping[str, Any]) -> None:
        self.stage = stage
        self.root = find_root()
        self.workspace = Workspace(self.root, namespace["city"])
        self.city: City = load_city(self.workspace)
        values = {name: namespace[name] for name in params.names(stage, self.root)}
        here = f"carnet {stage}, cellule des paramètres"
        self.knobs: Any = params.typed(stage, values, here, self.root)
        self.inputs: dict[str, str] = {}
        self.outs: dict[str, str] = {}
        self.con: duckdb.DuckDBPyConnection = store.connect()

    @cached_property
    def notebook(self) -> Path:
        """The notebook that bears the stage's name."""
        path = code_used.notebook_path(self.root, self.stage)
        if path is None:
            raise PhareError(
                f"aucun carnet nommé {self.stage}.ipynb",
                "notebooks/",
                "donner au carnet le nom de son étape",
            )
        return path

    @property
    def parameters(self) -> dict[str, Any]:
        """The knobs as plain values."""
        return params.plain(self.knobs)

    @cached_property
    def seed(self) -> int:
        """The seed of all random draws."""
        return params.seed(self.root)

    @cached_property
    def helpers(self) -> dict[str, str]:
        """Path → SHA-256 of each helper module that the notebook rests on."""
        names = code_used.notebook_helpers(self.notebook, self.root)
        return {name: store.sha256(self.root / name) for name in names}

    def read(self, name: str) -> Path:
        """Return the city's file `name` (`cube.parquet`, say), noted as an input."""
        path = self.workspace.data / name
        if not path.exists():
            raise PhareError(
                f"résultat absent : {name}",
                f"ville « {self.workspace.city} »",
                f"lancer `make run CITY={self.workspace.city} APPS=0`",
            )
        self.inputs[self.workspace.relative(path)] = store.sha256(path)
        return path

    def view(self, *names: str) -> duckdb.DuckDBPyConnection:
        """Make the city's Parquet files readable by their stems; return the connection."""
        for name in names:
            store.view(self.con, Path(name).stem, self.read(name))
        return self.con

    @property
    def folder(self) -> Path:
        """Where the stage's own results go."""
        return self.workspace.writes / "derived" / self.stage

    def table(self, view: str) -> pa.Table:
        """Return the rows of a view, in the order of its file."""
        return store.table(self.con, f"SELECT * FROM {store.quote(view)}")

    def keep(self, rows: pa.Table | str, name: str) -> None:
        """Write `rows` (a table or a query), fully ordered, as `derived/<stage>/<name>.parquet`."""
        query = rows
        if isinstance(rows, pa.Table):
            self.con.register("rows_to_keep", rows)
            query = "SELECT * FROM rows_to_keep"
        self.wrote(store.write(self.con, query, self.folder / f"{name}.parquet"))

    def figure(
        self, name: str, drawn: Any, *, title: str = "", description: str = "", badge: str = ""
    ) -> Figure:
        """Save a figure with its evidence (`figure.save`); return it, to be shown.

        `drawn` is a chart with its captions (`figure.Drawn`), or a chart alone whose `title` and
        `description` are given here. `badge` tells how reliable its sources are.
        """
        from helpers.core.stage.figure import Drawn, save  # draws: a stage of tables does without

        whole = drawn if isinstance(drawn, Drawn) else Drawn(drawn, title, description)
        return save(self, whole, name, badge=badge)

    def wrote(self, path: Path) -> Path:
        """Note `path` as one of the stage's outs."""
        self.outs[self.workspace.relative(path)] = store.sha256(path)
        return path

    def finish(self) -> None:
        """Write the stage's lineage; the last thing that a stage's notebook does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._lineage(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        (self.folder / LINEAGE).write_text(text, encoding="utf-8")

    def _lineage(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "city": self.workspace.city,
            "parameters": self.parameters,
            "notebook_sha256": code_used.notebook_sha256(self.notebook),
            "helpers_sha256": digest(self.helpers),
            "inputs": self.inputs,
            "outs": self.outs,
            "ancestry": self.ancestry(),
        }

    def ancestry(self) -> dict[str, Any]:
        """Return the stages above, the hashes they noted, and the files as received.

        Each lineage carries its own ancestry: only those of the stages read from are opened.
        """
        stages: dict[str, Any] = {}
        received: dict[str, Any] = {}
        for stage in _read_from(self.workspace, self.inputs):
            if stage in stages:  # told by one that rests on it
                continue
            lineage = _read_lineage(self.workspace, stage)
            above = lineage["ancestry"]
            stages |= above["stages"]
            stages[stage] = {k: lineage[k] for k in ("parameters", "inputs", "notebook_sha256")}
            received |= above["received"]
        if self.stage == "ingest":
            receipts = read_receipts(self.workspace.data / "raw")
            received = {name: _received(one) for name, one in receipts.items()}
        return {"stages": dict(sorted(stages.items())), "received": received}


def _received(receipt: dict[str, Any]) -> dict[str, Any]:
    files = [{k: one[k] for k in ("file", "sha256", "size", "rows")} for one in receipt["files"]]
    return {"files": files, **{k: receipt[k] for k in ("rows", "attribution", "licence")}}


def _read_from(workspace: Workspace, inputs: Mapping[str, str]) -> list[str]:
    """Return the stages whose outs these inputs are; the two at the bottom last.

    A figure's evidence tells its own ancestry: reading it is not reading from its stage.
    """
    found = set()
    for name in inputs:
        parts = name.removeprefix(f"data/{workspace.city}/").split("/")
        if parts[0] == "derived":
            found.add(parts[1])
        elif parts[0] == "raw":
            found.add("collect")
        elif parts[0].removesuffix(".parquet") in OF_INGEST:
            found.add("ingest")
    return sorted(found, key=lambda stage: (stage in ("ingest", "collect"), stage))


def _read_lineage(workspace: Workspace, stage: str) -> dict[str, Any]:
    path = workspace.data / "derived" / stage / LINEAGE
    if not path.is_file():
        raise PhareError(
            f"on ne sait pas d'où viennent les résultats de « {stage} »",
            workspace.relative(path),
            f"les refaire : make run CITY={workspace.city} APPS=0",
        )
    lineage: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return lineage


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value, independent of the order of its keys."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
