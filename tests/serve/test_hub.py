"""Analysts' JupyterHub: its settings, read as JupyterHub reads them, start what the clone holds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from traitlets.config import Config

from tests.fixtures.real import ROOT

SETTINGS = "templates/serve/jupyterhub_config.py"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Config:
    monkeypatch.setenv("PHARE_LABS", str(tmp_path))
    found = Config()
    read = compile((ROOT / SETTINGS).read_text(encoding="utf-8"), SETTINGS, "exec")
    exec(read, {"get_config": lambda: found})
    return found


def test_a_lab_is_that_of_the_account_and_has_our_settings(
    settings: Config, tmp_path: Path
) -> None:
    """The command, as the hub gives it, reaches the account's clone and its own environment."""
    lab = tmp_path / "analyste"
    said = lab / ".venv/bin/jupyter-labhub"
    said.parent.mkdir(parents=True)
    said.write_text('#!/bin/sh\npwd\necho "$PHARE_CITY"\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    said.chmod(0o755)
    spawner = settings.Spawner
    done = subprocess.run(
        [*spawner.cmd, *spawner.args, "--port=8123"], cwd="/", text=True, capture_output=True,
        check=True, env={**os.environ, **spawner.environment, "JUPYTERHUB_USER": "analyste"},
    )  # fmt: skip
    config, port = done.stdout.splitlines()[2:]
    assert done.stdout.splitlines()[:2] == [str(lab), "marseille"]
    assert (ROOT / config.removeprefix("--config=")).is_file()
    assert port == "--port=8123"
    assert spawner.notebook_dir.format(username="analyste") == str(lab)


def test_only_this_machine_reaches_it(settings: Config) -> None:
    assert settings.JupyterHub.bind_url.startswith("http://127.0.0.1:")
