"""Every notebook opens with its question, ends with its answer, and holds no logic."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from helpers.core.stage import params
from helpers.workshop import notebooks
from tests.fixtures.real import ROOT

BOOKS = sorted(
    path
    for path in (ROOT / "notebooks").rglob("*.ipynb")
    if path.parent.name != "apps" and ".ipynb_checkpoints" not in path.parts
)
WRITTEN = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
LONGEST = 15

PAGES = sorted((ROOT / "notebooks/apps").glob("*.ipynb"))

each_book = pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if kind in (None, cell["cell_type"])]


def text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def parsed(cell: dict[str, Any]) -> ast.Module:
    lines = [line for line in text(cell).split("\n") if not line.startswith(("%", "!"))]
    return ast.parse("\n".join(lines))


def test_there_are_notebooks_to_look_at() -> None:
    assert {path.stem for path in BOOKS} >= {"collect", "ingest", "hotspots", "situation"}


def test_notebooks_are_stripped() -> None:
    dirty = [path.relative_to(ROOT).as_posix() for path in notebooks.strip(ROOT, check=True)]
    assert dirty == [], "lancer `python -m helpers.workshop.notebooks strip`"


@each_book
def test_no_output_no_count_no_trace_of_a_person(path: Path) -> None:
    """Seen with the format's own library, not with ours."""
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert set(book.metadata) <= {"kernelspec", "title"}
    for cell in book.cells:
        assert set(cell.metadata) <= {"tags"}
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@each_book
def test_kernelspec_is_kept(path: Path) -> None:
    """Papermill cannot run a notebook without it."""
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    assert metadata["kernelspec"]["name"] == "python3"
    assert metadata["title"]


@pytest.mark.parametrize("books", [BOOKS, PAGES], ids=["notebooks", "pages"])
def test_each_has_a_title_of_its_own(books: list[Path]) -> None:
    """That of the template stayed in two: their reports bore the name of another question."""
    titles = [json.loads(book.read_text(encoding="utf-8"))["metadata"]["title"] for book in books]
    assert sorted(set(titles)) == sorted(titles)


@pytest.mark.parametrize("path", [*BOOKS, *PAGES], ids=lambda path: path.stem)
def test_opens_with_its_question_its_readers_and_its_limits(path: Path) -> None:
    first = cells(path)[0]
    assert first["cell_type"] == "markdown"
    heading = text(first).splitlines()[0]
    assert heading.startswith("# ")
    assert heading.rstrip().endswith("?")
    assert "**Pour qui**" in text(first)
    assert "**Jusqu'où s'y fier**" in text(first)


@each_book
def test_ends_with_its_answer(path: Path) -> None:
    last = cells(path, "markdown")[-1]
    assert text(last).splitlines()[0] == "## Réponse"
    assert cells(path)[-1]["cell_type"] == "code"
    assert "run.finish()" in text(cells(path)[-1])


@each_book
def test_cells_are_short_and_define_nothing(path: Path) -> None:
    for number, cell in enumerate(cells(path, "code"), start=1):
        if "parameters" in cell["metadata"].get("tags", []):
            continue  # as long as its block
        lines = [line for line in text(cell).splitlines() if line.strip()]
        assert len(lines) <= LONGEST, f"cellule {number} : {len(lines)} lignes"
        for node in ast.walk(parsed(cell)):
            assert not isinstance(
                node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
            ), f"cellule {number} : la logique va dans src/helpers"


@each_book
def test_parameters_cell_names_the_knobs_of_its_block_and_no_other(path: Path) -> None:
    """In plain values, which Papermill's users expect: `notebooks parameters` writes them."""
    tagged = [c for c in cells(path) if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1
    tree = parsed(tagged[0])
    names: list[str] = []
    for node in tree.body:
        assert isinstance(node, ast.Assign)
        ast.literal_eval(node.value)
        for target in node.targets:
            names += [one.id for one in ast.walk(target) if isinstance(one, ast.Name)]
    assert sorted(names) == sorted(["city", *params.block(path.stem, ROOT)])
    assert sorted(params.block(path.stem, ROOT)) == sorted(WRITTEN[path.stem] or {})


@each_book
def test_parameters_cell_gives_each_knob_its_own_value(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names and asked knobs in one order: swapped ones would pass unseen."""
    monkeypatch.chdir(path.parent)
    tagged = next(c for c in cells(path) if "parameters" in c["metadata"].get("tags", []))
    found: dict[str, Any] = {}
    exec(compile(parsed(tagged), path.name, "exec"), found)
    for name, value in (WRITTEN[path.stem] or {}).items():
        assert found[name] == value, name


@each_book
def test_stage_run_is_the_one_of_its_name(path: Path) -> None:
    source = "\n".join(text(cell) for cell in cells(path, "code"))
    assert re.findall(r'Run\("(\w+)"', source) == [path.stem]


@each_book
def test_prose_is_french_and_code_reads_no_raw_file(path: Path) -> None:
    prose = "\n".join(text(cell) for cell in cells(path, "markdown"))
    assert not re.search(r"\b(the|which|where|with|and)\b", prose)
    source = "\n".join(text(cell) for cell in cells(path, "code"))
    assert not re.search(r"open\(|read_csv|read_parquet|urllib|requests|SELECT .* raw", source)
