"""Code drift: codes that appear, vanish, are renamed, or whose share jumps from one week on.

A code's absence is judged by its own rate and overdispersion, and never where it was absent half
as long before (a beach in winter). Strays are no presence, and two codes may overlap for a while.
A week's shares are compared with those of the weeks before by the two-sample χ², its overdispersion
taken out, under Benjamini & Hochberg's control (1995, JRSS B 57), and only where the population
stability index says that the change is large.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special, stats

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city import contract_sql, moments
from helpers.core.city.city import City
from helpers.core.city.code_names import OTHERS, off_list
from helpers.core.city.contract import Contract
from helpers.core.city.contract_sql import OFF
from helpers.core.city.names import OURS
from helpers.core.city.observation_rule import ObservationRule
from helpers.reliability import away
from helpers.reliability.knobs import Knobs

Floats = NDArray[np.float64]

REFERENCE = 12  # weeks before, whose shares are those of a week to come
RATE_WEEKS = 26
RARE = 5  # counts below are taken together in the χ²
UNLISTED = "hors_liste"
CODE = quote(f"{OURS}code")  # beside the fields that tell a moment, of which one may be `code`
NAMED = 30  # an unlisted value seen less often is not counted apart: a slip of the keyboard
STRAY = 0.1  # a code that keeps at most that share of its rate is gone; the other way, not there
SEARCHES = 8  # the rate hangs on the week of the end, and the week on the rate
CLOSE = 1  # weeks around a code's coming or end in which its own jump of shares lies
OVERLAP = 13  # weeks from the end of a code to the start of its heir, before or after, at most
GAP = 4  # weeks; in a longer one the heir must already be there, or the code still
SETTLED = 4  # weeks after which a code is told to be new
LIKE = (0.4, 2.5)  # ratio of rates of a code and of the one that replaces it
DRIFT = pa.schema(
    [
        ("source", pa.string()), ("field", pa.string()), ("week", pa.date32()),
        ("kind", pa.string()), ("code", pa.string()), ("other", pa.string()),
        ("before", pa.float64()), ("after", pa.float64()), ("psi", pa.float64()),
        ("p", pa.float64()), ("counted", pa.bool_()), ("mapped", pa.bool_()),
        ("until", pa.date32()),  # of a code away: the week in which it is back
    ]
)  # fmt: skip


def kept_false(p: Floats, rate: float) -> NDArray[np.bool_]:
    """Return which p-values stand when `rate` of those that stand may be false (BH 1995)."""
    return np.asarray(stats.false_discovery_control(p) <= rate)


def absence(n: Floats, least: int = REFERENCE) -> tuple[int, float, float]:
    """Return first week of the final absence, rate before it, and its chance (1 where none).

    `n`: counts a week of one code, that must have been there for `least`. The absence begins
    where it makes what came most likely: the code's rate before, at most `STRAY` of it after, so
    that a few late strays, or an early one read backwards, are no presence. The chance is that of
    so few records at the code's rate, Poisson of mean and count divided by the overdispersion,
    times the weeks searched.
    """
    rate, start = float(n.mean()), len(n)
    for _ in range(SEARCHES):
        gain = rate * (1 - STRAY) + n * np.log(STRAY)
        start, before = _best_end(gain), start
        rate = float(n[max(0, start - RATE_WEEKS) : start].mean()) if start else 0.0
        if start == before or rate == 0:
            break
    gone, left = len(n) - start, float(n[start:].sum())
    if not gone or start < least or rate == 0 or left > STRAY * rate * gone:
        return len(n), 0.0, 1.0
    half = (gone + 1) // 2
    spans = np.convolve(n[:start], np.ones(half), "valid") if half <= start else np.zeros(0)
    if spans.size and spans.min() <= STRAY * rate * half:
        return start, rate, 1.0
    over = max(1.0, float(n[max(0, start - RATE_WEEKS) : start].var(ddof=1)) / rate)
    chance = float(special.pdtr(np.floor(left / over), rate * gone / over))
    return start, rate, min(1.0, chance * len(n))


def _best_end(gain: Floats) -> int:
    """Return from which week on the gains add up to most, none at all being worth 0."""
    tails = np.append(np.cumsum(gain[::-1])[::-1], 0.0)
    return int(np.argmax(tails))


def jumps(n: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return, for each week, χ²'s p-value, the stability index, and the code that moved most.

    `n`: (codes, weeks). The first `REFERENCE` weeks have nothing before them: p is 1 there.
    """
    codes, weeks = n.shape
    sums = np.concatenate([np.zeros((codes, 1)), np.cumsum(n, axis=1)], axis=1)
    before = np.zeros_like(n)
    before[:, REFERENCE:] = sums[:, REFERENCE:weeks] - sums[:, : weeks - REFERENCE]
    rare = (before + n) < RARE
    now, then = (
        np.vstack([np.where(rare, 0.0, v), np.where(rare, v, 0.0).sum(axis=0)]) for v in (n, before)
    )
    a, b = now.sum(axis=0), then.sum(axis=0)
    usable = (a > 0) & (b > 0)
    ratio = np.sqrt(np.where(usable, b, 1.0) / np.where(usable, a, 1.0))
    both = now + then
    parts = (now * ratio - then / ratio) ** 2 / np.where(both > 0, both, 1.0)
    square, free = parts.sum(axis=0), np.maximum((both > 0).sum(axis=0) - 1, 1)
    chance = np.median((square / free)[usable]) if usable.any() else 1.0
    p = special.chdtrc(free, square / max(1.0, float(chance)))
    share_now, share_then = ((v + 0.5) / (v + 0.5).sum(axis=0, keepdims=True) for v in (n, before))
    moved = (share_now - share_then) * np.log(share_now / share_then)
    return np.where(usable, p, 1.0), moved.sum(axis=0), moved.argmax(axis=0)


