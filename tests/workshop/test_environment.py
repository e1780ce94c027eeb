"""One lock for everybody: pip, conda, continuous integration."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ASKED = ["jupyterlab", "papermill", "voila", "ipywidgets", "duckdb", "altair", "dvc", "nbval"]
PIN = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+))?"
)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock() -> dict[str, set[str]]:
    """Return name → versions that requirements.lock pins (one for each Python, at times)."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        pin = PIN.match(line)
        if pin:
            found.setdefault(canonical(pin["name"]), set()).add(pin["version"])
    return found


def test_conda_installs_the_very_same_lock() -> None:
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    plain = [d for d in conda["dependencies"] if isinstance(d, str)]
    (pip,) = [d["pip"] for d in conda["dependencies"] if isinstance(d, dict)]
    assert pip == ["--require-hashes", "-r requirements.lock"]
    assert {re.split(r"[=<>]", d)[0] for d in plain} == {"python", "pip"}
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    (python,) = [d.removeprefix("python=") for d in plain if d.startswith("python=")]
    assert tuple(map(int, python.split("."))) >= tuple(map(int, wanted.strip(">=").split(".")))


def test_what_is_installed_is_what_the_lock_says() -> None:
    pinned = lock()
    installed = {canonical(d.metadata["Name"]): d.version for d in distributions()}
    extra = set(installed) - set(pinned) - {"phare", "pip", "setuptools"}
    assert extra == set()
    assert [n for n, v in installed.items() if n in pinned and v not in pinned[n]] == []
    assert set(ASKED) <= set(installed)


def test_every_pin_has_a_hash_and_no_host_is_named() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    assert len(blocks) > 100
    assert [b.split("\n")[0] for b in blocks if "--hash=sha256:" not in b] == []
    assert "://" not in text
    assert "--index-url" not in text


@pytest.mark.parametrize("target", ["help", ""])
def test_make_alone_explains_itself(target: str) -> None:
    done = subprocess.run(
        ["make", *([target] if target else [])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in ("run", "test", "lab", "apps", "audit", "figure", "status", "data"):
        assert f"make {name}" in done.stdout
