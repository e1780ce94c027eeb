"""What a page has prepared, or worked out before, is what a new page answers to the same choice."""

from __future__ import annotations

from typing import Any

import pytest
from altair.utils import schemapi

from helpers.apps.actions import Actions
from helpers.apps.answers import Portfolio
from helpers.apps.choice import Choice
from helpers.apps.parts import Put
from helpers.apps.shell import Shell
from helpers.apps.today import Today
from helpers.apps.trends import Trends
from helpers.apps.trust import Trust
from helpers.apps.where_when import WhereWhen
from tests.journeys.place import CITY, Place

ZONES = 2  # of each division: the first and the last of the list


def choices(shell: Shell, uses: tuple[str, ...]) -> list[Choice]:
    """Return every choice of the city; of its zones, some: each with all themes and periods."""
    found = list(shell.offer.usual(uses))
    if "territoire" in uses:
        listed = [value for _, value in shell.offer.options["territoire"] if "/" in value]
        apart = {one.partition("/")[0] for one in listed}
        for division in sorted(apart):
            mine = [one for one in listed if one.startswith(f"{division}/")]
            for zone in (*mine[: ZONES - 1], mine[-1]):
                found += [
                    one.with_value("territoire", zone) for one in found
                    if one.territory == division
                ]  # fmt: skip
    return found


def values(puts: list[Put]) -> list[Any]:
    return [value for _, _, value in puts]


@pytest.mark.parametrize("made", [Today, WhereWhen, Trends, Actions, Portfolio, Trust])
def test_an_answer_does_not_depend_on_what_was_answered_before(
    built: Place, monkeypatch: pytest.MonkeyPatch, made: Any
) -> None:
    """Nor on what validates charts: the new page refuses one that Vega-Lite does not know."""
    monkeypatch.chdir(built.root)
    ready, new = Shell(CITY, made), Shell(CITY, made)
    assert ready.page is not None
    assert new.page is not None
    every = choices(ready, made.uses)
    with schemapi.debug_mode(False):
        for _ in ready.prepare():
            pass
        assert set(ready.prepared) == set(ready.offer.usual(made.uses))
        first = [values(ready.prepared.get(one) or ready.page.answer(one)) for one in every]
    for choice, told in zip(reversed(every), reversed(first), strict=True):
        assert values(new.page.answer(choice)) == told, choice
    shown = values(new.page.answer(ready.choice))
    controls = ready._controls
    assert set(controls) <= set(made.uses)
    controls["theme"].value = every[1].theme
    controls["theme"].value = ready.offer.first.theme
    assert [getattr(one, trait) for one, trait, _ in ready.prepared[ready.choice]] == shown
