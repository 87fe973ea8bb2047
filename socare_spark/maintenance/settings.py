"""The settings of the job `maintain`: `conf/maintenance.yaml`."""

from pathlib import Path

from pydantic import Field as Key

from socare_spark.config import StrictModel, read_model

CONFIGURATION = "maintenance.yaml"


class MaintenanceSettings(StrictModel):
    """The content of `conf/maintenance.yaml`; all keys and the file are optional.

    Attributes:
        versions_days: Days for which replaced table versions remain readable. With 0 only the
            newest version of each table is kept.
        small_file_mb: Files below this size (MB) are small.
        small_files: Number of small files from which a partition is compacted.
        runs_days: Days for which the folder of a run (record and log) is kept. With 0 only the
            current run is kept.
    """

    versions_days: int = Key(default=7, ge=0)
    small_file_mb: int = Key(default=64, ge=1)
    small_files: int = Key(default=4, ge=2)
    runs_days: int = Key(default=730, ge=0)

    @property
    def small_file_bytes(self) -> int:
        """Size in bytes below which a file is small."""
        return self.small_file_mb * 1024 * 1024


def read_maintenance(conf: Path) -> MaintenanceSettings:
    """Reads `maintenance.yaml`; the defaults apply if it does not exist.

    Raises:
        ConfigurationError: the file is invalid.
    """
    path = conf / CONFIGURATION
    return read_model(path, MaintenanceSettings) if path.exists() else MaintenanceSettings()
