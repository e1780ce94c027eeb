"""`make register`: what was decided, how actions stand; entering, checking, making a snapshot.

`python -m helpers.workshop.register CITY [--last N] [--add FILE | --check [--against FILE] |
--snapshot [--upto N] [--to FILE]]`.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from string import Template

from helpers.core.base import aside, commands
from helpers.core.base.errors import PhareError
from helpers.core.base.french import plural
from helpers.core.base.workspace import INBOX, find_root
from helpers.core.city.city import City
from helpers.register import rules, snapshot, words
from helpers.register.entries import draft
from helpers.register.register import Register, open_register
from helpers.workshop import yaml_text
from helpers.workshop.command_line import Parser
from helpers.workshop.new import all_or_nothing
from helpers.workshop.run_city import find_pack

LAST = 20
UNSURE = (
    "Rien ne dit que ce fichier était déjà là (son .lock manque) : le vérifier par `make "
    "register-check`, à côté d'un instantané."
)


def told(register: Register, zone: str, count: int) -> str:
    """Return the last entries and how each action stands, in French; PhareError if tampered."""
    entries = register.sound()
    if not entries:
        return f"Registre de {register.city} : aucune inscription."
    lines = [f"Registre de {register.city} : {plural(len(entries), 'inscription')}"]
    lines += [UNSURE] if register.unsure else []
    lines += rules.broken(entries)
    lines += [words.line(entry, zone) for entry in entries[-count:]]
    today = dt.datetime.now(dt.UTC).date()
    standings = [words.action_line(one) for one in rules.standings(entries, today)]
    return "\n".join([*lines, *(["Actions :"] if standings else []), *standings])


def add(register: Register, file: Path, zone: str) -> str:
    """Enter the draft that a JSON file holds; return the entry, in French."""
    try:
        content = file.read_bytes()
    except (OSError, ValueError):  # ValueError: no name of a file at all
        raise PhareError("fichier illisible", "FILE=…", "donner un fichier JSON") from None
    return words.line(register.append(draft(content)), zone)


def check(register: Register, against: Path | None) -> str:
    """Return that all holds, in French; PhareError with what does not."""
    kept = snapshot.read(against) if against else []
    faults = register.faults()
    beside = snapshot.differs(kept, register.entries()) if kept and not faults else []
    faults += register.unguarded()
    if faults:
        raise PhareError(
            " ; ".join([*faults, *beside]),
            register.where,
            "ne plus rien y écrire, et reprendre la dernière sauvegarde qui se vérifie",
        )
    if beside:
        raise PhareError(" ; ".join(beside), register.where, snapshot.TODO)
    unsure = f"\n{UNSURE}" if register.unsure and not against else ""
    if against:
        register.vouch()
    last = register.last(1)
    if not last:
        return f"Registre de {register.city} : aucune inscription, rien à vérifier."
    held = f", et contient l'instantané (jusqu'à {len(kept)})" if against else ""
    return (
        f"Registre de {register.city} : entier jusqu'à l'inscription {last[0]['seq']}{held}.\n"
        f"Empreinte à noter ailleurs : {last[0]['hash']}{unsure}"
    )


def _delivered(pack: Path) -> Path | None:
    """Return the snapshot that the city's sources have, if there is one."""
    path = pack / INBOX / snapshot.FILE
    return path if path.exists() else None


def export(register: Register, upto: int | None, path: Path) -> str:
    """Write the snapshot of the entries up to a number; return what was written, in French."""
    entries = register.sound()
    if not entries:
        raise PhareError(
            "le registre n'a aucune inscription", register.where, "en inscrire une d'abord"
        )
    last = len(entries) if upto is None else upto
    if not 1 <= last <= len(entries):
        raise PhareError(
            f"le registre n'a pas d'inscription {last} (dernière : {len(entries)})",
            register.where,
            "donner un UPTO qui existe",
        )
    snapshot.write(entries[:last], path)
    return f"Instantané du registre jusqu'à l'inscription {last} : {path}"


def connect(root: Path, pack: Path) -> str:
    """Make the snapshot a source of the city, by its contract; nothing where it is one already.

    Of a simulated city, whose source was invented: what people decided takes its place. Return
    that, in French, or nothing.
    """
    city, name = City(pack), snapshot.SOURCE
    before = city.about.sources.get(name)
    if before is not None and not before.generator:
        return ""
    contract, about = pack / "contracts" / f"{name}.yaml", pack / "city.yaml"
    template = Template((root / "templates/source/registre.yaml").read_text(encoding="utf-8"))
    with all_or_nothing(contract, about):
        zones = sorted({code for name in city.about.divisions for code in city.zone_names(name)})
        known = {"themes": list(city.themes), "zones": zones}
        text = template.substitute({key: yaml_text.inline(all_) for key, all_ in known.items()})
        aside.write(contract, text.encode())
        entry = f"{name}: {yaml_text.inline({'file': snapshot.FILE})}"
        shown = f"{pack.name}/{about.name}"
        held = about.read_text(encoding="utf-8")
        held = yaml_text.without_entry(held, ["sources"], name, shown_as=shown)
        told = yaml_text.with_entry(held, ["sources"], entry, shown_as=shown)
        aside.write(about, told.encode())
        _ = City(pack).contracts
    return "\nLe registre simulé n'est plus lu : la ville a le sien." if before else ""


@commands.told
def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = Parser(prog="python -m helpers.workshop.register")
    parser.add_argument("city")
    parser.add_argument("--last", type=int, default=LAST)
    parser.add_argument("--add", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--against", type=Path)
    parser.add_argument("--snapshot", action="store_true")
    parser.add_argument("--upto", type=int)
    parser.add_argument("--to", type=Path)
    asked = parser.parse_args(arguments)
    root = find_root()
    _, pack = find_pack(root, asked.city)
    register, zone = open_register(root, pack), City(pack).about.timezone
    if asked.add:
        said = add(register, asked.add, zone)
    elif asked.check:
        said = check(register, asked.against or _delivered(pack))
    elif asked.snapshot:
        said = export(register, asked.upto, asked.to or pack / INBOX / snapshot.FILE)
        if asked.to is None:
            said += connect(root, pack)
    else:
        said = told(register, zone, max(asked.last, 1))
    print(said)
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
