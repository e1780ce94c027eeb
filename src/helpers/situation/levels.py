"""What is going on: each zone's last day, week, month against what was to be expected."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import altair as alt
import duckdb
import pyarrow as pa

from helpers.core.base import store
from helpers.core.base.french import number, plural, spoken
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time import places
from helpers.core.place_time.calendar import window
from helpers.core.stage import figure, palette
from helpers.core.stage import maps as stage_maps
from helpers.core.stats.intervals import predictive_interval

WORDS = {
    "above": "plus que d'habitude",
    "usual": "comme d'habitude",
    "below": "moins que d'habitude",
    "abstained": "abstention",
}
COLOURS = {
    "above": palette.ORANGE,
    "usual": "#C9D6E3",
    "below": palette.BLUE,
    "abstained": "#FFFFFF",
}
PERIODS = {1: "hier", 7: "7 derniers jours", 28: "28 derniers jours", 365: "12 derniers mois"}
# Share of a window's days that may be missing: a year is not mute for a fortnight, a week is for
# a day. The count of such a window is low by as much at most.
TOLERATED = 0.05
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("period_days", pa.int64()), ("division", pa.string()),
        ("zone", pa.string()), ("n", pa.int64()), ("expected", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("references", pa.int64()),
        ("level", pa.string()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Knobs:
    """How far back "usual" looks, and how sure to be."""

    reference_periods: int
    minimum_references: int
    confidence: float


def period_title(days: int) -> str:
    """Return how a period that ends today is called."""
    return PERIODS.get(days, f"{days} derniers jours")


YEAR = dt.timedelta(days=364)  # the whole weeks nearest to a year


def reference_windows(
    end: dt.date, days: int, count: int, earliest: dt.date
) -> list[tuple[dt.date, dt.date]]:
    """Return up to `count` comparable past windows (first day, day after), the latest first.

    Those of the same season in past years, and their neighbours on both sides; where the past is
    too short for two of them, the windows just before. All are whole weeks away: a Tuesday is
    compared with Tuesdays. A window longer than 52 weeks would overlap that of a year before: its
    years lie as many whole weeks apart as it takes, 53 for 365 days, so that no past year is
    skipped; each such window holds every season, wherever it starts.
    """
    step = dt.timedelta(weeks=-(-days // 7))
    apart_by = max(YEAR, step)
    first, after = window(end, days)
    years = range(1, (first - earliest).days // apart_by.days + 1)
    season = [apart_by * year + step * side for year in years for side in (0, -1, 1)]
    before = [step * i for i in range(1, count + 1)]
    found: list[tuple[dt.date, dt.date]] = []
    for shifts in (season, before):
        found = []
        for start, end_of in ((first - shift, after - shift) for shift in shifts):
            apart = all(end_of <= a or start >= b for a, b in [(first, after), *found])
            if apart and start >= earliest and end_of <= first:
                found.append((start, end_of))
        if len(found) >= 2:
            break
    return sorted(found[:count], reverse=True)


def heard(
    con: duckdb.DuckDBPyConnection, source: str, windows: list[tuple[dt.date, dt.date]]
) -> list[tuple[dt.date, dt.date]]:
    """Return the windows whose days nearly all came (`TOLERATED`). View `days`."""
    rows = con.execute(
        "SELECT day FROM days WHERE source = ? AND division = ? AND status = 'missing'",
        [source, WHOLE],
    )
    silent = [row[0] for row in rows.fetchall()]
    return [
        (a, b)
        for a, b in windows
        if sum(a <= day < b for day in silent) <= TOLERATED * (b - a).days
    ]


def judge(n: int, references: list[int], knobs: Knobs) -> dict[str, Any]:
    """Return expected, low, high, level, status, reason for a count beside its references."""
    if len(references) < knobs.minimum_references:
        return {
            "expected": None, "low": None, "high": None, "level": "abstained",
            "status": "abstained", "reason": "pas assez de périodes passées comparables",
        }  # fmt: skip
    expected, low, high = predictive_interval(references, knobs.confidence)
    level = "above" if n > high else "below" if n < low else "usual"
    return {
        "expected": expected, "low": low, "high": high, "level": level, "status": "ok",
        "reason": "",
    }  # fmt: skip


def counts_by_zone(
    con: duckdb.DuckDBPyConnection,
    theme: str,
    division: str,
    windows: list[tuple[dt.date, dt.date]],
) -> dict[str, list[int]]:
    """Return zone → its count in each window (`outside` and `no_place` too). View `cube`."""
    sums = ", ".join(
        f"coalesce(sum(n) FILTER (hour >= DATE '{a}' AND hour < DATE '{b}'), 0)" for a, b in windows
    )
    rows = con.execute(
        f"SELECT {store.quote(f'zone_{division}')}, {sums} FROM cube "
        "WHERE theme = ? AND time_precision != 'year' GROUP BY 1 ORDER BY 1",
        [theme],
    ).fetchall()
    return {row[0]: [int(n) for n in row[1:]] for row in rows}


def assess(
    con: duckdb.DuckDBPyConnection,
    city: City,
    theme: str,
    division: str,
    days: int,
    knobs: Knobs,
) -> list[dict[str, Any]]:
    """Return a row of SCHEMA for the city and each zone. Views `cube`, `days`, `zones`."""
    period = city.about.period
    source = city.themes[theme].source
    current = window(period.end, days)
    past = reference_windows(period.end, days, knobs.reference_periods, period.start)
    past = heard(con, source, past)
    counts = counts_by_zone(con, theme, division, [current, *past])
    total = [sum(column) for column in zip(*counts.values(), strict=True)] or [0] * (1 + len(past))
    listed = con.execute("SELECT code FROM zones WHERE division = ? ORDER BY 1", [division])
    zones = [row[0] for row in listed.fetchall()]
    silent_now = not heard(con, source, [current])
    rows = []
    for zone in ("ville", *zones):
        n, *references = total if zone == "ville" else counts.get(zone, [0] * (1 + len(past)))
        found = judge(n, references, knobs)
        if silent_now:
            found |= {"level": "abstained", "status": "missing", "reason": "source muette"}
        rows.append(
            {
                "theme": theme, "period_days": days, "division": division, "zone": zone,
                "n": None if silent_now else n, "references": len(references), **found,
            }
        )  # fmt: skip
    return rows


def dated_themes(con: duckdb.DuckDBPyConnection, city: City) -> list[str]:
    """Return the themes, in the city's order, with a dated fact, in any division. View `cube`.

    A count of the last week means nothing for a theme whose facts are known by the year alone.
    """
    told = con.execute("SELECT DISTINCT theme FROM cube WHERE time_precision != 'year'").fetchall()
    dated = {row[0] for row in told}
    return [name for name, theme in city.themes.items() if theme.division is None and name in dated]


def divisions(city: City) -> list[str]:
    """Return the divisions that are drawn; the main one alone where none is."""
    drawn = [n for n, d in city.about.divisions.items() if d.source or d.grouping_of]
    return drawn or [city.about.main_division]


def find(
    con: duckdb.DuckDBPyConnection, city: City, periods_days: list[int], knobs: Knobs
) -> pa.Table:
    """Return the assessment of each dated theme, period and division; columns of SCHEMA.

    Divisions are those of `divisions`. Views `cube`, `days`, `zones`.
    """
    rows = [
        row
        for theme in dated_themes(con, city)
        for days in periods_days
        for division in divisions(city)
        for row in assess(con, city, theme, division, days, knobs)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def level_map(
    features: list[dict[str, Any]], rows: list[dict[str, Any]], width: int, height: int
) -> alt.Chart:
    """Return the zones coloured by level; the tooltip gives count and usual range."""
    told = [
        {
            "zone": row["zone"],
            "niveau": WORDS[row["level"]],
            "faits": "manquant" if row["n"] is None else number(row["n"]),
            "habitude": f"{number(row['low'])} à {number(row['high'])}"
            if row["status"] == "ok"
            else f"abstention : {row['reason']}",
        }
        for row in rows
    ]
    colour = alt.Color(
        "niveau:N",
        title=None,
        scale=alt.Scale(domain=list(WORDS.values()), range=list(COLOURS.values())),
        legend=alt.Legend(orient="top", columns=2, symbolStrokeColor=palette.EDGE),
    )
    tips = [
        alt.Tooltip("properties.nom:N", title="zone"),
        alt.Tooltip("niveau:N", title="niveau"),
        alt.Tooltip("faits:N", title="faits"),
        alt.Tooltip("habitude:N", title="d'habitude"),
    ]
    return (
        alt.Chart(figure.data(features))
        .mark_geoshape(stroke="#7B8794", strokeWidth=0.5)
        .encode(color=colour, tooltip=tips)
        .transform_lookup(
            lookup="properties.code",
            from_=alt.LookupData(figure.data(told), "zone", ["niveau", "faits", "habitude"]),
        )
        .project(type="mercator")
        .properties(width=width, height=height)
    )


def draw(con: duckdb.DuckDBPyConnection, table: pa.Table, city: City, days: int) -> Any:
    """Return a map of levels a theme over the main division, for one period. View `zones`."""
    division = city.about.main_division
    ground = stage_maps.zone_features(con, division)
    rows = table.to_pylist() if ground else []
    maps = []
    for name, theme in city.themes.items():
        mine = [
            r for r in rows
            if (r["theme"], r["period_days"], r["division"]) == (name, days, division)
        ]  # fmt: skip
        if mine:
            title = alt.TitleParams(theme.title, fontSize=12, fontWeight="normal", offset=2)
            maps.append(level_map(ground, mine, 240, 220).properties(title=title))
    return alt.concat(*maps, columns=3, spacing=8) if maps else figure.nothing()


def in_words(rows: list[dict[str, Any]], city: City, days: int, names: dict[str, str]) -> str:
    """Return one Markdown line a theme: the city as a whole, then the zones that stand out."""
    first, after = window(city.about.period.end, days)
    last = after - dt.timedelta(days=1)
    when = spoken(last) if days == 1 else f"du {spoken(first)} au {spoken(last)}"
    lines = [f"**{period_title(days).capitalize()}** ({when}) :", ""]
    for name, theme in city.themes.items():
        mine = [r for r in rows if r["theme"] == name and r["period_days"] == days]
        if mine:
            lines.append(f"- **{theme.title}** : {sentence(mine, names)}")
    return "\n".join(lines)


def told_alone(row: dict[str, Any]) -> str:
    """Return the words for one row of SCHEMA: count, level, usual range; or why it abstains."""
    if row["status"] != "ok":
        return f"{WORDS['abstained']} ({row['reason']})"
    usual = f"entre {number(row['low'])} et {number(row['high'])} d'habitude"
    return f"{plural(row['n'], 'fait')}, {WORDS[row['level']]} ({usual})"


def sentence(rows: list[dict[str, Any]], names: dict[str, str]) -> str:
    """Return the words for one theme and period: rows of the city, then of its zones."""
    whole = next(row for row in rows if row["zone"] == "ville")
    text = told_alone(whole)
    if whole["status"] != "ok":
        return f"{text}."
    above = [r for r in rows if r["level"] == "above" and r["zone"] != "ville"]
    above.sort(key=lambda r: (-(r["n"] - r["high"]), r["zone"]))
    if not above:
        return f"{text} ; aucune zone au-dessus de son habitude."
    listed = ", ".join(names.get(r["zone"], r["zone"]) for r in above[:3])
    more = f" et {plural(len(above) - 3, 'autre')}" if len(above) > 3 else ""
    return f"{text} ; au-dessus de leur habitude : {listed}{more}."


def answer(
    con: duckdb.DuckDBPyConnection, table: pa.Table, city: City, periods_days: list[int]
) -> str:
    """Return the words for every period over the main division. View `zones`."""
    division, names = city.about.main_division, places.zone_names(con, city)
    rows = [row for row in table.to_pylist() if row["division"] == division]
    return "\n\n".join(in_words(rows, city, days, names) for days in periods_days)
