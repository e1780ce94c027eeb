"""Contracts: what a source may bring in, field by field: an allow-list, and a closed one.

A field is a code of a list, a number, a moment, a coordinate or an identifier (hashed at the door):
there is no open text.

A contract is `contracts/<source>.yaml` in a city's pack; its JSON Schema is published in
docs/schemas/. A column that it does not name never gets in; a column that it refuses is named
with the reason, and never written anywhere.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict, parse
from helpers.core.city import battery, formats, lists, moments
from helpers.core.city.editions import Cover, Unpivot
from helpers.core.city.names import OURS, RESERVED
from helpers.core.city.observation_rule import ObservationRule, TimePrecision

FieldType = Literal[
    "id",
    "enum",
    "str",
    "int",
    "float",
    "bool",
    "year",
    "date",
    "timestamp",
    "time",
    "longitude",
    "latitude",
]
Format = Literal[
    "csv", "xlsx", "json", "jsonl", "parquet", "geojson", "gpkg", "shp", "datex",
    "postgres", "open311", "opendatasoft", "ckan",
]  # fmt: skip
REMOTE: tuple[Format, ...] = ("postgres", "open311", "opendatasoft", "ckan")
DRAWN: tuple[Format, ...] = ("geojson", "gpkg", "shp", "parquet")
# What a reader of shapes gives beside the columns: the point of each row, in WGS 84 degrees.
POINT = ("@longitude", "@latitude")
HASH = "[0-9a-f]{20}"  # what the door makes of an identifier
UNIVERSAL = re.compile("(?:%-?[HMSf])Z$")  # a format whose moments end with ISO 8601's « Z »
# Metres in a unit of coordinates: of a degree, along a meridian.
METRES = {"degrés": 111_320.0, "mètres": 1.0, "pieds": 0.3048}
PERSONAL_NAMES = re.compile(
    r"(^|[^a-z])(naissance|ne_le|ddn|birth\w*|dob|age|age_\w+|\w+_age|nom_\w+|prenom\w*|surname|first_?name"
    r"|last_?name|phone\w*|tele?phone\w*|e?mail|courriel|adresse\w*|address\w*|commentaires?|texte_libre"
    r"|matricule\w*|rio|badge|nir|iban|plaque\w*|immat\w*)$"
)
COORDINATES = re.compile(r"(?:.*[^a-z])?(?:lat|latitude|lon|lng|longitude|coord_?[xy])")


class FieldRule(Strict):
    """What one field may hold, which is closed; `unit` and `label` are for people.

    An `enum` is a code of `values`, or of `lists/<list>.csv` in the pack (several, with `separator`
    between them); a `str` a text of
    `pattern`, which describes few; an `int` or `float` a number from `minimum` to `maximum`,
    written with `decimals` at most; a moment one of the contract's years, to the `precision`;
    a `time` an hour of the day with its minutes (14:30, 14h30), to the minute;
    `longitude` and `latitude` (east and north, in degrees, metres or feet: `unit`) are moved onto a
    grid at the door; an `id` becomes a keyed hash there. `column` is the field's name in the file,
    if not its own; `extract` a regular expression whose group is the part of the text that counts.
    A `hashed` identifier is one that the city's own door gave: kept as it is, its pattern is that
    of a hash. `month_end` of a date: known by its month alone, it stands for the last day of it.
    """

    type: FieldType
    required: bool = False
    column: str = ""
    extract: str = ""
    pattern: str = ""
    label: str = ""
    unit: str = ""
    format: str = ""
    month_end: bool = False
    hashed: bool = False
    precision: Literal["second", "minute"] = "minute"
    values: tuple[str, ...] = ()
    list: str = Field(default="", pattern="^[a-z0-9_]*$")
    separator: str = Field(default="", max_length=1)
    null_values: tuple[str, ...] = ()
    minimum: float | None = Field(default=None, allow_inf_nan=False)
    maximum: float | None = Field(default=None, allow_inf_nan=False)
    decimals: int = Field(default=6, ge=0, le=9)
    reason: str = Field(default="", pattern="^[a-z0-9_:]{0,40}$")

    @model_validator(mode="after")
    def _closed(self) -> FieldRule:
        if self.type == "enum" and bool(self.values) == bool(self.list):
            raise ValueError("un champ enum donne ses `values`, ou sa `list`")
        if self.type in ("date", "timestamp") and not self.format:
            raise ValueError("un champ date ou timestamp donne son `format` (strptime)")
        unread = formats.fault(self.format) if self.type in ("date", "timestamp") else None
        if unread:
            raise ValueError(unread)
        if self.type == "date" and ("%z" in self.format or self.universal):
            # The day of an instant hangs on the zone, which a day alone no longer tells.
            raise ValueError(
                "un moment qui dit son décalage (`%z`, « Z ») est un champ timestamp ; "
                "`time_precision: day` s'il ne dit que le jour"
            )
        if self.month_end and self.type != "date":
            raise ValueError("`month_end` va avec un champ date")
        if self.hashed and (self.type, self.pattern) != ("id", HASH):
            raise ValueError(f"`hashed` va avec un champ id de `pattern: {HASH}`")
        if self.pattern and self.type not in ("str", "id"):
            raise ValueError("`pattern` va avec un champ str ou id")
        if self.type in ("longitude", "latitude") and self.unit not in METRES:
            raise ValueError(f"une coordonnée dit son `unit` : {', '.join(METRES)}")
        open_to_persons = battery.fault(self)
        if open_to_persons:
            raise ValueError(open_to_persons)
        return self

    @property
    def universal(self) -> bool:
        """Whether the moments of the field end with the « Z » of universal time."""
        return self.type in ("date", "timestamp") and bool(UNIVERSAL.search(self.format))

    @field_validator("extract", "pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return _expression(value)


def _expression(value: str) -> str:
    """Return a regular expression that can be read and has one group at most; ValueError else."""
    try:
        groups = re.compile(value).groups
    except re.error as error:
        raise ValueError(f"expression régulière illisible ({error})") from error
    if groups > 1:
        raise ValueError("une expression régulière a un groupe au plus")
    return value


class FileFormat(Strict):
    """How the file as received is laid out.

    `sheet` of a workbook (the first by default), `layer` of a GeoPackage, `records` the key of a
    JSON document that holds the rows, `table` of a database (schema.table), `crs` the reference
    system of shapes whose file does not say its own.
    """

    format: Format
    encoding: str = "utf-8"
    separator: str = ","
    decimal: Literal[".", ","] = "."
    sheet: str = ""
    layer: str = ""
    records: str = ""
    table: str = ""
    crs: str = ""


class Edition(Strict):
    """How one edition of the source differs: its layout, names of columns, and codes.

    `columns` gives field → column, `values` field → (code as written → code of the contract),
    `extract` field → the expression whose group is the part of its text that counts: a month and
    its year may come from one column. `coordinates_crs` is the reference system of its points, if
    not the contract's. `absent` names the fields that this edition does not have; `unpivot` says
    that it is wide.
    """

    version: str
    file: FileFormat
    columns: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    extract: dict[str, str] = Field(default_factory=dict)
    coordinates_crs: str = ""
    absent: tuple[str, ...] = ()
    unpivot: Unpivot | None = None

    @field_validator("extract")
    @classmethod
    def _compile(cls, value: dict[str, str]) -> dict[str, str]:
        return {name: _expression(one) for name, one in value.items()}


class Check(Strict):
    """A rule between two fields of a row: `field` is at least, or at most, another one."""

    reason: str
    field: str
    at_least: str | None = None
    at_most: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Check:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("donner `at_least` ou `at_most`")
        return self

    @property
    def other(self) -> str:
        """The field that `field` is compared with."""
        return self.at_least or self.at_most or ""


class Contract(Strict):
    """One source: what it is, by what right it is used, and what may come in.

    Its moments lie in the years from `since` to `until`.
    `revised_at` is the field that tells which of two versions of a record is the later one.
    `unit` is what a row counts (« infraction », « victime »…): sources of one theme say the same.
    With `repeats`, rows that say the same are several facts (one row a victim, say). A source
    whose `coverage` is a sample gives neither totals nor trends. `covers` says from when and until
    when it tells of what; `unpivot`, that its file is wide.
    """

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
    since: int = Field(default=2000, ge=1850, le=2100)
    until: int = Field(default=2099, ge=1850, le=2100)
    key: tuple[str, ...] = ()
    revised_at: str | None = None
    unit: str = Field(default="", max_length=40)
    repeats: bool = False
    coverage: Literal["complete", "sample"] = "complete"
    covers: tuple[Cover, ...] = ()
    unpivot: Unpivot | None = None
    fields: dict[str, FieldRule]
    refused: dict[str, str] = Field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    editions: tuple[Edition, ...] = ()
    observation: ObservationRule | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        for edition in self.every_edition():
            both = set(self.columns(edition).values()) & set(self.refused)
            if both:
                raise ValueError(f"colonnes à la fois permises et refusées : {sorted(both)}")
        if (self.kind == "observations") != (self.observation is not None):
            raise ValueError("`observation` va avec `kind: observations`, et seulement lui")
        if self.since > self.until:
            raise ValueError("`since` dépasse `until`")
        self._check_names()
        if self.repeats and self.key:
            raise ValueError("`repeats` va avec une source sans `key`")
        missing = self._named_fields() - set(self.fields)
        if missing:
            raise ValueError(f"colonnes employées mais absentes de `fields` : {sorted(missing)}")
        unclear = moments.fault(self.observation, self.fields) if self.observation else None
        if unclear:
            raise ValueError(unclear)
        self._check_editions()
        self._check_hidden()
        self._check_covers()
        return self

    @property
    def precision(self) -> TimePrecision | None:
        """How well the beginning of a fact is known in the best of rows; None without facts."""
        rule = self.observation
        return moments.PRECISIONS[moments.best(rule, self.fields)] if rule else None

    @property
    def point(self) -> tuple[str, str] | None:
        """The fields of the point of a fact, east then north; None where the source has none."""
        rule = self.observation
        if rule is None or rule.longitude is None or rule.latitude is None:
            return None
        return rule.longitude, rule.latitude

    def _check_names(self) -> None:
        """Refuse what is called, in any edition, as what belongs to a person or as a coordinate.

        And what is called as a column of ours, or as another field: SQL does not tell cases apart.
        """
        first: dict[str, str] = {}
        for name, rule in self.fields.items():
            ours = name.lower() in RESERVED or name.startswith(OURS)
            if ours or first.setdefault(name.lower(), name) != name:
                why = "nom réservé" if ours else f"`fields.{first[name.lower()]}`, à la casse près"
                raise ValueError(
                    f"`fields.{name}` : {why}. Appeler ce champ autrement, et dire sa colonne : "
                    f"`column: {rule.column or name}`"
                )
            columns = (self.columns(edition).get(name, "") for edition in self.every_edition())
            called = {name.lower(), rule.column.lower(), *map(str.lower, columns)}
            if rule.type in ("int", "float", "str") and any(map(COORDINATES.fullmatch, called)):
                raise ValueError(
                    f"« {name} » semble une coordonnée : la dire `longitude` ou `latitude`, que la "
                    "porte ramène à la grille"
                )
            if rule.type not in ("enum", "id") and any(map(PERSONAL_NAMES.search, called)):
                raise ValueError(
                    f"« {name} » semble dire l'âge, la naissance, le nom, l'adresse ou un numéro "
                    "d'une personne : l'inscrire dans `refused`"
                )

    def _check_editions(self) -> None:
        """Refuse a wide layout that may let anything in, and editions without what is required."""
        if self.unpivot and self.editions:
            raise ValueError("`unpivot` va dans chacune des `editions` qui sont larges")
        for edition in self.every_edition():
            if edition.coordinates_crs and not self.point:
                raise ValueError("`coordinates_crs` d'une édition va avec les points des faits")
            short = [name for name in edition.absent if self.fields[name].required]
            if short:
                raise ValueError(f"champs obligatoires et pourtant `absent` : {short}")
            wide = edition.unpivot
            if wide is None:
                continue
            if edition.file.format in REMOTE or self.kind == "division":
                raise ValueError("`unpivot` va avec un fichier de faits ou de contexte")
            if wide.pattern:
                FieldRule(type="str", pattern=wide.pattern)  # as closed as any field

    def _check_hidden(self) -> None:
        """Refuse an edition that another one, before it, always goes before."""
        for later, edition in enumerate(self.editions):
            for earlier in self.editions[:later]:
                if self._hides(earlier, edition):
                    raise ValueError(
                        f"l'édition « {edition.version} » ne sera jamais prise : mêmes colonnes "
                        f"que « {earlier.version} », qui la précède. Donner à l'une un champ d'une "
                        "colonne que l'autre n'a pas, et dire ce champ `absent` de l'autre"
                    )

    def _hides(self, earlier: Edition, later: Edition) -> bool:
        """Tell whether any file that fits the later edition fits the earlier one, as well."""
        but = {"decimal", "crs", "encoding"}
        alike = earlier.file.model_dump(exclude=but) == later.file.model_dump(exclude=but)
        same = set(self.columns(earlier).values()) == set(self.columns(later).values())
        # A file that is not in UTF-8 may go on to the next edition; any file is in cp1252.
        told = earlier.file.encoding.lower().startswith("utf")
        decoded = not told or earlier.file.encoding == later.file.encoding
        return alike and same and decoded and earlier.unpivot == later.unpivot

    def _check_covers(self) -> None:
        """Refuse a category that the contract does not list: its span would be nobody's."""
        rule = self.observation
        codes = self.fields[rule.category].values if rule else ()
        told = {name for cover in self.covers for name in cover.categories}
        unknown = sorted(told - set(codes)) if codes else []
        if unknown or (told and rule is None):
            raise ValueError(f"`covers` nomme des catégories inconnues : {unknown or sorted(told)}")

    def every_edition(self) -> tuple[Edition, ...]:
        """Return the editions; a contract that lists none has one, its own."""
        own = Edition(version=self.version, file=self.file, unpivot=self.unpivot)
        return self.editions or (own,)

    def columns(self, edition: Edition) -> dict[str, str]:
        """Return field → name of its column in files of the edition."""
        return {
            name: edition.columns.get(name) or rule.column or name
            for name, rule in self.fields.items()
            if name not in edition.absent
        }

    def _named_fields(self) -> set[str]:
        named = {*self.key, *([self.revised_at] if self.revised_at else [])}
        named |= {name for check in self.checks for name in (check.field, check.other)}
        for edition in self.every_edition():
            named |= {*edition.columns, *edition.values, *edition.extract, *edition.absent}
            named |= {edition.unpivot.name, edition.unpivot.value} if edition.unpivot else set()
        return named | self.observed_fields()

    def observed_fields(self) -> set[str]:
        """Return the fields that make an observation: where a whole file lacks one, it says so."""
        named: set[str] = set()
        rule = self.observation
        if rule is None:
            return named
        when = [
            name
            for told in (rule.started_at, rule.ended_at)
            if told
            for name in ([told] if isinstance(told, str) else told.fields)
        ]
        told = [zone.field for zone in rule.declared_zones]
        told += [name for fields in rule.cancels for name in fields]
        others = [rule.category, rule.recorded_at, rule.longitude, rule.latitude]
        named |= {c for c in (*when, *others, *told, rule.origin.field, rule.count) if c}
        return named


def load_contract(path: Path) -> Contract:
    """Read and check the contract in `path`."""
    contract: Contract = parse(Contract, path, f"contrat {path.name}")
    fields = {
        name: _with_list(rule, path, name) if rule.list else rule
        for name, rule in contract.fields.items()
    }
    return contract.model_copy(update={"fields": fields})


def _with_list(rule: FieldRule, path: Path, name: str) -> FieldRule:
    """Return the rule with the codes of its list, which must be closed as those of a contract."""
    filled = rule.model_copy(update={"values": tuple(lists.read(path.parent.parent, rule.list))})
    fault = battery.fault(filled)
    if fault:
        raise PhareError(f"{fault} : fields.{name}", lists.shown(rule.list), "l'ôter de la liste")
    return filled
