"""Pages that print as they are, filled from `templates/council`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

from helpers.core.base import store
from helpers.core.base.french import spoken
from helpers.core.base.markup import inline, plain, to_html
from helpers.core.stage.run import Run

TEMPLATE = Path("templates/council/page.html")
SIMULATED = "Données simulées : aucun fait ni aucune décision n'est réel."
NOBODY = "Des codes, des nombres, des jours et des rôles ; personne n'y est nommé."


def write(run: Run, folder: str, pages: Mapping[str, tuple[str, str]]) -> list[str]:
    """Write `derived/<stage>/<folder>/<name>.html` for each name → (title, Markdown); return names.

    Foreign texts must come through `plain`. What an earlier run left in the folder is taken away.
    """
    run.inputs[TEMPLATE.as_posix()] = store.sha256(run.root / TEMPLATE)
    template = Template((run.root / TEMPLATE).read_text(encoding="utf-8"))
    here = run.folder / folder
    here.mkdir(parents=True, exist_ok=True)
    for old in here.glob("*.html"):
        old.unlink()
    about = run.city.about
    notice = f"{plain(about.title)}, au {spoken(about.period.end)}."
    if about.simulated:
        notice += f" {SIMULATED}"
    for name, (title, body) in pages.items():
        told = {"title": inline(title), "notice": inline(notice), "body": to_html(body),
                "footer": inline(NOBODY)}  # fmt: skip
        path = here / f"{name}.html"
        path.write_text(template.substitute(told), encoding="utf-8")
        run.wrote(path)
    return [f"{folder}/{name}.html" for name in pages]
