"""A notebook more, or one less, in one command: `make new-notebook`, `make remove-notebook`.

`python -m helpers.workshop.new_notebook add NAME --group GROUP [--without-room]` fills
templates/notebook: the notebook, its room with a measure and its test (or none: SQL and charts
only), its method note, its block of params.yaml and its stage of dvc.yaml. `remove NAME [--force]`
takes all of it away. Both do all or nothing.
"""

from __future__ import annotations

import json
import keyword
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from helpers.core.base import commands
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import find_root
from helpers.core.base.yaml_models import Strict, read_yaml
from helpers.core.stage import code_used
from helpers.workshop import method_notes, notebooks, yaml_text
from helpers.workshop.command_line import Parser
from helpers.workshop.knob_lines import knob_lines
from helpers.workshop.new import all_or_nothing, named

TEMPLATES = Path("templates/notebook")
MADE_UP, GROUP = "exemple", "GROUP"  # what templates say for the notebook's name and its group
LONGEST = 30
LAST = "evidence"  # the stage that all figures lead to
SHARED = ("dvc.yaml", "params.yaml", f"{method_notes.FOLDER}/README.md")
SCHEMA = "docs/schemas/parametres.schema.json"
LOCK = "dvc.lock"


def groups(root: Path) -> list[str]:
    """Return the groups of notebooks, a folder each; applications are none."""
    return sorted(p.name for p in (root / "notebooks").iterdir() if p.is_dir() and p.name != "apps")


def add(root: Path, name: str, group: str, *, room: bool) -> list[Path]:
    """Make the notebook `notebooks/<group>/<name>.ipynb` and all that it needs to run at once.

    Return the files made. A name or a group that will not do raises PhareError before anything
    is written; if a step fails, nothing stays.
    """
    _refuse(root, name, group)
    made = _made(root, name, group, room)
    folder = _templates(root, room)
    stage = _told(folder / "stage.yaml", name).replace(GROUP, group)
    dvc, knobs, index = (root / shared for shared in SHARED)
    title = _told(folder / "note.md", name).splitlines()[0].removeprefix("# ")
    texts = made | {
        dvc: yaml_text.with_entry(
            dvc.read_text("utf-8"), ["stages"], stage, shown_as=dvc.name, before=LAST
        ),
        knobs: yaml_text.with_entry(
            knobs.read_text("utf-8"), [], _told(folder / "params.yaml", name), shown_as=knobs.name
        ),
        index: f"{index.read_text('utf-8').rstrip()}\n- [{title}]({name}.md)\n",
    }
    with all_or_nothing(*texts, root / SCHEMA):
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        _publish(root)
    return list(made)


def remove(root: Path, name: str, *, force: bool = False) -> list[Path]:
    """Take away the notebook `name`, all that `add` made for it, and its results.

    Return the files taken away. PhareError, before anything is touched, where something else rests
    on it, or where work would be lost for good: files that are neither in git nor as the templates
    made them (unless `force`).
    """
    notebook = code_used.notebook_path(root, name)
    if notebook is None or name not in read_yaml(root / "dvc.yaml", "dvc.yaml")["stages"]:
        raise PhareError("aucun carnet ne s'appelle ainsi", "notebooks/", "vérifier NAME")
    beside = [path for folder in _rooms(root, name) for path in _modules(folder)]
    files = [notebook, *beside, *([_note(root, name)] if _note(root, name).exists() else [])]
    _nothing_rests_on(root, name, files)
    if not force:
        _nothing_lost(root, name, notebook.parent.name, files)
    texts = {
        root / shared: yaml_text.without_entry(
            (root / shared).read_text("utf-8"), block, entry, shown_as=shared
        )
        for shared, block, entry in [("dvc.yaml", ["stages"], name), ("params.yaml", [], name)]
    }
    index = root / SHARED[-1]
    lines = index.read_text("utf-8").splitlines(keepends=True)
    texts[index] = "".join(line for line in lines if f"]({name}.md)" not in line)
    if (root / LOCK).exists():
        texts[root / LOCK] = _without_runs((root / LOCK).read_text("utf-8"), name)
    with all_or_nothing(*files, *texts, root / SCHEMA):
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        for path in files:
            path.unlink()
        _publish(root)
    for folder in _rooms(root, name):
        shutil.rmtree(folder, ignore_errors=True)
    for path in _results(root, name):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return files


