"""What the year does to rhythms: kinds of day, seasons, nights when the clock changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import altair as alt
import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special, stats

from helpers.core.base import store
from helpers.core.base.french import MONTHS, change, number, plural, spoken
from helpers.core.city.city import City
from helpers.core.place_time.calendar import (
    EVENT,
    WORKING,
    hour_of_week,
    lived_hours,
    odd_hours,
    window,
)
from helpers.core.stage import figure, palette
from helpers.core.stage.run import Run
from helpers.core.stats.intervals import DIGITS, poisson_interval, rate_ratio
from helpers.rhythms.week import heard_days

Floats = NDArray[np.float64]
LEAST_DAYS = 14  # heard of a month, for its year to be whole
LEAST_YEARS = 2  # with one year, a season cannot be told from what happened that year
KINDS = pa.schema(
    [
        ("theme", pa.string()), ("kind", pa.string()), ("days", pa.int64()), ("n", pa.int64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
SEASONS = pa.schema(
    [
        ("theme", pa.string()), ("month", pa.int64()), ("n", pa.int64()), ("days", pa.int64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("years", pa.int64()), ("p", pa.float64()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip
CLOCK = pa.schema(
    [
        ("theme", pa.string()), ("hour", pa.timestamp("us")), ("lived_h", pa.float64()),
        ("n", pa.int64()), ("rate", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("usual", pa.float64()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def event_days(run: Run) -> set[dt.date]:
    """Return the days of the city's events, from the context source that names them, if any."""
    events = run.city.about.holidays.events
    if events is None:
        return set()
    path = run.read(f"accepted/{events.source}.parquet")
    rows = run.con.execute(f"SELECT {store.quote(events.day)} FROM read_parquet(?)", [str(path)])
    return {row[0] for row in rows.fetchall()}


def by_kind(
    con: duckdb.DuckDBPyConnection,
    city: City,
    kinds: dict[dt.date, str],
    confidence: float,
    minimum_count: int,
) -> pa.Table:
    """Return theme, kind, days, n, ratio, low, high, status, reason: each kind of day compared.

    The ratio is that of a day's mean count to a working day's, over the whole period; days of
    weeks in which the source was silent are left out. Views `cube` and `weeks`.
    """
    rows = []
    for theme, about in city.themes.items():
        counts = daily(con, theme, about.source, kinds)
        ordinary = counts.pop(WORKING, [])
        for kind, numbers in sorted(counts.items()):
            row = {"theme": theme, "kind": kind, "days": len(numbers), "n": sum(numbers)}
            enough = min(sum(numbers), sum(ordinary)) >= minimum_count and len(numbers) >= 5
            if enough:
                ratio, low, high = rate_ratio(numbers, ordinary, confidence)
                row |= {"ratio": ratio, "low": low, "high": high, "status": "ok", "reason": ""}
            else:
                row |= {"status": "abstained", "reason": "trop peu de jours ou de faits"}
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=KINDS)


def daily(
    con: duckdb.DuckDBPyConnection, theme: str, source: str, kinds: Mapping[dt.date, str]
) -> dict[str, list[int]]:
    """Return kind → counts of its days, without those of silent weeks. Views `cube`, `weeks`."""
    rows = con.execute(
        "SELECT CAST(hour AS DATE), CAST(sum(n) AS BIGINT) FROM cube "
        "WHERE theme = ? AND time_precision != 'year' GROUP BY 1",
        [theme],
    ).fetchall()
    found = dict(rows)
    counts: dict[str, list[int]] = {}
    if not found:
        return counts
    for day in heard_days(con, source, min(kinds), max(kinds) + dt.timedelta(days=1)):
        if day in kinds:
            counts.setdefault(kinds[day], []).append(found.get(day, 0))
    return counts


