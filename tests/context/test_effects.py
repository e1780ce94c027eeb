"""Effects of places: coverage of the known truth, limits of other libraries, and what is refused.

The truth is the simulator's own: its quarters, its fields, its effects, drawn again many times.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import yaml
from scipy import sparse, special
from scipy.spatial import distance

from helpers.context import effects as context_effects
from helpers.context import levers, words
from helpers.context.knobs import Knobs
from helpers.core.base.errors import PhareError
from helpers.core.city import surroundings
from helpers.core.city.city import City
from helpers.core.city.surroundings import Dated, Feature, Surroundings
from helpers.core.place_time import places as place_time_places
from helpers.core.place_time.places import Places
from helpers.core.stage import params
from helpers.core.stats.fixed_effects import within
from helpers.core.stats.moran import global_moran, nearest, permutation_p
from helpers.core.stats.spatial_regression import Fit, fit, inflation
from helpers.simulate import truth_world
from helpers.simulate.base import LOG, PRESENCE, effect_of
from helpers.simulate.intensity import build_ground
from helpers.simulate.sources.surroundings import draw_held
from helpers.simulate.world import World, build_world
from helpers.workshop import schemas
from tests.fixtures.made_up import build_made_up, fact, write_pack
from tests.fixtures.real import ROOT
from tests.fixtures.tables import all_heard, silent, table_of_facts

PACK = ROOT / "data/cities/marseille"
Floats = npt.NDArray[np.float64]
KNOBS: Knobs = params.knobs("context", ROOT)
SEED = 1
EFFECTS = ("eclairage_pct", "commerces_n", "debits_boisson_n", "arrets_tc_n", "ecoles_n")
STEPS = np.array([10.0, 100.0, 10.0, 10.0, 5.0])


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Small matrices on a busy machine: several threads of algebra would wait for one another."""
    pools = pytest.importorskip("threadpoolctl", reason="threadpoolctl is absent: would be slow")
    with pools.threadpool_limits(1):
        yield


# --- Moran's I --------------------------------------------------------------------------------


def test_moran_of_st_louis_is_the_published_one() -> None:
    libpysal = pytest.importorskip("libpysal", reason="libpysal is absent: no published value")
    examples, read = libpysal.examples, libpysal.io.open
    neighbours = read(examples.get_path("stl.gal")).read()
    neighbours.transform = "r"
    rates = np.array(read(examples.get_path("stl_hom.txt")).by_col["HR8893"], dtype=float)
    found = global_moran(rates, sparse.csr_array(neighbours.sparse))
    assert found == pytest.approx(0.243656, abs=1e-6)


def test_nearest_are_those_of_another_library() -> None:
    libpysal = pytest.importorskip("libpysal", reason="libpysal is absent: weights not compared")
    points = np.random.default_rng(3).uniform(0, 1000, (60, 2))
    theirs, _ = libpysal.weights.KNN(points, 6).full()
    assert np.array_equal(nearest(points, 6).toarray(), theirs / 6)


