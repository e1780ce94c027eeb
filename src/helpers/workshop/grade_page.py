"""The page of the grades, `docs/methodes/grades.md`, written from the table that is kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from helpers.core.base.errors import PhareError
from helpers.core.base.french import number, trimmed
from helpers.core.stage import grades_table
from helpers.core.stage.grades_table import Row
from helpers.core.stats.grading import SEEDS

PAGE = "docs/methodes/grades.md"
YES, NO, NOTHING = "oui", "**non**", "–"
TOP = f"""# Les méthodes, mises à l'épreuve

Chaque ligne est une promesse d'une méthode, tenue contre une vérité connue : mondes tirés au sort,
ou année suivante d'une ville réelle. *Promis* : ce que l'on devrait voir. *Vu* : ce que l'on a vu,
± une erreur de simulation, et sur combien de tirages. *Graine neuve* : la même chose avec la seule
graine {SEEDS[-1]}, qui n'a servi à aucun choix. *Sinon* : ce que donne, sur les mêmes tirages, la
méthode que l'on aurait prise à la place. *Tenu* : à deux erreurs près ; avec peu de tirages, cela
n'écarte que les grands écarts.

Refaire une pièce, ou une seule épreuve : `make grade ROOMS=trends SIZE=full`, `make grade
ROOMS=situation:alerts` (`small`, un cinquième des tirages ; `tiny`, deux, rien n'est gardé). La
table : `docs/methodes/grades.json`. Page écrite par `make grade`.
"""


def figure(value: float | None) -> str:
    """Return a number as readers write it, three digits after the comma."""
    return NOTHING if value is None else number(value, 3)


def asked(one: Row) -> str:
    """Return what is promised, as readers write it."""
    least, most = one.asked
    if least is None and most is None:
        return NOTHING
    if least is None:
        return f"au plus {_short(most)}"
    return f"au moins {_short(least)}" if most is None else f"{_short(least)} à {_short(most)}"


def _short(value: float | None) -> str:
    return "" if value is None else trimmed(value)


def observed(one: Row) -> str:
    """Return what was seen, its error and its replicates."""
    error = "" if one.error is None else f" ± {figure(one.error)}"
    return f"{figure(one.observed)}{error} ({number(one.tried)})"


def beside(one: Row) -> str:
    """Return what the usual method gives, and its name."""
    return f"{figure(one.beside)} : {one.usual}" if one.usual else NOTHING


def kept(one: Row) -> str:
    """Return whether the promise was held."""
    return NOTHING if one.held is None else YES if one.held else NO


def said(one: Row) -> str:
    """Return a row as one line for the screen."""
    return " | ".join([one.what, one.setting, asked(one), observed(one), beside(one), kept(one)])


def page(rows: list[Row], titles: dict[str, str], known: Sequence[str]) -> str:
    """Return the page; `titles`: those of the rooms' notes, `known`: names of all trials."""
    parts = [TOP]
    measured = {f"{one.room}:{one.trial}" for one in rows}
    waiting = [f"`make grade ROOMS={name}`" for name in known if name not in measured]
    if waiting:
        parts.append(f"Pas encore mesuré : {', '.join(waiting)}.\n")
    for room, mine in groupby(rows, key=lambda one: one.room):
        listed = list(mine)
        note = f"[{titles[room]}]({room}.md)" if room in titles else room
        parts.append(f"\n## {note}\n")
        parts.append("| promesse | monde | promis | vu | graine neuve | sinon | tenu |")
        parts.append("|---|---|---|---|---|---|---|")
        for one in listed:
            new = one.by_seed[-1] if one.seeds[-1] == SEEDS[-1] else None
            what, setting = (grades_table.with_commas(x) for x in (one.what, one.setting))
            cells = [what, setting, asked(one), observed(one), figure(new), beside(one),
                     kept(one)]  # fmt: skip
            parts.append(f"| {' | '.join(cells)} |")
        commands = " ; ".join(f"`{c}`" for c in dict.fromkeys(one.command for one in listed))
        parts.append(f"\n{commands}")
    return "\n".join(parts) + "\n"


def titles(root: Path) -> dict[str, str]:
    """Return the title of each note, by its file's name."""
    return {
        path.stem: path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        for path in sorted((root / "docs/methodes").glob("*.md"))
    }


def keep(root: Path, known: Sequence[str], *, check: bool) -> int:
    """Write the page, or tell that it is not that of the table; `known`: names of all trials."""
    text, path = page(grades_table.read(root), titles(root), known), root / PAGE
    if not check:
        path.write_text(text, encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    error = PhareError(
        "la page des épreuves n'est pas celle de la table", PAGE,
        "lancer `python -m helpers.workshop.grade --page`",
    )  # fmt: skip
    print(error, file=sys.stderr)
    return 1
