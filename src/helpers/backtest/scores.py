"""The year that judges: scores, calibration, skill, and what the places named held."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import stats

from helpers.backtest.knobs import Knobs
from helpers.backtest.rolled import OF_DAY, REFERENCE, Rolled, scored
from helpers.core.place_time.slots import Slots
from helpers.core.stats import count_scores, places_named, rolling
from helpers.core.stats.count_levels import BASELINES, LAST
from helpers.core.stats.count_scores import rounded
from helpers.core.stats.rolling import USE, Block, Floats

SHARES = (0.01, 0.02, 0.05, 0.10)  # of the area
TOGETHER = 4  # weeks whose differences are one: what drags on passes from one to the next
CITY = "city"  # the role of what gives the city's mean
NOT_WHOLE, NO_SKILL = "not_whole", "no_skill"
TEXT, NUMBER, COUNT = pa.string(), pa.float64(), pa.int64()
METHODS = pa.schema(
    [("theme", TEXT), ("horizon", TEXT), ("method", TEXT), ("role", TEXT), ("crps", NUMBER),
     ("chosen", pa.bool_()), ("use", TEXT)]
)  # fmt: skip
SCORES = pa.schema(
    [("theme", TEXT), ("kind", TEXT), ("horizon", TEXT), ("division", TEXT), ("part", TEXT),
     ("method", TEXT), ("chosen", pa.bool_()), ("forecasts", COUNT), ("facts", COUNT),
     ("bias", NUMBER), ("crps", NUMBER), ("log_score", NUMBER), ("ks", NUMBER),
     ("covered_80", NUMBER), ("covered_90", NUMBER), ("use", TEXT)]
)  # fmt: skip
SPREADS = pa.schema(
    [("theme", TEXT), ("horizon", TEXT), ("division", TEXT), ("part", TEXT), ("method", TEXT),
     ("phi", NUMBER), ("alpha", NUMBER), ("use", TEXT)]
)  # fmt: skip
SKILL = pa.schema(
    [("theme", TEXT), ("kind", TEXT), ("horizon", TEXT), ("division", TEXT), ("method", TEXT),
     ("city_method", TEXT), ("skill", NUMBER), ("low", NUMBER), ("high", NUMBER),
     ("gain", NUMBER), ("origins", COUNT),
     ("status", TEXT), ("reason", TEXT), ("use", TEXT)]
)  # fmt: skip
PLACES = pa.schema(
    [("theme", TEXT), ("horizon", TEXT), ("part", TEXT), ("method", TEXT), ("share", NUMBER),
     ("pai", NUMBER), ("pei", NUMBER), ("hit_rate", NUMBER), ("facts", COUNT), ("named", COUNT),
     ("with_a_fact", NUMBER), ("chance", NUMBER), ("use", TEXT)]
)  # fmt: skip
ORIGINS = pa.schema(
    [("theme", TEXT), ("horizon", TEXT), ("origin", pa.date32()), ("starts", pa.date32()),
     ("ends", pa.date32()), ("zones", COUNT), ("zones_aside", COUNT), ("observed", COUNT),
     ("mean", NUMBER), ("low", COUNT), ("high", COUNT), ("status", TEXT), ("reason", TEXT),
     ("use", TEXT)]
)  # fmt: skip
Rows = Iterator[dict[str, Any]]


def methods(slots: Slots, found: Rolled) -> Rows:
    """Yield a row of METHODS a method: its mean CRPS over zones in the year of choice.

    Then, of role `city`, a row a source of the city's mean: its mean CRPS over the city.
    """
    head = {"theme": slots.theme, "horizon": found.horizon, "use": USE}
    for method, value in found.city_choice.items():
        yield {**head, "method": method, "role": CITY, "crps": rounded(value),
               "chosen": method == found.city_method}  # fmt: skip
    for method, value in found.choice.items():
        role = "baseline" if method in BASELINES else "challenger"
        yield {**head, "method": method, "role": role, "crps": rounded(value),
               "chosen": method == found.method}  # fmt: skip


def levels(slots: Slots, block: Block) -> dict[str, Block]:
    """Return division → the block summed to its zones; places in no zone only in the city."""
    found = {name: block.over(matrix) for name, (_, matrix) in slots.sums().items()}
    own = found[slots.division]
    means = {name: mean[..., :-1] for name, mean in own.means.items()}
    found[slots.division] = Block(own.at, own.came[..., :-1], own.whole[:, :-1], means)
    return found


def scores(slots: Slots, found: Rolled, seed: int) -> Rows:
    """Yield a row of SCORES a division, part and method, over the year that judges.

    Of the methods not chosen, for the theme's own division alone; calibration of the one chosen
    and of the mean of 52 weeks.
    """
    before, after = (levels(slots, one) for one in (found.chosen_on, found.judged))
    for division, judged in after.items():
        for part, parts in found.parts.items():
            learnt_on, block = before[division].part(parts), judged.part(parts)
            came = block.kept(block.came)
            told = list(found.choice) if division == slots.division else [found.method]
            for method in told if len(came) else ():
                mean = block.kept(block.means[method])
                alpha = rolling.alpha_of(mean, rolling.spread(learnt_on, method))
                values = _scored(found, (division, part, method), learnt_on, block)
                row: dict[str, Any] = {
                    "theme": slots.theme, "kind": slots.kind, "horizon": found.horizon,
                    "division": division, "part": part, "method": method,
                    "chosen": method == found.method, "forecasts": len(came),
                    "facts": int(came.sum()), "bias": rounded(mean.sum() / max(came.sum(), 1)),
                    "crps": rounded(float(np.nanmean(values))),
                    "log_score": rounded(-count_scores.log_chance(came, mean, alpha).mean()),
                    "use": USE,
                }  # fmt: skip
                if method in (found.method, REFERENCE):
                    draws = np.random.default_rng([seed, len(came)])
                    row |= _calibration(count_scores.pit(came, mean, alpha, draws))
                yield row


def _calibration(transformed: Floats) -> dict[str, float]:
    return {"ks": rounded(count_scores.from_uniform(transformed)),
            "covered_80": rounded(count_scores.covered(transformed, 0.8)),
            "covered_90": rounded(count_scores.covered(transformed, 0.9))}  # fmt: skip


def _scored(found: Rolled, key: tuple[str, str, str], learnt_on: Block, block: Block) -> Floats:
    if key not in found.told:
        found.told[key] = scored(learnt_on, block, key[2])
    return found.told[key]


def spreads(slots: Slots, found: Rolled) -> Rows:
    """Yield a row of SPREADS a division and part: dispersion of the last year, for what is next."""
    for division, judged in levels(slots, found.judged).items():
        for part, parts in found.parts.items():
            phi, alpha = rolling.spread(judged.part(parts), found.method)
            yield {"theme": slots.theme, "horizon": found.horizon, "division": division,
                   "part": part, "method": found.method, "phi": rounded(phi),
                   "alpha": rounded(alpha), "use": USE}  # fmt: skip


def skill(slots: Slots, found: Rolled, knobs: Knobs) -> Rows:
    """Yield a row of SKILL a division: CRPS spared by the method chosen, beside the last count's.

    `low` and `high` from differences of four weeks together (Student); `gain` is beside the mean of
    52 weeks. `no_skill` where `low` is not above zero.
    """
    before, after = (levels(slots, one) for one in (found.chosen_on, found.judged))
    for division, judged in after.items():
        told = {m: _by_origin(before[division], judged, (division, m), found)
                for m in {found.method, LAST, REFERENCE}}  # fmt: skip
        row: dict[str, Any] = {
            "theme": slots.theme, "kind": slots.kind, "horizon": found.horizon,
            "division": division, "method": found.method, "city_method": found.city_method,
            "use": USE,
        }  # fmt: skip
        heard = np.isfinite(told[LAST])
        row["origins"] = int(heard.sum())
        naive = float(told[LAST][heard].mean()) if heard.any() else 0.0
        blocks = (told[LAST] - told[found.method])[heard]
        blocks = blocks[len(blocks) % TOGETHER :].reshape(-1, TOGETHER).mean(axis=1)
        if len(blocks) < 2 or naive <= 0:
            yield row | {"status": "abstained", "reason": NOT_WHOLE}
            continue
        error = stats.t.ppf((1 + knobs.confidence) / 2, len(blocks) - 1)
        error *= blocks.std(ddof=1) / np.sqrt(len(blocks)) / naive
        value = 1 - float(told[found.method][heard].mean()) / naive
        usual = float(told[REFERENCE][heard].mean())
        sure = value - error > 0
        yield row | {
            "skill": rounded(value), "low": rounded(value - error),
            "high": rounded(value + error),
            "gain": rounded(1 - float(told[found.method][heard].mean()) / usual),
            "status": "ok" if sure else "abstained", "reason": "" if sure else NO_SKILL,
        }  # fmt: skip


def _by_origin(learnt_on: Block, block: Block, asked: tuple[str, str], found: Rolled) -> Floats:
    """Return the mean CRPS of each origin (origins,) over what is told first: whole days.

    Of slots, for the next slot. Slots and days together would let one pass for the other.
    """
    division, method = asked
    part, parts = list(found.parts.items())[-1]
    key = division, part, method
    values = _scored(found, key, learnt_on.part(parts), block.part(parts))
    held = np.isfinite(values)
    count = held.sum(axis=(1, 2))
    total = np.where(held, values, 0).sum(axis=(1, 2))
    return np.asarray(np.where(count, total, np.nan) / np.maximum(count, 1))


def places(slots: Slots, found: Rolled, area: Floats, knobs: Knobs) -> Rows:
    """Yield a row of PLACES a part and share of the area; `area` (zones,) in km².

    `with_a_fact`: of the `named` zones of the greatest forecast (`named_share` of all), those that
    had a fact; `chance`: of all zones. Only origins where every zone was heard.
    """
    block = levels(slots, found.judged)[slots.division]
    whole = np.flatnonzero(block.whole.all(axis=1))
    k = max(1, round(knobs.named_share * len(area)))
    for part, parts in found.parts.items():
        came = block.came[:, parts][whole].reshape(-1, len(area))
        for method in dict.fromkeys((found.method, REFERENCE)):
            mean = block.means[method][:, parts][whole].reshape(-1, len(area))
            pairs = list(zip(mean, came, strict=True))
            plain = [places_named.with_a_fact(m, c, k) for m, c in pairs]
            if not plain:
                continue
            there, chance = np.mean(plain, axis=0)
            wanted = [share * float(area.sum()) for share in SHARES]
            held = np.sum([places_named.all_named(m, c, area, wanted) for m, c in pairs], axis=0)
            for share, (hits, best, total, _) in zip(SHARES, held.tolist(), strict=True):
                of_all = places_named.Named(hits, best, total, share)
                yield {
                    "theme": slots.theme, "horizon": found.horizon, "part": part,
                    "method": method, "share": share, "facts": int(total), "named": k,
                    "pai": _known(of_all.accuracy), "pei": _known(of_all.efficiency),
                    "hit_rate": _known(of_all.hit_rate), "with_a_fact": rounded(there),
                    "chance": rounded(chance), "use": USE,
                }  # fmt: skip


def origins(slots: Slots, found: Rolled) -> Rows:
    """Yield a row of ORIGINS a week: what was forecast of the city, what came, what was set aside.

    Of whole days (of the slot, for the next slot), with the central interval at 80 %.
    """
    parts = found.parts.get(OF_DAY, slice(0, 1))
    judged = found.judged.part(parts)
    whole = judged.over(np.ones((1, len(slots.zones))))
    before = found.chosen_on.part(parts).over(np.ones((1, len(slots.zones))))
    mean = whole.means[found.method][:, 0, 0]
    alpha = rolling.alpha_of(mean, rolling.spread(before, found.method))
    low, high = count_scores.quantiles(mean, alpha, (0.1, 0.9))
    for i, at in enumerate(judged.at):
        starts = slots.first + dt.timedelta(days=int(at) + found.lead)
        row: dict[str, Any] = {
            "theme": slots.theme, "horizon": found.horizon,
            "origin": slots.first + dt.timedelta(days=int(at) - 1), "starts": starts,
            "ends": starts + dt.timedelta(days=found.length - 1), "zones": len(slots.zones) - 1,
            "zones_aside": int((~judged.whole[i, :-1]).sum()), "status": "ok", "reason": "",
            "use": USE,
        }  # fmt: skip
        if whole.whole[i, 0]:
            row |= {"observed": int(whole.came[i, 0, 0]), "mean": rounded(mean[i]),
                    "low": int(low[i]), "high": int(high[i])}  # fmt: skip
        else:
            days = slots.why[int(at) - 1 : int(at) + found.lead + found.length]
            row |= {"status": "abstained", "reason": sorted(set(days[days != ""]))[0]}
        yield row


def _known(value: float) -> float | None:
    return rounded(value) if np.isfinite(value) else None
