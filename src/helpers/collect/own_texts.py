"""Texts that a pack writes and that readers see: none tells of a person.

Titles, questions, who can act, places of events, milestones, the lists that name counted roads and
communes, what a contract says of its source, and the keys themselves go straight to pages and
reports. The detectors of deliveries look at them. A number, an account, a plate and a birth are
refused, and words that point at somebody (« la gérante du bar », « Mme Untel »). Names alone are
not: a stadium, a street and a service bear some, and whoever wrote the text has read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from helpers.collect import persons, plain
from helpers.collect.codes import CODES
from helpers.collect.naming import PLACES, WORD, has_civility
from helpers.collect.own_lists import NUMBERS
from helpers.core.base.errors import PhareError, together
from helpers.core.base.yaml_models import UNQUOTED, quoted, read_yaml
from helpers.core.city import (
    action_rules,
    episode_rules,
    event_rules,
    lists,
    shock_rules,
    staff_rules,
    surroundings,
    survey,
    traffic_rules,
)
from helpers.core.city.city import City
from helpers.core.city.theme import THEMES

RULES = (
    action_rules, episode_rules, event_rules, shock_rules, staff_rules, surroundings, survey,
    traffic_rules,
)  # fmt: skip
SHOWN = ("title", "milestones", "published_figures", "slots")  # what readers see of city.yaml
# A page cited as a source is nobody's account, but for the networks'; what follows `?` is read.
PAGE = re.compile(
    r"https?://(?!\S*@|(?:\w+\.)?(?:facebook|instagram|twitter|x|tiktok|linkedin|snapchat|t)"
    r"\.(?:com|me)\b)[^\s?#]+",
    re.IGNORECASE,
)
OF_CONTRACT = ("title", "publisher", "licence", "attribution", "purpose", "legal_basis",
               "retention", "convention", "caveats")  # fmt: skip
HIDING = ("matricule", "numero_de_voie")  # taken, and told before what else a text may say
TODO = "l'ôter : ce texte est montré à qui lit, et entre dans les rapports"
SERVICE = (
    "nommer le service, le lieu ou le fait (« Mairie de secteur », « Direction de la voirie »)"
)


def check(city: City) -> None:
    """Raise PhareError, with every fault, where a text or a key of the pack tells of a person.

    None is quoted: a text is told by its key, a key by its rank.
    """
    found = [one for file, content in _files(city) for one in _texts(content, (file,))]
    reasons = _reasons(sorted({text for *_, text in found}))
    errors = []
    for (file, *keys), rank, text in found:
        if text in reasons:
            place = ".".join(UNQUOTED if key in reasons else quoted(key) for key in keys)
            if rank:
                place = f"{place or 'à la racine'}, clé n° {rank}"
            somebody = reasons[text] == "designation"
            what = "désigner une personne" if somebody else "contenir un numéro d'une personne"
            errors.append(
                PhareError(
                    f"un texte écrit par la ville semble {what}",
                    f"{city.pack.name}/{file}, {place}",
                    SERVICE if somebody else TODO,
                )
            )
    together(errors)


def _files(city: City) -> Iterator[tuple[str, Any]]:
    """Yield what readers see of each file: its name, what it holds."""
    for file in ("city.yaml", THEMES, *(rules.FILE for rules in RULES)):
        if (city.pack / file).exists():
            content = read_yaml(city.pack / file, f"{city.pack.name}/{file}")
            if file == "city.yaml":
                content = {key: content[key] for key in SHOWN if key in content}
            yield file, content
            name = _list_of_names(file, content)
            if name and (city.pack / lists.shown(name)).is_file():
                yield lists.shown(name), lists.read(city.pack, name)
    for source in city.about.sources:
        path = Path("contracts") / f"{source}.yaml"
        with suppress(PhareError):  # one that cannot be read has its own error, later
            yield str(path), _of_contract(read_yaml(city.pack / path, str(path)))


def _of_contract(content: Any) -> dict[str, Any]:
    """Return what readers see of a contract: receipts, evidence and captions carry it."""
    if not isinstance(content, dict):
        return {}
    told = {key: content[key] for key in OF_CONTRACT if key in content}
    fields, refused = content.get("fields"), content.get("refused")
    if isinstance(fields, dict):
        named = {name: one for name, one in fields.items() if isinstance(one, dict)}
        told["label"] = [one.get("label") for one in named.values()]
    if isinstance(refused, dict):
        told["refused"] = [*refused.values()]
    return told


def _list_of_names(file: str, content: Any) -> str:
    """Return the list that names the places of a file, "" where there is none.

    The lists of contracts and of zones have their own check (`own_lists`).
    """
    if file == traffic_rules.FILE and isinstance(content, dict):
        content = content.get("sites")
    elif file != staff_rules.FILE:
        return ""
    name = content.get("names") if isinstance(content, dict) else ""
    return name if isinstance(name, str) else ""


def _texts(content: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int, str]]:
    """Yield each text, where it stands, and 0; each key, what holds it, and its rank there."""
    match content:
        case dict():
            for rank, (key, value) in enumerate(content.items(), start=1):
                yield place, rank, str(key)
                yield from _texts(value, (*place, str(key)))
        case list():
            for position, value in enumerate(content):
                yield from _texts(value, (*place, str(position)))
        case str():
            yield place, 0, content


def _reasons(texts: list[str]) -> dict[str, str]:
    """Return text → why it is refused, of those that are."""
    read = pa.array([PAGE.sub(" ", text) for text in texts], pa.string())
    told = persons.screen(read).to_pylist()
    for reason in HIDING:
        rows = [row for row, one in enumerate(told) if one == reason]
        bare = pc.utf8_lower(plain.bare(plain.plain(read.take(pa.array(rows, pa.int64())))))
        rest = pc.replace_substring_regex(bare, CODES[reason], " ")
        for row, again in zip(rows, persons.screen(rest).to_pylist(), strict=True):
            told[row] = again
    for row, one in enumerate(told):
        if one == "nom":  # no place is called by a civility, but after a word for a place
            bare = plain.bare(plain.plain(read.slice(row, 1)))[0].as_py().lower()
            if has_civility(bare) and PLACES.isdisjoint(WORD.findall(bare)):
                told[row] = "designation"
    refused = NUMBERS | {"designation"}
    return {text: one for text, one in zip(texts, told, strict=True) if one in refused}