def draw_kinds(table: pa.Table, city: City) -> Any:
    """Return the ratios with their intervals, one panel a kind of day; 1 is a working day."""
    events = city.about.holidays.events
    names = {EVENT: events.title} if events else {}
    rows = [
        {**r, "theme": city.themes[r["theme"]].title, "kind": names.get(r["kind"], r["kind"])}
        for r in table.to_pylist()
        if r["status"] == "ok"
    ]
    base = alt.Chart().encode(y=alt.Y("theme:N", title=None, axis=alt.Axis(labelLimit=320)))
    x = figure.ratios(rows, "1 = jour ouvré")
    bars = base.mark_rule(strokeWidth=2, color=palette.BLUE).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=60, color=palette.BLUE, opacity=1).encode(
        x="ratio:Q"
    )
    one = alt.Chart().mark_rule(color=palette.EDGE).encode(x=alt.datum(1))
    layers = alt.layer(one, bars, points, data=figure.data(rows))
    return layers.properties(width=200, height=alt.Step(22)).facet(
        column=alt.Column("kind:N", title=None)
    )


def kinds_in_words(table: pa.Table, city: City) -> str:
    """Return one Markdown line a kind of day: the themes that clearly rise or fall."""
    events = city.about.holidays.events
    rows = [r for r in table.to_pylist() if r["status"] == "ok"]
    lines = []
    for kind in sorted({r["kind"] for r in rows}):
        told = [
            f"{city.themes[r['theme']].title} {change(r['ratio'])}"
            for r in rows
            if r["kind"] == kind and (r["low"] > 1 or r["high"] < 1)
        ]
        name = events.title if events and kind == EVENT else kind
        text = ", ".join(told) or "aucun écart établi avec un jour ouvré"
        lines.append(f"- **{name[0].upper()}{name[1:]}** : {text}.")
    return "\n".join(lines)


def seasons(
    con: duckdb.DuckDBPyConnection, city: City, confidence: float, minimum_count: int
) -> pa.Table:
    """Return SEASONS: each month's daily count against the mean day of the year, over whole years.

    `p` is the chance of such a season, or a stronger one, were there none; the themes are judged
    together (Benjamini & Hochberg 1995). Views `cube` and `weeks`.
    """
    period = city.about.period
    count = (period.end - period.start).days + 1
    all_days = (period.start + dt.timedelta(days=i) for i in range(count))
    months = {day: day.isoformat()[:7] for day in all_days}
    rows: list[dict[str, Any]] = []
    for theme, about in city.themes.items():
        counts = daily(con, theme, about.source, months)
        rows += _season(theme, counts, confidence, minimum_count)
    told = sorted({(r["theme"], r["p"]) for r in rows if r["status"] == "ok"})
    if told:
        judged = stats.false_discovery_control([p for _, p in told])
        held = {theme: round(float(p), DIGITS) for (theme, _), p in zip(told, judged, strict=True)}
        rows = [{**r, "p": held.get(r["theme"])} for r in rows]
    return pa.Table.from_pylist(rows, schema=SEASONS)


def _season(
    theme: str, counts: Mapping[str, list[int]], confidence: float, minimum_count: int
) -> list[dict[str, Any]]:
    years = sorted({key[:4] for key in counts})
    months = [[counts.get(f"{y}-{m:02}", []) for m in range(1, 13)] for y in years]
    heard = [row for row in months if all(len(days) >= LEAST_DAYS for days in row)]
    whole = [row for row in heard if sum(sum(days) for days in row) > 0]
    n = np.array([[sum(days) for days in row] for row in whole])
    days = np.array([[len(days) for days in row] for row in whole])
    reason = (
        "aucun fait daté au jour près" if not counts
        else f"moins de {LEAST_YEARS} années entières" if len(whole) < LEAST_YEARS
        else f"moins de {minimum_count} faits datés" if n.sum() < minimum_count
        else "un mois de l'année n'a aucun fait" if (n.sum(axis=0) <= 0).any()
        else ""
    )  # fmt: skip
    if reason:
        return [{"theme": theme, "n": int(n.sum()) if whole else None, "years": len(whole),
                 "status": "abstained",
                 "reason": reason}]  # fmt: skip
    ratio, low, high, p = month_ratios(n, days, confidence)
    return [
        {
            "theme": theme, "month": i + 1, "n": int(n[:, i].sum()),
            "days": int(days[:, i].sum()), "ratio": float(ratio[i]), "low": float(low[i]),
            "high": float(high[i]), "years": len(whole), "p": p, "status": "ok", "reason": "",
        }
        for i in range(12)
    ]  # fmt: skip


