"""What the pipeline costs beyond its computations, as ratios measured side by side in one run.

Three ways to the same results for one city: (a) the computations alone, every notebook's code run
in this one process; (b) our pipeline, `dvc repro` with our runner; (c) `dvc repro` with the stock
`papermill` and `jupyter nbconvert` commands. Prints b/a and c/a, and the cost a stage.

`python benchmarks/pipeline.py [CITY] [ROUNDS]`
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from helpers.core.base.workspace import find_root
from helpers.core.stage import code_used, params
from helpers.core.stage.execute import steady_environment
from helpers.workshop.elsewhere import copy_workspace
from helpers.workshop.run_city import activate, environment, find_pack, stages

STOCK = (
    "python -m helpers.core.stage.execute {stage} ${{key}}",
    "papermill --no-progress-bar --log-level ERROR -k python3 -p city ${{key}} "
    "--cwd $(dirname {notebook}) {notebook} data/${{key}}/reports/{stage}.ipynb && "
    "jupyter nbconvert --log-level ERROR --to html data/${{key}}/reports/{stage}.ipynb",
)


def plain(root: Path, city: str) -> None:
    """Run the code of every notebook in this process, as one plain script."""
    from IPython.core.interactiveshell import InteractiveShell

    for stage in stages(root):
        steady_environment(stage)
        path = code_used.notebook_path(root, stage)
        assert path is not None
        shell = InteractiveShell.instance()
        shell.reset(new_session=False)
        for cell in code_used.read_notebook(path)["cells"]:
            if cell["cell_type"] == "code":
                result = shell.run_cell(code_used.source_of(cell), store_history=True)
                result.raise_error()
                if "parameters" in cell["metadata"].get("tags", []):
                    shell.push({"city": city, **params.block(stage, root)})


def in_new_process(copy: Path, city: str) -> None:
    """Run the plain script in a process of its own: imports are paid once."""
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); "
    script += f"import pipeline, pathlib; pipeline.plain(pathlib.Path('.'), {city!r})"
    _call([sys.executable, "-c", script], copy)


def repro(copy: Path, city: str) -> None:
    """Run every stage of the city with DVC."""
    targets = [f"{stage}@{city}" for stage in stages(copy)]
    _call([sys.executable, "-m", "dvc", "repro", "--force", *targets], copy)


def _call(command: list[str], folder: Path) -> None:
    env = {**environment(), "PYTHONPATH": str(folder / "src"), "PHARE_STAGE": "bench"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])


def stock(copy: Path) -> None:
    """Make the copy's stages call the stock commands instead of our runner."""
    path = copy / "dvc.yaml"
    text = path.read_text(encoding="utf-8")
    for stage in stages(copy):
        notebook = code_used.notebook_path(copy, stage)
        assert notebook is not None
        shown = notebook.relative_to(copy).as_posix()
        ours, theirs = (part.format(stage=stage, notebook=shown) for part in STOCK)
        assert ours in text
        text = text.replace(ours, f"mkdir -p data/${{key}}/reports && {theirs}")
    path.write_text(text, encoding="utf-8")


def timed(work: Callable[[], None]) -> float:
    """Return the seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure, in turn, and print medians and ratios."""
    city = sys.argv[1] if len(sys.argv) > 1 else "marseille"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    root = find_root()
    os.environ.setdefault("PHARE_FROM", "")
    with tempfile.TemporaryDirectory(prefix="phare-bench-") as folder:
        ours, theirs = Path(folder) / "ours", Path(folder) / "stock"
        for copy in (ours, theirs):
            copy_workspace(root, copy, with_changes=True)
            name, pack = find_pack(root, city)
            activate(copy, name if (copy / "data/cities" / name).is_dir() else str(pack))
        stock(theirs)
        a, b, c = [], [], []
        for _ in range(rounds):
            b.append(timed(lambda: repro(ours, city)))
            a.append(timed(lambda: in_new_process(ours, city)))
            c.append(timed(lambda: repro(theirs, city)))
    count = len(stages(root))
    base, mine, other = (statistics.median(times) for times in (a, b, c))
    print(f"{city}, {count} étapes, médiane de {rounds} passages")
    print(f"  un seul script        {base:6.1f} s")
    print(f"  notre pipeline        {mine:6.1f} s   ×{mine / base:.2f}   "
          f"{(mine - base) / count:.1f} s de plus par étape")  # fmt: skip
    print(f"  dvc + papermill nus   {other:6.1f} s   ×{other / base:.2f}   "
          f"{(other - base) / count:.1f} s de plus par étape")  # fmt: skip
    pairs = statistics.median(x / y for x, y in zip(b, c, strict=True))
    print(f"  nous / nus            ×{pairs:.2f}")


if __name__ == "__main__":
    main()
