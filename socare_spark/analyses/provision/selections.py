"""The records that each table counts, and the reasons for which it leaves out others."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import in_band
from socare_spark.analyses.provision import density, distribution, matrix, registered
from socare_spark.analyses.provision.density import DENSITY, DENSITY_SERIES
from socare_spark.analyses.provision.distribution import ELEMENT_DISTRIBUTION
from socare_spark.analyses.provision.matrix import PROVISION_MATRIX
from socare_spark.analyses.provision.registered import ELEMENTS_PER_PERSON, REGISTERED_SERVICES
from socare_spark.analyses.provision.settings import Settings
from socare_spark.lake.table import TableSpec


@dataclass(frozen=True)
class Selection:
    """The records that a table counts.

    Attributes:
        considered: Condition of the input records.
        left_out: Reason for which an input record is left out; null for a record that counts.
    """

    considered: Column
    left_out: Column

    @property
    def counts(self) -> Column:
        """Condition of the records that count."""
        return self.considered & self.left_out.isNull()


def selections(
    settings: Settings, districts: Sequence[str], district: Column
) -> dict[TableSpec, Selection]:
    """The selection of each table that leaves out records.

    The records have the columns of `read_agreements` and, for results by area, those of
    `density.with_place`.

    Args:
        settings: The settings.
        districts: Districts of the city.
        district: District of a record.
    """
    provision, dense, spread = settings.provision, settings.density, settings.distribution
    dataset, series = F.col("dataset"), settings.density.series
    of_services = dataset == provision.services.dataset
    years = registered.left_out_of_years(provision.services.years)
    return {
        PROVISION_MATRIX: Selection(
            dataset == provision.dataset,
            matrix.left_out_of_matrix(districts, provision.years, district),
        ),
        DENSITY: Selection(
            dataset == dense.dataset,
            density.left_out_of_areas(dense.layers, dense.first_year, dense.last_year),
        ),
        DENSITY_SERIES: Selection(
            (dataset == dense.dataset) & in_band(settings.age_bands(dense), series.band),
            density.left_out_of_areas(dense.layers, series.first_year, series.last_year),
        ),
        ELEMENT_DISTRIBUTION: Selection(
            (dataset == spread.dataset) & in_band(settings.age_bands(spread), spread.band),
            distribution.left_out_of_distribution(
                density.left_out_of_areas(spread.layers, spread.first_year, spread.last_year)
            ),
        ),
        REGISTERED_SERVICES: Selection(of_services, years),
        ELEMENTS_PER_PERSON: Selection(of_services, registered.left_out_of_elements()),
    }
