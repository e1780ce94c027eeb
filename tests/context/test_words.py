"""Codes of `context` told in French: each reason with its numbers."""

from __future__ import annotations

import pytest

from helpers.context import words
from helpers.context.knobs import Knobs
from helpers.core.stage import params
from tests.fixtures.real import ROOT

KNOBS: Knobs = params.knobs("context", ROOT).model_copy(
    update={"minimum_zones": 40, "minimum_count": 200}
)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("no_context", "pas de couche de contexte"),
        ("too_few_zones", "12 zones dessinées et renseignées ; il en faut 40"),
        ("too_few", "1\u00a0fait d'une origine retenue (`origins`) ; il en faut 200"),
        ("no_usable_feature", "aucun trait des lieux n'est exploitable"),
        ("not_converged", "le calcul ne se stabilise pas"),
    ],
)
def test_why_a_theme_has_no_effects_is_told(code: str, told: str) -> None:
    assert words.why_none({"reason": code, "n": 1, "zones": 12}, KNOBS) == told
