"""Spark jobs: a council's service records in, figures that cannot be traced to a person out."""

import sys
from pathlib import Path

__version__ = "0.1.0"

# Python puts the folder of a submitted file first in its path, where jobs/requests.py would stand
# in the way of the library of that name, which MLflow needs.
_SUBMITTED = Path(sys.argv[0]).parent if sys.argv and sys.argv[0] else Path()
if _SUBMITTED.name == "jobs":
    sys.path[:] = [p for p in sys.path if Path(p).resolve() != _SUBMITTED.resolve()]
