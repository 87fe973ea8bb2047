"""Classes of a map: round limits that put about equally many areas in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Classes:
    """Half-open classes of positive values; the last one holds its upper limit too.

    Attributes:
        limits: Rising; one more than there are classes.
    """

    limits: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.limits) - 1

    def of(self, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """The class of each value, from 0."""
        found = np.searchsorted(self.limits[1:-1], np.asarray(values, dtype=float), side="right")
        return np.asarray(found, dtype=np.int64)

    @property
    def labels(self) -> list[str]:
        """What a legend says of each class."""
        texts = [plain(limit) for limit in self.limits]
        under = [f"{low} to under {high}" for low, high in pairwise(texts[:-1])]
        return [*under, f"{texts[-2]} to {texts[-1]}"]


def quantile_classes(values: Sequence[float] | Floats, count: int = 5) -> Classes | None:
    """Classes with about equally many of the positive values in each, at most `count`.

    Limits are rounded to two digits, so classes that would have the same limits become one.

    Returns:
        None where no value is positive.
    """
    positive = np.asarray(values, dtype=float)
    positive = positive[np.isfinite(positive) & (positive > 0)]
    if not positive.size:
        return None
    inner = [_rounded(q) for q in np.quantile(positive, np.linspace(0, 1, count + 1)[1:-1])]
    low, high = _rounded(positive.min(), -1), _rounded(positive.max(), 1)
    kept = sorted({limit for limit in inner if low < limit < high})
    return Classes((low, *kept, high if high > low else low * 2))


def _rounded(value: float, direction: int = 0) -> float:
    """Two digits: the nearest such number, or the next one below (-1) or above (1)."""
    step = 10.0 ** (floor(log10(value)) - 1)
    scaled = value / step
    whole = {0: round(scaled), -1: int(np.floor(scaled)), 1: int(np.ceil(scaled))}[direction]
    return float(f"{whole * step:.6g}")


def plain(value: float) -> str:
    """A number as a legend shows it: no exponent, thousands set apart."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
