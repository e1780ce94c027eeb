"""params.yaml: misspelt keys and values out of bounds stop everything before it starts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.core.base.errors import PhareError
from helpers.core.stage import params
from tests.fixtures.real import ROOT

WRITTEN = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
KNOBS = [(stage, knob) for stage, block in WRITTEN.items() if block and isinstance(block, dict)
         for knob in block]  # fmt: skip


def workspace(folder: Path, content: dict[str, Any]) -> Path:
    """Return a root whose params.yaml holds `content`."""
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "dvc.yaml", folder / "dvc.yaml")
    if not (folder / "notebooks").exists():
        (folder / "notebooks").symlink_to(ROOT / "notebooks")
    return folder


def changed(stage: str, **knobs: Any) -> dict[str, Any]:
    return WRITTEN | {stage: WRITTEN[stage] | knobs}


def test_block_is_what_the_file_says() -> None:
    for stage, block in WRITTEN.items():
        if isinstance(block, dict):
            assert params.block(stage, ROOT) == block
    assert params.load(ROOT).seed == WRITTEN["seed"]


def test_a_room_types_its_block_and_the_file_is_read_each_time(tmp_path: Path) -> None:
    root = workspace(tmp_path, changed("hotspots", radius_m=777))
    assert params.knobs("hotspots", root).radius_m == 777
    assert params.knobs("hotspots", ROOT).radius_m == WRITTEN["hotspots"]["radius_m"]
    assert params.seed(root) == WRITTEN["seed"]


def test_a_block_alone_is_refused_like_the_whole_file() -> None:
    """An analyst's value, changed in place, meets the same bounds."""
    with pytest.raises(PhareError, match=r"hotspots\.radius_m") as caught:
        params.typed("hotspots", WRITTEN["hotspots"] | {"radius_m": -5}, "ici")
    assert "≥ 100" in caught.value.what
    assert caught.value.where == "ici"


@pytest.mark.parametrize("stage", ["hotspot", "seed", "load"])
def test_unknown_stage_is_named(stage: str) -> None:
    with pytest.raises(PhareError, match=stage):
        params.block(stage, ROOT)


@pytest.mark.parametrize(("stage", "knob"), KNOBS)
def test_misspelt_knob_is_refused_and_named(stage: str, knob: str, tmp_path: Path) -> None:
    block = {(f"{k}s" if k == knob else k): v for k, v in WRITTEN[stage].items()}
    with pytest.raises(PhareError) as caught:
        params.load(workspace(tmp_path, WRITTEN | {stage: block}))
    assert f"{stage}.{knob}" in str(caught.value)
    assert "params.yaml" in caught.value.where


def test_misspelt_block_is_refused_and_named(tmp_path: Path) -> None:
    content = {("hotspot" if k == "hotspots" else k): v for k, v in WRITTEN.items()}
    with pytest.raises(PhareError, match="hotspot"):
        params.load(workspace(tmp_path, content))


@pytest.mark.parametrize(
    ("stage", "knob", "value"),
    [
        ("ingest", "cell_size_m", 10),
        ("ingest", "cell_size_m", "deux cents"),
        ("ingest", "map_tolerance_m", -1),
        ("reliability", "silence_share", 0),
        ("reliability", "silence_share", 1),
        ("reliability", "located_min", [0.7, 0.9, 0.95]),
        ("reliability", "valid_min", [0.9, 0.98, 0.95]),
        ("reliability", "delay_max_days", [30, 7, 2]),
        ("reliability", "located_min", [0.9, 0.7]),
        ("trends", "window_weeks", 3),
        ("trends", "confidence", 95),
        ("hotspots", "radius_m", 5000),
        ("hotspots", "false_discovery_rate", 0),
        ("hotspots", "minimum_count", -1),
        ("rhythms", "max_interval_h", 169),
        ("rhythms", "thin_ratio", 1),
        ("situation", "periods_days", []),
        ("situation", "reference_periods", 2),
        ("situation", "confidence", 1),
    ],
)
def test_value_out_of_bounds_is_refused_and_named(
    stage: str, knob: str, value: Any, tmp_path: Path
) -> None:
    with pytest.raises(PhareError) as caught:
        params.load(workspace(tmp_path, changed(stage, **{knob: value})))
    assert stage in caught.value.what
    assert knob in caught.value.what


