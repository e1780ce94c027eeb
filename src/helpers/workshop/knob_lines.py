"""The knobs as `params.yaml` tells them: value, and the comment that gives unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from helpers.workshop import yaml_text


@dataclass(frozen=True)
class KnobLine:
    """One knob: its name, its value (in Python's types, and as written), what its comment says."""

    name: str
    value: Any
    written: str
    comment: str


def knob_lines(path: Path) -> dict[str, list[KnobLine]]:
    """Return stage → its knobs, in the order of the file `path`."""
    written = yaml_text.round_trip().load(path.read_text(encoding="utf-8"))
    return {
        stage: [
            KnobLine(name, _plain(value), yaml_text.inline(_bare(value)), _comment(block, name))
            for name, value in block.items()
        ]
        for stage, block in written.items()
        if isinstance(block, CommentedMap)
    }  # fmt: skip


def _comment(block: CommentedMap, name: str) -> str:
    """Return the comment on the knob's own line; what stands before the next block is not its."""
    tokens = [t for place in block.ca.items.get(name, []) for t in _flat(place)]
    own = [token.value.split("\n")[0] for token in tokens]
    return next((line.strip().removeprefix("#").strip() for line in own if line.strip()), "")


def _flat(place: Any) -> list[Any]:
    return [] if place is None else place if isinstance(place, list) else [place]


def _bare(value: Any) -> Any:
    """Return the value without its comments and layout; numbers keep their digits (0.90)."""
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items()}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
