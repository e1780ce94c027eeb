"""`make figure NAME=…`: one figure again from its ancestors alone, and the comparison.

`python -m helpers.workshop.refigure NAME [--city CITY]`; NAME is a figure's name or its passport.
Exit codes: 0 identical, 1 differs, 2 could not be made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from helpers.core.base import commands
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import active_cities, find_root, scratch
from helpers.workshop import elsewhere, ground
from helpers.workshop.audit import SAYS
from helpers.workshop.command_line import Parser


def locate(root: Path, name: str, city: str | None) -> tuple[str, str, str]:
    """Return (city, stage, figure) of the figure that bears this name or this passport."""
    asked = name.upper().replace("-", "")
    found = []
    for held in [city] if city else list(active_cities(root)):
        for path in sorted((root / "data" / held / "figures").glob("*/*.evidence.json")):
            try:
                evidence = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                raise PhareError(
                    "la preuve d'une figure ne se lit pas : coupée, ou abîmée",
                    path.relative_to(root).as_posix(),
                    f"la reprendre : dvc checkout --force {path.parent.name}@{held}",
                ) from None
            if name == evidence["figure"] or asked == evidence["passport"].replace("-", ""):
                found.append((held, path.parent.name, evidence["figure"]))
    if not found:
        raise PhareError(
            "aucune figure ne s'appelle ainsi",
            "data/*/figures",
            "voir les noms dans le rapport `evidence`, ou lancer `make run`",
        )
    return found[0]


def reproduce_figure(root: Path, name: str, city: str | None) -> bool:
    """Make the figure again elsewhere; print what ran and the verdict; return whether identical."""
    held, stage, figure = locate(root, name, city)
    needed = elsewhere.ancestors(root, held, stage)
    print(f"Figure {figure} ({held}) : étapes refaites : {', '.join(needed)}", flush=True)
    with scratch() as folder:
        copy = folder / "phare"
        elsewhere.copy_workspace(root, copy, with_changes=True)
        elsewhere.run_again(root, copy, held, [stage], vary=False)
        compared = elsewhere.compare(root, copy, held, needed)
    mine = [one for one in compared if Path(one.path).name.startswith(f"{figure}.")]
    wrong = [one for one in compared if one.verdict != "identical"]
    for one in mine:
        print(f"  {one.path} : {SAYS.get(one.verdict, 'identique')}")
    if not wrong:
        print("Identique, octet pour octet, et tout ce dont elle dépend aussi.")
    else:
        print(f"Première divergence : étape {wrong[0].stage}, {wrong[0].path}")
        for other in wrong[1:]:
            print(f"  puis : {other.path}")
    return not wrong


@commands.Told(2)
def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = Parser(prog="python -m helpers.workshop.refigure")
    parser.add_argument("name", help="nom ou passeport de la figure")
    parser.add_argument("--city")
    asked = parser.parse_args(arguments)
    root = find_root()
    ground.check(root)
    return 0 if reproduce_figure(root, asked.name, asked.city) else 1


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
