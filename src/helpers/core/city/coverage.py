"""The days that a source does not cover, of what is asked: they are missing, and not zero.

`covers` of a contract says from when and until when the source tells of what it names. A sum needs
all its parts: a theme is covered where all its categories are, the city where all its zones are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from helpers.core.city.city import City
from helpers.core.city.editions import Cover
from helpers.core.city.names import WHOLE

Days = frozenset[dt.date]
NOT_COVERED = "not_covered"


@dataclass(frozen=True)
class Uncovered:
    """Days not covered: `everywhere`, and beside them in each of `zones` of a division."""

    everywhere: Days = frozenset()
    zones: dict[str, Days] = field(default_factory=dict)

    @property
    def city(self) -> Days:
        """The days on which the whole city cannot be told."""
        return self.everywhere.union(*self.zones.values())

    def of(self, zone: str) -> Days:
        """Return the days on which a zone cannot be told."""
        return self.everywhere | self.zones.get(zone, frozenset())


def uncovered(
    city: City, source: str, categories: Collection[str] | None, division: str
) -> Uncovered:
    """Return the days of the city's period that the source does not cover.

    Of these `categories` (all of the source's where None), in the zones of `division`. What is not
    covered in zones of another division is not told in any: their limits differ. With `WHOLE` for
    division, what the source itself covers, whatever its categories and zones.
    """
    groups: dict[tuple[str, str, str], list[Cover]] = {}
    for cover in city.contracts[source].covers:
        for category in cover.categories or ("",):
            for zone in cover.zones or ("",):
                groups.setdefault((category, cover.division, zone), []).append(cover)
    everywhere: set[dt.date] = set()
    zones: dict[str, Days] = {}
    days = list(_days(city))
    for (category, told_of, zone), spans in groups.items():
        if category and (categories is None or category not in categories):
            continue
        if zone and division == WHOLE:
            continue
        gone = frozenset(day for day in days if not any(span.holds(day) for span in spans))
        if zone and told_of == division:
            zones[zone] = zones.get(zone, frozenset()) | gone
        else:
            everywhere |= gone
    return Uncovered(frozenset(everywhere), zones)


def of_theme(city: City, theme: str, division: str) -> Uncovered:
    """Return the days on which the theme cannot be told: one of its categories is not covered.

    Of one of its sources is enough: what a part does not cover, the sum does not.
    """
    everywhere: Days = frozenset()
    zones: dict[str, Days] = {}
    for source, categories in city.themes[theme].parts.items():
        gone = uncovered(city, source, categories, division)
        everywhere |= gone.everywhere
        for zone, days in gone.zones.items():
            zones[zone] = zones.get(zone, frozenset()) | days
    return Uncovered(everywhere, zones)


def _days(city: City) -> Iterable[dt.date]:
    period = city.about.period
    return (
        period.start + dt.timedelta(days=i) for i in range((period.end - period.start).days + 1)
    )
