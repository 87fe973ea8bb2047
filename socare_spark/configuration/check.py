"""The check of all configuration, across files and without a Spark session.

It finds all that a job would refuse with exit code 2 before it reads data, and names that nothing
has: datasets without a contract, layers that `places.yaml` does not have, files that nothing reads.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socare_spark.analyses.extracts import restricted
from socare_spark.analysis import Analysis
from socare_spark.config import read_model, read_yaml
from socare_spark.configuration.files import FILES, ConfigurationFile, unread_files
from socare_spark.contracts.contract import Contract, read_contract
from socare_spark.contracts.project import read_project
from socare_spark.contracts.schemes import scheme_faults
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import Inputs
from socare_spark.lake.lake import Lake
from socare_spark.places.settings import PlacesSettings
from socare_spark.places.source_check import settings_faults
from socare_spark.registry import ANALYSES
from socare_spark.spelling import closest_names

# No folder can have this path, so the lake has no table.
_NO_LAKE = Path("/dev/null/lake")
_RESTRICTED = restricted("")


@dataclass(frozen=True)
class _Configuration:
    """A configuration, as far as it is valid.

    Attributes:
        conf: Its folder.
        contracts: Name -> contract.
        layers: Layers of `places.yaml`; None if the file is missing or invalid.
        texts: Path of a file of an analysis -> its content.
    """

    conf: Path
    contracts: Mapping[str, Contract]
    layers: frozenset[str] | None
    texts: Mapping[Path, Any]


def configuration_faults(conf: Path) -> list[str]:
    """Checks all files of a configuration.

    Args:
        conf: Folder of the configuration.

    Returns:
        The faults: file, key and the change to make. Empty for a valid configuration.
    """
    if not (conf / "datasets").is_dir():
        return [
            f"{conf} has no folder datasets: --conf must name the folder with the council's "
            "configuration."
        ]
    faults = [
        f"{conf / name}: nothing reads a file of this name: correct the name, or remove the file."
        for name in unread_files(conf)
    ]
    read, invalid = _read_files(conf)
    faults += invalid
    if not any(isinstance(model, Contract) for model in read.values()) and not invalid:
        faults.append(f"{conf / 'datasets'} contains no contract (NAME.yaml): write one.")
    configuration = _valid_part(conf, read)
    faults += _faults_of_schemes(configuration)
    for path, model in read.items():
        if isinstance(model, PlacesSettings):
            faults += [f"{path}: {fault}" for fault in settings_faults(model)]
    for path, data in configuration.texts.items():
        faults += _faults_of_layers(configuration, path, data)
    for analysis in ANALYSES:
        faults += _faults_of_analysis(configuration, analysis)
    return list(dict.fromkeys(faults))


def _read_files(conf: Path) -> tuple[dict[Path, Any], list[str]]:
    """Path -> model of each valid file; and the faults of the others."""
    models: dict[Path, Any] = {}
    faults: list[str] = []
    for file in FILES:
        for path in file.paths(conf):
            try:
                models[path] = _read(file, path)
            except ConfigurationError as error:
                faults += error.faults
    return models, faults


def _read(file: ConfigurationFile, path: Path) -> Any:  # noqa: ANN401 - any model
    return read_contract(path) if file.model is Contract else read_model(path, file.model)


def _valid_part(conf: Path, models: Mapping[Path, Any]) -> _Configuration:
    contracts = {x.name: x for x in models.values() if isinstance(x, Contract)}
    places = next((x for x in models.values() if isinstance(x, PlacesSettings)), None)
    of_analyses = [path for file in FILES if file.analysis for path in file.paths(conf)]
    return _Configuration(
        conf,
        contracts,
        None if places is None else frozenset(places.layers),
        {path: read_yaml(path) for path in of_analyses if path in models},
    )


def _faults_of_schemes(configuration: _Configuration) -> list[str]:
    try:
        project = read_project(configuration.conf)
    except ConfigurationError as error:
        return [*error.faults]
    return scheme_faults(project, list(configuration.contracts.values()))


def _faults_of_layers(configuration: _Configuration, path: Path, data: object) -> Iterator[str]:
    """Layers of an analysis that `places.yaml` does not have.

    The keys `layer` and `layers` name layers in all files of analyses.
    """
    if configuration.layers is None:
        return
    for key, value in _items(data):
        names = []
        if key.rpartition(".")[2] == "layer" and isinstance(value, str):
            names = [value]
        elif key.rpartition(".")[2] == "layers" and isinstance(value, (list, dict)):
            names = [name for name in value if isinstance(name, str)]
        for name in names:
            if name not in configuration.layers:
                yield (
                    f"{path}: {key} names the layer {name}, which "
                    f"{configuration.conf / 'places.yaml'} does not have"
                    f"{_nearest(name, configuration.layers)}."
                )


def _faults_of_analysis(configuration: _Configuration, analysis: Analysis[Any]) -> list[str]:
    """Faults of the settings of an analysis; none if the configuration has none of its files."""
    conf = configuration.conf
    files = [file for file in FILES if file.analysis == analysis.name]
    if not any(file.paths(conf) for file in files):
        return []
    try:
        settings = analysis.load_settings(conf)
    except ConfigurationError as error:
        return [*error.faults]
    inputs = Inputs(None, Lake(_NO_LAKE), conf, None)  # type: ignore[arg-type] # reads no table
    tables = [*analysis.reads(inputs, settings), *analysis.optional(inputs, settings)]
    datasets = {t.removeprefix(_RESTRICTED) for t in tables if t.startswith(_RESTRICTED)}
    paths = [path for file in files for path in file.paths(conf)]
    return [
        fault
        for dataset in sorted(datasets - {*configuration.contracts})
        for fault in _faults_of_dataset(configuration, dataset, paths)
    ]


def _faults_of_dataset(
    configuration: _Configuration, dataset: str, paths: list[Path]
) -> Iterator[str]:
    """A fault for each key that names a dataset without a contract."""
    if (configuration.conf / "datasets" / f"{dataset}.yaml").is_file():
        return  # The contract is invalid, which is a fault of its own.
    for path in paths:
        for key, value in _items(configuration.texts.get(path)):
            if dataset == value or key.rpartition(".")[2] == dataset:
                yield (
                    f"{path}: {key} names the dataset {dataset}, which has no contract in "
                    f"{configuration.conf / 'datasets'}{_nearest(dataset, configuration.contracts)}"
                    ": correct the name, write the contract, or remove the entry."
                )


def _items(data: object, above: str = "") -> Iterator[tuple[str, object]]:
    """Yields key, as `a.b`, and value of each entry of nested mappings and lists."""
    pairs: list[tuple[object, object]] = []
    if isinstance(data, dict):
        pairs = [*data.items()]
    elif isinstance(data, list):
        pairs = [*enumerate(data)]
    for key, value in pairs:
        name = f"{above}.{key}" if above else str(key)
        yield name, value
        yield from _items(value, name)


def _nearest(name: str, known: Mapping[str, object] | frozenset[str]) -> str:
    near = closest_names(name, known)
    return f" (the nearest are {', '.join(near)})" if near else ""
