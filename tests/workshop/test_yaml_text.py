"""Entries put into people's YAML and taken out again: all the rest is there, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from helpers.core.base.errors import PhareError
from helpers.workshop import yaml_text
from tests.fixtures.real import ROOT

PLACES: list[tuple[Path, list[str], str | None]] = [
    (ROOT / "params.yaml", [], None),
    (ROOT / "dvc.yaml", ["stages"], "evidence"),
    *[(path, ["sources"], None) for path in sorted((ROOT / "data/cities").glob("*/city.yaml"))],
    *[(path, ["themes"], None) for path in sorted((ROOT / "data/cities").glob("*/themes.yaml"))],
]
ENTRY = "essai:\n  a: 1  # un\n  b: [x, y]\n"


@pytest.mark.parametrize(("path", "block", "before"), PLACES)
def test_put_in_and_taken_out_leaves_the_file_as_it_was(
    path: Path, block: list[str], before: str | None
) -> None:
    text = path.read_text(encoding="utf-8")
    more = yaml_text.with_entry(text, block, ENTRY, shown_as="ici", before=before)
    assert yaml_text.without_entry(more, block, "essai", shown_as="ici") == text
    read, known = yaml.safe_load(more), yaml.safe_load(text)
    held = read
    for key in block:
        held = held[key]
    assert held.pop("essai") == {"a": 1, "b": ["x", "y"]}
    assert read == known
    lines = iter(more.splitlines())
    assert all(line in lines for line in text.splitlines()), "no line changed, none moved"


def test_comments_and_blank_lines_of_the_next_key_are_its_own() -> None:
    text = "a:\n  x: 1\n\n  # de a encore\n\n# de b\nb:\n  y: 2\n"
    assert yaml_text.without_entry(text, [], "a", shown_as="ici") == "# de b\nb:\n  y: 2\n"
    more = yaml_text.with_entry(text, ["a"], "z: 3", shown_as="ici")
    assert more.index("z: 3") < more.index("# de b")
    assert yaml.safe_load(more) == {"a": {"x": 1, "z": 3}, "b": {"y": 2}}


def test_last_entry_of_a_file_without_its_last_newline() -> None:
    more = yaml_text.with_entry("a:\n  x: 1", ["a"], "y: 2", shown_as="ici")
    assert more == "a:\n  x: 1\n  y: 2\n"


@pytest.mark.parametrize("text", ["a: {x: 1}\n", "b: 1\n", "a: []\n", "a:\n"])
def test_block_that_is_not_line_by_line_is_refused_and_named(text: str) -> None:
    with pytest.raises(PhareError, match="pas de bloc « a »") as caught:
        yaml_text.with_entry(text, ["a"], "y: 2", shown_as="ville/city.yaml")
    assert caught.value.where == "ville/city.yaml"


@pytest.mark.parametrize(
    "value", ["a: b", "a #b", "non", "01", "a, b", "{x}", "", "é", 0.5, [1, "a: b"], {"k": "x #y"}]
)
def test_what_is_written_on_one_line_is_read_the_same(value: object) -> None:
    told = yaml_text.inline(value)
    assert "\n" not in told
    assert yaml.safe_load(f"k: {told}") == {"k": value}