def of_field(
    codes: list[str], weeks: list[dt.date], n: Floats, rate: float, psi_min: float
) -> list[dict[str, Any]]:
    """Return the drifts of one field, by week: week, kind, code, other, before, after, psi, p.

    Kinds: `renamed`, `vanished`, `new`, `away` and its `back` (before and after: records a week),
    `jump` (shares).
    """
    total = len(weeks)
    ends = [absence(row) for row in n]
    starts = [absence(row[::-1], SETTLED) for row in n]
    stand = kept_false(np.array([one[2] for one in (*ends, *starts)]), rate)
    gone = [i for i in range(len(codes)) if stand[i]]
    come = [i for i in range(len(codes)) if stand[len(codes) + i]]
    rows: list[dict[str, Any]] = []
    for i in gone:
        start, usual, p = ends[i]
        told: dict[str, Any] = {
            "week": weeks[start],
            "before": round(usual, 2),
            "psi": None,
            "p": round(p, 6),
        }
        pair = _heir(i, start, n, [(j, total - starts[j][0]) for j in come])
        if pair is None:
            rows.append({**told, "kind": "vanished", "code": codes[i], "other": "", "after": 0.0})
            continue
        come.remove(pair)
        onset = _handover(n[i], n[pair], start, total - starts[pair][0])
        names = {"kind": "renamed", "code": codes[i], "other": codes[pair]}
        after = round(starts[pair][1], 2)
        rows.append({**told, **names, "week": weeks[onset], "after": after})
    for i in come:
        start, usual, p = total - starts[i][0], starts[i][1], starts[i][2]
        rows.append(
            {
                "week": weeks[start], "kind": "new", "code": codes[i], "other": "", "before": 0.0,
                "after": round(usual, 2), "psi": None, "p": round(p, 6),
            }
        )  # fmt: skip
    rows += away.rows(codes, weeks, n)
    return rows + _jump_rows(codes, weeks, n, rate, psi_min, {row["week"] for row in rows})


def _heir(gone: int, end: int, n: Floats, come: list[tuple[int, int]]) -> int | None:
    """Return the new code that may be the vanished one renamed: like rate, no gap, short overlap.

    `come`: new codes and their first weeks. Rates are those of both codes together, before and
    after, over as many weeks as an overlap may last: the season moves them little.
    """
    apart: dict[int, float] = {}
    for code, onset in come:
        if abs(onset - end) > OVERLAP:
            continue
        first, last = min(onset, end), max(onset, end)
        both = n[gone] + n[code]
        before = float(both[max(0, first - OVERLAP) : first].mean())
        after = float(both[min(last, len(both) - 1) :][:OVERLAP].mean())
        between = float(both[first:last].mean()) if last - first > GAP else before
        if before > 0 and all(LIKE[0] <= one / before <= LIKE[1] for one in (between, after)):
            apart[code] = abs(np.log(after / before))
    return min(apart, key=lambda code: (apart[code], code), default=None)


