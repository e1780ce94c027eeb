"""`make key`: where a city's key lies, its fingerprint; carrying it to another auditor.

`python -m helpers.workshop.city_key CITY [--to FILE | --from FILE [--force]]`. A key is a secret:
it goes from hand to hand, never by git nor DVC, and no message shows it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from helpers.core.base import commands
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import find_root
from helpers.core.city import key
from helpers.core.city.city import City
from helpers.workshop.command_line import Parser
from helpers.workshop.run_city import find_pack

SECRET = "C'est un secret : le porter de main à main, jamais par git, DVC ni messagerie."


def told(root: Path, city: City) -> str:
    """Return where the key lies and its fingerprint; a city that has none yet gets none here."""
    name = city.about.name
    if city.has_public_key:
        why = "ville simulée" if city.about.simulated else "`key: publique` dans city.yaml"
        return (
            f"Clé de {name} : publique ({why}), empreinte {key.public(name).fingerprint}.\n"
            "Elle se déduit du nom de la ville : rien à porter, chacun la refait."
        )
    path = key.path_of(root, name)
    if not path.exists():
        return (
            f"Clé de {name} : pas encore faite, elle le sera à la première entrée de données.\n"
            f"Une clé reçue d'un autre atelier : `make key CITY={name} FROM=fichier` avant cela."
        )
    return (
        f"Clé de {name} : {_shown(root, path)}, empreinte {city.key(root).fingerprint}.\n"
        f"Qui a la même refait les mêmes octets. La porter : `make key CITY={name} TO=fichier`."
    )


def give(root: Path, city: City, file: Path) -> str:
    """Copy the key to `file`, which only its owner can read; return what to tell."""
    own = _own(root, city, "TO")
    if not own.exists():
        raise PhareError(
            "cette ville n'a pas encore de clé",
            _shown(root, own),
            f"faire entrer ses données d'abord : `make data CITY={city.about.name}`",
        )
    if file.exists():
        raise PhareError("ce fichier existe déjà", "TO=…", "en donner un autre, ou l'effacer")
    found = city.key(root)
    try:
        key.keep(file, found)
    except OSError:
        raise PhareError(
            "impossible d'écrire ce fichier", "TO=…", "donner un fichier d'un dossier à soi"
        ) from None
    return f"Clé de {city.about.name} (empreinte {found.fingerprint}) copiée : {file}\n{SECRET}"


def take(root: Path, city: City, file: Path, *, force: bool) -> str:
    """Take in the key that `file` holds; return what to tell.

    Another one is never written over without `force`, and then stays beside, under its fingerprint.
    """
    own = _own(root, city, "FROM")
    found = key.read_file(file, "donner le fichier que `make key TO=` a écrit, entier")
    name = city.about.name
    if own.exists():
        before = city.key(root)
        if before == found:
            return f"Clé de {name} : c'est déjà celle-ci (empreinte {found.fingerprint})."
        if not force:
            raise PhareError(
                f"une autre clé est déjà là (empreinte {before.fingerprint}, et non "
                f"{found.fingerprint})",
                _shown(root, own),
                "FORCE=1 la remplace ; les données faites avec elle seront alors à refaire",
            )
        own.rename(own.with_name(f"{name}.{before.fingerprint}.key"))
    own.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key.keep(own, found)
    return f"Clé de {name} prise (empreinte {found.fingerprint}) : {_shown(root, own)}"


def _own(root: Path, city: City, asked: str) -> Path:
    """Return where the city's own key lies; PhareError where it has a public one."""
    if city.has_public_key:
        raise PhareError(
            "la clé de cette ville est publique : il n'y a rien à porter",
            f"ville « {city.about.name} »",
            f"ne pas donner {asked}= ; chacun la refait d'après le nom de la ville",
        )
    return key.path_of(root, city.about.name)


def _shown(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


@commands.told
def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = Parser(prog="python -m helpers.workshop.city_key")
    parser.add_argument("city")
    parser.add_argument("--to", default="")
    parser.add_argument("--from", default="", dest="taken")
    parser.add_argument("--force", action="store_true")
    asked = parser.parse_args(arguments)
    root = find_root()
    if asked.to and asked.taken:
        raise PhareError("TO et FROM à la fois", "make key", "donner l'un ou l'autre")
    _, pack = find_pack(root, asked.city)
    city = City(pack)
    if asked.to:
        said = give(root, city, Path(asked.to).expanduser())
    elif asked.taken:
        said = take(root, city, Path(asked.taken).expanduser(), force=asked.force)
    else:
        said = told(root, city)
    print(said)
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
