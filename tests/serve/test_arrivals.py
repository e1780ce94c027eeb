"""What a page does while nobody asks for it, and what each visitor then finds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from websockets.exceptions import ConnectionClosed

from tests.apps.test_templates import code, notebook
from tests.fixtures.browser import serve
from tests.serve.visitor import Talk, Visitor, named

# Steps without end: a visitor who waited for the last one would never be answered.
APP = """
import os
import ipywidgets as widgets
import numpy as np
from helpers.serve import arrivals

theme = widgets.Dropdown(options=["Vols", "Bruit", "Rixes"], description="Thème")
done = widgets.Label("0", description="Préparé")
who = widgets.Label("", description="Processus")

def steps():
    while True:
        done.value = str(int(done.value) + 1)
        yield

def arrive(query):
    who.value = str(os.getpid())
    if query.startswith("theme="):
        theme.value = query.removeprefix("theme=")

theme.observe(lambda _: np.linalg.eigh(np.ones((400, 400))), "value")
arrivals.beforehand(steps())
arrivals.on_arrival(arrive)
widgets.VBox([theme, done, who])
"""
PATH = "/voila/render/essai.ipynb"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("arrivals")
    nbformat.write(notebook(code(APP)), folder / "essai.ipynb")
    with serve(folder, {"OPENBLAS_NUM_THREADS": "2"}) as url:  # as it has on a machine of two cores
        yield url


def value(states: dict[str, Any], description: str) -> str:
    return str(states[named(states, description)]["value"])


def chosen(talk: Talk) -> str:
    states = talk.states()
    one = states[named(states, "Thème")]
    return str(one["_options_labels"][one["index"]])


def test_a_page_prepares_until_a_visitor_comes_and_goes_on_after(url: str) -> None:
    seen = []
    until = time.monotonic() + 60
    while len(set(seen)) < 3:  # each visitor finds what was done before it came, and no more
        assert time.monotonic() < until, seen
        with Visitor.reads(url).joins() as talk:
            first, again = (value(talk.states(), "Préparé") for _ in range(2))
            assert first == again
            seen.append(int(first))
    assert seen == sorted(seen)
    assert seen[0] >= 1 or seen[-1] >= 1


def test_a_visitor_computes_in_one_thread(url: str) -> None:
    """Forty that spin on as many threads as there are cores leave the cores to none."""
    with Visitor.reads(url).joins() as talk:
        states = talk.states()
        talk.say("kernel_info_request", {})
        talk.hear("kernel_info_reply")
        talk.until_idle()
        talk.choose(named(states, "Thème"), {"index": 1})
        talk.until_idle()
        pid = int(value(states, "Processus"))
        assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 1


def test_a_link_is_taken_by_its_visitor_and_by_no_other(url: str) -> None:
    with (
        Visitor.reads(url, f"{PATH}?theme=Bruit").joins() as bruit,
        Visitor.reads(url, f"{PATH}?theme=Rixes").joins() as rixes,
        Visitor.reads(url).joins() as usual,
    ):
        assert [chosen(one) for one in (bruit, rixes, usual)] == ["Bruit", "Rixes", "Vols"]


def test_a_process_that_takes_anothers_place_takes_the_link_again(url: str) -> None:
    visitor = Visitor.reads(url, f"{PATH}?theme=Bruit")
    with visitor.joins() as talk:
        first = int(value(talk.states(), "Processus"))
        os.kill(first, signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            talk.hear("execute_reply")
    with visitor.joins() as talk:
        assert int(value(talk.states(), "Processus")) != first
        assert chosen(talk) == "Bruit"
