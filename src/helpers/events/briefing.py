"""The briefing of an event: one page of HTML, filled from a template.

It prints as it is from a browser, on A4; no PDF is made here (docs/decisions/0046).
"""

from __future__ import annotations

from pathlib import Path
from string import Template

from helpers.core.base import store
from helpers.core.base.markup import inline, to_html
from helpers.core.stage.run import Run
from helpers.events import page_words
from helpers.events.plan import Tables
from helpers.events.words import Names, by_event

TEMPLATE = Path("templates/briefing/fiche.html")
FOLDER = "fiches"
INLINE = ("title", "notice", "residents", "panel", "partners", "footer")


def chosen(tables: Tables, number: int) -> list[str]:
    """Return the events that get a page: the largest crowds, in the order of their start."""
    rows = sorted(
        tables["calendar"].to_pylist(),
        key=lambda row: (-(row["expected"] or 0), row["start_at"], row["event"]),
    )
    kept = sorted(rows[:number], key=lambda row: (row["start_at"], row["event"]))
    return [row["event"] for row in kept]


def file_names(tables: Tables, number: int) -> dict[str, str]:
    """Return event → the name of its page, `<date>_<rank>.html`, of the events that get one."""
    events = by_event(tables, "calendar")
    return {
        event: f"{events[event]['start_at']:%Y-%m-%d}_{rank:02d}.html"
        for rank, event in enumerate(chosen(tables, number), 1)
    }


def write(run: Run, tables: Tables, names: Names) -> list[str]:
    """Write `derived/events/fiches/<date>_<rank>.html` for the events that get a page.

    Return the names of the files. What an earlier run left there is taken away.
    """
    run.inputs[TEMPLATE.as_posix()] = store.sha256(run.root / TEMPLATE)
    template = Template((run.root / TEMPLATE).read_text(encoding="utf-8"))
    folder = run.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.html"):
        old.unlink()
    written = file_names(tables, run.knobs.sheets)
    for event, name in written.items():
        path = folder / name
        path.write_text(filled(template, tables, names, event, run.knobs.panel_length), "utf-8")
        run.wrote(path)
    return list(written.values())


def filled(template: Template, tables: Tables, names: Names, event: str, panel_length: int) -> str:
    """Return the page of an event as HTML: foreign texts escaped, no link, no script."""
    told = page_words.page(tables, names, event, panel_length)
    return template.substitute(
        {key: inline(text) if key in INLINE else to_html(text) for key, text in told.items()}
    )
