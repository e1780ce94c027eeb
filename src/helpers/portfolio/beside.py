"""What goes beside a question's count: who starts the records, kinds of day, features of places."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from helpers.core.base import store
from helpers.core.city.names import DayKind
from helpers.core.place_time.calendar import all_kinds
from helpers.core.place_time.counts import counts
from helpers.core.stage.run import Run
from helpers.core.stats.intervals import DIGITS
from helpers.patrol import shares
from helpers.portfolio.asked import Asked
from helpers.portfolio.knobs import Knobs
from helpers.rhythms import day_kinds, year

YEARLY, TOO_FEW, NOT_MEASURED = "yearly", "too_few", "not_measured"


def origins(asked: Asked, knobs: Knobs) -> dict[str, Any]:
    """Return counts by origin, the agents' share with its interval, and what `patrol` says.

    `driven`: the theme's count follows agents' activity; `patrol` is its row of `patrol`.
    """
    counted = dict(counts(asked.facts, ["origin"], span=asked.span, yearly=asked.yearly))
    row: dict[str, Any] = {f"n_{name}": counted.get(name, 0)
                           for name in ("citizen", "agent", "unknown")}  # fmt: skip
    known = row["n_citizen"] + row["n_agent"]
    share: tuple[float | None, ...] = (None, None, None)
    if known >= knobs.minimum_count:
        share = shares.share_interval(row["n_agent"], known, knobs.confidence)
    row |= dict(zip(("agent", "agent_low", "agent_high"), share, strict=True))
    query = "SELECT * FROM themes WHERE theme = ?"
    told = store.records(asked.facts, query, [asked.question.theme])
    return {**row, "driven": any(one["driven"] for one in told), "patrol": told[0] if told else {}}


def contrast(asked: Asked, run: Run, knobs: Knobs) -> list[dict[str, Any]]:
    """Return where, ratio, low, high, status, reason: a day of one kind against one of another.

    At equal month and weekday (`day_kinds.effects`), in the question's hours (`in`), at the others
    (`out`, the control), and the first ratio over the second (`own`): over the whole period, weeks
    when the source was silent left out. Empty where the question compares nothing. `reason`:
    `yearly` (facts known by the year alone), `too_few` (fewer than `minimum_count` on one side),
    `like_the_months` (a kind cannot be told from the months it fills).
    """
    asks = asked.question.compare
    if asks is None:
        return []
    period = asked.city.about.period
    kinds = all_kinds(asked.city.about.holidays, period.start, period.end, year.event_days(run))
    places = [("in", asked.facts), *([("out", asked.apart)] if asked.question.hours else [])]
    rows: list[dict[str, Any]] = []
    for where, con in places:
        counted = year.daily_counts(con, asked.city, asked.question.theme, kinds)
        row = {"where": where, "status": "abstained"}
        rows.append(row | _contrast(counted, kinds, asks.kinds, asked.yearly, knobs))
    if [row["status"] for row in rows] == ["ok", "ok"]:
        rows.append({"where": "own", "n": rows[0]["n"], "status": "ok", "reason": "",
                     **_against(*rows)})  # fmt: skip
    return rows


def _contrast(
    counted: dict[dt.date, int], kinds: day_kinds.Kinds, wanted: tuple[DayKind, DayKind],
    yearly: bool, knobs: Knobs,
) -> dict[str, Any]:  # fmt: skip
    a, b = (sum(n for day, n in counted.items() if kind in kinds[day]) for kind in wanted)
    if yearly or min(a, b) < knobs.minimum_count:
        return {"reason": YEARLY if yearly else TOO_FEW}
    found = day_kinds.effects(counted, kinds)
    if found is None or not all(found.knows(kind) for kind in wanted):
        return {"reason": day_kinds.LIKE_MONTHS}
    (value, slopes), (other, others) = (found.against_working(kind) for kind in wanted)
    error, freedom = found.fitted.spread(slopes - others)
    told = day_kinds.told(value - other, error, freedom, knobs.confidence)
    ends = {name: told[name] for name in ("ratio", "low", "high")}
    return {**ends, "n": a + b, "status": "ok", "reason": ""}


def _against(inside: dict[str, Any], control: dict[str, Any]) -> dict[str, float]:
    """Return the ratio of two ratios with its interval, their errors taken as independent.

    What moves both alike (weather, strikes) would narrow it: the interval is on the safe side.
    """
    log = np.log([[row[k] for k in ("ratio", "low", "high")] for row in (inside, control)])
    middle = log[0, 0] - log[1, 0]
    reach = np.hypot(*((log[:, 2] - log[:, 1]) / 2))
    values = np.round(np.exp([middle, middle - reach, middle + reach]), DIGITS)
    return dict(zip(("ratio", "low", "high"), map(float, values), strict=True))


def near(asked: Asked) -> dict[str, Any] | None:
    """Return what `context` found of the question's feature of places; None if it names none.

    That is the whole theme's: ratio of facts for a `step` more of the feature, at equal exposure.
    `reason`: that of `context` (with `check`, its row on the theme, where it measured nothing of
    it), or `not_measured` by it.
    """
    feature = asked.question.near
    if feature is None:
        return None
    given = [asked.question.theme, feature]
    rows = store.records(
        asked.facts, "SELECT * FROM effects WHERE theme = ? AND feature = ?", given
    )
    if rows:
        return rows[0]
    query = "SELECT * FROM checks WHERE theme = ? AND status != 'ok'"
    checks = store.records(asked.facts, query, given[:1])
    reason = checks[0]["reason"] if checks else NOT_MEASURED
    return {"feature": feature, "status": "abstained", "reason": reason,
            "check": checks[0] if checks else None}  # fmt: skip
