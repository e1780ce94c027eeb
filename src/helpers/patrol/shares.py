"""Who starts the records: habitants or agents, and what that leaves known of the level.

Of λ facts, habitants tell λ·r; agents find, of the others, the share 1 − exp(−δ·hours) of patrol.
What agents record follows where they are sent (Lum & Isaac 2016, To predict and serve?,
Significance 13; Ensign et al. 2018, Runaway feedback loops in predictive policing, PMLR 81).
With the share r known within a declared range only, λ is known within bounds.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from helpers.core.base import store
from helpers.core.base.french import change, number, percent
from helpers.core.city.city import City, Patrols
from helpers.core.place_time.calendar import window
from helpers.core.stats.intervals import DIGITS, joint_ranks

Floats = NDArray[np.float64]
STEP = 1.1  # effects are told for 10 % more hours
NO_HOURS = "pas d'heures de patrouille"
NO_ORIGIN = "origine inconnue"
NO_CITIZEN = "aucun enregistrement venu des habitants : le niveau n'est pas mesurable"
NO_RANGE = "aucune part signalée déclarée pour ce thème"
THIN = "trop peu d'enregistrements"
THEMES = pa.schema(
    [
        ("theme", pa.string()), ("n_citizen", pa.int64()), ("n_agent", pa.int64()),
        ("n_unknown", pa.int64()), ("share", pa.float64()), ("share_low", pa.float64()),
        ("share_high", pa.float64()), ("effect", pa.float64()), ("effect_low", pa.float64()),
        ("effect_high", pa.float64()), ("effect_reason", pa.string()), ("driven", pa.bool_()),
        ("note", pa.string()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
ZONES = pa.schema(
    [
        ("theme", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("n_citizen", pa.int64()), ("n_agent", pa.int64()), ("n_unknown", pa.int64()),
        ("low", pa.float64()), ("high", pa.float64()), ("rank_all", pa.int64()),
        ("rank_citizen", pa.int64()), ("rank_low", pa.int64()), ("rank_high", pa.int64()),
        ("naive_ratio", pa.float64()), ("citizen_ratio", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def share_interval(part: int, total: int, confidence: float) -> tuple[float, float, float]:
    """Return the share part / total with its exact interval.

    Clopper, C. & Pearson, E. (1934), The use of confidence or fiducial limits, Biometrika 26.
    """
    tail = (1 - confidence) / 2
    low = special.betaincinv(part, total - part + 1, tail) if part else 0.0
    high = special.betaincinv(part + 1, total - part, 1 - tail) if part < total else 1.0
    return (round(part / total, DIGITS), round(float(low), DIGITS), round(float(high), DIGITS))


def bounds(
    citizen: Floats, agent: Floats, unknown: Floats, reporting: tuple[float, float],
    confidence: float,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return the bounds of the level λ of each zone, same shape as the counts.

    Habitants told between `citizen` and `citizen + unknown` facts, a share within `reporting`; λ
    is no smaller than what is recorded at all. The sampling interval around these bounds covers
    λ, not the whole range: its critical value is that of Imbens, G. & Manski, C. (2004),
    Confidence intervals for partially identified parameters, Econometrica 72, eq. 7, each end an
    exact Poisson limit (Garwood 1936).
    """
    low_share, high_share = reporting
    everything = citizen + agent + unknown
    floor, ceiling = citizen / high_share, (citizen + unknown) / low_share
    width = np.maximum(ceiling - np.maximum(floor, everything), 0)
    error = np.maximum(np.sqrt(citizen + unknown + 1) / low_share, 1e-9)
    tail = special.ndtr(-_critical(width / error, confidence))
    low = np.maximum(_lowest(citizen, tail) / high_share, _lowest(everything, tail))
    high = special.gammaincinv(citizen + unknown + 1, 1 - tail) / low_share
    top = np.maximum(high, low)
    return np.asarray(np.round(low, DIGITS)), np.asarray(np.round(top, DIGITS))


def _lowest(count: Floats, tail: Floats) -> Floats:
    found = special.gammaincinv(np.maximum(count, 1), tail)
    return np.asarray(np.where(count > 0, found, 0.0))


def _critical(gap: Floats, confidence: float) -> Floats:
    """Return C with Φ(C + gap) − Φ(−C) = confidence, by bisection."""
    low, high = np.zeros_like(gap), np.full_like(gap, 8.0)
    for _ in range(60):
        middle = (low + high) / 2
        under = special.ndtr(middle + gap) - special.ndtr(-middle) < confidence
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return high


