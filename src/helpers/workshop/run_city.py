"""Running the pipeline of one city: the register of cities, `dvc repro` with progress, restoring.

`python -m helpers.workshop.run_city CITY` is what `make run` calls. DVC decides what to run; this
module checks what can be checked before anything starts, shows progress, and puts the previous
results back when a stage fails.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from helpers.collect import inbox
from helpers.collect.collect import FETCH, FROM
from helpers.core.base import commands, redact, store
from helpers.core.base.errors import PhareError, together
from helpers.core.base.workspace import REGISTER, RESERVED_NAMES, active_cities, find_root
from helpers.core.city import episode_rules, key, survey
from helpers.core.city.city import City
from helpers.core.city.surroundings import read_surroundings
from helpers.core.stage import code_used, execute, params, warm
from helpers.core.stage.params import stages
from helpers.core.stage.receipts import RECEIPTS, read_receipts
from helpers.workshop import yaml_text

RUNNING = re.compile(r"^Running stage '(?P<stage>[^@']+)@(?P<city>[^']+)'")
SKIPPED = re.compile(r"^Stage '(?P<stage>[^@']+)@[^']+' (didn't change|is cached)")


def locked(root: Path, city: str) -> dict[str, dict[str, Any]]:
    """Return what dvc.lock says of each stage of the city that has run; stage → entry."""
    path = root / "dvc.lock"
    lock = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    entries: dict[str, Any] = lock.get("stages", {})
    pairs = (name.split("@", 1) for name in entries)
    return {stage: entries[f"{stage}@{of}"] for stage, of in pairs if of == city}


def find_pack(root: Path, asked: str) -> tuple[str, Path]:
    """Return the name and the folder of a city asked for by name or by its pack's folder."""
    held = active_cities(root)
    if asked in held:
        return City(held[asked]).about.name, held[asked]
    named = root / "data" / "cities" / asked
    pack = named if (named / "city.yaml").is_file() else Path(asked).expanduser().resolve()
    if not (pack / "city.yaml").is_file():
        packs = sorted(p.parent.name for p in (root / "data" / "cities").glob("*/city.yaml"))
        raise PhareError(
            f"ville inconnue : « {asked} »",
            "data/cities/",
            f"choisir parmi {', '.join(packs)}, ou donner un dossier qui contient city.yaml",
        )
    name = City(pack).about.name
    if name in RESERVED_NAMES:
        raise PhareError(f"« {name} » est un nom réservé", f"{pack.name}/city.yaml", "en changer")
    if name in held and held[name].resolve() != pack:
        raise PhareError(
            f"une autre ville s'appelle déjà « {name} »", str(REGISTER), "changer `name`"
        )
    return name, pack


def activate(root: Path, asked: str) -> str:
    """Make sure that the workspace holds the city; return its name."""
    name, pack = find_pack(root, asked)
    if name not in active_cities(root):
        shown = pack.relative_to(root) if pack.is_relative_to(root) else pack
        yaml = yaml_text.round_trip()
        register = yaml.load(root / REGISTER)
        register["cities"][name] = {"pack": str(shown)}
        yaml.dump(register, root / REGISTER)
    return name


def check(root: Path, city: str) -> None:
    """Raise PhareError for what would fail later: parameters, contracts, themes, notebooks."""
    loaded = City(active_cities(root)[city])
    errors: list[PhareError] = []
    reads: tuple[Callable[[], object], ...] = (
        lambda: params.load(root), lambda: loaded.contracts, lambda: loaded.questions,
        lambda: read_surroundings(loaded), lambda: survey.read_rule(loaded),
        lambda: episode_rules.read_rules(loaded),
    )  # fmt: skip
    for read in reads:
        try:
            read()
        except PhareError as error:
            errors.append(error)
    together(errors)
    _check_key(root, loaded)
    for stage in stages(root):
        if code_used.notebook_path(root, stage) is None:
            raise PhareError(
                f"l'étape « {stage} » n'a pas de carnet",
                "dvc.yaml",
                f"créer notebooks/*/{stage}.ipynb ou ôter l'étape",
            )


def _check_key(root: Path, city: City) -> None:
    """Raise PhareError where the key at hand is not that of the raw data set at hand.

    Where there is none at hand, later stages may run all the same; `collect` may not make one.
    """
    name, raw = city.about.name, root / "data" / city.about.name / "raw"
    told = read_receipts(raw) if (raw / RECEIPTS).is_file() else {}
    expected = next((one["key"] for one in told.values() if "key" in one), None)
    os.environ.pop(key.EXPECTED, None)
    if expected is None:
        return
    if not city.has_public_key and not key.path_of(root, name).exists():
        os.environ[key.EXPECTED] = expected
        if os.environ.get(FROM) or os.environ.get(FETCH):
            raise key.other_key(name, expected, "n'est pas dans cet atelier")
    elif (here := city.key(root).fingerprint) != expected:
        raise key.other_key(name, expected, f"n'est pas celle d'ici (empreinte {here})")


def unsealed(root: Path, city: str) -> list[str]:
    """Return the stages whose figures do not name the commit that now holds their code.

    A figure made before its code was committed names no commit; once committed, the stage is run
    again, so that its evidence names it.
    """
    found = []
    for stage in locked(root, city):
        evidence = sorted((root / "data" / city / "figures" / stage).glob("*.evidence.json"))
        notebook = code_used.notebook_path(root, stage)
        if evidence and notebook:
            said = json.loads(evidence[0].read_text(encoding="utf-8"))["commit"]
            files = code_used.stage_files(root, stage, code_used.notebook_helpers(notebook, root))
            if said != code_used.commit_of(root, files)[0]:
                found.append(stage)
    return found


