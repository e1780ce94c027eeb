"""A city's survey of how quiet people feel: what the pack's `sentiment.yaml` says of it."""

from __future__ import annotations

from helpers.core.base.yaml_models import Strict, among, parse
from helpers.core.city.city import City
from helpers.core.city.surroundings import Surroundings, read_surroundings

FILE = "sentiment.yaml"


class SurveyRule(Strict):
    """`sentiment.yaml`, as written: the source, its columns, and what is set beside.

    One row a `wave` (a day), `zone` of `division` and `stratum`: `adults` there are, `invited` to
    answer, `answers` and how many of them feel `quiet` (both empty where too few to be told). The
    index is told by the zones of `told_by`. `reports` and `facts` name themes, `features` those of
    context.yaml.
    """

    source: str
    question: str
    division: str
    told_by: str
    wave: str
    zone: str
    stratum: str
    adults: str
    invited: str
    answers: str
    quiet: str
    reports: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    features: tuple[str, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """The columns of the source."""
        return (self.wave, self.zone, self.stratum, self.adults, self.invited, self.answers,
                self.quiet)  # fmt: skip


def read_rule(city: City) -> SurveyRule | None:
    """Return the pack's `sentiment.yaml`, None where it has none; raise PhareError where wrong."""
    if not (city.pack / FILE).exists():
        return None
    here = f"{city.pack.name}/{FILE}"
    rule: SurveyRule = parse(SurveyRule, city.pack / FILE, here)
    among(here, "source", rule.source, city.contracts)
    for name in rule.columns():
        among(here, "colonne", name, city.contracts[rule.source].fields)
    for name in (rule.division, rule.told_by):
        among(here, "division", name, city.about.divisions)
    for theme in (*rule.reports, *rule.facts):
        among(here, "thème", theme, city.themes)
    held: Surroundings | None = read_surroundings(city)
    for feature in rule.features:
        among(here, "features", feature, held.features if held else {})
    return rule


def sources(city: City, rule: SurveyRule | None) -> list[str]:
    """Return the sources that the survey and what is set beside it are read from."""
    if rule is None:
        return []
    held = read_surroundings(city)
    hours = city.about.patrols
    named = [rule.source, *([held.source] if held else []), *([hours.source] if hours else [])]
    return [name for name in dict.fromkeys(named) if name in city.contracts]
