"""Late entries of the sources: delay curves, and the final count of the weeks not all in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.base.store import literal, quote
from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE, OUTSIDE, WHOLE
from helpers.core.place_time.counts import DATED
from helpers.core.stats import nowcast
from helpers.core.stats.nowcast import Floats, Ints, Triangle
from helpers.reliability.knobs import Knobs
from helpers.reliability.silence import dated_sources

Days = NDArray[np.datetime64]
MINIMUM_RECORDS = 200
# How many times the past is looked at again, and every how many steps: days, or months.
BY_WEEK, BY_MONTH = (52, 7), (12, 1)
MONTH_DAYS = 30
# A day on which at most that share of a good day's records was entered, good days being the upper
# quarter of the same days of the week around; where those bring next to nothing, none is lost.
LOST_SHARE, GOOD, LOST_WEEKS, LOST_FEWEST = 0.3, 0.75, 8, 10


def read_delays(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> None:
    """Make table `delays`: source, day, week, the zone of each division, how late, n.

    `late_days`: days from the day of the fact to that of the record, local; `late_week`: from the
    Sunday that ends its week, 0 if within; `late_month`: months from that of this Sunday. Only
    what was recorded by the last day of the period, within `delay_horizon_days`, of the last
    `delay_weeks` weeks and a horizon. View `observations`.
    """
    end, horizon = city.about.period.end, knobs.delay_horizon_days
    first = end - dt.timedelta(days=7 * knobs.delay_weeks + horizon)
    first -= dt.timedelta(days=first.weekday())
    first = max(first, city.about.period.start)
    zone = literal(city.about.timezone)
    divisions = "".join(f", {quote(f'zone_{name}')}" for name in city.about.divisions)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE delays AS SELECT source, CAST(hour AS DATE) AS day, "
        f"CAST(date_trunc('week', hour) AS DATE) AS week{divisions}, "
        "greatest(0, recorded - day) AS late_days, "
        "greatest(0, recorded - (week + 6)) AS late_week, "
        "greatest(0, date_diff('month', week + 6, recorded)) AS late_month, count(*) AS n FROM ("
        f"SELECT *, CAST(timezone({zone}, timezone('UTC', recorded_at)) AS DATE) AS recorded "
        f"FROM observations WHERE recorded_at IS NOT NULL AND {DATED} "
        f"AND hour >= DATE '{first}' AND hour < DATE '{end}' + 1) "
        f"WHERE recorded <= DATE '{end}' AND late_days <= {horizon} GROUP BY ALL"
    )


def triangle_of(
    con: duckdb.DuckDBPyConnection,
    city: City,
    source: str,
    silent: set[dt.date],
    horizon: int,
    division: str | None = None,
    period_days: int = 7,
) -> tuple[list[str], list[dt.date], Triangle] | None:
    """Return zones, first days of the periods and their triangle; None where too little is known.

    Periods are weeks (7) or days (1); `silent`: days on which the source was missing. A step is a
    day; a month for the weeks of a source whose records tell the month alone: in days, how much of
    a week is in would hang on where in its month it lies. Table `delays`.
    """
    when, late = ("week", "late_week") if period_days == 7 else ("day", "late_days")
    monthly = when == "week" and known_by_month(city, source)
    if monthly:
        late, horizon = "late_month", horizon // MONTH_DAYS
    zone = quote(f"zone_{division}") if division else literal(WHOLE)
    rows = con.execute(
        f"SELECT {zone} AS zone, {when} AS start, {late} AS late, CAST(sum(n) AS DOUBLE) AS n "
        f"FROM delays WHERE source = ? AND {late} <= {horizon} "
        f"AND {zone} NOT IN ('{NO_PLACE}', '{OUTSIDE}') "
        "GROUP BY ALL ORDER BY ALL",
        [source],
    ).to_arrow_table()
    if rows.num_rows == 0 or sum(rows["n"].to_pylist()) < MINIMUM_RECORDS:
        return None
    zones = sorted(set(rows["zone"].to_pylist()))
    starts = rows["start"].to_numpy().astype("datetime64[D]")
    end = np.datetime64(city.about.period.end, "D")
    periods = np.arange(starts.min(), end + 1, period_days)
    last = periods + (period_days - 1)
    age = _months(city, last) if monthly else (end - last).astype(np.int64)
    periods, last, age = periods[age >= 0], last[age >= 0], age[age >= 0]
    if len(periods) < nowcast.MINIMUM_PERIODS:
        return None
    n = np.zeros((len(zones), len(periods), horizon + 1))
    column = ((starts - periods[0]) // np.timedelta64(period_days, "D")).astype(np.int64)
    kept = column < len(periods)
    row = np.searchsorted(np.array(zones), rows["zone"].to_numpy(zero_copy_only=False).astype(str))
    n[row[kept], column[kept], rows["late"].to_numpy()[kept]] = rows["n"].to_numpy()[kept]
    days: list[dt.date] = periods.tolist()
    heard = [all(d + dt.timedelta(i) not in silent for i in range(period_days)) for d in days]
    lost = None if monthly else _lost_cells(con, source, silent, last, n.shape[2])
    if lost is not None and period_days > 1:
        lost[:, 0] = False  # the days within a period are not told apart
    if lost is not None:
        n[:, lost] = 0.0  # the few that came say nothing of the others
    return zones, days, Triangle(n, age, np.array(heard), lost, nowcast.HALF_LIFE * 7 / period_days)


def lost_days(entered: Floats) -> NDArray[np.bool_]:
    """Return the days on which next to nothing was entered, though much should have been.

    `entered`: records entered each day. They are judged by the same days of the week around, so
    that an office closed on Sundays loses none.
    """
    found = np.zeros(len(entered), dtype=bool)
    for day in range(len(entered)):
        near = entered[day % 7 :: 7][max(0, day // 7 - LOST_WEEKS) : day // 7 + LOST_WEEKS + 1]
        good = float(np.quantile(near, GOOD))
        found[day] = good >= LOST_FEWEST and entered[day] <= LOST_SHARE * good
    return found


def _lost_cells(
    con: duckdb.DuckDBPyConnection,
    source: str,
    silent: set[dt.date],
    last: Days,
    width: int,
) -> NDArray[np.bool_]:
    """Return the cells (periods, delays) that fall on lost days.

    A day on which the source was `silent` is lost too. `last`: last day of each period. Table
    `delays`.
    """
    rows = con.execute(
        "SELECT day + CAST(late_days AS INTEGER) AS entered, CAST(sum(n) AS DOUBLE) AS n "
        "FROM delays WHERE source = ? GROUP BY ALL ORDER BY ALL",
        [source],
    ).fetchnumpy()
    when = rows["entered"].astype("datetime64[D]")
    entered = np.zeros(int((when.max() - when.min()).astype(int)) + 1)
    entered[(when - when.min()).astype(int)] = rows["n"]
    lost = lost_days(entered)
    mute = np.array(sorted(silent), dtype="datetime64[D]")
    mute = mute[(mute >= when.min()) & (mute <= when.max())]
    lost[(mute - when.min()).astype(int)] = True
    at = (last[:, None] + np.arange(width)[None, :] - when.min()).astype(int)
    within = (at >= 0) & (at < len(lost))
    cells = np.where(within, lost[np.clip(at, 0, len(lost) - 1)], False)
    return np.asarray(cells)


def known_by_month(city: City, source: str) -> bool:
    """Tell whether only the month of the source's records is known."""
    contract = city.contracts[source]
    recorded = contract.observation.recorded_at if contract.observation else None
    return recorded is not None and contract.fields[recorded].month_end


