"""What the pages say exists, and nothing that is tracked names a machine or a registry."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from helpers.core.base.yaml_models import Strict
from helpers.core.city import (
    about,
    action_rules,
    city,
    contract,
    editions,
    event_rules,
    observation_rule,
    questions,
    survey,
    theme,
)

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
ROOMS = (
    about,
    action_rules,
    city,
    contract,
    editions,
    event_rules,
    observation_rule,
    questions,
    survey,
    theme,
)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#\s]+)[^)]*\)")
# At the start of a code line, or in backquotes anywhere, even across the end of a line.
COMMAND = re.compile(r"(?:^[ \t]*|`)make\s+(?P<target>[a-z-]+)", re.MULTILINE)
FILE = re.compile(r"\b(?:src/helpers|notebooks|tests|templates|docs|scripts|benchmarks)/[\w./-]*\w")
# The guide that tells how to add a notebook calls it so.
MADE_UP = "exemple"
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|Users|opt|mnt)/\w|\b[A-Z]:\\Users\\")
LOOPBACK = re.compile(r"^(?:localhost|127\.|\[?::1)")


def dead_ends(text: str, folder: Path) -> list[str]:
    """Return the links, commands and files that `text`, a page in `folder`, names and that miss."""
    links = {m["target"] for m in LINK.finditer(text) if "://" not in m["target"]}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = {m["target"] for m in COMMAND.finditer(text)}
    files = {name for name in FILE.findall(text) if MADE_UP not in name}
    return [
        *sorted(link for link in links if not (folder / link).exists()),
        *sorted(f"make {c}" for c in commands if not re.search(rf"^{c}:", makefile, re.MULTILINE)),
        *sorted(name for name in files if not (ROOT / name).exists()),
    ]


@cache
def hosts() -> tuple[str, ...]:
    """Return the registries that this machine knows, without writing one here: pip names them."""
    from pip._internal.models.index import PyPI

    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    told = listed + " ".join(v for k, v in os.environ.items() if k.endswith("INDEX_URL"))
    places = [urlsplit(url) for url in re.findall(r"\w+://[^\s'\"]+", told)]
    found = {(one.hostname or one.path).strip("/") for one in places}
    # A bare word, such as a host on a private network, would be found in any prose.
    own = {host for host in found if re.search(r"[./]", host) and not LOOPBACK.match(host)}
    return tuple(sorted({PyPI.netloc, PyPI.file_storage_domain, *own}))


def names_a_machine(text: str) -> bool:
    """Tell whether `text` holds a registry's host or somebody's folder."""
    return bool(MACHINE.search(text)) or any(host in text for host in hosts())


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_names_lead_somewhere(page: Path) -> None:
    assert dead_ends(page.read_text(encoding="utf-8"), page.parent) == []


@pytest.mark.parametrize(
    "line",
    [
        "Voir [la page](guides/absente.md#ici).",
        "![image](absente.svg)",
        "Lancer `make absent`.",
        "   make absent CITY=denver",
        "Lancer `make\nabsent`.",
        "Le module `src/helpers/absent.py`.",
        "Le carnet `notebooks/yesterday/absent.ipynb`.",
    ],
)
def test_a_page_that_names_what_is_not_there_is_caught(line: str) -> None:
    assert len(dead_ends(line, ROOT / "docs")) == 1


@pytest.mark.parametrize(
    "model",
    [m for room in ROOMS for m in vars(room).values()
     if isinstance(m, type) and issubclass(m, Strict) and m.__module__ == room.__name__],
    ids=lambda model: model.__name__,
)  # fmt: skip
def test_every_key_of_a_pack_is_explained(model: type[Strict]) -> None:
    guide = (ROOT / "docs/guides/ajouter-une-ville.md").read_text(encoding="utf-8")
    said = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", guide))))
    assert set(model.model_fields) - said == set()


def test_one_decision_a_number_and_no_gap() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("0*.md"))
    assert [int(p.name[:4]) for p in decisions] == list(range(1, len(decisions) + 1))
    titles = [p.read_text(encoding="utf-8").splitlines()[0] for p in decisions]
    assert [t[2:6] for t in titles] == [p.name[:4] for p in decisions]


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if names_a_machine(text):
            found.append(str(path.relative_to(ROOT)))
    assert found == []


@pytest.mark.parametrize("folder", ["home", "root", "Users"])
def test_a_machine_is_recognised(folder: str) -> None:
    assert names_a_machine(f'cache = "/{folder}/quelquun/donnees"')
    assert names_a_machine(f"--index-url https://{hosts()[0]}/simple")
    assert not names_a_machine("data/cities/marseille et notebooks/govern")


OUTLINES = ROOT / "data/cities/marseille/divisions/quartiers.geojson"


def test_no_data_of_the_publishers_is_tracked() -> None:
    large = [p for p in tracked() if p.stat().st_size > 400_000 and p.name != "requirements.lock"]
    assert large == []
    data = [p for p in tracked() if p.is_relative_to(ROOT / "data")]
    other = [p for p in data if p.suffix not in {".yaml", ".csv", ".md"}]
    assert other == [OUTLINES]  # its publishers' licence lets it be passed on; SOURCE.md says so
    csvs = [p for p in tracked() if p.suffix == ".csv" and not p.is_relative_to(ROOT / "templates")]
    for path in csvs:  # a closed list: codes and their names, nothing that was measured
        assert path.parent.name == "lists", path
        assert path.read_text(encoding="utf-8").startswith("code,nom\n"), path


def test_no_page_waits_for_what_was_to_be_written() -> None:
    """A mark left for a table or a figure that never came is read by everybody."""
    waiting = re.compile(r"@@\w+@@|\bTODO\b|\bFIXME\b|\bXXX\b")
    found = {p.name: waiting.findall(p.read_text(encoding="utf-8")) for p in PAGES}
    assert {name: marks for name, marks in found.items() if marks} == {}
