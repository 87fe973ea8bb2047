"""What `conf/analyses/provision.yaml` and `density.yaml` may say."""

from typing import Self

from pydantic import Field, model_validator

from socare_spark.contracts.load import Strict

PROVISION, DENSITY = "analyses/provision.yaml", "analyses/density.yaml"
ALL_AGES = "all"


class ProvisionSettings(Strict):
    """Settings of the space-time matrix and the totals.

    Attributes:
        dataset: The agreements of the matrix, by the year they start.
        first_year: First column of the matrix.
        last_year: Last column.
        layer: Layer of `reference/areas` that holds the city's postcode districts.
        significance: Below this an adjusted p flags a cell, and a p makes a trend.
        dense_share: Share of the agreements that the dense window holds.
        dense_datasets: Datasets whose dense window is found.
        totals: Datasets that are totalled -> the set of age bands each is totalled by.
    """

    dataset: str
    first_year: int
    last_year: int
    layer: str = "district"
    significance: float = Field(default=0.05, gt=0, lt=1)
    dense_share: float = Field(default=0.8, gt=0, le=1)
    dense_datasets: tuple[str, ...] = Field(min_length=1)
    totals: dict[str, str] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last_year < self.first_year:
            raise ValueError("last_year must not be before first_year")
        return self

    @property
    def years(self) -> range:
        """The columns of the matrix."""
        return range(self.first_year, self.last_year + 1)


class DensityLayer(Strict):
    """A layer of the density maps.

    Attributes:
        within_metres: Areas whose centroids are no further apart are neighbours for Gi*; None means
            that the layer has no hot spots.
        pictures: Whether maps of it are drawn.
    """

    within_metres: float | None = Field(default=None, gt=0)
    pictures: bool = True


class DensitySettings(Strict):
    """Settings of the density maps.

    Attributes:
        dataset: The agreements whose people are counted.
        age_bands: Set of age bands they are counted by.
        first_year: First year of start that counts; None means any.
        last_year: Last year of start that counts; None means any.
        population_year: Year of the population for `people_per_1000`; None means the newest an
            area has.
        significance: What an adjusted p must be below for a hot spot to be drawn.
        layers: Layers of `reference/areas`.
        picture_bands: Age bands that get a map; `all` means all ages.
    """

    dataset: str
    age_bands: str
    first_year: int | None = None
    last_year: int | None = None
    population_year: int | None = None
    significance: float = Field(default=0.05, gt=0, lt=1)
    layers: dict[str, DensityLayer] = Field(min_length=1)
    picture_bands: tuple[str, ...] = (ALL_AGES,)