def elasticity(
    counts: Floats, hours: Floats, stratum: NDArray[np.int64], confidence: float
) -> tuple[float, float, float] | None:
    """Return the ratio of counts for 10 % more hours within strata, with its interval.

    Poisson regression on log hours with an effect a stratum, fitted given each stratum's total
    (Hausman, Hall & Griliches 1984, Econometrica 52), its variance robust to what days of a
    stratum share (Wooldridge 1999, Journal of Econometrics 90). All shape (n,); hours positive.
    None where no stratum with a fact has hours that vary.
    """
    strata, x = int(stratum.max(initial=-1)) + 1, np.log(hours)
    totals = np.bincount(stratum, counts, strata)
    beta, information = 0.0, 0.0
    score: Floats = np.zeros(strata)
    for _ in range(50):
        weight = np.exp(beta * x)
        weight = weight / np.bincount(stratum, weight, strata)[stratum]
        mean = np.bincount(stratum, weight * x, strata)
        spread = np.bincount(stratum, weight * (x - mean[stratum]) ** 2, strata)
        score = np.asarray(np.bincount(stratum, counts * (x - mean[stratum]), strata), np.float64)
        information = float((totals * spread).sum())
        if information <= 1e-9:
            return None
        step = float(np.clip(score.sum() / information, -1, 1))
        beta += step
        if abs(step) < 1e-10:
            break
    error = max(float((score**2).sum()) ** 0.5 / information, information**-0.5)
    reach = special.ndtri((1 + confidence) / 2) * error
    low, value, high = (round(float(STEP**b), DIGITS) for b in (beta - reach, beta, beta + reach))
    return value, low, high


def _effect(
    con: duckdb.DuckDBPyConnection, theme: str, rule: Patrols, span: tuple[Any, Any],
    confidence: float, origin: str = "agent",
) -> tuple[float, float, float] | None:  # fmt: skip
    """Return the ratio of an origin's records for 10 % more hours: same zone, slot and month."""
    told = ", ".join(
        f"{store.quote(getattr(rule, name))} AS {name}" for name in ("hours", "zone", "slot", "day")
    )
    rows = con.execute(
        f"WITH v AS (SELECT {told} FROM {store.quote(rule.source)}), "
        f"a AS (SELECT zone_{rule.division} AS zone, slot, working_day AS day, sum(n) AS n FROM "
        "cube WHERE theme = ? AND origin = ? AND time_precision != 'year' "
        "AND hour >= ? AND hour < ? GROUP BY ALL) "
        "SELECT coalesce(a.n, 0)::DOUBLE, v.hours::DOUBLE, dense_rank() OVER (ORDER BY "
        "v.zone, v.slot, date_trunc('month', v.day)) - 1 "
        "FROM v LEFT JOIN a ON (a.zone, a.slot, a.day) = (v.zone, v.slot, v.day) "
        "WHERE v.hours > 0 AND v.day >= ? AND v.day < ? ORDER BY v.zone, v.slot, v.day",
        [theme, origin, *span, *span],
    ).fetchnumpy()
    counts, hours, stratum = (np.asarray(column) for column in rows.values())
    return elasticity(counts, hours, stratum.astype(np.int64), confidence)


def measure(
    con: duckdb.DuckDBPyConnection, city: City, window_days: int, confidence: float,
    driven_share: float, minimum_count: int,
) -> pa.Table:  # fmt: skip
    """Return one row a theme (schema `THEMES`). Views `cube`, and that of the hours of patrol.

    `share` is that of agents among records of known origin; `effect` the ratio of agents' records
    for 10 % more hours. `driven`: the share is above `driven_share` with confidence, or agents
    start more than a tenth of the records and their number grows with their hours.
    """
    span = window(city.about.period.end, window_days)
    rule = city.about.patrols
    counts = _counts(con, span, None)
    rows = []
    for theme in city.themes:
        citizen, agent, unknown = counts.get((theme, ""), (0, 0, 0))
        row: dict[str, Any] = {
            "theme": theme, "n_citizen": citizen, "n_agent": agent, "n_unknown": unknown,
            "driven": False, "effect_reason": "", "status": "ok", "reason": "", "note": "",
        }  # fmt: skip
        rows.append(row)
        known = citizen + agent
        if known < minimum_count:
            reason = NO_ORIGIN if unknown >= minimum_count else THIN
            row |= {"status": "abstained", "reason": reason, "effect_reason": reason}
            row["note"] = f"part des agents inconnue : {reason}"
            continue
        found = share_interval(agent, known, confidence)
        row |= dict(zip(("share", "share_low", "share_high"), found, strict=True))
        effect = None
        if rule is None:
            row["effect_reason"] = NO_HOURS
        elif agent < minimum_count:
            row["effect_reason"] = THIN
        else:
            effect = _effect(con, theme, rule, span, confidence)
            row["effect_reason"] = "" if effect else "les heures ne varient pas"
        if effect:
            row |= dict(zip(("effect", "effect_low", "effect_high"), effect, strict=True))
        grows = effect is not None and effect[1] > 1 and found[1] > 0.1
        row["driven"] = bool(found[1] > driven_share or grows)
        row["note"] = _note(row)
    return pa.Table.from_pylist(rows, schema=THEMES)


def _note(row: dict[str, Any]) -> str:
    if not row["driven"]:
        return ""
    told = f"porté par l'activité des agents ({percent(row['share'])} des enregistrements"
    if row.get("effect") is not None:
        told += f" ; {change(row['effect'])} pour 10 % d'heures de plus"
    return told + ")"


