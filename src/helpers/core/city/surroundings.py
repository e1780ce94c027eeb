"""What a city says of its places: features, what measures their size, and who can change them."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from pydantic import Field, model_validator

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict, among, parse
from helpers.core.city.city import City

FILE = "context.yaml"
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
