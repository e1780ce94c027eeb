"""What the pipeline costs beyond its computations, as ratios measured side by side in one run.

Ways to the same results for one city: (a) the computations alone, every notebook's code run in one
process; (b) our pipeline as `make run` calls it, one stage at a time; (d) the same, as many stages
at a time as there are cores; (c) `dvc repro` with the stock `papermill` and `jupyter nbconvert`
commands. Prints b/a, c/a, b/c, d/a and b/d, and the cost a stage.

`python -m benchmarks.pipeline [--size tiny] [--city CITY] [--rounds N]`: a simulated city is made
smaller with the size; tiny takes the city of `make new-city` and its first stage. The files of
another city are found as `make run` finds them.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from benchmarks.parts import plain
from benchmarks.parts.measure import Size, best, parser, show_ratio
from helpers.collect.collect import FROM, places_to_look
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import PIPELINE_FLAG, active_cities, find_root
from helpers.core.city.city import City
from helpers.core.stage import code_used
from helpers.core.stage.params import stages
from helpers.workshop.elsewhere import copy_workspace
from helpers.workshop.new import new_city
from helpers.workshop.reproduction import JOBS, dvc, environment, jobs
from helpers.workshop.run_city import activate, find_pack

SCALES: dict[Size, float] = {"small": 0.05, "full": 1.0}
ROUNDS: dict[Size, int] = {"tiny": 1, "small": 1, "full": 3}
TINY_CITY, TINY_STAGES = "essai", 1
STOCK = (
    "python -m helpers.core.stage {stage} ${{key}}",
    "papermill --no-progress-bar --log-level ERROR -k python3 -p city ${{key}} "
    "--cwd $(dirname {notebook}) {notebook} data/${{key}}/reports/{stage}.ipynb && "
    "jupyter nbconvert --log-level ERROR --to html data/${{key}}/reports/{stage}.ipynb",
)


def in_order(root: Path) -> list[str]:
    """Return the stages, each after those whose outs it reads; else in the order of dvc.yaml."""
    told = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    makers = {
        out if isinstance(out, str) else next(iter(out)): stage
        for stage, entry in told.items()
        for out in entry["do"].get("outs", [])
    }
    found: list[str] = []

    def visit(stage: str) -> None:
        if stage not in found:
            for read in told[stage]["do"]["deps"]:
                for out, maker in makers.items():
                    if maker != stage and (read == out or read.startswith(f"{out}/")):
                        visit(maker)
            found.append(stage)

    for stage in told:
        visit(stage)
    return found


def ours(copy: Path, city: str, chosen: list[str], jobs: int) -> None:
    """Run the stages of the city as `make run` does, so many at a time, whatever has been run."""
    targets = [f"{stage}@{city}" for stage in chosen]
    code = (
        "from pathlib import Path; from helpers.workshop.reproduction import reproduce;"
        f"reproduce(Path.cwd(), {targets!r}, force=True)"
    )
    _call([sys.executable, "-c", code], copy, **{JOBS: str(jobs)})


def repro(copy: Path, city: str, chosen: list[str]) -> None:
    """Run the stages of the city with DVC alone, whatever has been run."""
    _call(dvc(copy, "repro", "--force", *(f"{stage}@{city}" for stage in chosen)), copy)


def in_one_process(copy: Path, city: str, chosen: list[str]) -> None:
    """Run the computations alone, in a process of their own."""
    _call([sys.executable, str(Path(plain.__file__)), city, *chosen], copy)


def _call(command: list[str], copy: Path, **more: str) -> None:
    env = {**environment(), "PYTHONPATH": str(copy / "src"), PIPELINE_FLAG: "bench", **more}
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
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


def prepare(root: Path, copy: Path, asked: str, scale: float) -> str:
    """Make a workspace that holds the city, a simulated one at this scale; return its name.

    The folders of received files that a pack names from its root are told by their whole path.
    """
    copy_workspace(root, copy, with_changes=True)
    name, pack = find_pack(root, asked)
    os.environ[FROM] = os.pathsep.join(map(str, places_to_look(City(pack), root)))
    activate(copy, name if (copy / "data/cities" / name).is_dir() else str(pack))
    settings = active_cities(copy)[name] / "simulation.yaml"
    if scale != 1 and settings.is_file() and settings.is_relative_to(copy):
        text = settings.read_text(encoding="utf-8")
        smaller, times = re.subn(r"(?m)^scale: \S+", f"scale: {scale}", text)
        assert times == 1
        settings.write_text(smaller, encoding="utf-8")
    return name


def prepare_tiny(root: Path, copy: Path) -> str:
    """Make a workspace that holds the small city of the templates; return its name."""
    copy_workspace(root, copy, with_changes=True)
    new_city(copy, TINY_CITY)
    return activate(copy, TINY_CITY)


def main() -> None:
    """Measure, in turn, and print medians and ratios."""
    line = parser(__doc__)
    line.add_argument("--city", default=os.environ.get("PHARE_CITY") or "marseille")
    line.add_argument("--rounds", type=int)
    asked = line.parse_args()
    root, rounds, tiny = find_root(), asked.rounds or ROUNDS[asked.size], asked.size == "tiny"
    with tempfile.TemporaryDirectory(prefix="phare-bench-") as folder:
        mine, theirs = Path(folder) / "ours", Path(folder) / "stock"
        for copy in (mine, theirs):
            if tiny:
                city = prepare_tiny(root, copy)
            else:
                city = prepare(root, copy, asked.city, SCALES[asked.size])
        stock(theirs)
        chosen, many = in_order(mine)[: TINY_STAGES if tiny else None], jobs()
        a, b, c, d = [], [], [], []
        for _ in range(rounds):
            b.append(best(lambda: ours(mine, city, chosen, 1))[0])
            a.append(best(lambda: in_one_process(mine, city, chosen))[0])
            c.append(best(lambda: repro(theirs, city, chosen))[0])
            d.append(best(lambda: ours(mine, city, chosen, many))[0])
    base, one, other, beside = (statistics.median(times) for times in (a, b, c, d))
    print(f"{city}, étapes : {len(chosen)}, médiane ; passages : {rounds}")
    print(f"  un seul script {base:.1f} s")
    for name, seconds in (("notre pipeline", one), ("dvc et papermill nus", other)):
        print(f"  {name} {seconds:.1f} s ({(seconds - base) / len(chosen):+.1f} s par étape)")
    show_ratio("notre pipeline / un seul script", one, base)
    show_ratio(f"notre pipeline, {many} à la fois / un seul script", beside, base)
    show_ratio(f"notre pipeline, une étape à la fois / {many}", one, beside)
    show_ratio("dvc et papermill nus / un seul script", other, base)
    pairs = statistics.median(x / y for x, y in zip(b, c, strict=True))
    show_ratio("notre pipeline / dvc et papermill nus", pairs, 1)


if __name__ == "__main__":
    try:
        main()
    except PhareError as error:
        raise SystemExit(str(error)) from None
