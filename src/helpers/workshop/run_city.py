"""Running the pipeline of one city: the register of cities, `dvc repro` with progress, restoring.

`python -m helpers.workshop.run_city CITY` is what `make run` calls. DVC decides what to run; this
module checks what can be checked before anything starts, shows progress, and puts the previous
results back when a stage fails.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from helpers.collect import inbox, own_texts
from helpers.collect.collect import FETCH, FROM, given, places_to_look, received
from helpers.core.base import aside, commands, machine, redact
from helpers.core.base.errors import PhareError, together
from helpers.core.base.french import spoken
from helpers.core.base.workspace import (
    INBOX,
    REGISTER,
    RESERVED_NAMES,
    active_cities,
    find_root,
    write_register,
)
from helpers.core.city import (
    action_rules,
    episode_rules,
    event_rules,
    key,
    shock_rules,
    staff_rules,
    survey,
    traffic_rules,
)
from helpers.core.city.city import City
from helpers.core.city.surroundings import read_surroundings
from helpers.core.stage import code_used, execute, notices, params, warm
from helpers.core.stage.params import stages
from helpers.core.stage.receipts import RECEIPTS, read_receipts
from helpers.register import snapshot
from helpers.workshop import ground, one_run, yaml_text

FRESH_DAYS = 31  # since the last day of data, above which « demain » is not tomorrow's
RUNNING = re.compile(r"^Running stage '(?P<stage>[^@']+)@(?P<city>[^']+)'")
SKIPPED = re.compile(r"^Stage '(?P<stage>[^@']+)@[^']+' (didn't change|is cached)")


def locked(root: Path, city: str) -> dict[str, dict[str, Any]]:
    """Return what dvc.lock says of each stage of the city that has run; stage → entry."""
    path = root / "dvc.lock"
    text = path.read_text(encoding="utf-8") if path.exists() else "{}"
    try:
        entries: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader).get("stages", {})
        pairs = [name.split("@", 1) for name in entries]
        return {stage: entries[f"{stage}@{of}"] for stage, of in pairs if of == city}
    except (yaml.YAMLError, AttributeError, ValueError):  # cut short, or a merge not finished
        raise PhareError(
            "le verrou de DVC ne se lit pas : coupé, ou une fusion git n'est pas finie",
            "dvc.lock",
            "le reprendre : git checkout HEAD -- dvc.lock",
        ) from None


def find_pack(root: Path, asked: str) -> tuple[str, Path]:
    """Return the name and the folder of a city asked for by name or by its pack's folder."""
    held = active_cities(root)
    aside.sweep(root / "data/cities")
    if asked in held:
        _sweep(held[asked])
        return City(held[asked]).about.name, held[asked]
    named = root / "data" / "cities" / asked
    pack = named if _there(named) else Path(asked).expanduser().resolve()
    if not _there(pack):
        packs = sorted(p.parent.name for p in (root / "data" / "cities").glob("*/city.yaml"))
        raise PhareError(
            f"ville inconnue : « {asked} »",
            "data/cities/",
            f"choisir parmi {', '.join(packs)}, ou donner un dossier qui contient city.yaml",
        )
    name = City(pack).about.name
    if name in RESERVED_NAMES:
        raise PhareError(f"« {name} » est un nom réservé", f"{pack.name}/city.yaml", "en changer")
    if name in held and _there(held[name]) and held[name].resolve() != pack.resolve():
        raise PhareError(
            f"une autre ville s'appelle déjà « {name} »", str(REGISTER), "changer `name`"
        )
    _sweep(pack)
    return name, pack


def _sweep(pack: Path) -> None:
    """Take away what commands that were killed left in the pack."""
    aside.sweep(pack, pack / "contracts", pack / "lists", pack / INBOX)


def _there(pack: Path) -> bool:
    return (pack / "city.yaml").is_file()


