"""Grave facts, and what inhabitants may answer to them: `shocks.yaml` of a pack.

A fact is a day and a zone of the main division. What is read of its zone, before and after: reports
of inhabitants (themes named here), walkers (`crowd` of `traffic.yaml`), survey (`sentiment.yaml`).
"""

from __future__ import annotations

import datetime as dt

import duckdb
from pydantic import Field

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict, among, parse
from helpers.core.city.city import City

FILE = "shocks.yaml"


class Shock(Strict):
    """A grave fact: what it is called, its day, the zone of the main division where it was."""

    title: str = Field(min_length=1, max_length=80)
    day: dt.date
    zone: str


class ShockRules(Strict):
    """`shocks.yaml`, as written; `reports` are themes."""

    reports: tuple[str, ...] = ()
    facts: tuple[Shock, ...] = ()


def read_rules(city: City) -> ShockRules | None:
    """Return the pack's `shocks.yaml`, None where it has none; raise PhareError where wrong."""
    if not (city.pack / FILE).exists():
        return None
    here = f"{city.pack.name}/{FILE}"
    found: ShockRules = parse(ShockRules, city.pack / FILE, here)
    for theme in found.reports:
        among(here, "reports", theme, city.themes)
    titles = [one.title for one in found.facts]
    if len(set(titles)) < len(titles):
        raise PhareError(
            "deux faits graves portent le même nom", here, "donner à chacun le sien (`title`)"
        )
    return found


def check_zones(con: duckdb.DuckDBPyConnection, city: City, rules: ShockRules) -> None:
    """Raise PhareError where a fact is in a zone that the main division has not. View `zones`."""
    rows = con.execute(
        "SELECT code FROM zones WHERE division = ? ORDER BY code", [city.about.main_division]
    ).fetchall()
    known = [code for (code,) in rows]
    for one in rules.facts:
        among(f"{city.pack.name}/{FILE}", f"« {one.title} », zone", one.zone, known)
