"""What goes wrong between a fact and a line of the file, each defect with its label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from helpers.simulate.settings_sources import Defects
from helpers.simulate.streams import Bools, Floats, Ints, Moments, draw, stream

PLACE_DEFECTS = ("none", "no_place", "default_point", "quarter_only", "swapped")
DST = ("none", "missing_hour", "doubled_hour")
COPIES = ("none", "repeated", "corrected")
MINUTE, HOUR = np.timedelta64(1, "m"), np.timedelta64(1, "h")
Durations = npt.NDArray[np.timedelta64]


@dataclass(frozen=True)
class Labels:
    """The truth about each record: positions in `PLACE_DEFECTS`, `DST`, `COPIES`, and yes or no.

    `copies` says that a second line of the record is delivered: the same, or a corrected version.
    """

    place: Ints
    dst: Ints
    copies: Ints
    unknown_code: Bools
    wrong_category: Bools
    late: Bools
    personal: Bools


@dataclass(frozen=True)
class Place:
    """The place as written: degrees (NaN where absent), position of the quarter (−1: absent)."""

    longitude: Floats
    latitude: Floats
    quarter: Ints


def draw_labels(size: int, defects: Defects, seed: int, use: str) -> Labels:
    """Draw which of `size` records each defect strikes; at most one defect of place each.

    A share d of the lines is a second version of another: d / (1 − d) of the records have one.
    """

    def struck(name: str, share: float) -> Bools:
        if not share:
            return np.zeros(size, dtype=np.bool_)
        return np.asarray(stream(seed, f"defects/{use}/{name}").random(size) < share)

    def one_of(name: str, shares: list[float]) -> Ints:
        rng = stream(seed, f"defects/{use}/{name}")
        return draw(np.array([1.0 - sum(shares), *shares]), size, rng)

    twice = defects.duplicate / (1 - defects.duplicate)
    corrected = defects.corrected_share
    wrong = struck("wrong_category", defects.wrong_category)
    return Labels(
        place=one_of("place", [getattr(defects, name) for name in PLACE_DEFECTS[1:]]),
        dst=np.zeros(size, dtype=np.int64),
        copies=one_of("copies", [twice * (1 - corrected), twice * corrected]),
        unknown_code=struck("unknown_code", defects.unknown_code) & ~wrong,
        wrong_category=wrong,
        late=struck("late", defects.late),
        personal=struck("personal", defects.personal),
    )


def written_place(
    longitude: Floats,
    latitude: Floats,
    quarter: Ints,
    labels: Labels,
    default_points: Floats,
    default_quarters: Ints,
    which: Ints,
) -> Place:
    """Return the place as the file has it, defects applied.

    `which` says, of each record, the default point that stands in for its place if one does
    (`default_points`: degrees, shape (k, 2); `default_quarters`: their quarters).
    """
    none, default, quarter_only, swapped = (labels.place == code for code in (1, 2, 3, 4))
    longitude = np.where(default, default_points[which, 0], longitude)
    latitude = np.where(default, default_points[which, 1], latitude)
    longitude, latitude = (
        np.where(swapped, latitude, longitude),
        np.where(swapped, longitude, latitude),
    )
    no_point = none | quarter_only
    return Place(
        np.where(no_point, np.nan, longitude),
        np.where(no_point, np.nan, latitude),
        np.where(none, -1, np.where(default, default_quarters[which], quarter)),
    )


def entry_delay(labels: Labels, defects: Defects, seed: int, use: str) -> Durations:
    """Return how much later the late entries come (minutes), 0 elsewhere: threshold plus gamma."""
    size = len(labels.late)
    gamma = stream(seed, f"defects/{use}/delay").gamma(
        defects.late_gamma_shape, defects.late_gamma_scale_days, size
    )
    days = np.where(labels.late, defects.late_after_days + gamma, 0.0)
    return minutes(days * 24 * 60)


def wrong_kinds(kind: Ints, kinds: int, labels: Labels, seed: int, use: str) -> Ints:
    """Return the kinds as written: where the label says so, another one, evenly drawn."""
    shift = stream(seed, f"defects/{use}/wrong_kind").integers(1, kinds, len(kind))
    return np.where(labels.wrong_category, (kind + shift) % kinds, kind)


def written_in_missing_hour(
    moment: Moments, missing: Moments, share: float, seed: int, use: str
) -> Bools:
    """Tell which moments were read from a clock that nobody had put forward.

    `missing` are the hours that the changes to summer time leave out. `share` of the day's lines:
    all come from the hour that follows, where such a clock shows the missing one.
    """
    chance = np.zeros(len(moment))
    day = moment.astype("datetime64[D]")
    for start in missing.astype("datetime64[m]"):
        after = (moment >= start + HOUR) & (moment < start + 2 * HOUR)
        there = int((day == start.astype("datetime64[D]")).sum())
        chance[after] = share * there / max(1, int(after.sum()))
    return np.asarray(stream(seed, f"defects/{use}/dst").random(len(moment)) < chance)


def minutes(values: Floats) -> Durations:
    """Return durations in whole minutes."""
    return values.astype(np.int64).astype("timedelta64[m]")