def activate(root: Path, asked: str) -> str:
    """Make sure that the workspace holds the city, where its pack now is; return its name."""
    name, pack = find_pack(root, asked)
    held = active_cities(root)
    if name not in held or (held[name] != pack and not _there(held[name])):
        shown = str(pack.relative_to(root) if pack.is_relative_to(root) else pack)
        try:
            shown.encode("utf-8")
        except UnicodeEncodeError:
            raise PhareError(
                "le nom du dossier de la ville n'est pas en UTF-8",
                shown.encode("utf-8", "replace").decode("utf-8"),
                "le renommer, ou copier le dossier sous data/cities/",
            ) from None
        yaml = yaml_text.round_trip()
        yaml.width = yaml_text.ONE_LINE
        register = yaml.load(root / REGISTER)
        register["cities"][yaml_text.quoted(name)] = yaml_text.quoted({"pack": shown})
        written = io.StringIO()
        yaml.dump(register, written)
        write_register(root, written.getvalue())
    return name


@contextmanager
def held_for(root: Path, asked: str) -> Iterator[str]:
    """Hold the city in the workspace; yield its name. Where nothing came in, it is held no more.

    Else its name would stay taken once its folder has moved.
    """
    locked(root, asked)  # one that cannot be read says nothing of what came in
    register = (root / REGISTER).read_text(encoding="utf-8")
    city = activate(root, asked)
    try:
        yield city
    except BaseException:
        if not locked(root, city):
            write_register(root, register)
        raise


def check(root: Path, city: str) -> None:
    """Raise PhareError for what would fail later: parameters, contracts, themes, notebooks."""
    loaded = City(active_cities(root)[city])
    own_texts.check(loaded)  # alone: what else is told may quote the text
    errors: list[PhareError] = []
    reads: tuple[Callable[[], object], ...] = (
        lambda: params.load(root), lambda: loaded.contracts, lambda: loaded.questions,
        lambda: read_surroundings(loaded), lambda: survey.read_rule(loaded),
        lambda: episode_rules.read_rules(loaded), lambda: event_rules.read_rules(loaded),
        lambda: traffic_rules.read_rules(loaded), lambda: action_rules.read_rules(loaded),
        lambda: shock_rules.read_rules(loaded),
        lambda: staff_rules.read_rules(loaded),
    )  # fmt: skip
    for read in reads:
        try:
            read()
        except PhareError as error:
            errors.append(error)
    together(errors)
    if os.environ.get(FROM):
        given()
    _check_key(root, loaded)
    _check_snapshot(root, loaded)
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


def _check_snapshot(root: Path, city: City) -> None:
    """Raise PhareError where the register's snapshot is not as the register wrote it."""
    source = city.about.sources.get(snapshot.SOURCE)
    if source is None or not city.contracts[snapshot.SOURCE].refused.keys() >= {"hash"}:
        return  # a source of that name that is another's
    from helpers.register import delivered  # only cities with a snapshot pay for the register's

    places = places_to_look(city, root)
    for path in (one for name in source.names for one in received(places, name)):
        if told := delivered.check(root, city.pack, path):
            print(told)


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
    lines: list[str] = []
    packs = active_cities(root)
    cities = sorted({target.split("@")[1] for target in targets})
    # DVC reads all its files anew for each target: all stages of a city are one, `*@city`.
    wholes = {f"{stage}@{city}" for stage in stages(root) for city in cities}
    asked = [f"*@{city}" for city in cities] if wholes == set(targets) else targets
    command = dvc(root, "repro", "--glob", *options, *asked)
    for city in cities:
        inbox.note(packs[city])
    started: list[str] = []
    with one_run.alone(root) as lock, warm.opened(environment() | execute.steady()) as told:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=told,
            cwd=root,
            pass_fds=[lock],
        )
        assert process.stdout is not None
        one_run.worked_by(lock, process.pid)
        try:
            started.extend(_progress(process.stdout, lines, quiet=quiet))
            failed = process.wait() != 0
        except BaseException:
            process.terminate()
            process.stdout.read()  # it ends with the last of those who write: stage, kernel
            process.wait()
            one_run.worked_by(lock, os.getpid())
            _put_back(root, started)
            raise
        one_run.worked_by(lock, os.getpid())
        if failed:
            _put_back(root, started)
            raise _failure(root, lines, started)


