"""Adding and taking out entries of YAML files that people write; all the rest stays as it was.

ruamel.yaml tells where entries lie and how values are written. The text is cut and joined rather
than dumped whole: a list that a person wrote over two lines would come back on one.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from textwrap import indent
from typing import Any

import yaml as pyyaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import SingleQuotedScalarString

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
    yaml.dump(quoted(value), out)
    return out.getvalue().removesuffix("...\n").rstrip("\n")


def quoted(value: Any) -> Any:
    """Return `value`, quoting the texts that YAML 1.1 reads as something else: no, on, 1:30."""
    match value:
        case dict():
            return {quoted(key): quoted(one) for key, one in value.items()}
        case list() | tuple():
            return [quoted(one) for one in value]
        case str() if value and _read_as(value) != "tag:yaml.org,2002:str":
            return SingleQuotedScalarString(value)
        case _:
            return value


def _read_as(text: str) -> Any:
    """Return the tag of what PyYAML, by which our files are read, takes a plain text for."""
    resolver = pyyaml.SafeLoader("")
    return resolver.resolve(pyyaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]


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


def with_items(text: str, path: Sequence[str], items: Sequence[str], *, shown_as: str) -> str:
    """Return the file's text with texts added to the list that `path` leads to, after its last.

    The list may be written on a line or several, or an item a line; PhareError where there is none.
    """
    found = _node(text, path, pyyaml.SequenceNode, shown_as)
    at = found.value[-1].end_mark.index
    if not found.flow_style:
        end = text.find("\n", at)
        at = len(text) if end < 0 else end
        margin = "\n" + " " * found.start_mark.column + "- "
        return text[:at] + "".join(margin + inline([one])[1:-1] for one in items) + text[at:]
    margin, column, added = found.value[0].start_mark.column, found.value[-1].end_mark.column, ""
    for one in items:
        said = inline([one])[1:-1]
        if column + len(said) + 4 > WIDTH:  # a comma before, a bracket behind
            added, column = f"{added},\n{' ' * margin}{said}", margin + len(said)
        else:
            added, column = f"{added}, {said}", column + len(said) + 2
    return text[:at] + added + text[at:]


def with_key(text: str, path: Sequence[str], key: str, value: Any, *, shown_as: str) -> str:
    """Return the file's text with a key more in the block, or the `{…}`, that `path` leads to."""
    found = _node(text, path, pyyaml.MappingNode, shown_as)
    said = f"{inline(key)}: {inline(value)}"
    if not found.flow_style:
        return with_entry(text, path, said, shown_as=shown_as)
    if not found.value:
        at = found.start_mark.index + 1
        return text[:at] + said + text[at:]
    at = found.value[-1][1].end_mark.index
    return f"{text[:at]}, {said}{text[at:]}"


def _node(text: str, path: Sequence[str], kind: type[pyyaml.Node], shown_as: str) -> Any:
    """Return the node, with its place in the text, that the keys of `path` lead to."""
    found: Any = pyyaml.compose(text, Loader=pyyaml.SafeLoader)
    for name in path:
        pairs = found.value if isinstance(found, pyyaml.MappingNode) else []
        found = next((value for key, value in pairs if key.value == name), None)
    if not isinstance(found, kind) or (kind is pyyaml.SequenceNode and not found.value):
        raise PhareError(f"pas de « {'.'.join(path)} » à compléter", shown_as, "l'écrire à la main")
    return found


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
