"""Running jobs as an operator does: real processes, their exit codes and what they print."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def submit(job, *arguments, environment=None, timeout=600):
    """Runs `scripts/submit JOB …` to its end; returns the completed process with its output."""
    command, given = prepared(job, *arguments, environment=environment)
    return subprocess.run(
        command, env=given, capture_output=True, text=True, timeout=timeout, check=False
    )


def prepared(job, *arguments, environment=None):
    """The command and its environment."""
    given = {k: v for k, v in os.environ.items() if k not in ("SOCARE_KEY", "SOCARE_KEY_FILE")}
    given |= {"SOCARE_KEY": "demo", "COLUMNS": "200", **(environment or {})}
    # The tests' own session options are not those of the process.
    given.pop("PYSPARK_SUBMIT_ARGS", None)
    return [str(ROOT / "scripts" / "submit"), str(job), *map(str, arguments)], given


def twin(folder, scale, defects="default", seed=1):
    """Writes the synthetic study."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "socare_spark.twin",
            "--out",
            str(folder),
            "--scale",
            str(scale),
            "--seed",
            str(seed),
            "--defects",
            defects,
        ],
        check=True,
        cwd=ROOT,
        capture_output=True,
    )
    return folder
