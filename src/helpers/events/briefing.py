"""The briefing of an event: one page of HTML, filled from a template, and the same as PDF."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from string import Template

from helpers.core.base import store
from helpers.core.base.markup import inline, to_html
from helpers.core.stage.run import Run
from helpers.events import briefing_pdf, page_words
from helpers.events.plan import Tables
from helpers.events.words import Names, by_event

TEMPLATE = Path("templates/briefing/fiche.html")
FOLDER = "fiches"
INLINE = ("title", "notice", "residents", "panel", "partners", "footer")


def chosen(tables: Tables, number: int) -> list[str]:
    """Return the events that get a page: the largest crowds, in the order of their start."""
    rows = sorted(
        tables["calendar"].to_pylist(),
        key=lambda row: (-(row["expected"] or 0), row["start_at"], row["kind"], row["event"]),
    )
    kept = sorted(rows[:number], key=lambda row: (row["start_at"], row["kind"], row["event"]))
    return [row["event"] for row in kept]


def file_names(tables: Tables, number: int) -> dict[str, str]:
    """Return event → the name of its page, `<date>_<rank>.html`, of the events that get one."""
    events = by_event(tables, "calendar")
    return {
        event: f"{events[event]['start_at']:%Y-%m-%d}_{rank:02d}.html"
        for rank, event in enumerate(chosen(tables, number), 1)
    }


def write(run: Run, tables: Tables, names: Names) -> list[str]:
    """Write `derived/events/fiches/<date>_<rank>.html`, and `.pdf`, for the events that get a page.

    Return the names of the pages. What an earlier run left there is taken away.
    """
    for used in (TEMPLATE, briefing_pdf.TEMPLATE):
        run.inputs[used.as_posix()] = store.sha256(run.root / used)
    template = Template((run.root / TEMPLATE).read_text(encoding="utf-8"))
    sheet = (run.root / briefing_pdf.TEMPLATE).read_bytes()
    folder = run.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("*.html"), *folder.glob("*.pdf")]:
        old.unlink()
    written = file_names(tables, run.knobs.sheets)
    for event, name in written.items():
        path = folder / name
        path.write_text(filled(template, tables, names, event, run.knobs.panel_length), "utf-8")
        run.wrote(path)
        pdf = path.with_suffix(".pdf")
        pdf.write_bytes(printed(sheet, tables, names, event, run.knobs.panel_length))
        run.wrote(pdf)
    return list(written.values())


def filled(template: Template, tables: Tables, names: Names, event: str, panel_length: int) -> str:
    """Return the page of an event as HTML: foreign texts escaped, no link, no script."""
    told = page_words.page(tables, names, event, panel_length)
    return template.substitute(
        {key: inline(text) if key in INLINE else to_html(text) for key, text in told.items()}
    )


def printed(template: bytes, tables: Tables, names: Names, event: str, panel_length: int) -> bytes:
    """Return the page of an event as PDF, as of the last day of the city's period."""
    told = page_words.page(tables, names, event, panel_length)
    about = names.city.about
    day: dt.date = about.period.end
    return briefing_pdf.printed(template, told, day, page_words.foot(about.title, day))