def _refuse(root: Path, name: str, group: str) -> None:
    """Raise PhareError for a name or a group that will not do."""
    named(name)
    if group not in groups(root):
        raise PhareError("groupe inconnu", "GROUP=…", f"choisir parmi {', '.join(groups(root))}")
    if len(name) > LONGEST or keyword.iskeyword(name) or hasattr(Strict, name):
        raise PhareError(
            "nom refusé",
            "NAME=…",
            f"{LONGEST} caractères au plus, et pas un mot de Python ni des modèles de réglages",
        )
    rooms = [folder for folder in _rooms(root, name) if any(_modules(folder))]
    others = [root / "templates" / name, root / f"src/helpers/{name}.py", _note(root, name)]
    taken = [*(root / "notebooks").glob(f"*/{name}.ipynb"), *rooms, *filter(Path.exists, others)]
    found = [path.relative_to(root).as_posix() for path in taken]
    found += [
        f"{file}, {kind} {name}"
        for file, kind, held in (
            ("dvc.yaml", "étape", read_yaml(root / "dvc.yaml", "dvc.yaml")["stages"]),
            ("params.yaml", "bloc", read_yaml(root / "params.yaml", "params.yaml")),
        )
        if name in held
    ]
    if found:
        raise PhareError(f"« {name} » existe déjà", ", ".join(found), "choisir un autre nom")


def _templates(root: Path, room: bool) -> Path:
    return root / TEMPLATES / ("with_room" if room else "without_room")


def _told(path: Path, name: str) -> str:
    return path.read_text(encoding="utf-8").replace(MADE_UP, name)


def _made(root: Path, name: str, group: str, room: bool) -> dict[Path, str]:
    """Return the files that the notebook has for its own, and their texts."""
    folder = _templates(root, room)
    knobs = knob_lines(folder / "params.yaml")[MADE_UP]
    book: dict[str, Any] = json.loads(_told(folder / f"{MADE_UP}.ipynb", name))
    note = method_notes.written(_told(folder / "note.md", name), knobs)
    texts = {
        root / "notebooks" / group / f"{name}.ipynb": notebooks.with_parameters(book, knobs),
        _note(root, name): note,
    }
    for part, place in zip(("room", "test"), _rooms(root, name), strict=True):
        for path in sorted((folder / part).glob("*.py")):
            texts[place / path.name] = _tidied(root, place / path.name, _told(path, name))
    return texts


def _rooms(root: Path, name: str) -> tuple[Path, Path]:
    return root / "src/helpers" / name, root / "tests" / name