def _months(city: City, days: Days) -> Ints:
    """Return how many months lie between that of each day and the last one that is over."""
    over = (np.datetime64(city.about.period.end, "D") + 1).astype("datetime64[M]") - 1
    return np.asarray((over - days.astype("datetime64[M]")).astype(np.int64))


def day_curves(
    con: duckdb.DuckDBPyConnection, city: City, silent: dict[str, set[dt.date]], knobs: Knobs
) -> dict[str, Floats]:
    """Return source → share of a day's records in hand after 0, 1… days, up to the horizon.

    Sources that do not tell when they recorded, or told too little, are not there. Where only the
    month is known, days old enough to be complete alone tell: how late a day may seem hangs on
    where in its month it lies, so that what is in hand today is another curve (`in_hand_today`).
    Table `delays`.
    """
    found, horizon = {}, knobs.delay_horizon_days
    for source in dated_sources(city):
        read = triangle_of(con, city, source, silent.get(source, set()), horizon, None, 1)
        if read is None:
            continue
        triangle = read[2]
        if known_by_month(city, source):
            old = triangle.age >= triangle.horizon
            triangle = Triangle(
                triangle.n[:, old], triangle.age[old], triangle.heard[old],
                half_life=triangle.half_life,
            )  # fmt: skip
        if len(triangle.age):
            found[source] = nowcast.curve(triangle)
    return found


