"""Charts of the links: how many traces a fact leaves, how links weigh, one link taken apart."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from helpers.core.base.french import number, plural
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.episodes.candidates import COMPARISONS
from helpers.episodes.links import Fitted

SAID = {"place": "lieu", "gap": "moment", "kind": "nature", "reference": "renvoi"}
REAL, CHANCE = "couples observés", "attendus du hasard"
LOWEST, HIGHEST = -10, 20  # bits shown; what lies beyond is drawn at the edge


def _nothing(text: str) -> alt.Chart:
    """Return a chart that says why there is nothing to draw."""
    return (
        alt.Chart(figure.data([{"text": text}]))
        .mark_text(align="left", fontSize=13, color=palette.INK)
        .encode(text="text:N", x=alt.value(0))
        .properties(width=600, height=40)
    )


def _short(source: str) -> str:
    """Return a source as its name tells it: four titles in full would not fit on a line."""
    return source.replace("_", " ")


def traces(rows: list[dict[str, Any]]) -> Drawn:
    """Return bars: how many episodes each combination of sources tells."""
    return Drawn(
        _traces(rows),
        "Épisodes à plusieurs traces, selon les sources qui les racontent",
        "Une barre par combinaison de sources ; le nombre de traces vient en tête.",
    )


def _traces(rows: list[dict[str, Any]]) -> Any:
    if not rows:
        return _nothing("Aucun épisode n'a plusieurs traces.")
    shown = [
        {
            "qui": f"{row['n_traces']} · " + " + ".join(_short(s) for s in row["sources"]),
            "n": row["n"],
            "texte": number(row["n"]),
        }
        for row in rows
    ]
    axis = alt.Axis(labelLimit=420)
    bars = alt.Chart(figure.data(shown)).encode(y=alt.Y("qui:N", title=None, sort=None, axis=axis))
    marks = bars.mark_bar(color=palette.OBSERVED).encode(x=alt.X("n:Q", title="épisodes"))
    texts = bars.mark_text(align="left", dx=4, color=palette.INK).encode(x="n:Q", text="texte:N")
    return alt.layer(marks, texts).properties(width=320, height=alt.Step(24))


def weights(fitted: list[Fitted], titles: dict[str, str], threshold: float) -> Drawn:
    """Return, for each pair of sources, candidates by weight: observed, and expected by chance.

    The bar is the weight from which a candidate without rivals is linked.
    """
    panels = [_weights(one, titles, threshold) for one in fitted if one.tally]
    return Drawn(
        alt.vconcat(*panels, spacing=14) if panels else _nothing("Aucun couple à peser."),
        "Couples candidats selon leur poids",
        "Par paire de sources, couples observés et attendus du hasard ; le trait est le seuil.",
    )


def _weights(one: Fitted, titles: dict[str, str], threshold: float) -> Any:
    assert one.tally
    bits, real, chance = one.tally
    bins = np.clip(np.floor(bits), LOWEST, HIGHEST).astype(int)
    rows = [
        {"bits": int(b), "couples": word, "n": round(float(counts[bins == b].sum()), 1)}
        for b in np.unique(bins)
        for word, counts in ((REAL, real), (CHANCE, chance))
    ]
    colours = alt.Scale(domain=[REAL, CHANCE], range=[palette.OBSERVED, palette.BY_LUCK])
    bars = (
        alt.Chart(figure.data(rows))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("bits:Q", title="poids du lien (bits)"),
            y=alt.Y("n:Q", title="couples", scale=alt.Scale(type="symlog"),
                    axis=alt.Axis(values=[0, 10, 1000, 100000], format=",d")),
            color=alt.Color("couples:N", scale=colours,
                            legend=alt.Legend(orient="top", title=None)),
        )
    )  # fmt: skip
    least = [{"bits": round(one.least_bits(threshold), 2)}]
    rule = alt.Chart(figure.data(least)).mark_rule(strokeDash=[4, 3], color=palette.INK)
    title = _pair_title(titles, one.pair.first, one.pair.second)
    return alt.layer(bars, rule.encode(x="bits:Q")).properties(width=560, height=110, title=title)


def example(link: dict[str, Any] | None, fitted: list[Fitted], titles: dict[str, str]) -> Drawn:
    """Return the waterfall of one link: what each comparison adds to its weight."""
    return Drawn(
        _example(link, fitted, titles),
        "Un lien démonté : ce que chaque comparaison ajoute",
        "Cascade des poids, en bits, du lien d'un épisode que plusieurs sources racontent.",
    )


def _example(link: dict[str, Any] | None, fitted: list[Fitted], titles: dict[str, str]) -> Any:
    if link is None:
        return _nothing("Aucun lien à montrer.")
    pairs = {(one.pair.first, one.pair.second): one for one in fitted}
    model = pairs[link["source_a"], link["source_b"]].model
    assert model
    steps = [("avant toute comparaison", model.prior_weight)]
    told = {
        "place": "" if link["distance_m"] is None else f" ({plural(link['distance_m'], 'mètre')})",
        "gap": f" ({number(link['gap_min'], 1)} min)",
        "kind": " (la même)" if link["same_type"] else " (une autre)",
        "reference": "",
    }
    steps += [(f"{SAID[name]}{told[name]}", link[f"{name}_bits"]) for name in COMPARISONS]
    rows, total = [], 0.0
    for label, bits in steps:
        rows.append({"étape": label, "de": round(total, 3), "à": round(total + bits, 3),
                     "bout": round(max(total, total + bits), 3),
                     "bits": f"{'+' if bits >= 0 else ''}{number(bits, 1)}",
                     "sens": "pour" if bits >= 0 else "contre"})  # fmt: skip
        total += bits
    rows.append({"étape": "poids du lien", "de": 0.0, "à": round(total, 3),
                 "bout": round(max(0.0, total), 3),
                 "bits": number(total, 1), "sens": "total"})  # fmt: skip
    colours = alt.Scale(domain=["pour", "contre", "total"],
                        range=[palette.FOR, palette.AGAINST, palette.TOTAL])  # fmt: skip
    axis = alt.Axis(labelLimit=300)
    base = alt.Chart(figure.data(rows)).encode(y=alt.Y("étape:N", sort=None, title=None, axis=axis))
    bars = base.mark_bar().encode(
        x=alt.X("de:Q", title="bits"), x2="à:Q",
        color=alt.Color("sens:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
    )  # fmt: skip
    texts = base.mark_text(align="left", dx=4, color=palette.INK).encode(x="bout:Q", text="bits:N")
    title = _pair_title(titles, link["source_a"], link["source_b"])
    return alt.layer(bars, texts).properties(width=380, height=alt.Step(26), title=title)


def _pair_title(titles: dict[str, str], first: str, second: str) -> alt.TitleParams:
    text = f"{titles[first]} – {titles[second]}"
    return alt.TitleParams(text, fontSize=12, fontWeight="normal", offset=4)
