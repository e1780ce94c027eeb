"""Charts as they are saved: whatever way an analyst gives the data, they are counted and hashed."""

from __future__ import annotations

from typing import Any

import altair as alt
import pyarrow as pa
import pytest

from helpers.core.stage import figure

ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
GIVEN: dict[str, Any] = {
    "named": lambda rows: figure.data(rows),
    "in place": lambda rows: alt.Data(values=rows),
    "table": lambda rows: pa.Table.from_pylist(
        rows, schema=pa.schema([("a", pa.int64()), ("b", pa.string())])
    ),
}


def chart(given: Any) -> Any:
    base = alt.Chart(given).encode(x="a:Q")
    return alt.hconcat(base.mark_point() + base.mark_rule(), base.mark_bar())


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN.keys())
def test_all_data_of_a_chart_are_in_its_datasets(given: Any) -> None:
    spec = figure.complete(chart(given(ROWS)))
    assert list(spec["datasets"].values()) == [ROWS]
    assert "'values'" not in str({k: v for k, v in spec.items() if k != "datasets"})


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN.keys())
def test_chart_without_a_row_has_none_in_its_datasets(given: Any) -> None:
    assert not any(figure.complete(chart(given([])))["datasets"].values())


def layered(rows: Any, last: Any, width: int) -> alt.LayerChart:
    line = alt.Chart(rows).mark_line().encode(x="x:Q", y="y:Q")
    return alt.layer(line, alt.Chart(last).mark_point().encode(x="x:Q")).properties(width=width)


def test_a_chart_drawn_again_is_the_chart_of_its_own_rows() -> None:
    """Made once or made anew: the same, whatever was drawn before; two sets may be alike."""
    rows = [{"x": 1, "y": 2}, {"x": 2, "y": 5}, {"x": 3, "y": "data-in-place-1"}]
    told = []
    for sets in ((rows, rows[-1:]), (rows[:1], rows[:1]), ([], rows), (rows, rows[-1:])):
        for width in (100, 200):
            spec = figure.drawn(layered, sets, width)
            told.append(spec)
            assert spec == figure.complete(layered(*map(figure.data, sets), width))
    assert told[:2] == told[-2:]


def test_a_chart_that_vega_lite_does_not_know_is_refused_though_drawn_once() -> None:
    def wrong(rows: Any) -> alt.Chart:
        return alt.Chart(rows).mark_line(color=12).encode(x="x:Q")

    with pytest.raises(alt.utils.schemapi.SchemaValidationError):
        figure.drawn(wrong, ([],))
