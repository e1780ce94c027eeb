"""Linking at the size of a city: time, memory, and precision and recall on a made truth.

Incidents fall in cells as facts do (log-normal intensity, half of them in about 3 % of cells), with
the hours of a week. Each leaves traces: a log entry (a third of them as an interval), a dispatch
minutes and tens of metres away, citizens' reports up to hours later, an alert in the hourly count
of the zone. Some records miss their place, some bear a wrong category.

`python -m benchmarks.episodes [--size full] [--scale S]` prints, beside ours, a plain rule on the
same candidates: same kind of fact, the nearest in time. The rule takes the tables that linking has
made ready, whose time is not counted in its own.
"""

from __future__ import annotations

import resource
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks.parts.measure import Size, best, parser, show_ratio
from helpers.core.base import store
from helpers.core.city.episode_rules import EpisodeRules
from helpers.episodes import candidates
from helpers.episodes.knobs import Knobs
from helpers.episodes.links import link

# Kinds of incidents: share, share of them that citizens report, share that cameras count.
KINDS: dict[str, tuple[float, float, float]] = {
    "bruit": (0.16, 0.10, 0.02),
    "attroupement": (0.17, 0.02, 0.05),
    "depot": (0.08, 0.30, 0.0),
    "stationnement": (0.20, 0.10, 0.0),
    "rixe": (0.03, 0.02, 0.20),
    "degradation": (0.06, 0.10, 0.0),
    "autre": (0.30, 0.0, 0.0),
}
SOURCES = ("main_courante", "intervention", "signalement", "vsi")
RULES: dict[str, Any] = {
    "facts": {
        kind: {
            "main_courante": [kind],
            "intervention": [f"i_{kind}"],
            **({"signalement": [f"s_{kind}"]} if seen else {}),
            **({"vsi": ["foule"]} if filmed else {}),
        }
        for kind, (_, seen, filmed) in KINDS.items()
    },
    "sources": {
        "main_courante": {"moment": "interval"},
        "intervention": {"moment": "start"},
        "signalement": {"moment": "start", "several": True},
        "vsi": {"zone": "quartiers", "several": True},
    },
    "pairs": [
        {
            "first": "main_courante", "second": "intervention",
            "max_gap_min": 90, "max_distance_m": 300,
            "reference": {"field": "id_mc", "names": "id_mc"},
        },
        {"first": "main_courante", "second": "signalement",
         "max_gap_min": 360, "max_distance_m": 300},
        {"first": "intervention", "second": "signalement",
         "max_gap_min": 360, "max_distance_m": 300},
        {"first": "main_courante", "second": "vsi", "max_gap_min": 60},
        {"first": "intervention", "second": "vsi", "max_gap_min": 60},
    ],
}  # fmt: skip
SIDE, CELL, QUARTER = 78, 200.0, 8  # 6,084 cells; a quarter is 8 × 8 cells, 100 of them
YEARS = 5
SCALES: dict[Size, float] = {"tiny": 0.01, "small": 0.1, "full": 1.0}
Ints = NDArray[np.int64]


def rules() -> EpisodeRules:
    """Return the rules of the made city."""
    return EpisodeRules.model_validate(RULES)


def _field(rng: np.random.Generator) -> NDArray[np.float64]:
    smooth = gaussian_filter(rng.normal(size=(SIDE, SIDE)), 3.0, mode="wrap")
    smooth *= np.sqrt(0.6) / smooth.std()
    log = 1.88 * (smooth + np.sqrt(0.4) * rng.normal(size=(SIDE, SIDE)))
    weights = np.exp(log).ravel()
    return np.asarray(weights / weights.sum())