# Lines put in params.yaml as somebody would write them, and what the message must say.
LINES = [
    ("seed: -5", "≥ 0"),
    ("hotspots.window_days: 1000000000", "≤"),
    ("rhythms.window_days: 10000000", "≤"),
    ("situation.periods_days: [1, 7, 28, 1000000]", "≤"),
    ("situation.alert_periods_days: [1, 1000000]", "≤"),
    ("reliability.delay_weeks: 1000000000", "≤"),
    ("reliability.located_min: [.nan, 0.90, 0.70]", "fini"),
    ("reliability.valid_min: [1.5, 0.90, 0.70]", "≤ 1"),
    ("reliability.delay_max_days: [2, 7, 1.0e+300]", "≤"),
    ("reliability.delay_max_days: [2, 7, .inf]", "fini"),
    ("reliability.minimum_count: 1000000000000000000", "≤"),
    ("reliability.drift_psi: .inf", "fini"),
    ("repeats.maximum_pairs: 1000000000000000", "≤"),
    ("repeats.day_edges: [4, 100000]", "≤"),
    ("episodes.gap_levels_min: [5, 10000000]", "≤"),
    ("trends.criticality_thresholds: [5, .inf]", "fini"),
    ("trends.criticality_weights: {count: yes, severity: 1, trend: 1}", "un nombre"),
    ('situation.drill: "fiche_inconnue"', "fiche_inconnue"),
    ("repeats.permutations: 3:19", "nombre entier"),
    ("repeats.permutations: 0199", "nombre entier"),
    ("episodes.shift_weeks: yes", "nombre entier"),
    ("episodes.shift_weeks: '4'", "nombre entier"),
    ("episodes.threshold: '0.5'", "un nombre"),
    ("episodes.shift_weeks: 4.0", "nombre entier"),
    ("episodes.shift_weeks: -.nan", "nombre entier"),
    ("waves.default_grade: no", "default_grade"),
]


@pytest.mark.parametrize(("line", "told"), LINES, ids=[line for line, _ in LINES])
def test_line_is_refused_with_its_key_and_bound(line: str, told: str, tmp_path: Path) -> None:
    assert told in refusal_of(line, tmp_path)


def refusal_of(line: str, tmp_path: Path) -> str:
    """Return what is said of a params.yaml where the line, and no other, was changed."""
    path, value = line.split(": ", 1)
    *stage, knob = path.split(".")
    kept = [f"{name}: {json.dumps(block)}" for name, block in WRITTEN.items()
            if name not in (stage or [knob])]  # fmt: skip
    rest = {k: v for k, v in WRITTEN[stage[0]].items() if k != knob} if stage else {}
    inner = ", ".join([f"{knob}: {value}", *(f"{k}: {json.dumps(v)}" for k, v in rest.items())])
    kept.append(f"{stage[0]}: {{{inner}}}" if stage else line)
    root = workspace(tmp_path, {})
    (root / "params.yaml").write_text("\n".join(kept) + "\n", encoding="utf-8")
    with pytest.raises(PhareError) as caught:
        params.load(root)
    assert path in caught.value.what
    assert caught.value.where == "params.yaml"
    return caught.value.what


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    content = changed("hotspots", radius_m=-5, permutations="4")
    content["repeats"] = WRITTEN["repeats"] | {"significance": 7}
    with pytest.raises(PhareError) as caught:
        params.load(workspace(tmp_path, content))
    for key in ("hotspots.radius_m", "hotspots.permutations", "repeats.significance"):
        assert key in caught.value.what


