"""The whole study in this process and session."""

from pathlib import Path

import pytest
from processes import twin
from rich.console import Console

from socare_spark.cli import parser
from socare_spark.errors import ExitCode
from socare_spark.registry import JOBS
from socare_spark.runner import run_jobs
from socare_spark.storage.landing import Landing
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run


def run_study(spark, folder, scale):
    """Makes a city in a folder and runs all jobs on it."""
    twin(Path(folder) / "landing", scale)
    assert (
        run_here(spark, folder, JOBS, "--landing", f"{folder}/landing", key="demo") == ExitCode.DONE
    )


def run_here(spark, folder, jobs, *arguments, key, console=None):
    """Runs jobs as a study on the lake in a folder; returns how it ended."""
    options = parser("study", "").parse_args(["--lake", f"{folder}/lake", *arguments])
    progress = Progress(console or Console(quiet=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCARE_KEY", key)
        run = Run("study", LocalStorage(options.lake), {})
        landing = options.landing and Landing(options.landing)
        return run_jobs(spark, jobs, run, options, progress, landing=landing)[0]
