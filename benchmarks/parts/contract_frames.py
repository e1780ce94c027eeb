"""The bench's ten rules for the libraries that judge whole columns (see `contract_engines`)."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from contract_engines import AGENTS, ALL, FLOATS, ID, INTEGERS, LONGITUDE, MOMENT, MOMENTS, lists


def scan(folder: Path) -> Any:
    """Return the received rows as a lazy Polars frame of text, numbered from 1."""
    import polars as pl

    path = folder / "received.csv"
    return pl.scan_csv(path, infer_schema=False, row_index_name="row_number", row_index_offset=1)


def parsed(frame: Any) -> Any:
    """Return the frame with types, and `unreadable` where `debut` is not a moment.

    For the libraries that judge typed columns and cannot say which text did not parse.
    """
    import polars as pl

    moments = [pl.col(n).str.to_datetime(MOMENT, strict=False) for n in MOMENTS]
    numbers = [pl.col(n).cast(pl.Int64, strict=False) for n in INTEGERS]
    numbers += [pl.col(n).cast(pl.Float64, strict=False) for n in FLOATS]
    unreadable = pl.col("debut").is_not_null() & moments[0].is_null()
    return frame.with_columns(*moments, *numbers, unreadable=unreadable)


def log_schema(folder: Path) -> Any:
    """Return the ten rules for Dataframely: codes cast by it, moments by Polars (`parsed`)."""
    import dataframely as dy
    import polars as pl

    codes = lists(folder)

    class Log(dy.Schema):
        row_number = dy.UInt32()
        id_mc = dy.String(regex=ID)
        origine = dy.Enum(codes["origine"])
        type_n1 = dy.String()
        type_n2 = dy.String()
        debut = dy.Datetime(nullable=True)
        fin = dy.Datetime(nullable=True)
        saisi_le = dy.Datetime()
        longitude = dy.Float64(nullable=True, min=LONGITUDE[0], max=LONGITUDE[1])
        latitude = dy.Float64(nullable=True)
        quartier = dy.Enum(codes["quartier"], nullable=True)
        lieu_type = dy.String(nullable=True)
        nb_agents = dy.Int64(nullable=True, min=AGENTS[0], max=AGENTS[1])
        equipage_type = dy.String(nullable=True)
        suites = dy.String(nullable=True)
        etat = dy.String(nullable=True)
        duree_min = dy.Int64(nullable=True)
        unreadable = dy.Bool()

        @dy.rule()
        def moment(cls) -> pl.Expr:
            return ~pl.col("unreadable")

        @dy.rule()
        def order(cls) -> pl.Expr:
            return pl.col("fin") >= pl.col("debut")

        @dy.rule()
        def cross(cls) -> pl.Expr:
            return pl.col("saisi_le") >= pl.col("debut")

        @dy.rule()
        def duplicate(cls) -> pl.Expr:
            return pl.col("id_mc").is_first_distinct()

    return Log


DATAFRAMELY = {
    "type_n1|nullability": "required", "origine|dtype": "enum", "id_mc|regex": "pattern",
    "nb_agents|max": "int_range", "longitude|max": "float_bounds", "moment": "moment",
    "order": "order", "duplicate": "duplicate", "cross": "cross",
    "quartier|dtype": "unknown_code",
}  # fmt: skip


def dataframely(folder: Path) -> None:
    """Dataframely on frames in memory."""
    frame = parsed(scan(folder)).collect()
    result, failure = log_schema(folder).filter(frame, cast=True)
    result.write_parquet(folder / "accepted.parquet")
    failing(folder, failure.details())


def dataframely_lazy(folder: Path) -> None:
    """Dataframely on lazy frames: each side streamed to Parquet, the file read twice."""
    import polars as pl

    result, failure = log_schema(folder).filter(parsed(scan(folder)), cast=True)
    result.sink_parquet(folder / "accepted.parquet")
    failure.sink_parquet(folder / "failure.parquet")
    told = pl.read_parquet(folder / "failure.parquet")
    failing(
        folder,
        told.with_columns(
            pl.col(*DATAFRAMELY).replace_strict({True: "valid", False: "invalid"}, default=None)
        ),
    )


def failing(folder: Path, told: Any) -> None:
    """Write rejected rows from what Dataframely says of each of its rules."""
    import polars as pl

    broken = [
        told.filter(pl.col(rule) == "invalid").select("row_number", rule=pl.lit(name))
        for rule, name in DATAFRAMELY.items()
    ]
    keep_polars(folder, broken)


def pandera_polars(folder: Path) -> None:
    """Pandera on Polars, every failure at once."""
    import pandera.polars as pa
    import polars as pl

    codes = lists(folder)

    def row(name: str, expression: Any) -> Any:
        return pa.Check(lambda data: data.lazyframe.select(expression), error=name)

    schema = pa.DataFrameSchema(
        {
            "type_n1": pa.Column(str),
            "origine": pa.Column(str, pa.Check.isin(codes["origine"], error="enum")),
            "id_mc": pa.Column(str, pa.Check.str_matches(ID, error="pattern")),
            "nb_agents": pa.Column(
                int, pa.Check.in_range(*AGENTS, error="int_range"), nullable=True
            ),
            "longitude": pa.Column(
                float, pa.Check.in_range(*LONGITUDE, error="float_bounds"), nullable=True
            ),
            "quartier": pa.Column(
                str, pa.Check.isin(codes["quartier"], error="unknown_code"), nullable=True
            ),
        },
        checks=[
            row("moment", ~pl.col("unreadable")),
            row("order", (pl.col("fin") >= pl.col("debut")).fill_null(value=True)),
            row("cross", (pl.col("saisi_le") >= pl.col("debut")).fill_null(value=True)),
            row("duplicate", pl.col("id_mc").is_first_distinct()),
        ],
    )
    frame = parsed(scan(folder)).collect()
    try:
        schema.validate(frame, lazy=True)
        cases = pl.DataFrame(schema={"index": pl.Int64, "check": pl.String})
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
    found = cases.select(
        row_number=pl.col("index").cast(pl.Int64) + 1,
        rule=pl.col("check").replace("not_nullable", "required"),
    )
    keep_polars(folder, [found])
    bad = found.select(pl.col("row_number").cast(pl.UInt32))
    frame.join(bad, on="row_number", how="anti").write_parquet(folder / "accepted.parquet")


def pandera_ibis(folder: Path) -> None:
    """Pandera on Ibis and DuckDB, every failure at once."""
    import ibis
    import pandera.ibis as pa

    codes = lists(folder)
    con = ibis.duckdb.connect()
    received = con.read_csv(folder / "received.csv", all_varchar=True)
    # A table, not a view: its rows have one order, by which failures are numbered.
    moments = {n: received[n].try_cast("timestamp") for n in MOMENTS}
    numbers = {n: received[n].try_cast("int64") for n in INTEGERS}
    numbers |= {n: received[n].try_cast("float64") for n in FLOATS}
    unreadable = received.debut.notnull() & moments["debut"].isnull()
    typed = received.mutate(
        **moments, **numbers, unreadable=unreadable, row_number=ibis.row_number() + 1
    )
    # A check may not hold a window function: repeated keys are looked for before.
    place = ibis.row_number().over(group_by=typed.id_mc, order_by=typed.row_number)
    table = con.create_table("typed", typed.mutate(repeated=place > 0).order_by("row_number"))

    def row(name: str, test: Any) -> Any:
        return pa.Check(lambda data: test(data.table), error=name)

    schema = pa.DataFrameSchema(
        {
            # Its own rule on missing values counts the rows and does not say which.
            "type_n1": pa.Column(str, nullable=True),
            "origine": pa.Column(str, pa.Check.isin(codes["origine"], error="enum")),
            "id_mc": pa.Column(str, pa.Check.str_matches(ID, error="pattern")),
            "nb_agents": pa.Column(
                int, pa.Check.in_range(*AGENTS, error="int_range"), nullable=True
            ),
            "longitude": pa.Column(
                float, pa.Check.in_range(*LONGITUDE, error="float_bounds"), nullable=True
            ),
            "quartier": pa.Column(
                str, pa.Check.isin(codes["quartier"], error="unknown_code"), nullable=True
            ),
        },
        checks=[
            row("required", lambda t: t.type_n1.notnull()),
            row("moment", lambda t: ~t.unreadable),
            row("order", lambda t: (t.fin >= t.debut).fill_null(True)),
            row("cross", lambda t: (t.saisi_le >= t.debut).fill_null(True)),
            row("duplicate", lambda t: ~t.repeated),
        ],
    )
    try:
        schema.validate(table, lazy=True)
        return
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
    found = cases.assign(row_number=cases["index"] + 1, rule=cases["check"])[["row_number", "rule"]]
    con.con.register("found", found.astype({"row_number": "Int64", "rule": "object"}))
    con.raw_sql(f"COPY found TO '{folder / 'rejects.parquet'}'")
    con.raw_sql(
        "COPY (SELECT * FROM typed ANTI JOIN found USING (row_number)) "
        f"TO '{folder / 'accepted.parquet'}'"
    )


def pointblank(folder: Path) -> None:
    """Pointblank on Polars; its extracts without their default limit."""
    import pointblank as pb
    import polars as pl

    codes = lists(folder)
    steps = ("required", "enum", "pattern", "int_range", "float_bounds", "moment", "order",
             "cross", "duplicate", "unknown_code")  # fmt: skip
    checked = (
        pb.Validate(parsed(scan(folder)).collect())
        .col_vals_not_null("type_n1")
        .col_vals_in_set("origine", codes["origine"])
        .col_vals_regex("id_mc", ID)
        .col_vals_between("nb_agents", *AGENTS, na_pass=True)
        .col_vals_between("longitude", *LONGITUDE, na_pass=True)
        .col_vals_expr(~pl.col("unreadable"))
        .col_vals_expr((pl.col("fin") >= pl.col("debut")).fill_null(value=True))
        .col_vals_expr((pl.col("saisi_le") >= pl.col("debut")).fill_null(value=True))
        .col_vals_expr(pl.col("id_mc").is_first_distinct())
        .col_vals_expr(pl.col("quartier").is_in(codes["quartier"]).fill_null(value=True))
        .interrogate(extract_limit=ALL)
    )
    checked.get_sundered_data("pass").write_parquet(folder / "accepted.parquet")
    extracts = [
        checked.get_data_extracts(i, frame=True).select("row_number", rule=pl.lit(name))
        for i, name in enumerate(steps, start=1)
    ]
    keep_polars(folder, extracts)


def patito(folder: Path) -> None:
    """Patito: raises with a count a rule; it does not say which rows."""
    import patito as pt
    import polars as pl

    codes = lists(folder)
    ok = pl.col("debut").is_null()

    class Log(pt.Model):
        row_number: int = pt.Field(dtype=pl.UInt32)
        id_mc: str = pt.Field(pattern=ID, constraints=pl.col("id_mc").is_first_distinct())
        origine: str = pt.Field(constraints=pl.col("origine").is_in(codes["origine"]))
        type_n1: str
        debut: datetime | None = pt.Field(
            constraints=[
                (ok | (pl.col("saisi_le") >= pl.col("debut"))),
                (ok | pl.col("fin").is_null() | (pl.col("fin") >= pl.col("debut"))),
            ]
        )
        nb_agents: int | None = pt.Field(ge=AGENTS[0], le=AGENTS[1])
        longitude: float | None = pt.Field(ge=LONGITUDE[0], le=LONGITUDE[1])
        quartier: str | None = pt.Field(
            constraints=pl.col("quartier").is_null() | pl.col("quartier").is_in(codes["quartier"])
        )
        unreadable: bool = pt.Field(constraints=~pl.col("unreadable"))

    try:
        Log.validate(parsed(scan(folder)).collect(), allow_superfluous_columns=True)
    except pt.exceptions.DataFrameValidationError as error:
        print(str(error)[:2000], file=sys.stderr)


def keep_polars(folder: Path, parts: list[Any]) -> None:
    """Write rejected rows (row_number, rule) from Polars frames."""
    import polars as pl

    whole = pl.concat([p.select(pl.col("row_number").cast(pl.Int64), "rule") for p in parts])
    whole.write_parquet(folder / "rejects.parquet")
