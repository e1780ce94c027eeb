"""What the door's grid of places changes to the analyses: links, near repeats, hot cells.

The same deliveries pass the door twice, with a grid of `COARSE` metres (the knob's value) and with
one of `FINE` metres, next to none; all that follows is the same. Of the simulated city, links are
held against the truth of its traces; of both, what is found is told side by side. Chance is drawn
from the same seed both times.

`python -m benchmarks.grid [--size full]`; tiny and small are the simulated city at a part of its
size, full is all of it, and Denver where its files are.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import yaml
from duckdb.sqltypes import VARCHAR

from benchmarks.parts.measure import ROOT, Size, parser, show_ratio
from helpers.collect import collect, gate
from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.episode_rules import EpisodeRules, read_rules
from helpers.core.stage import params
from helpers.core.stage.receipts import RECEIPTS
from helpers.episodes import episodes
from helpers.hotspots import cells, grades
from helpers.ingest import ingest
from helpers.repeats import knox
from helpers.simulate import write_truth

FINE, COARSE = 0.1, float(params.knobs("collect", ROOT).place_step_m)
SCALES: dict[Size, float] = {"tiny": 0.02, "small": 0.2, "full": 1.0}
MANY = 50  # pairs due to chance: below, a ratio moves by itself
# How the truth calls a trace: by its identifier, hashed here as the door does, or by its place.
TRACES = {
    "main_courante": "id_mc",
    "intervention": "id",
    "signalement": "id",
    "vsi_alerte_agregee": "zone_id || '|' || strftime(heure, '%Y-%m-%dT%H:%M:%S') || '|' || type",
}


@dataclass(frozen=True)
class Found:
    """What one grid gives: `links` (right, found, true) by pair of sources; bands, hot cells.

    `bands` theme → its near bands (Knox), `hot` theme → its hot cells, `later` theme → the share of
    the next year's facts that the map of a year holds, and its number of hot cells.
    """

    links: dict[tuple[str, str], tuple[int, int, int]]
    bands: dict[str, list[dict[str, Any]]]
    hot: dict[str, set[str]]
    later: dict[str, tuple[float, int]]


def pack_of(folder: Path, scale: float) -> Path:
    """Return a copy of the simulated city's pack that makes less, in `folder`."""
    pack = folder / "marseille"
    shutil.copytree(ROOT / "data/cities/marseille", pack)
    path = pack / "simulation.yaml"
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    told["scale"] = scale
    if scale < 1:  # counters tell an hour each, whatever the scale: laid late
        told["sources"]["comptage"]["since"] = dt.date(2025, 10, 1)
    path.write_text(yaml.safe_dump(told, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return pack


def taken_in(city: City, files: Mapping[str, Sequence[Path]], step_m: float, out: Path) -> None:
    """Take in the deliveries with a grid of `step_m` metres, and count them, in `out`."""
    (out / "raw").mkdir(parents=True)
    door = gate.Gate(city.key(out), step_m)
    told = {
        name: gate.take_in(door, contract, list(files[name]), out / "raw")
        for name, contract in city.contracts.items()
    }
    door.con.close()
    (out / "raw" / RECEIPTS).write_text(json.dumps(told), encoding="utf-8")
    ingest.ingest(city, out / "raw", out, params.knobs("ingest", ROOT))


def measured(city: City, out: Path, truth: Path | None) -> Found:
    """Return what the analyses find in the city counted in `out`."""
    con = store.connect()
    for name in ("observations", "cube", "zones"):
        store.view(con, name, out / f"{name}.parquet")
    files = {name: out / f"accepted/{name}.parquet" for name in city.observed_sources()}
    rules = read_rules(city)
    links = scored(con, city, rules, files, truth) if rules and truth else {}
    seed = params.seed(ROOT)
    bands, _ = knox.find(con, city, files, params.knobs("repeats", ROOT), seed)
    knobs = params.knobs("hotspots", ROOT).model_copy(update={"draws": 1})
    apart = cells.find(con, city, knobs, seed)
    years = grades.years(con, city, knobs.window_days, knobs.radius_m)
    later = [grades.later(one, knobs, np.random.default_rng(seed)) for one in years]
    con.close()
    near = [row for row in bands.to_pylist() if row["p"] is not None]
    hot = [(r["theme"], r["cell"]) for r in apart.to_pylist() if r["hot"]]
    return Found(
        links,
        {theme: [r for r in near if r["theme"] == theme] for theme in city.themes},
        {theme: {cell for name, cell in hot if name == theme} for theme in city.themes},
        {row["theme"]: (row["map"], row["hot"]) for row in later},
    )


def scored(
    con: duckdb.DuckDBPyConnection, city: City, rules: EpisodeRules, files: Mapping[str, Path],
    truth: Path,
) -> dict[tuple[str, str], tuple[int, int, int]]:  # fmt: skip
    """Return right, found and true pairs of traces, for each pair of sources."""
    linked = {name: files[name] for name in rules.sources}
    episodes.register_places(con, city, rules, linked)
    episodes.find(con, city, rules, params.knobs("episodes", ROOT))
    con.create_function("hashed", city.key(truth).hash, [VARCHAR], VARCHAR)
    told = " UNION ALL ".join(
        f"SELECT '{name}' AS source, record, {TRACES[name]} AS id FROM '{path}'"
        for name, path in linked.items()
    )
    con.execute(
        f"CREATE TABLE known AS SELECT DISTINCT source, record, incident FROM ({told}) JOIN "
        "(SELECT * REPLACE (if(contains(id, '|'), id, hashed(id)) AS id) "
        f"FROM '{truth}/traces.parquet') USING (source, id)"
    )
    pairs = (
        "CREATE TABLE {name} AS SELECT DISTINCT a.source AS s, a.record AS a, b.source AS t, "
        "b.record AS b FROM {table} a JOIN {table} b USING ({key}) WHERE a.source < b.source"
    )
    con.execute(pairs.format(name="true_pair", table="known", key="incident"))
    con.execute(pairs.format(name="said_pair", table="episodes", key="episode"))
    rows = con.execute(
        "SELECT s, t, count(*) FILTER (there AND said), count(*) FILTER (said), "
        "count(*) FILTER (there) FROM (SELECT s, t, bool_or(said) AS said, bool_or(NOT said) "
        "AS there FROM (SELECT *, true AS said FROM said_pair UNION ALL SELECT *, false "
        "FROM true_pair) GROUP BY s, t, a, b) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return {(s, t): (right, found, true) for s, t, right, found, true in rows if true}


def moved(fine: Path, coarse: Path) -> tuple[int, int, int]:
    """Return how many facts have a cell in both, and of them those of another cell, and zone."""
    with duckdb.connect() as con:
        columns = con.execute(f"DESCRIBE SELECT * FROM '{fine}/observations.parquet'").fetchall()
        zones = [c[0] for c in columns if c[0].startswith("zone_")]
        elsewhere = " OR ".join(f"a.{z} != b.{z}" for z in zones) or "false"
        row = con.execute(
            f"SELECT count(*), count(*) FILTER (a.cell != b.cell), count(*) FILTER ({elsewhere}) "
            f"FROM '{fine}/observations.parquet' a JOIN '{coarse}/observations.parquet' b "
            "USING (source, record) WHERE a.cell IS NOT NULL AND b.cell IS NOT NULL"
        ).fetchall()[0]
    return int(row[0]), int(row[1]), int(row[2])


def show_links(fine: Found, coarse: Found) -> None:
    """Print precision, recall and number of links, at both grids."""
    print(f"  liens : {FINE:g} m puis {COARSE:g} m ; paires de traces, contre la vérité")
    whole = {}
    for name, one in (("fine", fine), ("coarse", coarse)):
        whole[name] = tuple(sum(column) for column in zip(*one.links.values(), strict=True))
    rows = [(f"{s} – {t}", fine.links[s, t], coarse.links[s, t]) for s, t in fine.links]
    for title, before, after in [*rows, ("en tout", whole["fine"], whole["coarse"])]:
        told = " → ".join(
            f"précision {right / max(1, found):.4f}, rappel {right / max(1, true):.4f}, "
            f"{found} liens"
            for right, found, true in (before, after)
        )
        print(f"    {title} : {told}")
    for index, what in ((1, "précision"), (2, "rappel")):
        ours, other = (whole[n][0] / max(1, whole[n][index]) for n in ("coarse", "fine"))
        show_ratio(f"{what}, {COARSE:g} m / {FINE:g} m", ours, other)


def show_bands(fine: Found, coarse: Found) -> None:
    """Print the nearest and soonest band of each theme, and how many bands are judged alike."""
    print("  répétitions : bande la plus proche, paires et rapport au hasard, bandes prouvées")
    alike, total, gaps = 0, 0, [0.0]
    for theme, before in fine.bands.items():
        after = coarse.bands[theme]
        pairs = list(zip(before, after, strict=len(before) == len(after)))
        alike += sum(a["proven"] == b["proven"] for a, b in pairs)
        total += max(len(before), len(after))
        gaps += [
            abs(a["ratio"] - b["ratio"])
            for a, b in pairs
            if a["ratio"] is not None and b["ratio"] is not None and a["expected"] >= MANY
        ]
        if pairs:
            told = " → ".join(
                f"{rows[0]['pairs']} ({rows[0]['ratio']:.3f}), {sum(r['proven'] for r in rows)}"
                for rows in (before, after)
            )
            print(f"    {theme} : {told}")
    counts = [
        sum(row["proven"] for rows in one.bands.values() for row in rows) for one in (fine, coarse)
    ]
    print(f"    bandes jugées de même : {alike} sur {total} ; prouvées : {counts[0]} → "
          f"{counts[1]} ; rapports : écart de {max(gaps):.3f} au plus, où le hasard en fait "
          f"{MANY} paires ou plus")  # fmt: skip


def show_cells(fine: Found, coarse: Found) -> None:
    """Print the hot cells of both grids, those common, and the next year's facts that they hold."""
    print("  mailles à part : en tout, communes ; part des faits de l'année suivante")
    totals, held = [0, 0, 0], []
    for theme, before in fine.hot.items():
        after = coarse.hot[theme]
        for i, n in enumerate((len(before), len(after), len(before & after))):
            totals[i] += n
        share = ""
        if theme in fine.later and theme in coarse.later:
            shares = (fine.later[theme][0], coarse.later[theme][0])
            share = f" ; {shares[0]:.4f} → {shares[1]:.4f}"
            if shares[0] > 0:
                held.append(shares)
        if before or after:
            print(f"    {theme} : {len(before)} → {len(after)}, {len(before & after)}{share}")
    print(f"    en tout : {totals[0]} → {totals[1]}, {totals[2]} communes")
    if held:
        ours, other = (float(np.mean([pair[i] for pair in held])) for i in (1, 0))
        show_ratio(f"part de l'année suivante, {COARSE:g} m / {FINE:g} m", ours, other)


def compare(
    city: City, files: Mapping[str, Sequence[Path]], folder: Path, *, simulated: bool
) -> None:
    """Measure one city at both grids, and print what changes."""
    truth = folder / "truth" if simulated else None
    if truth:
        write_truth(city.pack, truth)
    both = {}
    for step in (FINE, COARSE):
        out = folder / f"{step:g}"
        taken_in(city, files, step, out)
        both[step] = measured(city, out, truth)
    n, other_cell, other_zone = moved(folder / f"{FINE:g}", folder / f"{COARSE:g}")
    print(f"{city.about.title} : {n:,} faits placés ; d'une autre maille {other_cell / n:.2%}, "
          f"d'une autre zone {other_zone / n:.2%}")  # fmt: skip
    fine, coarse = both[FINE], both[COARSE]
    if fine.links:
        show_links(fine, coarse)
    show_bands(fine, coarse)
    show_cells(fine, coarse)


def main() -> None:
    """Compare both grids on Denver, in full, and on the simulated city."""
    size: Size = parser(__doc__).parse_args().size
    with TemporaryDirectory() as held:
        folder = Path(held)
        denver = City(ROOT / "data/cities/denver")
        if size == "full" and _is_there(denver):
            with collect.deliveries(denver, ROOT) as files:
                compare(denver, files, folder / "denver", simulated=False)
        elif size == "full":
            print("  non mesuré : Denver (ses fichiers n'y sont pas)")
        city = City(pack_of(folder, SCALES[size]))
        with collect.deliveries(city, ROOT) as files:
            compare(city, files, folder / "simulated", simulated=True)


def _is_there(city: City) -> bool:
    places = collect.places_to_look(city, ROOT)
    return all(collect.received(places, one.file) for one in city.about.sources.values())


if __name__ == "__main__":
    main()
