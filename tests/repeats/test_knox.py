"""Near repeats: published tables, chance told as chance, and clusters that are there."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import libpysal
import numpy as np
import pyogrio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.core.city.city import City
from helpers.core.stage import params
from helpers.repeats import grades, knox, words
from helpers.repeats.knobs import Knobs
from tests.fixtures import split
from tests.fixtures.made_up import build_made_up, fact
from tests.fixtures.real import ROOT

KNOBS: Knobs = params.knobs("repeats", ROOT).model_copy(
    update={"day_edges": (4, 8, 15), "permutations": 99, "maximum_pairs": 10**6,
            "minimum_count": 30}
)  # fmt: skip


@pytest.fixture(scope="module")
def arson(shared: Path) -> knox.Facts:
    """Arsons in Chicago: metres, days."""
    with (shared / "repeats/chicago_arson.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row[0][:1].isdigit()]
    day = np.array([dt.date.fromisoformat(row[2]).toordinal() for row in rows])
    x, y = (np.array([float(row[i]) for row in rows]) for i in (0, 1))
    return knox.Facts(x, y, day, np.zeros_like(day))


def test_chicago_arson_gives_the_published_table(arson: knox.Facts) -> None:
    """shared/acceptance.md: beyond 600 m, by days apart."""
    pairs = knox.near_pairs(arson, [1, 200, 400, 600], knox.MANHATTAN)
    found = knox.table(pairs, arson.day, [1, 2, 3])
    assert found[-1].tolist() == [393, 710, 770, 133658]
    assert found.sum() == 522 * 521 // 2


def test_chicago_arson_near_and_soon_is_nine_pairs_at_twenty_times_chance(
    arson: knox.Facts,
) -> None:
    """From 1 m to 200 m and up to a day apart, edges half-open: 9 pairs, ratio 19.4."""
    pairs = knox.near_pairs(arson, [1, 200], knox.MANHATTAN)
    found = knox.table(pairs, arson.day, [2])
    assert found[1, 0] == 9
    rng = np.random.default_rng(1)
    null = knox.shuffled(pairs, arson.day, np.zeros_like(arson.day), [2], 999, rng)
    mean, error = null[:, 1, 0].mean(), null[:, 1, 0].std() / np.sqrt(999)
    assert abs(9 / 19.4 - mean) <= 3 * error


def test_burkitt_gives_the_published_statistic() -> None:
    """Burkitt's lymphoma in Uganda: at most 20 apart and at most 5 days, 13 pairs (PySAL)."""
    path = libpysal.examples.get_path("burkitt.shp")
    rows = pyogrio.read_arrow(path)[1]
    x, y, day = (rows[name].to_numpy().astype(float) for name in ("X", "Y", "T"))
    nowhere = np.zeros(len(day), dtype=np.int64)
    facts = knox.Facts(x, y, day.astype(np.int64), nowhere)
    pairs = knox.near_pairs(facts, [np.nextafter(20, 21)])
    assert knox.table(pairs, facts.day, [6])[0, 0] == 13


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 9)), min_size=2,
             max_size=40),
    st.sampled_from([knox.EUCLIDEAN, knox.MANHATTAN]),
)  # fmt: skip
def test_every_pair_is_in_one_band(rows: list[tuple[int, int, int]], metric: int) -> None:
    """Against a count of all pairs, two by two; on a grid, many lie exactly on an edge."""
    x, y, day = (np.array(column) for column in zip(*rows, strict=True))
    facts = knox.Facts(x.astype(float), y.astype(float), day, np.zeros_like(day))
    edges, days = [1, 3, 5], [1, 2, 4]
    found = knox.table(knox.near_pairs(facts, edges, metric), day, days)
    expected = np.zeros((4, 4), dtype=int)
    for i in range(len(rows)):
        for j in range(i):
            dx, dy = abs(x[i] - x[j]), abs(y[i] - y[j])
            away = dx + dy if metric == knox.MANHATTAN else (dx**2 + dy**2) ** 0.5
            row = sum(away >= edge for edge in edges)
            expected[row, sum(abs(day[i] - day[j]) >= edge for edge in days)] += 1
    assert found.tolist() == expected.tolist()


