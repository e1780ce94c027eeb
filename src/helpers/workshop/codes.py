"""`make codes`: the words that a contract does not list, shown to who holds the received file.

`python -m helpers.workshop.codes SOURCE --city CITY [--field F] [--name-column C] [--yes]`; words
to add are in PHARE_ADD. They are shown on a terminal only, and written where a person confirms
them: into the contract's `values`, or a list of the pack. Nowhere else. What is taken all together
(`--yes`, or the names of zones) was shown: off a terminal a word is named, by its hash, or stays.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.core.base import aside, commands
from helpers.core.base.errors import PhareError
from helpers.core.base.french import number, plural
from helpers.core.base.workspace import find_root
from helpers.core.city import battery, lists
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.workshop import unlisted, yaml_text
from helpers.workshop.command_line import Parser
from helpers.workshop.new import all_or_nothing
from helpers.workshop.run_city import find_pack
from helpers.workshop.unlisted import Word, Zones

ADD = "PHARE_ADD"
SHOWN = 40  # words of a field
LENGTH = 60
DOUBT = "semble désigner une personne : ne pas l'ajouter"
NEVER = "désigne une personne : aucun contrat ne l'admet"


@dataclass(frozen=True)
class Asking:
    """How words are shown and confirmed.

    On a `terminal` they are written out; where somebody `asks` there, each is asked for. `add`
    names some (by word or hash), `everything` takes all that no detector doubts.
    """

    add: tuple[str, ...] = ()
    everything: bool = False
    terminal: bool = False
    asks: bool = False
    answer: Callable[[str], str] = input

    @property
    def one_by_one(self) -> bool:
        """Whether a person at a terminal is asked."""
        return self.asks and not self.add and not self.everything

    def insist_on_terminal(self, otherwise: str) -> None:
        """Raise PhareError where what is to be taken together is shown to nobody."""
        if not self.terminal:
            raise PhareError(
                "hors d'un terminal les mots ne sont pas montrés : personne ne les a lus",
                "YES=1, ADD=…",
                f"lancer la commande dans un terminal, ou {otherwise}",
            )


def shown(text: str, asking: Asking) -> str:
    """Return the text fit for a terminal; elsewhere (a file, a log) it is not written at all."""
    if not asking.terminal:
        return "(mot montré sur un terminal seulement)"
    plain = "".join(sign if sign.isprintable() else "·" for sign in text)
    return f"« {plain[:LENGTH]}{'…' if len(plain) > LENGTH else ''} »"


def lines(field: str, words: Sequence[Word], asking: Asking) -> list[str]:
    """Return what is told of a field's words, most frequent first."""
    told = [f"Champ {field} : {plural(len(words), 'mot')} hors de la liste"]
    for word in words[:SHOWN]:
        first = f", depuis le {word.first:%d/%m/%Y %H:%M}" if word.first else ""
        called = f", code nouveau n° {word.number}" if word.number else ""
        hashed = f"  [{word.hash}]" if word.hash else ""
        told.append(f"  {number(word.rows):>9}  {shown(word.text, asking)}{first}{called}{hashed}")
        if word.doubt:
            told.append(f"             ! {NEVER if word.refused else DOUBT} ({word.doubt})")
    if len(words) > SHOWN:
        told.append(f"  … et {plural(len(words) - SHOWN, 'autre')}, plus rares")
    return told


def confirmed(words: Sequence[Word], asking: Asking) -> list[Word]:
    """Return the words to add; PhareError where one that nothing may vouch for is named."""
    if asking.add:
        named = [word for word in words if {word.text, word.hash} & {*asking.add}]
        never = [word for word in named if word.refused]
        if never:
            raise PhareError(
                f"ce mot {NEVER}", f"ADD=… [{never[0].hash}]", "l'ôter de ADD ; s'il ne "
                "désigne personne ici, faire changer ce code à la source",
            )  # fmt: skip
        return named
    seen = [word for word in words[:SHOWN] if not word.refused]
    if asking.everything:
        return [word for word in seen if not word.doubt]
    return [word for word in seen if _says_yes(word, asking)] if asking.one_by_one else []


