"""Level and trend of each theme in each zone: the last weeks against those before."""

from __future__ import annotations

import datetime as dt
from typing import Any

import altair as alt
import duckdb
import pyarrow as pa

from helpers import figure, store
from helpers.calendar import full_weeks
from helpers.city import City
from helpers.estimate import poisson_interval, rate_ratio
from helpers.words import change, plural

CITY_ZONE = "ville"
LABELS = {"up": "en hausse", "down": "en baisse", "stable": "pas de changement établi",
          "abstained": "abstention"}  # fmt: skip
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("step", pa.string()), ("recent", pa.int64()), ("before", pa.int64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("label", pa.string()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def counted_weeks(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, division: str | None = None
) -> dict[str, list[tuple[dt.date, int | None]]]:
    """Return zone → (Monday, count) of each full week; None where the source was silent.

    `ville` is the whole city, placed or not; then the zones of `division`, if given, that have
    at least one fact. Views `cube` and `weeks`.
    """
    zone = store.quote(f"zone_{division}") if division else "NULL"
    rows = con.execute(
        f"SELECT {zone}, CAST(date_trunc('week', hour) AS DATE), sum(n) FROM cube "
        "WHERE theme = ? AND time_precision != 'year' GROUP BY ALL",
        [theme],
    ).fetchall()
    counts: dict[str, dict[dt.date, int]] = {CITY_ZONE: {}}
    for place, week, n in rows:
        for key in {CITY_ZONE, place or CITY_ZONE}:
            found = counts.setdefault(key, {})
            found[week] = found.get(week, 0) + int(n)
    silent = _silent_weeks(con, city.themes[theme].source)
    mondays = full_weeks(city.about.period.start, city.about.period.end)
    return {
        place: [(m, None if m in silent else found.get(m, 0)) for m in mondays]
        for place, found in counts.items()
    }


def _silent_weeks(con: duckdb.DuckDBPyConnection, source: str) -> set[dt.date]:
    rows = con.execute("SELECT week FROM weeks WHERE source = ? AND status = 'missing'", [source])
    return {row[0] for row in rows.fetchall()}


def compare(
    counts: list[int | None], window: int, confidence: float, minimum_count: int
) -> dict[str, Any]:
    """Return how the last `window` steps compare with the `window` before, as a row of SCHEMA.

    Steps where the source was silent (None) count neither as zero nor at all; with more than
    half of a span missing, or too few facts, the answer is an abstention and its reason.
    """
    recent, before = counts[-window:], counts[-2 * window : -window]
    a = [n for n in recent if n is not None]
    b = [n for n in before if n is not None]
    row: dict[str, Any] = {"recent": sum(a), "before": sum(b), "ratio": None, "low": None,
                           "high": None, "label": "abstained", "status": "abstained"}  # fmt: skip
    if len(before) < window:
        return {**row, "reason": "pas assez de passé pour comparer"}
    if min(len(a), len(b)) < window / 2:
        return {**row, "reason": "source muette plus de la moitié du temps"}
    if min(row["recent"], row["before"]) < minimum_count:
        return {**row, "reason": f"moins de {minimum_count} faits"}
    ratio, low, high = rate_ratio(a, b, confidence)
    label = "up" if low > 1 else "down" if high < 1 else "stable"
    found = {"ratio": ratio, "low": low, "high": high, "label": label}
    return {**row, **found, "status": "ok", "reason": ""}


def _zones(con: duckdb.DuckDBPyConnection, division: str) -> list[str]:
    rows = con.execute("SELECT code FROM zones WHERE division = ? ORDER BY 1", [division])
    return [row[0] for row in rows.fetchall()]


def weekly(con: duckdb.DuckDBPyConnection, city: City, confidence: float) -> pa.Table:
    """Return theme, week, n, low, high, status for the whole city, in weeks.

    The interval is that of a Poisson mean; it is empty where the source was silent.
    """
    parts = []
    for theme in city.themes:
        if not _has_weeks(con, theme):
            continue
        series = counted_weeks(con, city, theme)[CITY_ZONE]
        low, high = poisson_interval([n or 0 for _, n in series], confidence)
        parts += [
            (theme, week, n, None if n is None else lo, None if n is None else hi,
             "missing" if n is None else "ok")
            for (week, n), lo, hi in zip(series, low, high, strict=True)
        ]  # fmt: skip
    names = ("theme", "week", "n", "low", "high", "status")
    types = (pa.string(), pa.date32(), pa.int64(), pa.float64(), pa.float64(), pa.string())
    return pa.table({n: pa.array([p[i] for p in parts], types[i]) for i, n in enumerate(names)})


def _has_weeks(con: duckdb.DuckDBPyConnection, theme: str) -> bool:
    found = con.execute(
        "SELECT count(*) FROM cube WHERE theme = ? AND time_precision != 'year'", [theme]
    ).fetchall()
    return bool(found[0][0])


def levels(
    con: duckdb.DuckDBPyConnection,
    city: City,
    window_weeks: int,
    confidence: float,
    minimum_count: int,
) -> pa.Table:
    """Return the comparison of each theme in the city and in each zone; columns of SCHEMA.

    Themes known by the year alone compare the last year with the one before. Views `cube`,
    `weeks` and `zones`.
    """
    rows = []
    for name, theme in city.themes.items():
        division = theme.division or city.about.main_division
        if _has_weeks(con, name):
            step, window = "semaine", window_weeks
            weeks = counted_weeks(con, city, name, division)
            series = {place: [n for _, n in found] for place, found in weeks.items()}
            none = [None if n is None else 0 for n in series[CITY_ZONE]]
        else:
            step, window, none = "an", 1, []
            series = _years(con, name, division)
        for place in (CITY_ZONE, *_zones(con, division)):
            found = compare(series.get(place, none), window, confidence, minimum_count)
            rows.append({"theme": name, "division": division, "zone": place, "step": step, **found})
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _years(
    con: duckdb.DuckDBPyConnection, theme: str, division: str
) -> dict[str, list[int | None]]:
    """Return zone → count of each year from the first to the last; `ville` sums the zones."""
    column = store.quote(f"zone_{division}")
    rows = con.execute(
        f"SELECT {column}, year(hour), sum(n) FROM cube "
        f"WHERE theme = ? AND {column} NOT IN ('outside', 'no_place') GROUP BY ALL",
        [theme],
    ).fetchall()
    counts: dict[str, dict[int, int]] = {}
    for place, year, n in rows:
        for key in (CITY_ZONE, place):
            found = counts.setdefault(key, {})
            found[year] = found.get(year, 0) + int(n)
    span = range(min(y for _, y, _ in rows), max(y for _, y, _ in rows) + 1) if rows else range(0)
    return {place: [found.get(y) for y in span] for place, found in counts.items()}


def _band_and_line(base: Any) -> tuple[Any, Any]:
    timed = base.encode(x=figure.days("week"))
    band = timed.mark_area(opacity=0.25, color=figure.BLUE).encode(
        y=alt.Y("low:Q", title="par semaine"), y2="high:Q"
    )
    line = timed.mark_line(
        color=figure.BLUE, strokeWidth=1.5, invalid="break-paths-show-domains"
    ).encode(y="n:Q")
    return band, line


def draw_weekly(table: pa.Table, city: City) -> Any:
    """Return the weekly counts with their intervals, one panel a theme."""
    rows = [
        {**row, "theme": city.themes[row["theme"]].title, "week": row["week"].isoformat()}
        for row in table.to_pylist()
    ]
    layered = alt.layer(*_band_and_line(alt.Chart()), data=figure.data(rows))
    return (
        layered.properties(width=280, height=110)
        .facet(facet=alt.Facet("theme:N", title=None), columns=2)
        .resolve_scale(y="independent")
    )


def draw_one(
    rows: list[dict[str, Any]], span: tuple[str, str], width: int, height: int
) -> alt.LayerChart:
    """Return one series (week, n, low, high) with the days of `span` shaded."""
    shade = (
        alt.Chart(figure.data([{"from": span[0], "to": span[1]}]))
        .mark_rect(color=figure.GREY, opacity=0.25)
        .encode(x=figure.days("from"), x2="to:T")
    )
    layers = alt.layer(shade, *_band_and_line(alt.Chart(figure.data(rows))))
    return layers.properties(width=width, height=height)


def draw_levels(table: pa.Table, city: City) -> Any:
    """Return the ratio of each theme with its interval, on a log scale; 1 is "no change"."""
    rows = [
        {**row, "theme": city.themes[row["theme"]].title, "sens": LABELS[row["label"]]}
        for row in table.to_pylist()
        if row["zone"] == CITY_ZONE
    ]
    colours = alt.Scale(
        domain=list(LABELS.values()),
        range=[figure.ORANGE, figure.GREEN, figure.BLUE, figure.GREY],
    )
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("theme:N", title=None, axis=alt.Axis(labelLimit=360)),
        color=alt.Color("sens:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
    )
    known = [row for row in rows if row["status"] == "ok"]
    x = figure.ratios(known, "rapport à la période précédente (1 = inchangé)")
    bars = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=70).encode(x=alt.X("ratio:Q"))
    reasons = base.mark_text(align="left", fontSize=11, x=6).encode(text="reason:N")
    one = alt.Chart(figure.data([{"un": 1}])).mark_rule(color=figure.EDGE)
    layers = alt.layer(one.encode(x="un:Q"), bars, points, reasons)
    return layers.properties(width=420, height=alt.Step(28))


def in_words(table: pa.Table, city: City) -> str:
    """Return the answer as Markdown: one line a theme, for the whole city."""
    lines = []
    for row in table.to_pylist():
        if row["zone"] != CITY_ZONE:
            continue
        title = city.themes[row["theme"]].title
        if row["status"] != "ok":
            lines.append(f"- **{title}** : abstention ({row['reason']}).")
            continue
        span = f"de {change(row['low'])} à {change(row['high'])}"
        lines.append(
            f"- **{title}** : {LABELS[row['label']]}, {change(row['ratio'])} ({span}) ; "
            f"{plural(row['recent'], 'fait')}."
        )
    return "\n".join(lines)
