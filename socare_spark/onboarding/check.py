"""The check of a configuration and of the first rows of its files, by the rules of `ingest`.

The rules are expressions of Spark. A local session is started for the rows, and only if the
configuration has no fault.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from socare_spark.configuration.check import check_configuration
from socare_spark.contracts.contract import Contract, read_contracts
from socare_spark.contracts.project import read_project
from socare_spark.errors import ConfigurationError, ExitCode, raise_faults
from socare_spark.ingest.discovery import discover_files
from socare_spark.ingest.sample_check import FileSample, check_sample, sample_lines
from socare_spark.ingest.shared_files import shared_file_warnings
from socare_spark.ingest.unclaimed_files import unclaimed, unclaimed_warnings
from socare_spark.scratch import scratch_folders
from socare_spark.session import local_folders, open_session
from socare_spark.spelling import closest_names
from socare_spark.tracking.run import new_id

_INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}


def check(conf: Path, landing: Path | None, name: str) -> ExitCode:
    """Checks a configuration, and the first rows of its files in a landing folder.

    It prints faults and counts, and no value of a cell.

    Args:
        conf: Folder of the configuration.
        landing: The landing folder; None checks the configuration only.
        name: Dataset whose files are checked; empty means all.

    Returns:
        `DONE`, or `DATA` if a file is refused.

    Raises:
        ConfigurationError: the configuration has faults, or the dataset or the folder does not
            exist.
    """
    findings = check_configuration(conf)
    raise_faults(findings.faults)
    contracts = _named(read_contracts(conf), name, conf)
    _print(f"The configuration in {conf} has no fault.")
    _print(*(f"note: {note}" for note in findings.notes))
    if landing is None:
        _print("No file was checked: name the landing folder with --landing.")
        return ExitCode.DONE
    if not landing.is_dir():
        raise ConfigurationError(f"{landing} is not a folder: --landing must name the extracts.")
    project, refused = read_project(conf), 0
    claims: list[tuple[Contract, set[str]]] = []
    with _session() as spark:
        for contract in contracts:
            newest, unusable, older = discover_files(landing, contract)
            names = {*older, *(f.name for f in newest), *(f.landed.name for f in unusable)}
            claims.append((contract, names))
            sample = check_sample(spark, contract, project, newest)
            _print(f"{contract.name}:")
            _print(*(f"  {line}" for line in sample_lines(sample, unusable)))
            refused += len(unusable) + sum(map(_is_refused, sample.files))
    _print(*(f"note: {warning}" for warning in shared_file_warnings(claims, landing)))
    if not name:
        claimed = {file for _, names in claims for file in names}
        _print(*unclaimed_warnings(unclaimed(landing, conf, contracts, claimed)))
    return ExitCode.DATA if refused else ExitCode.DONE


def _is_refused(file: FileSample) -> bool:
    return bool(file.refused)


def _named(contracts: Sequence[Contract], name: str, conf: Path) -> Sequence[Contract]:
    names = [contract.name for contract in contracts]
    if name and name not in names:
        near = closest_names(name, names) or names
        raise ConfigurationError(
            f"{conf / 'datasets' / f'{name}.yaml'} does not exist. Datasets are {', '.join(near)}."
        )
    return [contract for contract in contracts if name in ("", contract.name)]


@contextmanager
def _session() -> Iterator[SparkSession]:
    """A session that ends with the block. Spilled data are in a folder of their own."""
    with scratch_folders(local_folders(), new_id()) as folders:
        spark = open_session("check", folders)
        # Samples are done before compiling their queries would pay.
        for key, value in _INTERPRETED.items():
            spark.conf.set(key, value)
        try:
            yield spark
        finally:
            spark.stop()


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
