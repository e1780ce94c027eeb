"""Final counts foretold of real cities, year by year. `make grade ROOMS=reliability`.

Nothing is drawn: each past day of today is taken up again, with what was known then (`nowcast`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from helpers.core.base import store
from helpers.core.base.workspace import find_root
from helpers.core.city.city import City
from helpers.core.stage import params
from helpers.core.stats import nowcast
from helpers.core.stats.grading import Line, Trial, seen
from helpers.reliability import delays, silence
from helpers.reliability.knobs import Knobs

CITIES = ("denver", "stlouis")
FEWEST = 4  # distinct periods in a year of which something is told
USUAL = "déjà entré, sans correction"


def _years(seed: int, tries: int, key: str) -> Iterator[Line]:
    """Yield, for each year of each source, how many final counts lay in their interval.

    The error is that between distinct periods, of which forecasts are alike.
    """
    del seed, tries
    knobs: Knobs = params.knobs("reliability")
    root = find_root()
    city, con = City(root / "data/cities" / key), store.connect()
    for name in ("observations", "zones"):
        store.view(con, name, root / "data" / key / f"{name}.parquet")
    delays.read_delays(con, city, knobs)
    days, _ = silence.find(con, city, knobs, delays.day_curves(con, city, {}, knobs))
    silent = silence.silent_days(days)
    for source in silence.dated_sources(city):
        read = delays.triangle_of(
            con, city, source, silent.get(source, set()), knobs.delay_horizon_days
        )
        if read is None:
            continue
        _, starts, triangle = read
        by_month = delays.known_by_month(city, source)
        step = 1 if by_month else 7
        past = nowcast.held_back(triangle, len(starts) - 1, step, knobs.nowcast_confidence)
        year = np.array([starts[i].year for i in past.period], dtype=np.int64)
        what = "compte final, dans son intervalle à 90 %"
        for one in np.unique(year):
            mine = np.flatnonzero(year == one)
            periods = np.unique(past.period[mine])
            if len(periods) < FEWEST:
                continue
            inside = [past.inside[mine][past.period[mine] == p].mean() for p in periods]
            plain = [(past.seen[mine] >= 0.95 * past.final[mine])[past.period[mine] == p].mean()
                     for p in periods]  # fmt: skip
            setting = f"{city.about.title}, {city.contracts[source].title}, {one}"
            yield seen(what, setting, (0.87, None), inside, f"{USUAL}, à 5 % près", plain)
    con.close()


TRIALS = tuple(
    Trial(f"years_{key}", 1, partial(_years, key=key), (f"data/{key}/observations.parquet",),
          drawn=False)
    for key in CITIES
)  # fmt: skip
