"""The simulated city: files as a vendor would deliver them, and the truth behind them.

`deliver` writes what a city would receive; `write_truth` writes, apart, what only scoring may
read. Nothing here describes a real person or a real fact.
"""

from helpers.simulate.delivery import deliver
from helpers.simulate.truth import write_truth

__all__ = ["deliver", "write_truth"]
