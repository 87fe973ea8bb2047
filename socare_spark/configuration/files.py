"""The files of a council's configuration, with the model of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from socare_spark.analyses.agreements import AgeBands
from socare_spark.analyses.combinations.settings import Combinations
from socare_spark.analyses.cross_service.settings import Settings as CrossServiceSettings
from socare_spark.analyses.elements.settings import ElementsSettings
from socare_spark.analyses.flow.settings import Flow
from socare_spark.analyses.forecast.settings import ForecastSettings
from socare_spark.analyses.provision.settings import (
    DensitySettings,
    DistributionSettings,
    ProvisionSettings,
)
from socare_spark.analyses.requests.settings import Settings as RequestsSettings
from socare_spark.analyses.use.settings import UseSettings
from socare_spark.analyses.vocabulary import (
    Elements,
    Ethnicities,
    Outcomes,
    Subprocesses,
    Teams,
)
from socare_spark.config import OTHER_FOLDERS
from socare_spark.contracts.contract import Contract
from socare_spark.contracts.project import Project
from socare_spark.maintenance.settings import MaintenanceSettings
from socare_spark.places.settings import PlacesSettings


@dataclass(frozen=True)
class ConfigurationFile:
    """Files of one kind.

    Attributes:
        name: Name of the JSON Schema, `conf/schema/NAME.json`.
        pattern: Path or pattern below the folder of the configuration.
        model: Model of the content.
        analysis: Analysis that has its settings there; empty for none.
    """

    name: str
    pattern: str
    model: type[BaseModel]
    analysis: str = ""

    def paths(self, conf: Path) -> list[Path]:
        """The files of a configuration, by name."""
        return sorted(conf.glob(self.pattern))


def _settings(name: str, model: type[BaseModel], analysis: str = "") -> ConfigurationFile:
    return ConfigurationFile(name, f"analyses/{name}.yaml", model, analysis or name)


def _vocabulary(name: str, model: type[BaseModel]) -> ConfigurationFile:
    return ConfigurationFile(f"vocabulary_{name}", f"vocabulary/{name}.yaml", model)


FILES = (
    ConfigurationFile("project", "project.yaml", Project),
    ConfigurationFile("contract", "datasets/*.yaml", Contract),
    ConfigurationFile("places", "places.yaml", PlacesSettings),
    ConfigurationFile("maintenance", "maintenance.yaml", MaintenanceSettings),
    _settings("provision", ProvisionSettings),
    _settings("density", DensitySettings, "provision"),
    _settings("distribution", DistributionSettings, "provision"),
    _settings("elements", ElementsSettings),
    _settings("use", UseSettings),
    ConfigurationFile("flow", "flows/*.yaml", Flow, "flow"),
    _settings("combinations", Combinations),
    _settings("requests", RequestsSettings),
    _settings("forecast", ForecastSettings),
    _settings("cross_service", CrossServiceSettings),
    _vocabulary("age_bands", AgeBands),
    _vocabulary("elements", Elements),
    _vocabulary("ethnicities", Ethnicities),
    _vocabulary("outcomes", Outcomes),
    _vocabulary("subprocesses", Subprocesses),
    _vocabulary("teams", Teams),
)


def unread_files(conf: Path) -> Iterator[str]:
    """Yields the files of a configuration that nothing reads, as paths below its folder.

    Hidden files and Markdown are not listed.
    """
    read = {path for file in FILES for path in file.paths(conf)}
    for path in sorted(conf.rglob("*")):
        name = path.relative_to(conf)
        is_other = name.parts[0] in OTHER_FOLDERS or any(p.startswith(".") for p in name.parts)
        if path.is_file() and path not in read and not is_other and path.suffix != ".md":
            yield name.as_posix()
