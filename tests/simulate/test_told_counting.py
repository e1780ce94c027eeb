"""The grading of what is said of counters can fail: moved or not, changed or not, alert or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpers.simulate import told_counting
from helpers.simulate.published import Published
from tests.simulate.test_told import published, right


def closed(run: Path, moved: tuple[float, float, float], alone: tuple[float, float]) -> Published:
    names = ("moved", "moved_low", "moved_high")
    rows: list[dict[str, Any]] = [
        {"site": "R05", "role": "closed", **dict(zip(names, moved, strict=True))},
        {"site": "R12", "role": "closed", **dict(zip(names, (0.0, *alone), strict=True))},
    ]
    return published(run, {"traffic/closures": rows})


def test_a_share_must_hold_the_truth_and_no_share_be_said_of_nothing(tmp_path: Path) -> None:
    good = list(told_counting.closures(closed(tmp_path / "a", (0.67, 0.58, 0.76), (-0.3, 0.1))))
    assert [one.right for one in good] == [True, True]
    wrong = list(told_counting.closures(closed(tmp_path / "b", (0.4, 0.3, 0.5), (0.05, 0.3))))
    assert [one.right for one in wrong] == [False, False]


def test_the_road_that_changed_is_told_alone(tmp_path: Path) -> None:
    def flow(site: str, level: str) -> dict[str, Any]:
        return {"site": site, "measure": "flow", "level": level, "slot": "nuit", "ratio": 0.75}

    good = {"traffic/fluidity": [flow("R08", "less"), flow("R01", "usual")]}
    assert all(one.right for one in told_counting.fluidity(published(tmp_path / "a", good)))
    wrong = {"traffic/fluidity": [flow("R08", "usual"), flow("R01", "more")]}
    assert not any(one.right for one in told_counting.fluidity(published(tmp_path / "b", wrong)))


def test_the_gathering_of_the_last_day_is_an_alert_and_a_dead_counter_none(tmp_path: Path) -> None:
    def row(site: str, alert: bool, status: str = "ok") -> dict[str, Any]:
        return {"site": site, "name": site, "hour": 15, "hours": 3, "alert": alert,
                "status": status, "reason": ""}  # fmt: skip

    good = [row("P04", True), row("P01", False), row("P07", False, "missing")]
    run = published(tmp_path / "a", {"situation/gatherings": good})
    assert all(one.right for one in told_counting.gatherings(run))
    wrong = [row("P04", False), row("P01", True), row("P07", True)]
    found = list(
        told_counting.gatherings(published(tmp_path / "b", {"situation/gatherings": wrong}))
    )
    assert not any(one.right for one in found)
    assert not right(found, "Compteur muet")
