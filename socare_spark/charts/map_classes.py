"""Classes of a map: rounded limits with about equally many areas per class."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Classes:
    """Half-open classes of positive values. The last class includes its upper limit.

    Attributes:
        limits: Limits in ascending order; one more than the number of classes.
    """

    limits: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.limits) - 1

    def of(self, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Index of the class of each value, from 0."""
        positions = np.searchsorted(
            self.limits[1:-1], np.asarray(values, dtype=float), side="right"
        )
        return np.asarray(positions, dtype=np.int64)

    @property
    def labels(self) -> list[str]:
        """Label of each class in a legend."""
        texts = [plain(limit) for limit in self.limits]
        under = [f"{low} to under {high}" for low, high in pairwise(texts[:-1])]
        return [*under, f"{texts[-2]} to {texts[-1]}"]


def quantile_classes(values: Sequence[float] | Floats, count: int = 5) -> Classes | None:
    """Computes at most `count` classes with about equally many positive values in each.

    Limits are rounded to two digits. Classes with the same limits are merged.

    Returns:
        The classes, or None if no value is positive.
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
    """Rounds to two digits: to the nearest number (0), down (-1) or up (1)."""
    step = 10.0 ** (floor(log10(value)) - 1)
    scaled = value / step
    whole = {0: round(scaled), -1: int(np.floor(scaled)), 1: int(np.ceil(scaled))}[direction]
    return float(f"{whole * step:.6g}")


def plain(value: float) -> str:
    """A number as text with separated thousands and without an exponent."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
