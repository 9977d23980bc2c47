"""Power laws through measured costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PowerLaw:
    """``factor * size ** exponent``, the 95 % interval of the exponent, and how many values it rests on."""

    factor: float
    exponent: float
    low: float
    high: float
    n: int

    def __call__(self, size: float) -> float:
        return self.factor * size**self.exponent


def power_law(sizes: Sequence[float], values: Sequence[float]) -> PowerLaw:
    """The power law of values (n,) at sizes (n,), both positive: a least-squares line through their logarithms.

    The interval is Student's, of repetitions whose logarithms scatter independently and alike about one line; what
    bends the line widens it.  ``ValueError`` for fewer than three different sizes, or for a value that is not positive.
    """
    from scipy.stats import linregress, t

    sizes, values = (np.asarray(x, dtype=float) for x in (sizes, values))
    if len(np.unique(sizes)) < 3 or not (sizes > 0).all() or not (values > 0).all():
        raise ValueError("a power law needs positive values at three different positive sizes or more")
    line = linregress(np.log(sizes), np.log(values))
    half = t.ppf(0.975, len(sizes) - 2) * line.stderr
    ends = float(line.slope - half), float(line.slope + half)
    return PowerLaw(float(np.exp(line.intercept)), float(line.slope), *ends, len(sizes))