def _counts(
    con: duckdb.DuckDBPyConnection, span: tuple[Any, Any], division: str | None
) -> dict[tuple[str, str], tuple[int, int, int]]:
    zone = f"zone_{division}" if division else "''"
    rows = con.execute(
        f"SELECT theme, {zone}, coalesce(sum(n) FILTER (origin = 'citizen'), 0)::BIGINT, "
        "coalesce(sum(n) FILTER (origin = 'agent'), 0)::BIGINT, "
        "coalesce(sum(n) FILTER (origin = 'unknown'), 0)::BIGINT FROM cube "
        f"WHERE time_precision != 'year' AND hour >= ? AND hour < ? AND {zone} IS NOT NULL "
        f"AND {zone} NOT IN ('outside', 'no_place') GROUP BY ALL",
        list(span),
    ).fetchall()
    return {(theme, code): (c, a, u) for theme, code, c, a, u in rows}


def by_zone(
    con: duckdb.DuckDBPyConnection, city: City, window_days: int, confidence: float,
    minimum_count: int,
) -> pa.Table:  # fmt: skip
    """Return one row a theme × zone (schema `ZONES`): counts, bounds of the level, ranks.

    Zones are those that hours of patrol are given for, else of the main division. A theme without
    habitants' records, or without a declared share, abstains and leaves one row. `naive_ratio`
    and `citizen_ratio` compare the zone to the mean zone, by all records and by habitants' alone.
    `rank_low` to `rank_high`: the ranks that the bounds leave. View `cube`.
    """
    told = city.about.patrols
    division = told.division if told else city.about.main_division
    counts = _counts(con, window(city.about.period.end, window_days), division)
    rows: list[dict[str, Any]] = []
    for name, theme in city.themes.items():
        zones = sorted(code for one, code in counts if one == name)
        values = np.array([counts[name, z] for z in zones], dtype=float).reshape(-1, 3)
        citizen, agent, unknown = values.T
        reason = NO_RANGE if theme.reporting is None else ""
        if citizen.sum() < minimum_count:
            reason = (NO_ORIGIN if unknown.sum() > agent.sum() else
                      NO_CITIZEN if agent.sum() else THIN)  # fmt: skip
        if reason or theme.reporting is None:
            rows.append({"theme": name, "division": division, "status": "abstained",
                         "reason": reason})  # fmt: skip
            continue
        reporting = (theme.reporting.low, theme.reporting.high)
        low, high = bounds(citizen, agent, unknown, reporting, confidence)
        total = citizen + agent + unknown
        best, worst = joint_ranks(low, high)
        for i, zone in enumerate(zones):
            rows.append(
                {
                    "theme": name, "division": division, "zone": zone,
                    "n_citizen": int(citizen[i]), "n_agent": int(agent[i]),
                    "n_unknown": int(unknown[i]), "low": low[i], "high": high[i],
                    "rank_all": 1 + int((total > total[i]).sum()),
                    "rank_citizen": 1 + int((citizen > citizen[i]).sum()),
                    "rank_low": int(best[i]), "rank_high": int(worst[i]),
                    "naive_ratio": round(float(total[i] / total.mean()), DIGITS),
                    "citizen_ratio": round(float(citizen[i] / citizen.mean()), DIGITS),
                    "status": "ok", "reason": "",
                }
            )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ZONES)


def in_words(themes: pa.Table, zones: pa.Table, city: City) -> str:
    """Return the answer as Markdown: what drives each theme, and within which bounds it lies."""
    levels: dict[str, list[dict[str, Any]]] = {}
    for row in zones.to_pylist():
        levels.setdefault(row["theme"], []).append(row)
    lines = []
    for row in themes.to_pylist():
        title, mine = city.themes[row["theme"]].title, levels[row["theme"]]
        if row["status"] != "ok":
            lines.append(f"- **{title}** : abstention ({row['reason']}).")
            continue
        told = row["note"] or f"agents : {percent(row['share'])} des enregistrements"
        if row["effect_reason"]:
            told += f" ; effet des heures non mesuré ({row['effect_reason']})"
        if mine[0]["status"] != "ok":
            lines.append(f"- **{title}** : {told}. Niveau : abstention ({mine[0]['reason']}).")
            continue
        top = min(mine, key=lambda r: (r["rank_citizen"], r["zone"]))
        lines.append(
            f"- **{title}** : {told}. {_named(city, top)}, la plus signalée : entre "
            f"{number(top['low'])} et {number(top['high'])} faits, pour "
            f"{number(top['n_citizen'] + top['n_agent'] + top['n_unknown'])} enregistrés, rang "
            f"{top['rank_low']} à {top['rank_high']} sur {len(mine)}."
        )
    return "\n".join(lines) or "Aucun thème à étudier."


def _named(city: City, row: dict[str, Any]) -> str:
    division = city.about.divisions[row["division"]]
    return division.zones.get(row["zone"], f"zone {row['zone']}")