def _put_back(root: Path, started: list[str]) -> None:
    """Put back the results that the last stage started had before."""
    if started:
        subprocess.run(
            dvc(root, "checkout", "--force", started[-1]),
            env=environment(),
            capture_output=True,
            check=False,
        )


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


def _failure(root: Path, lines: list[str], started: list[str]) -> PhareError:
    for i, line in enumerate(lines):
        if line.startswith("Erreur : "):
            rest = [part.split(":", 1)[1].strip() for part in lines[i + 1 : i + 3]]
            return PhareError(line.removeprefix("Erreur : "), rest[0], rest[1])
    errors = [line for line in lines if line.startswith("ERROR: ")]
    if not (errors or started):  # what DVC says of a dvc.yaml that it cannot read
        errors = [line for line in lines if line][:1]
    known = one_run.refused_by_dvc(root, lines) or machine.of_text("\n".join(errors), str(root))
    return known or PhareError(
        redact.addresses(errors[-1] if errors else "échec de DVC"),
        f"étape {started[-1]}" if started else "DVC, avant la première étape",
        f"relancer `{' '.join(['dvc repro', *started[-1:]])}` pour tout voir",
    )


def run(root: Path, asked: str) -> None:
    """Run the whole pipeline of a city; print how long it took, what to know, where to look."""
    started = time.monotonic()
    params.load(root)
    with held_for(root, asked) as city:
        targets = [f"{stage}@{city}" for stage in stages(root)]
        check(root, city)
        print(f"Phare : {city}", flush=True)
        if os.environ.get(FROM) or os.environ.get(FETCH):
            reproduce(root, [f"collect@{city}"], force=True)
        reproduce(root, targets)
    stale = unsealed(root, city)
    if stale:
        print("Code enregistré depuis : ses figures nomment maintenant leur commit")
        reproduce(root, [f"{stage}@{city}" for stage in stale], force=True, alone=True)
        reproduce(root, targets, quiet=True)
    count = len(list((root / "data" / city / "figures").glob("*/*.svg")))
    print(f"Terminé en {time.monotonic() - started:.0f} s : {count} figures.")
    loaded = City(active_cities(root)[city])
    for line in notices.lines(loaded, notices.count(loaded, root / "data" / city)):
        print(f"  - {line}")
    print(ends(loaded.about.period.end, dt.date.today()))
    print(f"  figures  : data/{city}/figures/")
    print(f"  rapports : data/{city}/reports/*.html (à ouvrir dans un navigateur)")


def ends(last: dt.date, today: dt.date) -> str:
    """Return until when data are; where that is long ago, that « demain » is not tomorrow."""
    told = f"  données  : jusqu'au {spoken(last)}"
    if (today - last).days <= FRESH_DAYS:
        return told
    return f"{told} ; dans les rapports, « aujourd'hui » et « demain » sont ceux de ce jour-là"


@commands.told
def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m helpers.workshop.run_city")
    parser.add_argument("city", help="nom d'une ville, ou dossier d'une ville")
    parser.add_argument("--only", help="une seule étape, refaite avec ce dont elle dépend")
    asked = parser.parse_args(arguments)
    root = find_root()
    ground.check(root)
    ground.check_folders(root, find_pack(root, asked.city)[0])
    with one_run.alone(root):
        if asked.only:
            with held_for(root, asked.city) as city:
                check(root, city)
                reproduce(root, [f"{asked.only}@{city}"], force=True)
        else:
            run(root, asked.city)
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
