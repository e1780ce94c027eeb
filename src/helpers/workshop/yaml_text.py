"""Adding and taking out entries of YAML files that people write; all the rest stays as it was.

ruamel.yaml tells where entries lie and how values are written. The text is cut and joined rather
than dumped whole: a list that a person wrote over two lines would come back on one.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from textwrap import indent
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from helpers.core.base.errors import PhareError

WIDTH, ONE_LINE = 100, 1_000_000
STEP = "  "


def round_trip() -> YAML:
    """Return a reader and writer that keeps comments and quotes, laid out as our files are."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def inline(value: Any) -> str:
    """Return `value` as YAML on one line; what would be read as something else is quoted."""
    yaml = round_trip()
    yaml.width = ONE_LINE
    yaml.default_flow_style = True
    out = io.StringIO()
    yaml.dump(value, out)
    return out.getvalue().removesuffix("...\n").rstrip("\n")


def with_entry(
    text: str, block: Sequence[str], entry: str, *, shown_as: str, before: str | None = None
) -> str:
    """Return the file's text with `entry` (YAML of one key) in the block that `block` leads to.

    It goes before the key `before`, a blank line between; else after the block's last entry. A
    block that is not written line by line raises PhareError, naming `shown_as`.
    """
    lines = text.splitlines(keepends=True)
    found = _block(text, block, shown_as)
    added = indent(entry.rstrip("\n") + "\n", STEP * len(block))
    if before is not None:
        at = found.lc.key(before)[0]
        return "".join([*lines[:at], added, "\n", *lines[at:]])
    _, end = _span(lines, found, list(found)[-1])
    while not lines[end - 1].strip():
        end -= 1
    lines[end - 1] = lines[end - 1].rstrip("\n") + "\n"
    return "".join([*lines[:end], *([] if block else ["\n"]), added, *lines[end:]])


def without_entry(text: str, block: Sequence[str], name: str, *, shown_as: str) -> str:
    """Return the file's text without the entry `name` of a block; as it is if there is none."""
    found = _block(text, block, shown_as)
    if name not in found:
        return text
    lines = text.splitlines(keepends=True)
    start, end = _span(lines, found, name)
    if start and lines[start - 1].strip():  # the blank lines after it part what is left
        while not lines[end - 1].strip():
            end -= 1
    left = [*lines[:start], *lines[end:]]
    while end == len(lines) and left and not left[-1].strip():
        left.pop()
    return "".join(left)


def _block(text: str, path: Sequence[str], shown_as: str) -> CommentedMap:
    found: Any = round_trip().load(text)
    for name in path:
        found = found.get(name) if isinstance(found, CommentedMap) else None
    if not isinstance(found, CommentedMap) or not found or found.fa.flow_style():
        told = ".".join(path) or "(racine)"
        raise PhareError(
            f"pas de bloc « {told} » écrit ligne à ligne", shown_as, "l'écrire comme les autres"
        )
    return found


def _span(lines: Sequence[str], block: CommentedMap, name: str) -> tuple[int, int]:
    """Return the first line of an entry, and the line after its last: where the next key lies.

    Comments that stand right above the next key are of that key.
    """
    start, margin = block.lc.key(name)
    end = start + 1
    while end < len(lines) and (_no_key(lines[end]) or _margin(lines[end]) > margin):
        end += 1
    while lines[end - 1].lstrip().startswith("#") and _margin(lines[end - 1]) <= margin:
        end -= 1
    return start, end


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _no_key(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")