def test_shuffles_find_chance_as_often_as_said_and_a_slope_always() -> None:
    rng = np.random.default_rng(8)
    points = rng.uniform(0, 1000, (80, 2))
    weights = nearest(points, 6)
    p = [permutation_p(rng.standard_normal(80), weights, 99, rng)[1] for _ in range(400)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert permutation_p(points[:, 0], weights, 99, rng)[1] == 0.01
    assert permutation_p(np.full(80, 2.0), weights, 99, rng)[1] == 1.0


# --- The regression beside other libraries ----------------------------------------------------


def drawn_design(seed: int, n: int = 111) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return np.column_stack([np.ones(n), rng.standard_normal((n, 3))]), rng.uniform(500, 5000, n)


def test_without_overdispersion_it_is_the_poisson_regression_of_statsmodels() -> None:
    """Counts closer to their mean than chance leave no variance to explain."""
    api = pytest.importorskip("statsmodels.api", reason="statsmodels is absent: no peer")
    design, exposure = drawn_design(1)
    counts = np.round(exposure * np.exp(design @ [-4, 0.3, 0, -0.2]))
    ours = fit(counts, design, exposure)
    theirs = api.GLM(counts, design, family=api.families.Poisson(), exposure=exposure).fit(
        tol=1e-12
    )
    assert (ours.own, ours.shared) == (0, 0)
    assert ours.coefficients == pytest.approx(theirs.params, abs=1e-8)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(theirs.bse, abs=1e-8)


def test_with_counts_without_number_it_is_least_squares_on_log_rates() -> None:
    api = pytest.importorskip("statsmodels.api", reason="statsmodels is absent: no peer")
    design, exposure = drawn_design(2)
    off = np.random.default_rng(2).normal(0, 0.6, 111)
    counts = np.round(1e7 * exposure * np.exp(design @ [-4, 0.3, 0, -0.2] + off))
    ours = fit(counts, design, exposure)
    theirs = api.OLS(np.log(counts / exposure), design).fit()
    assert ours.coefficients == pytest.approx(theirs.params, abs=1e-6)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(theirs.bse, rel=1e-5)
    assert ours.own == pytest.approx(theirs.scale, rel=1e-5)


def test_on_negative_binomial_counts_it_agrees_with_statsmodels() -> None:
    """Same variance law, another mixture: estimates agree within half a standard error."""
    discrete = pytest.importorskip("statsmodels.discrete.discrete_model", reason="no statsmodels")
    design, exposure = drawn_design(4, 400)
    rng = np.random.default_rng(4)
    mean = exposure * np.exp(design @ [-4, 0.3, 0, -0.2])
    counts = rng.poisson(mean * rng.gamma(1 / 0.15, 0.15, 400)).astype(float)
    theirs = discrete.NegativeBinomial(counts, design, exposure=exposure).fit(disp=0)
    ours = fit(counts, design, exposure)
    gap = np.abs(ours.coefficients - theirs.params[:-1])[1:]
    assert (gap < 0.5 * theirs.bse[1:-1]).all()
    assert np.sqrt(np.diag(ours.covariance))[1:] == pytest.approx(theirs.bse[1:-1], rel=0.15)
    assert np.expm1(ours.own) == pytest.approx(theirs.params[-1], rel=0.3)


def test_a_coefficient_without_bound_is_no_answer() -> None:
    """Facts only where the feature is: no finite coefficient is the most likely."""
    rng = np.random.default_rng(6)
    apart = (np.arange(111) < 20).astype(float)
    counts = np.where(apart > 0, rng.poisson(40, 111), 0).astype(float)
    found = fit(counts, np.column_stack([np.ones(111), apart]), np.ones(111))
    assert not found.converged
    places, rules = made_places({"a": apart, "b": rng.standard_normal(111)}), made_rules(["a", "b"])
    effects, check = context_effects.explain("bruit", counts, rules, places, KNOBS, SEED)
    assert (effects, check["status"]) == ([], "abstained")
    assert check["reason"] == "not_converged"


def test_inflation_is_that_of_the_inverse_correlations() -> None:
    rng = np.random.default_rng(5)
    columns = rng.standard_normal((50, 4))
    columns[:, 3] += 2 * columns[:, 0]
    expected = np.diag(np.linalg.inv(np.corrcoef(columns.T)))
    assert inflation(columns) == pytest.approx(expected, rel=1e-9)
    assert np.isinf(inflation(np.column_stack([columns, columns[:, 0] + 3]))[[0, 4]]).all()


# --- Coverage of the known truth --------------------------------------------------------------


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(PACK)


@pytest.fixture(scope="module")
def apart(world: World) -> tuple[Floats, Floats]:
    """The middles of the quarters (n, 2), and the distances between them, in metres."""
    where = world.territory
    count = len(where.quarters.code)
    size = np.bincount(where.quarter, where.area, count)
    middles = [np.bincount(where.quarter, axis * where.area, count) for axis in where.centres().T]
    points: Floats = np.column_stack(middles) / size[:, None]
    return points, distance.squareform(distance.pdist(points))


def covered(found: Fit, truth: Floats) -> npt.NDArray[np.bool_]:
    error = np.sqrt(np.diag(found.covariance))[1:]
    reach = special.stdtrit(found.freedom, 0.975) * error
    return np.asarray(np.abs(found.coefficients[1:] - truth) <= reach)


def true_effects(world: World, kind: str) -> Floats:
    """Return the true log effects of a step of each feature on one kind."""
    found = dict.fromkeys(EFFECTS, 0.0)
    for one in world.settings.world.surroundings:
        if kind in one.kinds:
            found[one.feature] = np.log(one.ratio) / one.step
    return np.array(list(found.values())) * STEPS


def redrawn(world: World, kind: str, seed: int, total: float) -> tuple[Floats, Floats, Floats]:
    """Return counts, design and exposure of the quarters of another simulated city."""
    where, rules = world.territory, world.settings
    count = len(where.quarters.code)
    ground = build_ground(where, rules.model_copy(update={"seed": seed}))
    zones = rules.sources.contexte_zone
    held = draw_held(zones, ground.lived_in(zones.falls_m), seed)
    effect = effect_of(kind, rules.world, ground, held)
    share = ground.intensity(LOG, rules.kinds[kind], PRESENCE, effect)
    mean = np.bincount(where.quarter[ground.cells], share, count) * total
    counts = np.random.default_rng(seed).poisson(mean).astype(float)
    features = np.column_stack([held.features[name] for name in EFFECTS])
    design = np.column_stack([np.ones(count), (features - features.mean(axis=0)) / STEPS])
    return counts, design, held.present.astype(float)


def test_intervals_cover_the_simulated_truth(world: World, apart: tuple[Floats, Floats]) -> None:
    """5 effects × 2 themes × 60 cities; without the shared part, one interval in ten misses."""
    distances = apart[1]
    reaches = context_effects.reaches_of(distances)
    ours, naive = [], []
    for kind, total in (("tapage_nocturne", 8000), ("degradation", 1500)):
        truth = true_effects(world, kind)
        assert np.count_nonzero(truth) == 1
        for seed in range(60):
            drawn = redrawn(world, kind, 5000 + seed, total)
            found = fit(*drawn, distances, reaches)
            assert found.converged
            ours.append(covered(found, truth))
            if seed < 30:
                naive.append(covered(fit(*drawn), truth))
    assert 0.93 <= np.mean(ours) <= 0.97
    assert np.mean(naive) < 0.93


def test_the_truth_tells_each_effect_once(world: World) -> None:
    told = next(table for name, table in truth_world.tables(world) if name == "context").to_pylist()
    assert len({(row["kind"], row["feature"]) for row in told}) == len(told) > 0
    for row in told:
        effects = true_effects(world, row["kind"]) / STEPS * row["step"]
        assert effects[EFFECTS.index(row["feature"])] == pytest.approx(np.log(row["ratio"]))


def test_effects_leave_the_law_of_concentration(world: World) -> None:
    """The variance by area of the log-intensity is that of the settings, whatever the effects."""
    area = world.ground.area
    sigma = -special.ndtri(world.settings.place.half_in_share)
    for kind in world.kinds:
        level = np.log(kind.place / area)
        mean = np.average(level, weights=area)
        spread = np.sqrt(np.average((level - mean) ** 2, weights=area))
        assert spread == pytest.approx(sigma, rel=0.12)


@pytest.mark.parametrize("alike", [False, True])
def test_coverage_where_features_and_the_rest_are_spatial(
    alike: bool, apart: tuple[Floats, Floats]
) -> None:
    """With neighbours alike, taking zones as separate covers three times in four: it is flagged."""
    points, distances = apart
    n = len(points)
    weights, reaches = nearest(points, 6), context_effects.reaches_of(distances)
    root = np.linalg.cholesky(np.exp(-distances / 3000) + 1e-9 * np.eye(n))
    truth = np.array([0.3, 0.0, -0.3, 0.0, 0.1])
    ours, naive, flagged, left = [], [], [], []
    for seed in range(60):
        rng = np.random.default_rng([int(alike), seed])
        features = rng.standard_normal((n, 5))
        rest = np.log(rng.gamma(1 / 0.8, 0.8, n))
        if alike:
            features = root @ features
            rest = 0.8 * (root @ rng.standard_normal(n)) + 0.4 * rng.standard_normal(n)
        exposure = rng.uniform(1000, 20_000, n)
        counts = rng.poisson(0.02 * exposure * np.exp(features @ truth + rest)).astype(float)
        design = np.column_stack([np.ones(n), features])
        found = fit(counts, design, exposure, distances, reaches)
        ours.append(covered(found, truth))
        naive.append(covered(fit(counts, design, exposure), truth))
        flagged.append(permutation_p(found.whole, weights, 99, rng)[1] <= 0.05)
        left.append(permutation_p(found.own_part, weights, 99, rng)[1] <= 0.05)
    assert np.mean(ours) == pytest.approx(0.95, abs=0.04)
    assert np.mean(left) <= 0.12
    if alike:
        assert np.mean(naive) < 0.85
        assert np.mean(flagged) > 0.9
    else:
        assert np.mean(naive) == pytest.approx(0.95, abs=0.04)
        assert np.mean(flagged) <= 0.15


def test_what_comes_and_goes_is_read_in_each_zone_alone() -> None:
    """Sites open where facts are many: between zones a false link, within each the true one."""
    hit, crude = [], []
    for seed in range(150):
        rng = np.random.default_rng([9, seed])
        level = rng.lognormal(1, 1, 60)
        present = (rng.random((60, 40)) < 0.1 * (level / level.mean())[:, None]).astype(float)
        season = np.exp(0.3 * np.sin(np.arange(40) / 6))
        noise = rng.gamma(4, 1 / 4, (60, 40))
        counts = rng.poisson(level[:, None] * season * np.exp(0.2 * present) * noise).astype(float)
        found = within(counts, present)
        assert found is not None
        hit.append(abs(found[0] - 0.2) <= special.stdtrit(59, 0.975) * found[1])
        crude.append(np.log(counts[present > 0].mean() / counts[present == 0].mean()))
    assert np.mean(hit) == pytest.approx(0.95, abs=0.05)
    assert np.mean(crude) > 0.6


def test_what_comes_and_goes_is_the_dummy_regression_of_statsmodels() -> None:
    api = pytest.importorskip("statsmodels.api", reason="statsmodels is absent: no peer")
    rng = np.random.default_rng(10)
    present = rng.integers(0, 3, (12, 9)).astype(float)
    counts = rng.poisson(4 * np.exp(0.3 * present)).astype(float)
    zone, week = (axis.ravel() for axis in np.indices(counts.shape))
    design = np.column_stack([present.ravel(), np.eye(12)[zone], np.eye(9)[week][:, 1:]])
    theirs = api.GLM(counts.ravel(), design, family=api.families.Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": zone, "use_correction": False}, tol=1e-12
    )
    found = within(counts, present)
    assert found is not None
    assert found[0] == pytest.approx(theirs.params[0], abs=1e-8)
    assert found[1] == pytest.approx(theirs.bse[0] * np.sqrt(12 / 11), rel=1e-6)
    heard = rng.random(counts.shape) < 0.8
    some = heard.ravel()
    theirs = api.GLM(counts.ravel()[some], design[some], family=api.families.Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": zone[some], "use_correction": False}, tol=1e-12
    )
    found = within(np.where(heard, counts, 0.0), present, heard)
    assert found is not None
    assert found[0] == pytest.approx(theirs.params[0], abs=1e-8)
    assert found[1] == pytest.approx(theirs.bse[0] * np.sqrt(12 / 11), rel=1e-6)
    assert within(counts, np.ones_like(counts)) is None
    assert within(counts, np.tile(np.arange(9.0), (12, 1))) is None, "les semaines le disent déjà"


# --- What a city declares ---------------------------------------------------------------------


def declared(folder: Path, **changes: Any) -> City:
    """Return the simulated city's pack with its `context.yaml` changed."""
    pack = folder / "marseille"
    shutil.copytree(PACK, pack)
    written = yaml.safe_load((PACK / surroundings.FILE).read_text(encoding="utf-8"))
    for path, value in changes.items():
        place = written
        *parents, last = path.split("__")
        for key in parents:
            place = place[key]
        place[last] = value
    text = yaml.safe_dump(written, allow_unicode=True)
    (pack / surroundings.FILE).write_text(text, encoding="utf-8")
    return City(pack)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features__arrets__field": "defaveur_q"}, "jamais un prédicteur"),
        ({"features__arrets__field": "revenu_median"}, "jamais un prédicteur"),
        ({"features__arrets__field": "qpv"}, "jamais un prédicteur"),
        ({"exposure__field": "revenu_median"}, "jamais un prédicteur"),
        ({"features__arrets__label": "Taux de pauvreté"}, "jamais un prédicteur"),
        ({"features__arrets__field": "pop"}, "une taille"),
        ({"features__arrets__field": "menages"}, "une taille"),
        ({"features__arrets__field": "zone_id"}, "pas un nombre"),
        ({"features__arrets__field": "absent_n"}, "n'existe pas"),
        ({"features__chantiers__dated__field": "absent"}, "n'existe pas"),
        ({"features__chantiers__field": "ecoles_n"}, "non les deux"),
        ({"division": "communes"}, "n'existe pas"),
        ({"features__arrets__step": 0}, "step"),
        ({"features__arrets__acteur": "RTM"}, "clé inconnue"),
    ],
)
def test_what_may_not_be_a_feature_is_refused(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(PhareError, match=said) as refused:
        surroundings.read_surroundings(declared(tmp_path, **changes))
    assert surroundings.FILE in str(refused.value)


def test_deprivation_under_another_name_is_known_by_its_contract(tmp_path: Path) -> None:
    city = declared(tmp_path, features__arrets__field="indice_7")
    path = city.pack / "contracts/contexte_zone.yaml"
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    contract["fields"]["indice_7"] = contract["fields"].pop("defaveur_q")
    path.write_text(yaml.safe_dump(contract, allow_unicode=True), encoding="utf-8")
    with pytest.raises(PhareError, match="jamais un prédicteur"):
        surroundings.read_surroundings(City(city.pack))


def test_a_feature_is_added_without_code(tmp_path: Path) -> None:
    more = {
        "label": "logements récents", "more": "1 de plus", "field": "surface_km2", "step": 1,
        "expected": "more", "actor": "Urbanisme", "lever": "plan local",
    }  # fmt: skip
    rules = surroundings.read_surroundings(declared(tmp_path, features__surface=more))
    assert rules is not None
    assert rules.features["surface"].actor == "Urbanisme"


def test_the_published_schema_is_that_of_the_model() -> None:
    path = ROOT / schemas.FOLDER / "contexte.schema.json"
    assert path.read_text(encoding="utf-8") == schemas.schema(Surroundings)


def test_simulation_has_no_effect_of_hardship(tmp_path: Path) -> None:
    pack = tmp_path / "marseille"
    shutil.copytree(PACK, pack)
    written = yaml.safe_load((PACK / "simulation.yaml").read_text(encoding="utf-8"))
    written["world"]["surroundings"][0]["feature"] = "defaveur_q"
    text = yaml.safe_dump(written, allow_unicode=True)
    (pack / "simulation.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PhareError, match="surroundings"):
        build_world(pack)


# --- The stage --------------------------------------------------------------------------------


def made_rules(names: list[str], dated: list[str] | None = None) -> Surroundings:
    about = {"label": "L", "more": "1 de plus", "step": 1, "expected": "more", "actor": "La voirie",
             "lever": "agir"}  # fmt: skip
    when = {"source": "s", "field": "f", "values": ["v"], "start": "a", "end": "b"}
    features: dict[str, Any] = {n: {**about, "label": f"traits {n}", "field": n} for n in names}
    features |= {n: {**about, "dated": when} for n in dated or []}
    return Surroundings.model_validate(
        {"source": "s", "division": "carres", "zone": "z", "features": features,
         "exposure": {"field": "e", "label": "habitant"}}
    )  # fmt: skip


def made_places(features: dict[str, Floats], exposure: Floats | None = None) -> Places:
    n = len(next(iter(features.values())))
    rng = np.random.default_rng(0)
    codes = [f"Z{i:03d}" for i in range(n)]
    size = np.full(n, 1000.0) if exposure is None else exposure
    names = [f"Zone {i}" for i in range(n)]
    return Places(codes, names, rng.uniform(0, 10_000, (n, 2)), size, features, [], {}, 0)


def test_features_that_cannot_be_told_apart_are_named() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 80))
    few = np.zeros(80)
    few[:5] = 1
    unknown = a.copy()
    unknown[3] = np.nan
    features = {"a": a, "b": b, "c": a + 0.1 * rng.standard_normal(80), "few": few, "u": unknown}
    places, rules = made_places(features), made_rules(list(features))
    counts = rng.poisson(30 * np.exp(0.5 * b)).astype(float)
    effects, check = context_effects.explain("bruit", counts, rules, places, KNOBS, SEED)
    rows = {row["feature"]: row for row in effects}
    apart = {
        "a": ("like_another_feature", "ne se distingue pas de « traits c »"),
        "c": ("like_another_feature", "ne se distingue pas de « traits a »"),
        "few": ("hardly_varies", "ne varie que dans 5 zones"),
        "u": ("unknown_in_zones", "non renseigné pour 1 zones"),
    }
    for name, (code, why) in apart.items():
        assert (rows[name]["status"], rows[name]["reason"]) == ("abstained", code)
        assert words.why_apart(rows[name], rules) == why
    assert (rows["b"]["status"], rows["b"]["reason"]) == ("ok", "")
    assert check["status"] == "ok"
    (own,) = (row for row in effects if row["feature"] == "b")
    assert own["low"] < np.exp(0.5) < own["high"]
    # Exactly the same twice: one of the two leaves the fit, and neither has an effect.
    twins = made_places({"a": a, "b": b, "c": a})
    effects, check = context_effects.explain("bruit", counts, rules, twins, KNOBS, SEED)
    assert [row["status"] for row in effects] == ["abstained", "ok", "abstained"]
    thin, check = context_effects.explain("bruit", np.ones(80), rules, twins, KNOBS, SEED)
    assert (thin, check["status"]) == ([], "abstained")
    assert check["reason"] == "too_few"
    needed = "80\u00a0faits d'une origine retenue (`origins`) ; il en faut 200"
    assert words.why_none(check, KNOBS) == needed


