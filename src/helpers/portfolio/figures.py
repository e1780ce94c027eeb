"""What a page of the portfolio draws, and the cards of the page that lists them."""

from __future__ import annotations

from html import escape
from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa

from helpers.core.base.french import number
from helpers.core.city.city import AXES, City
from helpers.core.stage import figure, palette
from helpers.core.stage.maps import base_map, zone_features
from helpers.core.stats.intervals import poisson_interval
from helpers.portfolio.measure import Asked, Knobs, weeks, years
from helpers.portfolio.words import moved
from helpers.rhythms import figures as rhythms_figures
from helpers.trends.figures import COLOURS
from helpers.trends.words import LABELS

SIGNS = {"up": "▲", "down": "▼", "stable": "■", "unclear": "◇", "abstained": "○"}
# On white, each reads at more than 4.5 to 1.
INKS = {"up": "#A63C00", "down": "#00684B", "stable": "#005A9C", "unclear": "#52606D",
        "abstained": "#52606D"}  # fmt: skip


def draw_series(asked: Asked, knobs: Knobs) -> Any:
    """Return facts week after week, and the mean of the two spans compared; or year after year."""
    if asked.yearly:
        return _draw_years(years(asked), knobs.confidence)
    counted = weeks(asked)
    if not asked.n or asked.sample:
        return figure.nothing()
    rows = [{"week": week.isoformat(), "n": n} for week, n in counted]
    lines = (
        alt.Chart(figure.data(rows))
        .mark_line(color=palette.GREY, strokeWidth=1, invalid="break-paths-show-domains")
        .encode(x=figure.days("week"), y=alt.Y("n:Q", title="faits par semaine"))
    )
    window = knobs.window_weeks
    spans = [("52 dernières" if window == 52 else f"{window} dernières", counted[-window:]),
             ("les précédentes", counted[-2 * window : -window])]  # fmt: skip
    means = [_mean(name, span) for name, span in spans if any(n is not None for _, n in span)]
    colour = alt.Color(
        "semaines:N", title="moyenne des semaines",
        scale=alt.Scale(domain=[name for name, _ in spans], range=[palette.ORANGE, palette.BLUE]),
        legend=alt.Legend(orient="top"),
    )  # fmt: skip
    bars = (
        alt.Chart(figure.data(means))
        .mark_rule(strokeWidth=4)
        .encode(x=figure.days("from"), x2="to:T", y="mean:Q", color=colour)
    )
    return alt.layer(lines, bars).properties(width=600, height=180)


def _mean(name: str, span: list[tuple[Any, int | None]]) -> dict[str, Any]:
    heard = [n for _, n in span if n is not None]
    return {"semaines": name, "from": span[0][0].isoformat(), "to": span[-1][0].isoformat(),
            "mean": round(sum(heard) / len(heard), 3)}  # fmt: skip


def _draw_years(counted: list[tuple[int, int]], confidence: float) -> alt.LayerChart:
    low, high = poisson_interval([n for _, n in counted], confidence)
    rows = [
        {"an": str(year), "n": n, "low": float(lo), "high": float(hi)}
        for (year, n), lo, hi in zip(counted, low, high, strict=True)
    ]
    base = alt.Chart(figure.data(rows)).encode(x=alt.X("an:O", title=None))
    bars = base.mark_bar(color=palette.BLUE).encode(y=alt.Y("n:Q", title="faits par an"))
    limits = base.mark_rule(color=palette.INK, strokeWidth=2).encode(y="low:Q", y2="high:Q")
    return alt.layer(bars, limits).properties(width=alt.Step(48), height=180)


def draw_zones(table: pa.Table, asked: Asked, shown: int) -> Any:
    """Return the `shown` first zones with their interval, and a map where zones have a shape."""
    rows = [row for row in table.to_pylist() if row["n"]]
    if not rows:
        return figure.nothing()
    order = [row["name"] for row in rows[:shown]]
    first = [{k: row[k] for k in ("name", "n", "low", "high")} for row in rows[:shown]]
    y = alt.Y("name:N", title=None, sort=order, axis=alt.Axis(labelLimit=220))
    base = alt.Chart(figure.data(first)).encode(y=y)
    bars = base.mark_rule(strokeWidth=2, color=palette.BLUE).encode(
        x=alt.X("low:Q", title="faits, avec l'intervalle du compte"), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=60, color=palette.BLUE, opacity=1).encode(x="n:Q")
    listed = alt.layer(bars, points).properties(width=280, height=alt.Step(24))
    ground = zone_features(asked.facts, asked.division)
    if not ground:
        return listed
    lookup = alt.LookupData(
        figure.data([{"zone": row["zone"], "faits": row["n"]} for row in rows]), "zone", ["faits"]
    )
    colour = alt.Color("faits:Q", title="faits (gris clair : aucun)",
                       scale=alt.Scale(scheme=palette.RAMP),
                       legend=alt.Legend(orient="bottom", tickCount=4))  # fmt: skip
    shapes = (
        alt.Chart(figure.data(ground))
        .mark_geoshape(stroke=palette.PAPER, strokeWidth=0.4)
        .encode(color=colour)
        .transform_lookup(lookup="properties.code", from_=lookup)
        .transform_filter("isValid(datum.faits)")
        .project(type="mercator")
    )
    drawn = alt.layer(base_map(ground), shapes).properties(width=280, height=260)
    return alt.hconcat(listed, drawn, spacing=24)