def dvc(root: Path, *arguments: str) -> list[str]:
    """Return the command line of DVC run by this interpreter."""
    return [sys.executable, "-m", "dvc", "--cd", str(root), *arguments]


def environment() -> dict[str, str]:
    """Return the environment in which stages find this interpreter and a quiet DVC."""
    here = str(Path(sys.executable).parent)
    others = [path for path in os.environ.get("PATH", "").split(os.pathsep) if path != here]
    return {
        **os.environ,
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(find_root() / ".dvc" / "tmp" / "site"),
        "PATH": os.pathsep.join([here, *others]),
    }


def reproduce(
    root: Path,
    targets: list[str],
    *,
    force: bool = False,
    alone: bool = False,
    quiet: bool = False,
) -> None:
    """Run `dvc repro` on the targets (`stage@city`), telling each stage as it goes.

    `force` runs them even if nothing changed; `alone`, without what is above them.
    On failure, put the failed stage's previous results back and raise PhareError.
    """
    options = [*(["--force"] if force else []), *(["--single-item"] if alone else [])]
    command = dvc(root, "repro", *options, *targets)
    lines: list[str] = []
    packs = active_cities(root)
    for city in {target.split("@")[1] for target in targets}:
        inbox.note(packs[city])
    with warm.opened(environment() | execute.steady()) as told:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=told,
            cwd=root,
        )
        assert process.stdout is not None
        started = list(_progress(process.stdout, lines, quiet=quiet))
        failed = process.wait() != 0
    running = started[-1] if started else ""
    if failed:
        if running:
            subprocess.run(
                dvc(root, "checkout", "--force", running),
                env=environment(),
                capture_output=True,
                check=False,
            )
        raise _failure(lines, running)


def _progress(output: Iterator[str], lines: list[str], *, quiet: bool) -> Iterator[str]:
    """Yield the stage each time one starts, printing how long the one before it took."""
    started, running = time.monotonic(), ""

    def done() -> None:
        if running and not quiet:
            print(f"  {running:<28} {time.monotonic() - started:6.1f} s", flush=True)

    for line in output:
        lines.append(line.rstrip("\n"))
        begins, skips = RUNNING.match(line), SKIPPED.match(line)
        if begins or skips:
            done()
            running = ""
        if begins:
            running, started = f"{begins['stage']}@{begins['city']}", time.monotonic()
            yield running
        elif skips and not quiet:
            print(f"  {skips['stage']:<28} inchangé", flush=True)
    done()


def _failure(lines: list[str], running: str) -> PhareError:
    for i, line in enumerate(lines):
        if line.startswith("Erreur : "):
            rest = [part.split(":", 1)[1].strip() for part in lines[i + 1 : i + 3]]
            return PhareError(line.removeprefix("Erreur : "), rest[0], rest[1])
    last = next((line for line in reversed(lines) if line.startswith("ERROR: ")), "échec de DVC")
    return PhareError(
        redact.addresses(last),
        f"étape {running or '(aucune)'}",
        f"relancer `dvc repro {running}` pour tout voir",
    )


def run(root: Path, asked: str) -> None:
    """Run the whole pipeline of a city; print how long it took and where to look."""
    started = time.monotonic()
    params.load(root)
    register = (root / REGISTER).read_text(encoding="utf-8")
    city = activate(root, asked)
    targets = [f"{stage}@{city}" for stage in stages(root)]
    try:
        check(root, city)
        print(f"Phare : {city}", flush=True)
        if os.environ.get(FROM) or os.environ.get(FETCH):
            reproduce(root, [f"collect@{city}"], force=True)
        reproduce(root, targets)
    except PhareError:
        if not locked(root, city):  # nothing came in: the workspace does not hold this city
            (root / REGISTER).write_text(register, encoding="utf-8")
        raise
    stale = unsealed(root, city)
    if stale:
        print("Code enregistré depuis : ses figures nomment maintenant leur commit")
        reproduce(root, [f"{stage}@{city}" for stage in stale], force=True, alone=True)
        reproduce(root, targets, quiet=True)
    count = len(list((root / "data" / city / "figures").glob("*/*.svg")))
    print(f"Terminé en {time.monotonic() - started:.0f} s : {count} figures.")
    for remark in remarks(root, city):
        print(f"  à vérifier : {remark}")
    print(f"  figures  : data/{city}/figures/")
    print(f"  rapports : data/{city}/reports/*.html (à ouvrir dans un navigateur)")


def remarks(root: Path, city: str) -> list[str]:
    """Return what `ingest` found odd in the zones and in what sources say of them."""
    path = root / "data" / city / "derived" / "ingest" / "remarks.parquet"
    if not path.is_file():  # a run of before that told none
        return []
    rows = store.records(
        store.connect(), "SELECT * FROM read_parquet(?) ORDER BY rank", [str(path)]
    )
    return [row["remark"] for row in rows]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m helpers.workshop.run_city")
    parser.add_argument("city", help="nom d'une ville, ou dossier d'une ville")
    parser.add_argument("--only", help="une seule étape, refaite avec ce dont elle dépend")
    asked = parser.parse_args(arguments)
    root = find_root()
    try:
        if asked.only:
            city = activate(root, asked.city)
            check(root, city)
            reproduce(root, [f"{asked.only}@{city}"], force=True)
        else:
            run(root, asked.city)
    except PhareError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
