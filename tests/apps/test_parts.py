"""What every control of an app goes through: a failure is said, greyed, noted, and gone after."""

from __future__ import annotations

import logging

import ipywidgets as widgets
import pytest

from helpers.apps.parts import STALE, Boundary


class Page:
    """A choice, the figure that answers it, and one value that cannot be answered."""

    def __init__(self) -> None:
        self.choice = widgets.Dropdown(options=["a", "b", "panne", "c"])
        self.figure = widgets.HTML("rien")
        self.boundary = Boundary(self.figure)
        self.answers = 0
        self.boundary.observe(self.choice, self.answer)

    def answer(self) -> None:
        self.answers += 1
        if self.choice.value == "panne":
            raise ValueError("chemin interne")
        self.figure.value = self.choice.value

    @property
    def stale(self) -> bool:
        return STALE in self.figure._dom_classes


@pytest.fixture
def noted(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> object:
    """The log that a kernel writes to the server's terminal."""
    monkeypatch.setattr(logging.getLogger("traitlets"), "propagate", True)
    return caplog


def test_a_failure_is_said_greyed_and_noted(noted: pytest.LogCaptureFixture) -> None:
    page = Page()
    page.choice.value = "b"
    assert (page.figure.value, page.stale, page.boundary.notice.value) == ("b", False, "")
    page.choice.value = "panne"
    assert page.stale
    said = page.boundary.notice.value
    assert 'role="alert"' in said
    assert "Ce choix n'a pas pu être affiché" in said
    for leak in ("ValueError", "chemin interne", "Traceback"):
        assert leak not in said
        assert (leak in noted.text) == (leak != "chemin interne")  # it may quote a value


def test_the_next_good_choice_takes_it_all_away(noted: pytest.LogCaptureFixture) -> None:
    page = Page()
    page.choice.value = "panne"
    page.choice.value = "c"
    assert (page.figure.value, page.stale, page.boundary.notice.value) == ("c", False, "")


def test_a_control_moved_by_an_answer_does_not_hide_its_failure() -> None:
    """The inner control's own answer works: it must neither run nor say that all is well."""
    page = Page()
    outer = widgets.Dropdown(options=[1, 2])

    def moves_then_fails() -> None:
        page.choice.value = "b"
        raise ValueError("chemin interne")

    page.boundary.observe(outer, moves_then_fails)
    outer.value = 2
    assert page.answers == 0
    assert page.stale
    assert page.boundary.notice.value
