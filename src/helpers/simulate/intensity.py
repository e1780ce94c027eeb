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
from helpers.simulate.shapes import Territory
from helpers.simulate.streams import Bools, Floats, Ints, stream


@dataclass(frozen=True)
class Ground:
    """The built cells: positions in the territory, which are on the coast, the town hall's.

    `town_hall` is the cell nearest to the town hall (a position in the territory).
    """

    territory: Territory
    place: Place
    seed: int
    cells: Ints
    coast: Bools
    centre: Floats
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
            np.sqrt(place.centre_share) * self.centre
            + np.sqrt(1 - place.centre_share) * _standard(own)
        )
        sigma = -special.ndtri(place.half_in_share)
        added = np.zeros(len(z)) if effect is None else effect
        rest = np.sqrt(max(0.0, sigma**2 - added.var()))
        weights = np.exp(rest * z + added)
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    def centres(self) -> Floats:
        """Return the centres of the built cells in metres, shape (cells, 2): east, north."""
        where = self.territory
        lower = np.column_stack([where.east[self.cells], where.north[self.cells]])
        return np.asarray((lower + 0.5) * where.cell_m, dtype=np.float64)

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
        noise = rng.standard_normal((row.max() + 1, column.max() + 1))
        spread = place.smooth_length_m / 2 / where.cell_m
        smooth = ndimage.gaussian_filter(noise, spread, mode="wrap")[row, column][self.cells]
        local = rng.standard_normal(len(self.cells))
        return _standard(
            np.sqrt(place.smooth_share) * _standard(smooth)
            + np.sqrt(place.local_share) * _standard(local)
        )


def build_ground(territory: Territory, settings: Settings) -> Ground:
    """Return the built cells: in each quarter, the built share nearest to the town hall."""
    place, codes = settings.place, territory.quarters.code
    to_metres = Transformer.from_crs("EPSG:4326", territory.crs, always_xy=True)
    east, north = to_metres.transform(*place.town_hall)
    away = np.hypot(
        (territory.east + 0.5) * territory.cell_m - east,
        (territory.north + 0.5) * territory.cell_m - north,
    )
    kept = []
    for index, code in enumerate(codes):
        own = np.nonzero(territory.quarter == index)[0]
        count = max(1, round(place.built_share.get(code, 1.0) * len(own)))
        kept.append(own[np.argsort(away[own], kind="stable")[:count]])
    cells = np.sort(np.concatenate(kept)).astype(np.int64)
    on_coast = np.isin(np.array(codes), place.coast_quarters)
    return Ground(
        territory,
        place,
        settings.seed,
        cells,
        on_coast[territory.quarter[cells]],
        _standard(-np.log1p(away[cells] / place.centre_length_m)),
        int(away.argmin()),
    )


def _normal_scores(values: Floats) -> Floats:
    """Return the normal scores of `values`: same ranks, an exactly Gaussian distribution.

    Without them the few most central cells would weigh more than a log-normal allows.
    """
    rank = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return np.asarray(special.ndtri((rank + 0.5) / len(values)), dtype=np.float64)


def _standard(values: Floats) -> Floats:
    """Return `values` shifted and scaled to mean 0 and variance 1."""
    return np.asarray((values - values.mean()) / values.std(), dtype=np.float64)
