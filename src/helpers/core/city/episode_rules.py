"""What a city says of its sources' records: which may tell the same fact, how far apart."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict, parse
from helpers.core.city.city import City
from helpers.core.city.theme import THEMES

FILE = "episodes.yaml"


class LinkedSource(Strict):
    """How one source tells a moment and a place.

    `moment`: its start alone, or the whole interval from start to end, in which the fact lies.
    `several`: an episode may hold several of its records. `zone`: the division of whose zones it
    gives counts; such a count is one trace of an episode, and never joins two of them.
    """

    moment: Literal["start", "interval"] = "start"
    several: bool = False
    zone: str | None = None


class Reference(Strict):
    """A declared link: `field` of the second source's record holds `names` of the first's."""

    field: str
    names: str


class Pair(Strict):
    """Two sources whose records may tell the same fact, at most so far apart."""

    first: str
    second: str
    max_gap_min: int = Field(gt=0, le=7 * 24 * 60)
    max_distance_m: int = Field(default=200, gt=0, le=2000)
    reference: Reference | None = None


class EpisodeRules(Strict):
    """`episodes.yaml`, as written. `facts`: kind of fact → source → its categories."""

    facts: dict[str, dict[str, tuple[str, ...]]]
    sources: dict[str, LinkedSource]
    pairs: tuple[Pair, ...]

    @model_validator(mode="after")
    def _consistent(self) -> EpisodeRules:
        named = {name for fact in self.facts.values() for name in fact}
        named |= {name for pair in self.pairs for name in (pair.first, pair.second)}
        unknown = named - set(self.sources)
        if unknown:
            raise ValueError(f"sources absentes de `sources` : {', '.join(sorted(unknown))}")
        seen: set[frozenset[str]] = set()
        for pair in self.pairs:
            both = frozenset((pair.first, pair.second))
            here = f"{pair.first} – {pair.second}"
            if both in seen:
                raise ValueError(f"paire écrite deux fois : {here}")
            seen.add(both)
            if len(both) == 1 and not self.sources[pair.first].several:
                raise ValueError(f"une source liée à elle-même dit `several: true` : {here}")
            if self.sources[pair.first].zone:
                raise ValueError(f"un dénombrement par zone vient en second : {here}")
        for name in self.sources:
            for told in (self.keys(name), self.references(name)):
                if len(told) > 1:
                    raise ValueError(f"plusieurs champs de renvoi pour {name} : {sorted(told)}")
        return self

    def keys(self, source: str) -> set[str]:
        """Return the fields of `source` that other records name."""
        return {p.reference.names for p in self.pairs if p.reference and p.first == source}

    def references(self, source: str) -> set[str]:
        """Return the fields of `source` that name other records."""
        return {p.reference.field for p in self.pairs if p.reference and p.second == source}


def read_rules(city: City) -> EpisodeRules | None:
    """Return the pack's `episodes.yaml`, None where it has none; raise PhareError where wrong."""
    if not (city.pack / FILE).exists():
        return None
    rules: EpisodeRules = parse(EpisodeRules, city.pack / FILE, f"{city.pack.name}/{FILE}")
    if not rules.pairs:
        raise PhareError("pairs ne nomme aucune paire", f"{city.pack.name}/{FILE}", "en écrire une")
    for name, source in rules.sources.items():
        _expect(city, "sources", name, city.observed_sources())
        if not city.contracts[name].key:
            raise PhareError(
                f"la source « {name} » n'a pas de clé : rien ne distingue deux enregistrements",
                f"{city.pack.name}/contracts/{name}.yaml",
                "donner `key`, ou ne pas relier cette source",
            )
        if source.zone:
            _expect(city, f"sources.{name}.zone", source.zone, list(city.about.divisions))
    for fact, told in rules.facts.items():
        for name, categories in told.items():
            _check_categories(city, fact, name, categories)
    _check_distinct(city, rules)
    for pair in rules.pairs:
        if pair.reference:
            _expect(city, "reference.field", pair.reference.field, _fields(city, pair.second))
            _expect(city, "reference.names", pair.reference.names, _fields(city, pair.first))
    return rules


def _fields(city: City, source: str) -> list[str]:
    return list(city.contracts[source].fields)


def _check_categories(city: City, fact: str, source: str, categories: tuple[str, ...]) -> None:
    """Refuse a category that the contract's codelist does not have: it would never link."""
    contract = city.contracts[source]
    assert contract.observation is not None
    listed = contract.fields[contract.observation.category].values
    for category in categories if listed else ():
        _expect(city, f"facts.{fact}.{source}", category, list(listed))


def _check_distinct(city: City, rules: EpisodeRules) -> None:
    """Refuse a pair of sources that a theme says distinct, of facts that it counts in both."""
    linked = {frozenset((pair.first, pair.second)) for pair in rules.pairs}
    for name, theme in city.themes.items():
        for fact, told in rules.facts.items():
            both = {
                source
                for source, own in theme.parts.items()
                if set(own) & set(told.get(source, ()))
            }
            if theme.distinct and any(len(pair) == 2 and pair <= both for pair in linked):
                raise PhareError(
                    f"facts.{fact} relie {' et '.join(sorted(both))}, que le thème « {name} » dit "
                    "distinctes",
                    f"{city.pack.name}/{FILE}",
                    f"ôter `distinct` de {THEMES}, themes.{name}, ou ôter cette paire",
                )


def _expect(city: City, key: str, value: str, known: list[str]) -> None:
    if value not in known:
        raise PhareError(
            f"{key} nomme « {value} », qui n'existe pas",
            f"{city.pack.name}/{FILE}",
            f"choisir parmi : {', '.join(known)}",
        )
