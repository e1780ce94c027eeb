"""What « Actions » reads: each action with its problem, its decisions, its dose and its verdict.

Nothing is computed here: rows of `problems`, `actions`, `impact` and `results` are laid side by
side, and the register's entries beside them.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.actions import states, tiers
from helpers.apps.choice import ANY, Choice
from helpers.core.base import store
from helpers.core.city.action_rules import read_rules
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time import calendar, places
from helpers.core.stage import params, standing
from helpers.core.stage.run import Run
from helpers.problems import words as problem_words
from helpers.register import rules
from helpers.results import words as result_words
from helpers.situation import levels

Row = Mapping[str, Any]
TABLES = {
    "actions": ("actions", "doses", "powers", "tiers"),
    "impact": ("effects", "beside"),
    "problems": ("files", "tasks", "elsewhere", "decisions", "answers"),
    "results": ("account", "sums", "followed", "steps", "register", "by_dose"),
}
GRADES = "derived/reliability/grades.parquet"
NO_VERDICT, NOT_TOLD = "aucun", "inconnu"  # in links
TO_DECIDE, OF_STATE, OF_VERDICT = "a_decider", "etat-", "verdict-"
APPROVE, SOON, PAST, UNJUSTIFIED = "approve", "soon", "past", "unjustified"
SOON_DAYS = 28  # before its end, an action is told to end soon


@dataclass(frozen=True)
class One:
    """An action: its rows of STATES, DOSES and POWERS, and what else there is of it.

    `effect`: its row of EFFECTS, None where `impact` judged nothing. `problem`: its row of FILES,
    None where the register has none. `zones`: division → the zone where it is. `steps`: the
    decisions on it, in order, rows of STEPS. `asks`: the decision that it asks for now, "" where
    none. `readings`: what other designs read of it, rows of BESIDE.
    """

    row: Row
    dose: Row
    power: Row
    effect: Row | None
    problem: Row | None
    zones: Mapping[str, str]
    steps: Sequence[Row]
    asks: str
    readings: Sequence[Row] = ()

    @property
    def name(self) -> str:
        """What the action is called."""
        return str(self.row["action"])

    @property
    def verdict(self) -> str:
        """The verdict's code, NO_VERDICT where nothing judged it."""
        return str(self.effect["verdict"]) if self.effect else NO_VERDICT

    @property
    def exploratory(self) -> bool:
        """Whether what is said of its effect is exploratory."""
        return bool(self.row["exploratory"] or (self.effect and self.effect["exploratory"]))

    @property
    def why(self) -> str:
        """The code of why it is, "" where none is told."""
        return self.row["exploratory"] or (self.effect["why"] if self.effect else None) or ""

    def answers(self, choice: Choice) -> bool:
        """Tell whether the action is of a choice, the chosen action apart."""
        row, state = self.row, choice.state
        return (
            choice.theme in (ANY, row["theme"])
            and choice.tier in (ANY, row["tier"] or NOT_TOLD)
            and choice.zone in (WHOLE, self.zones.get(choice.division))
            and (state in (ANY, f"{OF_STATE}{row['state']}", f"{OF_VERDICT}{self.verdict}")
                 or (state == TO_DECIDE and bool(self.asks)))
        )  # fmt: skip


