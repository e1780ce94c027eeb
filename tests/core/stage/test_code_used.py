"""What a notebook rests on: found in full, hashed by what is said, listed in dvc.yaml."""

from __future__ import annotations

import ast
import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from helpers.core.stage import code_used
from tests.fixtures.real import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
RUNNER = "src/helpers/core/stage/execute.py"
BARE = "src/helpers/__init__.py"

# Imports what the notebook's own import lines name, and tells which helpers got loaded.
LOADED = """
import ast, json, pathlib, sys
root = pathlib.Path(sys.argv[1])
found = {}
for stage in sys.argv[2:]:
    for name in [n for n in sys.modules if n.split('.')[0] == 'helpers']:
        del sys.modules[name]
    path = next(p for p in root.glob(f'notebooks/*/{stage}.ipynb') if p.parent.name != 'apps')
    cells = json.loads(path.read_text())['cells']
    code = '\\n'.join(''.join(c['source']) for c in cells if c['cell_type'] == 'code')
    imports = [n for n in ast.parse(code).body if isinstance(n, (ast.Import, ast.ImportFrom))]
    exec(compile(ast.Module(imports, []), stage, 'exec'), {})
    found[stage] = sorted(
        pathlib.Path(m.__file__).relative_to(root).as_posix()
        for n, m in sys.modules.items() if n.split('.')[0] == 'helpers' and m
    )
print(json.dumps(found))
"""


def notebook(*sources: str, outputs: bool = False) -> dict[str, object]:
    cells = [
        {
            "cell_type": "code",
            "id": f"{i}",
            "metadata": {},
            "source": source.splitlines(keepends=True),
            "execution_count": i if outputs else None,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "ok"}] * outputs,
        }
        for i, source in enumerate(sources)
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def small_root(folder: Path, **modules: str) -> Path:
    """Return a root with helper modules of the given texts."""
    for name, text in {"__init__": "", **modules}.items():
        path = folder / "src/helpers" / f"{name.replace('__', '/', name.count('__') - 2)}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_closure_holds_every_module_that_python_really_loads() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, str(ROOT), *STAGES],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    loaded = json.loads(done.stdout)
    assert set(loaded) == set(STAGES)
    for stage, modules in loaded.items():
        path = code_used.notebook_path(ROOT, stage)
        assert path is not None
        missed = set(modules) - set(code_used.notebook_helpers(path, ROOT))
        assert missed == set(), f"{stage} charge aussi {sorted(missed)}"
        assert "src/helpers/core/stage/run.py" in modules


def test_closure_follows_imports_inside_functions_and_magics_do_not_stop_it(
    tmp_path: Path,
) -> None:
    root = small_root(
        tmp_path,
        a="from helpers import b\n",
        b="def f():\n    from helpers.c import g\n    return g\n",
        c="import numpy\n",
        d="",
    )
    path = write(root / "notebooks/x/a.ipynb", notebook("%load_ext x\n!ls\n", "import helpers.a"))
    assert code_used.notebook_helpers(path, root) == [
        "src/helpers/a.py",
        "src/helpers/b.py",
        "src/helpers/c.py",
    ] or code_used.notebook_helpers(path, root) == [
        "src/helpers/__init__.py",
        "src/helpers/a.py",
        "src/helpers/b.py",
        "src/helpers/c.py",
    ]


def test_closure_ends_where_modules_import_one_another(tmp_path: Path) -> None:
    root = small_root(tmp_path, a="from helpers import b\n", b="from helpers import a\n")
    found = code_used.module_helpers(root / "src/helpers/a.py", root)
    assert {"src/helpers/a.py", "src/helpers/b.py"} <= set(found)


def test_hash_of_a_notebook_ignores_outputs_and_hears_every_letter(tmp_path: Path) -> None:
    plain = notebook("a = 1\n", "print(a)")
    first = code_used.notebook_sha256(write(tmp_path / "a.ipynb", plain))
    run = notebook("a = 1\n", "print(a)", outputs=True)
    assert code_used.notebook_sha256(write(tmp_path / "b.ipynb", run)) == first
    joined = copy.deepcopy(plain)
    for cell in joined["cells"]:  # type: ignore[attr-defined]
        cell["source"] = "".join(cell["source"])
    assert code_used.notebook_sha256(write(tmp_path / "c.ipynb", joined)) == first
    for other in (
        notebook("a = 2\n", "print(a)"),
        notebook("print(a)", "a = 1\n"),
        notebook("a = 1\nprint(a)"),
    ):
        assert code_used.notebook_sha256(write(tmp_path / "d.ipynb", other)) != first
    spoken = copy.deepcopy(plain)
    spoken["cells"][0]["cell_type"] = "markdown"  # type: ignore[index]
    assert code_used.notebook_sha256(write(tmp_path / "e.ipynb", spoken)) != first


def test_notebook_of_a_stage_is_not_the_app_of_that_name() -> None:
    assert (ROOT / "notebooks/apps/situation.ipynb").is_file()
    found = code_used.notebook_path(ROOT, "situation")
    assert found == ROOT / "notebooks/today/situation.ipynb"
    assert code_used.notebook_path(ROOT, "inconnu") is None


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_lists_the_folders_that_notebook_and_runner_reach(stage: str) -> None:
    deps = STAGES[stage]["do"]["deps"]
    listed = [f"{dep}/" for dep in deps if dep.startswith("src/")]
    path = code_used.notebook_path(ROOT, stage)
    assert path is not None
    reached = {
        *code_used.notebook_helpers(path, ROOT),
        *code_used.module_helpers(ROOT / RUNNER, ROOT),
    } - {BARE}
    assert [f for f in sorted(reached) if not f.startswith(tuple(listed))] == []
    assert [d for d in listed if not any(f.startswith(d) for f in reached)] == []


def test_the_package_itself_holds_no_code() -> None:
    """It lies in no room: a stage that rests on it would not be run again."""
    tree = ast.parse((ROOT / BARE).read_text(encoding="utf-8"))
    assert [type(node) for node in tree.body] == [ast.Expr]


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=essai", "-c", "user.email=essai@localhost"]
    done = subprocess.run(
        ["git", "-C", str(root), *who, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_commit_is_the_last_that_touched_the_files(tmp_path: Path) -> None:
    assert code_used.commit_of(tmp_path, ["a"])[0] is None
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    assert code_used.commit_of(tmp_path, ["a"]) == (None, "code non enregistré dans git")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "a")
    first = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "b").write_text("1")
    git(tmp_path, "add", "b")
    git(tmp_path, "commit", "-q", "-m", "b")
    assert code_used.commit_of(tmp_path, ["a"]) == (first, "")
    assert code_used.commit_of(tmp_path, ["a", "b"])[0] == git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "a").write_text("2")
    assert code_used.commit_of(tmp_path, ["a"])[0] is None
    assert code_used.commit_of(tmp_path, ["b"])[0] is not None


def test_register_is_made_again_when_any_figure_changes() -> None:
    """Every stage that draws is among what `evidence` reads: DVC knows it only from this list."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    drawn = {out for one in stages.values() for out in one["do"]["outs"] if "/figures/" in out}
    assert len(drawn) >= 5
    read = tuple(f"{dep}/" for dep in stages["evidence"]["do"]["deps"])
    assert [out for out in sorted(drawn) if not f"{out}/".startswith(read)] == []
