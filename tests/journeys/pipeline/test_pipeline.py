"""The analyst's and the auditor's journeys through the pipeline, commands as people give them."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import duckdb
import yaml

from tests.journeys.place import (
    ALL,
    CITY,
    FIGURES,
    Place,
    bytes_of,
    changed,
    one_byte_off,
    stages_run,
)


def test_first_run_makes_every_figure_and_says_where(built: Place) -> None:
    said = (built.root / "first_run.txt").read_text(encoding="utf-8")
    assert stages_run(said) == ALL
    assert "Terminé en" in said
    assert f"data/{CITY}/figures/" in said
    drawn = {p.name for p in (built.data / "figures").glob("*/*.svg")}
    assert "hotspots_map.svg" in drawn
    assert len(drawn) >= FIGURES
    status = built.python("dvc", "status")
    assert "up to date" in status.stdout


def test_nothing_changed_nothing_runs(built: Place) -> None:
    done = built.run()
    assert done.returncode == 0
    assert stages_run(done.stdout) == set()


def test_one_parameter_reruns_only_what_depends_on_it(built: Place) -> None:
    with changed(built.root / "params.yaml", "smallest_group: 5", "smallest_group: 6"):
        done = built.run()
        assert done.returncode == 0, done.stderr
        assert stages_run(done.stdout) == {"uniqueness", "evidence"}
    back = built.run()
    assert back.returncode == 0
    assert stages_run(back.stdout) == set(), "the former results are found again, not computed"


def test_changing_a_comment_of_the_parameters_reruns_nothing(built: Place) -> None:
    with changed(built.root / "params.yaml", "# voisinage", "# voisinage immédiat"):
        assert stages_run(built.run().stdout) == set()


def test_status_is_one_json_object_and_adds_up(built: Place) -> None:
    done = built.python("helpers.workshop.status", CITY, "--json")
    found = json.loads(done.stdout)
    assert set(found) == {"city", "run", "sources", "themes", "stages"}
    assert found["run"] is None
    assert found["city"] == CITY
    for source in found["sources"].values():
        apart = {"accepted", "duplicates", "replaced", "out_of_period"}
        assert set(source) == {"rows_in", "quarantined", *apart}
        parts = [source[fate] for fate in apart]
        assert source["rows_in"] == sum(parts) + sum(source["quarantined"].values())
    states = {theme["state"] for theme in found["themes"].values()}
    assert "active" in states
    assert states <= {"active", "pilot", "suspended", "not_yet"}
    assert set(found["stages"]) == ALL
    lock = yaml.safe_load((built.root / "dvc.lock").read_text())["stages"]
    for name, stage in found["stages"].items():
        assert stage["state"] == "done"
        assert stage["seconds"] > 0
        told = {path: out["hash"] for path, out in stage["outs"].items()}
        assert told == {out["path"]: out["md5"] for out in lock[f"{name}@{CITY}"]["outs"]}
        assert {out["level"] for out in stage["outs"].values()} <= {"A", "B", "C"}


def test_status_of_a_city_that_never_ran(built: Place) -> None:
    before = (built.root / "data/cities/active.yaml").read_text()
    found = json.loads(built.python("helpers.workshop.status", "denver", "--json").stdout)
    assert {stage["state"] for stage in found["stages"].values()} == {"not_yet"}
    assert (built.root / "data/cities/active.yaml").read_text() == before


DAMAGED = (
    "raw/main_courante.parquet", "derived/trends/levels.parquet",
    "figures/hotspots/hotspots_map.svg",
)  # fmt: skip


def test_one_damaged_byte_is_caught_and_named(built: Place) -> None:
    """One in a raw file, one in a table, one in a drawing: each is named, and nothing else."""
    with contextlib.ExitStack() as damages:
        for name in DAMAGED:
            damages.enter_context(one_byte_off(built.data / name))
        said = built.python("helpers.workshop.status", CITY).stdout
    named = [line.split(" : ")[1] for line in said.splitlines() if "abîmé" in line]
    assert sorted(named) == sorted(f"data/{CITY}/{name}" for name in DAMAGED)
    assert "changé" in said
    assert "abîmé" not in built.python("helpers.workshop.status", CITY).stdout


def test_misspelt_parameter_is_refused_before_anything_runs(built: Place) -> None:
    before = bytes_of(built.data)
    with changed(built.root / "params.yaml", "radius_m:", "raduis_m:"):
        done = built.run()
    assert done.returncode == 1
    assert "raduis_m" in done.stderr
    assert "params.yaml" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert bytes_of(built.data) == before


def test_unknown_city_is_refused_and_the_known_ones_named(built: Place) -> None:
    done = built.run("atlantis")
    assert done.returncode == 1
    assert "ville inconnue" in done.stderr
    assert "marseille_ouvert" in done.stderr
    assert "atlantis" not in done.stderr, "what was typed in vain may be a password or somebody"
    assert not (built.root / "data/atlantis").exists()


def test_missing_source_file_is_named_and_nothing_is_half_written(
    built: Place, tmp_path: Path
) -> None:
    register = (built.root / "data/cities/active.yaml").read_text()
    done = built.run("denver", PHARE_FROM=str(tmp_path))
    assert (built.root / "data/cities/active.yaml").read_text() == register
    assert done.returncode == 1
    assert "neighborhoods.geojson" in done.stderr
    assert "make data CITY=denver FROM=" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    written = [p for p in (built.root / "data/denver").rglob("*") if p.is_file()]
    assert [p for p in written if "failed" not in p.parts] == []
    shutil.rmtree(built.root / "data/denver")


def test_a_cell_that_raises_is_told_and_the_previous_results_stay(built: Place) -> None:
    before = bytes_of(built.data / "figures" / "hotspots")
    notebook = built.root / "notebooks/yesterday/hotspots.ipynb"
    with changed(notebook, "found = cells.find(", "1 / 0\\nfound = cells.find("):
        done = built.run()
        assert done.returncode == 1
        what, where, todo = [line for line in done.stderr.splitlines() if line.strip()]
        assert "ZeroDivisionError" in what
        assert "notebooks/yesterday/hotspots.ipynb" in where
        assert "cellule" in where
        assert "radius_m=400" in where
        assert f"data/{CITY}/failed/hotspots.ipynb" in todo
        broken = json.loads((built.data / "failed/hotspots.ipynb").read_text())
        raised = [o for c in broken["cells"] for o in c.get("outputs", []) if "ename" in o]
        assert raised[0]["ename"] == "ZeroDivisionError"
        assert bytes_of(built.data / "figures" / "hotspots") == before
    assert stages_run(built.run().stdout) == set()


def test_figure_again_from_its_ancestors_alone_and_the_first_divergence(
    built: Place, tmp_path: Path
) -> None:
    before = bytes_of(built.data)
    done = built.again("refigure", "waves_states", copy=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert stages_run(done.stdout) == {"collect", "ingest", "reliability", "waves"}
    assert "Identique" in done.stdout
    assert bytes_of(built.data) == before
    evidence = json.loads((built.data / "figures/waves/waves_states.evidence.json").read_text())
    asked = (evidence["passport"], "--city", CITY)
    with one_byte_off(built.data / "cube.parquet"):
        done = built.again("refigure", *asked, copy=tmp_path, made=True)
    assert done.returncode == 1
    assert f"Première divergence : étape ingest, data/{CITY}/cube.parquet" in done.stdout


def test_unknown_figure(built: Place) -> None:
    done = built.python("helpers.workshop.refigure", "no_such_figure")
    assert done.returncode == 2
    assert "evidence" in done.stderr, "where the names are"
    assert "no_such_figure" not in done.stderr + done.stdout


def test_evidence_leads_from_the_figure_to_the_files_as_received(built: Place) -> None:
    evidence = json.loads((built.data / "figures/trends/trends_weekly.evidence.json").read_text())
    assert evidence["simulated"] is True
    assert evidence["commit"] == built.git("rev-parse", evidence["commit"]).strip()
    assert evidence["parameters"]["window_weeks"] == 52
    assert evidence["notebook"] == "notebooks/yesterday/trends.ipynb"
    cell = evidence["cell"]["first_line"]
    assert cell in (built.root / evidence["notebook"]).read_text(encoding="utf-8")
    receipts = json.loads((built.data / "raw/receipts.json").read_text())
    told = {name: one["files"] for name, one in evidence["received"].items()}
    assert {(n, f["file"]): f["sha256"] for n, files in told.items() for f in files} == {
        (n, f["file"]): f["sha256"] for n, one in receipts.items() for f in one["files"]
    }
    made = set(evidence["stages"])
    assert made == {"collect", "ingest", "reliability", "waves", "patrol"}
    assert "données simulées" in (built.data / "figures/trends/trends_weekly.svg").read_text()
    assert evidence["passport"] in (built.data / "figures/trends/trends_weekly.svg").read_text()


def test_every_figure_and_report_says_that_data_are_simulated(built: Place) -> None:
    pages = [*built.data.glob("figures/*/*.svg"), *built.data.glob("reports/*.html")]
    assert len(pages) >= FIGURES + len(ALL)
    silent = [p.name for p in pages if "données simulées" not in p.read_text(encoding="utf-8")]
    assert silent == []


def test_nothing_refused_at_the_door_is_anywhere(built: Place) -> None:
    """The simulated log plants agents' numbers and free text; the city's files hold none of it."""
    planted = ("AG-0", "Texte fictif", "@exemple.invalid")
    kept = [p for p in (built.root / ".dvc" / "cache").rglob("*") if p.is_file()]
    kept += [p for p in built.data.rglob("*") if p.is_file()]
    contents = {path.read_bytes(): path for path in kept}  # a result and its copy in the cache
    tables = [path for content, path in contents.items() if content[:4] == b"PAR1"]
    assert len(tables) > 20
    for content, path in contents.items():
        assert not any(text.encode() in content for text in planted), path
    told = " OR ".join(f"contains(CAST(to_json(t) AS VARCHAR), '{text}')" for text in planted)
    for path in tables:
        found = duckdb.execute(f"SELECT count(*) FROM read_parquet('{path}') t WHERE {told}")
        assert found.fetchall() == [(0,)], path


def test_audit_finds_everything_identical_and_then_a_damaged_byte(
    built: Place, tmp_path: Path
) -> None:
    """Cells are read again of few reports: `test_analyst` reads those of all notebooks."""
    done = built.again("audit", CITY, copy=tmp_path, read="collect waves results")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100 %" in done.stdout
    assert " passed" in done.stdout, "cell by cell"
    report = tmp_path / f"phare/data/{CITY}/reports/waves.ipynb"
    with (
        one_byte_off(built.data / "figures/rhythms/rhythms_week.png"),
        changed(report, "waves_states (", "waves_other ("),
    ):
        done = built.again("audit", CITY, copy=tmp_path, made=True, read="waves")
    assert done.returncode == 1
    assert "figures/rhythms/rhythms_week.png : diffère" in done.stdout
    assert "reports/waves.ipynb : diffère" in done.stdout
    assert done.stdout.count("diffère") == 2
    assert "(99 %)" in done.stdout, "never rounded up to all"
    assert "1 failed" in done.stdout
    assert "waves.ipynb::Cell" in done.stdout


def test_audit_refuses_what_is_not_committed(built: Place) -> None:
    with changed(built.root / "params.yaml", "radius_m: 400", "radius_m: 500"):
        done = built.python("helpers.workshop.audit", CITY)
    assert done.returncode == 2
    assert "params.yaml" in done.stderr
