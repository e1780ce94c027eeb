"""A new source, theme or city from templates/, without touching the code; it runs at once.

`python -m helpers.workshop.new city NAME`, `… source NAME --city CITY [--file FILE [--columns …]]`,
`… theme NAME --city CITY [--source "SOURCE …"]`.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from string import Template

import pyarrow as pa

from helpers.collect import persons
from helpers.collect.own_lists import NUMBERS
from helpers.core.base import aside, commands
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import INBOX, RESERVED_NAMES, find_root
from helpers.core.city.city import City
from helpers.workshop import yaml_text
from helpers.workshop.command_line import Parser
from helpers.workshop.draft_contract import draft
from helpers.workshop.run_city import find_pack

NAME = re.compile(r"[a-z][a-z0-9_]*")
SOMEBODY = NUMBERS | {"nom"}
AXIS = "domaine_public"  # of a theme that does not say its own
BESIDE_SHAPES = (".shx", ".dbf", ".prj", ".cpg")
PACKED = (".gz", ".zip", ".zst")


def named(name: str, refused: frozenset[str] = SOMEBODY) -> str:
    """Return `name`; PhareError where it would break a path, is reserved, or is somebody's.

    `refused`: the reasons of detectors that are heard. What is made bears the name in its files,
    titles and columns.
    """
    if not NAME.fullmatch(name) or name in RESERVED_NAMES:
        raise PhareError(
            "nom refusé",
            "NAME=…",
            "des minuscules sans accent, des chiffres et des soulignés, une lettre d'abord",
        )
    read = pa.array([name, name.replace("_", " ")], pa.string())
    if not refused.isdisjoint(persons.screen(read).to_pylist()):
        raise PhareError(
            "nom refusé : il semble désigner une personne", "NAME=…", "dire ce qui est compté"
        )
    return name


def _filled(template: Path, **values: str) -> str:
    return Template(template.read_text(encoding="utf-8")).substitute(values)


def _refuse(path: Path, root: Path) -> None:
    if path.exists():
        raise PhareError(
            "existe déjà", path.relative_to(root).as_posix(), "choisir un autre nom, ou le modifier"
        )


@contextmanager
def all_or_nothing(*files: Path) -> Iterator[None]:
    """Put files back as they were (or away, with folders made for them) if what follows fails."""
    before = {path: path.read_bytes() if path.exists() else None for path in files}
    absent = [path.parent for path in files if not path.parent.exists()]
    try:
        yield
    except BaseException:
        for path, content in before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                aside.write(path, content)
        for folder in absent:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def new_city(root: Path, name: str) -> list[Path]:
    """Make the pack `data/cities/<name>` with a small invented delivery; return its files."""
    pack = root / "data" / "cities" / named(name, NUMBERS)  # a city may bear a name
    _refuse(pack, root)
    title = name.replace("_", " ").capitalize()
    aside.sweep(pack.parent)
    with aside.folder(pack.parent) as folder:
        made = folder / name
        shutil.copytree(root / "templates" / "ville", made)
        about = made / "city.yaml"
        about.write_text(_filled(about, nom=name, titre=title), encoding="utf-8")
        _check(City(made))
        _refuse(pack, root)  # another command may have made it meanwhile
        made.rename(pack)
    return sorted(path for path in pack.rglob("*") if path.is_file())


def new_source(
    root: Path,
    name: str,
    city: str,
    file: Path | None,
    columns: Collection[int] = (),
    *,
    again: bool = False,
) -> tuple[list[Path], str]:
    """Add a source to the city: its contract, its line in city.yaml, and a first delivery.

    The contract comes from the template and the delivery is invented; or both come from `file`,
    whose columns are read to draft the contract (`draft_contract.draft`, `columns` being the
    positions of those whose names a person vouches for; `again`, in place of an earlier draft).
    Return the files, what the draft tells.
    """
    _, pack = find_pack(root, city)
    contract, about = pack / "contracts" / f"{named(name)}.yaml", pack / "city.yaml"
    if not (again and file):
        _refuse(contract, root)
    templates = root / "templates" / "source"
    title = name.replace("_", " ").capitalize()
    if file is None:
        told, text = "", _filled(templates / "contrat.yaml", nom=name, titre=title)
        beside: dict[str, bytes] = {}
        sample, content = f"{name}.csv", _filled(templates / "exemple.csv", nom=name).encode()
    else:
        known = City(pack)
        drafted = draft(name, title, file, known.key(root), columns, known.about.timezone)
        told, text = drafted.told, drafted.text
        # The name given, not the file's, which may be somebody's.
        packed = file.suffix.lower() if file.suffix.lower() in PACKED else ""
        sample, content = f"{name}.{drafted.form}{packed}", file.read_bytes()
        beside = _beside(file, name) if drafted.form == "shp" else {}
    delivered = pack / INBOX / sample
    files = {delivered: content, **{pack / INBOX / one: held for one, held in beside.items()}}
    with all_or_nothing(contract, about, *files):
        aside.write(contract, text.encode())
        delivered.parent.mkdir(exist_ok=True)
        for path, held in files.items():
            aside.write(path, held)
        if name not in City(pack).about.sources:
            _add(about, "sources", f"{name}: {yaml_text.inline({'file': sample})}")
        _check(City(pack))
    return [contract, about, delivered], told


def _beside(file: Path, name: str) -> dict[str, bytes]:
    """Return the files that go with a shapefile, called `name`: theirs → what they hold."""
    found = sorted(file.resolve().parent.glob(f"{escape(file.stem)}.*"))
    return {
        f"{name}{one.suffix.lower()}": one.read_bytes()
        for one in found
        if one.suffix.lower() in BESIDE_SHAPES
    }


def new_theme(root: Path, name: str, city: str, source: str | None) -> list[Path]:
    """Add a theme to the city, on the codes of the sources that no theme counts yet."""
    _, pack = find_pack(root, city)
    loaded = City(pack)
    if named(name) in loaded.themes:
        raise PhareError("ce thème existe déjà", f"{pack.name}/themes.yaml", "changer NAME")
    named_sources = (source or next(iter(loaded.observed_sources()))).split()
    free = {one: _free_codes(loaded, one) for one in named_sources}
    counted = f"parts: {yaml_text.inline(free)}"
    if len(free) == 1:
        ((alone, codes),) = free.items()
        counted = f"source: {alone}\n  categories: {yaml_text.inline(codes)}"
    path = pack / "themes.yaml"
    with all_or_nothing(path):
        block = _filled(
            root / "templates" / "theme" / "theme.yaml",
            nom=name,
            titre=name.replace("_", " ").capitalize(),
            axe=AXIS,
            compte=counted,
            besoins=yaml_text.inline(dict.fromkeys(free, "C")),
        )
        _add(path, "themes", block)
        _check(City(pack))
    return [path]


def _add(path: Path, block: str, entry: str) -> None:
    text = path.read_text(encoding="utf-8")
    shown = f"{path.parent.name}/{path.name}"
    text = yaml_text.with_entry(text, [block], entry, shown_as=shown)
    aside.write(path, text.encode())


def _free_codes(city: City, source: str) -> list[str]:
    contract = city.contracts.get(source)
    if contract is None or contract.observation is None:
        raise PhareError(
            "ce n'est pas une source de faits de cette ville",
            f"{city.pack.name}/city.yaml",
            f"choisir SOURCE parmi : {', '.join(city.observed_sources())}",
        )
    field = contract.fields[contract.observation.category]
    taken = {code for theme in city.themes.values() for code in theme.parts.get(source, ())}
    free = [code for code in field.values if code not in taken]
    if not free:
        raise PhareError(
            "tous les codes de la source sont déjà dans un thème",
            f"{city.pack.name}/themes.yaml",
            "ôter des codes à un thème, ou compléter la liste du contrat",
        )
    return free


def _check(city: City) -> None:
    _ = city.contracts, city.themes


def _positions(written: str) -> list[int]:
    """Return the positions of COLUMNS="1 4"."""
    found = re.split(r"[ ,;]+", written.strip()) if written.strip() else []
    if not all(one.isdigit() for one in found):
        raise PhareError(
            "COLUMNS donne des positions, non des noms", "COLUMNS=…", 'par exemple COLUMNS="1 4"'
        )
    return [int(one) for one in found]


@commands.told
def main(arguments: list[str] | None = None) -> int:
    """Make what is asked; print the files and what to do next; return the exit code."""
    parser = Parser(prog="python -m helpers.workshop.new")
    parser.add_argument("what", choices=["city", "source", "theme"])
    parser.add_argument("name")
    parser.add_argument("--city", default="marseille")
    parser.add_argument("--source")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--columns", default="")
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args(arguments)
    root = find_root()
    make: dict[str, Callable[[], tuple[list[Path], str]]] = {
        "city": lambda: (new_city(root, asked.name), ""),
        "source": lambda: new_source(
            root,
            asked.name,
            asked.city,
            asked.file,
            _positions(asked.columns),
            again=asked.again,
        ),
        "theme": lambda: (new_theme(root, asked.name, asked.city, asked.source), ""),
    }
    files, told = make[asked.what]()
    city = asked.name if asked.what == "city" else asked.city
    for path in files:
        print(f"  {path.relative_to(root) if path.is_relative_to(root) else path}")
    print(told, end="\n" if told else "")
    print(f"Relire ces fichiers, compléter ce qui le demande, puis `make run CITY={city}`.")
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