def draw_hours(table: pa.Table) -> Any:
    """Return the week as a grid, hours across and days down, of the question's facts."""
    rows = [row for row in table.to_pylist() if row["status"] != "abstained"]
    if not rows:
        return figure.nothing()
    weights, lived = (np.array([row[k] for row in rows]) for k in ("weight", "lived_h"))
    told = rhythms_figures.grid(weights, lived, np.array([row["thin"] for row in rows]))
    return rhythms_figures.heatmap(told, 520, 150)


def draw_answers(table: pa.Table) -> Any:
    """Return each question's evolution with its interval, axis by axis; 1 is "no change"."""
    rows = [
        {"axe": AXES[row["axis"]], "question": row["title"], "sens": LABELS[row["label"]],
         **{k: row[k] for k in ("ratio", "low", "high", "reason")}}
        for row in _ordered(table)
    ]  # fmt: skip
    if not rows:
        return figure.nothing()
    scale = alt.Scale(domain=list(LABELS.values()), range=COLOURS)
    y = alt.Y("question:N", title=None, sort=[row["question"] for row in rows],
              axis=alt.Axis(labelLimit=480))  # fmt: skip
    base = alt.Chart(figure.data(rows)).encode(
        y=y, color=alt.Color("sens:N", scale=scale, legend=alt.Legend(orient="top", title=None))
    )
    known = [row for row in rows if row["ratio"] is not None and row["high"] is not None]
    x = figure.ratios(known, "rapport à la période précédente (1 = inchangé)")
    bars = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x="ratio:Q")
    reasons = base.mark_text(align="left", fontSize=11, x=6).encode(text="reason:N")
    one = alt.Chart(figure.data([{"un": 1}])).mark_rule(color=palette.EDGE).encode(x="un:Q")
    return alt.layer(one, bars, points, reasons).properties(width=320, height=alt.Step(28))


def _ordered(table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows axis by axis, in the order in which the pack asks them."""
    rows: list[dict[str, Any]] = table.to_pylist()
    return sorted(rows, key=lambda row: list(AXES).index(row["axis"]))


def cards(table: pa.Table, city: City, folder: str) -> str:
    """Return the answers as HTML cards, axis by axis; each links to its page in `folder`.

    Nothing is fetched; a label is a word and a sign, not a colour alone.
    """
    if not table.num_rows:
        return (
            f"<p>Aucune question n'est posée pour {escape(city.about.title)} : en écrire sous "
            "<code>questions</code> dans le fichier <code>themes.yaml</code> de la ville.</p>"
        )
    parts = [STYLE]
    rows = _ordered(table)
    for axis, title in AXES.items():
        mine = [row for row in rows if row["axis"] == axis]
        if mine:
            told = "\n".join(_card(row, folder) for row in mine)
            parts.append(
                f'<section aria-labelledby="axe-{axis}"><h3 id="axe-{axis}">{title}</h3>\n'
                f'<ul class="cards">\n{told}\n</ul></section>'
            )
    return "\n".join(parts)


STYLE = """<style>
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem;
  padding: 0; list-style: none; }
.card { padding: .8rem 1rem; border: 1px solid #d5dce3; border-radius: 8px; }
.card h4 { margin: 0 0 .4rem; font-size: 1.05rem; }
.card p { margin: .4rem 0; font-size: .95rem; }
.card .label { font-weight: 700; }
.card .grade { color: #52606d; font-size: .85rem; }
</style>"""


def _card(row: dict[str, Any], folder: str) -> str:
    title = escape(row["title"])
    if row["n"] is not None:
        title = f'<a href="{folder}/{row["question"]}.html">{title}</a>'
    told = f"{SIGNS[row['label']]} {escape(moved(row))}"
    count = f"{number(row['n'])} faits · " if row["n"] is not None else ""
    grade = f'<p class="grade">{count}{escape(row["badge"])}</p>' if row["badge"] else ""
    return (
        f'<li class="card"><h4>{title}</h4>'
        f'<p class="label" style="color:{INKS[row["label"]]}">{told}</p>'
        f"<p>{escape(row['sentence'])}</p>"
        f"<p>Peut agir d'abord : {escape(row['actor'])}.</p>{grade}</li>"
    )
