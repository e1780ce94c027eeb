"""What goes wrong between a fact and a line of the file, each defect with its label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.simulate.facts import Facts
from helpers.simulate.intensity import Ground
from helpers.simulate.settings import Defects
from helpers.simulate.streams import Bools, Floats, Ints, draw, stream

PLACE_DEFECTS = ("none", "no_place", "default_point", "quarter_only", "swapped")


@dataclass(frozen=True)
class Labels:
    """The truth about each record: a position in `PLACE_DEFECTS`, and three yes or no.

    `repeated` says that the line is delivered twice.
    """

    place: Ints
    unknown_code: Bools
    late: Bools
    repeated: Bools

    def take(self, order: Ints) -> Labels:
        """Return the labels of the records in `order`."""
        return Labels(
            self.place[order], self.unknown_code[order], self.late[order], self.repeated[order]
        )


@dataclass(frozen=True)
class Place:
    """The place as written: degrees (NaN where absent), position of the quarter (−1: absent)."""

    longitude: Floats
    latitude: Floats
    quarter: Ints


def draw_labels(size: int, defects: Defects, seed: int, name: str) -> Labels:
    """Draw which of `size` records each defect strikes; at most one defect of place each."""

    def struck(use: str, share: float) -> Bools:
        return np.asarray(stream(seed, f"defects/{name}/{use}").random(size) < share)

    shares = [getattr(defects, defect) for defect in PLACE_DEFECTS[1:]]
    rng = stream(seed, f"defects/{name}/place")
    return Labels(
        draw(np.array([1.0 - sum(shares), *shares]), size, rng),
        struck("unknown_code", defects.unknown_code),
        struck("late", defects.late),
        # A share d of all lines repeats another: d / (1 − d) of the records come twice.
        struck("repeated", defects.duplicate / (1 - defects.duplicate)),
    )


def written_place(facts: Facts, labels: Labels, ground: Ground) -> Place:
    """Return the place as the file has it, defects applied."""
    none, default, quarter_only, swapped = (labels.place == code for code in (1, 2, 3, 4))
    town_hall = ground.place.town_hall
    longitude = np.where(default, town_hall[0], facts.longitude)
    latitude = np.where(default, town_hall[1], facts.latitude)
    longitude, latitude = (
        np.where(swapped, latitude, longitude),
        np.where(swapped, longitude, latitude),
    )
    quarters = ground.territory.quarter
    quarter = np.where(default, quarters[ground.town_hall], quarters[facts.cell])
    no_point = none | quarter_only
    return Place(
        np.where(no_point, np.nan, longitude),
        np.where(no_point, np.nan, latitude),
        np.where(none, -1, quarter),
    )


def entry_delay_days(labels: Labels, defects: Defects, seed: int, name: str) -> Floats:
    """Return the delay of late entries in days (beyond the threshold: gamma), 0 elsewhere."""
    size = len(labels.late)
    gamma = stream(seed, f"defects/{name}/delay").gamma(
        defects.late_gamma_shape, defects.late_gamma_scale_days, size
    )
    return np.where(labels.late, defects.late_after_days + gamma, 0.0)
