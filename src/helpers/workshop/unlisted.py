"""Words of the received files that a contract does not list, as `make codes` shows them.

They are read again as `collect` finds them, pass through memory alone, and are written nowhere.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from helpers.collect import closed, gate, persons
from helpers.collect.collect import deliveries
from helpers.collect.recognise import recognise
from helpers.connect import open_file
from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import parse
from helpers.core.city import battery, contract_sql, lists, moments
from helpers.core.city.city import City
from helpers.core.city.contract import REMOTE, Contract, FieldRule
from helpers.core.city.contract_sql import NOT_LISTED, OFF
from helpers.core.city.key import Key
from helpers.core.city.names import FAULT
from helpers.core.stage import params
from helpers.reliability import drift

IN_BATTERY = "valeur type d'une personne"


@dataclass
class Word:
    """A text that a field's list does not hold.

    `rows` that say it, the first moment of these, the keyed hash that stands for it in the data
    and the number by which reliability calls it (0: none), and why it may be somebody's, or "".
    """

    text: str
    rows: int = 0
    first: dt.datetime | None = None
    hash: str = ""
    number: int = 0
    doubt: str = ""

    @property
    def refused(self) -> bool:
        """Whether no contract would take it, whoever confirms it."""
        return self.doubt == IN_BATTERY


@dataclass
class Zones:
    """The zones of a received division: code → name, codes whose name may be a person's."""

    names: dict[str, str] = field(default_factory=dict)
    doubted: dict[str, str] = field(default_factory=dict)


def contract_of(city: City, source: str, asked: str = "") -> Contract:
    """Return the source's contract with the codes of its lists, those not yet written being empty.

    `asked`: a column that it refuses, taken for a field whose list is empty.
    """
    if source not in city.about.sources:
        raise PhareError(
            "source inconnue",
            f"{city.pack.name}/city.yaml",
            f"choisir SOURCE parmi : {', '.join(city.about.sources)}",
        )
    path = city.pack / "contracts" / f"{source}.yaml"
    contract: Contract = parse(Contract, path, f"contrat {path.name}")
    if contract.file.format in REMOTE:
        raise PhareError(
            f"« {source} » est lue à son adresse : il n'y a pas de fichier reçu à relire",
            f"{city.pack.name}/city.yaml",
            "demander ses codes à qui la tient, et les écrire dans le contrat",
        )
    fields = {
        name: rule.model_copy(update={"values": _listed(city.pack, rule)}) if rule.list else rule
        for name, rule in contract.fields.items()
    }
    refused = dict(contract.refused)
    if asked in refused:
        del refused[asked]
        empty = FieldRule(type="enum", values=("…",)).model_copy(update={"values": ()})
        fields[asked] = empty
    return contract.model_copy(update={"fields": fields, "refused": refused})


def _listed(pack: Path, rule: FieldRule) -> tuple[str, ...]:
    there = (pack / lists.shown(rule.list)).is_file()
    return tuple(lists.read(pack, rule.list)) if there else ()


def find(city: City, root: Path, contract: Contract, fields: list[str]) -> dict[str, list[Word]]:
    """Return field → its words off the list, most frequent first."""
    key = city.key(root)
    door = gate.Gate(key, params.knobs("collect", root).place_step_m)
    found: dict[str, dict[str, Word]] = {name: {} for name in fields}
    with deliveries(city, root, contract.source) as files:
        for number, path in enumerate(files[contract.source], start=1):
            one = recognise(contract, path, f"livraison n° {number}")
            for batch in one.reading.batches:
                table = pa.Table.from_batches([batch])
                read = door.read(contract, one.edition, table).combine_chunks()
                for name in fields:
                    if name in read.column_names:
                        _count(door, city, contract, name, read, found[name])
    door.con.close()
    return {
        name: _told(city, root, contract, name, list(words.values()), key)
        for name, words in found.items()
    }


def _column(contract: Contract, read: pa.Table, name: str) -> pa.Array:
    """Return the texts of a field as the door judges them."""
    if name not in read.column_names:
        return pa.nulls(read.num_rows, pa.string())
    column = read[name]
    return closed.trimmed(
        contract.fields[name],
        column.chunk(0) if column.num_chunks else pa.array([], pa.string()),
    )