def _handover(old: Floats, new: Floats, end: int, onset: int) -> int:
    """Return the first week of the new name; where a gap leaves it open, the least contradicted."""
    if onset <= end:
        return onset
    contradicted = [old[at:].sum() + new[:at].sum() for at in range(end, onset + 1)]
    return end + int(np.argmin(contradicted))


def _jump_rows(
    codes: list[str],
    weeks: list[dt.date],
    n: Floats,
    rate: float,
    psi_min: float,
    told: set[dt.date],
) -> list[dict[str, Any]]:
    """Return the first of each run of weeks whose shares moved, where no code's end explains it."""
    p, psi, most = jumps(n)
    flagged = kept_false(p, rate) & (psi >= psi_min)
    rows = []
    for at in np.flatnonzero(flagged).tolist():
        lately = range(max(0, at - REFERENCE - CLOSE), min(len(weeks), at + CLOSE + 1))
        if flagged[at - 1] or any(weeks[i] in told for i in lately):
            continue
        code = int(most[at])
        before = n[code, at - REFERENCE : at].sum() / n[:, at - REFERENCE : at].sum()
        rows.append(
            {
                "week": weeks[at], "kind": "jump", "code": codes[code], "other": "",
                "before": round(float(before), 4),
                "after": round(float(n[code, at] / n[:, at].sum()), 4),
                "psi": round(float(psi[at]), 4), "p": round(float(p[at]), 6),
            }
        )  # fmt: skip
    return rows


# --- From accepted and quarantined rows ----------------------------------------------------------


def coded_fields(contract: Contract) -> list[str]:
    """Return the fields of a source that hold codes: its lists, and the category."""
    rule = contract.observation
    assert rule is not None
    listed = [name for name, field in contract.fields.items() if field.type == "enum"]
    return list(dict.fromkeys([rule.category, *listed]))


def weekly_codes(
    con: duckdb.DuckDBPyConnection, contract: Contract, data: Path, timezone: str, field: str
) -> dict[str, dict[dt.date, int]]:
    """Return code → week → rows, accepted or set aside because the code is not in its list.

    Codes of no list are called by their numbers, rare ones taken together.
    """
    found = weekly_texts(con, contract, data, timezone, field)
    return _named(found, set(contract.fields[field].values))


