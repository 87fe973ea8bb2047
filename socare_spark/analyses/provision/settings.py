"""Settings in `conf/analyses/provision.yaml`, `density.yaml` and `distribution.yaml`."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from socare_spark.analyses.agreements import AgedAgreementRoles, read_bands
from socare_spark.analyses.roles import Count, Text, check_roles, nearest
from socare_spark.analyses.vocabulary import read_services
from socare_spark.config import StrictModel, check_order, read_model
from socare_spark.errors import ConfigurationError, raise_faults
from socare_spark.measures.bands import UNKNOWN, Band
from socare_spark.measures.periods import YearRange
from socare_spark.measures.residuals import LEAST_EXPECTED
from socare_spark.places.settings import city_layer

PROVISION_FILE = "analyses/provision.yaml"
DENSITY_FILE = "analyses/density.yaml"
DISTRIBUTION_FILE = "analyses/distribution.yaml"
ALL_AGES = "all"


def of_ages(band: str) -> str:
    """Phrase for an age band in titles: `of all ages` or `aged 0-11`."""
    return "of all ages" if band == ALL_AGES else f"aged {band}"


def file_name(code: str) -> str:
    """A code or label in a form for file names."""
    return re.sub(r"[^\w-]+", "_", code.replace("+", "plus"))


class Years(YearRange):
    """First and last year of start of the agreements that count."""

    @property
    def years(self) -> range:
        """All years from the first to the last."""
        return range(self.first_year, self.last_year + 1)


class OneBand(Years):
    """Years of start and the age band of the people that count.

    Attributes:
        age_band: Label of the age band; `all` means all ages.
    """

    age_band: str = ALL_AGES

    @property
    def band(self) -> str | None:
        """Label of the age band; None for all ages."""
        return None if self.age_band == ALL_AGES else self.age_band


class Area(StrictModel):
    """One area of a layer of `reference/areas`.

    Attributes:
        layer: Layer of the area.
        code: Code of the area.
    """

    layer: str
    code: str


class DatasetRoles(AgedAgreementRoles):
    """Roles of the columns of agreements.

    Attributes:
        service: Code of the service.
        count: Number of agreements that a row represents; null means one. Its cost is that of all
            of them.
    """

    service: Text = "service"
    count: Count = None


class ProvisionRoles(DatasetRoles):
    """Roles of the columns of all datasets of agreements, and of single datasets.

    Attributes:
        datasets: Dataset -> its roles, where they differ from those of all datasets.
    """

    datasets: Mapping[str, DatasetRoles] = {}

    def of(self, dataset: str) -> DatasetRoles:
        """The roles of a dataset."""
        common = self.model_dump(exclude_unset=True, exclude={"datasets"})
        own = self.datasets.get(dataset, DatasetRoles())
        return DatasetRoles(**common | own.model_dump(exclude_unset=True))


class ServicesSettings(Years):
    """Settings of registered services and of elements per person.

    Attributes:
        dataset: Dataset of agreements.
        age_bands: Name of a set of age bands.
        drawn_elements: Number of elements of the last bar, which includes all larger numbers.
    """

    dataset: str
    age_bands: str
    drawn_elements: int = Field(default=12, ge=2)


class ProvisionSettings(Years):
    """Settings of the space-time matrix, the totals and the services.

    Attributes:
        dataset: Dataset of agreements of the matrix.
        layer: Layer of `reference/areas` with the city's postcode districts.
        districts: The city's postcode districts. If given, `layer` is not used.
        significance: Upper limit of the adjusted p of a flagged cell, and of the p of a trend.
        least_expected: Smallest number of expected records of a cell that is tested.
        dense_share: Smallest share of the agreements in the dense window.
        dense_datasets: Datasets with a dense window.
        totals: Dataset with totals -> name of its set of age bands.
        services: Settings of registered services and of elements per person.
        roles: Columns of the datasets, also of those in density.yaml and distribution.yaml.
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
    roles: ProvisionRoles = ProvisionRoles()


class DensityLayer(StrictModel):
    """A layer of the density maps.

    Attributes:
        within_metres: Largest distance in metres between the centroids of neighbours for Gi*; None
            means no hot spots.
        pictures: Whether maps of the layer are drawn.
    """

    within_metres: float | None = Field(default=None, gt=0)
    pictures: bool = True


class Surroundings(Area):
    """An area whose surroundings are drawn.

    Attributes:
        within_metres: Distance in metres from its centre to the edge of the maps.
    """

    within_metres: float = Field(gt=0)


class SeriesSettings(OneBand):
    """Settings of the density by year. Dataset, age bands and layers are those of the density.

    Attributes:
        pictures: Layers that are drawn.
        surroundings: Areas whose surroundings are drawn.
    """

    pictures: tuple[str, ...] = ()
    surroundings: tuple[Surroundings, ...] = ()


