"""How long a lake keeps old states: `conf/maintenance.yaml`."""

from pathlib import Path

from pydantic import Field as Key

from socare_spark.config import StrictModel, read_model

CONFIGURATION = "maintenance.yaml"


class MaintenanceSettings(StrictModel):
    """`conf/maintenance.yaml`; every key has a default, and the file may be absent.

    Attributes:
        versions_days: Days for which replaced table versions stay readable. With 0 only the newest
            version of each table is kept.
        small_file_mb: Files below this size are small.
        small_files: A partition with at least this many small files is compacted.
        runs_days: Days for which the folder of a run (record and log) is kept. With 0 only runs of
            this moment are kept.
    """

    versions_days: int = Key(default=7, ge=0)
    small_file_mb: int = Key(default=64, ge=1)
    small_files: int = Key(default=4, ge=2)
    runs_days: int = Key(default=730, ge=0)

    @property
    def small_file_bytes(self) -> int:
        """Files below this size are small."""
        return self.small_file_mb * 1024 * 1024


def read_maintenance(conf: Path) -> MaintenanceSettings:
    """Reads `maintenance.yaml`; the defaults where there is none.

    Raises:
        ConfigurationError: the file is not usable.
    """
    path = conf / CONFIGURATION
    return read_model(path, MaintenanceSettings) if path.exists() else MaintenanceSettings()