def weekly_texts(
    con: duckdb.DuckDBPyConnection, contract: Contract, data: Path, timezone: str, field: str
) -> dict[str, dict[dt.date, int]]:
    """Return the counts of `weekly_codes`, those of no list by what the door wrote for them."""
    rule = contract.observation
    assert rule is not None
    accepted, aside = (
        data / kind / f"{contract.source}.parquet" for kind in ("accepted", "quarantined")
    )
    when = moments.of(rule.started_at, rule, contract.fields).dated
    sound = f"SELECT CAST({quote(field)} AS VARCHAR) AS code, {when} AS began "
    queries = [f"{sound} FROM read_parquet({literal(accepted)})"]
    if contract.fields[field].type == "enum":
        typed = _typed_moments(contract, rule, timezone, aside, field)
        queries.append(f"SELECT {CODE} AS code, {when} AS began FROM ({typed})")
    # Materialised: DuckDB 1.5.5 fails to bind a TRY(…) that it pushes below a GROUP BY.
    rows = con.execute(
        f"WITH told AS MATERIALIZED ({' UNION ALL '.join(queries)}) SELECT code, "
        "CAST(date_trunc('week', began) AS DATE) AS week, count(*) FROM told "
        "WHERE code IS NOT NULL AND began IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found: dict[str, dict[dt.date, int]] = {}
    for code, monday, n in rows:
        found.setdefault(code, {})[monday] = found.get(code, {}).get(monday, 0) + n
    return found


def moment_fields(rule: ObservationRule) -> list[str]:
    """Return the fields that tell when a fact began."""
    when = rule.started_at
    return [when] if isinstance(when, str) else when.fields


def _typed_moments(
    contract: Contract, rule: ObservationRule, timezone: str, path: Path, field: str
) -> str:
    """Return the SQL of the rows set aside for the field's code: that code, and their moment."""
    zone = contract.timezone or timezone
    columns = [
        contract_sql.typed(quote(name), contract.fields[name], contract.file.decimal, zone)
        + f" AS {quote(name)}"
        for name in moment_fields(rule)
    ]
    code = contract_sql.text(field, contract.fields[field])
    return (
        f"SELECT {', '.join(columns)}, {code} AS {CODE} FROM read_parquet({literal(path)}) "
        f"WHERE reason = {literal(f'{UNLISTED}:{field}')}"
    )


def numbered(found: dict[str, dict[dt.date, int]]) -> dict[str, str]:
    """Return hash of a code off the list → its number (`§1`), in the order in which they came.

    Those that came at once, by how often and when: the hash, which another key changes, comes last.
    Those seen often enough to be codes: nobody knows their words but who holds the received file.
    """
    off = [c for c, n in found.items() if c.startswith(OFF) and sum(n.values()) >= NAMED]
    off.sort(key=lambda code: (min(found[code]), sorted(found[code].items()), code))
    return {code: f"{OFF}{i}" for i, code in enumerate(off, start=1)}


def _named(found: dict[str, dict[dt.date, int]], listed: set[str]) -> dict[str, dict[dt.date, int]]:
    """Return the counts with the codes of no list by their numbers, rare ones taken together."""
    if not listed:
        return found
    numbers = numbered(found)
    kept: dict[str, dict[dt.date, int]] = {}
    for code, weeks in found.items():
        name = code if code in listed else numbers.get(code, OTHERS)
        target = kept.setdefault(name, {})
        for monday, n in weeks.items():
            target[monday] = target.get(monday, 0) + n
    return kept


def find(con: duckdb.DuckDBPyConnection, city: City, data: Path, knobs: Knobs) -> pa.Table:
    """Return the drifts of each coded field of each source, over the weeks heard (rows of DRIFT).

    `counted`: whether the field is one that figures count by, the category or the origin; others
    (the state of a file, say) may move because recent records are not closed yet. `mapped`: false
    where rows are lost, or change theme, from that week on, until the code is in its contract and
    its theme. View `weeks`.
    """
    heard: dict[str, list[dt.date]] = {}
    for source, week in con.execute(
        "SELECT source, week FROM weeks WHERE status = 'ok' ORDER BY ALL"
    ).fetchall():
        heard.setdefault(source, []).append(week)
    plain = store.connect()
    rows: list[dict[str, Any]] = []
    for source, weeks in heard.items():
        contract = city.contracts[source]
        rule = contract.observation
        if rule is None or len(weeks) <= 2 * REFERENCE:
            continue
        counted = (rule.category, rule.origin.field)
        for field in coded_fields(contract):
            found = weekly_codes(plain, contract, data, city.about.timezone, field)
            codes = sorted(found)
            n = np.array([[found[c].get(w, 0) for w in weeks] for c in codes], dtype=float)
            if codes:
                about = {"source": source, "field": field, "counted": field in counted}
                told = of_field(codes, weeks, n, knobs.drift_rate, knobs.drift_psi)
                if field == rule.category:
                    told = [row for row in told if not away.known(city, source, row)]
                theme_of = themes_of(city, source) if field == rule.category else {}
                rows += [{**about, **row, "mapped": _mapped(row, theme_of)} for row in told]
    plain.close()
    return pa.Table.from_pylist(rows, schema=DRIFT)


def themes_of(city: City, source: str) -> dict[str, str]:
    """Return category → theme that counts it, of a source."""
    return {
        category: name
        for name, theme in city.themes.items()
        for category in theme.parts.get(source, ())
    }


def _mapped(row: dict[str, Any], theme_of: dict[str, str]) -> bool:
    """Tell whether what a drift moved is still counted where it was."""
    match row["kind"]:
        case "renamed":
            same = theme_of.get(row["code"]) == theme_of.get(row["other"])
            return not off_list(row["other"]) and same
        case "new":
            return not off_list(row["code"])
        case _:
            return True
