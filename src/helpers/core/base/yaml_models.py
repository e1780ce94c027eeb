"""YAML files with a typed model: what the model does not know is refused, in French."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from helpers.core.base.errors import PhareError

SAID = {"extra_forbidden": "clé inconnue", "missing": "clé manquante"}
KINDS = {
    "int_type": "un nombre entier, sans guillemets", "int_from_float": "un nombre entier",
    "float_type": "un nombre, sans guillemets", "bool_type": "true ou false",
    "string_type": "un texte ; entre guillemets s'il ressemble à autre chose",
    "too_short": "au moins un élément", "string_too_short": "un texte non vide",
}  # fmt: skip
UNQUOTED = "(clé non citée)"  # a mistyped address, with its password, may stand as a key
KNOWN_FORM = re.compile(r"[a-z_]+")  # of a key that no model knows
WRITTEN_FORM = re.compile(r"(?!.*[0-9]{5})[\w-]{1,40}")  # of a key that a city chooses
INT_TAG, FLOAT_TAG = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
# Numbers as YAML 1.2 has them, and as params.yaml is written back. In 1.1, 3:19 is 199, and 010, 8.
INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
FLOAT = re.compile(
    r"[-+]?(?:(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
    r"|\.(?:inf|Inf|INF))\Z|\.(?:nan|NaN|NAN)\Z"
)
SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}

MOST_VALUES = 200_000  # of a file: the largest of ours has some thousands
NO_BREAK = re.compile("[\u00a0\u202f]")  # spaces that French sets before its signs


def one_line(value: str) -> str:
    """Return a text, without the end of line of a folded block.

    ValueError where it is blank but not empty, or more than a line of signs that are printed.
    """
    told = value.removesuffix("\n")
    if (value and not told) or told != told.strip() or not NO_BREAK.sub(" ", told).isprintable():
        raise ValueError("un texte d'une ligne, sans blanc à ses bouts")
    return told


# What readers see as a name: of a theme, a measure, who owes it. And what they read as a remark.
Title = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(one_line)]
Words = Annotated[str, Field(max_length=300), AfterValidator(one_line)]


class Strict(BaseModel):
    """A model that refuses what it does not know: a misspelt key is an error, not a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Twice(yaml.YAMLError):
    """A key written twice."""

    def __init__(self, key: str, line: int) -> None:
        super().__init__()
        named = f", « {key} »" if WRITTEN_FORM.fullmatch(key) else ""
        self.told = f" : clé écrite deux fois{named}, ligne {line}"


class _TooMany(yaml.YAMLError):
    """More values than a file of ours has, which few lines of references may make."""

    told = f" : plus de {MOST_VALUES} valeurs, une fois suivis les renvois (`&`, `*`)"


class _Loader(yaml.CSafeLoader):
    """PyYAML keeps the last of two equal keys and says nothing: here it is an error.

    Read by libyaml, which PyYAML ships: a city has some twenty files, read by every command.
    """

    # Those of YAML 1.1 apart; dates, booleans and the rest stay.
    yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML's own attribute, of the class
        first: [one for one in kinds if one[0] not in (INT_TAG, FLOAT_TAG)]
        for first, kinds in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and key.value in seen:
                raise _Twice(key.value, key.start_mark.line + 1)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Loader.add_implicit_resolver(FLOAT_TAG, FLOAT, list("-+.0123456789"))
_Loader.add_implicit_resolver(INT_TAG, INT, list("-+0123456789"))