def _count(
    door: gate.Gate,
    city: City,
    contract: Contract,
    name: str,
    read: pa.Table,
    words: dict[str, Word],
) -> None:
    """Add to `words` those of a batch that are off the field's list."""
    rule, texts = contract.fields[name], _column(contract, read, name)
    judged = closed.judge(contract, name, texts, door.con, door.step_m)
    if judged.off is None:
        return
    off = pc.and_(pc.is_valid(judged.off), pc.is_null(read[FAULT].combine_chunks()))
    columns = {"said": texts.filter(off)}
    began = "NULL"
    if contract.observation:
        for moment in drift.moment_fields(contract.observation):
            columns[moment] = _column(contract, read, moment).filter(off)
        zone = contract.timezone or city.about.timezone
        typed = [
            contract_sql.typed(store.quote(m), contract.fields[m], contract.file.decimal, zone)
            + f" AS {store.quote(m)}"
            for m in columns
            if m != "said"
        ]
        seen = contract.observation
        began = moments.of(seen.started_at, seen, contract.fields).dated
    else:
        typed = []
    door.con.register("unlisted", pa.table(columns))
    rows = door.con.execute(
        f"WITH told AS MATERIALIZED (SELECT {', '.join(['said', *typed])} FROM unlisted) "
        f"SELECT said, count(*), min({began}) FROM told GROUP BY 1"
    ).fetchall()
    door.con.unregister("unlisted")
    for said, n, first in rows:
        for text in said.split(rule.separator) if rule.separator else [said]:
            if text in rule.values:
                continue
            word = words.setdefault(text, Word(text))
            word.rows += n
            word.first = min(filter(None, (word.first, first)), default=None)


def _told(
    city: City, root: Path, contract: Contract, name: str, words: list[Word], key: Key
) -> list[Word]:
    """Return the words, most frequent first, with their hashes, numbers and doubts."""
    numbers = _numbers(city, root, contract, name)
    reasons = persons.screen(pa.array([word.text for word in words], pa.string())).to_pylist()
    for word, reason in zip(words, reasons, strict=True):
        if not contract.fields[name].separator:  # else the hash is that of several together
            word.hash = key.hash(word.text)
        word.number = numbers.get(f"{OFF}{NOT_LISTED}:{word.hash}", 0)
        word.doubt = IN_BATTERY if in_battery(word.text) else (reason or "").replace("_", " ")
    return sorted(words, key=lambda word: (-word.rows, word.text))


def in_battery(text: str) -> bool:
    """Tell whether the text is one of those that no contract may vouch for."""
    return battery.vouched_for(lambda one: one.casefold() == text.casefold()) is not None


def _numbers(city: City, root: Path, contract: Contract, name: str) -> dict[str, int]:
    """Return what the door wrote → the number by which reliability calls it, where it has run."""
    data = root / "data" / city.about.name
    parts = [data / kind / f"{contract.source}.parquet" for kind in ("accepted", "quarantined")]
    if contract.observation is None or not all(part.is_file() for part in parts):
        return {}
    if name not in drift.coded_fields(contract):
        return {}
    con = store.connect()
    try:
        found = drift.weekly_texts(con, contract, data, city.about.timezone, name)
    finally:
        con.close()
    return {token: int(number.removeprefix(OFF)) for token, number in drift.numbered(found).items()}


def zones(city: City, root: Path, contract: Contract, code: str, column: str) -> Zones:
    """Return the zones of a division as received, in the order of their codes.

    `code`: the field of their code; `column`: the column of the file that names them.
    """
    found, door = Zones(), gate.Gate(city.key(root), params.knobs("collect", root).place_step_m)
    with deliveries(city, root, contract.source) as files:
        for number, path in enumerate(files[contract.source], start=1):
            edition = recognise(contract, path, f"livraison n° {number}").edition
            place = contract.columns(edition)[code]
            reading = open_file(edition.file, path, {place, column})
            if column not in reading.columns:
                raise PhareError(
                    "pas de colonne de ce nom dans le fichier reçu",
                    f"source « {contract.source} »",
                    "donner la colonne des noms de zones : NAME_COLUMN=…",
                )
            for batch in reading.batches:
                codes = closed.trimmed(contract.fields[code], batch[place])
                codes = closed.judge(contract, code, codes, door.con, door.step_m).texts
                names = pc.utf8_trim_whitespace(batch[column])
                pairs = zip(codes.to_pylist(), names.to_pylist(), strict=True)
                found.names |= {zone: said or zone for zone, said in pairs if zone}
    door.con.close()
    found.names = dict(sorted(found.names.items()))
    reasons = persons.screen(pa.array(list(found.names.values()), pa.string())).to_pylist()
    for (zone, said), reason in zip(found.names.items(), reasons, strict=True):
        if reason or in_battery(said):
            found.doubted[zone] = (reason or IN_BATTERY).replace("_", " ")
    return found