def made(scale: float, seed: int = 7, reference_share: float = 0.5) -> dict[str, pa.Table]:
    """Return tables observations, places and truth; `scale` 1 is 1.5 M log entries in 5 years.

    A smaller scale is a shorter time, not a thinner city: the density of facts stays.
    """
    rng = np.random.default_rng(seed)
    n = round(1_650_000 * scale)
    span = round(YEARS * 365.25 * 86_400 * scale)
    names = list(KINDS)
    kind = rng.choice(len(names), n, p=[KINDS[k][0] for k in names])
    cell = rng.choice(SIDE * SIDE, n, p=_field(rng))
    x = (cell % SIDE + rng.random(n)) * CELL
    y = (cell // SIDE + rng.random(n)) * CELL
    day = rng.integers(0, max(1, span // 86_400), n) * 86_400
    peak = np.where(np.isin(kind, [0, 1, 4]), 22.5, 14.0)
    moment = day + (rng.normal(peak, 3.5) * 3600).astype(np.int64)
    incident = np.arange(n)
    parts = [
        _log(rng, incident, kind, x, y, moment),
        _dispatch(rng, incident, kind, x, y, moment, reference_share),
        _reports(rng, incident, kind, x, y, moment, scale, span),
        _counts(rng, incident, kind, x, y, moment),
    ]
    return {
        name: pa.concat_tables([part[name] for part in parts])
        for name in ("observations", "places", "truth")
    }


def _jitter(rng: np.random.Generator, values: NDArray[np.float64], sd: float) -> Any:
    return values + rng.normal(0, sd, len(values))


def _log(rng: Any, incident: Ints, kind: Ints, x: Any, y: Any, moment: Ints) -> dict[str, pa.Table]:
    kept = rng.random(len(incident)) < 0.91
    size = int(kept.sum())
    long = rng.random(size) < 0.35
    length = np.where(long, 60 * 240 * np.exp(rng.normal(0, 1, size)), 0).astype(np.int64)
    start = moment[kept] - (rng.random(size) * length).astype(np.int64)
    wrong = np.where(rng.random(size) < 0.04, rng.integers(0, len(KINDS), size), kind[kept])
    return _tables(
        rng, "main_courante", np.asarray(list(KINDS), dtype=object)[wrong],
        _jitter(rng, x[kept], 15), _jitter(rng, y[kept], 15), start, start + length,
        incident[kept], keys=incident[kept], references=None, no_place=0.05,
    )  # fmt: skip


def _dispatch(
    rng: Any, incident: Ints, kind: Ints, x: Any, y: Any, moment: Ints, share: float
) -> dict[str, pa.Table]:
    kept = rng.random(len(incident)) < 0.38
    size = int(kept.sum())
    when = moment[kept] + (60 * rng.gamma(2.0, 4.0, size)).astype(np.int64)
    told = rng.random(size) < share
    names = np.asarray([f"i_{k}" for k in KINDS], dtype=object)[kind[kept]]
    return _tables(
        rng, "intervention", names, _jitter(rng, x[kept], 30), _jitter(rng, y[kept], 30), when,
        when + 1800, incident[kept], keys=incident[kept],
        references=np.where(told, incident[kept], -1), no_place=0.02,
    )  # fmt: skip


def _reports(
    rng: Any, incident: Ints, kind: Ints, x: Any, y: Any, moment: Ints, scale: float, span: int
) -> dict[str, pa.Table]:
    seen = np.asarray([one[1] for one in KINDS.values()])[kind]
    times = rng.poisson(seen * 1.0)
    of = np.repeat(np.arange(len(incident)), times)
    alone = round(30_000 * scale)
    names = np.asarray([f"s_{k}" for k in KINDS], dtype=object)
    reported = np.flatnonzero([one[1] > 0 for one in KINDS.values()])
    when = moment[of] + (60 * rng.gamma(1.2, 40.0, len(of))).astype(np.int64)
    cell = rng.choice(SIDE * SIDE, alone, p=_field(rng))
    return _tables(
        rng, "signalement",
        np.concatenate([names[kind[of]], names[rng.choice(reported, alone)]]),
        np.concatenate([_jitter(rng, x[of], 50), (cell % SIDE + rng.random(alone)) * CELL]),
        np.concatenate([_jitter(rng, y[of], 50), (cell // SIDE + rng.random(alone)) * CELL]),
        (both := np.concatenate([when, rng.integers(0, span, alone)])), both,
        np.concatenate([incident[of], -1 - np.arange(alone)]), keys=None, references=None,
        no_place=0.02,
    )  # fmt: skip


def _counts(
    rng: Any, incident: Ints, kind: Ints, x: Any, y: Any, moment: Ints
) -> dict[str, pa.Table]:
    filmed = np.asarray([one[2] for one in KINDS.values()])[kind]
    kept = rng.random(len(incident)) < filmed
    zone = _zones(x[kept], y[kept])
    hour = moment[kept] // 3600
    key, first, count = np.unique(
        np.column_stack([zone, hour]), axis=0, return_index=True, return_counts=True
    )[:3]
    n = len(key)
    table = _tables(
        rng, "vsi", np.full(n, "foule", dtype=object), np.full(n, np.nan), np.full(n, np.nan),
        key[:, 1] * 3600, key[:, 1] * 3600, incident[kept][first], keys=None, references=None,
        no_place=0.0, zone=key[:, 0], counts=count,
    )  # fmt: skip
    of = {tuple(k): i for i, k in enumerate(key.tolist())}
    rows = [of[pair] for pair in zip(zone.tolist(), hour.tolist(), strict=True)]
    table["truth"] = pa.table(
        {"source": ["vsi"] * len(rows), "record": _named(n).take(pa.array(rows)),
         "incident": incident[kept]}
    )  # fmt: skip
    return table


def _named(n: int) -> pa.Array:
    """Return n names of records, as the hash of a key would be."""
    return pa.array(np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def _zones(x: Any, y: Any) -> Ints:
    across = SIDE // QUARTER + 1
    column, row = x // (CELL * QUARTER), y // (CELL * QUARTER)
    return np.asarray(np.clip(column, 0, across) + across * np.clip(row, 0, across)).astype(int)


def _tables(
    rng: Any, source: str, category: Any, x: Any, y: Any, start: Ints, end: Ints, incident: Ints,
    *, keys: Any, references: Any, no_place: float, zone: Any = None, counts: Any = None,
) -> dict[str, pa.Table]:  # fmt: skip
    n = len(incident)
    lost = rng.random(n) < no_place
    x, y = np.where(lost, np.nan, x), np.where(lost, np.nan, y)
    placed = np.isfinite(x)
    zones = _zones(np.nan_to_num(x), np.nan_to_num(y)) if zone is None else zone
    told = placed | (rng.random(n) < 0.5) | (zone is not None)  # half of the lost have a quarter
    known = np.where(told, zones.astype(str), "no_place").astype(object)
    epoch = np.datetime64("2020-01-01", "us")
    began, ended = (epoch + t * np.timedelta64(1_000_000, "us") for t in (start, end))
    hour = began.astype("datetime64[h]").astype("datetime64[us]")
    cell = [
        f"CRS3035RES200mN{int(b // CELL) * 200}E{int(a // CELL) * 200}" if p else None
        for a, b, p in zip(x, y, placed, strict=True)
    ]
    naming = pa.nulls(n, pa.string())
    if references is not None:
        naming = pa.array(np.where(references < 0, None, references.astype(str).astype(object)))
    observations = {
        "source": pa.array([source] * n), "category": pa.array(category, pa.string()),
        "theme": pa.array(["sans_theme" if source != "main_courante" else k for k in category]),
        "record": _named(n), "started_at": began, "ended_at": ended,
        "hour": hour, "time_precision": ["hour" if source == "vsi" else "minute"] * n,
        "cell": pa.array(cell, pa.string()),
        "place_precision": np.where(placed, "point", "zone" if source == "vsi" else "none"),
        "zone_quartiers": pa.array(known, pa.string()),
        "origin": [{"main_courante": "agent", "signalement": "citizen"}.get(source, "unknown")] * n,
        "n": pa.array(np.ones(n, dtype=np.int64) if counts is None else counts),
    }  # fmt: skip
    places = {
        "source": pa.array([source] * n), "record": _named(n),
        "x": pa.array(x, from_pandas=True), "y": pa.array(y, from_pandas=True),
        "key": pa.nulls(n, pa.string()) if keys is None else pa.array(keys.astype(str)),
        "reference": naming,
    }  # fmt: skip
    truth = {"source": observations["source"], "record": _named(n), "incident": incident}
    return {
        "observations": pa.table(observations), "places": pa.table(places),
        "truth": pa.table(truth),
    }  # fmt: skip


KNOBS = Knobs(
    distance_levels_m=(25, 50, 75, 100, 150, 200), gap_levels_min=(5, 10, 15, 30, 60, 120, 240),
    max_interval_h=24, threshold=0.5, max_extent_m=500, max_span_h=12, shift_weeks=4,
    minimum_links=30, confidence=0.95,
)  # fmt: skip
Scores = dict[tuple[str, str], tuple[int, int, int]]


def scores(con: Any, found: str) -> Scores:
    """Return right, found and true pairs for each pair of sources.

    View `truth` and table `record`; `found` is a query of a, b: records said to tell one fact.
    """
    con.execute(
        "CREATE OR REPLACE TABLE known AS SELECT DISTINCT rec, truth.source, incident "
        "FROM truth JOIN record USING (source, record)"
    )
    con.execute(f"CREATE OR REPLACE TABLE said AS {found}")
    result: Scores = {}
    for pair in rules().pairs:
        true = (
            "SELECT DISTINCT a.rec AS a, b.rec AS b FROM known a JOIN known b USING (incident) "
            f"WHERE a.source = '{pair.first}' AND b.source = '{pair.second}'"
        )
        said = (
            "SELECT said.a, said.b FROM said JOIN record x ON x.rec = a JOIN record y "
            f"ON y.rec = b WHERE x.source = '{pair.first}' AND y.source = '{pair.second}'"
        )
        row = con.execute(
            f"SELECT (SELECT count(*) FROM ({said}) SEMI JOIN ({true}) USING (a, b)), "
            f"(SELECT count(*) FROM ({said})), (SELECT count(*) FROM ({true}))"
        ).fetchall()[0]
        result[pair.first, pair.second] = row
    return result


OURS = (
    "SELECT p.rec AS a, q.rec AS b FROM grouped p JOIN grouped q USING (grp) WHERE p.rec != q.rec"
)
# Same kind of fact; each second record takes the nearest in time, then in space.
PLAIN = (
    "SELECT a, b FROM nearby WHERE same QUALIFY row_number() OVER "
    "(PARTITION BY pair, b ORDER BY abs(gap), distance, a) = 1"
)


def _plain(con: Any) -> None:
    """Make table `nearby`: candidates within 60 minutes and 100 m, whatever their weight."""
    con.execute("CREATE OR REPLACE TABLE nearby (pair INT, a INT, b INT, gap BIGINT, "
                "distance DOUBLE, same BOOLEAN)")  # fmt: skip
    for index, pair in enumerate(rules().pairs):
        con.register("kinds", candidates.kinds(rules(), pair))
        other = len(candidates.levels(rules(), pair, KNOBS)["kind"]) - 1
        con.execute(
            f"INSERT INTO nearby SELECT {index}, a, b, gap, distance, kind_level < {other} "
            f"FROM ({candidates.pairs_sql(rules(), pair, KNOBS)}) "
            "WHERE abs(gap) <= 3600 AND coalesce(distance, 0) <= 100"
        )


Totals = tuple[float, float]


def _print(title: str, found: Scores) -> Totals:
    print(title)
    for (first, second), (right, said, true) in found.items():
        print(f"  {first} – {second} : précision {right / max(1, said):.3f}, "
              f"rappel {right / max(1, true):.3f} (paires vraies : {true:,})")  # fmt: skip
    right, said, true = (sum(column) for column in zip(*found.values(), strict=True))
    print(f"  en tout : précision {right / said:.3f}, rappel {right / true:.3f}")
    return right / said, right / true


def main() -> None:
    """Make the truth, link, and compare with the plain rule."""
    line = parser(__doc__)
    line.add_argument("--scale", type=float)
    asked = line.parse_args()
    con = store.connect()
    for name, rows in made(asked.scale or SCALES[asked.size]).items():
        con.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
        print(f"{name} : {rows.num_rows:,} lignes")
    seconds, _ = best(lambda: link(con, rules(), "quartiers", KNOBS))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"rapprochement {seconds:.1f} s, mémoire {peak:.2f} Go, fabrication comprise")
    mine = _print("nous", scores(con, OURS))
    plain_seconds, _ = best(lambda: _plain(con))
    plain = _print("règle simple", scores(con, PLAIN))
    show_ratio("temps, nous / règle simple", seconds, plain_seconds)
    for index, name in enumerate(("précision", "rappel")):
        show_ratio(f"{name}, nous / règle simple", mine[index], plain[index])


if __name__ == "__main__":
    main()