def test_a_pack_without_features_abstains(tmp_path: Path) -> None:
    city = write_pack(tmp_path)
    con = duckdb.connect()
    assert surroundings.read_surroundings(city) is None
    effects, checks = context_effects.find(con, city, None, None, KNOBS, SEED)
    assert effects.num_rows == 0
    assert {row["reason"] for row in checks.to_pylist()} == {"no_context"}
    assert checks.num_rows == len(city.themes)
    assert levers.by_zone(con, city, None, None, effects, KNOBS).num_rows == 0
    told = words.in_words(effects, checks, None, city, KNOBS)
    assert "**Bruit** : abstention (pas de couche de contexte)" in told


@pytest.mark.parametrize("name", ["denver", "france", "paris", "marseille_ouvert"])
def test_real_packs_have_no_features_yet(name: str) -> None:
    city = City(ROOT / "data/cities" / name)
    assert surroundings.read_surroundings(city) is None
    assert context_effects.sources_of(None) == []


def city_of_zones(folder: Path, n: int) -> tuple[City, Surroundings, Places, list[dict[str, Any]]]:
    """Return a made-up city whose facts follow one feature, and agents' records another."""
    rng = np.random.default_rng(4)
    bars, lamps = rng.integers(0, 12, (2, n)).astype(float)
    places = made_places({"bars": bars, "lamps": lamps}, rng.uniform(800, 1200, n))
    mean = 10 * np.exp(0.25 * (bars - 6))
    rows = []
    for code, number, seen in zip(
        places.codes, rng.poisson(mean), rng.poisson(5 * lamps), strict=True
    ):
        usual = {"zone_carres": code, "hour": "2024-06-03 10:00:00"}
        rows += [{**usual, "n": int(number)}, {**usual, "n": int(seen), "origin": "agent"}]
    return write_pack(folder), made_rules(["bars", "lamps"]), places, rows


