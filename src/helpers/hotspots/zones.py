"""Zones that stand out from their neighbours, once size is accounted for.

The size is the exposure that the pack's `context.yaml` declares (people present); a city without it
has « pas de couche de population », and nothing is compared.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from helpers.core.city.city import City
from helpers.core.city.coverage import NOT_COVERED
from helpers.core.city.surroundings import read_surroundings
from helpers.core.place_time.calendar import last_window
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import share_heard
from helpers.core.place_time.places import Places, read_places
from helpers.core.stage.run import Run
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.moran import nearest
from helpers.core.stats.zone_rates import empirical_bayes, local_moran
from helpers.hotspots.cells import covered
from helpers.hotspots.knobs import ZoneKnobs

NO_POPULATION, TOO_FEW = "no_population", "too_few"  # reasons to abstain
# A zone beside its neighbours: of (above the mean itself, its neighbours above the mean).
LIKE_NEIGHBOURS = "like_neighbours"
KINDS = {
    (True, True): "high_among_high", (True, False): "high_among_low",
    (False, False): "low_among_low", (False, True): "low_among_high",
}  # fmt: skip
HIGH = ("high_among_high", "high_among_low")
PER = 1000
LEAST_HEARD = 0.01  # a zone never heard keeps next to no exposure: its rate is that of the city
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("zone", pa.string()), ("n", pa.int64()),
        ("exposure", pa.float64()), ("rate", pa.float64()), ("low", pa.float64()),
        ("high", pa.float64()), ("q", pa.float64()), ("kind", pa.string()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def size_of(run: Run, window_days: int) -> tuple[Places | None, str]:
    """Return the zones of the main division with their exposure and what it counts, if declared."""
    rules = read_surroundings(run.city)
    if rules is None or rules.division != run.city.about.main_division:
        return None, ""
    con = run.view(*(f"accepted/{source}.parquet" for source in rules.sources()))
    return read_places(con, run.city, rules, window_days), rules.exposure.label


def find(
    con: duckdb.DuckDBPyConnection, city: City, places: Places | None, knobs: ZoneKnobs, seed: int
) -> pa.Table:
    """Return the rows of SCHEMA: each theme and zone, its rate per `PER` and how it stands out.

    Views `cube`, `weeks` and `grades_weekly`. `kind` is LIKE_NEIGHBOURS or one of KINDS; `exposure`
    is that of the weeks when the zone was heard. One row with its reason for a theme
    that cannot be compared: NO_POPULATION, TOO_FEW, NOT_COVERED.
    """
    rows: list[dict[str, Any]] = []
    for theme in city.themes:
        if places is None or len(places.codes) <= knobs.neighbours:
            rows.append({"theme": theme, "status": "abstained", "reason": NO_POPULATION})
            continue
        if not covered(city, theme, knobs.window_days):
            rows.append({"theme": theme, "status": "abstained", "reason": NOT_COVERED})
            continue
        n = _counts(con, city, theme, places.codes, knobs.window_days)
        if n.sum() < knobs.minimum_count:
            row = {"theme": theme, "n": int(n.sum()), "status": "abstained"}
            rows.append({**row, "reason": TOO_FEW})
            continue
        rng = np.random.default_rng([seed, *theme.encode(), 2])
        division = city.about.main_division
        heard = share_heard(con, city, theme, division, places.codes, knobs.window_days)
        exposure = places.exposure * np.maximum(heard, LEAST_HEARD)
        rates = empirical_bayes(n, exposure, knobs.confidence)
        weights = nearest(places.centres, knobs.neighbours)
        _, p = local_moran(rates.value, weights, knobs.permutations, rng)
        q = false_discovery_control(p)
        above = rates.value - rates.value.mean()
        lag = np.asarray(weights @ above)
        rows += [
            {
                "theme": theme, "zone": code, "n": int(n[i]), "exposure": float(exposure[i]),
                "rate": _per(rates.value[i]), "low": _per(rates.low[i]),
                "high": _per(rates.high[i]),
                "q": round(float(q[i]), DIGITS),
                "kind": KINDS[bool(above[i] > 0), bool(lag[i] > 0)]
                if q[i] <= knobs.false_discovery_rate else LIKE_NEIGHBOURS,
                "status": "ok", "reason": "",
            }
            for i, code in enumerate(places.codes)
        ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _per(rate: float) -> float:
    return round(float(rate) * PER, DIGITS)


def _counts(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, codes: list[str], days: int
) -> NDArray[np.float64]:
    span = last_window(city, days)
    division = city.about.main_division
    found = dict(counts(con, ["zone"], theme=theme, division=division, span=span))
    return np.array([float(found.get(code, 0)) for code in codes])
