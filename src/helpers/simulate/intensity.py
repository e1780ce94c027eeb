"""Where facts happen: log-Gaussian intensities over the built cells.

The log-intensity of a type is σ·z, z standard Gaussian over the built cells. For a
log-normal intensity, half of the facts fall in the share p of cells with σ = −Φ⁻¹(p): p = 4 %
gives σ = 1.75. Summed over types the city is a little less concentrated than each type.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from pyproj import Transformer
from scipy import ndimage, special

from helpers.simulate.settings import Initiator, Place, Settings, TypeOfFact
from helpers.simulate.streams import Bools, Floats, Ints, stream
from helpers.simulate.territory import Territory


@dataclass(frozen=True)
class Ground:
    """The built cells: positions in the territory, which are on the coast, the town hall's.

    `away` is in metres from the town hall, `town_hall` the cell nearest to it (a position in the
    territory).
    """

    territory: Territory
    place: Place
    seed: int
    cells: Ints
    coast: Bools
    away: Floats
    town_hall: int
    _fields: dict[str, Floats] = field(default_factory=dict)

    def intensity(
        self, source: str, kind: TypeOfFact, initiator: Initiator, effect: Floats | None = None
    ) -> Floats:
        """Return the share of the type's facts in each built cell; sums to 1.

        `effect` (cells,) is added to the log-intensity; the rest varies the less, so that half of
        the facts still lie in the share of cells that the settings tell.
        """
        place = self.place
        own = (
            np.sqrt(place.common_share) * self._field("commun")
            + np.sqrt(place.field_share) * self._field(f"nature/{kind.field}")
            + np.sqrt(place.presence_share) * self._field(f"presence/{source}/{initiator}")
        )
        z = _normal_scores(
            np.sqrt(place.centre_share) * _standard(-np.log1p(self.away / place.centre_length_m))
            + np.sqrt(1 - place.centre_share) * _standard(own),
            self.area,
        )
        sigma = -special.ndtri(place.half_in_share)
        added = np.zeros(len(z)) if effect is None else effect
        rest = np.sqrt(max(0.0, sigma**2 - added.var()))
        weights = np.exp(rest * z + added) * self.area
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    def centres(self) -> Floats:
        """Return the centres of the built cells in metres, shape (cells, 2): east, north."""
        return np.asarray(self.territory.centres()[self.cells], dtype=np.float64)

    @property
    def area(self) -> Floats:
        """The built cells' areas, as shares of a whole cell, shape (cells,)."""
        return np.asarray(self.territory.area[self.cells], dtype=np.float64)

    def lived_in(self, falls_m: float) -> Floats:
        """Return how much is built in each quarter, in cells as dense as at the town hall.

        The density falls e times every `falls_m` metres away from it.
        """
        where = self.territory
        dense = self.area * np.exp(-self.away / falls_m)
        count = len(where.quarters.code)
        return np.bincount(where.quarter[self.cells], dense, count).astype(np.float64)

    def _field(self, name: str) -> Floats:
        """Return the standard Gaussian field `name` over the built cells, drawn once."""
        if name not in self._fields:
            self._fields[name] = self._draw_field(name)
        return self._fields[name]

    def _draw_field(self, name: str) -> Floats:
        """White noise smoothed by a Gaussian of standard deviation s correlates as
        exp(−d²/4s²): it falls to 1/e at d = 2s."""
        where, place = self.territory, self.place
        rng = stream(self.seed, f"place/{name}")
        row, column = where.north - where.north.min(), where.east - where.east.min()
        noise, own = rng.standard_normal((2, row.max() + 1, column.max() + 1))
        spread = place.smooth_length_m / 2 / where.cell_m
        smooth = ndimage.gaussian_filter(noise, spread, mode="wrap")[row, column][self.cells]
        local = own[row, column][self.cells]  # one for a cell, whatever quarters share it
        return _standard(
            np.sqrt(place.smooth_share) * _standard(smooth)
            + np.sqrt(place.local_share) * _standard(local)
        )


def build_ground(territory: Territory, settings: Settings) -> Ground:
    """Return the built cells: in each quarter, the built share nearest to the town hall."""
    place, codes = settings.place, territory.quarters.code
    to_metres = Transformer.from_crs("EPSG:4326", territory.crs, always_xy=True)
    east, north = to_metres.transform(*place.town_hall)
    away = np.hypot(*(territory.centres() - np.array([east, north])).T)
    kept = []
    for index, code in enumerate(codes):
        own = np.nonzero(territory.quarter == index)[0]
        own = own[np.argsort(away[own], kind="stable")]
        until = np.cumsum(territory.area[own])
        count = np.searchsorted(until, place.built_share.get(code, 1.0) * until[-1])
        kept.append(own[: count + 1])
    cells = np.sort(np.concatenate(kept)).astype(np.int64)
    on_coast = np.isin(np.array(codes), place.coast_quarters)
    return Ground(
        territory,
        place,
        settings.seed,
        cells,
        on_coast[territory.quarter[cells]],
        np.asarray(away[cells]),
        territory.nearest(*place.town_hall),
    )


def _normal_scores(values: Floats, area: Floats) -> Floats:
    """Return the normal scores of `values`: same ranks, an exactly Gaussian distribution by area.

    Without them the few most central cells would weigh more than a log-normal allows.
    """
    order = np.argsort(values, kind="stable")
    until = np.empty(len(values))
    until[order] = np.cumsum(area[order])
    return np.asarray(special.ndtri((until - area / 2) / area.sum()), dtype=np.float64)


def _standard(values: Floats) -> Floats:
    """Return `values` shifted and scaled to mean 0 and variance 1."""
    return np.asarray((values - values.mean()) / values.std(), dtype=np.float64)
