"""A smoothed picture of counts on a grid: for the eye alone, nothing is concluded from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
REACH = 4.0  # bandwidths beyond which the kernel is left out: 0.03 % of it


def smoothed(
    squares: NDArray[np.int64], counts: Floats, bandwidth: float, *, edges: bool = True
) -> Floats:
    """Return the Gaussian kernel density of binned points at each square, shape (n,).

    `squares` (n, 2) are whole positions on a grid, `counts` (n,) what they hold, `bandwidth` the
    standard deviation of the kernel in squares. Separable, so the cost does not grow with the
    number of points (Silverman, B. W. 1982, Applied Statistics 31, AS 176, bins them likewise).
    With `edges`, what the kernel would lay outside the squares is laid within (Diggle, P. J. 1985,
    Applied Statistics 34), which keeps places near the sea from looking quiet.
    """
    rows, columns = (squares - squares.min(axis=0)).T
    shape = int(rows.max()) + 1, int(columns.max()) + 1
    at = rows * shape[1] + columns  # a flat position is looked up several times faster

    def blurred(held: Floats | None) -> Floats:
        grid = np.bincount(at, held, shape[0] * shape[1]).astype(float).reshape(shape)
        spread = ndimage.gaussian_filter(grid, bandwidth, mode="constant", truncate=REACH)
        return np.asarray(spread.ravel()[at], dtype=np.float64)

    return blurred(counts) / blurred(None) if edges else blurred(counts)
