"""What a city says of its places: features, what measures their size, and who can change them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import duckdb
import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import Field, model_validator

from helpers import store
from helpers.calendar import window
from helpers.city import City
from helpers.errors import PhareError
from helpers.strict import Strict, parse
from helpers.territory import Zones, project

Floats = NDArray[np.float64]
FILE = "context.yaml"
ABSENT = "pas de couche de contexte"
# What people lack or are is never a predictor of what happens where they live.
PEOPLE = (
    "defaveur", "defavoris", "deprivation", "revenu", "income", "niveau_de_vie", "pauvre",
    "poverty", "precari", "qpv", "quartier_prioritaire", "chomage", "chomeur", "unemploy",
    "allocataire", "hlm", "logement_social", "logements_sociaux", "nationalit", "etranger",
    "immigr", "diplome", "rsa_",
)  # fmt: skip
SIZES = {"pop", "population", "habitants", "menages", "logements"}


class Exposure(Strict):
    """The column that facts are brought to: people present, or a surface."""

    field: str
    label: str


class Counted(Strict):
    """Rows of a source, counted in each zone: those whose `field` is among `values`.

    Within the window, by the column `day`; placed by `longitude` and `latitude`.
    """

    source: str
    field: str
    values: tuple[str, ...] = Field(min_length=1)
    day: str
    longitude: str = "longitude"
    latitude: str = "latitude"


class Feature(Strict):
    """One feature of places: where its number is, and what somebody could change.

    `label` is in the plural (« débits de boissons »), `more` says a `step` more (« 10 débits de
    boissons de plus »). `actor` can act, by `lever`, which makes sense where facts are `expected`
    to be more (or fewer) as there is more of the feature.
    """

    label: str
    more: str
    field: str = ""
    counted: Counted | None = None
    step: float = Field(gt=0)
    expected: Literal["more", "fewer"]
    actor: str
    lever: str

    @model_validator(mode="after")
    def _one_origin(self) -> Feature:
        if bool(self.field) == (self.counted is not None):
            raise ValueError("donner `field` ou `counted`, non les deux")
        return self


class Surroundings(Strict):
    """`context.yaml`, as written: features of the zones of `division`, one row a `zone`."""

    source: str
    division: str
    zone: str
    exposure: Exposure
    features: dict[str, Feature] = Field(min_length=1)

    def sources(self) -> list[str]:
        """Return the sources that the file rests on, without repeats."""
        counted = (f.counted.source for f in self.features.values() if f.counted)
        return sorted({self.source, *counted})


def _plain(text: str) -> str:
    """Return the text in lower case without accents, its words joined and ended by `_`."""
    letters = unicodedata.normalize("NFKD", text.lower())
    return "_".join(re.findall(r"[a-z0-9]+", letters.encode("ascii", "ignore").decode())) + "_"


def read_surroundings(city: City) -> Surroundings | None:
    """Return the pack's `context.yaml`, None where it has none; raise PhareError where wrong.

    Deprivation and incomes are refused, as features and as exposure, whatever their name says if
    their contract's label does; numbers of people only measure size.
    """
    if not (city.pack / FILE).exists():
        return None
    here = f"{city.pack.name}/{FILE}"
    found: Surroundings = parse(Surroundings, city.pack / FILE, here)
    _among(here, "division", found.division, city.about.divisions)
    for source in found.sources():
        _among(here, "source", source, city.contracts)
    fields = city.contracts[found.source].fields
    _among(here, "zone", found.zone, fields)
    _number(city, found.source, found.exposure.field, here, found.exposure.label)
    for name, feature in found.features.items():
        if feature.counted:
            held = city.contracts[feature.counted.source].fields
            one = feature.counted
            for column in (one.field, one.day, one.longitude, one.latitude):
                _among(here, f"features.{name}.counted", column, held)
            _refuse_people(here, name, (name, feature.label, one.field))
        else:
            _number(city, found.source, feature.field, here, f"{name} {feature.label}")
            if SIZES & set(_plain(feature.field).split("_")):
                raise PhareError(
                    f"« {feature.field} » compte des personnes : une taille, non un trait du lieu",
                    here,
                    "le donner sous `exposure`, ou choisir un autre champ",
                )
    return found


def _among(here: str, key: str, value: str, known: object) -> None:
    choices = list(known)  # type: ignore[call-overload]  # a mapping's names
    if value not in choices:
        raise PhareError(
            f"{key} nomme « {value} », qui n'existe pas", here,
            f"choisir parmi : {', '.join(choices)}",
        )  # fmt: skip


def _number(city: City, source: str, field: str, here: str, told: str) -> None:
    """Raise PhareError unless `field` of `source` is a number, and not one of people's lot."""
    fields = city.contracts[source].fields
    _among(here, "field", field, fields)
    rule = fields[field]
    _refuse_people(here, field, (field, rule.label, told))
    if rule.type not in ("int", "float"):
        raise PhareError(f"« {field} » n'est pas un nombre", here, "choisir un champ int ou float")


