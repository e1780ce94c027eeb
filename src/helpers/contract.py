"""Contracts: what a source may bring in, field by field. The contract is the allow-list.

A contract is `contracts/<source>.yaml` in a city's pack. A column that it does not name never
gets in; a column that it refuses is named with the reason, and never written anywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from helpers.errors import PhareError

FieldType = Literal["str", "int", "float", "date", "timestamp", "enum"]
Origin = Literal["citizen", "agent", "unknown"]
TimePrecision = Literal["minute", "hour", "day", "year"]


SAID = {"extra_forbidden": "clé inconnue", "missing": "clé manquante"}
SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


class Strict(BaseModel):
    """A model that refuses what it does not know: a misspelt key is an error, not a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldRule(Strict):
    """What one column must look like; `unit` and `label` are for people."""

    type: FieldType
    required: bool = False
    label: str = ""
    unit: str = ""
    format: str = ""
    values: tuple[str, ...] = ()
    null_values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _complete(self) -> FieldRule:
        if self.type == "enum" and not self.values:
            raise ValueError("un champ enum donne ses `values`")
        if self.type in ("date", "timestamp") and not self.format:
            raise ValueError("un champ date ou timestamp donne son `format` (strptime)")
        return self


class FileFormat(Strict):
    """How the file as received is laid out."""

    format: Literal["csv", "geojson"]
    encoding: str = "utf-8"
    separator: str = ","
    decimal: Literal[".", ","] = "."


class OriginRule(Strict):
    """Who started the record. Agent activity is not demand: this is never left out."""

    value: Origin | None = None
    field: str | None = None
    citizen: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _either(self) -> OriginRule:
        if (self.value is None) == (self.field is None):
            raise ValueError("donner `value`, ou bien `field` avec `citizen` et `agent`")
        return self


class TimeParts(Strict):
    """A moment spread over several columns (`hhmm` as the digits of 24 h time)."""

    year: str
    month: str | None = None
    day: str | None = None
    hhmm: str | None = None


class DeclaredZone(Strict):
    """The zone that the source itself names; used only where the record has no point."""

    division: str
    field: str


class ObservationRule(Strict):
    """How an accepted row becomes an observation. Values are column names of the contract."""

    category: str
    started_at: str | TimeParts
    ended_at: str | None = None
    recorded_at: str | None = None
    time_precision: TimePrecision = "minute"
    longitude: str | None = None
    latitude: str | None = None
    declared_zone: DeclaredZone | None = None
    origin: OriginRule
    count: str | None = None


class Contract(Strict):
    """One source: what it is, by what right it is used, and what may come in."""

    source: str
    title: str
    kind: Literal["observations", "context", "division"]
    version: str
    publisher: str
    licence: str
    attribution: str
    purpose: str
    legal_basis: str
    retention: str
    convention: str | None = None
    caveats: tuple[str, ...] = ()
    file: FileFormat
    timezone: str | None = None
    key: tuple[str, ...] = ()
    fields: dict[str, FieldRule]
    refused: dict[str, str] = Field(default_factory=dict)
    observation: ObservationRule | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        both = set(self.fields) & set(self.refused)
        if both:
            raise ValueError(f"colonnes à la fois permises et refusées : {sorted(both)}")
        if (self.kind == "observations") != (self.observation is not None):
            raise ValueError("`observation` va avec `kind: observations`, et seulement lui")
        missing = self._named_columns() - set(self.fields)
        if missing:
            raise ValueError(f"colonnes employées mais absentes de `fields` : {sorted(missing)}")
        return self

    def _named_columns(self) -> set[str]:
        named = set(self.key)
        rule = self.observation
        if rule is None:
            return named
        parts = rule.started_at
        when = [parts] if isinstance(parts, str) else [*parts.model_dump().values()]
        zone = rule.declared_zone.field if rule.declared_zone else None
        others = [rule.category, rule.ended_at, rule.recorded_at, rule.longitude, rule.latitude]
        named |= {c for c in (*when, *others, zone, rule.origin.field, rule.count) if c}
        return named


def parse(model: type[Strict], path: Path, shown_as: str) -> Any:
    """Read the YAML file `path` into `model`; an error names the file and the key."""
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise PhareError(
            "fichier absent", shown_as, "le créer, ou vérifier le nom de la ville et de la source"
        ) from error
    except yaml.YAMLError as error:
        raise PhareError(f"YAML illisible : {error}", shown_as, "corriger le fichier") from error
    except ValidationError as error:
        # A misspelt key is both unknown and missing: the unknown one is what was written.
        found = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        raise PhareError(
            " ; ".join(_in_french(one) for one in found),
            shown_as,
            "corriger ces clés dans ce fichier",
        ) from error


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


def load_contract(path: Path) -> Contract:
    """Read and check the contract in `path`."""
    contract: Contract = parse(Contract, path, f"contrat {path.name}")
    return contract
