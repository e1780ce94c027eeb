"""What a run's city can tell of grave facts: weeks of reports and walkers, survey."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.core.city import survey, traffic_rules
from helpers.core.city.city import City
from helpers.core.city.shock_rules import ShockRules, check_zones
from helpers.core.stage.run import Run
from helpers.impact import shock_weeks, shocks, survey_change
from helpers.impact.shocks import Weekly
from helpers.impact.survey_change import Asked


@dataclass(frozen=True)
class Sources:
    """What may answer: by week (`shocks.REPORTS`, `shocks.WALKERS`), and the survey if any."""

    weekly: dict[str, Weekly]
    asked: Asked | None


def of_city(run: Run, city: City, rules: ShockRules | None) -> Sources:
    """Return what the city tells; nothing where it names no grave fact.

    `city` holds the themes in force. Views `cube`, `zones`, `weeks`, `grades_weekly`.
    """
    if rules is None or not rules.facts:
        return Sources({}, None)
    check_zones(run.con, run.city, rules)
    found = {shocks.REPORTS: shock_weeks.reports(run.con, city, rules, run.knobs.origins)}
    traffic = traffic_rules.read_rules(run.city)
    if traffic is not None:
        files = {name: run.read(f"accepted/{name}.parquet") for name in traffic.sources}
        found[shocks.WALKERS] = shock_weeks.walkers(run.con, run.city, rules, traffic, files)
    asked, rule = None, survey.read_rule(run.city)
    if rule is not None and rule.division == run.city.about.main_division:
        asked = survey_change.read(run.con, rule, run.read(f"accepted/{rule.source}.parquet"))
    return Sources({name: one for name, one in found.items() if one is not None}, asked)
