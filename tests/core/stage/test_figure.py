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
