"""A category that an edition left out: told where it leaves, comes back, and is read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from helpers.core.stage import params, standing
from helpers.reliability import away, drift, words
from tests.fixtures.made_up import CITY, FACTS, write_pack
from tests.fixtures.real import ROOT

WEEKS = [dt.date(2022, 1, 3) + dt.timedelta(weeks=i) for i in range(156)]
KNOBS = params.knobs("reliability", ROOT)
LEFT, BACK = 70, 122  # its weeks: May 2023 to May 2024


def counts() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return counts a week of two codes, the second away for a year."""
    n = np.random.default_rng(11).poisson([[60.0], [25.0]], (2, len(WEEKS))).astype(float)
    n[1, LEFT:BACK] = 0
    return n


def rows() -> list[dict[str, Any]]:
    codes = ["tapage", "depot"]
    found = drift.of_field(codes, WEEKS, counts(), KNOBS.drift_rate, KNOBS.drift_psi)
    about = {"source": "faits", "field": "nature", "counted": True, "mapped": True}
    return [about | row for row in found]


def test_a_code_away_is_told_once_where_it_leaves_and_once_where_it_is_back() -> None:
    found = {row["kind"]: row for row in rows()}
    assert found.keys() == {"away", "back"}  # and no jump of the shares, which it explains
    left, back = found["away"], found["back"]
    assert (left["code"], left["week"], left["until"]) == ("depot", WEEKS[LEFT], WEEKS[BACK])
    assert back["week"] == WEEKS[BACK]
    assert abs(left["before"] - 25) < 1.5
    assert left["before"] == back["after"]
    assert words.drift(left).endswith("jusqu'à la semaine du 6 mai 2024")


def test_its_theme_only_seems_to_move_and_says_why(tmp_path: Path) -> None:
    period = {"start": "2022-01-03", "end": "2024-12-29"}
    city = write_pack(tmp_path, _city(period))
    table = pa.Table.from_pylist(rows(), schema=drift.DRIFT)
    told = standing.doubted(table, _no_decay(), city)
    assert told.keys() == {"depots"}
    assert (
        told["depots"]
        .replace("\u00a0", " ")
        .startswith(
            "« depot » ne vient pas de la semaine du 8 mai 2023 à celle du 6 mai 2024, alors que"
        )
    )
    later = write_pack(tmp_path / "later", _city(period | {"end": "2027-12-29"}))
    assert standing.doubted(table, _no_decay(), later) == {}


def test_what_the_contract_says_not_to_cover_is_known(tmp_path: Path) -> None:
    period = {"start": "2022-01-03", "end": "2024-12-29"}
    covers = [{"categories": ["depot"], "until": "2023-05-07"},
              {"categories": ["depot"], "from": "2024-05-06"}]  # fmt: skip
    plain = write_pack(tmp_path / "a", _city(period))
    told = write_pack(tmp_path / "b", _city(period), facts=FACTS | {"covers": covers})
    for row in rows():
        assert away.known(told, "faits", row)
        assert not away.known(plain, "faits", row)


def _city(period: dict[str, str]) -> dict[str, Any]:
    return CITY | {"period": period}


def _no_decay() -> pa.Table:
    return pa.table({"source": pa.array([], pa.string()), "status": pa.array([], pa.string())})
