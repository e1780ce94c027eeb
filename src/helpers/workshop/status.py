"""`make status`: what has come in, what has run, and whether it is still what it was.

`python -m helpers.workshop.status CITY [--json]`. States: done, changed, not_yet, suspended.
While a run works in the workspace, its files change: the run alone is told, and DVC is not asked.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from helpers.collect import inbox
from helpers.core.base import commands, machine, redact, store
from helpers.core.base.errors import PhareError
from helpers.core.base.french import number
from helpers.core.base.workspace import active_cities, find_root
from helpers.core.city.city import City
from helpers.core.stage.params import stages
from helpers.core.stage.standing import TITLES, why
from helpers.reliability.grades import FATES, accounts
from helpers.workshop import ground, one_run
from helpers.workshop.command_line import Parser
from helpers.workshop.reproduction import dvc, environment
from helpers.workshop.run_city import find_pack, locked

STATES = {"done": "fait", "changed": "changé", "not_yet": "pas encore", "suspended": "suspendu"}


def changes(root: Path, city: str, locks: list[int]) -> dict[str, list[Any]]:
    """Return what DVC finds changed, stage → its remarks; none for a stage up to date.

    `locks`: what `one_run.looking` yields, held as long as DVC's process lives.
    """
    targets = [f"{stage}@{city}" for stage in stages(root)]
    inbox.note(active_cities(root)[city])
    done = subprocess.run(
        dvc(root, "status", "--json", *targets),
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
        pass_fds=locks,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().split("\n")
        known = one_run.refused_by_dvc(root, lines) or machine.of_text(done.stderr, str(root))
        raise known or PhareError(redact.addresses(lines[-1]), "dvc status", "corriger dvc.yaml")
    found: dict[str, list[Any]] = json.loads(done.stdout)
    return {name.split("@")[0]: remarks for name, remarks in found.items()}


def damaged(root: Path, out: dict[str, Any]) -> list[str]:
    """Return the files of an out that are not what dvc.lock says, by name."""
    path = root / out["path"]
    if not path.is_dir():
        return [] if path.is_file() and _md5(path) == out["md5"] else [out["path"]]
    manifest = root / ".dvc/cache/files/md5" / out["md5"][:2] / out["md5"][2:]
    if not manifest.is_file():
        return [out["path"]]
    expected = {one["relpath"]: one["md5"] for one in json.loads(manifest.read_text())}
    present = {f.relative_to(path).as_posix(): f for f in path.rglob("*") if f.is_file()}
    names = sorted(expected.keys() | present.keys())
    return [
        f"{out['path']}/{name}"
        for name in names
        if name not in present or name not in expected or _md5(present[name]) != expected[name]
    ]


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _stage(
    root: Path, entry: dict[str, Any] | None, remarks: list[Any], meta: dict[str, Any], city: str
) -> dict[str, Any]:
    if entry is None:
        return {"state": "suspended" if meta["frozen"] else "not_yet", "seconds": None, "outs": {}}
    timing = root / "data" / city / "timings" / f"{meta['name']}.json"
    seconds = json.loads(timing.read_text())["seconds"] if timing.is_file() else None
    state = "suspended" if meta["frozen"] else "changed" if remarks else "done"
    found: dict[str, Any] = {
        "state": state,
        "seconds": seconds,
        "outs": {
            out["path"]: {"hash": out["md5"], "level": meta["level"]} for out in entry["outs"]
        },
    }
    if remarks:
        found["damaged"] = [name for out in entry["outs"] for name in damaged(root, out)]
        found["because"] = remarks
    return found


def status(root: Path, city: str) -> dict[str, Any]:
    """Return city, run, sources (rows and their fates), themes, stages (state, seconds, outs).

    `run`: None, or the `process` (None where unknown) of a run under way; the rest is then empty.
    """
    try:
        with one_run.looking(root) as locks:
            return _settled(root, city, locks)
    except one_run.UnderWay as error:
        told = {"city": find_pack(root, city)[0], "run": {"process": error.process}}
        return {**told, "sources": {}, "themes": {}, "stages": {}}


def _settled(root: Path, city: str, locks: list[int]) -> dict[str, Any]:
    described = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    name, pack = find_pack(root, city)
    held = name in active_cities(root)
    lock, changed = locked(root, name), changes(root, name, locks) if held else {}
    city, loaded = name, City(pack)
    data = root / "data" / city
    ready = (data / "accepted").is_dir() and (data / "raw").is_dir()
    counted = accounts(loaded, data) if ready else []
    return {
        "city": city,
        "run": None,
        "sources": {one["source"]: {fate: one[fate] for fate in FATES} for one in counted},
        "themes": _themes(data, loaded),
        "stages": {
            name: _stage(
                root,
                lock.get(name),
                changed.get(name, []),
                {
                    "name": name,
                    "level": what["do"]["meta"]["level"],
                    "frozen": what["do"].get("frozen", False),
                },
                city,
            )
            for name, what in described.items()
        },
    }


def _themes(data: Path, city: City) -> dict[str, dict[str, str]]:
    """Return theme → its state and why, as the stage `waves` computed them; none before it ran."""
    path = data / "derived" / "waves" / "states.parquet"
    if not path.is_file():
        return {}
    rows = store.records(store.connect(), "SELECT * FROM read_parquet(?)", [str(path)])
    return {
        row["theme"]: {"state": row["state"], "reason": why(row, city)}
        for row in rows
        if row["theme"] in city.themes
    }


def as_text(found: dict[str, Any]) -> str:
    """Return the status as a table for people."""
    if found["run"]:
        process = found["run"]["process"]
        who = f" (processus {process})" if process else ""
        return (
            f"Ville : {found['city']}\n\nUn calcul est en cours dans cet atelier{who} : l'état de "
            "la ville sera connu quand il aura fini. Cette commande n'y touche pas."
        )
    lines = [f"Ville : {found['city']}", "", "sources"]
    for name, row in found["sources"].items():
        quarantined = sum(row["quarantined"].values())
        lines.append(
            f"  {name:<20} {number(row['rows_in']):>9} lignes = {number(row['accepted'])} acceptées"
            f" + {number(quarantined)} écartées + {number(row['duplicates'])} en double"
            f" + {number(row['replaced'])} remplacées"
            f" + {number(row['out_of_period'])} hors période"
        )
    lines += ["", "thèmes"] if found["themes"] else []
    for name, theme in found["themes"].items():
        lines.append(f"  {name:<20} {TITLES[theme['state']]:<12} {theme['reason']}")
    lines += ["", "étapes"]
    for name, stage in found["stages"].items():
        seconds = "" if stage["seconds"] is None else f"{stage['seconds']:.1f} s"
        lines.append(f"  {name:<20} {STATES[stage['state']]:<12} {seconds:>8}")
        lines += [f"      abîmé ou absent : {path}" for path in stage.get("damaged", [])]
    return "\n".join(lines)


@commands.told
def main(arguments: list[str] | None = None) -> int:
    """Print the status; return the exit code."""
    parser = Parser(prog="python -m helpers.workshop.status")
    parser.add_argument("city")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    root = find_root()
    ground.check_git(root)
    found = status(root, asked.city)
    print(json.dumps(found, ensure_ascii=False) if asked.json else as_text(found))
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
