"""Zones that stand out from their neighbours, and clusters of zones, once size is accounted for.

The size is the exposure that the pack's `context.yaml` declares (people present); a city without it
has « pas de couche de population », and nothing is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import duckdb
import numpy as np
import pyarrow as pa

from helpers.core.base.french import number, plural
from helpers.core.base.store import quote
from helpers.core.city.city import City
from helpers.core.city.surroundings import read_surroundings
from helpers.core.place_time.calendar import window
from helpers.core.place_time.places import Places, read_places
from helpers.core.stage import figure, palette
from helpers.core.stage.maps import base_map, zone_features
from helpers.core.stage.run import Run
from helpers.core.stats.hot_cells import false_discovery
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.moran import nearest
from helpers.core.stats.zone_rates import empirical_bayes, local_moran, scan, windows

NO_POPULATION = "pas de couche de population"
LIKE = "non distinguable de ses voisines"
KINDS = {
    ("+", "+"): "haut, parmi des hauts", ("+", "-"): "haut, parmi des bas",
    ("-", "-"): "bas, parmi des bas", ("-", "+"): "bas, parmi des hauts",
}  # fmt: skip
PER = 1000
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("zone", pa.string()), ("n", pa.int64()),
        ("exposure", pa.float64()), ("rate", pa.float64()), ("low", pa.float64()),
        ("high", pa.float64()), ("q", pa.float64()), ("kind", pa.string()),
        ("cluster", pa.bool_()), ("cluster_ratio", pa.float64()), ("cluster_p", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Knobs:
    """How far back, how sure, and how many draws."""

    window_days: int
    false_discovery_rate: float
    minimum_count: int
    confidence: float
    permutations: int
    neighbours: int


def size_of(run: Run, window_days: int) -> tuple[Places | None, str]:
    """Return the zones of the main division with their exposure and what it counts, if declared."""
    rules = read_surroundings(run.city)
    if rules is None or rules.division != run.city.about.main_division:
        return None, ""
    con = run.view(*(f"accepted/{source}.parquet" for source in rules.sources()))
    return read_places(con, run.city, rules, window_days), rules.exposure.label


def find(
    con: duckdb.DuckDBPyConnection, city: City, places: Places | None, knobs: Knobs, seed: int
) -> pa.Table:
    """Return the rows of SCHEMA: each theme and zone, its rate per `PER` and how it stands out.

    View `cube`. One row with its reason for a theme that cannot be compared.
    """
    rows: list[dict[str, Any]] = []
    held = None if places is None else windows(places.centres, places.exposure)
    for theme in city.themes:
        if places is None or held is None or len(places.codes) <= knobs.neighbours:
            rows.append({"theme": theme, "status": "abstained", "reason": NO_POPULATION})
            continue
        n = _counts(con, city, theme, places.codes, knobs.window_days)
        if n.sum() < knobs.minimum_count:
            why = f"moins de {knobs.minimum_count} faits placés dans une zone"
            rows.append({"theme": theme, "n": int(n.sum()), "status": "abstained", "reason": why})
            continue
        rng = np.random.default_rng([seed, *theme.encode(), 2])
        rates = empirical_bayes(n, places.exposure, knobs.confidence)
        weights = nearest(places.centres, knobs.neighbours)
        _, p = local_moran(rates.value, weights, knobs.permutations, rng)
        q = false_discovery(p)
        cluster = scan(n, places.exposure, held, rates.variance, SCANS, rng)
        lag = np.asarray(weights @ (rates.value - rates.value.mean()))
        rows += [
            {
                "theme": theme, "zone": code, "n": int(n[i]), "exposure": float(places.exposure[i]),
                "rate": _per(rates.value[i]), "low": _per(rates.low[i]),
                "high": _per(rates.high[i]),
                "q": round(float(q[i]), DIGITS),
                "kind": KINDS[_sign(rates.value[i] - rates.value.mean()), _sign(lag[i])]
                if q[i] <= knobs.false_discovery_rate else LIKE,
                "cluster": bool(i in cluster.zones) and cluster.p <= knobs.false_discovery_rate,
                "cluster_ratio": round(cluster.ratio, DIGITS),
                "cluster_p": round(cluster.p, DIGITS),
                "status": "ok", "reason": "",
            }
            for i, code in enumerate(places.codes)
        ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCHEMA)


SCANS = 199  # draws of the scan


def _per(rate: float) -> float:
    return round(float(rate) * PER, DIGITS)


def _sign(value: float) -> str:
    return "+" if value > 0 else "-"


def _counts(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, codes: list[str], days: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    first, after = window(city.about.period.end, days)
    division = quote(f"zone_{city.about.main_division}")
    rows = con.execute(
        f"SELECT {division}, sum(n) FROM cube WHERE theme = ? AND time_precision != 'year' "
        "AND hour >= ? AND hour < ? GROUP BY 1",
        [theme, first, after],
    ).fetchall()
    found = dict(rows)
    return np.array([float(found.get(code, 0)) for code in codes])


def draw(con: duckdb.DuckDBPyConnection, table: pa.Table, city: City) -> Any:
    """Return a map a theme of the zones that stand out from their neighbours. View `zones`."""
    ground = zone_features(con, city.about.main_division)
    colour = alt.Color(
        "sens:N",
        title=None,
        scale=alt.Scale(
            domain=[*KINDS.values(), LIKE],
            range=[palette.ORANGE, "#F0A868", palette.BLUE, "#7FB2D9", "#EEF1F4"],
        ),
        legend=alt.Legend(orient="top", columns=3, labelLimit=260, symbolStrokeColor=palette.EDGE),
    )
    maps = []
    rows = table.to_pylist()
    for name, theme in city.themes.items():
        told = [{"zone": r["zone"], "sens": r["kind"]} for r in rows
                if r["theme"] == name and r["status"] == "ok"]  # fmt: skip
        if not told:
            continue
        lookup = alt.LookupData(figure.data(told), "zone", ["sens"])
        shapes = (
            alt.Chart(figure.data(ground))
            .mark_geoshape(stroke="#7B8794", strokeWidth=0.5)
            .encode(color=colour)
            .transform_lookup(lookup="properties.code", from_=lookup)
            .project(type="mercator")
        )
        title = alt.TitleParams(theme.title, fontSize=12, fontWeight="normal", offset=2)
        maps.append(
            alt.layer(base_map(ground), shapes).properties(width=240, height=220, title=title)
        )
    return alt.concat(*maps, columns=3, spacing=8) if maps else figure.nothing()


def in_words(table: pa.Table, city: City, names: dict[str, str], label: str) -> str:
    """Return one Markdown line a theme; `label` says what the rate is brought to."""
    lines = []
    rows = table.to_pylist()
    for name, theme in city.themes.items():
        mine = [r for r in rows if r["theme"] == name]
        if mine[0]["status"] != "ok":
            lines.append(f"- **{theme.title}** : abstention ({mine[0]['reason']}).")
            continue
        apart = [r for r in mine if r["kind"] != LIKE]
        high = sorted((r for r in apart if r["kind"].startswith("haut")),
                      key=lambda r: (-r["rate"], r["zone"]))[:3]  # fmt: skip
        listed = ", ".join(
            f"{names.get(r['zone'], r['zone'])} ({number(r['rate'], 1)} pour {number(PER)}, "
            f"de {number(r['low'], 1)} à {number(r['high'], 1)})"
            for r in high
        )
        told = (
            f"{plural(len(apart), 'zone')} à part de leurs voisines"
            if apart
            else "aucune zone ne se distingue de ses voisines"
        )
        text = f"- **{theme.title}** : {told}" + (f", en haut : {listed}" if high else "")
        group = [names.get(r["zone"], r["zone"]) for r in mine if r["cluster"]]
        if group:
            text += (
                f" ; foyer de {plural(len(group), 'zone')} autour de {group[0]}, "
                f"{number(mine[0]['cluster_ratio'], 1)} fois le reste"
            )
        lines.append(text + ".")
    unit = f"Taux pour {number(PER)}, l'unité étant : {label}.\n\n" if label else ""
    return unit + "\n".join(lines)
