"""Hours of patrol are told in the city's own slots, or the pack is refused before anything runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.core.base.errors import PhareError
from tests.fixtures.packs import at, changed
from tests.fixtures.real import ROOT

CONTRACT = "contracts/vacation.yaml"


@pytest.mark.parametrize(("where", "value", "said"), [
    (("fields", "plage", "values"), ["M", "matin", "apres_midi", "soir", "nuit"], "« M »"),
    (("fields", "plage", "values"), ["matin", "apres_midi", "soir", "nuits"], "« nuits »"),
    (("fields", "plage"), {"type": "int", "minimum": 0, "maximum": 3, "label": "Plage"},
     "patrols.slot nomme « plage », un champ int"),
])  # fmt: skip
def test_a_roster_whose_hours_would_be_lost_is_refused(
    where: tuple[str, ...], value: object, said: str, tmp_path: Path
) -> None:
    pack = Path(shutil.copytree(ROOT / "data/cities/marseille", tmp_path / "marseille"))
    with pytest.raises(PhareError) as caught:
        assert changed(pack, CONTRACT, at(*where, value=value)).contracts
    assert said in str(caught.value)
