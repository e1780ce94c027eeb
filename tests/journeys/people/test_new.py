"""A theme, a source and a city more, by three commands, run end to end; the code is not touched."""

from __future__ import annotations

import shutil

import duckdb
import yaml

from tests.journeys.place import Place


def test_three_commands_make_a_city_that_runs(built: Place) -> None:
    before = built.git("status", "--porcelain", "src")
    register = built.root / "data/cities/active.yaml"
    text, lock = register.read_text(encoding="utf-8"), (built.root / "dvc.lock").read_bytes()
    try:
        for arguments in (
            ("city", "port_neuf"),
            ("source", "bornes", "--city", "port_neuf"),
            ("theme", "appels", "--city", "port_neuf", "--source", "bornes"),
        ):
            done = built.python("helpers.workshop.new", *arguments)
            assert done.returncode == 0, done.stderr
            assert "make run CITY=port_neuf" in done.stdout
        done = built.run("port_neuf")
        assert done.returncode == 0, done.stdout + done.stderr
        data = built.root / "data/port_neuf"
        cube = duckdb.sql(f"SELECT DISTINCT theme FROM '{data / 'cube.parquet'}'").fetchall()
        assert {theme for (theme,) in cube} == {"bruit", "depots", "appels"}
        states = duckdb.sql(
            f"SELECT theme, state FROM '{data / 'derived/waves/states.parquet'}'"
        ).fetchall()
        assert dict(states).keys() == {"bruit", "depots", "appels"}
        assert len(list((data / "figures").glob("*/*.svg"))) >= 8
        report = (data / "reports/trends.html").read_text(encoding="utf-8")
        assert "Traceback" not in report
        assert built.git("status", "--porcelain", "src") == before
        assert "port_neuf" in yaml.safe_load(register.read_text(encoding="utf-8"))["cities"]
    finally:
        shutil.rmtree(built.root / "data/cities/port_neuf", ignore_errors=True)
        register.write_text(text, encoding="utf-8")
        (built.root / "dvc.lock").write_bytes(lock)
