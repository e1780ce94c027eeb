"""The bench's ten rules for libraries on pandas and row by row (see `contract_engines`)."""

from __future__ import annotations

import csv
import re
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from contract_engines import AGENTS, ALL, FLOATS, ID, INTEGERS, LONGITUDE, MOMENT, MOMENTS, lists


def great_expectations(folder: Path) -> None:
    """Great Expectations on pandas, complete results with the rows' numbers."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    import pandas as pd

    codes = lists(folder)
    frame = pd.read_csv(folder / "received.csv", dtype="str")
    frame.insert(0, "row_number", range(1, len(frame) + 1))
    said = frame["debut"].notna()
    for name in MOMENTS:
        frame[name] = pd.to_datetime(frame[name], format=MOMENT, errors="coerce")
    for name in (*INTEGERS, *FLOATS):
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    frame["unreadable"] = said & frame["debut"].isna()
    # Its own rule on keys rejects every copy, the first too.
    frame["repeated"] = frame["id_mc"].duplicated()
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("bench").add_dataframe_asset("log")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    pairs = {"ignore_row_if": "either_value_is_missing", "or_equal": True}
    expected = {
        "required": gxe.ExpectColumnValuesToNotBeNull(column="type_n1"),
        "enum": gxe.ExpectColumnValuesToBeInSet(column="origine", value_set=codes["origine"]),
        "pattern": gxe.ExpectColumnValuesToMatchRegex(column="id_mc", regex=ID),
        "int_range": _between(gxe, "nb_agents", AGENTS),
        "float_bounds": _between(gxe, "longitude", LONGITUDE),
        "moment": gxe.ExpectColumnValuesToBeInSet(column="unreadable", value_set=[False]),
        "order": gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="fin", column_B="debut", **pairs
        ),
        "cross": gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="saisi_le", column_B="debut", **pairs
        ),
        "duplicate": gxe.ExpectColumnValuesToBeInSet(column="repeated", value_set=[False]),
        "unknown_code": gxe.ExpectColumnValuesToBeInSet(
            column="quartier", value_set=codes["quartier"]
        ),
    }
    shape = {"result_format": "COMPLETE", "unexpected_index_column_names": ["row_number"]}
    found = []
    for rule, expectation in expected.items():
        told = batch.validate(expectation, result_format=shape).result["unexpected_index_list"]
        found += [(int(one["row_number"]), rule) for one in told or []]
    keep_rows(folder, found)
    bad = frame["row_number"].isin({number for number, _ in found})
    frame[~bad].to_parquet(folder / "accepted.parquet")


def _between(gxe: Any, column: str, bounds: tuple[float, float]) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(
        column=column, min_value=bounds[0], max_value=bounds[1]
    )


def frictionless(folder: Path) -> None:
    """Frictionless, row by row; it reports, and writes no accepted row."""
    from frictionless import Check, Checklist, Resource, Schema, errors, system

    codes = lists(folder)

    class Between(Check):
        type = "between-fields"
        Errors: ClassVar = [errors.RowConstraintError]

        def validate_row(self, row: Any) -> Any:
            began = row["debut"]
            for name in ("fin", "saisi_le"):
                if began and row[name] and row[name] < began:
                    yield errors.RowConstraintError.from_row(row, note=name)

    kinds = dict.fromkeys(MOMENTS, "datetime") | dict.fromkeys(INTEGERS, "integer")
    kinds |= dict.fromkeys(FLOATS, "number")
    limits = {
        "id_mc": {"pattern": ID[1:-1]}, "type_n1": {"required": True},
        "origine": {"enum": codes["origine"]}, "quartier": {"enum": codes["quartier"]},
        "nb_agents": {"minimum": AGENTS[0], "maximum": AGENTS[1]},
        "longitude": {"minimum": LONGITUDE[0], "maximum": LONGITUDE[1]},
    }  # fmt: skip
    with (folder / "received.csv").open(encoding="utf-8") as file:
        header = next(csv.reader(file))
    fields = [
        {"name": n, "type": kinds.get(n, "string"), "constraints": limits.get(n, {})}
        | ({"format": MOMENT} if n in MOMENTS else {})
        for n in header
    ]
    schema = Schema.from_descriptor({"fields": fields, "primaryKey": ["id_mc"]})
    names = {"type_n1": "required", "origine": "enum", "quartier": "unknown_code",
             "id_mc": "pattern", "nb_agents": "int_range", "longitude": "float_bounds",
             "debut": "moment"}  # fmt: skip
    with system.use_context(trusted=True):
        resource = Resource(path=str(folder / "received.csv"), schema=schema)
        report = resource.validate(Checklist(checks=[Between()]), limit_errors=ALL)
    found = []
    for number, kind, field, note in report.flatten(["rowNumber", "type", "fieldName", "note"]):
        if kind == "primary-key":
            rule = "duplicate"
        elif kind == "row-constraint":
            rule = "order" if note == "fin" else "cross"
        else:
            rule = names[field]
        found.append((number - 1, rule))
    keep_rows(folder, found)


def pydantic(folder: Path) -> None:
    """Pydantic, row by row, with what it does in Rust: patterns, lists, ISO moments, bounds."""
    from typing import Annotated, Literal

    import pyarrow as pa
    import pyarrow.parquet as pq
    from pydantic import Field, TypeAdapter, ValidationError, create_model

    codes = lists(folder)
    # Pydantic's own reading of a moment takes more than the format: the pattern goes first.
    moment = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
    number, place = Annotated[int, Field(ge=1, le=20)], Annotated[float, Field(ge=5.0, le=5.8)]
    text = dict.fromkeys(("lieu_type", "equipage_type", "suites", "etat"), (str | None, None))
    log = create_model(
        "Log",
        id_mc=(Annotated[str, Field(pattern=ID)], ...),
        origine=(Literal[tuple(codes["origine"])], ...),
        type_n1=(str, ...), type_n2=(str, ...),
        debut=(datetime, ...), fin=(datetime | None, None), saisi_le=(datetime, ...),
        longitude=(place | None, None), latitude=(float | None, None),
        quartier=(Literal[tuple(codes["quartier"])] | None, None),
        nb_agents=(number | None, None), duree_min=(int | None, None), **text,
    )  # fmt: skip
    names = {"type_n1": "required", "origine": "enum", "id_mc": "pattern", "debut": "moment",
             "nb_agents": "int_range", "longitude": "float_bounds",
             "quartier": "unknown_code"}  # fmt: skip
    validate = TypeAdapter(log).validate_python
    accepted: list[dict[str, Any]] = []
    found: list[tuple[int, str]] = []
    seen: set[str] = set()
    with (folder / "received.csv").open(encoding="utf-8", newline="") as file:
        for number_of, row in enumerate(csv.DictReader(file), start=1):
            said = {name: value for name, value in row.items() if value}
            try:
                if not moment.fullmatch(said.get("debut", "")):
                    found.append((number_of, "moment"))
                    continue
                one = validate(said)
            except ValidationError as error:
                found.append((number_of, names[str(error.errors()[0]["loc"][0])]))
                continue
            if one.fin and one.fin < one.debut:
                found.append((number_of, "order"))
            elif one.saisi_le < one.debut:
                found.append((number_of, "cross"))
            elif one.id_mc in seen:
                found.append((number_of, "duplicate"))
            else:
                seen.add(one.id_mc)
                accepted.append(one.__dict__)
    pq.write_table(pa.Table.from_pylist(accepted), folder / "accepted.parquet")
    keep_rows(folder, found)


def keep_rows(folder: Path, found: list[tuple[int, str]]) -> None:
    """Write rejected rows (row_number, rule) from pairs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers, rules = [n for n, _ in found], [r for _, r in found]
    table = pa.table({"row_number": pa.array(numbers, pa.int64()), "rule": pa.array(rules)})
    pq.write_table(table, folder / "rejects.parquet")
