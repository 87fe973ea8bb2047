"""What `conf/analyses/provision.yaml`, `density.yaml` and `distribution.yaml` may say."""

import re
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from socare_spark.config import StrictModel, read_model
from socare_spark.measures.residuals import LEAST_EXPECTED

PROVISION_FILE = "analyses/provision.yaml"
DENSITY_FILE = "analyses/density.yaml"
DISTRIBUTION_FILE = "analyses/distribution.yaml"
ALL_AGES = "all"


def of_ages(band: str) -> str:
    """An age band as pictures name it."""
    return "of all ages" if band == ALL_AGES else f"aged {band}"


def file_name(code: str) -> str:
    """A code or label as the name of a picture's file has it."""
    return re.sub(r"[^\w-]+", "_", code.replace("+", "plus"))


class Years(StrictModel):
    """Years of start that count, from the first to the last."""

    first_year: int
    last_year: int

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last_year < self.first_year:
            raise ValueError("last_year must not be before first_year")
        return self

    @property
    def years(self) -> range:
        """Each of them."""
        return range(self.first_year, self.last_year + 1)


class OneBand(Years):
    """Years of start and an age band that count.

    Attributes:
        age_band: The people who count; `all` means all ages.
    """

    age_band: str = ALL_AGES

    @property
    def band(self) -> str | None:
        """The age band as tables have it: null for all ages."""
        return None if self.age_band == ALL_AGES else self.age_band


class Area(StrictModel):
    """One area of a layer of `reference/areas`."""

    layer: str
    code: str


class ServicesSettings(Years):
    """Settings of the services registered in a year, and of the elements of each person.

    Attributes:
        dataset: The agreements that are counted.
        age_bands: Set of age bands they are counted by.
        drawn_elements: People with so many elements and more share the last bar of the picture.
    """

    dataset: str
    age_bands: str
    drawn_elements: int = Field(default=12, ge=2)


class ProvisionSettings(Years):
    """Settings of the space-time matrix, the totals and the services.

    Attributes:
        dataset: The agreements of the matrix, by the year they start.
        layer: Layer of `reference/areas` that holds the city's postcode districts.
        districts: The city's postcode districts, for a council without that layer; where they are
            named the layer is not asked.
        significance: Below this an adjusted p flags a cell, and a p makes a trend.
        least_expected: A cell of fewer expected records is not tested, and not flagged.
        dense_share: Share of the agreements that the dense window holds.
        dense_datasets: Datasets whose dense window is found.
        totals: Datasets that are totalled -> the set of age bands each is totalled by.
        services: Services registered, and elements of each person.
    """

    dataset: str
    layer: str = "district"
    districts: tuple[str, ...] = ()
    significance: float = Field(default=0.05, gt=0, lt=1)
    least_expected: float = Field(default=LEAST_EXPECTED, ge=0)
    dense_share: float = Field(default=0.8, gt=0, le=1)
    dense_datasets: tuple[str, ...] = Field(min_length=1)
    totals: dict[str, str] = Field(min_length=1)
    services: ServicesSettings


class DensityLayer(StrictModel):
    """A layer of the density maps.

    Attributes:
        within_metres: Areas whose centroids are no further apart are neighbours for Gi*; None means
            that the layer has no hot spots.
        pictures: Whether maps of it are drawn.
    """

    within_metres: float | None = Field(default=None, gt=0)
    pictures: bool = True


class Surroundings(Area):
    """An area of which the frames show the surroundings.

    Attributes:
        within_metres: How far the frames reach from its middle.
    """

    within_metres: float = Field(gt=0)


class SeriesSettings(OneBand):
    """Settings of the density year by year; dataset, age bands and layers are the density's.

    Attributes:
        pictures: Layers of which the years are drawn as frames.
        surroundings: Areas whose surroundings are drawn so too.
    """

    pictures: tuple[str, ...] = ()
    surroundings: tuple[Surroundings, ...] = ()


class DensitySettings(StrictModel):
    """Settings of the density maps.

    Attributes:
        dataset: The agreements whose people are counted.
        age_bands: Set of age bands they are counted by.
        first_year: First year of start that counts; None means any.
        last_year: Last year of start that counts; None means any.
        population_year: Year of the population for `people_per_1000`; None means the newest an
            area has, and for the series the nearest to each year.
        significance: What an adjusted p must be below for a hot spot to be drawn.
        layers: Layers of `reference/areas`.
        picture_bands: Age bands that get a map; `all` means all ages.
        series: The density year by year.
    """

    dataset: str
    age_bands: str
    first_year: int | None = None
    last_year: int | None = None
    population_year: int | None = None
    significance: float = Field(default=0.05, gt=0, lt=1)
    layers: dict[str, DensityLayer] = Field(min_length=1)
    picture_bands: tuple[str, ...] = (ALL_AGES,)
    series: SeriesSettings

    @model_validator(mode="after")
    def _drawn_are_counted(self) -> Self:
        for layer in (*self.series.pictures, *(area.layer for area in self.series.surroundings)):
            if layer not in self.layers:
                raise ValueError(f"'series' draws the layer {layer}, 'layers' does not name it")
        return self


class DistributionSettings(OneBand):
    """Settings of the elements by area and year.

    Attributes:
        dataset: The agreements that are counted.
        age_bands: Set of age bands that `age_band` is one of.
        layers: Layers of `reference/areas`.
        drawn: How many elements, those with most records, a picture shows.
        lines: How many of them it shows as lines too.
        pictures: Areas that get a picture.
    """

    dataset: str
    age_bands: str
    layers: tuple[str, ...] = Field(min_length=1)
    drawn: int = Field(default=15, ge=1)
    lines: int = Field(default=3, ge=1, le=6)
    pictures: tuple[Area, ...] = ()

    @model_validator(mode="after")
    def _drawn_are_counted(self) -> Self:
        for area in self.pictures:
            if area.layer not in self.layers:
                raise ValueError(f"'pictures' names the layer {area.layer}, 'layers' does not")
        return self


class Settings(NamedTuple):
    """All that `provision` is told."""

    provision: ProvisionSettings
    density: DensitySettings
    distribution: DistributionSettings


def read_settings(conf: Path) -> Settings:
    """Reads the three files."""
    return Settings(
        read_model(conf / PROVISION_FILE, ProvisionSettings),
        read_model(conf / DENSITY_FILE, DensitySettings),
        read_model(conf / DISTRIBUTION_FILE, DistributionSettings),
    )
