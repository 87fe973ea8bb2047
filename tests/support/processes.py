"""Running jobs as an operator does: real processes, their exit codes and what they print."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from socare_spark.twin.csv_writer.extract_writer import sha256_of
from socare_spark.twin.marker import write_marker
from socare_spark.twin.study import TRUTH

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


def twin(folder, scale, defects="default", seed=1, datasets=None):
    """Writes the synthetic study, or the files of some of its datasets and their truth."""
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
    if datasets:
        _keep(folder, {*datasets, "reference"})
    return folder


def _keep(landing, folders):
    """Removes the other folders of a twin, from its truth and its marker too."""
    for folder in landing.iterdir():
        if folder.is_dir() and folder.name not in folders:
            shutil.rmtree(folder)
    path = landing / TRUTH
    truth = json.loads(path.read_text("utf-8"))
    for part in ("files", "manifest"):
        truth[part] = {n: f for n, f in truth[part].items() if n.split("/")[0] in folders}
    path.write_text(json.dumps(truth), "utf-8")
    write_marker(landing, {**truth["manifest"], TRUTH: sha256_of(path)}, TRUTH)