def _tidied(root: Path, path: Path, text: str) -> str:
    """Return a module as ruff lays it out: imports are in the order of names, this one's too."""
    for command in (["check", "--select", "I", "--fix"], ["format"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--quiet", "--stdin-filename", path, "-"],
            cwd=root, input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise PhareError(
                "le modèle de carnet ne peut pas être mis en forme",
                path.relative_to(root).as_posix(),
                f"lancer `make env`, puis recommencer ({done.stderr.strip()})",
            )
        text = done.stdout
    return text


def _publish(root: Path) -> None:
    """Write the schema of params.yaml again: another process sees the rooms as they now are."""
    done = subprocess.run(
        [sys.executable, "-m", "helpers.workshop.schemas"], cwd=root, check=False,
        env={**os.environ, "PYTHONPATH": str(root / "src")}, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:]
        raise PhareError(
            f"le schéma des réglages n'a pas pu être refait : {''.join(last)}",
            SCHEMA,
            "lancer `make deps` pour tout voir ; rien n'a été changé",
        )


def _note(root: Path, name: str) -> Path:
    return root / method_notes.FOLDER / f"{name}.md"


def _modules(folder: Path) -> list[Path]:
    """Return the files of a folder; what Python left there is none."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc")


def _nothing_rests_on(root: Path, name: str, files: list[Path]) -> None:
    stages = read_yaml(root / "dvc.yaml", "dvc.yaml")["stages"]
    outs = {out.replace("${key}", "") for out in stages[name]["do"]["outs"]}
    users = [
        f"étape {other}"
        for other, one in stages.items()
        if other != name
        and {dep.replace("${key}", "") for dep in one["do"]["deps"]}
        & {*outs, f"src/helpers/{name}"}
    ]
    named_here = re.compile(rf"\bhelpers(\.| import .*\b){name}\b")
    for place in ("src", "tests", "notebooks", "templates"):
        for path in sorted((root / place).rglob("*")):
            own = path in files or path.is_relative_to(root / TEMPLATES)
            read = path.suffix in (".py", ".ipynb") and not own
            if read and named_here.search(path.read_text(encoding="utf-8")):
                users.append(path.relative_to(root).as_posix())
    if name == LAST:
        users.append("toutes les figures")
    if users:
        raise PhareError(f"« {name} » sert à d'autres", ", ".join(users), "les détacher d'abord")


def _nothing_lost(root: Path, name: str, group: str, files: list[Path]) -> None:
    """Raise PhareError for files that are neither in git nor as the templates make them."""
    made = _made(root, name, group, room=_rooms(root, name)[0].is_dir())
    fresh = {path for path in files if made.get(path) == path.read_text(encoding="utf-8")}
    told = subprocess.run(
        ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=all", "-z", "--",
         *map(str, files)], capture_output=True, text=True, check=False,
    )  # fmt: skip
    changed = {root / line[3:] for line in told.stdout.split("\0")}
    unsaved = [p for p in files if p not in fresh and (told.returncode != 0 or p in changed)]
    if unsaved:
        raise PhareError(
            "ce travail n'est pas enregistré dans git, il serait perdu",
            ", ".join(path.relative_to(root).as_posix() for path in unsaved),
            "l'enregistrer (git commit), ou ajouter FORCE=1",
        )


def _without_runs(lock: str, name: str) -> str:
    """Return dvc.lock without what it says of the stage, whatever the city."""
    for run in re.findall(rf"^  ({name}@\w+):$", lock, re.MULTILINE):
        lock = yaml_text.without_entry(lock, ["stages"], run, shown_as=LOCK)
    return lock


def _results(root: Path, name: str) -> list[Path]:
    data = root / "data"
    return [
        path
        for city in ("*", "scratch/*")
        for pattern in (f"derived/{name}", f"figures/{name}", f"reports/{name}.*",
                        f"failed/{name}.ipynb", f"timings/{name}.json")
        for path in data.glob(f"{city}/{pattern}")
    ]  # fmt: skip


@commands.told
def main(arguments: list[str] | None = None) -> int:
    """Do what is asked; print the files and what to do next; return the exit code."""
    parser = Parser(prog="python -m helpers.workshop.new_notebook")
    parser.add_argument("what", choices=["add", "remove"])
    parser.add_argument("name")
    parser.add_argument("--group", default="yesterday")
    parser.add_argument("--without-room", action="store_true")
    parser.add_argument("--force", action="store_true")
    asked = parser.parse_args(arguments)
    root = find_root()
    if asked.what == "add":
        files = add(root, asked.name, asked.group, room=not asked.without_room)
    else:
        files = remove(root, asked.name, force=asked.force)
    for path in files:
        print(f"  {path.relative_to(root)}")
    told = ", ".join(SHARED)
    if asked.what == "add":
        print(f"Et dans {told} : sa ligne, son bloc, son étape. Puis `make run APPS=0`.")
    else:
        print(f"Ôtés, avec ce qu'en disaient {told}, et ses résultats.")
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
