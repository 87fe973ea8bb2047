"""Half-open bands: a value on a boundary is in the band that begins there."""

from collections.abc import Sequence
from typing import Self

from pydantic import ConfigDict, Field, model_validator
from pyspark.sql import Column
from pyspark.sql import functions as F

from socare_spark.config import StrictModel

UNKNOWN = "unknown"


class Band(StrictModel):
    """A band of values.

    Attributes:
        label: Name of the band.
        start: Lowest value of the band.
        end: Value above the band, which is not in it; without it the band has no upper limit.
    """

    model_config = ConfigDict(populate_by_name=False)

    label: str
    start: int = Field(alias="from")
    end: int | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"band {self.label}: 'to' must be greater than 'from'")
        return self


def band_of(value: Column, bands: Sequence[Band]) -> Column:
    """The label of the band that contains a number; `unknown` for null or outside all bands."""
    label = F.lit(UNKNOWN)
    for band in reversed(bands):
        inside = value >= band.start
        if band.end is not None:
            inside = inside & (value < band.end)
        label = F.when(inside, F.lit(band.label)).otherwise(label)
    return label


def label_of(value: int, bands: Sequence[Band]) -> str:
    """The label of the band that contains a number; `unknown` outside all bands."""
    return next(
        (b.label for b in bands if b.start <= value and (b.end is None or value < b.end)), UNKNOWN
    )
