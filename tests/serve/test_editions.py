"""Data that go, break or are renewed while pages are open: what is shown is a whole edition."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from helpers.register import settings
from helpers.serve import editions
from tests.apps.test_templates import code, notebook
from tests.fixtures.browser import health, serve
from tests.serve.visitor import Talk, Visitor, ask, named

APP = """
from pathlib import Path
import ipywidgets as widgets
path = Path("../../data/ville/derived/faits.json")
import json
def told():
    return f"{json.loads(path.read_text())['faits']} faits"
theme = widgets.Dropdown(options=["Vols", "Bruit"], description="Thème")
said = widgets.HTML(told())
theme.observe(lambda change: setattr(said, "value", f"{change.new} : {told()}"), "value")
widgets.VBox([theme, said])
"""
PAGE = "/voila/render/essai.ipynb"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace of one city, whose page reads one result."""
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "params.yaml").write_text("{}\n")
    apps = tmp_path / "notebooks/apps"
    apps.mkdir(parents=True)
    nbformat.write(notebook(code(APP)), apps / "essai.ipynb")
    pack = tmp_path / "data/cities/ville"
    pack.mkdir(parents=True)
    (pack / "city.yaml").write_text("name: ville\n")
    (pack.parent / "active.yaml").write_text("cities: {ville: {pack: data/cities/ville}}\n")
    (tmp_path / "data/ville/derived").mkdir(parents=True)
    (tmp_path / "data/ville/raw").mkdir()
    (tmp_path / "data/ville/raw/lignes.csv").write_text("une ligne telle que reçue\n")
    write(tmp_path, json.dumps({"faits": 12}))
    return tmp_path


def write(root: Path, text: str) -> None:
    (root / "data/ville/derived/faits.json").write_text(text, encoding="utf-8")


@pytest.fixture
def url(root: Path) -> Iterator[str]:
    log = root.parent / f"{root.name}.log"
    with serve(root / "notebooks/apps", {"PHARE_CITY": "ville"}, log, "--House.watch=1") as url:
        yield url


def answered(talk: Talk, theme: str, words: str) -> None:
    """Choose a theme; wait for these words."""
    states = talk.states()
    talk.choose(named(states, "Thème"), {"index": ["Vols", "Bruit"].index(theme)})
    talk.until_idle()
    assert words in json.dumps(talk.states(), ensure_ascii=False)


def shown(url: str, words: str, within: float = 60) -> None:
    """Wait until a new reader is shown these words, with the very first bytes."""
    until = time.monotonic() + within
    while words not in ask(url, PAGE).text:
        assert time.monotonic() < until, ask(url, PAGE).text
        time.sleep(0.2)


def test_pages_outlive_data_that_go_or_break_and_follow_those_that_are_renewed(
    root: Path, url: str
) -> None:
    shown(url, "12 faits")
    first = health(url)["data"]
    data = root / "data/ville"
    with Visitor.reads(url, PAGE).joins() as talk:
        answered(talk, "Bruit", "Bruit : 12 faits")
        data.rename(root / "data/ailleurs")
        answered(talk, "Vols", "Vols : 12 faits")
        time.sleep(4)  # several looks: a folder that has gone replaces nothing
        shown(url, "12 faits")
        (root / "data/ailleurs").rename(data)

        write(root, '{"faits": 1')  # half written
        log = root.parent / f"{root.name}.log"
        until = time.monotonic() + 60
        while "pages keep the last that could" not in log.read_text(encoding="utf-8"):
            assert time.monotonic() < until
            time.sleep(0.2)
        shown(url, "12 faits")
        assert health(url)["ready"]
        with Visitor.reads(url, PAGE).joins() as other:
            answered(other, "Bruit", "Bruit : 12 faits")

        write(root, json.dumps({"faits": 34}))
        shown(url, "34 faits")
        answered(talk, "Bruit", "Bruit : 12 faits")  # who was there keeps what they were reading
        with Visitor.reads(url, PAGE).joins() as other:
            answered(other, "Bruit", "Bruit : 34 faits")
    assert health(url)["data"] >= str(first)


def test_no_row_as_received_is_within_reach_of_a_page(root: Path) -> None:
    from helpers.serve.editions import Edition

    edition = Edition(root, "ville")
    assert edition.take()
    assert edition.folder is not None
    kept = {path.relative_to(edition.folder).as_posix() for path in edition.folder.rglob("*.*")}
    assert "data/ville/derived/faits.json" in kept
    assert not [name for name in kept if "raw" in name]
    shutil.rmtree(root / "data/ville")
    assert (edition.folder / "data/ville/derived/faits.json").exists()


def test_a_page_that_loses_its_process_is_prepared_again(root: Path, url: str) -> None:
    """Killed from outside (memory, a hand): readers still read, and join again within seconds."""
    log = root.parent / f"{root.name}.log"
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "cmdline").read_bytes().split(b"\0")
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            asked = Path(f"/proc/{parent}/cmdline").read_text()
        except OSError:
            continue
        if b"helpers.serve.page" in told and str(root / "notebooks/apps") in asked:
            os.kill(int(folder.name), signal.SIGKILL)
    until = time.monotonic() + 90
    while "lost its process" not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < until
        time.sleep(0.2)
    shown(url, "12 faits")
    while time.monotonic() < until:
        try:
            with Visitor.reads(url, PAGE).joins() as talk:
                answered(talk, "Bruit", "Bruit : 12 faits")
            return
        except (ConnectionClosed, InvalidStatus):
            time.sleep(1)
    raise AssertionError("no process can be joined")


def test_an_edition_reaches_the_register_as_it_stands(root: Path) -> None:
    """What is decided lies in the workspace, whatever edition a page stands on."""
    assert editions.DECIDED == settings.FOLDER
    taken = editions.Edition(root, "ville")
    for _ in range(2):
        assert taken.take()
        assert taken.folder is not None
        (taken.folder / "data/.registers/ville.sqlite").write_text("une inscription")
        assert (root / "data/.registers/ville.sqlite").read_text() == "une inscription"
