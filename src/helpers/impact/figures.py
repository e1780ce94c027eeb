"""The figures of `impact`: counts beside what was expected, of actions and of grave facts."""

from __future__ import annotations

import altair as alt
import pyarrow as pa

from helpers.core.city.action_rules import ActionRules
from helpers.core.stage import figure, palette
from helpers.core.stage.action_words import VERDICTS
from helpers.impact import effects, shock_words, shocks

WHOLE = "toutes les actions"
PLACEBO = "date placebo"
EVERY_FACT = "tous les faits graves"


def ratios(found: pa.Table, rules: ActionRules | None) -> figure.Drawn:
    """Return one point an action, a kind and all of them, with intervals; 1 is no change."""
    rows = [
        {
            "action": _label(row, rules),
            "verdict": VERDICTS[row["verdict"]],
            "rapport": row["ratio"],
            "low": row["low"],
            "high": row["high"],
        }
        for row in found.to_pylist()
        if rules is not None and not row["reason"]
    ]
    title = "Faits comptés après une action, à côté des faits attendus (1 : autant)"
    told = (
        "Un point par action, puis par type, et pour toutes, avec son intervalle ; "
        "à gauche de 1, moins de faits qu'attendu."
    )
    if not rows:
        return figure.Drawn(figure.nothing(), title, told)
    y = alt.Y("action:N", title=None, sort=None, axis=alt.Axis(labelLimit=340))
    domain = list(VERDICTS.values())
    scale = alt.Scale(domain=domain, range=[palette.BLUE, palette.ORANGE, palette.GREY])
    colour = alt.Color("verdict:N", title="verdict", scale=scale)
    base = alt.Chart(figure.data(rows)).encode(y=y, color=colour)
    x = figure.ratios(rows, "faits comptés, rapportés aux faits attendus")
    spans = base.mark_rule(strokeWidth=3).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=80, opacity=1).encode(x="rapport:Q")
    one = alt.Chart(figure.data([{"un": 1}])).mark_rule(strokeDash=[4, 4]).encode(x="un:Q")
    chart = (one + spans + points).properties(width=420, height=alt.Step(22))
    return figure.Drawn(chart, title, told)


def answers(found: pa.Table) -> figure.Drawn:
    """Return one point a grave fact and what answers by counts, with intervals; 1 is no answer.

    The survey, whose change is a difference, is told in words.
    """
    rows = [
        {
            "fait": row["fact"] or EVERY_FACT,
            "ce qui répond": shock_words.OUTCOMES[row["outcome"]],
            "rapport": row["value"],
            "low": row["low"],
            "high": row["high"],
        }
        for row in found.to_pylist()
        if row["outcome"] != shocks.SURVEY and not row["reason"]
    ]
    title = "Signalements et passages après un fait grave, à côté des attendus (1 : autant)"
    told = (
        "Un point par fait grave et par ce qui peut y répondre, puis pour tous les faits, avec son "
        "intervalle ; à gauche de 1, moins qu'attendu."
    )
    if not rows:
        return figure.Drawn(figure.nothing(), title, told)
    y = alt.Y("fait:N", title=None, sort=None, axis=alt.Axis(labelLimit=300))
    kinds = [shock_words.OUTCOMES[one] for one in (shocks.REPORTS, shocks.WALKERS)]
    scale = alt.Scale(domain=kinds, range=[palette.BLUE, palette.ORANGE])
    legend = alt.Legend(orient="bottom", labelLimit=300)
    colour = alt.Color("ce qui répond:N", title=None, scale=scale, legend=legend)
    beside = alt.YOffset("ce qui répond:N", sort=kinds)
    base = alt.Chart(figure.data(rows)).encode(y=y, yOffset=beside, color=colour)
    x = figure.ratios(rows, "comptés, rapportés aux attendus")
    spans = base.mark_rule(strokeWidth=3).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=80, opacity=1).encode(x="rapport:Q")
    one = alt.Chart(figure.data([{"un": 1}])).mark_rule(strokeDash=[4, 4]).encode(x="un:Q")
    chart = (one + spans + points).properties(width=420, height=alt.Step(22))
    return figure.Drawn(chart, title, told)


def _label(row: dict[str, object], rules: ActionRules) -> str:
    scope = row["scope"]
    if scope in (effects.ALL, effects.PLACEBO):
        return WHOLE if scope == effects.ALL else PLACEBO
    title = rules.title(str(row["kind"]))
    return title if scope == effects.KIND else f"{row['key']}, {title.lower()}"