def _says_yes(word: Word, asking: Asking) -> bool:
    if word.doubt:
        question = f"{shown(word.text, asking)} {DOUBT}. L'ajouter quand même ? (écrire « oui ») "
        return asking.answer(question).strip().casefold() == "oui"
    answer = asking.answer(f"Ajouter {shown(word.text, asking)} ? [o/N] ")
    return answer.strip().casefold() in ("o", "oui")


def add(city: City, contract: Contract, field: str, words: Sequence[Word]) -> Path:
    """Write the confirmed words into the field's list, or the contract; return the file."""
    path = city.pack / "contracts" / f"{contract.source}.yaml"
    texts = [word.text for word in words]
    rule = contract.fields[field]
    fault = battery.fault(rule.model_copy(update={"values": (*rule.values, *texts)}))
    if fault:
        raise PhareError(fault, f"{city.pack.name}/contracts/{path.name}", "ne pas l'ajouter")
    if rule.list:
        target = city.pack / lists.shown(rule.list)
        _append(target, [(text, text) for text in texts])
        return target
    text, place = path.read_text(encoding="utf-8"), f"{city.pack.name}/contracts/{path.name}"
    if rule.values:
        text = yaml_text.with_items(text, ["fields", field, "values"], texts, shown_as=place)
    else:  # a column refused until now
        told = {"type": "enum", "values": texts, "label": field}
        text = yaml_text.with_key(text, ["fields"], field, told, shown_as=place)
        alone = not contract.refused
        block, gone = ([], "refused") if alone else (["refused"], field)
        text = yaml_text.without_entry(text, block, gone, shown_as=place)
    aside.write(path, text.encode())
    return path


