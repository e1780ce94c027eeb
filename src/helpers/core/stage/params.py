"""Typed parameters: `params.yaml`, one block a notebook, unknown keys refused.

The model of a block is `Knobs`, in `knobs.py` of the room that bears the stage's name. For a stage
without a room it is what its notebook says: the names and kinds of the values of its `parameters`
cell.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, create_model

from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import find_root
from helpers.core.base.yaml_models import Strict, read_yaml, validated
from helpers.core.stage import code_used

FILE = "params.yaml"
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


def stages(root: Path) -> list[str]:
    """Return the names of the stages, in the order of dvc.yaml."""
    return list(read_yaml(root / "dvc.yaml", "dvc.yaml")["stages"])


def model(stage: str, root: Path) -> type[Strict] | None:
    """Return the model of the stage's block, None where neither room nor notebook tells it."""
    name = f"helpers.{stage}.knobs"
    if find_spec(f"helpers.{stage}") is None or find_spec(name) is None:
        return _of_cell(stage, root)
    found: type[Strict] = import_module(name).Knobs
    return found


def _of_cell(stage: str, root: Path) -> type[Strict] | None:
    """Return a model of the values in the `parameters` cell of the stage's notebook."""
    notebook = code_used.notebook_path(root, stage)
    if notebook is None:
        return None
    told = [
        code_used.source_of(cell)
        for cell in code_used.read_notebook(notebook)["cells"]
        if "parameters" in cell["metadata"].get("tags", [])
    ]
    fields: dict[str, Any] = {
        ast.unparse(node.targets[0]): (_kind(node.value), ...)
        for node in ast.parse("\n".join(told)).body
        if isinstance(node, ast.Assign)
    }
    fields.pop("city", None)
    return create_model(f"Knobs_{stage}", __base__=Strict, **fields)


def _kind(value: ast.expr) -> Any:
    """Return the type of a value as it is written: a number may be whole or not."""
    try:
        kind: type = type(ast.literal_eval(value))
    except ValueError:
        return Any
    return {int: int | float, float: int | float}.get(kind, kind)


def whole(root: Path) -> type[Strict]:
    """Return the model of the whole file: the seed, and a block for each stage."""
    blocks: dict[str, Any] = {}
    for stage in stages(root):
        typed = model(stage, root)
        blocks[stage] = (typed, ...) if typed else (dict[str, Any], {})
    return create_model("Params", __base__=Strict, __doc__="The whole of `params.yaml`.",
                        seed=(Seed, ...), **blocks)  # fmt: skip


def load(root: Path | None = None) -> Any:
    """Read and check `params.yaml`; a misspelt key or a value out of bounds raises PhareError."""
    here = root or find_root()
    return validated(whole(here), read_yaml(here / FILE, FILE), FILE)


def seed(root: Path | None = None) -> int:
    """Return the seed of all random draws."""
    content = read_yaml((root or find_root()) / FILE, FILE)
    checked: Any = validated(create_model("Seed", __base__=Strict, seed=(Seed, ...)),
                             {"seed": content.get("seed")}, FILE)  # fmt: skip
    return int(checked.seed)


def knobs(stage: str, root: Path | None = None) -> Any:
    """Return the stage's block, typed by its model; a mapping where it has none."""
    here = root or find_root()
    content = read_yaml(here / FILE, FILE)
    if not isinstance(content.get(stage), Mapping):
        raise PhareError(f"aucun bloc « {stage} »", FILE, f"ajouter un bloc `{stage}:` à {FILE}")
    return typed(stage, content[stage], FILE, here)


def names(stage: str, root: Path | None = None) -> list[str]:
    """Return the names of the stage's knobs: those of its model, else of its block."""
    found = model(stage, root or find_root())
    return list(found.model_fields) if found else list(block(stage, root))


def typed(stage: str, values: Mapping[str, Any], shown_as: str, root: Path | None = None) -> Any:
    """Return the values of a stage's block, checked by its model if it has one."""
    found = model(stage, root or find_root())
    if found is None:
        return dict(values)
    around = create_model("Block", __base__=Strict, **{stage: (found, ...)})  # type: ignore[call-overload]
    return getattr(validated(around, {stage: values}, shown_as), stage)


def plain(knobs: Any) -> dict[str, Any]:
    """Return knobs as plain values, in the order of their model."""
    return knobs.model_dump(mode="json") if isinstance(knobs, Strict) else dict(knobs)


def block(stage: str, root: Path | None = None) -> dict[str, Any]:
    """Return the knobs of `stage` as plain values, in the order of their model."""
    return plain(knobs(stage, root))
