"""The files of jobs: their names and the list of jobs."""

import importlib.metadata
import sys
from pathlib import Path

from socare_spark.registry import JOBS

FILES = sorted(path.stem for path in (Path(__file__).parents[2] / "jobs").glob("[a-z]*.py"))


def test_no_job_file_shadows_a_library():
    libraries = {*sys.stdlib_module_names, *importlib.metadata.packages_distributions()}
    assert "requests" in libraries
    assert libraries.intersection(FILES) == set()


def test_each_job_has_a_file():
    names = {job.name for job in JOBS} | {"doctor", "maintain", "study"}
    assert {"requests" if name == "service_requests" else name for name in FILES} == names
