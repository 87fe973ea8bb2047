"""The check of all configuration, across files and without a Spark session.

It finds all that a job would refuse with exit code 2 before it reads data, and names that nothing
has: datasets without a contract, columns that a contract does not keep, layers that `places.yaml`
does not have, files that nothing reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socare_spark.analyses.vocabulary import Elements
from socare_spark.config import read_model, read_yaml
from socare_spark.configuration.files import FILES, ConfigurationFile, unread_files
from socare_spark.configuration.references import (
    Configuration,
    analysis_faults,
    layer_faults,
)
from socare_spark.contracts.contract import Contract, read_contract
from socare_spark.contracts.project import Project
from socare_spark.contracts.schemes import scheme_faults
from socare_spark.errors import ConfigurationError
from socare_spark.places.settings import PlacesSettings
from socare_spark.places.source_check import place_faults, settings_faults
from socare_spark.registry import ANALYSES


@dataclass(frozen=True)
class Findings:
    """The result of the check.

    Attributes:
        faults: File, key and the change to make; a job can refuse the configuration.
        notes: Tables that cannot be made, and names without effect.
    """

    faults: Sequence[str]
    notes: Sequence[str] = ()


def check_configuration(conf: Path) -> Findings:
    """Checks all files of a configuration.

    Args:
        conf: Folder of the configuration.
    """
    if not (conf / "datasets").is_dir():
        return Findings(
            [
                f"{conf} has no folder datasets: --conf must name the folder with the council's "
                "configuration."
            ]
        )
    faults = [
        f"{conf / name}: nothing reads a file of this name: correct the name, or remove the file."
        for name in unread_files(conf)
    ]
    models, invalid = _read_files(conf)
    faults += invalid
    if not any(isinstance(model, Contract) for model in models.values()) and not invalid:
        faults.append(f"{conf / 'datasets'} contains no contract (NAME.yaml): write one.")
    configuration = _valid_part(conf, models)
    faults += _faults_of_schemes(conf, models)
    faults += _faults_of_places(models)
    faults += layer_faults(configuration, (conf / "datasets").glob("*.yaml"))
    notes: list[str] = []
    for analysis in ANALYSES:
        more_faults, more_notes = analysis_faults(configuration, analysis)
        faults += more_faults
        notes += more_notes
    return Findings(list(dict.fromkeys(faults)), list(dict.fromkeys(notes)))


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


def _valid_part(conf: Path, models: Mapping[Path, Any]) -> Configuration:
    contracts = {x.name: x for x in models.values() if isinstance(x, Contract)}
    places = next((x for x in models.values() if isinstance(x, PlacesSettings)), None)
    naming = [file for file in FILES if file.analysis or file.model is Contract]
    paths = [path for file in naming for path in file.paths(conf)]
    return Configuration(
        conf,
        contracts,
        None if places is None else frozenset(places.layers),
        next((x for x in models.values() if isinstance(x, Elements)), None),
        {path: read_yaml(path) for path in paths if path in models},
    )


def _faults_of_schemes(conf: Path, models: Mapping[Path, Any]) -> list[str]:
    if not (conf / "project.yaml").is_file():
        return [f"{conf / 'project.yaml'} does not exist: write it (docs/contracts.md)."]
    contracts = [model for model in models.values() if isinstance(model, Contract)]
    projects = [model for model in models.values() if isinstance(model, Project)]
    return [fault for project in projects for fault in scheme_faults(project, contracts)]


def _faults_of_places(models: Mapping[Path, Any]) -> list[str]:
    """Unknown formats and coordinate systems of `places.yaml` and of the places of contracts."""
    faults: list[str] = []
    for path, model in models.items():
        if isinstance(model, PlacesSettings):
            faults += [f"{path}: {fault}" for fault in settings_faults(model)]
        elif isinstance(model, Contract):
            faults += [f"{path}: {fault}" for fault in place_faults(model)]
    return faults