def _append(path: Path, rows: Sequence[tuple[str, str]]) -> None:
    """Add rows to a list of the pack, made if there is none."""
    path.parent.mkdir(exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ",".join(lists.COLUMNS) + "\n"
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    end = "" if before.endswith("\n") else "\n"
    aside.write(path, f"{before}{end}{out.getvalue()}".encode())


def fields_of(contract: Contract, asked: str) -> list[str]:
    """Return the fields to look at: that asked for, or all those that have a list."""
    listed = [name for name, rule in contract.fields.items() if rule.type == "enum"]
    if asked and asked not in listed:
        raise PhareError(
            "ce n'est ni un champ à liste de ce contrat, ni une colonne qu'il refuse",
            f"contrat {contract.source}.yaml",
            f"choisir FIELD parmi : {', '.join([*listed, *contract.refused]) or '(aucun)'}",
        )
    return [asked] if asked else listed


def codes(root: Path, pack: Path, source: str, field: str, asking: Asking) -> list[str]:
    """Show the words off the lists of a source, add those confirmed; return what to tell last."""
    if asking.everything:
        asking.insist_on_terminal('nommer chacun par son empreinte (`ADD="empreinte,…"`)')
    city = City(pack)
    contract = unlisted.contract_of(city, source, field)
    found = unlisted.find(city, root, contract, fields_of(contract, field))
    taken: dict[str, list[Word]] = {}
    for name, words in found.items():
        if words:
            print("\n".join(lines(name, words, asking)), flush=True)
            taken[name] = confirmed(words, asking)
    if not any(found.values()):
        return [f"Aucun mot hors des listes de « {source} »."]
    named = {key for words in taken.values() for word in words for key in (word.text, word.hash)}
    if set(asking.add) - named:
        raise PhareError(
            f"{plural(len(set(asking.add) - named), 'mot')} de ADD hors de ce qui est montré",
            "ADD=…",
            "donner les mots tels que montrés, ou leurs empreintes, séparés par des virgules",
        )
    files = [pack / "contracts" / f"{source}.yaml"]
    files += [pack / lists.shown(r.list) for r in contract.fields.values() if r.list]
    told = []
    with all_or_nothing(*files):
        for name, words in taken.items():
            if words:
                path = add(city, contract, name, words)
                told.append(f"{name} : {plural(len(words), 'mot ajouté')} à {_place(pack, path)}")
        unlisted.contract_of(City(pack), source)
    if told:
        return [*told, f"Relire, puis `make data CITY={city.about.name}`."]
    return ["Rien n'est ajouté." + _how(asking)]


def _how(asking: Asking) -> str:
    if asking.one_by_one or asking.everything or asking.add:
        return ""
    return ' Dans un terminal, chaque mot est demandé ; ailleurs, ADD="mot,mot" (ou empreintes).'


def _place(pack: Path, path: Path) -> str:
    return f"{pack.name}/{path.relative_to(pack).as_posix()}"


def zone_names(root: Path, pack: Path, source: str, column: str, asking: Asking) -> list[str]:
    """Show the zones of a division as named in its file; write the list that is confirmed.

    One whose name may be a person's is called by its code, unless it is confirmed by itself.
    """
    if asking.everything or asking.add:
        asking.insist_on_terminal("écrire la liste soi-même (`lists/<nom>.csv` : code, nom)")
    city = City(pack)
    contract = unlisted.contract_of(city, source)
    division = next((n for n, d in city.about.divisions.items() if d.source == source), None)
    if division is None:
        raise PhareError(
            f"aucun découpage n'est dessiné par « {source} »",
            f"{pack.name}/city.yaml",
            f"écrire `divisions.<nom>.source: {source}`, ou ne pas donner NAME_COLUMN",
        )
    about = city.about.divisions[division]
    name = about.names or source
    target = pack / lists.shown(name)
    known = lists.read(pack, name) if target.is_file() else {}
    found = unlisted.zones(city, root, contract, about.code, column)
    new = {zone: said for zone, said in found.names.items() if zone not in known}
    if not new:
        return [f"Toutes les zones de « {source} » ont leur nom dans {lists.shown(name)}."]
    print(f"Zones de {division} : {plural(len(new), 'nom')} dans le fichier reçu")
    for zone, said in new.items():
        print(f"  {zone:<12} {shown(said, asking)}")
        if zone in found.doubted:
            print(f"               ! {DOUBT} ({found.doubted[zone]}) : nommée par son code")
    rows = _confirmed_zones(new, found, asking)
    if not rows:
        return ["Rien n'est écrit." + (
            "" if asking.one_by_one else " Dans un terminal, YES=1 les écrit ; ADD=\"code,code\" "
            "confirme un à un des noms douteux.")]  # fmt: skip
    path = pack / "city.yaml"
    with all_or_nothing(target, path):
        _append(target, rows)
        if not about.names:
            text = path.read_text(encoding="utf-8")
            place = f"{pack.name}/city.yaml"
            text = yaml_text.with_key(text, ["divisions", division], "names", name, shown_as=place)
            aside.write(path, text.encode())
        City(pack).zone_names(division)
    return [f"{plural(len(rows), 'zone écrite')} dans {_place(pack, target)}, qui se relit."]


def _confirmed_zones(new: dict[str, str], found: Zones, asking: Asking) -> list[tuple[str, str]]:
    """Return code and name of the zones to write; none where nobody confirms them."""
    sure = asking.everything or bool(asking.add)
    if asking.one_by_one:
        answer = asking.answer(f"Écrire {plural(len(new), 'zone')} ? [o/N] ")
        sure = answer.strip().casefold() in ("o", "oui")
    if not sure:
        return []

    def kept(zone: str, said: str) -> str:
        if zone not in found.doubted or zone in asking.add:
            return said
        if not asking.one_by_one:
            return zone
        word = Word(said, doubt=found.doubted[zone])
        return said if _says_yes(word, asking) else zone

    return [(zone, kept(zone, said)) for zone, said in new.items()]


@commands.told
def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = Parser(prog="python -m helpers.workshop.codes")
    parser.add_argument("source")
    parser.add_argument("--city", default="marseille")
    parser.add_argument("--field", default="")
    parser.add_argument("--name-column", default="")
    parser.add_argument("--yes", action="store_true")
    asked = parser.parse_args(arguments)
    root = find_root()
    given = tuple(one.strip() for one in os.environ.get(ADD, "").split(",") if one.strip())
    shows = sys.stdout.isatty()
    asking = Asking(given, asked.yes, shows, shows and sys.stdin.isatty())
    try:
        _, pack = find_pack(root, asked.city)
        said = (
            zone_names(root, pack, asked.source, asked.name_column, asking)
            if asked.name_column
            else codes(root, pack, asked.source, asked.field, asking)
        )
    except (EOFError, KeyboardInterrupt):
        said = ["", "Interrompu : rien n'est ajouté."]
    print("\n".join(said))
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