def uneven(rng: np.random.Generator, n: int) -> knox.Facts:
    """Return facts in uneven places at uneven dates, with no link between them."""
    centres = rng.uniform(0, 4000, (12, 2))
    at = centres[rng.choice(12, n, p=rng.dirichlet(np.ones(12)))] + rng.normal(0, 150, (n, 2))
    day = np.sort(rng.beta(2, 3, n) * 365).astype(np.int64)
    return knox.Facts(at[:, 0], at[:, 1], day, np.zeros_like(day))


def test_without_link_the_ratio_is_one_and_repeats_are_seldom_found() -> None:
    """Uneven places and dates, 200 cities: what is found is no more frequent than said."""
    rng = np.random.default_rng(3)
    ratios, found = [], 0
    for _ in range(200):
        facts = uneven(rng, 150)
        rows = [r for r in knox.assess("x", facts, KNOBS, 5) if r["p"] is not None]
        ratios.append([r["ratio"] or 0.0 for r in rows])
        found += any(r["p"] <= KNOBS.significance for r in rows)
    mean, error = np.mean(ratios, axis=0), np.std(ratios, axis=0) / np.sqrt(200)
    assert (np.abs(mean - 1) <= 4 * error).all()
    assert found / 200 <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 200)


def test_repeats_that_are_there_are_found_near_and_soon_only() -> None:
    """Each fact draws another within 80 m and a few days, once in five."""
    rng = np.random.default_rng(9)
    hits, far = 0, 0
    for _ in range(20):
        base = uneven(rng, 400)
        drawn = np.flatnonzero(rng.random(400) < 0.2)
        facts = knox.Facts(
            np.concatenate([base.x, base.x[drawn] + rng.normal(0, 50, len(drawn))]),
            np.concatenate([base.y, base.y[drawn] + rng.normal(0, 50, len(drawn))]),
            np.concatenate([base.day, base.day[drawn] + rng.integers(0, 4, len(drawn))]),
            np.concatenate([base.zone, base.zone[drawn]]),
        )
        rows = [r for r in knox.assess("x", facts, KNOBS, 5) if r["p"] is not None]
        proven = {(r["from_m"], r["from_days"]) for r in rows if r["p"] <= 0.05}
        hits += (0, 0) in proven
        far += any(metres >= 200 or days >= 8 for metres, days in proven)
    assert hits >= 18
    assert far <= 4


@pytest.mark.parametrize("kind", ["sine", "burst"])
def test_the_season_of_each_zone_is_no_repeat(kind: grades.Season) -> None:
    """Zones of their own season, no fact draws another: the plain table says so each time."""
    drawn = grades.graded(kind, 0.0, KNOBS, 3, replicates=24)
    told = {name: values.mean() for name, values in drawn.items()}
    assert told["found"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 24)
    assert told["ratio"] == pytest.approx(1, abs=0.06)
    assert told["plain_found"] >= 0.9


def test_a_repeat_as_large_as_what_is_told_detectable_is_found_four_times_in_five() -> None:
    """A tenth of the facts draw another in cities with waves: the ratio is near the detectable."""
    drawn = grades.graded("sine", 0.13, KNOBS, 3, replicates=30)
    told = {name: values.mean() for name, values in drawn.items()}
    assert told["ratio"] == pytest.approx(told["detectable"], rel=0.06)
    assert 0.5 <= told["found"] <= 0.97


