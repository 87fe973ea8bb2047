"""Checks `conf/places.yaml`, alone and against the files of the landing folder."""

from collections.abc import Callable, Iterable
from functools import partial

from pyspark.sql import SparkSession

from socare_spark.contracts.contract import Contract
from socare_spark.errors import ConfigurationError, DataError, OperatorError, raise_faults
from socare_spark.places.boundaries import read_layer
from socare_spark.places.boundary_files import format_of
from socare_spark.places.coordinate_systems import declared_code
from socare_spark.places.population import population_rows
from socare_spark.places.postcodes import read_postcodes
from socare_spark.places.settings import FileLayer, PlacesSettings, PopulationSource
from socare_spark.places.source_files import find_files
from socare_spark.storage.landing import Landing

_Check = Callable[[], object]


def settings_faults(settings: PlacesSettings) -> list[str]:
    """Unknown formats and coordinate systems of the settings."""
    layers = {name: x for name, x in settings.layers.items() if isinstance(x, FileLayer)}
    checks: list[_Check] = [partial(format_of, name, layer) for name, layer in layers.items()]
    checks += [
        partial(declared_code, f"Layer {name}", layer.crs)
        for name, layer in layers.items()
        if layer.crs is not None
    ]
    checks += [
        partial(declared_code, f"Postcode source {source.name}", system)
        for source in settings.postcodes
        for system in source.country_crs.values()
        if system is not None
    ]
    return [str(error) for error in _failures(checks)]


def place_faults(contract: Contract) -> list[str]:
    """Unknown coordinate system of the places of a contract."""
    place = contract.socare.place
    if place is None or place.crs is None:
        return []
    return [str(e) for e in _failures([partial(declared_code, "socare.place.crs", place.crs)])]


def check_files(spark: SparkSession, landing: Landing, settings: PlacesSettings) -> None:
    """Checks columns, tables, coordinate systems and features of the files.

    Boundaries are read; of the other files only the headers are.

    Args:
        spark: The session.
        landing: Folder of the files.
        settings: Sources that have their files.

    Raises:
        ConfigurationError: the settings do not fit a file. The message has a line for each fault.
        DataError: a file cannot be used.
    """
    checks: list[_Check] = [
        partial(read_postcodes, spark, landing, [source]) for source in settings.postcodes
    ]
    checks += [
        partial(read_layer, landing.folder, name, layer)
        for name, layer in settings.layers.items()
        if isinstance(layer, FileLayer)
    ]
    checks += [partial(_read_headers, spark, landing, source) for source in settings.population]
    failures = _failures(checks)
    messages = [str(error) for error in failures]
    if any(isinstance(error, ConfigurationError) for error in failures):
        raise_faults(messages)
    if failures:
        raise DataError("\n".join(messages))


def _read_headers(spark: SparkSession, landing: Landing, source: PopulationSource) -> None:
    for path in find_files(landing.folder, source.files):
        population_rows(spark, landing, path, source)


def _failures(checks: Iterable[_Check]) -> list[OperatorError]:
    """Runs all checks and returns the errors of those that fail."""
    failures = []
    for check in checks:
        try:
            check()
        except OperatorError as error:
            failures.append(error)
    return failures