class DensitySettings(StrictModel):
    """Settings of the density maps.

    Attributes:
        dataset: Dataset of agreements.
        age_bands: Name of a set of age bands.
        first_year: First year of start; None means no limit.
        last_year: Last year of start; None means no limit.
        population_year: Year of the population for `people_per_1000`; None means the newest year of
            an area, and for the series the nearest to each year.
        significance: Upper limit of the adjusted p of a hot spot on a map.
        layers: Layers of `reference/areas`.
        picture_bands: Age bands with a map; `all` means all ages.
        series: Settings of the density by year.
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
        check_order(self, "first_year", "last_year")
        for layer in (*self.series.pictures, *(area.layer for area in self.series.surroundings)):
            if layer not in self.layers:
                raise ValueError(f"'series' draws the layer {layer}, 'layers' does not have it")
        return self


class DistributionSettings(OneBand):
    """Settings of the elements by area and year.

    Attributes:
        dataset: Dataset of agreements.
        age_bands: Name of the set of age bands of `age_band`.
        layers: Layers of `reference/areas`.
        drawn: Number of elements in a chart, those with the most records.
        lines: Number of elements that are also drawn as lines.
        pictures: Areas with a chart.
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
    """Settings of the `provision` analysis.

    Attributes:
        provision: Settings of the space-time matrix, the totals and the services.
        density: Settings of the density maps.
        distribution: Settings of the elements by area and year.
        bands: Name of a set of age bands and dataset -> the bands.
        services: Code of a service in upper case -> its label.
        city_layer: Layer whose areas cover the city; None if `places.yaml` names none.
    """

    provision: ProvisionSettings
    density: DensitySettings
    distribution: DistributionSettings
    bands: Mapping[tuple[str, str], tuple[Band, ...]]
    services: Mapping[str, str]
    city_layer: str | None

    @property
    def datasets(self) -> list[str]:
        """All datasets in the settings, in the order of the tables."""
        provision = self.provision
        names = [
            *provision.totals,
            *provision.dense_datasets,
            provision.dataset,
            self.density.dataset,
            self.distribution.dataset,
            provision.services.dataset,
        ]
        return [*dict.fromkeys(names)]

    def age_bands(
        self, part: ServicesSettings | DensitySettings | DistributionSettings
    ) -> tuple[Band, ...]:
        """The age bands of a part of the settings."""
        return self.bands[part.age_bands, part.dataset]


def load_settings(conf: Path) -> Settings:
    """Reads the settings, and checks age bands and roles against the contracts of their datasets.

    Raises:
        ConfigurationError: a contract has no column of a role or other steps of age, or `roles`
            names a dataset that no table counts, or an age band is not in its set.
    """
    provision = read_model(conf / PROVISION_FILE, ProvisionSettings)
    dense = read_model(conf / DENSITY_FILE, DensitySettings)
    spread = read_model(conf / DISTRIBUTION_FILE, DistributionSettings)
    sets = {(name, dataset) for dataset, name in provision.totals.items()}
    sets |= {(each.age_bands, each.dataset) for each in (provision.services, dense, spread)}
    settings = Settings(
        provision,
        dense,
        spread,
        {(name, dataset): read_bands(conf, name, dataset) for name, dataset in sorted(sets)},
        read_services(conf),
        city_layer(conf),
    )
    _check_roles(conf, settings)
    raise_faults(
        [
            *_band_faults(DENSITY_FILE, settings.age_bands(dense), dense.picture_bands, UNKNOWN),
            *_band_faults(DENSITY_FILE, settings.age_bands(dense), [dense.series.age_band]),
            *_band_faults(DISTRIBUTION_FILE, settings.age_bands(spread), [spread.age_band]),
        ]
    )
    return settings


def _band_faults(
    file: str, bands: Sequence[Band], labels: Iterable[str], *allowed: str
) -> Iterator[str]:
    """Yields the labels of a file that are not in its set of age bands."""
    known = [*(band.label for band in bands), ALL_AGES, *allowed]
    for label in labels:
        if label not in known:
            yield (
                f"conf/{file} names the age band '{label}'; its set has "
                f"{', '.join(band.label for band in bands)}, and `{ALL_AGES}` means all ages."
            )


def _check_roles(conf: Path, settings: Settings) -> None:
    roles, names = settings.provision.roles, settings.datasets
    for name in roles.datasets:
        if name not in names:
            raise ConfigurationError(
                f"conf/{PROVISION_FILE}: roles.datasets names {name}, which no table counts"
                f"{nearest(name, names)}."
            )
    for name in names:
        check_roles(conf, PROVISION_FILE, name, roles.of(name))
