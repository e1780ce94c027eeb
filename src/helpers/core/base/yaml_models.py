"""YAML files with a typed model: what the model does not know is refused, in French."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from helpers.core.base.errors import PhareError

SAID = {"extra_forbidden": "clé inconnue", "missing": "clé manquante"}
SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


class Strict(BaseModel):
    """A model that refuses what it does not know: a misspelt key is an error, not a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Twice(yaml.YAMLError):
    """A key written twice."""

    def __init__(self, key: str, line: int) -> None:
        super().__init__()
        self.told = f" : clé écrite deux fois, « {key} », ligne {line}"


class _Loader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys and says nothing: here it is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and key.value in seen:
                raise _Twice(key.value, key.start_mark.line + 1)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: Path, shown_as: str) -> Any:
    """Return what the YAML file `path` holds; a key written twice is an error that names it."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise PhareError(
            "fichier absent", shown_as, "le créer, ou vérifier le nom de la ville et de la source"
        ) from None
    except (yaml.YAMLError, UnicodeError) as error:
        # The library quotes the line, where a password may be.
        raise PhareError(f"YAML illisible{_told(error)}", shown_as, "corriger le fichier") from None


def _told(error: Exception) -> str:
    """Return what may be told of a YAML error: a key written twice, or its line."""
    if isinstance(error, _Twice):
        return error.told
    mark = getattr(error, "problem_mark", None)
    return f" : ligne {mark.line + 1}, colonne {mark.column + 1}" if mark else ""


def parse(model: type[Strict], path: Path, shown_as: str) -> Any:
    """Read the YAML file `path` into `model`; an error names the file and the key."""
    return validated(model, read_yaml(path, shown_as), shown_as)


def validated(model: type[Strict], content: Any, shown_as: str) -> Any:
    """Return `content` as an instance of `model`; an error names `shown_as` and the key."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # A misspelt key is both unknown and missing: the unknown one is what was written.
        found = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        raise PhareError(
            " ; ".join(_in_french(one) for one in found),
            shown_as,
            "corriger ces clés dans ce fichier",
        ) from None


def _in_french(error: Any) -> str:
    """Return what pydantic found wrong with a key; our own validators speak French already."""
    key = ".".join(map(str, error["loc"])) or "(racine)"
    if error["type"] == "value_error":
        return f"{error['ctx']['error']} : {key}"
    allowed = error.get("ctx", {})
    limits = [str(allowed[name]) for name in ("expected", "pattern") if name in allowed]
    limits += [f"{SIGNS[name]} {allowed[name]}" for name in SIGNS if name in allowed]
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