def test_one_sentence_a_zone_names_who_can_act(tmp_path: Path) -> None:
    city, rules, places, rows = city_of_zones(tmp_path, 60)
    con = duckdb.connect()
    table_of_facts(con, rows)
    all_heard(con)
    effects, checks = context_effects.find(con, city, rules, places, KNOBS, SEED)
    noise = [row for row in effects.to_pylist() if row["theme"] == "bruit"]
    assert [(row["feature"], row["found"]) for row in noise] == [("bars", True), ("lamps", False)]
    assert noise[0]["low"] < np.exp(0.25) < noise[0]["high"]
    assert [row["status"] for row in checks.to_pylist()] == ["ok", "abstained"]
    zones = levers.by_zone(con, city, rules, places, effects, KNOBS).to_pylist()
    usual = np.median(places.features["bars"])
    for row, bars in zip(zones, places.features["bars"], strict=True):
        assert (row["status"] == "ok") == (bars > usual)
        told = words.sentence(row, rules, city)
        assert told.startswith(row["name"])
        assert ("Qui peut agir : La voirie (agir)" in told) == (bars > usual)
    told = words.in_words(effects, checks, rules, city, KNOBS)
    assert "avec 1 de plus, ×1," in told
    unexpected = replace_expected(rules, "fewer")
    nobody = levers.by_zone(con, city, unexpected, places, effects, KNOBS).to_pylist()
    assert {row["status"] for row in nobody} == {"abstained"}
    assert "à l'inverse de l'attendu" in words.in_words(effects, checks, unexpected, city, KNOBS)