def _refuse_people(here: str, name: str, texts: tuple[str, ...]) -> None:
    if any(word in _plain(text) for text in texts for word in PEOPLE):
        raise PhareError(
            f"« {name} » dit la situation des habitants : jamais un prédicteur",
            here,
            "le retirer ; la défaveur ne sert qu'à l'audit d'équité",
        )


@dataclass(frozen=True)
class Places:
    """The zones of the division that have a shape and an exposure, in order of code.

    `centres` (n, 2) are metres, `features` name → (n,); NaN where a feature is not known.
    """

    codes: list[str]
    names: list[str]
    centres: Floats
    exposure: Floats
    features: dict[str, Floats]
    left_out: int


def read_places(
    con: duckdb.DuckDBPyConnection, city: City, rules: Surroundings, window_days: int
) -> Places:
    """Return the zones and what they hold. Views `zones` and one for each of `rules.sources()`."""
    rows = con.execute(
        "SELECT code, name, geometry FROM zones WHERE division = ? AND geometry IS NOT NULL "
        "ORDER BY code",
        [rules.division],
    ).fetchall()
    columns = [rules.exposure.field, *(f.field for f in rules.features.values() if f.field)]
    told = ", ".join(f"CAST({store.quote(name)} AS DOUBLE)" for name in columns)
    known = con.execute(
        f"SELECT {store.quote(rules.zone)}, {told} FROM {store.quote(rules.source)} ORDER BY ALL"
    ).fetchall()
    values = {row[0]: np.array(row[1:], dtype=float) for row in known}
    kept = [row for row in rows if row[0] in values and values[row[0]][0] > 0]
    if not kept:
        return Places([], [], np.zeros((0, 2)), np.zeros(0), {}, len(rows))
    zones = Zones.read([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows],
                       city.about.crs)  # fmt: skip
    position = [list(zones.codes).index(row[0]) for row in kept]
    middle = shapely.centroid(zones.shapes[position])
    table = np.array([values[row[0]] for row in kept])
    features = {}
    for name, feature in rules.features.items():
        if feature.counted:
            features[name] = _counts(con, city, feature.counted, zones, window_days)[position]
        else:
            features[name] = table[:, columns.index(feature.field, 1)]
    return Places(
        [row[0] for row in kept], [row[1] for row in kept], shapely.get_coordinates(middle),
        table[:, 0], features, len(rows) - len(kept),
    )  # fmt: skip


def _counts(
    con: duckdb.DuckDBPyConnection, city: City, rule: Counted, zones: Zones, window_days: int
) -> Floats:
    """Return how many of the source's rows lie in each zone; NaN where it says nothing at all."""
    first, after = window(city.about.period.end, window_days)
    x, y = store.quote(rule.longitude), store.quote(rule.latitude)
    source, day = store.quote(rule.source), store.quote(rule.day)
    columns = con.execute(
        f"SELECT {x}, {y} FROM {source} WHERE {day} >= ? AND {day} < ? "
        f"AND list_contains(?, {store.quote(rule.field)}) AND {x} NOT NULL AND {y} NOT NULL",
        [first, after, list(rule.values)],
    ).fetchnumpy()
    east, north = project(columns[rule.longitude], columns[rule.latitude], city.about.crs)
    if not len(east):
        return np.full(len(zones.codes), np.nan)
    inside = zones.positions(east, north)
    return np.bincount(inside[inside >= 0], minlength=len(zones.codes)).astype(float)
