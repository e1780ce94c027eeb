"""What a reader has chosen, on every page alike; links carry it, and are believed in nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, urlencode

import duckdb

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.city.theme import AXES
from helpers.situation import levels
from helpers.situation import words as situation_words

ALL_THEMES = ""
ALL_EVENTS = ""
ANY = ""  # tier, state or action
USUAL_PERIOD = 7
Option = tuple[str, str]  # what the reader sees, what a link says
# What a link calls a control → the field of the choice that it is, as it is.
FIELDS = {"theme": "theme", "role": "role", "evenement": "event", "palier": "tier",
          "etat": "state", "action": "action"}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """Period (days), theme (`ALL_THEMES`: all), division and zone (`ville`: all of it), role.

    `event`: one to come (`ALL_EVENTS`: all of them). `tier` and `state` of actions, and one of
    them (`ANY`: all).
    """

    days: int
    theme: str
    division: str
    zone: str
    role: str
    event: str = ALL_EVENTS
    tier: str = ANY
    state: str = ANY
    action: str = ANY

    @property
    def territory(self) -> str:
        """Division and zone, as links say them."""
        return self.division if self.zone == WHOLE else f"{self.division}/{self.zone}"

    def values(self) -> dict[str, str]:
        """Return what a link says of each control."""
        return {
            "periode": str(self.days), "theme": self.theme, "territoire": self.territory,
            "role": self.role, "evenement": self.event, "palier": self.tier,
            "etat": self.state, "action": self.action,
        }  # fmt: skip

    def query(self) -> str:
        """Return the choice as the query of a link, the same for the same choice."""
        return urlencode({name: value for name, value in self.values().items() if value})

    def with_value(self, name: str, value: str) -> Choice:
        """Return the choice with another value of one control, as links say it."""
        if name == "periode":
            return replace(self, days=int(value))
        if name == "territoire":
            division, _, zone = value.partition("/")
            return replace(self, division=division, zone=zone or WHOLE)
        changed: dict[str, Any] = {FIELDS[name]: value}
        return replace(self, **changed)


@dataclass(frozen=True)
class Offer:
    """What each control offers, by its name in links, and the choice of who comes without a link.

    `names`: division → code → name.
    """

    options: dict[str, list[Option]]
    first: Choice
    names: dict[str, dict[str, str]]

    def usual(self, uses: Collection[str]) -> Iterator[Choice]:
        """Yield the choices that a page's controls (`uses`) make of the whole city, its role apart.

        Those of the first period and of the main division first; then each action by itself.
        """
        values = self.first.values()
        offered = {
            name: [value for _, value in self.options[name] if "/" not in value]
            if name in uses and name != "role" else [values[name]]
            for name in values
        }  # fmt: skip
        days = sorted(offered["periode"], key=lambda one: one != values["periode"])
        kinds = offered["territoire"], days, offered["theme"], offered["evenement"]
        for division, period, theme, event in product(*kinds):
            made = self.first.with_value("periode", period).with_value("theme", theme)
            yield made.with_value("territoire", division).with_value("evenement", event)
        for _, action in self.options["action"] if "action" in uses else ():
            if action:
                yield self.first.with_value("action", action)

    def read(self, query: str) -> tuple[Choice, list[str]]:
        """Return the choice that a link's query makes, and the controls whose value is unknown.

        What is not offered is not taken, whatever it looks like; a name that is no control's is
        none of ours.
        """
        choice, refused = self.first, []
        for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=50):
            if name not in self.options:
                continue
            if value in (one for _, one in self.options[name]):
                choice = choice.with_value(name, value)
            elif name not in refused:
                refused.append(name)
        return choice, refused


def offer(
    con: duckdb.DuckDBPyConnection, city: City, periods: tuple[int, ...], roles: list[str],
    themes: list[str], events: list[Option], actions: Mapping[str, Sequence[Option]],
) -> Offer:  # fmt: skip
    """Return what is offered of the city; `events`: those to come. View `zones`.

    `actions`: what is offered of tiers, of states and of actions (`palier`, `etat`, `action`).
    """
    main = city.about.main_division
    drawn = [main, *(name for name in levels.divisions(city) if name != main)]
    names = {
        division: {
            row["code"]: row["name"]
            for row in store.records(
                con, f"SELECT code, name FROM zones WHERE division = {store.literal(division)} "
                "ORDER BY name, code"
            )
        }
        for division in drawn
    }  # fmt: skip
    titled = [(f"{AXES[t.axis]} · {t.title}", n) for n, t in city.themes.items() if n in themes]
    options = {
        "periode": [(situation_words.period_title(d).capitalize(), str(d)) for d in periods],
        "theme": [("Tous les thèmes", ALL_THEMES), *titled],
        "territoire": _territories(city, names),
        "role": [(role.replace("_", " ").capitalize(), role) for role in roles],
        "evenement": [("Tous les événements à venir", ALL_EVENTS), *apart(events)],
        **{name: list(offered) for name, offered in actions.items()},
    }
    first = Choice(
        USUAL_PERIOD if USUAL_PERIOD in periods else periods[0],
        ALL_THEMES, main, WHOLE, roles[0] if roles else "",
    )  # fmt: skip
    return Offer(options, first, names)


def _territories(city: City, names: dict[str, dict[str, str]]) -> list[Option]:
    """Return the whole city by each division, then each zone, the larger divisions first.

    Two zones of one name are told apart by their division, and then by a number.
    """
    about = city.about
    found = [(f"{about.title}, par {about.divisions[n].title.lower()}", n) for n in names]
    taken = {label for label, _ in found}
    for division in sorted(names, key=lambda name: (len(names[name]), name)):
        for code, name in names[division].items():
            label = name if name not in taken else f"{name} ({about.divisions[division].title})"
            number = 2
            while label in taken:
                label, number = f"{name} ({about.divisions[division].title}, {number})", number + 1
            taken.add(label)
            found.append((label, f"{division}/{code}"))
    return found


def apart(options: list[Option]) -> list[Option]:
    """Return the options, those of one label told apart by a number."""
    found: list[Option] = []
    for label, value in options:
        own, number, taken = label, 2, {one for one, _ in found}
        while own in taken:
            own, number = f"{label} ({number})", number + 1
        found.append((own, value))
    return found