def month_ratios(
    n: NDArray[np.int64], days: NDArray[np.int64], confidence: float
) -> tuple[Floats, Floats, Floats, float]:
    """Return each month's daily rate over the mean of the twelve, low, high (12,), and a p-value.

    `n` and `days` are of shape (years, 12), years ≥ 2. Log-linear Poisson model with one level a
    year and one a month; its dispersion is Pearson's over 11 (years − 1) degrees of freedom, at
    least 1. Student's interval, by the delta method on the log; F test of the months (McCullagh &
    Nelder 1989, §6.2).
    """
    years, freedom = len(n), 11 * (len(n) - 1)
    mean = _two_way(n.astype(float), days.astype(float))
    scale = max(1.0, float(((n - mean) ** 2 / mean).sum() / freedom))
    # Information on the years' levels, then on the months'; one of them is fixed (January's).
    information = np.block([[np.diag(mean.sum(axis=1)), mean], [mean.T, np.diag(mean.sum(axis=0))]])
    free = np.delete(np.arange(years + 12), years)
    covariance = np.zeros((years + 12, years + 12))
    covariance[np.ix_(free, free)] = np.linalg.inv(information[np.ix_(free, free)]) * scale
    level = mean[0] / days[0]
    share = level / level.sum()
    contrast = np.eye(12) - share
    error = np.sqrt(np.diag(contrast @ covariance[years:, years:] @ contrast.T))
    reach = special.stdtrit(freedom, (1 + confidence) / 2) * error
    ratio = share * 12
    flat = days * (n.sum(axis=1) / days.sum(axis=1))[:, None]
    gain = 2 * (special.xlogy(n, mean) - special.xlogy(n, flat)).sum() / 11 / scale
    p = round(float(special.fdtrc(11, freedom, max(0.0, gain))), DIGITS)
    values = (ratio, ratio * np.exp(-reach), ratio * np.exp(reach))
    value, low, high = (np.round(v, DIGITS) for v in values)
    return value, low, high, p


def _two_way(n: Floats, days: Floats) -> Floats:
    """Return the means days × year × month that keep the totals of `n` (Deming & Stephan 1940)."""
    month = np.ones(n.shape[1])
    for _ in range(500):
        year = n.sum(axis=1) / (days * month).sum(axis=1)
        before, month = month, n.sum(axis=0) / (days * year[:, None]).sum(axis=0)
        if np.abs(month / before - 1).max() < 1e-12:
            break
    return np.asarray(days * year[:, None] * month)


def clock_changes(
    con: duckdb.DuckDBPyConnection, city: City, window_days: int, confidence: float
) -> pa.Table:
    """Return CLOCK: the hours of the last `window_days` days that were lived twice, or not at all.

    Only facts known to the hour count, here and in `usual`, the rate of the same hour of the other
    weeks. The intervals hold together for all themes (Bonferroni). Views `cube` and `weeks`.
    """
    first, after = window(city.about.period.end, window_days)
    sure = 1 - (1 - confidence) / max(len(city.themes), 1)
    rows = []
    for theme, about in city.themes.items():
        heard = heard_days(con, about.source, first, after)
        lived = lived_hours(city.about.timezone, heard)
        for hour, length in odd_hours(city.about.timezone, heard).items():
            row: dict[str, Any] = {"theme": theme, "hour": hour, "lived_h": length}
            n, others = _known_at(con, theme, hour, (first, after))
            weeks = lived[hour.weekday() * 24 + hour.hour] - length
            reason = (
                "cette heure n'existe pas ce jour-là" if not length
                else "aucun fait à cette heure les autres semaines" if not others or weeks <= 0
                else ""
            )  # fmt: skip
            if reason:
                rows.append({**row, "status": "abstained", "reason": reason})
                continue
            low, high = poisson_interval(n, sure)
            rates = (round(float(v) / length, DIGITS) for v in (n, low, high))
            row |= dict(zip(("rate", "low", "high"), rates, strict=True))
            row |= {"n": n, "usual": round(others / weeks, DIGITS), "status": "ok", "reason": ""}
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=CLOCK)


