"""Inputs of the tables of `provision`, each read or computed once."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import read_agreements, read_bands
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.provision import density
from socare_spark.analyses.provision.settings import Settings
from socare_spark.analysis import Context
from socare_spark.lake.checkpoint import checkpointed
from socare_spark.measures.bands import Band
from socare_spark.measures.hotspots import neighbours
from socare_spark.places.reference_tables import AREAS, POPULATION, POSTCODE_AREAS


class Inputs:
    """Agreements, places and settings of one run.

    Args:
        context: The run.
        settings: Settings of the analysis.
        datasets: Datasets of agreements of all tables.
    """

    def __init__(self, context: Context, settings: Settings, datasets: Iterable[str]) -> None:
        self.context, self.settings = context, settings
        self._datasets = [*dict.fromkeys(datasets)]

    def available(self, datasets: Iterable[str]) -> list[str]:
        """Filters datasets by whether the lake has them."""
        return [d for d in datasets if self.context.lake.exists(restricted(d))]

    def bands(self, name: str, dataset: str) -> Sequence[Band]:
        """Reads a set of age bands, and checks it against the contract of a dataset."""
        return read_bands(self.context.conf, name, dataset)

    def agreements(self, *datasets: str) -> DataFrame:
        """Agreements of some datasets, with the columns of `read_agreements`."""
        return self._records.where(F.col("dataset").isin(*datasets))

    def placed(self, dataset: str) -> DataFrame:
        """Agreements of a dataset with the columns of `density.with_place`."""
        return self._placed.where(F.col("dataset") == dataset)

    @cached_property
    def areas(self) -> DataFrame:
        """Areas of the layers of the density maps."""
        return density.areas_of(self.context.read(AREAS), self.settings.density.layers).cache()

    @cached_property
    def pairs(self) -> DataFrame:
        """Pairs of neighbouring areas."""
        layers = self.settings.density.layers
        metres = {name: x.within_metres for name, x in layers.items() if x.within_metres}
        return checkpointed(neighbours(self.areas, metres))

    @property
    def population(self) -> DataFrame | None:
        """Population of the areas; None if the lake does not have it."""
        available = self.context.lake.exists(POPULATION)
        return self.context.read(POPULATION) if available else None

    @cached_property
    def _records(self) -> DataFrame:
        return read_agreements(self.context, self.available(self._datasets)).cache()

    @cached_property
    def _placed(self) -> DataFrame:
        _, dense, spread = self.settings
        layers = sorted({*dense.layers, *spread.layers})
        places = density.areas_of(self.context.read(POSTCODE_AREAS), layers)
        return density.with_place(self.agreements(dense.dataset, spread.dataset), places).cache()
