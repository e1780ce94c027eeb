"""What the council takes away: the report, in HTML and Markdown, and the account in CSV."""

from __future__ import annotations

from helpers.core.stage import printed
from helpers.core.stage.run import Run
from helpers.results.words import Told, as_csv, report

FOLDER, NAME = "rapport", "compte"
SIGNED = "\ufeff"  # by which a spreadsheet knows UTF-8


def write(run: Run, told: Told) -> list[str]:
    """Write the report and the account into `derived/results`; return their names."""
    title, body = report(told)
    written = printed.write(run, FOLDER, {NAME: (title, body)})
    for ending, text in (("md", f"# {title}\n\n{body}\n"), ("csv", SIGNED + as_csv(told))):
        path = run.folder / FOLDER / f"{NAME}.{ending}"
        path.write_text(text, encoding="utf-8")
        run.wrote(path)
        written.append(f"{FOLDER}/{path.name}")
    return written
