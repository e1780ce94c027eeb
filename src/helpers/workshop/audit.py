"""`make audit`: everything again from raw in a new folder, and every out compared.

`python -m helpers.workshop.audit CITY…` (all cities of the workspace by default). Exit codes: 0
all the same, 1 something differs, 2 the audit could not be made.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from helpers.collect.collect import FROM
from helpers.core.base import commands
from helpers.core.base.errors import PhareError
from helpers.core.base.french import plural
from helpers.core.base.workspace import active_cities, find_root, scratch
from helpers.core.stage import execute, warm
from helpers.core.stage.params import stages
from helpers.workshop import elsewhere, ground
from helpers.workshop.command_line import Parser
from helpers.workshop.elsewhere import Difference
from helpers.workshop.reproduction import environment
from helpers.workshop.run_city import find_pack, locked

SAYS = {
    "different": "diffère",
    "missing": "absent ici",
    "extra": "de trop ici",
}


def audit_city(root: Path, copy: Path, city: str) -> list[Difference]:
    """Run the city again in `copy` under variations; return every file compared."""
    done = [stage for stage in stages(root) if stage in locked(root, city)]
    if done != stages(root):
        raise PhareError(
            "des étapes n'ont jamais tourné", f"ville « {city} »", f"lancer `make run CITY={city}`"
        )
    print(f"Audit de {city} : tout refaire ailleurs, dans d'autres circonstances", flush=True)
    from_outside = elsewhere.run_again(root, copy, city, done, vary=True)
    if not from_outside:
        print("  fichiers reçus absents : on part des données brutes, conformes à dvc.lock")
        done = [stage for stage in done if stage != "collect"]
    return elsewhere.compare(root, copy, city, done)


def check_cells(root: Path, copy: Path, city: str) -> list[str]:
    """Run every executed report again cell by cell with nbval; return the cells that differ."""
    received = elsewhere.received_folders(root, city)
    reports = sorted((copy / "data" / city / "reports").glob("*.ipynb"))
    if received is None:
        reports = [path for path in reports if path.stem != "collect"]
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-rf", "--tb=no", "--no-header",
               "-p", "no:cacheprovider", "--rootdir", str(copy), "-c", os.devnull,
               *map(str, reports)]  # fmt: skip
    here = {
        **environment(),
        "PYTHONPATH": str(copy / "src"),
        FROM: received or "",
        **elsewhere.same_key(root, city),
    }
    with warm.opened(here | execute.steady()) as told:
        done = subprocess.run(
            command, cwd=copy, env=told, capture_output=True, text=True, check=False
        )
    lines = done.stdout.splitlines()
    print(f"  cellules : {lines[-1] if lines else 'nbval n’a rien dit'}")
    if done.returncode == 0:
        return []
    # After the dash, pytest quotes what the cell said.
    failed = [line.partition(" - ")[0] for line in lines if line.startswith("FAILED")]
    return failed or lines[-1:]


def told(found: list[Difference]) -> str:
    """Return the verdict in words, naming each file that is not identical."""
    counts = Counter(one.verdict for one in found)
    same, total = counts["identical"], len(found)
    lines = [f"  identiques : {same} sur {total} ({100 * same // max(1, total)} %)"]
    wrong = [one for one in found if one.verdict != "identical"]
    if wrong:
        lines.append(f"  première divergence : étape {wrong[0].stage}")
        lines += [f"    {one.path} : {SAYS[one.verdict]}" for one in wrong]
    return "\n".join(lines)


@commands.Told(2)
def main(arguments: list[str] | None = None) -> int:
    """Run the audit; return its exit code."""
    parser = Parser(prog="python -m helpers.workshop.audit")
    parser.add_argument("cities", nargs="*", help="villes à auditer (toutes par défaut)")
    parser.add_argument("--no-cells", action="store_true", help="sans la relecture par cellule")
    asked = parser.parse_args(arguments)
    root = find_root()
    ground.check(root)
    changed = elsewhere.uncommitted(root)
    if changed:
        # A name that the last commit holds is nobody's secret; any other is counted alone.
        held = elsewhere.git(root, "ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0")
        known = [name for name in changed if name in held]
        raise PhareError(
            f"{plural(len(changed), 'fichier')} hors du dernier commit",
            ", ".join(known[:5]) or "git status",
            "enregistrer (git commit) puis `make run`, et relancer l'audit",
        )
    differs = False
    cities = [find_pack(root, one)[0] for one in asked.cities] or [
        c for c in active_cities(root) if locked(root, c)
    ]
    with scratch() as folder:
        copy = folder / "phare"
        elsewhere.copy_workspace(root, copy, with_changes=False)
        for city in cities:
            found = audit_city(root, copy, city)
            print(told(found), flush=True)
            cells = [] if asked.no_cells else check_cells(root, copy, city)
            print("\n".join(f"    {cell}" for cell in cells), end="\n" if cells else "")
            differs |= bool(cells) or any(one.verdict != "identical" for one in found)
    print("Audit : " + ("DES DIFFÉRENCES" if differs else "tout est identique"))
    return 1 if differs else 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
