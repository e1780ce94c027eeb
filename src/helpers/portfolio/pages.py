"""The pages of the portfolio: the question's notebook filled in by Papermill, and their cards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from typing import Any

import pyarrow as pa

from helpers.core.base import store
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.surroundings import read_surroundings
from helpers.core.city.theme import AXES
from helpers.core.stage import execute, palette, params, standing
from helpers.core.stage.run import Run
from helpers.portfolio import words
from helpers.portfolio.answers import ANSWERS, left_out
from helpers.portfolio.asked import VIEWS
from helpers.portfolio.words import Names

TEMPLATE = Path("templates/portfolio/question.ipynb")
ANSWER = "answers"
KERNELS = 2  # notebooks executed at a time: no result depends on it
SIGNS = {"up": "▲", "down": "▼", "stable": "■", "unclear": "◇", "abstained": "○"}
# On white, each reads at more than 4.5 to 1.
INKS = {"up": palette.UP_INK, "down": palette.DOWN_INK, "stable": palette.STABLE_INK,
        "unclear": palette.FAINT_INK, "abstained": palette.FAINT_INK}  # fmt: skip


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
    rows = []
    for name, question in run.city.questions.items():
        if name in asked:
            rows += _collected(run, name)
        else:
            rows.append(left_out(name, question, run.city.themes[question.theme].axis))
    return pa.Table.from_pylist(rows, schema=ANSWERS)


def sources(city: City, answers: pa.Table) -> list[str]:
    """Return the sources of the answers that were computed."""
    told = {row["theme"] for row in answers.to_pylist() if row["n"] is not None}
    return sorted({source for name in told for source in city.themes[name].sources})


def names(run: Run) -> Names:
    """Return what codes are called: zones, features of places, why a theme is not in force.

    Views `zones` and `states`.
    """
    zones = store.records(run.con, "SELECT division, code, name FROM zones")
    states = store.records(run.con, "SELECT * FROM states")
    return Names(
        run.city,
        {(row["division"], row["code"]): row["name"] for row in zones},
        {
            row["theme"]: f"{standing.TITLES[row['state']]}, {standing.why(row, run.city)}"
            for row in states
        },
        read_surroundings(run.city),
        run.knobs.minimum_count,
        run.knobs.minimum_hours,
        params.knobs("context", run.root),
    )


def _page(run: Run, name: str, folder: Path) -> None:
    about = run.city.about
    broken = run.workspace.writes / "failed" / f"{run.stage}_{name}.ipynb"
    knobs = {"city": run.workspace.city, "question": name, **run.parameters}
    executed = execute.execute(run.root / TEMPLATE, knobs, broken)
    title = run.city.questions[name].title
    first = executed.cells[0]
    first.source = "\n".join([f"# {plain(title)}", *first.source.split("\n")[1:]])
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


def cards(table: pa.Table, names: Names, folder: str) -> str:
    """Return the answers as HTML cards, axis by axis; each links to its page in `folder`.

    Nothing is fetched; a label is a word and a sign, not a colour alone.
    """
    if not table.num_rows:
        return (
            f"<p>Aucune question n'est posée pour {escape(names.city.about.title)} : en écrire "
            "sous <code>questions</code> dans le fichier <code>themes.yaml</code> de la ville.</p>"
        )
    parts = []
    rows = words.ordered(table)
    for axis, title in AXES.items():
        mine = [row for row in rows if row["axis"] == axis]
        if mine:
            told = "\n".join(_card(row, names, folder) for row in mine)
            parts.append(
                f'<section aria-labelledby="axe-{axis}"><h3 id="axe-{axis}">{title}</h3>\n'
                f'<ul class="cards">\n{told}\n</ul></section>'
            )
    return "\n".join(parts)


def _card(row: dict[str, Any], names: Names, folder: str) -> str:
    title = escape(row["title"])
    if row["n"] is not None:
        title = f'<a href="{folder}/{row["question"]}.html">{title}</a>'
    told = f"{SIGNS[row['label']]} {escape(words.moved(row, names))}"
    grade = f'<p class="grade">{words.footing(row)}</p>' if row["grade"] else ""
    return (
        f'<li class="card"><h4>{title}</h4>'
        f'<p class="label" style="color:{INKS[row["label"]]}">{told}</p>'
        f"<p>{escape(words.sentence(row, names))}</p>"
        f"<p>Peut agir d'abord : {escape(row['actor'])}.</p>{grade}</li>"
    )
