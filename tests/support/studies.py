"""The whole study in this process and session."""

from pathlib import Path

import pytest
from processes import twin
from rich.console import Console

from jobs.study import JOBS
from socare_spark.command import parser, run_jobs
from socare_spark.errors import Exit
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.record import Run


def run_study(spark, folder, scale):
    """Makes a city in a folder and runs all jobs on it."""
    twin(Path(folder) / "landing", scale)
    options = parser("study", "").parse_args(
        ["--lake", f"{folder}/lake", "--landing", f"{folder}/landing"]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCARE_KEY", "demo")
        run = Run("study", options.lake / "runs", {})
        ending, _, _ = run_jobs(spark, JOBS, run, options, Progress(Console(quiet=True)))
    assert ending == Exit.DONE
