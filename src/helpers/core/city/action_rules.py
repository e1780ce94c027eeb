"""How a city tells of its actions: `actions.yaml` of a pack, the source and its fields."""

from __future__ import annotations

from pydantic import Field

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict, among, parse
from helpers.core.city.city import City

FILE = "actions.yaml"
MOMENTS, NUMBERS = ("date", "timestamp"), ("int", "float")
# What each key has to be, in the contract; of the others, any field will do.
TYPES = {
    "start": MOMENTS, "end": MOMENTS, "registered": MOMENTS, "longitude": ("longitude",),
    "latitude": ("latitude",), "planned_h": NUMBERS, "done_h": NUMBERS,
}  # fmt: skip


class ActionFields(Strict):
    """Fields of the source of actions.

    `indicator` is the category of the facts that the action aims at, as the sources of facts write
    it; `registered` the day when indicator and place were written down.
    """

    id: str
    kind: str
    indicator: str
    start: str
    longitude: str
    latitude: str
    registered: str
    end: str = ""
    problem: str = ""
    tier: str = ""
    planned_h: str = ""
    done_h: str = ""

    def told(self) -> dict[str, str]:
        """Return what the source tells: name → column."""
        return {name: column for name, column in self.model_dump().items() if column}


class ActionRules(Strict):
    """`actions.yaml`, as written; `titles`: kind → what readers see."""

    source: str
    fields: ActionFields
    titles: dict[str, str] = Field(default_factory=dict)

    def title(self, kind: str) -> str:
        """Return what readers see of a kind of action."""
        return self.titles.get(kind, kind)


NO_THEME: tuple[None, bool] = None, False


def aimed(city: City) -> dict[str, tuple[str, bool]]:
    """Return category of facts → the theme that counts it, and whether it counts others too.

    One that no theme counts has none: `NO_THEME`.
    """
    return {
        one: (name, len(theme.categories) > 1)
        for name, theme in city.themes.items()
        for one in theme.categories
    }


def read_rules(city: City) -> ActionRules | None:
    """Return the pack's `actions.yaml`, None where it has none; raise PhareError where wrong."""
    if not (city.pack / FILE).exists():
        return None
    here = f"{city.pack.name}/{FILE}"
    found: ActionRules = parse(ActionRules, city.pack / FILE, here)
    among(here, "source", found.source, city.contracts)
    held = city.contracts[found.source].fields
    for key, column in found.fields.told().items():
        among(here, f"fields.{key}", column, held)
        kinds = TYPES.get(key)
        if kinds and held[column].type not in kinds:
            raise PhareError(
                f"fields.{key} nomme « {column} », un champ {held[column].type}", here,
                f"nommer un champ {' ou '.join(kinds)}",
            )  # fmt: skip
    values = held[found.fields.kind].values
    for kind in found.titles if values else ():
        among(here, "titles", kind, values)
    return found