def read_yaml(path: Path, shown_as: str) -> Any:
    """Return what the YAML file `path` holds; a key written twice is an error that names it."""
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        if node is None:
            return None
        _size(node, {})
        return loader.construct_document(node)
    except FileNotFoundError:
        raise PhareError(
            "fichier absent", shown_as, "le créer, ou vérifier le nom de la ville et de la source"
        ) from None
    except OSError:
        raise PhareError(
            "ce n'est pas un fichier, ou il ne s'ouvre pas", shown_as, "y mettre un fichier lisible"
        ) from None
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        # The library quotes the line, where a password may be.
        raise PhareError(f"YAML illisible{_told(error)}", shown_as, "corriger le fichier") from None


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many values a node holds, each reference (`*a`) counted as what it stands for.

    `known`: node → its size, 0 while it is being counted. Raises YAMLError where one holds itself,
    as `&a [*a]` does, and past MOST_VALUES: before anything is made of it.
    """
    if isinstance(node, yaml.ScalarNode):
        return 1
    size = known.get(id(node))
    if size == 0:
        raise yaml.YAMLError
    if size is None:
        known[id(node)] = 0
        parts = (
            one for pair in node.value for one in (pair if isinstance(pair, tuple) else [pair])
        )
        size = 1 + sum(_size(one, known) for one in parts)
        if size > MOST_VALUES:
            raise _TooMany
        known[id(node)] = size
    return size


def _told(error: Exception) -> str:
    """Return what may be told of a YAML error: a key written twice, too much, or its line."""
    if isinstance(error, _Twice | _TooMany):
        return error.told
    mark = getattr(error, "problem_mark", None)
    return f" : ligne {mark.line + 1}, colonne {mark.column + 1}" if mark else ""


def parse(model: type[Strict], path: Path, shown_as: str) -> Any:
    """Read the YAML file `path` into `model`; an error names the file and the key."""
    return validated(model, read_yaml(path, shown_as), shown_as)


def validated(model: type[Strict], content: Any, shown_as: str) -> Any:
    """Return `content` as an instance of `model`; an error names `shown_as` and every key.

    A number is a number: neither `yes` nor '4' stands for one, and none is infinite.
    """
    faults = list(_odd(content, ()))
    try:
        # JSON has what YAML has (lists, texts, numbers), and is read strictly; `content` is not.
        found = model.model_validate_json(json.dumps(content, default=_plain), strict=True)
    except ValidationError as error:
        # A misspelt key is both unknown and missing: the unknown one is what was written.
        told = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        faults += [_in_french(one) for one in told]
    if faults:
        raise PhareError(" ; ".join(faults), shown_as, "corriger ces clés dans ce fichier")
    return found


def _plain(value: Any) -> str:
    """Return a day or a moment as JSON has it."""
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"neither YAML nor JSON has {type(value)}")


def _odd(content: Any, here: tuple[str, ...]) -> Iterator[str]:
    """Yield what JSON would let pass: a key that is no text, a number that is not finite."""
    match content:
        case dict():
            for key, value in content.items():
                if isinstance(key, bool | float | dt.date) or key is None:
                    yield f"clé à écrire entre guillemets : {'.'.join((*here, str(key)))}"
                yield from _odd(value, (*here, quoted(str(key))))
        case list() | tuple():
            for position, value in enumerate(content):
                yield from _odd(value, (*here, str(position)))
        case float() if not math.isfinite(content):
            yield f"valeur refusée (attendu : un nombre fini) : {'.'.join(here)}"


def quoted(key: str, form: re.Pattern[str] = WRITTEN_FORM) -> str:
    """Return a key as messages may quote it: by its name where it has the form of one."""
    return key if form.fullmatch(key) else UNQUOTED


def _path(error: Any) -> str:
    """Return the path of the key that pydantic found wrong, the key itself where it is a name."""
    *before, last = map(str, error["loc"] or ("(racine)",))
    if error["type"] == "extra_forbidden":
        return ".".join((*map(quoted, before), quoted(last, KNOWN_FORM)))
    if last == "[key]":  # the key itself is wrong, and comes before
        *before, last = before
    return ".".join((*map(quoted, before), last if last == "(racine)" else quoted(last)))


def _in_french(error: Any) -> str:
    """Return what pydantic found wrong with a key; our own validators speak French already."""
    key = _path(error)
    if error["type"] == "value_error":
        return f"{error['ctx']['error']} : {key}"
    allowed = error.get("ctx", {})
    limits = [str(allowed[name]) for name in ("expected", "pattern") if name in allowed]
    limits += [f"{SIGNS[name]} {allowed[name]}" for name in SIGNS if name in allowed]
    if error["type"] == "string_too_long":
        limits.append(f"{allowed['max_length']} caractères au plus")
    limits += [KINDS[error["type"]]] if error["type"] in KINDS else []
    told = f" (attendu : {', '.join(limits).replace(' or ', ' ou ')})" if limits else ""
    return f"{SAID.get(error['type'], 'valeur refusée')}{told} : {key}"


def among(here: str, key: str, value: str, known: Iterable[str]) -> None:
    """Raise PhareError where `value`, under `key` of the file `here`, names nothing known."""
    choices = list(known)
    if value not in choices:
        raise PhareError(
            f"{key} nomme « {value} », qui n'existe pas", here,
            f"choisir parmi : {', '.join(choices)}",
        )  # fmt: skip