class Found:
    """All that the page shows, read once from the results of the run's city."""

    def __init__(self, run: Run) -> None:
        self.run, self.city = run, run.city
        self.con = run.view("cube.parquet", "zones.parquet", GRADES)
        self.tables: dict[str, pa.Table] = {
            name: pq.read_table(run.read(f"derived/{stage}/{name}.parquet"))
            for stage, names in TABLES.items() for name in names
        }  # fmt: skip
        (told,) = self.tables["register"].to_pylist()
        self.today: dt.date = told["today"]
        self.has_register = told["entries"] is not None
        self.rules = read_rules(run.city)
        self.names = places.zone_names(self.con, run.city, every=True)
        self.impact = self._knobs("impact")
        self.problem = problem_words.Told(
            self.tables["files"], self.tables["tasks"], self.tables["elsewhere"],
            self.tables["decisions"], self.tables["answers"], run.city, self.names,
            self._knobs("problems"), self.today, self.has_register,
        )  # fmt: skip
        knobs = self._knobs("results")
        period = calendar.last_days(run.city, knobs.period_days)
        self.result = result_words.Told(
            self.tables["account"], self.tables["sums"], self.tables["followed"], run.city,
            self.names, period, self.has_register,
            standing.set_aside(self.con, run.city, self.rules.source if self.rules else None),
            result_words.with_dose(self.tables["by_dose"], knobs),
        )  # fmt: skip
        self.actions = self._actions()
        self.pooled = {row["scope"]: row for row in self.tables["effects"].to_pylist()}

    def _knobs(self, stage: str) -> Any:
        """Return the knobs that a stage's tables were made with, whatever `params.yaml` says."""
        here = f"derived/{stage}"
        lineage = json.loads(self.run.read(f"{here}/lineage.json").read_text(encoding="utf-8"))
        return params.typed(stage, lineage["parameters"], here, self.run.root)

    def _actions(self) -> dict[str, One]:
        effects = {row["key"]: row for row in self.tables["effects"].to_pylist()
                   if row["scope"] == "action"}  # fmt: skip
        files = {row["problem"]: row for row in self.tables["files"].to_pylist()}
        steps: dict[str, list[Row]] = {}
        for step in sorted(self.tables["steps"].to_pylist(), key=lambda step: step["entry"]):
            steps.setdefault(step["action"], []).append(step)
        readings: dict[str, list[Row]] = {}
        for reading in self.tables["beside"].to_pylist():
            readings.setdefault(reading["key"], []).append(reading)
        where = zones_of(self.con, self.city)
        beside = zip(*(self.tables[name].to_pylist() for name in ("actions", "doses", "powers")),
                     strict=True)  # fmt: skip
        recent = self.today - dt.timedelta(days=self.problem.knobs.recent_days)
        return {
            row["action"]: One(
                row, dose, power, effects.get(row["action"]), files.get(row["problem"]),
                where.get(row["zone"], {}) | sector(self.city, row), steps.get(row["action"], []),
                asks(row, self.today, recent), readings.get(row["action"], []),
            )
            for row, dose, power in beside
        }  # fmt: skip


def asks(row: Row, today: dt.date, recent: dt.date) -> str:
    """Return the decision that an action asks for on the day `today`, from its row of STATES.

    An end that passed before the day `recent` asks for none: it was let pass.
    """
    if row["state"] == "proposed":
        return APPROVE
    last = end(row)
    running = last is None or last >= recent
    if row["gate"] == states.UNREGISTERED and row["tier"] not in (None, "prevention") and running:
        return UNJUSTIFIED
    approved = (row["approvals"] or 0) >= rules.NEEDED
    if row["state"] == "off" and approved and running:
        return PAST
    near = last is not None and last <= today + dt.timedelta(days=SOON_DAYS)
    return SOON if near and row["state"] == "running" else ""


def sector(city: City, row: Row) -> dict[str, str]:
    """Return the division of the hours of patrol → the sector of an action's row, if it has one."""
    about = city.about.patrols
    return {about.division: row["sector"]} if about and row["sector"] else {}


def zones_of(con: duckdb.DuckDBPyConnection, city: City) -> dict[str, dict[str, str]]:
    """Return zone of the main division → division → zone of it, as facts tell. View `cube`."""
    main = city.about.main_division
    names = levels.divisions(city)
    columns = ", ".join(store.quote(f"zone_{name}") for name in names)
    own = store.quote(f"zone_{main}")
    rows = con.execute(
        f"SELECT DISTINCT {own}, {columns} FROM cube WHERE {own} IS NOT NULL ORDER BY ALL"
    ).fetchall()
    return {zone: {n: code for n, code in zip(names, others, strict=True) if code}
            for zone, *others in rows}  # fmt: skip


def begun(one: One) -> bool:
    """Tell whether an action was done, by the rule of `actions`."""
    return tiers.begun(dict(one.row), dt.date.max)


def end(row: Row) -> dt.date | None:
    """Return an action's last day: the register's, else the one delivered; from a row of STATES."""
    found: dt.date | None = row["end_in_force"] or row["end"]
    return found
