"""Filling in the question's notebook for each question of the pack, by Papermill."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.stage import execute, standing
from helpers.core.stage.run import Run
from helpers.portfolio.measure import VIEWS
from helpers.portfolio.words import ANSWERS, left_out

TEMPLATE = Path("templates/portfolio/question.ipynb")
ANSWER = "answers"
KERNELS = 2  # notebooks executed at a time: no result depends on it


def start(run: Run) -> Any:
    """Note the question's notebook as an input of the stage; return the connection, views made."""
    run.inputs[TEMPLATE.as_posix()] = store.sha256(run.root / TEMPLATE)
    return run.view(*VIEWS)


def execute_all(run: Run, city_now: City) -> pa.Table:
    """Execute the notebook once a question, and return the answers (rows of ANSWERS).

    In the pack's order. A question whose theme is not in force has a row that says why, and no
    page. Each page is `reports/portfolio/<question>.html`.
    """
    asked = {n: q for n, q in run.city.questions.items() if q.theme in city_now.themes}
    folder = run.workspace.writes / "reports" / run.stage
    folder.mkdir(parents=True, exist_ok=True)  # an out of the stage, even where nothing is asked
    with ThreadPoolExecutor(KERNELS) as pool:
        list(pool.map(lambda name: _page(run, name, folder), asked))
    reasons = _reasons(run)
    rows = []
    for name, question in run.city.questions.items():
        if name in asked:
            rows += _collected(run, name)
        else:
            theme = run.city.themes[question.theme]
            rows.append(left_out(name, question.title, theme.axis, question.theme,
                                 question.actors[0].who, reasons[question.theme]))  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ANSWERS)


def sources(city: City, answers: pa.Table) -> list[str]:
    """Return the sources of the answers that were computed."""
    told = {row["theme"] for row in answers.to_pylist() if row["n"] is not None}
    return sorted({city.themes[name].source for name in told})


def _reasons(run: Run) -> dict[str, str]:
    rows = store.records(run.con, "SELECT theme, state, reasons FROM states")
    return {row["theme"]: f"{standing.TITLES[row['state']]}, {standing.why(row)}" for row in rows}


def _page(run: Run, name: str, folder: Path) -> None:
    about = run.city.about
    broken = run.workspace.writes / "failed" / f"{run.stage}_{name}.ipynb"
    knobs = {"city": run.workspace.city, "question": name, **run.knobs}
    executed = execute.execute(run.root / TEMPLATE, knobs, broken)
    title = run.city.questions[name].title
    first = executed.cells[0]
    first.source = "\n".join([f"# {title}", *first.source.split("\n")[1:]])
    executed.metadata |= {"title": title, "city": about.title, "simulated": about.simulated}
    execute.write_report(executed, folder / f"{name}.ipynb", run.root)
    broken.unlink(missing_ok=True)


def _collected(run: Run, name: str) -> list[dict[str, Any]]:
    """Return the question's answer, its results and figures noted as outs of the stage."""
    for path in sorted(run.folder.glob(f"*/{name}.parquet")):
        run.wrote(path)
    figures = run.workspace.writes / "figures" / run.stage
    for path in sorted(figures.glob(f"{run.stage}_*-{name}.evidence.json")):
        run.wrote(path)
    query = f"SELECT * FROM read_parquet({store.literal(run.folder / ANSWER / f'{name}.parquet')})"
    return store.records(run.con, query)