def test_every_number_has_a_bound_on_each_side() -> None:
    """Read in the published schema, which the models make: no number runs to infinity."""
    described = params.whole(ROOT).model_json_schema()
    seen: list[str] = []

    def walk(where: str, node: Any) -> None:
        if not isinstance(node, dict):
            return
        if node.get("type") in ("integer", "number"):
            seen.append(where)
            assert {"minimum", "exclusiveMinimum"} & node.keys(), where
            assert {"maximum", "exclusiveMaximum"} & node.keys(), where
        for key, value in node.items():
            for i, inner in enumerate(value if isinstance(value, list) else [value]):
                walk(f"{where}.{key}.{i}", inner)

    # A stage without a room tells the kinds of its knobs alone: its notebook has no bounds.
    blocks = {k: v for k, v in described["$defs"].items() if not k.startswith("Knobs_")}
    walk("", {"seed": described["properties"]["seed"], "blocks": blocks})
    assert len(seen) > 60


@pytest.mark.parametrize("days", [[0], [-7], [7, 7]])
def test_period_that_is_no_period_is_refused(days: list[int], tmp_path: Path) -> None:
    with pytest.raises(PhareError):
        params.load(workspace(tmp_path, changed("situation", periods_days=days)))


@pytest.fixture
def without_room(tmp_path: Path) -> Path:
    """A root with a stage that has a notebook and no Python of its own."""
    said = 'city = "ici"\nn = 30  # faits\nz = 1.96\nnames = ["a"]\nword = ""'
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": said}
    book = tmp_path / "notebooks/today/essai_sql.ipynb"
    book.parent.mkdir(parents=True)
    book.write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    (tmp_path / "dvc.yaml").write_text("stages:\n  essai_sql: {}\n", encoding="utf-8")
    return tmp_path


GOOD = {"n": 31, "z": 2, "names": ["b", "c"], "word": "x"}


def blocks(folder: Path, **block: Any) -> Path:
    text = yaml.safe_dump({"seed": 1, "essai_sql": block}, sort_keys=False)
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    return folder


def test_without_a_room_the_notebook_tells_the_knobs(without_room: Path) -> None:
    root = blocks(without_room, **GOOD)
    assert params.block("essai_sql", root) == GOOD
    assert params.load(root).essai_sql.n == 31
    assert params.names("essai_sql", root) == list(GOOD)
    assert isinstance(params.block("essai_sql", root)["z"], int), "as written"


@pytest.mark.parametrize(
    ("change", "told"),
    [({"m": 1}, "clé inconnue"), ({"n": "trente"}, "valeur refusée"), ({"names": "a"}, "names"),
     ({"n": None}, "valeur refusée")],
)  # fmt: skip
def test_without_a_room_what_the_notebook_does_not_know_is_refused(
    change: dict[str, Any], told: str, without_room: Path
) -> None:
    with pytest.raises(PhareError, match=told) as caught:
        params.load(blocks(without_room, **(GOOD | change)))
    assert f"essai_sql.{next(iter(change))}" in caught.value.what


def test_one_thread_stage_block_and_notebook_bear_one_name() -> None:
    blocks = {name for name, value in WRITTEN.items() if isinstance(value, dict)}
    books = {p.stem for p in (ROOT / "notebooks").glob("*/*.ipynb") if p.parent.name != "apps"}
    assert set(STAGES) <= blocks
    assert blocks <= books
    for name, stage in STAGES.items():
        command = stage["do"]["cmd"] if "do" in stage else stage["cmd"]
        assert f" {name} " in f"{command} "
        about = stage.get("do", stage)
        assert name in about.get("params", []), f"l'étape {name} ne dépend pas de son bloc"


def test_every_knob_is_commented() -> None:
    lines = (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines()
    for _, knob in KNOBS:
        written = [line for line in lines if line.strip().startswith(f"{knob}:")]
        assert written
        assert all("#" in line for line in written), knob
