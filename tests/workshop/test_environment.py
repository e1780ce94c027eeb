"""One lock for everybody: pip, conda, continuous integration."""

from __future__ import annotations

import re
import shutil
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


# --- scripts/install, with commands that tell how they were called and do nothing else ---

TOOLS = ("bash", "env", "awk", "cat", "chmod", "dirname", "mkdir", "mktemp", "rm")
UV = """#!/usr/bin/env bash
echo "uv $*" >> "$CALLS"
if [ "$1" = cache ]; then echo "$CACHE"; fi
if [ "$2" = sync ]; then
  echo "no_cache=${UV_NO_CACHE:-} index=${UV_DEFAULT_INDEX:-}" >> "$CALLS"
  test -z "${UV_FAILS:-}" || exit 2
fi
"""
PIP = """#!/usr/bin/env bash
echo "pip $*" >> "$CALLS"
if [ "$1" = config ]; then echo "${PIP_SAYS:-}"; fi
for last; do true; done
case $last in /dev/fd/*|/proc/*)
  cat "$last" >> "$CALLS"
  test -z "${NO_UV:-}" || exit 1
  cp "$STUBS/uv" .venv/bin/uv
esac
"""
PYTHON = """#!/usr/bin/env bash
if [ "$1" = -c ]; then exit "${OLD:-0}"; fi
mkdir -p .venv/bin
if [ -n "${NO_VENV:-}" ]; then exit 1; fi
cp "$STUBS/pip" .venv/bin/pip
"""
LOCK = """tqdm==4.67.1 \\
    --hash=sha256:aa
    # via dvc
uv==0.13.9 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via phare (pyproject.toml)
uvicorn==0.1 \\
    --hash=sha256:dd
"""


def installed(
    folder: Path, *, uv: bool, **env: str
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run scripts/install in `folder`; return how it ended, and the calls made."""
    stubs, path = folder / "stubs", folder / "path"
    for made in (stubs, path):
        made.mkdir()
    for name, text in {"uv": UV, "pip": PIP, "python3": PYTHON}.items():
        (stubs / name).write_text(text)
        (stubs / name).chmod(0o755)
    for name in (*TOOLS, "cp"):
        (path / name).symlink_to(shutil.which(name) or name)
    for name in ("python3", *(["uv"] if uv else [])):
        (path / name).symlink_to(stubs / name)
    (folder / "requirements.lock").write_text(LOCK)
    calls = folder / "calls"
    calls.touch()
    told = {"PATH": str(path), "STUBS": str(stubs), "CALLS": str(calls)}
    done = subprocess.run(
        [str(ROOT / "scripts/install"), "python3"],
        cwd=folder, env={"CACHE": str(folder / "cache"), **told, **env},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done, calls.read_text()


def by_whom(calls: str) -> tuple[bool, bool]:
    """Return whether uv, then pip, was asked for the whole lock."""
    return "--require-hashes requirements.lock" in calls, "--require-hashes -r req" in calls


def test_uv_at_hand_installs_the_lock_and_pip_nothing(tmp_path: Path) -> None:
    done, calls = installed(tmp_path, uv=True)
    assert done.returncode == 0, done.stderr
    assert by_whom(calls) == (True, False)
    assert "pip --quiet" not in calls
    assert re.search(r"uv pip install .*--no-deps --no-build-isolation -e \.", calls)
    assert re.search(r"installé par uv en \d+ s", done.stdout)


def test_without_uv_the_one_of_the_lock_is_installed_by_its_hashes(tmp_path: Path) -> None:
    done, calls = installed(tmp_path, uv=False)
    assert done.returncode == 0, done.stderr
    assert by_whom(calls) == (True, False)
    assert "--no-deps --require-hashes -r /" in calls
    pins = re.findall(r"^(?:\w+==|    --hash=sha256:).*", calls, re.MULTILINE)
    assert [p.strip(" \\") for p in pins] == [
        "uv==0.13.9", "--hash=sha256:bb", "--hash=sha256:cc",
    ]  # fmt: skip


@pytest.mark.parametrize("env", [{"NO_UV": "1"}, {"UV_FAILS": "1"}])
def test_pip_takes_over_and_it_is_said(tmp_path: Path, env: dict[str, str]) -> None:
    done, calls = installed(tmp_path, uv="UV_FAILS" in env, **env)
    assert done.returncode == 0, done.stderr
    assert by_whom(calls) == ("UV_FAILS" in env, True)
    assert "pip prend la suite" in done.stdout
    assert re.search(r"installé par pip en \d+ s", done.stdout)


def test_uv_is_told_of_pips_mirror_and_spares_a_cache_it_cannot_write(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    done, calls = installed(
        tmp_path, uv=True, CACHE=str(blocked / "cache"), PIP_SAYS="file:///miroir"
    )
    assert done.returncode == 0, done.stderr
    assert "no_cache=1 index=file:///miroir" in calls


def test_a_cache_that_can_be_written_is_used_and_left_clean(tmp_path: Path) -> None:
    _, calls = installed(tmp_path, uv=True)
    assert "no_cache= index=\n" in calls
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("env", "said"), [({"OLD": "1"}, "Python 3.11"), ({"NO_VENV": "1"}, "python3-venv")]
)
def test_what_the_machine_lacks_is_said(tmp_path: Path, env: dict[str, str], said: str) -> None:
    done, calls = installed(tmp_path, uv=True, **env)
    assert done.returncode == 1
    assert said in done.stdout
    assert calls == ""
    assert not (tmp_path / ".venv").exists()
