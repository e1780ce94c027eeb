"""What goes beside a question's count: who starts the records, kinds of day, features of places."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.core.base import store
from helpers.core.place_time.calendar import WEEKEND, WORKING, day_kinds
from helpers.core.place_time.counts import counts
from helpers.core.stage.run import Run
from helpers.core.stats.intervals import DIGITS, rate_ratio
from helpers.patrol import shares
from helpers.portfolio.asked import Asked
from helpers.portfolio.knobs import Knobs
from helpers.rhythms import year

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

    In the question's hours (`in`), at the others (`out`, the control), and the first ratio over
    the second (`own`): over the whole period, weeks when the source was silent left out. Saturdays
    and Sundays are left out of both where one of the two is working days and neither weekends.
    Empty where the question compares nothing. `reason`: `yearly` (facts known by the year alone),
    `too_few` (fewer than `minimum_count` on one side).
    """
    asks = asked.question.compare
    if asks is None:
        return []
    period = asked.city.about.period
    kinds = day_kinds(asked.city.about.holidays, period.start, period.end, year.event_days(run))
    wanted = asks.kinds
    weekdays = WORKING in wanted and WEEKEND not in wanted
    kept = {
        day: kind for day, kind in kinds.items()
        if kind in wanted and not (weekdays and day.weekday() >= 5)
    }  # fmt: skip
    places = [("in", asked.facts), *([("out", asked.apart)] if asked.question.hours else [])]
    rows: list[dict[str, Any]] = []
    for where, con in places:
        found = year.daily(con, asked.city, asked.question.theme, kept) if kept else {}
        a, b = (found.get(kind, []) for kind in wanted)
        if asked.yearly or min(sum(a), sum(b)) < knobs.minimum_count:
            reason = YEARLY if asked.yearly else TOO_FEW
            rows.append({"where": where, "status": "abstained", "reason": reason})
            continue
        ratio, low, high = rate_ratio(a, b, knobs.confidence)
        rows.append({"where": where, "ratio": ratio, "low": low, "high": high,
                     "n": sum(a) + sum(b), "status": "ok", "reason": ""})  # fmt: skip
    if [row["status"] for row in rows] == ["ok", "ok"]:
        rows.append({"where": "own", "n": rows[0]["n"], "status": "ok", "reason": "",
                     **_against(*rows)})  # fmt: skip
    return rows


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
