"""Half-open bands: a value on a boundary belongs to the band that begins there."""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pyspark.sql import Column
from pyspark.sql import functions as F

UNKNOWN = "unknown"


class Band(BaseModel):
    """Values from `from` up to, not including, `to`; no `to` means no upper end."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    label: str
    start: int = Field(alias="from")
    end: int | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"band {self.label}: 'to' must be greater than 'from'")
        return self


def band_of(value: Column, bands: Sequence[Band]) -> Column:
    """The label of the band a number falls in, `unknown` where it is null or in none."""
    chosen = F.lit(UNKNOWN)
    for band in reversed(bands):
        inside = value >= band.start
        if band.end is not None:
            inside = inside & (value < band.end)
        chosen = F.when(inside, F.lit(band.label)).otherwise(chosen)
    return chosen