def test_weeks_when_a_zone_was_not_heard_are_no_zero(tmp_path: Path) -> None:
    """Where bars are many the source fell silent for half a year: their effect is what it was."""
    city, rules, places, rows = city_of_zones(tmp_path, 60)
    full = places.features["bars"] >= 6
    those = [code for code, many in zip(places.codes, full, strict=True) if many]
    for row in rows:
        row["n"] = row["n"] // 2 if row["zone_carres"] in those else row["n"]
    con = duckdb.connect()
    table_of_facts(con, rows)
    all_heard(con)
    mondays = [dt.date(2024, 1, 1) + dt.timedelta(weeks=i) for i in range(26)]
    silent(con, "faits", those, mondays)
    effects, _ = context_effects.find(con, city, rules, places, KNOBS, SEED)
    bars = effects.to_pylist()[0]
    assert bars["low"] < np.exp(0.25) < bars["high"]


def replace_expected(rules: Surroundings, way: str) -> Surroundings:
    changed = {
        name: Feature.model_validate({**one.model_dump(), "expected": way})
        for name, one in rules.features.items()
    }
    return rules.model_copy(update={"features": changed})


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    city, rules, places, rows = city_of_zones(tmp_path, 45)
    results: list[list[pa.Table]] = []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(len(rows))
        con = duckdb.connect()
        table_of_facts(con, [rows[i] for i in order])
        all_heard(con)
        effects, checks = context_effects.find(con, city, rules, places, KNOBS, SEED)
        zones = levers.by_zone(con, city, rules, places, effects, KNOBS)
        results.append([effects, checks, zones])
    assert all(result == results[0] for result in results)


