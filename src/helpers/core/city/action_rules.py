"""How a city tells of its actions: `actions.yaml` of a pack, the source and its fields."""

from __future__ import annotations

from pathlib import Path

import duckdb
from pydantic import Field

from helpers.core.base.store import literal, quote
from helpers.core.base.yaml_models import Strict, parse
from helpers.core.city.checks import Faults
from helpers.core.city.city import City

FILE = "actions.yaml"
CODES, DAYS, HOURS = ("id", "enum", "str"), ("date",), ("int", "float")
KINDS = {
    "start": DAYS, "end": DAYS, "registered": DAYS, "longitude": ("longitude",),
    "latitude": ("latitude",), "planned_h": HOURS, "done_h": HOURS,
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


def told_twice(con: duckdb.DuckDBPyConnection, rules: ActionRules, path: Path) -> set[str]:
    """Return the numbers that several accepted rows bear: which of them is meant, nobody knows."""
    number = quote(rules.fields.id)
    rows = con.execute(
        f"SELECT {number} FROM read_parquet({literal(path)}) GROUP BY 1 HAVING count(*) > 1"
    ).fetchall()
    return {name for (name,) in rows}


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
    faults = Faults(here)
    if faults.among("source", found.source, city.contracts):
        held = city.contracts[found.source].fields
        for key, column in found.fields.told().items():
            faults.column(f"fields.{key}", column, held, KINDS.get(key, CODES))
        kinds = held[found.fields.kind].values if found.fields.kind in held else ()
        for kind in found.titles if kinds else ():
            faults.among(f"titles.{kind}", kind, kinds)
    faults.tell()
    return found