def _known_at(
    con: duckdb.DuckDBPyConnection, theme: str, hour: dt.datetime, span: tuple[dt.date, dt.date]
) -> tuple[int, int]:
    """Return the facts known to the hour: in this one, and in the same of other weeks of a span."""
    row = con.execute(
        "SELECT sum(n) FILTER (hour = $at), sum(n) FILTER (hour != $at) FROM cube "
        "WHERE theme = $theme AND hour = hour_end AND time_precision IN ('minute', 'hour') "
        "AND hour >= $first AND hour < $after "
        f"AND {hour_of_week('hour')} = {hour_of_week('CAST($at AS TIMESTAMP)')}",
        {"theme": theme, "at": hour, "first": span[0], "after": span[1]},
    ).fetchone()
    n, others = row or (0, 0)
    return int(n or 0), int(others or 0)


def draw_seasons(table: pa.Table, city: City, columns: int = 3) -> Any:
    """Return the months' ratios with their intervals, one panel a theme; 1 is the mean day."""
    rows = [r for r in table.to_pylist() if r["status"] == "ok"]
    if not rows:
        return figure.nothing()
    ends = [min([0.8, *(r["low"] for r in rows)]), max([1.25, *(r["high"] for r in rows)])]
    y = alt.Y("low:Q", title=None, scale=alt.Scale(domain=ends, zero=False, nice=True))
    axis = alt.Axis(labelAngle=0, labelExpr="upper(slice(datum.label, 0, 1))")
    x = alt.X("mois:N", title=None, sort=list(MONTHS), axis=axis)
    charts = []
    for name, theme in city.themes.items():
        mine = [{**r, "mois": MONTHS[r["month"] - 1]} for r in rows if r["theme"] == name]
        if not mine:
            continue
        one = alt.Chart().mark_rule(color=palette.EDGE).encode(y=alt.datum(1))
        base = alt.Chart().encode(x=x)
        spans = base.mark_bar(size=5, color=palette.BLUE, opacity=0.45).encode(y=y, y2="high:Q")
        points = base.mark_tick(size=11, thickness=2, color=palette.BLUE).encode(y="ratio:Q")
        title = alt.TitleParams(theme.title, fontSize=12, fontWeight="normal")
        layers = alt.layer(one, spans, points, data=figure.data(mine))
        charts.append(layers.properties(width=220, height=110, title=title))
    return alt.concat(*charts, columns=columns, spacing=18)


def seasons_in_words(table: pa.Table, city: City, confidence: float) -> str:
    """Return one Markdown line a theme: its strongest and weakest month, if it has a season."""
    lines = []
    for name, theme in city.themes.items():
        mine = [r for r in table.to_pylist() if r["theme"] == name]
        if mine[0]["status"] != "ok":
            lines.append(f"- **{theme.title}** : abstention ({mine[0]['reason']}).")
        elif mine[0]["p"] > 1 - confidence:
            lines.append(f"- **{theme.title}** : pas de saison établie.")
        else:
            top, least = (pick(mine, key=lambda r: r["ratio"]) for pick in (max, min))
            lines.append(f"- **{theme.title}** : {_month(top)} ; {_month(least)}.")
    return "\n".join(lines)


def _month(row: dict[str, Any]) -> str:
    span = f"{change(row['low'])} à {change(row['high'])}"
    return f"{MONTHS[row['month'] - 1]} {change(row['ratio'])} ({span})"


def clock_in_words(table: pa.Table, city: City) -> str:
    """Return one Markdown line a change of clock: which hour, and the themes out of the usual."""
    rows = table.to_pylist()
    lines = []
    for hour, length in sorted({(r["hour"], r["lived_h"]) for r in rows}):
        head = f"- **{spoken(hour.date())}** : "
        if not length:
            lines.append(f"{head}{hour.hour} h n'existe pas ; cette heure est vide, et non nulle.")
            continue
        mine = [r for r in rows if r["hour"] == hour and r["status"] == "ok"]
        told = [
            f"{city.themes[r['theme']].title} {number(r['rate'], 1)} par heure vécue "
            f"({number(r['low'], 1)} à {number(r['high'], 1)} ; d'habitude {number(r['usual'], 1)})"
            for r in mine
            if not r["low"] <= r["usual"] <= r["high"]
        ]
        text = ", ".join(told) or f"aucun écart établi ({plural(len(mine), 'thème')})"
        lines.append(f"{head}{hour.hour} h dure {number(length, 0)} heures ; {text}.")
    return "\n".join(lines) or "L'heure n'a pas changé pendant ces jours-là."