def test_places_are_read_from_the_accepted_rows(tmp_path: Path) -> None:
    """A zone without exposure is left out and counted; what is dated is placed week by week."""
    built = build_made_up(tmp_path, [fact(1)])
    con = built.connect()
    con.execute(
        "CREATE TABLE s AS SELECT * FROM (VALUES ('D', 10.0, 3), ('A', 20.0, 1), ('B', 0.0, 2), "
        "('C', 30.0, 5), ('X', 9.0, 9)) t(z, e, bars)"
    )
    con.execute(
        "CREATE TABLE travaux AS SELECT * FROM (VALUES "
        "('v', 5.366, 43.294, TIMESTAMP '2024-12-16 07:00', TIMESTAMP '2024-12-22 18:00'), "
        "('v', 5.366, 43.294, TIMESTAMP '2024-12-17 07:00', TIMESTAMP '2024-12-23 18:00'), "
        "('autre', 5.366, 43.294, TIMESTAMP '2024-12-16 07:00', TIMESTAMP '2024-12-29 18:00'), "
        "('v', NULL, NULL, TIMESTAMP '2024-12-16 07:00', TIMESTAMP '2024-12-29 18:00')) "
        "t(f, longitude, latitude, a, b)"
    )
    rules = made_rules(["bars"], ["sites"])
    site = Dated(source="travaux", field="f", values=("v",), start="a", end="b")
    dated = rules.features["sites"].model_copy(update={"dated": site})
    rules = rules.model_copy(update={"features": {**rules.features, "sites": dated}})
    places = place_time_places.read_places(con, built.city, rules, 28)
    assert places.codes == ["A", "C", "D"]
    assert places.left_out == 1
    assert places.features["bars"].tolist() == [1, 5, 3]
    assert places.exposure.tolist() == [20, 30, 10]
    assert [str(day) for day in places.weeks] == ["2024-12-09", "2024-12-16", "2024-12-23"]
    assert places.weekly["sites"].tolist() == [[0, 2, 1], [0, 0, 0], [0, 0, 0]]