def test_dates_stay_in_their_zone_and_season() -> None:
    rng = np.random.default_rng(2)
    day, zone = np.sort(rng.integers(0, 365, 90)), rng.integers(0, 3, 90)
    facts = knox.Facts(rng.uniform(0, 900, 90), rng.uniform(0, 900, 90), day, zone)
    within = knox.strata(facts, 91)
    assert len(set(within.tolist())) == len(
        {(z, (d - day[0]) // 91) for z, d in zip(zone, day, strict=True)}
    )
    # One date a stratum: no shuffle can change a thing.
    same = knox.Facts(facts.x, facts.y, np.asarray(facts.day // 91 * 91), zone)
    pairs = knox.near_pairs(same, [200])
    null = knox.shuffled(pairs, same.day, knox.strata(same, 91), [4], 9, rng)
    assert (null == knox.table(pairs, same.day, [4])).all()
    free = knox.shuffled(pairs, same.day, np.zeros_like(zone), [4], 9, rng)
    assert not (free == null).all()


def test_risk_opens_around_a_recent_fact_and_expires() -> None:
    city = City(ROOT / "data/cities/marseille")
    end = (city.about.period.end - dt.date(1970, 1, 1)).days
    x, y = np.full(3, 3_930_100.0), np.full(3, 2_260_100.0)
    day = np.array([end - 2, end - 3, end - 30])
    facts = knox.Facts(x, y, day, np.zeros_like(day))
    band = {"from_m": 0, "to_m": 100, "from_days": 0, "to_days": 4, "ratio": 1.8}
    rows = knox.at_risk("bruit", facts, [band], city)
    assert [r["cell"] for r in rows] == ["CRS3035RES200mN2260000E3930000"]
    assert rows[0]["until"] == city.about.period.end + dt.timedelta(days=1)
    assert (rows[0]["days_left"], rows[0]["facts"]) == (1, 1), "trois jours passés : éteint demain"
    wide = knox.at_risk("bruit", facts, [band | {"to_m": 300}], city)
    assert {r["cell"] for r in rows} < {r["cell"] for r in wide}
    assert knox.at_risk("bruit", facts, [], city) == []


def test_order_of_the_rows_changes_no_byte_and_too_few_abstain(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    rows = []
    for number in range(120):
        day = dt.date(2024, 1, 1) + dt.timedelta(int(rng.integers(366)))
        lon, lat = 5.361 + rng.random() * 0.02, 43.291 + rng.random() * 0.01
        kind = "depot" if number < 20 else "tapage"
        rows.append(fact(number, nature=kind, debut=f"{day}T10:00:00", fin="", nombre="1",
                         lon=f"{lon:.5f}", lat=f"{lat:.5f}"))  # fmt: skip
    told = []
    for turn, order in enumerate((rows, rows[::-1])):
        built = build_made_up(tmp_path / str(turn), order)
        files = {"faits": built.out / "accepted/faits.parquet"}
        found, risk = knox.find(built.connect(), built.city, files, KNOBS, 7)
        told.append((found.to_pylist(), risk.to_pylist()))
        said = words.repeats(found, risk, built.city, KNOBS.minimum_count)
        assert "**Dépôts** : abstention (moins de 30 faits datés et placés par un point)." in said
    assert told[0] == told[1]
    of = {r["theme"]: r["status"] for r in told[0][0]}
    assert of == {"bruit": "ok", "depots": "abstained"}
    # What comes back at once in another source is another fact: the city's word, told as such.
    period = {"start": "2024-01-01", "end": "2024-12-31"}
    city = split.pack(tmp_path / "joined", split.joined(), period)
    said = words.repeats(found, risk, city, KNOBS.minimum_count)
    assert said.count("deux numéros d'appel, aucun renvoi.") == 1


def test_themes_are_judged_together() -> None:
    """Twenty themes without link, a hundred cities: one is found at most as often as said."""
    rng = np.random.default_rng(12)
    found = 0
    for _ in range(100):
        # Max-T makes the surest band of a theme uniform under chance.
        p = rng.random((20, 1)) + np.arange(3) * 0.01
        rows = [{"theme": f"t{i}", "p": float(v)} for i in range(20) for v in p[i]]
        found += any(row["proven"] for row in knox.together(rows, 0.05))
    assert found / 100 <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 100)
    sure = [{"theme": "a", "p": 0.001}, {"theme": "a", "p": 0.4}, {"theme": "b", "p": None}]
    told = knox.together([*sure, *({"theme": f"t{i}", "p": 0.5} for i in range(9))], 0.05)
    assert [row["proven"] for row in told[:3]] == [True, False, False]
