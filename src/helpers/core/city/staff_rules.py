"""How a city tells of staff: `staff.yaml` of a pack, the source of yearly numbers and its fields.

One row a commune and year, one field a kind of staff. A number of agents is no number of hours:
nothing here tells who works when.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict, Title, among, parse
from helpers.core.city import lists
from helpers.core.city.city import City
from helpers.core.city.contract import Contract

FILE = "staff.yaml"


class Count(Strict):
    """A field that counts staff: its `label` in the plural, the older field that it `follows`."""

    label: Title
    follows: str = ""


class StaffRules(Strict):
    """`staff.yaml`, as written: the source and its fields.

    `population` is that of the year, `next_population` that of the year after: from one year to the
    next they are the bridge. `merged` marks a commune whose numbers are added up from several,
    `pooled` agents shared with others. `unit`: whether persons or full-time equivalents are
    counted. `own` is the code of the city's commune; `names`, the list of the pack that names them.
    """

    source: str
    commune: str
    year: str
    counts: dict[str, Count] = Field(min_length=1)
    unit: Literal["persons", "full_time", "unknown"] = "unknown"
    population: str = ""
    next_population: str = ""
    merged: str = ""
    pooled: str = ""
    own: str = ""
    names: str = ""

    @model_validator(mode="after")
    def _sensible(self) -> StaffRules:
        for name, count in self.counts.items():
            if count.follows and (count.follows not in self.counts or count.follows == name):
                raise ValueError(f"« {name} » prend la suite de « {count.follows} », inconnu")
        if self.next_population and not self.population:
            raise ValueError("`next_population` va avec `population`")
        if len(set(self.fields())) < len(self.fields()):
            raise ValueError("un champ est nommé deux fois")
        return self

    def fields(self) -> list[str]:
        """Return the fields of the contract that are read."""
        others = (self.population, self.next_population, self.merged, self.pooled)
        return [self.commune, self.year, *self.counts, *filter(None, others)]


def read_rules(city: City) -> StaffRules | None:
    """Return the pack's `staff.yaml`, None where it has none; raise PhareError where wrong."""
    if not (city.pack / FILE).exists():
        return None
    here = f"{city.pack.name}/{FILE}"
    rules: StaffRules = parse(StaffRules, city.pack / FILE, here)
    among(here, "source", rules.source, city.contracts)
    contract = city.contracts[rules.source]
    _check_kinds(rules, contract, here)
    if contract.kind != "context" or set(contract.key) != {rules.commune, rules.year}:
        raise PhareError(
            f"le contrat « {rules.source} » n'a pas une ligne par commune et année",
            f"{city.pack.name}/contracts/{rules.source}.yaml",
            f"écrire `kind: context` et `key: [{rules.commune}, {rules.year}]`",
        )
    if rules.names:
        known = lists.read(city.pack, rules.names)
        if rules.own:
            among(here, "own", rules.own, known)
    return rules


def _check_kinds(rules: StaffRules, contract: Contract, here: str) -> None:
    """Raise PhareError where a field is not in the contract, or is not of the kind it must be."""
    kinds: dict[str, tuple[str, ...]] = {
        rules.commune: ("str", "enum"), rules.year: ("year", "int"),
        **dict.fromkeys([*rules.counts, rules.population, rules.next_population], ("int", "float")),
        **dict.fromkeys([rules.merged, rules.pooled], ("bool",)),
    }  # fmt: skip
    for name in rules.fields():
        among(here, "champ", name, contract.fields)
        if contract.fields[name].type not in kinds[name]:
            raise PhareError(
                f"« {name} » est un champ {contract.fields[name].type}", here,
                f"nommer un champ {' ou '.join(kinds[name])}",
            )  # fmt: skip
