"""Running the pipeline of one city: the register of cities, what is checked first, what is told.

`python -m helpers.workshop.run_city CITY` is what `make run` calls. What can be checked before
anything starts is checked here; `reproduction` runs the stages.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from helpers.collect import own_texts
from helpers.collect.collect import FETCH, FROM, given, places_to_look, received
from helpers.core.base import aside, commands
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
from helpers.core.stage import code_used, notices, params
from helpers.core.stage.params import stages
from helpers.core.stage.receipts import RECEIPTS, read_receipts
from helpers.register import snapshot
from helpers.workshop import ground, one_run, yaml_text
from helpers.workshop.command_line import Parser
from helpers.workshop.reproduction import jobs, reproduce

FRESH_DAYS = 31  # since the last day of data, above which « demain » is not tomorrow's


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
            "ville inconnue",
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
        lambda: staff_rules.read_rules(loaded), jobs,
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


def _rests_on(root: Path) -> dict[str, list[str]]:
    """Return the helpers that each stage's notebook rests on."""
    notebooks = {stage: code_used.notebook_path(root, stage) for stage in stages(root)}
    return {one: code_used.notebook_helpers(path, root) for one, path in notebooks.items() if path}


def unsealed(root: Path, city: str) -> list[str]:
    """Return the stages whose figures do not name the commit that now holds their code.

    A figure made before its code was committed names no commit; once committed, the stage is run
    again, so that its evidence names it.
    """
    found, helpers = [], _rests_on(root)
    for stage in locked(root, city):
        evidence = sorted((root / "data" / city / "figures" / stage).glob("*.evidence.json"))
        if evidence and stage in helpers:
            said = json.loads(evidence[0].read_text(encoding="utf-8"))["commit"]
            files = code_used.stage_files(root, stage, helpers[stage])
            if said != code_used.commit_of(root, files)[0]:
                found.append(stage)
    return found


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
        with ThreadPoolExecutor(1) as meanwhile:  # `unsealed` asks it: remembered by then
            meanwhile.submit(_rests_on, root)
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
    parser = Parser(prog="python -m helpers.workshop.run_city")
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
