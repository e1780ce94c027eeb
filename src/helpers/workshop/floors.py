"""The import contract of floors, in which `*` stands for every room that no floor names.

A new room needs no line in pyproject.toml: it stands on the floor of the rooms that measure, which
leave one another alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from grimp import ImportGraph
from importlinter import ContractCheck
from importlinter.contracts.layers import Layer, LayersContract, ModuleTail

OTHERS = ModuleTail("*")


class FloorsContract(LayersContract):
    """Layers of one container, `*` among them."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Check the layers once `*` is told in names."""
        options = cast(Any, self)  # import-linter declares its options as fields, not as values
        (container,) = options.containers
        children = graph.find_children(container.expression)
        rooms = {ModuleTail(name.rpartition(".")[2]) for name in children}
        named = {tail for floor in options.layers for tail in floor.module_tails}
        options.layers = [_told(floor, rooms - named) for floor in options.layers]
        return super().check(graph, verbose)


def _told(floor: Layer, others: set[ModuleTail]) -> Layer:
    if OTHERS not in floor.module_tails:
        return floor
    return replace(floor, module_tails=floor.module_tails - {OTHERS} | others)
