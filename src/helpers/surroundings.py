"""What a city says of its places: features, what measures their size, and who can change them."""

from __future__ import annotations

import datetime as dt
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
from helpers.calendar import full_weeks, last_days
from helpers.city import City
from helpers.errors import PhareError
from helpers.strict import Strict, among, parse
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


class Dated(Strict):
    """What comes and goes: rows of a source whose `field` is among `values`, from `start` to `end`.

    Each week, those open are counted in each zone; placed by `longitude` and `latitude`.
    """

    source: str
    field: str
    values: tuple[str, ...] = Field(min_length=1)
    start: str
    end: str
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
    dated: Dated | None = None
    step: float = Field(gt=0)
    expected: Literal["more", "fewer"]
    actor: str
    lever: str

    @model_validator(mode="after")
    def _one_origin(self) -> Feature:
        if bool(self.field) == (self.dated is not None):
            raise ValueError("donner `field` ou `dated`, non les deux")
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
        dated = (f.dated.source for f in self.features.values() if f.dated)
        return sorted({self.source, *dated})


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
    among(here, "division", found.division, city.about.divisions)
    for source in found.sources():
        among(here, "source", source, city.contracts)
    fields = city.contracts[found.source].fields
    among(here, "zone", found.zone, fields)
    _number(city, found.source, found.exposure.field, here, found.exposure.label)
    for name, feature in found.features.items():
        if feature.dated:
            held = city.contracts[feature.dated.source].fields
            one = feature.dated
            for column in (one.field, one.start, one.end, one.longitude, one.latitude):
                among(here, f"features.{name}.dated", column, held)
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


def _number(city: City, source: str, field: str, here: str, told: str) -> None:
    """Raise PhareError unless `field` of `source` is a number, and not one of people's lot."""
    fields = city.contracts[source].fields
    among(here, "field", field, fields)
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

    `centres` (n, 2) are metres, `features` name → (n,); NaN where one is not known. `weekly` gives
    what comes and goes: name → number open in each of `weeks` (their Mondays), shape (n, weeks).
    """

    codes: list[str]
    names: list[str]
    centres: Floats
    exposure: Floats
    features: dict[str, Floats]
    weeks: list[dt.date]
    weekly: dict[str, Floats]
    left_out: int


def read_places(
    con: duckdb.DuckDBPyConnection, city: City, rules: Surroundings, window_days: int
) -> Places:
    """Return the zones and what they hold. Views `zones` and one for each of `rules.sources()`."""
    weeks = full_weeks(*last_days(city, window_days))
    rows = con.execute(
        "SELECT code, name, geometry FROM zones WHERE division = ? AND geometry IS NOT NULL "
        "ORDER BY code",
        [rules.division],
    ).fetchall()
    lasting = {name: f.field for name, f in rules.features.items() if f.field}
    columns = [rules.exposure.field, *lasting.values()]
    told = ", ".join(f"CAST({store.quote(name)} AS DOUBLE)" for name in columns)
    known = con.execute(
        f"SELECT {store.quote(rules.zone)}, {told} FROM {store.quote(rules.source)} ORDER BY ALL"
    ).fetchall()
    values = {row[0]: np.array(row[1:], dtype=float) for row in known}
    kept = [row for row in rows if row[0] in values and values[row[0]][0] > 0]
    if not kept:
        return Places([], [], np.zeros((0, 2)), np.zeros(0), {}, weeks, {}, len(rows))
    codes, names, shapes = (list(column) for column in zip(*kept, strict=True))
    zones = Zones.read(codes, names, shapes, city.about.crs)
    table = np.array([values[code] for code in codes])
    weekly = {
        name: open_each_week(con, city, f.dated, zones, weeks)
        for name, f in rules.features.items()
        if f.dated
    }
    features = {name: table[:, 1 + i] for i, name in enumerate(lasting)}
    middles = shapely.get_coordinates(shapely.centroid(zones.shapes))
    left = len(rows) - len(kept)
    return Places(codes, names, middles, table[:, 0], features, weeks, weekly, left)


def open_each_week(
    con: duckdb.DuckDBPyConnection, city: City, rule: Dated, zones: Zones, weeks: list[dt.date]
) -> Floats:
    """Return how many of the source's rows are open in each zone and week; (zones, weeks)."""
    told = {"x": rule.longitude, "y": rule.latitude, "start": rule.start, "end": rule.end}
    columns = con.execute(
        f"SELECT {', '.join(f'{store.quote(v)} AS {store.quote(k)}' for k, v in told.items())} "
        f"FROM {store.quote(rule.source)} WHERE list_contains(?, {store.quote(rule.field)}) "
        f"AND {store.quote(rule.longitude)} NOT NULL AND {store.quote(rule.latitude)} NOT NULL",
        [list(rule.values)],
    ).fetchnumpy()
    zone = zones.positions(*project(columns["x"], columns["y"], city.about.crs))
    start, end = (columns[name].astype("datetime64[D]") for name in ("start", "end"))
    monday = np.array(weeks, dtype="datetime64[D]")
    opened = (start[:, None] < monday + np.timedelta64(7, "D")) & (end[:, None] >= monday)
    found = np.zeros((len(zones.codes), len(weeks)))
    np.add.at(found, zone[zone >= 0], opened[zone >= 0].astype(float))
    return found