def in_hand_today(con: duckdb.DuckDBPyConnection, city: City, source: str, curve: Floats) -> Floats:
    """Return the share in hand today of the days that are 0, 1… days old, as long as `curve`.

    `curve` itself, but where the month of entry alone is known: how late a day seems then hangs on
    where in its month it lies, and how much of it is in, on how many months have ended since. It is
    that of the same days of past months, complete by now, once as many had ended. Table `delays`.
    """
    if not known_by_month(city, source):
        return curve
    steps = (len(curve) - 1) // MONTH_DAYS
    rows = con.execute(
        "SELECT date_diff('day', day, last_day(day)) AS left_days, least(?, date_diff('month', day,"
        " day + CAST(late_days AS INTEGER))) AS late, date_diff('month', day, ?) AS ago, "
        "CAST(sum(n) AS DOUBLE) AS n FROM delays WHERE source = ? AND ago >= ? "
        "GROUP BY ALL ORDER BY ALL",
        [steps, city.about.period.end, source, steps],
    ).fetchnumpy()
    entered = np.zeros((31, steps + 1))
    recent = 0.5 ** (rows["ago"] / nowcast.HALF_LIFE)
    np.add.at(entered, (rows["left_days"], rows["late"]), rows["n"] * recent)
    last = np.datetime64(city.about.period.end, "D")
    days = last - np.arange(len(curve))
    ago = _months(city, days)
    ends = (days.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
    left = (ends - days).astype(np.int64)
    found = np.ones(len(curve))
    for age in np.flatnonzero(ago < steps):
        # The last days of a month differ much: only where they tell too little do others help.
        for wide in range(31):
            near = entered[max(left[age] - wide, 0) : left[age] + wide + 1].sum(axis=0)
            if near.sum() >= MINIMUM_RECORDS:
                break
        if near.sum() > 0:
            found[age] = max(near[: ago[age] + 1].sum() / near.sum(), 1e-6)
    return found


def find(
    con: duckdb.DuckDBPyConnection, city: City, silent: dict[str, set[dt.date]], knobs: Knobs
) -> tuple[pa.Table, dict[str, tuple[int, int, int]]]:
    """Return the nowcast of the weeks not all in (rows of NOWCAST), and how forecasts held.

    The city's forecasts and those of each zone, from the source's own curve. Of each source, of
    how many past forecasts the final count lies within the interval, out of how many, and of how
    many distinct weeks. Table `delays`.
    """
    rows: list[dict[str, Any]] = []
    checks: dict[str, tuple[int, int, int]] = {}
    horizon, confidence, width = knobs.delay_horizon_days, knobs.nowcast_confidence, 1.0
    for source in dated_sources(city):
        gone = silent.get(source, set())
        for division in (None, *city.about.divisions):
            read = triangle_of(con, city, source, gone, horizon, division)
            if read is None:
                continue
            if division is None:
                looks = BY_MONTH if known_by_month(city, source) else BY_WEEK
                past = nowcast.held_back(read[2], *looks, confidence)
                checks[source], width = nowcast.coverage(past), past.width
            rows += _rows_of(source, division or WHOLE, *read, confidence, width)
    return pa.Table.from_pylist(rows, schema=NOWCAST), checks


NOWCAST = pa.schema(
    [
        ("source", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("week", pa.date32()), ("seen", pa.int64()), ("share_in", pa.float64()),
        ("value", pa.float64()), ("low", pa.int64()), ("high", pa.int64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def _rows_of(
    source: str,
    division: str,
    zones: list[str],
    weeks: list[dt.date],
    triangle: Triangle,
    confidence: float,
    width: float,
) -> list[dict[str, Any]]:
    """Return the nowcast as rows; a recent week in which the source was silent is missing."""
    recent = np.flatnonzero(
        nowcast.curve(triangle)[np.minimum(triangle.age, triangle.horizon)] < nowcast.ALL_IN
    )
    found = nowcast.forecast(triangle, confidence, recent, width=width)
    rows = []
    for i, zone in enumerate(zones):
        for j, period in enumerate(found.periods):
            told = {
                "source": source, "division": division, "zone": zone, "week": weeks[period],
                "seen": int(found.seen[i, j]), "share_in": round(float(found.share_in[j]), 6),
            }  # fmt: skip
            if triangle.heard[period]:
                told |= {
                    "value": round(float(found.value[i, j]), 1), "low": int(found.low[i, j]),
                    "high": int(found.high[i, j]), "status": "ok", "reason": "",
                }  # fmt: skip
            else:
                told |= {"status": "missing", "reason": "silent"}
            rows.append(told)
    return rows


def curves_table(con: duckdb.DuckDBPyConnection, city: City, curves: dict[str, Floats]) -> pa.Table:
    """Return the delay curves as rows: source, days, share_in, in_hand (`in_hand_today`)."""
    today = {source: in_hand_today(con, city, source, curve) for source, curve in curves.items()}
    return pa.table(
        {
            "source": pa.array([s for s, f in curves.items() for _ in f], pa.string()),
            "days": pa.array([d for f in curves.values() for d in range(len(f))], pa.int64()),
            **{
                name: pa.array([round(float(v), 6) for f in told.values() for v in f], pa.float64())
                for name, told in (("share_in", curves), ("in_hand", today))
            },
        }
    )
