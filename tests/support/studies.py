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
from socare_spark.storage.opening import open_storage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run


def run_study(spark, folder, scale):
    """Makes a city in a folder and runs all jobs on it."""
    twin(Path(folder) / "landing", scale)
    assert (
        run_here(spark, folder, JOBS, "--landing", f"{folder}/landing", key="demo") == ExitCode.DONE
    )


def run_here(spark, folder, jobs, *arguments, key, console=None, scratch=None):
    """Runs jobs as a study on the lake in a folder; returns how it ended.

    Args:
        spark: The session.
        folder: The folder, a path or a URI.
        jobs: The jobs.
        arguments: Arguments of the command line.
        key: The key of the pseudonyms.
        console: Prints the progress.
        scratch: Folder of this machine for copies, needed with a URI.
    """
    options = parser("study", "").parse_args(["--lake", f"{folder}/lake", *arguments])
    progress = Progress(console or Console(quiet=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCARE_KEY", key)
        scratch = Path(scratch or f"{folder}/scratch")
        run = Run("study", open_storage(options.lake, spark, scratch / "lake"), {})
        landing = options.landing and Landing(
            open_storage(options.landing, spark, scratch / "landing")
        )
        return run_jobs(spark, jobs, run, options, progress, landing=landing)[0]
